/** From the history to receivers: what is told in which words, and how a storm is folded. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Entry } from '../../src/history/entry';
import type { Change } from '../../src/history/history';
import { Folding } from '../../src/notify/folding';
import { kindOf, notificationOf, type Notification } from '../../src/notify/notification';
import { openNotifications } from '../../src/notify/notifications';
import { delivered, failed, type Delivery } from '../../src/notify/receiver';
import { recordingLogger } from '../support/logRecords';
import { VirtualTimer, WALL } from './virtualTimer';

const entryOf = (change: Partial<Entry> = {}): Entry => ({
  id: 'e1',
  key: 'alarm store-away',
  kind: 'alarm',
  what: 'store-away',
  group: null,
  about: [],
  began: WALL,
  ended: null,
  outcome: 'under way',
  cause: 'Redis does not answer',
  result: '',
  times: 1,
  figures: { severity: 'minor' },
  ...change,
});
const ended = { ended: WALL + 5_000, outcome: 'over' };
const told = (entry: Entry, change: Change) =>
  notificationOf(entry, change, { id: '1', at: WALL, router: 'rtr2' });

test.each<readonly [Partial<Entry>, Change, string, string, string]>([
  [{}, 'began', 'alarm.raised', 'minor', 'alarm store-away: Redis does not answer'],
  [{}, 'changed', 'alarm.raised', 'minor', 'alarm store-away: Redis does not answer'],
  [ended, 'ended', 'alarm.cleared', 'info', 'alarm store-away is over after 5.000 s: Redis does not answer'],
  [
    {
      kind: 'role',
      what: 'role',
      ended: WALL,
      outcome: 'ACTIVE',
      cause: 'took over',
      figures: { from: 'STANDBY' },
    },
    'ended',
    'role.changed',
    'warning',
    'now ACTIVE, before STANDBY: took over',
  ],
  [
    { kind: 'move', what: 'takeover', group: 'north', cause: 'the peer is DOWN' },
    'began',
    'move.began',
    'warning',
    'takeover (group north) begins: the peer is DOWN',
  ],
  [
    { kind: 'move', what: 'takeover', ...ended, outcome: 'done', result: 'took over a' },
    'ended',
    'move.ended',
    'warning',
    'takeover done after 5.000 s: took over a',
  ],
  [
    { kind: 'move', what: 'takeover', ...ended, outcome: 'partial', result: 'dropped' },
    'ended',
    'move.ended',
    'major',
    'takeover partial after 5.000 s: dropped',
  ],
  [
    { kind: 'readiness', what: 'not-ready', cause: 'not ready: x' },
    'began',
    'readiness.lost',
    'major',
    'not ready: x',
  ],
  [
    { kind: 'readiness', what: 'not-ready', ...ended },
    'ended',
    'readiness.regained',
    'info',
    'ready again after 5.000 s',
  ],
  [{ kind: 'inhibit', what: 'inhibit', cause: 'work' }, 'began', 'inhibit.began', 'info', 'inhibit: work'],
  [
    { kind: 'damping', what: 'damping', ...ended },
    'ended',
    'damping.ended',
    'info',
    'damping has ended after 5.000 s: over',
  ],
  [{ kind: 'run', what: 'start', cause: 'started' }, 'began', 'run.began', 'info', 'started'],
  [
    { kind: 'run', what: 'start', ...ended, result: 'it crashed' },
    'ended',
    'run.ended',
    'info',
    'the daemon has ended after 5.000 s: it crashed',
  ],
])('%j %s: %s', (change, how, type, severity, text) => {
  expect(told(entryOf(change), how)).toMatchObject({ type, severity, text, id: '1', router: 'rtr2' });
});

describe('a storm', () => {
  function world() {
    const timer = new VirtualTimer();
    const passed: (readonly [string, number])[] = [];
    const folding = new Folding(timer, ({ text, folded }) => passed.push([text, folded]));
    const put = (number: number, change: Partial<Notification> = {}) =>
      folding.put({ ...told(entryOf(), 'began'), text: `no ${number}`, ...change });
    return { timer, passed, folding, put };
  }

  test('of a kind the first few come at once; then one a minute, the last, with the count of the others', async () => {
    const { timer, passed, put } = world();
    for (let i = 1; i <= 150; i += 1) {
      put(i);
      await timer.pass(1_000);
    }
    expect(passed).toEqual([...[1, 2, 3, 4, 5].map((i) => [`no ${i}`, 0]), ['no 60', 54], ['no 120', 59]]);
    await timer.pass(60_000);
    expect(passed.at(-1)).toEqual(['no 150', 29]);
    await timer.pass(60_000);
    put(151);
    expect(passed.at(-1)).toEqual(['no 151', 0]);
    expect(passed).toHaveLength(9);
  });

  test('another kind is not held back by it, and what is held back goes out at the end', () => {
    const { passed, folding, put } = world();
    for (let i = 1; i <= 7; i += 1) put(i);
    const other = told(entryOf({ what: 'memory-unwritable' }), 'began');
    folding.put(other);
    expect(passed.at(-1)?.[0]).toBe(other.text);
    folding.flush();
    expect(passed.at(-1)).toEqual(['no 7', 1]);
  });

  test('takeovers of several targets are of one kind, alarms about several things are not', () => {
    const kind = (change: Partial<Entry>) => kindOf(told(entryOf(change), 'began'));
    const move = { kind: 'move', what: 'takeover' } as const;
    expect(kind({ ...move, about: ['a'] })).toBe(kind({ ...move, about: ['b'] }));
    expect(kind({ about: ['a'] })).not.toBe(kind({ about: ['b'] }));
  });
});

describe('all together', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'notify-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const receivers = ['one', 'two'].map((name) => ({
    name,
    type: 'webhook' as const,
    url: `https://${name}`,
    keyFile: null,
    caFile: null,
  }));

  function opened(answers: { [name: string]: Delivery }) {
    const timer = new VirtualTimer();
    const received: { [name: string]: string[] } = { one: [], two: [] };
    const { log } = recordingLogger();
    const notifications = openNotifications({
      receivers,
      router: 'rtr2',
      stateDir: folder,
      log,
      timer,
      open: ({ name }) => ({
        deliver: ({ text }) => {
          const answer = answers[name] ?? delivered('ok');
          if (answer.ok) received[name]?.push(text);
          return Promise.resolve(answer);
        },
        close: () => {},
      }),
    });
    return { notifications, received, timer };
  }

  const alarm = (number: number) => entryOf({ what: `alarm${number}`, cause: 'x' });

  test('one receiver that is away keeps nothing from the others, and gets it from the next run', async () => {
    const first = opened({ two: failed('HTTP 503') });
    for (let i = 1; i <= 4; i += 1) first.notifications.tell(alarm(i), 'began');
    await first.timer.pass(10_000);
    expect(first.received['one']).toHaveLength(4);
    expect(first.notifications.standing()).toMatchObject([
      { receiver: 'one', pending: 0, delivered: 4, failed: 0, dropped: 0 },
      { receiver: 'two', pending: 4, delivered: 0, dropped: 0 },
    ]);
    await first.notifications.close();
    const second = opened({});
    await second.timer.pass(0);
    expect(second.received).toEqual({ one: [], two: [1, 2, 3, 4].map((i) => `alarm alarm${i}: x`) });
    await second.notifications.close();
    const third = opened({});
    await third.timer.pass(0);
    expect(third.received).toEqual({ one: [], two: [] });
    await third.notifications.close();
  });

  test('a takeover has the processor to itself, at most three seconds', async () => {
    const { notifications, received, timer } = opened({});
    const takeover = entryOf({ id: 'm', kind: 'move', what: 'takeover', cause: 'DOWN' });
    notifications.tell(takeover, 'began');
    await timer.pass(2_900);
    expect(received['one']).toEqual([]);
    await timer.pass(200);
    expect(received['one']).toEqual(['takeover begins: DOWN']);
    const short = { ...takeover, id: 'n' };
    notifications.tell(short, 'began');
    await timer.pass(150);
    notifications.tell({ ...short, ...ended, outcome: 'done', result: 'took over' }, 'ended');
    await timer.pass(200);
    expect(received['one']).toHaveLength(3);
    await notifications.close();
  });
});
