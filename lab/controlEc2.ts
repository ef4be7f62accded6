/**
 * The control API's part about what an operator, or AWS itself, does in the emulated EC2: addresses, routes,
 * Elastic IPs, interfaces, instances; and the limits of the account.
 */
import { z } from 'zod';
import { ask, askWith, Refusal, type Route } from './controlRoutes';
import { EVENT_CODES, type RouteTarget } from './ec2-emulator/model';
import { routeState } from './ec2-emulator/routes';
import { bucketSchema } from './ec2-emulator/tokenBuckets';
import type { AnyLab } from './topology/topology';

const addresses = z.array(z.ipv4()).min(1);
const ipv6Addresses = z.array(z.ipv6()).min(1);
const networkInterfaceId = z.string().regex(/^eni-[0-9a-f]{17}$/, 'the id of a network interface');

const route = z.strictObject({
  routeTableId: z.string().regex(/^rtb-[0-9a-f]{17}$/, 'the id of a route table'),
  destination: z.strictObject({ kind: z.enum(['ipv4', 'ipv6', 'prefixList']), value: z.string() }),
});
/** Any id but that of an interface is taken as it is: the lab has no gateways to check it against. */
const target = z
  .string()
  .regex(/^((eni|igw|vgw|nat|tgw)-[0-9a-f]{17}|local)$/, 'an id eni-, igw-, vgw-, nat- or tgw-..., or local');

const time = z.iso.datetime();
const scheduledEvent = z.strictObject({
  instanceEventId: z.string().regex(/^instance-event-[0-9a-f]{17}$/, 'the id of an event'),
  code: z.enum(EVENT_CODES),
  description: z.string().exactOptional(),
  notBefore: time.exactOptional(),
  notAfter: time.exactOptional(),
  notBeforeDeadline: time.exactOptional(),
});

export function ec2EditRoutes(lab: AnyLab): readonly Route[] {
  return [...addressRoutes(lab), ...targetRoutes(lab), ...resourceRoutes(lab), ...accountRoutes(lab)];
}

function resourceRoutes({ world }: AnyLab): readonly Route[] {
  return [
    askWith(
      'POST',
      '/ec2/interfaces/:id/attach',
      'attaches an interface to an instance',
      z.strictObject({
        instanceId: z.string(),
        deviceIndex: z.int().nonnegative(),
        networkCardIndex: z.int().nonnegative().default(0),
      }),
      ({ places, body }) =>
        edit(() =>
          world.attachInterface(places['id'] ?? '', {
            ...body,
            attachmentId: `${places['id']}`.replace('eni-', 'eni-attach-'),
            status: 'attached',
            deleteOnTermination: false,
          }),
        ),
    ),
    ask('POST', '/ec2/interfaces/:id/detach', 'detaches it; it keeps its addresses', ({ places }) =>
      edit(() => world.detachInterface(places['id'] ?? '')),
    ),
    askWith(
      'POST',
      '/ec2/interfaces/:id/replace',
      'another interface in its place: same subnet and index, with an id, a MAC and an address of its own',
      z.strictObject({ networkInterfaceId, macAddress: z.string(), primaryIp: z.ipv4() }),
      ({ places, body }) => edit(() => world.replaceInterface(places['id'] ?? '', body)),
    ),
    askWith(
      'POST',
      '/ec2/interfaces/:id/service',
      'a service of AWS has the interface from now on, and no instance; it keeps its addresses',
      z.strictObject({ service: z.string().regex(/^[\w-]{1,40}$/, 'a name like amazon-elb') }),
      ({ places, body }) => edit(() => world.handToService(places['id'] ?? '', body.service)),
    ),
    askWith(
      'POST',
      '/ec2/route-tables/:id',
      'gives a route table these tags and no others; one that is not there is made',
      z.strictObject({ tags: z.record(z.string(), z.string()) }),
      ({ places, body }) => edit(() => world.tagRouteTable(places['id'] ?? '', body.tags)),
    ),
    ask('DELETE', '/ec2/interfaces/:id', 'deletes it, with its addresses', ({ places }) =>
      edit(() => world.deleteInterface(places['id'] ?? '')),
    ),
    askWith(
      'POST',
      '/ec2/instances/:id',
      'what EC2 says of an instance: its state, its status checks',
      z.strictObject({
        state: z
          .enum(['pending', 'running', 'stopping', 'stopped', 'shutting-down', 'terminated'])
          .optional(),
        instanceStatus: z.enum(['ok', 'impaired', 'insufficient-data', 'initializing']).exactOptional(),
        systemStatus: z.enum(['ok', 'impaired', 'insufficient-data', 'initializing']).exactOptional(),
      }),
      ({ places, body: { state, ...checks } }) =>
        edit(() => {
          const id = places['id'] ?? '';
          world.setStatusChecks(id, checks);
          if (state !== undefined) world.setInstanceState(id, state);
        }),
    ),
    askWith(
      'POST',
      '/ec2/instances/:id/events',
      'maintenance that AWS announces for an instance in DescribeInstanceStatus: these events and no others',
      z.strictObject({ events: z.array(scheduledEvent) }),
      ({ places, body }) => edit(() => world.setScheduledEvents(places['id'] ?? '', body.events)),
    ),
    askWith(
      'POST',
      '/ec2/application-checks/:id/:instance',
      'what an application status check finds on an instance from now on; one that is not there is made',
      z.strictObject({
        status: z.enum(['passed', 'failed', 'initializing', 'insufficient-data', 'not-applicable']),
        reason: z
          .string()
          .regex(/^\w{1,60}$/)
          .exactOptional(),
        saidAgoMs: z.number().nonnegative().exactOptional(),
      }),
      ({ places, body }) =>
        edit(() => world.setApplicationCheck(places['id'] ?? '', places['instance'] ?? '', body)),
    ),
  ];
}

