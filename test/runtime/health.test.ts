import type { JsonObject } from '../../src/core/state/json';
import type { Event } from '../../src/core/state/model';
import { initialState } from '../../src/core/state/state';
import type { Attempt } from '../../src/core/state/attempt';
import { step } from '../../src/core/step';
import { Health } from '../../src/runtime/health';
import type { Recorded } from '../../src/runtime/loop';
import type { Reading } from '../../src/wellness';
import { observationOf, planOf } from '../support/coreWorld';
import { recordingLogger } from '../support/logRecords';

const OK: Reading = { state: 'ok', lastOkS: 2.5, failures: 0 };
const FAILING: Reading = { state: 'failing', lastOkS: 61, failures: 7 };
const observed: Event = {
  type: 'ownershipObserved',
  number: 1,
  startedAt: 0,
  observation: observationOf('peer'),
};
const unobserved: Event = {
  type: 'observationFailed',
  number: 1,
  failure: { kind: 'uncertain', code: 'Timeout', message: 'no answer' },
};
const decided: Event = { type: 'inputDrained', jitter: 0 };
const INFO = 30;

function world(parts: { [part: string]: Reading | null } = { store: OK }) {
  const plan = planOf();
  const { log, records } = recordingLogger();
  log.level = 'debug';
  const written: JsonObject[] = [];
  const sources = Object.fromEntries(Object.keys(parts).map((part) => [part, () => parts[part] ?? null]));
  const health = new Health({
    groups: [{ name: 'default', plan }],
    sources,
    log,
    put: (value) => written.push(value),
  });
  const batch = (now: number, ...events: readonly Event[]): void => {
    const before = initialState(plan);
    health.update(
      [...events, decided].map((event): Recorded => ({
        now,
        group: 'default',
        event,
        before,
        step: step(plan, before, event, now),
      })),
    );
  };
  return { batch, parts, records, written };
}

test('is written with every keepalive, with the state, the age and the failures of each part', () => {
  const { batch, written } = world({ store: FAILING, decision_memory: OK, absent: null });
  batch(0, observed);
  expect(written).toEqual([
    {
      api_observation: { state: 'ok', last_ok_s: 0, failures: 0 },
      api_writes: { state: 'waiting', last_ok_s: null, failures: 0 },
      store: { state: 'failing', last_ok_s: 61, failures: 7 },
      decision_memory: { state: 'ok', last_ok_s: 2.5, failures: 0 },
      loop: { state: 'ok', last_ok_s: 0, failures: 0 },
    },
  ]);
  batch(1_000);
  expect(written).toHaveLength(1);
  batch(2_000, unobserved);
  batch(3_000, unobserved);
  expect(written.at(-1)).toMatchObject({ api_observation: { state: 'failing', failures: 2 } });
});

test('writes that EC2 refuses show, and a claim that was lost is no failure', () => {
  const plan = planOf();
  const written: JsonObject[] = [];
  const put = (value: JsonObject): void => void written.push(value);
  const health = new Health({
    groups: [{ name: 'default', plan }],
    sources: {},
    log: recordingLogger().log,
    put,
  });
  const answered = (purpose: 'takeover' | 'claim', code: string | null): void => {
    const call = { attempt: 1, call: 1, send: 1, sentAt: 0, apiRequestId: null };
    const failure = code === null ? null : ({ kind: 'refused', code, message: '' } as const);
    const before = { ...initialState(plan), attempt: { purpose } as Attempt };
    const event: Event = { type: 'callAnswered', ...call, failure };
    const result = step(plan, initialState(plan), observed, 0);
    health.update([
      { now: 0, group: 'default', event, before, step: result },
      { now: 0, group: 'default', event: observed, before, step: result },
    ]);
  };
  answered('claim', 'AddressInUse');
  expect(written.at(-1)).toMatchObject({ api_writes: { state: 'waiting' } });
  answered('takeover', 'UnauthorizedOperation');
  expect(written.at(-1)).toMatchObject({ api_writes: { state: 'failing', failures: 1 } });
  answered('takeover', null);
  expect(written.at(-1)).toMatchObject({ api_writes: { state: 'ok', failures: 0 } });
});

test('is written after a keepalive also where EC2 has not answered at all', () => {
  const { batch, written } = world();
  batch(0);
  expect(written).toHaveLength(1);
  expect(written[0]).toMatchObject({ api_observation: { state: 'waiting', last_ok_s: null, failures: 0 } });
  batch(9_999);
  expect(written).toHaveLength(1);
  batch(10_000);
  expect(written).toHaveLength(2);
});

test('the log says at info what has changed, and every ten minutes how things are; else at debug', () => {
  const { batch, parts, records } = world();
  const levels = (): readonly boolean[] => records.splice(0).map(({ level }) => level === INFO);
  batch(0, observed);
  batch(10_000, observed);
  expect(levels()).toEqual([true, false]);
  parts['store'] = FAILING;
  batch(20_000, observed);
  expect(records[0]).toMatchObject({
    event: 'health',
    reason: 'not well: store',
    store: { state: 'failing' },
  });
  batch(30_000, observed);
  parts['store'] = OK;
  batch(40_000, observed);
  expect(records.at(-1)).toMatchObject({ reason: 'no part of the daemon fails' });
  expect(levels()).toEqual([true, false, true]);
  for (let now = 50_000; now <= 640_000; now += 10_000) batch(now, observed);
  expect(levels().flatMap((atInfo, i) => (atInfo ? [i] : []))).toEqual([59]);
});
