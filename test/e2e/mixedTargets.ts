/** A lab in which targets of every kind float: addresses of both families, routes and an Elastic IP. */
import { completeModel, findInterface } from '../../lab/ec2-emulator/model';
import type { Lab, LabOptions } from '../../lab/topology/topology';
import { peerOf, type RouterName } from '../../lab/topology/plan';
import { daemonOf, openLab, reason, startPair } from './support';

export const TABLE = 'rtb-0a1b2c3d4e5f60718';
export const ALLOCATION = 'eipalloc-0a1b2c3d4e5f60718';
export const FLOATING_IPV6 = '2001:db8:31:1::100';
export const destinations = ['10.9.0.0/16', '10.10.0.0/16', '0.0.0.0/0'] as const;

const actions = [
  {
    method: 'secondary_ip_shift',
    method_params: {
      intf_list: [
        { secondary_ip: '172.31.101.10', instance_intf_number: 1 },
        { secondary_ip: FLOATING_IPV6, instance_intf_number: 1 },
      ],
    },
  },
  {
    method: 'route_table_shift',
    method_params: {
      route_list: destinations.map((destination, place) => ({
        ...(place === 0 ? { route_table_id: TABLE } : { route_table_tag: { key: 'ha', value: 'north' } }),
        destination,
        instance_intf_number: 1,
      })),
    },
  },
  {
    method: 'elastic_ip_shift',
    method_params: { eip_list: [{ allocation_id: ALLOCATION, instance_intf_number: 2 }] },
  },
];

/** rtr1 holds all of it at the start. */
export async function openMixed(extra: object = {}, options: LabOptions = {}): Promise<Lab> {
  const lab = await openLab({ ...options, config: { action: undefined, actions, ...extra } });
  const [first, second] = lab.plan.interfaces;
  const eni = first!.networkInterfaceId.rtr1;
  const model = completeModel(lab.world.model);
  const value = {
    ...model,
    networkInterfaces: model.networkInterfaces.map((each) =>
      each.networkInterfaceId === eni
        ? { ...each, ipv6Addresses: [...(each.ipv6Addresses ?? []), FLOATING_IPV6] }
        : each,
    ),
    routeTables: [
      {
        routeTableId: TABLE,
        vpcId: model.subnets[0]!.vpcId,
        tags: { ha: 'north' },
        subnetIds: [],
        main: true,
        routes: destinations.map((destination) => ({
          destination: { kind: 'ipv4' as const, value: destination },
          target: { kind: 'networkInterface' as const, id: eni },
          origin: 'CreateRoute' as const,
        })),
      },
    ],
    elasticIps: [
      {
        allocationId: ALLOCATION,
        publicIp: '203.0.113.10',
        tags: {},
        association: {
          associationId: 'eipassoc-0a1b2c3d4e5f60718',
          networkInterfaceId: second!.networkInterfaceId.rtr1,
          privateIp: second!.primaryAddress.rtr1,
        },
      },
    ],
  };
  lab.world.commit({ ok: true, value }, { by: 'operator' });
  return lab;
}

/** rtr2 watches it. */
export async function openMixedPair(...options: Parameters<typeof openMixed>): Promise<Lab> {
  const lab = await openMixed(...options);
  await startPair(lab);
  return lab;
}

/** What EC2 has on the router, by name. */
export function heldBy(lab: Lab, name: RouterName): readonly string[] {
  const [first, second] = lab.plan.interfaces;
  const [one, two] = [first!.networkInterfaceId[name], second!.networkInterfaceId[name]];
  const { routeTables, elasticIps } = lab.world.model;
  const eni = findInterface(lab.world.model, one);
  return [
    ...(eni?.secondaryIps ?? []),
    ...(eni?.ipv6Addresses ?? []).filter((address) => address === FLOATING_IPV6),
    ...routeTables.flatMap(({ routes }) =>
      routes.flatMap(({ destination, target }) =>
        'id' in target && target.id === one ? [destination.value] : [],
      ),
    ),
    ...elasticIps.flatMap(({ allocationId, association }) =>
      association?.networkInterfaceId === two ? [allocationId] : [],
    ),
  ];
}

export const everything = ['172.31.101.10', FLOATING_IPV6, ...destinations, ALLOCATION];

export async function allOn(lab: Lab, name: RouterName, since: number): Promise<void> {
  await reason(daemonOf(lab, name), /EC2 confirms attempt \d+: all targets are on this router/, since);
  expect(heldBy(lab, name)).toEqual(everything);
  expect(heldBy(lab, peerOf(name))).toEqual([]);
}
