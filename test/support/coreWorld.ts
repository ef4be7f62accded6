/** A small world for tests of the core and the loop: two targets, two sessions, a peer router. */
import type { Event, InterfaceGeneration, SessionLevel } from '../../src/core/state/model';
import type { Attachment, Holder, InterfaceHolder, Observation } from '../../src/core/state/readings';
import { EC2, type AwsPlan, type AwsTarget } from '../../src/aws/description';
import type { Slot, Timing } from '../../src/core/state/plan';

/** The delivered defaults. */
export const TIMING: Timing = {
  keepaliveIntervalMs: 10_000,
  roleTtlMs: 30_000,
  stalenessMs: 10_000,
  reestablishAfterInterfaceMs: 5_000,
  reestablishMs: 10_000,
  settleMs: 20,
  hedgeMs: 700,
  hedgeLeastMs: 200,
  armedTtlMs: 600_000,
  partialHoldMs: 25_000,
  evidenceHoldMs: 30_000,
  takeFromRunningAfterMs: null,
  dampingHalfLifeMs: 60_000,
  preemptDelayMs: 60_000,
  ownStallHoldMs: 3_000,
};

export const TARGETS = ['172.31.101.10', '172.31.105.10'] as const;

export const slot = (deviceIndex: number): Slot => ({ deviceIndex, networkCardIndex: 0 });

/** A floating address as most configurations have them. */
export const addressTarget = (address: string, deviceIndex: number, rank = 0): AwsTarget => ({
  kind: 'privateAddress',
  id: address,
  address,
  deviceIndex,
  networkCardIndex: 0,
  rank,
});

export const routeTarget = (destination: string, deviceIndex = 1, rank = 0): AwsTarget => ({
  ...slot(deviceIndex),
  kind: 'route',
  id: `${destination} in rtb-1`,
  rank,
  routeTable: { id: 'rtb-1' },
  destination: { kind: 'ipv4', value: destination },
});

/** Sessions `a` (Te1, subnet-101, device index 1) and `b` (Te2, subnet-105, device index 2). */
export function planOf(change: Partial<AwsPlan> = {}): AwsPlan {
  const sessions = change.sessions ?? [
    { id: 'a', peerAddress: '172.31.101.20', interfaceName: 'Te1', txIntervalMs: 50, detectionTimeMs: 150 },
    { id: 'b', peerAddress: '172.31.105.20', interfaceName: 'Te2', txIntervalMs: 50, detectionTimeMs: 150 },
  ];
  return {
    targets: [addressTarget(TARGETS[0], 1), addressTarget(TARGETS[1], 2)],
    sessions,
    peerAddresses: sessions.map(({ peerAddress }) => peerAddress),
    trigger: 'any',
    preferred: false,
    foreignHolder: 'refuse',
    onPeerWithdrawn: 'stay',
    handsOver: { beforeMaintenanceMs: null, atShutdown: false },
    timing: TIMING,
    cloud: EC2,
    ...change,
  };
}

/** `instanceId`: null for an interface that is attached to nothing. */
export function heldOn(networkInterfaceId: string, instanceId: string | null, mine = false): InterfaceHolder {
  const attachment: Attachment = instanceId === null ? { to: 'nothing' } : { to: 'instance', instanceId };
  return { kind: 'interface', networkInterfaceId, attachment, mine };
}

const MINE: readonly Holder[] = [heldOn('eni-own1', 'i-own', true), heldOn('eni-own2', 'i-own', true)];
const PEERS: readonly Holder[] = [heldOn('eni-peer1', 'i-peer'), heldOn('eni-peer2', 'i-peer')];

/**
 * `third`: an instance that is neither router. `service`: an interface that an AWS service has. `detached`: one that is
 * attached to nothing. `misplaced`: another interface of this router than the one the target belongs on.
 */
export type Owner = 'mine' | 'peer' | 'none' | 'third' | 'service' | 'detached' | 'misplaced';

function holderOf(owner: Owner, index: number): Holder | null {
  switch (owner) {
    case 'mine':
      return MINE[index] ?? null;
    case 'peer':
      return PEERS[index] ?? null;
    case 'none':
      return null;
    case 'third':
      return heldOn(`eni-third${index + 1}`, 'i-third');
    case 'service':
      return {
        ...heldOn(`eni-service${index + 1}`, null),
        attachment: { to: 'service', name: 'amazon-elb' },
      };
    case 'detached':
      return heldOn(`eni-peer${index + 1}`, null);
    case 'misplaced':
      return heldOn(`eni-own${2 - index}`, 'i-own');
  }
}

/** Who holds the first and the second target. */
export function observationOf(first: Owner, second: Owner = first): Observation {
  return {
    instanceId: 'i-own',
    interfaces: [
      {
        networkInterfaceId: 'eni-own1',
        deviceIndex: 1,
        networkCardIndex: 0,
        subnetId: 'subnet-101',
        privateIpAddresses: [],
      },
      {
        networkInterfaceId: 'eni-own2',
        deviceIndex: 2,
        networkCardIndex: 0,
        subnetId: 'subnet-105',
        privateIpAddresses: [],
      },
    ],
    holders: { [TARGETS[0]]: holderOf(first, 0), [TARGETS[1]]: holderOf(second, 1) },
    peers: {
      '172.31.101.20': {
        networkInterfaceId: 'eni-peer1',
        instanceId: 'i-peer',
        subnetId: 'subnet-101',
        slot: slot(1),
      },
      '172.31.105.20': {
        networkInterfaceId: 'eni-peer2',
        instanceId: 'i-peer',
        subnetId: 'subnet-105',
        slot: slot(2),
      },
    },
  };
}

export function synchronizedEvent(
  generation: InterfaceGeneration,
  level: SessionLevel,
  survived = true,
): Extract<Event, { type: 'streamsSynchronized' }> {
  return {
    type: 'streamsSynchronized',
    generation,
    answersAboutInterfaces: generation === 'gen1',
    sessions: ['a', 'b'].map((session) => ({ session, level, survived, refused: false, notification: null })),
    interfaces: ['Te1', 'Te2'].map((interfaceName) => ({ interfaceName, level: 'Up' })),
  };
}

export function sessionEvent(session: string, level: SessionLevel, receivedAt = 0): Event {
  return { type: 'bfdSessionChanged', session, level, diag: 'NoDiagnostic', receivedAt, notification: {} };
}
