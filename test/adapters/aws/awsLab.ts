/**
 * Two routers in an emulated region, as seen by router 1: what the tests of the AWS adapter have in common.
 * Router 2 holds the targets at the start. Everything that is opened is closed by `close`.
 */
import pino from 'pino';
import { CredentialRegistry } from '../../../lab/ec2-emulator/credentials';
import { startEc2Emulator, type Ec2Emulator } from '../../../lab/ec2-emulator/emulator';
import { Ec2World } from '../../../lab/ec2-emulator/world';
import { startImdsEmulator, type ImdsEmulator } from '../../../lab/imds-emulator/emulator';
import { imdsInstance } from '../../../lab/imds-emulator/instance';
import { addressTarget } from '../../support/coreWorld';
import { PATIENCE_MS } from '../../support/eventually';
import { startCredentials } from '../../../src/aws/transport/credentials';
import { openEc2, type Ec2 } from '../../../src/aws/transport/ec2';
import { Pacer, type Limits } from '../../../src/aws/moves/pacer';
import { openMover } from '../../../src/aws/moves/moves';
import type { Mover } from '../../../src/cloud';
import type { Resolve } from '../../../src/transport/endpointAddresses';
import { openImds } from '../../../src/aws/transport/imds';
import { readIdentity, type InstanceIdentity } from '../../../src/aws/reads/instanceIdentity';
import { EC2, type AwsPlan } from '../../../src/aws/description';
import { TIMING } from '../../support/coreWorld';

export const now = (): number => Number(process.hrtime.bigint()) / 1e6;

export const ROUTER_1 = 'i-0000000000000001a';
export const ROUTER_2 = 'i-0000000000000002b';
export const VPC = 'vpc-0a0a0a0a';
/** Device index 0 is for management, 1 and 2 carry a target each. */
const SUBNETS = [0, 1, 2];
export const targetOf = (deviceIndex: number): string => `172.31.${deviceIndex}.100`;
export const eniOf = (router: 1 | 2, deviceIndex: number): string => `eni-0000000${router}${deviceIndex}`;
export const addressOf = (router: 1 | 2, deviceIndex: number): string =>
  `172.31.${deviceIndex}.${10 + router}`;

export const ipv6Of = (router: 1 | 2, deviceIndex: number): string =>
  `2001:db8:0:${deviceIndex + 1}::1${router}`;

export const plan: AwsPlan = {
  targets: [addressTarget(targetOf(1), 1), addressTarget(targetOf(2), 2)],
  sessions: [
    {
      id: 'peer on if1',
      peerAddress: addressOf(2, 1),
      interfaceName: 'TenGigE0/0/0/1',
      txIntervalMs: 50,
      detectionTimeMs: 150,
    },
  ],
  peerAddresses: [addressOf(2, 1)],
  trigger: 'any',
  preferred: false,
  foreignHolder: 'refuse',
  onPeerWithdrawn: 'stay',
  handsOver: { beforeMaintenanceMs: null, atShutdown: false },
  timing: TIMING,
  cloud: EC2,
};

function interfacesOfRouter(router: 1 | 2, instanceId: string) {
  return SUBNETS.map((index) => ({
    networkInterfaceId: eniOf(router, index),
    subnetId: `subnet-0000000${index}`,
    macAddress: `02:00:00:00:0${router}:0${index}`,
    primaryIp: addressOf(router, index),
    secondaryIps: router === 2 && index > 0 ? [targetOf(index)] : [],
    ipv6Addresses: [ipv6Of(router, index)],
    addressLimit: 10,
    sourceDestCheck: false,
    attachment: {
      attachmentId: `eni-attach-0000000${router}${index}`,
      instanceId,
      deviceIndex: index,
      networkCardIndex: 0,
      status: 'attached' as const,
      deleteOnTermination: true,
    },
  }));
}

