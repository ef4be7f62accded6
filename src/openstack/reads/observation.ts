/**
 * From the answers of Neutron to who holds what. Each kind of target is read by one list of its collection; whose ports
 * those are, the list of ports says.
 */
import type { Holder, Observation, OwnInterface, PeerInterface } from '../../core/state/readings';
import type { OpenstackPlan, OpenstackTarget, TargetOf } from '../description';
import { fieldsOf, type Collection, type FloatingIp, type Port, type Router } from './answer';
import type { Identity } from './identity';
import { addressesOf, attachmentOf, primaryAddressOf } from './places';

/** One of the lists that an observation consists of. */
export type Question = {
  readonly collection: Collection;
  /** Below the endpoint. */
  readonly path: string;
  readonly targets: readonly OpenstackTarget[];
};

/** What there is to ask for this plan, once a keepalive: the ports first, since the others are read by them. */
export function questionsOf(plan: OpenstackPlan, identity: Identity): readonly Question[] {
  const of = <K extends OpenstackTarget['kind']>(kind: K) =>
    plan.targets.filter((target): target is TargetOf<K> => target.kind === kind);
  const [floatingIps, routes, addresses] = [of('floatingIp'), of('extraRoute'), of('fixedAddress')];
  const asked = new Set([
    ...identity.ports.flatMap(addressesOf),
    ...plan.peerAddresses,
    ...addresses.map(({ address }) => address),
  ]);
  const list = (
    collection: Collection,
    filter: string,
    values: Iterable<string>,
    targets: readonly OpenstackTarget[],
  ): Question => {
    const query = [...new Set(values)].map((value) => `${filter}${encodeURIComponent(value)}`).join('&');
    return { collection, targets, path: `/v2.0/${collection}?${query}&${fieldsOf(collection)}` };
  };
  return [
    // Values of one filter are alternatives to each other; filters of two names have to fit both.
    list('ports', 'fixed_ips=ip_address%3D', asked, addresses),
    ...(floatingIps.length === 0
      ? []
      : [
          list(
            'floatingips',
            'floating_ip_address=',
            floatingIps.map(({ floatingIp }) => floatingIp),
            floatingIps,
          ),
        ]),
    ...(routes.length === 0
      ? []
      : [
          list(
            'routers',
            'id=',
            routes.map(({ routerId }) => routerId),
            routes,
          ),
        ]),
  ];
}

/** The ports that are shown, as this router has to do with them. */
export type Surroundings = {
  readonly plan: OpenstackPlan;
  readonly identity: Identity;
  readonly ports: readonly Port[];
};

export function interfacesOf({ identity, ports }: Surroundings): readonly OwnInterface[] {
  return identity.ports.flatMap(({ id }, deviceIndex) => {
    const port = ports.find((each) => each.id === id);
    if (port === undefined) return [];
    const { network_id: network, fixed_ips: fixed } = port;
    return [
      {
        networkInterfaceId: id,
        deviceIndex,
        networkCardIndex: 0,
        subnetId: fixed[0]?.subnet_id ?? network,
        privateIpAddresses: fixed.map((each) => ({ ...each })),
      },
    ];
  });
}

export function peersOf(around: Surroundings): Observation['peers'] {
  const { plan, ports } = around;
  return Object.fromEntries(
    plan.peerAddresses.flatMap((address) => {
      const found = nearest(
        around,
        ports.filter((port) => addressesOf(port).includes(address) && !isOwn(around, port)),
      );
      return found === undefined ? [] : [[address, peerInterface(around, found, address)] as const];
    }),
  );
}

const isOwn = ({ identity }: Surroundings, { id }: Port): boolean =>
  identity.ports.some((own) => own.id === id);

/** Networks of a project may have the same addresses: this router's own count first; of others only where there is one. */
function nearest({ identity }: Surroundings, found: readonly Port[]): Port | undefined {
  const beside = found.filter((port) => identity.ports.some((own) => own.network_id === port.network_id));
  const candidates = beside.length > 0 ? beside : found;
  return candidates.length === 1 ? candidates[0] : undefined;
}

/** Neutron counts no ports: the peer's has the number of this router's port on the same network. */
function peerInterface({ identity }: Surroundings, port: Port, address: string): PeerInterface {
  const numbers = identity.ports.flatMap((own, number) =>
    own.network_id === port.network_id ? [number] : [],
  );
  const [deviceIndex] = numbers;
  const attachment = attachmentOf(port);
  return {
    networkInterfaceId: port.id,
    instanceId: attachment.to === 'instance' ? attachment.instanceId : null,
    subnetId: port.fixed_ips.find((each) => each.ip_address === address)?.subnet_id ?? port.network_id,
    slot: deviceIndex === undefined || numbers.length > 1 ? null : { deviceIndex, networkCardIndex: 0 },
  };
}

export function addressHolder(
  around: Surroundings,
  { address, ...target }: TargetOf<'fixedAddress'>,
): Holder | null {
  const port = nearest(
    around,
    around.ports.filter((each) => addressesOf(each).includes(address)),
  );
  return port === undefined ? null : holderAt(around, target, port);
}

export function floatingIpHolder(
  around: Surroundings,
  target: TargetOf<'floatingIp'>,
  shown: FloatingIp,
): Holder | null {
  const { port_id: id, fixed_ip_address: privateAddress, port_details: details } = shown;
  if (id === null) return null;
  const port = around.ports.find((each) => each.id === id);
  const place = placeOf(around, target);
  const seen = port ?? details ?? { device_id: '', device_owner: '' };
  return {
    kind: 'interface',
    networkInterfaceId: id,
    attachment: attachmentOf(seen),
    mine:
      place?.id === id && privateAddress === (target.privateAddress ?? primaryAddressOf(around.plan, place)),
    ...(privateAddress === null ? {} : { privateAddress }),
  };
}

/** A string says why nobody can be named. */
export function routeHolder(
  around: Surroundings,
  target: TargetOf<'extraRoute'>,
  { routes }: Router,
): Holder | null | string {
  const hops = routes.flatMap(({ destination, nexthop }) =>
    destination === target.destination ? [nexthop] : [],
  );
  const [hop, ...others] = hops;
  if (hop === undefined) return null;
  if (others.length > 0)
    return `it leads to ${hops.join(' and ')} at once: take all but one out of the router`;
  const port = nearest(
    around,
    around.ports.filter((each) => addressesOf(each).includes(hop)),
  );
  // Neither router of the pair has this address.
  if (port === undefined) return { kind: 'gateway', gatewayId: hop, mine: false };
  const holder = holderAt(around, target, port);
  return { ...holder, mine: holder.mine && hop === nextHopOn(around.plan, target, port) };
}

export const nextHopOn = (
  plan: OpenstackPlan,
  { nextHop }: TargetOf<'extraRoute'>,
  port: Port,
): string | null =>
  nextHop !== null && addressesOf(port).includes(nextHop) ? nextHop : primaryAddressOf(plan, port);

type Placed = Pick<OpenstackTarget, 'deviceIndex'>;

function holderAt(around: Surroundings, target: Placed, port: Port) {
  return {
    kind: 'interface' as const,
    networkInterfaceId: port.id,
    attachment: attachmentOf(port),
    mine: placeOf(around, target)?.id === port.id,
  };
}

/** The port of this router where the target belongs. */
function placeOf({ identity, ports }: Surroundings, { deviceIndex }: Placed): Port | undefined {
  const id = identity.ports[deviceIndex]?.id;
  return ports.find((port) => port.id === id);
}
