/**
 * Nimbus, a second cloud of one page: two kinds of targets of its own, a world that the test changes, and an adapter with the
 * shape of the port. Nothing of src knows it, so what it needs beside this page would be a word of one cloud in another room.
 */
import type { Cloud, CloudAlarms, Mover } from '../../src/cloud';
import type { Holder } from '../../src/core/state/readings';
import type { CloudDescription, Plan, Target } from '../../src/core/state/plan';
import { ok } from '../../src/wellness';
import { heldOn, observationOf, planOf } from './coreWorld';

export const NIMBUS: CloudDescription = {
  name: 'Nimbus',
  service: 'a Nimbus service',
  kinds: {
    beacon: { shownAs: 'beacon', movesFromNobodyOnly: false, belongsToSubnet: true, movesTogether: true },
    tether: { shownAs: 'tether', movesFromNobodyOnly: true, belongsToSubnet: false, movesTogether: false },
  },
};

type NimbusTarget = Target & { readonly kind: 'beacon' | 'tether'; readonly anchor: string };

const target = (kind: NimbusTarget['kind'], id: string, deviceIndex: number): NimbusTarget => ({
  kind,
  id,
  anchor: `anchor-${id}`,
  deviceIndex,
  networkCardIndex: 0,
  rank: 0,
});

const TARGETS: readonly NimbusTarget[] = [
  target('beacon', 'north', 1),
  target('beacon', 'south', 1),
  target('tether', 'long', 1),
  target('tether', 'short', 2),
];

export const NIMBUS_PLAN: Plan<NimbusTarget> = { ...planOf(), cloud: NIMBUS, targets: TARGETS };

export const NIMBUS_ALARMS: CloudAlarms = {
  ofCore: {
    'takeover-refused': { cause: 'the wind is wrong', act: 'wait for the wind to turn' },
    'target-lost': { cause: 'somebody has cut the rope', act: 'ask whoever has a knife' },
    'give-back-failed': { cause: 'the peer has flown away', act: 'look where the peer is' },
    'cloud-unobserved': { cause: 'there is fog', act: 'wait for the fog to lift' },
  },
  ofParts: {
    'rope-frayed': {
      severity: 'minor',
      over: ['rope-mended'],
      about: ['rope'],
      means: 'a rope will not hold for long',
      cause: 'rain',
      act: 'splice it',
    },
  },
};

export type Asked = { readonly to: string; readonly targets: readonly string[]; readonly releases: number };

/** All is on the peer at first. */
export function openNimbus(now: () => number): Cloud & { readonly asked: Asked[] } {
  const PEER = heldOn('eni-peer1', 'i-peer');
  const holders = new Map<string, Holder>(TARGETS.map(({ id }) => [id, PEER]));
  const asked: Asked[] = [];
  const mover: Mover = {
    prepare: () => {},
    discard: () => {},
    withdraw: () => {},
    rehearse: () => Promise.resolve(),
    send: ({ networkInterfaceId, targets, releases = [] }) => {
      asked.push({ to: networkInterfaceId, targets, releases: releases.length });
      for (const id of targets) holders.set(id, heldOn(networkInterfaceId, 'i-own', true));
      return Promise.resolve({ failure: null, sentAt: now(), apiRequestId: `gust-${asked.length}` });
    },
  };
  return {
    asked,
    mistakes: Promise.resolve([]),
    instanceId: Promise.resolve('i-own'),
    observe: () =>
      Promise.resolve({
        ok: true,
        startedAt: now(),
        observation: { ...observationOf('none'), holders: Object.fromEntries(holders) },
      }),
    askHolders: (ids) =>
      Promise.resolve({ ok: true, conditions: Object.fromEntries(ids.map((id) => [id, 'running'])) }),
    mover: () => mover,
    clock: () => null,
    health: { nimbus_rope: () => ({ state: 'ok', lastOkS: 0, failures: 0 }) },
    standing: () => ({
      roomUnknown: null,
      withoutRoom: [],
      latestReading: null,
      calls: [],
      conditions: [{ condition: 'nimbus_wind', whatToDo: 'Wait.', ...ok('the wind is right') }],
    }),
    stop: () => {},
  };
}
