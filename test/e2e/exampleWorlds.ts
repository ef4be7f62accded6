/**
 * The routers, subnets and tables that the examples of the configuration speak of, as a lab, and the examples as its
 * configuration. What moves is read from the example itself.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Destination } from '../../lab/ec2-emulator/destinations';
import type { Ec2Region, NetworkInterface, RouteTable } from '../../lab/ec2-emulator/model';
import { startPlannedLab, type AnyLab } from '../../lab/topology/topology';
import {
  MANAGEMENT_INTERFACE,
  routerNames,
  type LabPlan,
  type LinkPlan,
  type RouterName,
} from '../../lab/topology/plan';
import type { TargetPlan } from '../../lab/topology/targets';

export const examples = join(__dirname, '..', '..', 'config', 'examples');

type Example = {
  readonly config: {
    readonly action?: Action;
    readonly actions?: readonly Action[];
    readonly groups?: readonly Group[];
  };
};
type Group = { readonly name: string; readonly preferred?: boolean; readonly action: Action };
type Action = { readonly method_params: { readonly [list: string]: readonly Entry[] } };
type Entry = {
  readonly instance_intf_number: number;
  readonly secondary_ip?: string;
  readonly route_table_id?: string;
  readonly route_table_tag?: { readonly key: string; readonly value: string };
  readonly destination?: string;
  readonly allocation_id?: string;
};

/** What the lab has to say for itself: where EC2 and the router listen, and a directory for each router's files. */
const labKeys = [
  'ec2_private_endpoint_url',
  'grpc_server',
  'grpc_port',
  'store',
  'state_dir',
  'control_socket',
  'syslog_file',
] as const;

type Each<T> = Readonly<Record<RouterName, T>>;
type Port = {
  readonly name: string;
  readonly deviceIndex: Each<number>;
  readonly primaryAddress: Each<string>;
};
type World = { readonly ports: readonly Port[]; readonly zones: Each<string> };

const port = (name: string, deviceIndex: number, rtr1: string, rtr2: string): Port => ({
  name,
  deviceIndex: { rtr1: deviceIndex, rtr2: deviceIndex },
  primaryAddress: { rtr1, rtr2 },
});

const TUNNEL = { name: 'tunnel-ip1', address: { rtr1: '10.255.0.1', rtr2: '10.255.0.2' } } as const;
const first = port('TenGigE0/0/0/1', 1, '172.31.101.241', '172.31.101.101');
const second = port('TenGigE0/0/0/2', 2, '172.31.105.154', '172.31.105.206');
const third = port('TenGigE0/0/0/3', 3, '172.31.201.11', '172.31.202.12');
const oneZone: World = {
  ports: [first, second, third],
  zones: { rtr1: 'us-west-2a', rtr2: 'us-west-2a' },
};
const twoZones: World = {
  ports: [
    port('TenGigE0/0/0/0', 1, '172.31.101.241', '172.31.102.101'),
    port('TenGigE0/0/0/1', 2, '172.31.111.241', '172.31.112.101'),
  ],
  zones: { rtr1: 'us-west-2a', rtr2: 'us-west-2b' },
};
const worlds: Readonly<Record<string, World>> = {
  'active-active': oneZone,
  'elastic-ip': twoZones,
  'gre-tunnel': oneZone,
  ipv6: oneZone,
  'multi-hop': oneZone,
  'routes-and-elastic-ip': twoZones,
  routes: twoZones,
  // Its routers have the same interface at different device indexes.
  'secondary-ip': { ...oneZone, ports: [first, { ...second, deviceIndex: { rtr1: 2, rtr2: 3 } }] },
};

const VPC_ID = 'vpc-0e7a1c5d9b3f24680';
const instanceId = { rtr1: 'i-0e7a1c5d9b3f20001', rtr2: 'i-0e7a1c5d9b3f20002' } as const;
const ipv6CidrBlocks: Readonly<Record<string, string>> = { '172.31.105.0/24': '2001:db8:105::/64' };
const management = port(MANAGEMENT_INTERFACE, 0, '172.31.99.11', '172.31.98.12');
const tables = [
  { routeTableId: 'rtb-0a1b2c3d4e5f60718', tags: {} },
  { routeTableId: 'rtb-0a1b2c3d4e5f60719', tags: { ha: 'workloads' } },
] as const;
const PREFIX_LIST = { prefixListId: 'pl-0a1b2c3d4e5f60718', family: 'ipv4', maxEntries: 10 } as const;

