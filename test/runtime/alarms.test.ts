import { AlarmRegistry, type StandingAlarm } from '../../src/runtime/alarms';
import { AWS_ALARMS } from '../../src/aws/alarms';
import { EC2 } from '../../src/aws/description';
import { alarmTable } from '../../src/runtime/alarmTable';
import { AlarmsView } from '../../src/runtime/alarmsView';
import type { JsonObject } from '../../src/core/state/json';
import type { Recorded } from '../../src/runtime/loop';
import { initialState, type State } from '../../src/core/state/state';
import { planOf } from '../support/coreWorld';

const table = alarmTable(EC2, AWS_ALARMS);
const wall = Date.parse('2026-11-30T12:00:00Z');

function registry(isNamed = false): {
  alarms: AlarmRegistry;
  changes: () => number;
  wait: (ms: number) => void;
} {
  let now = wall;
  let changes = -1;
  const alarms = new AlarmRegistry({ table, wallNow: () => now, isNamed });
  alarms.onChange(() => (changes += 1));
  return { alarms, changes: () => changes, wait: (ms) => (now += ms) };
}

const words = (standing: readonly StandingAlarm[]): readonly string[] =>
  standing.map(({ code, about }) => [code, ...about].join(' '));

function stepped(alarms: State['alarms'], group = 'default', now = 10_000): Recorded {
  const before = initialState(planOf());
  const step = {
    state: { ...before, alarms },
    effects: [],
    alarms: [],
    reason: '',
    weight: 'routine',
  } as const;
  return { now, group, event: { type: 'inputDrained', jitter: 0 }, before, step };
}

describe('of a part', () => {
  test('an alarm stands from its record to the record that ends it, and another one does not end it', () => {
    const { alarms, changes, wait } = registry();
    alarms.heard({ event: 'journal-unwritable', code: 'ENOSPC', cause: 'no space', path: '/a' }, 'It cannot');
    wait(5_000);
    alarms.heard({ event: 'journal-unwritable', code: 'EIO', cause: 'broken', path: '/a' }, 'It cannot');
    alarms.heard({ event: 'journal-unwritable', cause: 'no space', path: '/b' }, 'It cannot');
    alarms.heard({ event: 'memory-writable', path: '/a' }, 'It can');
    expect(words(alarms.standing())).toEqual(['journal-unwritable /a', 'journal-unwritable /b']);
    expect(alarms.standing()[0]).toMatchObject({ since: wall, severity: 'minor', text: 'It cannot: broken' });
    alarms.heard({ event: 'journal-writable', path: '/a' }, 'It can');
    expect(words(alarms.standing())).toEqual(['journal-unwritable /b']);
    expect(changes()).toBe(4);
  });

  test('what concerns nothing ends all of them', () => {
    const { alarms } = registry();
    alarms.heard({ event: 'refusal-foreseen', target: 'a', reason: 'no room' }, 'EC2 would refuse');
    alarms.heard({ event: 'refusal-foreseen', target: 'b', reason: 'no room' }, 'EC2 would refuse');
    alarms.heard({ event: 'refusal-foreseen', target: 'c', reason: 'no room' }, 'EC2 would refuse');
    alarms.heard({ event: 'refusal-not-foreseen', target: 'b', reason: 'room' }, 'Not refused');
    expect(words(alarms.standing())).toEqual(['refusal-foreseen a', 'refusal-foreseen c']);
    expect(alarms.standing()[0]?.text).toBe('no room');
    alarms.heard({ event: 'refusal-not-foreseen', reason: 'room' }, 'Nothing would be refused');
    expect(alarms.standing()).toEqual([]);
  });

  test.each([{}, { event: 'health' }, { event: 7 }, { event: 'constructor' }, { event: 'toString' }])(
    'a record that is none says nothing: %j',
    (record) => {
      const { alarms, changes } = registry();
      alarms.heard(record, 'msg');
      expect([alarms.standing(), changes()]).toEqual([[], 0]);
    },
  );
});

describe('of the cores', () => {
  const alarm = (code: 'unprotected' | 'redundancy-lost', since: number) =>
    ({ code, about: [], text: 'why', since, lastAt: since }) as const;

  test('what stands in the state stands here, since the same moment on the wall', () => {
    const { alarms, changes } = registry();
    alarms.update([stepped({ unprotected: alarm('unprotected', 4_000) })]);
    expect(alarms.standing()).toEqual([
      {
        key: 'default unprotected',
        code: 'unprotected',
        severity: 'critical',
        group: null,
        about: [],
        text: 'why',
        since: wall - 6_000,
      },
    ]);
    alarms.update([stepped({})]);
    expect(alarms.standing()).toEqual([]);
    expect(changes()).toBe(2);
  });

  test('each group has its own, and the worst of all comes first', () => {
    const { alarms } = registry(true);
    alarms.heard({ event: 'store-away', cause: 'ECONNREFUSED' }, 'Redis does not answer');
    alarms.update([
      stepped({ 'redundancy-lost': alarm('redundancy-lost', 1) }, 'north'),
      stepped({ unprotected: alarm('unprotected', 2) }, 'south'),
    ]);
    expect(alarms.standing().map(({ code, group }) => [code, group])).toEqual([
      ['unprotected', 'south'],
      ['redundancy-lost', 'north'],
      ['store-away', null],
    ]);
  });
});

test('show has them with the time in UTC, written when they change and as a sign of life', () => {
  const { alarms } = registry();
  const put: JsonObject[] = [];
  const log = { router: 'rtr1', level: 'info', file: '', syslog: null } as const;
  const settings = { groups: [{ name: 'default', plan: planOf() }], log };
  const view = new AlarmsView({ alarms, settings, put: (value) => void put.push(value) });
  view.update([stepped({})]);
  expect(put).toHaveLength(1);
  alarms.heard({ event: 'store-away', cause: 'ECONNREFUSED' }, 'Redis does not answer');
  expect(put[1]).toEqual({
    router: 'rtr1',
    as_of: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as unknown,
    keepalive_s: 10,
    alarms: [
      {
        code: 'store-away',
        severity: 'minor',
        about: [],
        since: '2026-11-30T12:00:00.000Z',
        text: 'Redis does not answer: ECONNREFUSED',
      },
    ],
  });
  const failure = { kind: 'uncertain', code: 'Timeout', message: '' } as const;
  view.update([{ ...stepped({}), event: { type: 'observationFailed', number: 1, failure } }]);
  expect(put).toHaveLength(3);
});
