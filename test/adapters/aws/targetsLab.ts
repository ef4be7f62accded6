/**
 * The two routers of awsLab with what moves between zones: routes of every kind, an Elastic IP and IPv6 addresses.
 * Router 2 holds all of it at the start.
 */
import { completeModel, type Route } from '../../../lab/ec2-emulator/model';
import { Ec2World } from '../../../lab/ec2-emulator/world';
import type { AwsPlan, AwsResource, AwsTarget } from '../../../src/aws/description';
import { addressTarget } from '../../support/coreWorld';
import { VPC, eniOf, newWorld, plan, targetOf } from './awsLab';

export const TABLE = 'rtb-00000001';
export const TAGGED = 'rtb-00000002';
export const PREFIX_LIST = 'pl-00000001';
export const ALLOCATION = 'eipalloc-00000001';
export const IPV6 = '2001:db8:0:2::100';

const route = (
  value: string,
  target: Route['target'],
  kind: Route['destination']['kind'] = 'ipv4',
): Route => ({
  destination: { kind, value },
  target,
  origin: 'CreateRoute',
});
const toRouter2 = { kind: 'networkInterface', id: eniOf(2, 1) } as const;

export function newTargetsWorld(): Ec2World {
  const model = newWorld().model;
  return new Ec2World({
    ...model,
    ...completeModel(model),
    networkInterfaces: model.networkInterfaces.map((eni) =>
      eni.networkInterfaceId === eniOf(2, 1)
        ? { ...eni, ipv6Addresses: [...(eni.ipv6Addresses ?? []), IPV6] }
        : eni,
    ),
    prefixLists: [{ prefixListId: PREFIX_LIST, family: 'ipv4', maxEntries: 10 }],
    routeTables: [
      {
        routeTableId: TABLE,
        vpcId: VPC,
        tags: {},
        subnetIds: [],
        main: true,
        routes: [
          { ...route('172.31.0.0/16', { kind: 'local' }), origin: 'CreateRouteTable' },
          route('10.9.0.0/16', toRouter2),
          route('2001:db8:9::/48', toRouter2, 'ipv6'),
          route('::/0', { kind: 'gateway', id: 'igw-00000001' }, 'ipv6'),
          {
            ...route('10.7.0.0/16', { kind: 'gateway', id: 'vgw-00000001' }),
            origin: 'EnableVgwRoutePropagation',
          },
        ],
      },
      {
        routeTableId: TAGGED,
        vpcId: VPC,
        tags: { ha: 'north' },
        subnetIds: [],
        main: false,
        routes: [
          { ...route('172.31.0.0/16', { kind: 'local' }), origin: 'CreateRouteTable' },
          route(PREFIX_LIST, toRouter2, 'prefixList'),
          route('10.8.0.0/16', { kind: 'natGateway', id: 'nat-00000001' }),
        ],
      },
    ],
    elasticIps: [
      {
        allocationId: ALLOCATION,
        publicIp: '203.0.113.10',
        tags: {},
        association: {
          associationId: 'eipassoc-00000001',
          networkInterfaceId: eniOf(2, 1),
          privateIp: '172.31.1.12',
        },
      },
    ],
  });
}

const slot = { deviceIndex: 1, networkCardIndex: 0, rank: 0 };
type Destination = Extract<AwsResource, { kind: 'route' }>['destination'];

export const routeTarget = (
  value: string,
  kind: Destination['kind'] = 'ipv4',
  id: string = TABLE,
  rank = 0,
): AwsTarget => ({
  ...slot,
  rank,
  kind: 'route',
  id: `${value} in ${id}`,
  routeTable: { id },
  destination: { kind, value },
});

export const taggedTarget = (value: string, kind: Destination['kind'] = 'ipv4'): AwsTarget => ({
  ...slot,
  kind: 'route',
  id: `${value} in the table tagged ha=north`,
  routeTable: { tag: { key: 'ha', value: 'north' } },
  destination: { kind, value },
});

export const elasticIpTarget = (privateAddress: string | null = null): AwsTarget => ({
  ...slot,
  kind: 'elasticIp',
  id: ALLOCATION,
  allocationId: ALLOCATION,
  privateAddress,
});

export const ipv6Target: AwsTarget = { ...slot, kind: 'ipv6Address', id: IPV6, address: IPV6 };

/** One of each. */
export const mixedPlan: AwsPlan = {
  ...plan,
  targets: [
    addressTarget(targetOf(1), 1),
    ipv6Target,
    routeTarget('10.9.0.0/16'),
    routeTarget('2001:db8:9::/48', 'ipv6'),
    taggedTarget(PREFIX_LIST, 'prefixList'),
    elasticIpTarget(),
  ],
};