const both = <T>(of: (name: RouterName) => T): Each<T> => ({ rtr1: of('rtr1'), rtr2: of('rtr2') });

type Moving = { readonly target: TargetPlan; readonly group: string; readonly owner: RouterName };
export type ExampleLab = {
  readonly lab: AnyLab;
  /** Who has each group at the start. A configuration without groups is one of the name `default`. */
  readonly owners: Readonly<Record<string, RouterName>>;
};

/** A lab with the two examples of this kind as its configurations; who is preferred has what moves, or else rtr1. */
export async function startExample(kind: string): Promise<ExampleLab> {
  const world = worlds[kind];
  if (world === undefined) throw new Error(`no world for the examples ${kind}`);
  const documents = both(
    (name) => JSON.parse(readFileSync(join(examples, `${kind}-${name}.json`), 'utf8')) as Example,
  );
  const moving = groupsOf(documents.rtr1).flatMap(({ name: group, actions }) => {
    const owner = routerNames.find((name) => prefers(documents[name], group)) ?? 'rtr1';
    return actions.flatMap(entriesOf).map((entry): Moving => ({ target: targetOf(entry), group, owner }));
  });
  const plan = planOf(world, moving);
  const lab = await startPlannedLab(plan, regionOf(world, moving), {
    fabric: { bringUpMs: 50, detectTimeMs: 100 },
    sim: { multiHop: 'works' },
  });
  for (const name of routerNames) {
    const { config: own } = lab.writeConfig(name) as { config: Record<string, unknown> };
    const overrides = Object.fromEntries(labKeys.map((key) => [key, own[key]]));
    const document = documents[name];
    const content = { ...document, config: { ...document.config, ...overrides } };
    writeFileSync(lab.routers[name].configPath, JSON.stringify(content));
  }
  return { lab, owners: Object.fromEntries(moving.map(({ group, owner }) => [group, owner])) };
}

function groupsOf({ config: { groups, action, actions = [] } }: Example) {
  if (groups !== undefined) return groups.map(({ name, action }) => ({ name, actions: [action] }));
  return [{ name: 'default', actions: action === undefined ? actions : [action] }];
}

const prefers = ({ config: { groups = [] } }: Example, group: string): boolean =>
  groups.some(({ name, preferred }) => name === group && preferred === true);

const entriesOf = ({ method_params }: Action): readonly Entry[] => Object.values(method_params).flat();

function targetOf(entry: Entry): TargetPlan {
  const { secondary_ip, allocation_id, destination, instance_intf_number: deviceIndex } = entry;
  if (secondary_ip !== undefined) return { kind: 'secondaryAddress', address: secondary_ip, deviceIndex };
  if (allocation_id !== undefined)
    return {
      kind: 'elasticIp',
      allocationId: allocation_id,
      publicIp: '203.0.113.10',
      deviceIndex,
      privateIp: null,
    };
  const { route_table_id, route_table_tag: tag = null } = entry;
  const { routeTableId } = tables[route_table_id === undefined ? 1 : 0];
  return {
    kind: 'route',
    routeTableId: route_table_id ?? routeTableId,
    tag,
    destination: destinationOf(destination ?? ''),
    deviceIndex,
    priority: null,
  };
}

function destinationOf(value: string): Destination {
  if (value.startsWith('pl-')) return { kind: 'prefixList', value };
  return { kind: value.includes(':') ? 'ipv6' : 'ipv4', value };
}

/** A session of any kind may run over any of the links. */
function planOf({ ports }: World, moving: readonly Moving[]): LabPlan {
  const links: readonly LinkPlan[] = [
    ...ports.map(({ name, primaryAddress: address }) => ({ name, over: name, address })),
    { ...TUNNEL, over: first.name },
  ];
  return {
    region: 'us-west-2',
    vpcId: VPC_ID,
    instanceId,
    routerInterfaces: [management, ...ports, TUNNEL].map(({ name }) => name),
    interfaces: ports.map((each) => ({ ...each, deviceIndex: each.deviceIndex.rtr1 })),
    links: links.filter(({ over }) => ports.some(({ name }) => name === over)),
    paths: [],
    targets: moving.map(({ target }) => target),
  };
}

