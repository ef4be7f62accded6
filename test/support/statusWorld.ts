/** A snapshot of a pair on which all is well, and the endpoint that answers from it. */
import { request } from 'node:http';
import type { Group } from '../../src/config/settings';
import type { Entry } from '../../src/history/entry';
import { AWS_ALARMS } from '../../src/aws/alarms';
import { EC2 } from '../../src/aws/description';
import { alarmTable } from '../../src/runtime/alarmTable';
import type { ReceiverStanding } from '../../src/notify/notifications';
import type { StandingAlarm } from '../../src/runtime/alarms';
import { readinessOf, type Around, type OfGroup } from '../../src/runtime/readiness';
import type { Effect, Timeline } from '../../src/core/state/model';
import { initialState, type State } from '../../src/core/state/state';
import { step } from '../../src/core/step';
import type { Recorded } from '../../src/runtime/loop';
import type { SnapshotSources } from '../../src/status/snapshot';
import type { Snapshot } from '../../src/status/snapshot';
import { planOf } from './coreWorld';
import { AROUND, groupWith, NOW, WALL } from './readyWorld';

export const decided = { type: 'inputDrained', jitter: 0 } as const;

export type StatusWorld = {
  groups: Map<string, OfGroup>;
  around: Around;
  alarms: readonly StandingAlarm[];
  history: readonly Entry[];
  notifications: readonly ReceiverStanding[];
  now: number;
};

export function statusWorld(change: Partial<StatusWorld> = {}): StatusWorld {
  return {
    groups: new Map([['default', groupWith('peer')]]),
    around: AROUND,
    alarms: [],
    history: [],
    notifications: [],
    now: NOW,
    ...change,
  };
}

export function sourcesOf(world: StatusWorld): SnapshotSources {
  const groups: readonly Group[] = [...world.groups].map(([name, { plan }]) => ({ name, plan }));
  return {
    groups,
    router: 'rtr2',
    version: '1.2.3',
    clock: { monotonicMs: () => world.now },
    wallNow: () => WALL + world.now - NOW,
    readiness: () => readinessOf(world.groups, world.around, world.now),
    alarms: () => world.alarms,
    alarmTable: alarmTable(EC2, AWS_ALARMS),
    calls: () => world.around.cloud.calls,
    history: () => world.history,
    notifications: () => world.notifications,
  };
}

/** As the loop publishes it. */
export function publish(snapshot: Snapshot, { groups, now }: StatusWorld): void {
  for (const [group, { plan, state }] of groups)
    snapshot.update([
      { now, group, event: decided, before: state, step: { ...step(plan, state, decided, now), state } },
    ]);
  snapshot.beat();
}

export type Answer = {
  readonly status: number;
  readonly headers: { readonly [name: string]: unknown };
  readonly text: string;
};

/** `at`: the path of a socket, or a port on 127.0.0.1. */
export function ask(
  at: string | number,
  path: string,
  {
    method = 'GET',
    headers = {},
  }: { readonly method?: string; readonly headers?: Record<string, string> } = {},
): Promise<Answer> {
  const place = typeof at === 'string' ? { socketPath: at } : { host: '127.0.0.1', port: at };
  return new Promise((resolve, reject) => {
    const asked = request({ ...place, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    asked.on('error', reject).end();
  });
}

/** A takeover that is done, as the core reports it. */
export const TIMELINE: Timeline = {
  attempt: 7,
  purpose: 'takeover',
  triggeredAt: 1_000,
  lastUp: null,
  decidedAt: 1_004,
  firstSentAt: 1_006,
  lastAnsweredAt: 1_150,
  confirmedAt: null,
  resumed: false,
};

/** A step from one state to another, each an initial one with this change. */
export function recorded(
  before: Partial<State>,
  after: Partial<State>,
  effects: readonly Effect[] = [],
): Recorded {
  const initial = initialState(planOf());
  return {
    now: NOW,
    group: 'default',
    event: decided,
    before: { ...initial, ...before },
    step: { state: { ...initial, ...after }, effects, reason: '', weight: 'routine', alarms: [] },
  };
}
