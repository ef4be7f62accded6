/**
 * What a PUT does, as Neutron 21 was seen to do it. Each function takes the model as the request has read it and gives a
 * change of the model as it is when the request commits: between the two another request may have committed, which Neutron
 * does not look at again.
 */
import { z } from 'zod';
import { isIn, NeutronError, type FloatingIp, type NeutronModel, type Port, type Route } from './model';

export type Change = (model: NeutronModel) => NeutronModel;

const FLOATING_IP = z.object({
  floatingip: z.object({ port_id: z.string().nullable(), fixed_ip_address: z.string().optional() }),
});
const PORT = z.object({
  port: z.object({
    fixed_ips: z.array(z.object({ ip_address: z.string(), subnet_id: z.string().optional() })),
  }),
});
const ROUTER = z.object({
  router: z.object({ routes: z.array(z.object({ destination: z.string(), nexthop: z.string() })) }),
});

export function changeFloatingIp(model: NeutronModel, id: string, body: unknown): Change {
  const { port_id: portId, fixed_ip_address: asked } = parsed(FLOATING_IP, body).floatingip;
  const own = found(model.floatingips, id, 'FloatingIPNotFound', `Floating IP ${id} could not be found`);
  const port =
    portId === null ? null : found(model.ports, portId, 'PortNotFound', `Port ${portId} could not be found.`);
  const fixed = port === null ? null : fixedAddressFor(port, asked);
  const other = model.floatingips.find((each) => each.id !== id && each.port_id === portId);
  if (port !== null && other?.fixed_ip_address === fixed)
    throw new NeutronError(
      409,
      'FloatingIPPortAlreadyAssociated',
      `Cannot associate floating IP ${own.floating_ip_address} (${id}) with port ${port.id} using fixed IP ${fixed}, as that fixed IP already has a floating IP.`,
    );
  const subnet = model.subnets.find(({ cidr }) => fixed !== null && isIn(cidr, fixed));
  return (now) => ({
    ...now,
    floatingips: now.floatingips.map((each) =>
      each.id === id
        ? raised<FloatingIp>({
            ...each,
            port_id: portId,
            fixed_ip_address: fixed,
            router_id: portId === null ? null : (subnet?.router_id ?? null),
          })
        : each,
    ),
  });
}

function fixedAddressFor({ id, fixed_ips: fixed }: Port, asked: string | undefined): string {
  const addresses = fixed.map(({ ip_address: address }) => address);
  const [first] = addresses;
  if (asked !== undefined && !addresses.includes(asked))
    throw new NeutronError(
      400,
      'BadRequest',
      `Bad floatingip request: Port ${id} does not have fixed ip ${asked}.`,
    );
  if (asked === undefined && addresses.length > 1)
    throw new NeutronError(
      400,
      'BadRequest',
      `Bad floatingip request: Port ${id} has multiple fixed IPv4 addresses. Must provide a specific IPv4 address when assigning a floating IP.`,
    );
  if (first === undefined)
    throw new NeutronError(
      400,
      'BadRequest',
      `Bad floatingip request: Port ${id} has no fixed IPv4 address.`,
    );
  return asked ?? first;
}

export function changePort(model: NeutronModel, id: string, body: unknown): Change {
  const { fixed_ips: wanted } = parsed(PORT, body).port;
  const own = found(model.ports, id, 'PortNotFound', `Port ${id} could not be found.`);
  const fixed = wanted.map(({ ip_address: address }) => {
    const subnet = model.subnets.find(
      (each) => each.network_id === own.network_id && isIn(each.cidr, address),
    );
    if (subnet === undefined)
      throw new NeutronError(
        400,
        'InvalidIpForNetwork',
        `IP address ${address} is not a valid IP for any of the subnets on the specified network.`,
      );
    return { ip_address: address, subnet_id: subnet.id };
  });
  const demandFree = (now: NeutronModel): void => {
    for (const { ip_address: address, subnet_id: subnet } of fixed) {
      const others = now.ports.filter((each) => each.id !== id && each.network_id === own.network_id);
      if (others.some((each) => each.fixed_ips.some(({ ip_address: its }) => its === address)))
        throw new NeutronError(
          409,
          'IpAddressAlreadyAllocated',
          `IP address ${address} already allocated in subnet ${subnet}`,
        );
    }
  };
  demandFree(model);
  return (now) => {
    // Unlike all else this is held by the database: it is unique there.
    demandFree(now);
    return {
      ...now,
      ports: now.ports.map((each) => (each.id === id ? raised({ ...each, fixed_ips: fixed }) : each)),
    };
  };
}

export type RouterAction = 'replace' | 'add_extraroutes' | 'remove_extraroutes';

export function changeRoutes(model: NeutronModel, id: string, body: unknown, action: RouterAction): Change {
  const { routes } = parsed(ROUTER, body).router;
  const own = found(model.routers, id, 'RouterNotFound', `Router ${id} could not be found`);
  const isThere = (list: readonly Route[], route: Route) => list.some((each) => isSame(each, route));
  const added = action === 'remove_extraroutes' ? [] : routes.filter((route) => !isThere(own.routes, route));
  const removed =
    action === 'replace'
      ? own.routes.filter((route) => !isThere(routes, route))
      : action === 'remove_extraroutes'
        ? routes.filter((route) => isThere(own.routes, route))
        : [];
  for (const { nexthop } of added)
    if (!model.subnets.some(({ router_id: router, cidr }) => router === id && isIn(cidr, nexthop)))
      throw new NeutronError(
        400,
        'InvalidRoutes',
        `Invalid format for routes: [], the nexthop is not connected with router`,
      );
  if (added.length === 0 && removed.length === 0) return (now) => now;
  // A difference against what was read: what another request has added meanwhile stays.
  return (now) => ({
    ...now,
    routers: now.routers.map((each) =>
      each.id === id
        ? raised({
            ...each,
            routes: [
              ...each.routes.filter((route) => !isThere(removed, route)),
              ...added.filter((route) => !isThere(each.routes, route)),
            ],
          })
        : each,
    ),
  });
}

const isSame = (one: Route, other: Route): boolean =>
  one.destination === other.destination && one.nexthop === other.nexthop;

const raised = <Each extends { readonly revision_number: number }>(each: Each): Each => ({
  ...each,
  revision_number: each.revision_number + 1,
});

export function found<Each extends { readonly id: string }>(
  all: readonly Each[],
  id: string,
  type: string,
  message: string,
): Each {
  const each = all.find((one) => one.id === id);
  if (each === undefined) throw new NeutronError(404, type, message);
  return each;
}

function parsed<Form extends z.ZodType>(form: Form, body: unknown): z.infer<Form> {
  const { success, data, error } = form.safeParse(body);
  if (!success) throw new NeutronError(400, 'HTTPBadRequest', error.issues[0]?.message ?? 'bad request');
  return data;
}
