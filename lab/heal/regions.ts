/**
 * The examples of config/heal as regions that are whole: what each file names, the instances that have it, and their groups
 * with the two lifecycle hooks. The lab shares no code with the product: it reads the files as an operator does.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GroupSpec, LifecycleHook } from '../autoscaling-emulator/model';
import type { Ec2Region, Instance, NetworkInterface, Route, Subnet } from '../ec2-emulator/model';

export type ExampleName = 'pair' | 'nat' | 'network-function';

export interface HealRegion {
  readonly region: Ec2Region;
  readonly groups: readonly GroupSpec[];
}

export const VPC = 'vpc-0a15e9d47c3f86000';
export const ZONE = 'us-west-2a';
export const OTHER_ZONE = 'us-west-2b';
export const TOPIC = 'arn:aws:sns:us-west-2:123456789012:healing';

/** The content of the file. */
export function exampleFile(name: ExampleName): { readonly heal: Readonly<Record<string, unknown>> } {
  const path = join(__dirname, '..', '..', 'config', 'heal', `${name}.json`);
  return JSON.parse(readFileSync(path, 'utf8')) as { heal: Record<string, unknown> };
}

export const exampleRegion: Readonly<Record<ExampleName, () => HealRegion>> = {
  pair: pairRegion,
  nat: natRegion,
  'network-function': functionRegion,
};

export const launchHook: LifecycleHook = {
  name: 'heal-launch',
  transition: 'autoscaling:EC2_INSTANCE_LAUNCHING',
  heartbeatTimeoutS: 300,
  defaultResult: 'ABANDON',
};

export const terminateHook: LifecycleHook = {
  name: 'heal-terminate',
  transition: 'autoscaling:EC2_INSTANCE_TERMINATING',
  heartbeatTimeoutS: 300,
  defaultResult: 'CONTINUE',
};

// ---- Parts ----

export const subnet = (digit: string, cidrBlock: string, availabilityZone = ZONE, vpcId = VPC): Subnet => ({
  subnetId: `subnet-0a15e9d47c3f860${digit}`,
  vpcId,
  cidrBlock,
  availabilityZone,
  availabilityZoneId: availabilityZone === ZONE ? 'usw2-az1' : 'usw2-az2',
});

export const instance = (instanceId: string, groupName?: string): Instance => ({
  instanceId,
  instanceType: 'c5.2xlarge',
  availabilityZone: ZONE,
  state: 'running',
  instanceStatus: 'ok',
  systemStatus: 'ok',
  ...(groupName === undefined ? {} : { tags: { 'aws:autoscaling:groupName': groupName } }),
});

export function networkInterface(
  networkInterfaceId: string,
  part: Pick<NetworkInterface, 'subnetId' | 'primaryIp'> & Partial<NetworkInterface>,
  on: { readonly instanceId: string; readonly deviceIndex: number } | null,
): NetworkInterface {
  const digits = networkInterfaceId.slice(4);
  return {
    networkInterfaceId,
    macAddress: `02:${digits.slice(-10).replace(/..(?!$)/g, '$&:')}`,
    secondaryIps: [],
    sourceDestCheck: false,
    attachment:
      on === null
        ? null
        : {
            ...on,
            attachmentId: `eni-attach-${digits}`,
            networkCardIndex: 0,
            status: 'attached',
            deleteOnTermination: on.deviceIndex === 0,
          },
    ...part,
  };
}

const group = (name: string, subnetId: string, instanceId: string): GroupSpec => ({
  name,
  subnetIds: [subnetId],
  launch: { instanceType: 'c5.2xlarge', sourceDestCheck: true, tags: { Name: name } },
  hooks: [launchHook, terminateHook],
  instanceIds: [instanceId],
});

const route = (value: string, target: Route['target'], origin: Route['origin']): Route => ({
  destination: { kind: 'ipv4', value },
  target,
  origin,
});

// ---- The examples ----

export const nat = {
  instanceId: 'i-0a15e9d47c3f86fa1',
  interfaceId: 'eni-0a15e9d47c3f86fa1',
  tables: ['rtb-0a1b2c3d4e5f60718', 'rtb-0a1b2c3d4e5f60719'],
  allocationId: 'eipalloc-0a1b2c3d4e5f60718',
} as const;

