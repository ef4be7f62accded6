/**
 * Who is who in the lab across two Availability Zones: a router in each, whose subnets have nothing in common.
 * Secondary addresses cannot move there; routes that lead to a router can, and Elastic IPs. Each router has
 * three interfaces: management, outside (the Elastic IPs) and inside (the routes). BFD runs single-hop in a
 * tunnel, or multi-hop between the outside interfaces. Plain data; nothing runs here. What EC2 has of it is in
 * topologyCrossAzEc2.ts.
 */
import type { Destination } from '../ec2-emulator/destinations';
import { MANAGEMENT_INTERFACE, type LabPlan, type RouterName } from './plan';
import type { ElasticIpPlan, RoutePlan } from './targets';

export type CrossAzOptions = {
  /** Routes that move, 1 to 1000 of both tables together; default 6: one of each kind in each table. */
  readonly routes?: number;
  /** Elastic IPs that move, 0 to 40: the first to the primary address of an interface. Default 1. */
  readonly elasticIps?: number;
  /** Whether a multi-hop session watches, too; the simulated routers then allow it. Default: no. */
  readonly multiHop?: boolean;
};

/** The interfaces are management, outside and inside, by their device index. */
export type CrossAzPlan = LabPlan<CrossAzInterface> & {
  readonly availabilityZone: Readonly<Record<RouterName, string>>;
  readonly routes: readonly RoutePlan[];
  readonly elasticIps: readonly ElasticIpPlan[];
};

export type CrossAzInterface = {
  readonly deviceIndex: number;
  readonly name: string;
  readonly subnetId: Readonly<Record<RouterName, string>>;
  readonly cidrBlock: Readonly<Record<RouterName, string>>;
  readonly ipv6CidrBlock: Readonly<Record<RouterName, string>>;
  readonly primaryAddress: Readonly<Record<RouterName, string>>;
  readonly networkInterfaceId: Readonly<Record<RouterName, string>>;
};

const VPC_ID = 'vpc-0d91c3f7a25b84e60';
export const OUTSIDE = 1;
export const INSIDE = 2;
export const MOST_ROUTES = 1000;
const MOST_ELASTIC_IPS = 40;
export const zones = { rtr1: 'us-west-2a', rtr2: 'us-west-2b' } as const;
const instanceIds = { rtr1: 'i-0d4a82b6c19f37e51', rtr2: 'i-0e5b93c7d20a48f62' } as const;
const TUNNEL = { name: 'tunnel-ip1', address: { rtr1: '192.168.77.1', rtr2: '192.168.77.2' } } as const;

/** One table is found by its id, the other by its tag. */
export const movingTables = [
  { routeTableId: 'rtb-0f1e2d3c4b5a69701', tags: { ha: 'north' }, tag: null },
  {
    routeTableId: 'rtb-0f1e2d3c4b5a69702',
    tags: { ha: 'south' },
    tag: { key: 'ha', value: 'south' },
  },
] as const;

export const PREFIX_LIST = { prefixListId: 'pl-0123456789abcdef0', family: 'ipv4', maxEntries: 10 } as const;

const kinds: readonly Destination[] = [
  { kind: 'ipv4', value: '10.9.0.0/16' },
  { kind: 'ipv6', value: '2001:db8:9::/48' },
  { kind: 'prefixList', value: PREFIX_LIST.prefixListId },
];

/** @throws RangeError for numbers that cannot be. */
export function planCrossAz(options: CrossAzOptions = {}): CrossAzPlan {
  const { routes = kinds.length * movingTables.length, elasticIps = 1, multiHop = false } = options;
  within('routes', routes, 1, MOST_ROUTES);
  within('Elastic IPs', elasticIps, 0, MOST_ELASTIC_IPS);
  const interfaces = [MANAGEMENT_INTERFACE, 'TenGigE0/0/0/1', 'TenGigE0/0/0/2'].map(planInterface);
  const outside = interfaces[OUTSIDE];
  if (outside === undefined) throw new Error('no outside interface');
  const { name, primaryAddress: address } = outside;
  const plannedRoutes = Array.from({ length: routes }, (_, place) => planRoute(place));
  const plannedElasticIps = Array.from({ length: elasticIps }, (_, place) => planElasticIp(place));
  return {
    region: 'us-west-2',
    vpcId: VPC_ID,
    instanceId: instanceIds,
    routerInterfaces: [...interfaces.map(({ name }) => name), TUNNEL.name],
    links: [{ ...TUNNEL, over: TUNNEL.name }, ...(multiHop ? [{ name, over: name, address }] : [])],
    paths: [
      { ...TUNNEL, sessionType: 'SINGLE_HOP' },
      ...(multiHop ? [{ name, sessionType: 'MULTI_HOP', address } as const] : []),
    ],
    targets: [...plannedRoutes, ...plannedElasticIps],
    availabilityZone: zones,
    interfaces,
    routes: plannedRoutes,
    elasticIps: plannedElasticIps,
  };
}

function within(what: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`the lab across zones has ${least} to ${most} ${what}, not ${value}`);
  }
}

const both = (of: (name: RouterName) => string): Readonly<Record<RouterName, string>> => ({
  rtr1: of('rtr1'),
  rtr2: of('rtr2'),
});

/** The third number of a subnet: 10, 11, 12 in the first zone and 20, 21, 22 in the second. */
export const subnetNumber = (name: RouterName, deviceIndex: number): number =>
  (name === 'rtr1' ? 10 : 20) + deviceIndex;

const hostIn = (name: RouterName, deviceIndex: number, host: number): string =>
  `10.20.${subnetNumber(name, deviceIndex)}.${host}`;

const planInterface = (name: string, deviceIndex: number): CrossAzInterface => ({
  deviceIndex,
  name,
  subnetId: both((router) => `subnet-0d91c3f7a25b840${subnetNumber(router, deviceIndex)}`),
  cidrBlock: both((router) => `10.20.${subnetNumber(router, deviceIndex)}.0/24`),
  ipv6CidrBlock: both((router) => `2001:db8:20:${subnetNumber(router, deviceIndex)}::/64`),
  primaryAddress: both((router) => hostIn(router, deviceIndex, 4 + subnetNumber(router, deviceIndex))),
  networkInterfaceId: both((router) => `eni-0d91c3f7a25b84e${subnetNumber(router, deviceIndex)}`),
});

/** One of each kind in each table, the first of all before the others; then as many more as asked for. */
function planRoute(place: number): RoutePlan {
  const table = movingTables[Math.floor(place / kinds.length) % movingTables.length] ?? movingTables[0];
  const { routeTableId, tag } = table;
  const more = place - kinds.length * movingTables.length;
  const another = { kind: 'ipv4', value: `10.${128 + (more >> 8)}.${more & 255}.0/24` } as const;
  const destination = (more < 0 ? kinds[place % kinds.length] : undefined) ?? another;
  return {
    kind: 'route',
    routeTableId,
    tag,
    destination,
    deviceIndex: INSIDE,
    priority: place === 0 ? 10 : null,
  };
}

const planElasticIp = (place: number): ElasticIpPlan => ({
  kind: 'elasticIp',
  allocationId: `eipalloc-0d91c3f7a25b84e${String(place + 10)}`,
  publicIp: `203.0.113.${10 + place}`,
  deviceIndex: OUTSIDE,
  privateIp: place === 0 ? null : both((name) => hostIn(name, OUTSIDE, 100 + place)),
});