function addressRoutes({ world }: AnyLab): readonly Route[] {
  return [
    askWith(
      'POST',
      '/ec2/assign',
      'an operator moves addresses to an interface',
      z.strictObject({ networkInterfaceId, addresses }),
      ({ body }) => edit(() => world.assign(body.networkInterfaceId, body.addresses)),
    ),
    askWith(
      'POST',
      '/ec2/unassign',
      'an operator takes addresses from an interface',
      z.strictObject({ networkInterfaceId, addresses }),
      ({ body }) => edit(() => world.unassign(body.networkInterfaceId, body.addresses)),
    ),
    askWith(
      'POST',
      '/ec2/assign-ipv6',
      'an operator moves IPv6 addresses to an interface',
      z.strictObject({ networkInterfaceId, addresses: ipv6Addresses }),
      ({ body }) => edit(() => world.assignIpv6(body.networkInterfaceId, body.addresses)),
    ),
    askWith(
      'POST',
      '/ec2/unassign-ipv6',
      'an operator takes IPv6 addresses from an interface',
      z.strictObject({ networkInterfaceId, addresses: ipv6Addresses }),
      ({ body }) => edit(() => world.unassignIpv6(body.networkInterfaceId, body.addresses)),
    ),
    askWith(
      'POST',
      '/ec2/interfaces/:id/source-dest-check',
      'switches the source/destination check of an interface',
      z.strictObject({ on: z.boolean() }),
      ({ places, body }) => edit(() => world.setSourceDestCheck(places['id'] ?? '', body.on)),
    ),
  ];
}

function targetRoutes({ world }: AnyLab): readonly Route[] {
  return [
    ask('GET', '/ec2/routes', 'every route with its state; ?table=ID for one table', ({ query }) => {
      const table = query.get('table');
      return world.model.routeTables
        .filter(({ routeTableId }) => table === null || routeTableId === table)
        .flatMap(({ routeTableId, routes }) =>
          routes.map((each) => ({ routeTableId, ...each, state: routeState(world.model, each) })),
        );
    }),
    askWith(
      'POST',
      '/ec2/routes',
      'an operator points a route anywhere, be it there or not',
      route.extend({ target }),
      ({ body: { target: id, ...where } }) => edit(() => world.setRoute(where, targetOf(id))),
    ),
    askWith('POST', '/ec2/routes/delete', 'an operator deletes a route', route, ({ body }) =>
      edit(() => world.deleteRoute(body)),
    ),
    askWith(
      'POST',
      '/ec2/elastic-ips/:id',
      'an operator associates an Elastic IP; without `privateIp` with the primary address',
      z.strictObject({ networkInterfaceId, privateIp: z.ipv4().optional() }),
      ({ places, body }) =>
        edit(() =>
          world.associateAddress({
            allocationId: places['id'] ?? '',
            networkInterfaceId: body.networkInterfaceId,
            privateIp: body.privateIp,
          }),
        ),
    ),
    askWith(
      'POST',
      '/ec2/elastic-ips/:id/service-managed',
      'a service of AWS manages an Elastic IP, so that AssociateAddress says AuthFailure; null: none does',
      z.strictObject({ by: z.enum(['alb', 'nlb', 'rds', 'rnat']).nullable() }),
      ({ places, body }) => edit(() => world.setServiceManaged(places['id'] ?? '', body.by)),
    ),
    ask('DELETE', '/ec2/elastic-ips/:id', 'an operator disassociates an Elastic IP', ({ places }) =>
      edit(() => world.disassociateAddress(places['id'] ?? '')),
    ),
  ];
}

function accountRoutes({ ec2, world }: AnyLab): readonly Route[] {
  return [
    ask('GET', '/ec2/buckets', "EC2's token buckets", () => ({
      on: ec2.buckets() !== null,
      buckets: ec2.buckets() ?? {},
    })),
    askWith(
      'POST',
      '/ec2/buckets',
      'switches them on, full: of the documented sizes where `sizes` has no other',
      z.strictObject({ sizes: z.record(z.string(), bucketSchema).default({}) }),
      ({ body }) => edit(() => ec2.throttleAccount(body.sizes)),
    ),
    ask('DELETE', '/ec2/buckets', 'switches them off', () => ec2.throttleAccount(null)),
    askWith(
      'POST',
      '/ec2/settings',
      'the quota of routes, and what ReplaceRoute says of a route that is not there',
      z.strictObject({
        routesPerTable: z.int().nonnegative().exactOptional(),
        missingRouteCode: z.enum(['InvalidParameterValue', 'InvalidRoute.NotFound']).exactOptional(),
      }),
      ({ body }) => edit(() => world.changeSettings(body)),
    ),
  ];
}

const targetKinds = {
  eni: 'networkInterface',
  igw: 'gateway',
  vgw: 'gateway',
  nat: 'natGateway',
  tgw: 'transitGateway',
} as const;

function targetOf(id: string): RouteTarget {
  const kind = Object.entries(targetKinds).find(([prefix]) => id.startsWith(`${prefix}-`))?.[1];
  return kind === undefined ? { kind: 'local' } : { kind, id };
}

/** EC2's own words for what cannot be done. */
function edit(change: () => void): void {
  try {
    change();
  } catch (error: unknown) {
    throw new Refusal(409, error instanceof Error ? error.message : String(error));
  }
}
