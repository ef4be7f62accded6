/** The small region that the tests of the EC2 and IMDS emulators share: two routers, one data subnet. */
import { EC2Client } from '@aws-sdk/client-ec2';
import type { EC2ClientConfig } from '@aws-sdk/client-ec2';
import { CredentialRegistry } from '../../lab/ec2-emulator/credentials';
import type { CredentialSet } from '../../lab/ec2-emulator/credentials';
import { startEc2Emulator } from '../../lab/ec2-emulator/emulator';
import type { Ec2Emulator, Ec2EmulatorOptions } from '../../lab/ec2-emulator/emulator';
import type { Ec2Region, Instance, NetworkInterface, Route } from '../../lab/ec2-emulator/model';
import { Ec2World } from '../../lab/ec2-emulator/world';
import type { AnyLab } from '../../lab/topology/topology';
import { PATIENCE_MS } from '../support/eventually';

export const instanceA = 'i-0000000000000000a';
export const instanceB = 'i-0000000000000000b';
export const mgmtA = 'eni-000000000000000a0';
export const mgmtB = 'eni-000000000000000b0';
export const dataA = 'eni-000000000000000a1';
export const dataB = 'eni-000000000000000b1';
export const vip1 = '10.1.1.100';
export const vip2 = '10.1.1.101';
export const vpcId = 'vpc-00000000000000001';
export const dataSubnet = 'subnet-00000000000000001';

const instance = (instanceId: string): Instance => ({
  instanceId,
  instanceType: 'c5.2xlarge',
  availabilityZone: 'eu-central-1a',
  state: 'running',
  instanceStatus: 'ok',
  systemStatus: 'ok',
});

function networkInterface(
  networkInterfaceId: string,
  instanceId: string,
  deviceIndex: number,
  primaryIp: string,
  secondaryIps: readonly string[],
): NetworkInterface {
  return {
    networkInterfaceId,
    subnetId: deviceIndex === 0 ? 'subnet-00000000000000000' : dataSubnet,
    macAddress: `02:00:00:00:0${networkInterfaceId.at(-2)}:0${deviceIndex}`,
    primaryIp,
    secondaryIps,
    addressLimit: 4,
    sourceDestCheck: false,
    attachment: {
      attachmentId: networkInterfaceId.replace('eni-', 'eni-attach-'),
      instanceId,
      deviceIndex,
      networkCardIndex: 0,
      status: 'attached',
      deleteOnTermination: deviceIndex === 0,
    },
  };
}

const subnet = (subnetId: string, cidrBlock: string) => ({
  subnetId,
  vpcId,
  cidrBlock,
  availabilityZone: 'eu-central-1a',
  availabilityZoneId: 'euc1-az2',
});

export const routeTableId = 'rtb-00000000000000001';
export const otherTableId = 'rtb-00000000000000002';
export const prefixListId = 'pl-00000000000000001';
export const elasticIp = 'eipalloc-00000000000000001';
export const ipv6 = '2001:db8:1:1::100';

export const pairModel: Ec2Region = {
  region: 'eu-central-1',
  accountId: '123456789012',
  subnets: [subnet('subnet-00000000000000000', '10.1.0.0/24'), subnet(dataSubnet, '10.1.1.0/24')],
  instances: [instance(instanceA), instance(instanceB)],
  networkInterfaces: [
    networkInterface(mgmtA, instanceA, 0, '10.1.0.10', []),
    networkInterface(dataA, instanceA, 1, '10.1.1.10', [vip1, vip2]),
    networkInterface(mgmtB, instanceB, 0, '10.1.0.20', []),
    networkInterface(dataB, instanceB, 1, '10.1.1.20', []),
  ],
};

const route = (
  kind: Route['destination']['kind'],
  value: string,
  target: Route['target'],
  origin: Route['origin'] = 'CreateRoute',
): Route => ({ destination: { kind, value }, target, origin });