const subnetBlock = (address: string): string => address.replace(/\d+$/, '0/24');
const subnetId = (address: string): string => `subnet-0e7a1c5d9b3f${address.split('.')[2]!.padStart(5, '0')}`;
const eniId = (name: RouterName, deviceIndex: number): string =>
  `eni-0e7a1c5d9b3f2${name === 'rtr1' ? 1 : 2}${String(deviceIndex).padStart(3, '0')}`;

function regionOf({ ports, zones }: World, moving: readonly Moving[]): Ec2Region {
  const subnets = routerNames.flatMap((name) =>
    [management, ...ports].map(({ primaryAddress }) => {
      const cidrBlock = subnetBlock(primaryAddress[name]);
      const ipv6CidrBlock = ipv6CidrBlocks[cidrBlock];
      return {
        subnetId: subnetId(primaryAddress[name]),
        vpcId: VPC_ID,
        cidrBlock,
        ...(ipv6CidrBlock === undefined ? {} : { ipv6CidrBlock }),
        availabilityZone: zones[name],
        availabilityZoneId: zones[name].replace('us-west-2', 'usw2-az-'),
      };
    }),
  );
  return {
    region: 'us-west-2',
    accountId: '123456789012',
    subnets: [...new Map(subnets.map((each) => [each.subnetId, each])).values()],
    instances: routerNames.map((name) => ({
      instanceId: instanceId[name],
      instanceType: 'm5.24xlarge',
      availabilityZone: zones[name],
      state: 'running',
      instanceStatus: 'ok',
      systemStatus: 'ok',
    })),
    networkInterfaces: routerNames.flatMap((name) =>
      [management, ...ports].map((each) => networkInterface(name, each, moving)),
    ),
    prefixLists: [PREFIX_LIST],
    routeTables: tables.map((table, place) => routeTable(table, place === 0, moving)),
    elasticIps: moving.flatMap(({ target, owner }) => {
      if (target.kind !== 'elasticIp') return [];
      const { allocationId, publicIp, deviceIndex } = target;
      const on = ports.find((each) => each.deviceIndex[owner] === deviceIndex);
      const association = {
        associationId: allocationId.replace('eipalloc-', 'eipassoc-'),
        networkInterfaceId: eniId(owner, deviceIndex),
        privateIp: on?.primaryAddress[owner] ?? '',
      };
      return [{ allocationId, publicIp, tags: {}, association }];
    }),
  };
}

function networkInterface(name: RouterName, each: Port, moving: readonly Moving[]): NetworkInterface {
  const deviceIndex = each.deviceIndex[name];
  const networkInterfaceId = eniId(name, deviceIndex);
  // The device indexes of the targets are those of rtr1, who has them unless rtr2 is preferred.
  const held = moving.flatMap(({ target, owner }) =>
    target.kind === 'secondaryAddress' && owner === name && target.deviceIndex === deviceIndex
      ? [target.address]
      : [],
  );
  return {
    networkInterfaceId,
    subnetId: subnetId(each.primaryAddress[name]),
    macAddress: `02:e7:a1:c5:0${name === 'rtr1' ? 1 : 2}:0${deviceIndex}`,
    primaryIp: each.primaryAddress[name],
    secondaryIps: held.filter((address) => !address.includes(':')),
    ipv6Addresses: held.filter((address) => address.includes(':')),
    sourceDestCheck: false,
    attachment: {
      attachmentId: networkInterfaceId.replace('eni-', 'eni-attach-'),
      instanceId: instanceId[name],
      deviceIndex,
      networkCardIndex: 0,
      status: 'attached',
      deleteOnTermination: deviceIndex === 0,
    },
  };
}

function routeTable(
  { routeTableId, tags }: (typeof tables)[number],
  main: boolean,
  moving: readonly Moving[],
): RouteTable {
  return {
    routeTableId,
    vpcId: VPC_ID,
    tags,
    subnetIds: [],
    main,
    routes: moving.flatMap(({ target, owner }) =>
      target.kind === 'route' && target.routeTableId === routeTableId
        ? [
            {
              destination: target.destination,
              target: { kind: 'networkInterface', id: eniId(owner, target.deviceIndex) } as const,
              origin: 'CreateRoute' as const,
            },
          ]
        : [],
    ),
  };
}
