/** Router A of the stories: what it is asked to do, in AWS or in OpenStack, and what the cloud shows it. */
import type { Holder, Observation } from '../../src/core/state/readings';
import { EC2, type AwsTarget } from '../../src/aws/description';
import type { Plan, Target } from '../../src/core/state/plan';
import { OPENSTACK, type OpenstackTarget } from '../../src/openstack/description';
import { TIMING, addressTarget, heldOn, slot } from '../support/coreWorld';

const TARGETS = ['10.0.1.100', '10.0.2.100', '10.0.2.101'] as const;
/** Where the configuration has it: on the floating 10.0.2.100. */
const ELASTIC_IP: AwsTarget = {
  ...slot(2),
  rank: 0,
  kind: 'elasticIp',
  id: 'eipalloc-1',
  allocationId: 'eipalloc-1',
  privateAddress: TARGETS[1],
};
const PEERS = ['10.0.1.2', '10.0.2.2', '10.0.3.2'] as const;

/** Its peer is on a subnet without a target. */
export const THIRD_SESSION = {
  id: 'rtrB-c',
  peerAddress: '10.0.3.2',
  interfaceName: 'Te2',
  txIntervalMs: 50,
  detectionTimeMs: 150,
};

/** Without what only its cloud gives a meaning. */
const PLAN: Omit<Plan, 'targets' | 'cloud'> = {
  sessions: [
    { id: 'rtrB-a', peerAddress: PEERS[0], interfaceName: 'Te0', txIntervalMs: 50, detectionTimeMs: 150 },
    { id: 'rtrB-b', peerAddress: PEERS[1], interfaceName: 'Te1', txIntervalMs: 50, detectionTimeMs: 150 },
  ],
  peerAddresses: PEERS,
  trigger: 'any',
  preferred: false,
  foreignHolder: 'refuse',
  onPeerWithdrawn: 'stay',
  handsOver: { beforeMaintenanceMs: null, atShutdown: false },
  timing: TIMING,
};

export type World = {
  readonly plan: Plan;
  /** The fourth target, which is put on another. */
  readonly restsOnAnother: Target;
};

const addresses = [addressTarget(TARGETS[0], 1), addressTarget(TARGETS[1], 2), addressTarget(TARGETS[2], 2)];

export const AWS: World = { plan: { ...PLAN, targets: addresses, cloud: EC2 }, restsOnAnother: ELASTIC_IP };

const fixedAddresses = addresses.map(({ id, deviceIndex, networkCardIndex, rank }): OpenstackTarget => {
  return { kind: 'fixedAddress', id, address: id, deviceIndex, networkCardIndex, rank };
});
/** Under the name that the stories have for it. */
const FLOATING_IP: OpenstackTarget = {
  ...slot(2),
  rank: 0,
  kind: 'floatingIp',
  id: ELASTIC_IP.id,
  floatingIp: '203.0.113.10',
  privateAddress: TARGETS[1],
};

/** The same pair with its targets in OpenStack. */
export const IN_OPENSTACK: World = {
  plan: { ...PLAN, targets: fixedAddresses, cloud: OPENSTACK },
  restsOnAnother: FLOATING_IP,
};

/**
 * Router A or B, on the interface where the target belongs; nobody; C, a third instance; D, an interface that
 * is attached to no instance; S, one that an service of the cloud has; w, the wrong interface of router A; ?, the cloud does not say.
 */
export type Owner = 'A' | 'B' | '-' | 'C' | 'D' | 'S' | 'w' | '?';

function holderOf(owner: Exclude<Owner, '?'>, deviceIndex: number): Holder | null {
  switch (owner) {
    case '-':
      return null;
    case 'D':
      return heldOn(`eni-D${deviceIndex}`, null);
    case 'S':
      return { ...heldOn(`eni-S${deviceIndex}`, null), attachment: { to: 'service', name: 'amazon-elb' } };
    case 'w':
      return heldOn(`eni-A${3 - deviceIndex}`, 'i-A');
    case 'A':
    case 'B':
    case 'C':
      return heldOn(`eni-${owner}${deviceIndex}`, `i-${owner}`, owner === 'A');
  }
}

const UNREAD = { kind: 'uncertain', code: 'Timeout', message: 'no answer' } as const;

export function observationOf(
  targets: readonly Target[],
  owners: readonly Owner[],
  detached: number,
  peerIsKnown: boolean,
): Observation {
  const unread = targets.flatMap(({ id }, index) => (owners[index] === '?' ? [id] : []));
  return {
    instanceId: 'i-A',
    interfaces: [1, 2]
      .filter((deviceIndex) => deviceIndex !== detached)
      .map((deviceIndex) => ({
        networkInterfaceId: `eni-A${deviceIndex}`,
        deviceIndex,
        networkCardIndex: 0,
        subnetId: `subnet-${deviceIndex}`,
        privateIpAddresses: [],
      })),
    ...(unread.length === 0
      ? {}
      : { unread: [{ action: 'DescribeRouteTables', targets: unread, failure: UNREAD }] }),
    holders: Object.fromEntries(
      targets.flatMap(({ id, deviceIndex }, index) => {
        const owner = owners[index] ?? '-';
        return owner === '?' ? [] : [[id, holderOf(owner, deviceIndex)] as const];
      }),
    ),
    peers: Object.fromEntries(
      PEERS.filter(() => peerIsKnown).map((address, index) => [
        address,
        {
          networkInterfaceId: `eni-B${index + 1}`,
          instanceId: 'i-B',
          subnetId: `subnet-${index + 1}`,
          slot: slot(index + 1),
        },
      ]),
    ),
  };
}