/** The pair with what routers of two zones move: routes of every kind, an Elastic IP, an IPv6 address. */
export const routedModel: Ec2Region = {
  ...pairModel,
  subnets: pairModel.subnets.map((each) =>
    each.subnetId === dataSubnet ? { ...each, ipv6CidrBlock: '2001:db8:1:1::/64' } : each,
  ),
  networkInterfaces: pairModel.networkInterfaces.map((eni) =>
    eni.networkInterfaceId === dataA ? { ...eni, ipv6Addresses: [ipv6] } : eni,
  ),
  prefixLists: [{ prefixListId, family: 'ipv4', maxEntries: 20 }],
  routeTables: [
    {
      routeTableId,
      vpcId,
      tags: { ha: 'north' },
      subnetIds: [dataSubnet],
      main: false,
      routes: [
        route('ipv4', '10.1.0.0/16', { kind: 'local' }, 'CreateRouteTable'),
        route('ipv4', '0.0.0.0/0', { kind: 'gateway', id: 'igw-00000000000000001' }),
        route('ipv6', '::/0', { kind: 'networkInterface', id: dataA }),
        route('ipv4', '10.9.0.0/16', { kind: 'networkInterface', id: dataA }),
        route('prefixList', prefixListId, { kind: 'networkInterface', id: dataA }),
        route(
          'ipv4',
          '10.7.0.0/16',
          { kind: 'gateway', id: 'vgw-00000000000000001' },
          'EnableVgwRoutePropagation',
        ),
      ],
    },
    {
      routeTableId: otherTableId,
      vpcId,
      tags: {},
      subnetIds: [],
      main: true,
      routes: [
        route('ipv4', '10.1.0.0/16', { kind: 'local' }, 'CreateRouteTable'),
        route('ipv4', '10.8.0.0/16', { kind: 'natGateway', id: 'nat-00000000000000001' }),
        route('ipv4', '10.6.0.0/16', { kind: 'transitGateway', id: 'tgw-00000000000000001' }),
      ],
    },
  ],
  elasticIps: [
    {
      allocationId: elasticIp,
      publicIp: '203.0.113.10',
      tags: { Name: 'ha' },
      association: {
        associationId: 'eipassoc-00000000000000001',
        networkInterfaceId: dataA,
        privateIp: vip1,
      },
    },
    { allocationId: 'eipalloc-00000000000000002', publicIp: '203.0.113.20', tags: {}, association: null },
  ],
};

export const credentialSet = (instanceId: string): CredentialSet => ({
  accessKeyId: `ASIAOF${instanceId.slice(-1).toUpperCase()}`,
  secretAccessKey: `secret of ${instanceId}`,
  sessionToken: `token of ${instanceId}`,
  role: 'xr-ha',
  instanceId,
  expiresAt: Date.now() + 3_600_000,
});

export interface Ec2Lab {
  readonly emulator: Ec2Emulator;
  readonly world: Ec2World;
  readonly registry: CredentialRegistry;
  /** A client of router A, unless told otherwise. */
  readonly client: (config?: EC2ClientConfig, instanceId?: string) => EC2Client;
  readonly close: () => Promise<void>;
}

export async function startLab(options: Partial<Ec2EmulatorOptions> = {}): Promise<Ec2Lab> {
  const registry = new CredentialRegistry();
  for (const id of [instanceA, instanceB]) registry.register(credentialSet(id));
  const { world = new Ec2World(pairModel) } = options;
  const emulator = await startEc2Emulator({ credentials: registry, ...options, world });
  const clients: EC2Client[] = [];
  return {
    emulator,
    world,
    registry,
    client: (config = {}, instanceId = instanceA) => {
      const { accessKeyId, secretAccessKey, sessionToken } = credentialSet(instanceId);
      const client = new EC2Client({
        region: 'eu-central-1',
        endpoint: emulator.url,
        credentials: { accessKeyId, secretAccessKey, sessionToken },
        maxAttempts: 1,
        ...config,
      });
      clients.push(client);
      return client;
    },
    close: async () => {
      for (const client of clients) client.destroy();
      await emulator.stop();
    },
  };
}

/** A client as a router of the whole lab has one. */
export const ec2Of = (lab: AnyLab, name: 'rtr1' | 'rtr2'): EC2Client =>
  new EC2Client({
    region: lab.plan.region,
    endpoint: lab.ec2.url,
    credentials: lab.routers[name].imds.rotateCredentials(),
    maxAttempts: 1,
  });

/**
 * What the SDK says of a connection that broke. By the text alone: under jest, errors of Node itself are of
 * another realm, the SDK does not take them for errors, and wraps them without their `code`.
 */
export const connectionLost = /ECONNRESET|socket hang up/;

/** Polls until the condition holds. @throws Error with the condition. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`never happened: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
