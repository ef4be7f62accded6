/** A pair on which all is well, as this router knows it: STANDBY, or ACTIVE. For tests of readiness and what tells of it. */
import { conditionsNow } from '../../src/aws/conditions';
import type { AwsStanding } from '../../src/aws/standing';
import type { Standing } from '../../src/cloud';
import type { Event } from '../../src/core/state/model';
import { initialState, type State } from '../../src/core/state/state';
import { step } from '../../src/core/step';
import type { Around, OfGroup } from '../../src/runtime/readiness';
import { observationOf, planOf, synchronizedEvent, type Owner } from './coreWorld';

export const NOW = 5_000;
export const WALL = Date.parse('2026-11-30T12:00:00Z');

/** What a daemon knows after its first reading and the router's first words. */
export function groupWith(owner: Owner, plan = planOf()): OfGroup {
  const events: readonly Event[] = [
    { type: 'started', bootId: 'boot', memory: null, wallNow: WALL },
    { type: 'inputDrained', jitter: 0 },
    synchronizedEvent('gen1', 'Up'),
    { type: 'ownershipObserved', number: 1, startedAt: NOW, observation: observationOf(owner) },
    { type: 'inputDrained', jitter: 0 },
  ];
  const state = events.reduce<State>(
    (before, event) => step(plan, before, event, NOW).state,
    initialState(plan),
  );
  return { plan, state };
}

export const STANDING: AwsStanding = {
  credentials: {
    reading: { state: 'ok', lastOkS: 60, failures: 0 },
    expiresAt: new Date(WALL + 3_600_000).toISOString(),
    problem: null,
  },
  permissions: [
    { action: 'ReplaceRoute', on: 'rtb-1', verdict: 'permitted', code: 'DryRunOperation', detail: '' },
  ],
  roomUnknown: null,
  withoutRoom: [],
  sourceDestCheckOn: [],
  slowed: [],
  endpointAddresses: [
    { address: '10.0.0.5', answers: true },
    { address: '10.0.1.5', answers: true },
  ],
  clock: { dateMs: WALL, sentAt: NOW, receivedAt: NOW },
  applicationCheck: { state: 'ok', text: 'asc-1 says: i-1 passed and i-2 passed', ageMs: 0 },
  latestReading: { action: 'DescribeNetworkInterfaces', outcome: 'ok', tookMs: 40, answeredAt: NOW },
  calls: [],
};

export function cloudWith(change: Partial<AwsStanding> = {}): Standing {
  const standing = { ...STANDING, ...change };
  return { ...standing, conditions: conditionsNow(standing, { wallNow: WALL, now: NOW }) };
}

export const AROUND: Around = {
  wallNow: WALL,
  cloud: cloudWith(),
  memory: { state: 'ok', lastOkS: 2, failures: 0 },
  onPersistentMount: true,
  peer: { condition: 'peer', state: 'ok', text: 'rtr1 is STANDBY and ready', ageMs: 0, whatToDo: '' },
};