function natRegion(): HealRegion {
  const { instanceId, interfaceId, tables, allocationId } = nat;
  const outside = subnet('0', '10.0.0.0/24');
  const primaryIp = '10.0.0.10';
  return {
    region: {
      region: 'us-west-2',
      accountId: '123456789012',
      subnets: [outside],
      instances: [instance(instanceId, 'nat')],
      networkInterfaces: [
        networkInterface(
          interfaceId,
          { subnetId: outside.subnetId, primaryIp },
          { instanceId, deviceIndex: 0 },
        ),
      ],
      routeTables: tables.map((routeTableId, place) => ({
        routeTableId,
        vpcId: VPC,
        tags: { nat: place === 0 ? 'private-a' : 'private-b' },
        subnetIds: [],
        main: place === 0,
        routes: [
          route('10.0.0.0/16', { kind: 'local' }, 'CreateRouteTable'),
          route('0.0.0.0/0', { kind: 'networkInterface', id: interfaceId }, 'CreateRoute'),
        ],
      })),
      elasticIps: [elasticIp(allocationId, { networkInterfaceId: interfaceId, privateIp: primaryIp })],
    },
    groups: [group('nat', outside.subnetId, instanceId)],
  };
}

const elasticIp = (
  allocationId: string,
  association: { readonly networkInterfaceId: string; readonly privateIp: string },
) => ({
  allocationId,
  publicIp: '198.51.100.10',
  tags: {},
  association: { ...association, associationId: allocationId.replace('eipalloc', 'eipassoc') },
});

export const firewall = {
  instanceId: 'i-0a15e9d47c3f86fb1',
  primaryInterfaceId: 'eni-0a15e9d47c3f86fb0',
  interfaceId: 'eni-0a15e9d47c3f86fb1',
  address: '10.0.2.20',
  volumeId: 'vol-0a1b2c3d4e5f60718',
  allocationId: 'eipalloc-0a1b2c3d4e5f60718',
} as const;

function functionRegion(): HealRegion {
  const { instanceId, primaryInterfaceId, interfaceId, address, volumeId, allocationId } = firewall;
  const management = subnet('1', '10.0.1.0/24');
  const data = subnet('2', '10.0.2.0/24');
  const primaryIp = '10.0.2.10';
  return {
    region: {
      region: 'us-west-2',
      accountId: '123456789012',
      subnets: [management, data],
      instances: [instance(instanceId, 'fw1')],
      networkInterfaces: [
        networkInterface(
          primaryInterfaceId,
          { subnetId: management.subnetId, primaryIp: '10.0.1.10' },
          { instanceId, deviceIndex: 0 },
        ),
        networkInterface(
          interfaceId,
          { subnetId: data.subnetId, primaryIp, secondaryIps: [address], tags: { identity: 'fw1' } },
          { instanceId, deviceIndex: 1 },
        ),
      ],
      volumes: [
        {
          volumeId,
          availabilityZone: ZONE,
          sizeGib: 20,
          tags: {},
          attachment: { instanceId, device: '/dev/sdf', status: 'attached', deleteOnTermination: false },
        },
      ],
      elasticIps: [elasticIp(allocationId, { networkInterfaceId: interfaceId, privateIp: primaryIp })],
    },
    groups: [group('fw1', management.subnetId, instanceId)],
  };
}

export const pair = {
  instanceId: { rtr1: 'i-0a15e9d47c3f86fc1', rtr2: 'i-0a15e9d47c3f86fc2' },
  /** By device index: 1 and 2. */
  interfaceIds: {
    rtr1: ['eni-0a15e9d47c3f86001', 'eni-0a15e9d47c3f86002'],
    rtr2: ['eni-0a15e9d47c3f86003', 'eni-0a15e9d47c3f86004'],
  },
  floating: ['172.31.101.10', '172.31.105.10'],
} as const;

/** rtr1 is ACTIVE. */
function pairRegion(): HealRegion {
  const management = subnet('0', '172.31.100.0/24');
  const data = [subnet('1', '172.31.101.0/24'), subnet('5', '172.31.105.0/24')];
  const names = ['rtr1', 'rtr2'] as const;
  const host = { rtr1: 11, rtr2: 12 };
  const on = (name: 'rtr1' | 'rtr2', deviceIndex: number) => ({
    instanceId: pair.instanceId[name],
    deviceIndex,
  });
  return {
    region: {
      region: 'us-west-2',
      accountId: '123456789012',
      subnets: [management, ...data],
      instances: names.map((name) => instance(pair.instanceId[name], name)),
      networkInterfaces: names.flatMap((name) => [
        networkInterface(
          `eni-0a15e9d47c3f86f${host[name]}`,
          { subnetId: management.subnetId, primaryIp: `172.31.100.${host[name]}` },
          on(name, 0),
        ),
        ...data.map(({ subnetId, cidrBlock }, place) =>
          networkInterface(
            pair.interfaceIds[name][place] ?? '',
            {
              subnetId,
              primaryIp: cidrBlock.replace('0/24', String(host[name])),
              secondaryIps: name === 'rtr1' ? [pair.floating[place] ?? ''] : [],
            },
            on(name, place + 1),
          ),
        ),
      ]),
    },
    groups: names.map((name) => group(name, management.subnetId, pair.instanceId[name])),
  };
}