export function newWorld(): Ec2World {
  return new Ec2World({
    region: 'us-west-2',
    accountId: '123456789012',
    subnets: SUBNETS.map((index) => ({
      subnetId: `subnet-0000000${index}`,
      vpcId: VPC,
      cidrBlock: `172.31.${index}.0/24`,
      ipv6CidrBlock: `2001:db8:0:${index + 1}::/64`,
      availabilityZone: 'us-west-2a',
      availabilityZoneId: 'usw2-az1',
    })),
    instances: [ROUTER_1, ROUTER_2].map((instanceId) => ({
      instanceId,
      instanceType: 'm5.2xlarge',
      availabilityZone: 'us-west-2a',
      state: 'running' as const,
      instanceStatus: 'ok' as const,
      systemStatus: 'ok' as const,
    })),
    networkInterfaces: [...interfacesOfRouter(1, ROUTER_1), ...interfacesOfRouter(2, ROUTER_2)],
  });
}

/** EC2's default limits, as the configuration has them. */
export const limits: Limits = {
  AssignPrivateIpAddresses: { burst: 100, refillPerS: 5 },
  AssignIpv6Addresses: { burst: 100, refillPerS: 5 },
  UnassignIpv6Addresses: { burst: 50, refillPerS: 5 },
  ReplaceRoute: { burst: 50, refillPerS: 5 },
  CreateRoute: { burst: 50, refillPerS: 5 },
  AssociateAddress: { burst: 50, refillPerS: 5 },
};

/** With limits that are not reached, unless a test gives its own. */
export function moverOf(
  ec2: Ec2,
  {
    plan: planned = plan,
    pacer = new Pacer(limits, now),
    tableOf = () => null,
  }: {
    readonly plan?: AwsPlan;
    readonly pacer?: Pacer;
    readonly tableOf?: (id: string) => string | null;
  } = {},
): Mover {
  return openMover({ ec2, plan: planned, pacer, now, tableOf });
}

export type AwsLab = {
  readonly world: Ec2World;
  readonly registry: CredentialRegistry;
  readonly emulator: Ec2Emulator;
  readonly imdsEmulator: ImdsEmulator;
  readonly identity: InstanceIdentity;
  readonly ec2: Ec2;
  /** Every log record so far, parsed. */
  readonly logged: () => readonly Record<string, unknown>[];
  close(): Promise<void>;
};

export function memoryLog(): {
  log: pino.Logger;
  logged: () => Record<string, unknown>[];
  text: () => string;
} {
  let text = '';
  const log = pino({ level: 'debug' }, { write: (line: string) => void (text += line) });
  const logged = () =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log, logged, text: () => text };
}

export async function openImdsLab(world: Ec2World, registry: CredentialRegistry): Promise<ImdsEmulator> {
  return startImdsEmulator({
    instance: (ageMs) => imdsInstance(world, ROUTER_1, ageMs),
    credentials: { role: 'ha-role', lifetimeMs: 6 * 3_600_000, rotateBeforeMs: 300_000 },
    onIssued: (set) => registry.register(set),
  });
}

/** `endpointUrl` is given the port of the emulator. */
export async function openAwsLab({
  endpointUrl = (port: string) => `http://127.0.0.1:${port}`,
  resolve,
  world = newWorld(),
}: {
  readonly endpointUrl?: (port: string) => string;
  readonly world?: Ec2World;
  readonly resolve?: Resolve;
} = {}): Promise<AwsLab> {
  const registry = new CredentialRegistry();
  const emulator = await startEc2Emulator({ world, credentials: registry });
  const imdsEmulator = await openImdsLab(world, registry);
  const { log, logged } = memoryLog();
  const imds = openImds(imdsEmulator.url);
  const reading = await readIdentity(imds);
  if (!reading.ok) throw new Error(reading.problem);
  const credentials = startCredentials({ imds, log });
  await credentials.ready;
  const ec2 = openEc2({
    endpointUrl: endpointUrl(new URL(emulator.url).port),
    region: reading.identity.region,
    credentials,
    log,
    now,
    ...(resolve === undefined ? {} : { resolve }),
  });
  const close = async () => {
    ec2.stop();
    credentials.stop();
    await emulator.stop();
    await imdsEmulator.stop();
  };
  return { world, registry, emulator, imdsEmulator, identity: reading.identity, ec2, logged, close };
}

/** Jest's matchers are typed `any`; these are not. */
export const matching = (form: RegExp): unknown => expect.stringMatching(form);
export const anyNumber: unknown = expect.any(Number);

/** Polls until the condition holds. @throws Error with what was awaited. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = now() + PATIENCE_MS;
  while (!holds()) {
    if (now() > deadline) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
