import { AWS_ALARMS } from '../../src/aws/alarms';
import { EC2 } from '../../src/aws/description';
import { alarmTable } from '../../src/runtime/alarmTable';
import {
  bounded,
  ENTRIES_MAX,
  historyText,
  parseHistory,
  type Entry,
  type Kept,
} from '../../src/history/entry';
import { History, type Change } from '../../src/history/history';
import { AlarmRegistry } from '../../src/runtime/alarms';
import type { Event } from '../../src/core/state/model';
import type { Step } from '../../src/core/step';
import { planOf, sessionEvent, synchronizedEvent } from '../support/coreWorld';
import { answer, memoryOf, Play, started, type World } from '../core/play';

const WALL = Date.parse('2026-11-30T12:00:00Z');

let ids = 0;

/** A core whose steps are kept; its clock begins at WALL. */
class Told extends Play {
  readonly history: History;
  readonly alarmRegistry: AlarmRegistry;
  readonly changes: (readonly [string, Change])[] = [];
  news = 0;

  constructor({
    kept = null,
    bootId = 'boot',
  }: { readonly kept?: Kept | null; readonly bootId?: string } = {}) {
    super();
    const wallNow = () => WALL + this.now;
    this.alarmRegistry = new AlarmRegistry({ table: alarmTable(EC2, AWS_ALARMS), wallNow, isNamed: false });
    this.history = new History({
      groups: [{ name: 'default', plan: this.plan }],
      router: 'rtr2',
      version: '1.2.3',
      bootId,
      wallNow,
      now: () => this.now,
      newId: () => `id-${(ids += 1)}`,
      kept,
      touch: (isNews) => (this.news += Number(isNews)),
      tell: ({ what }, change) => this.changes.push([what, change]),
    });
    this.alarmRegistry.onChange(() => this.history.alarms(this.alarmRegistry.standing()));
  }

  override take(event: Event): Step {
    const before = this.state;
    const step = super.take(event);
    const batch = [{ now: this.now, group: 'default', event, before, step }];
    this.alarmRegistry.update(batch);
    this.history.update(batch);
    return step;
  }

  get lines(): readonly string[] {
    return this.history.kept().entries.map(lineOf);
  }

  entry(what: string): Entry {
    const found = this.history.kept().entries.findLast((entry) => entry.what === what);
    if (found === undefined) throw new Error(`no ${what} in ${this.lines.join('; ')}`);
    return found;
  }
}

const lineOf = ({ what, outcome, times }: Entry): string =>
  `${what}: ${outcome}${times === 1 ? '' : ` (${times} times)`}`;

function watching(): Told {
  const play = new Told();
  play.at(0, started());
  play.at(100, synchronizedEvent('gen1', 'Up'));
  play.at(200, play.observed('peer'));
  play.now = 1_000;
  return play;
}

const PEER_HOLDS: World = { owners: ['peer', 'peer'], calls: 'ok' };

function takesOver(play: Told, at: number): void {
  play.at(at, sessionEvent('a', 'Down', at), sessionEvent('b', 'Down', at));
  play.live(at + 3_000, { owners: ['mine', 'mine'], calls: 'ok' });
}

test('a takeover is one line: since when, why, for how long, and how it ended', () => {
  const play = watching();
  takesOver(play, 2_000);
  expect(play.lines).toEqual(['start: under way', 'role: STANDBY', 'takeover: done', 'role: ACTIVE']);
  const { began, ended, cause, result, about, figures } = play.entry('takeover');
  expect([began, ended]).toEqual([WALL + 2_000, WALL + 2_000 + (figures['all_moved_ms'] as number)]);
  expect(about).toEqual(['172.31.101.10', '172.31.105.10']);
  expect(cause).toContain('DOWN');
  expect(result).toMatch(/^took over 172\.31\.101\.10 and 172\.31\.105\.10/);
  expect(play.changes.filter(([what]) => what === 'takeover').map(([, change]) => change)).toEqual([
    'began',
    'ended',
  ]);
});

test('a takeover that is dropped says so', () => {
  const play = watching();
  play.at(2_000, sessionEvent('a', 'Down', 2_000));
  play.at(2_002, sessionEvent('a', 'Up', 2_002));
  expect(play.entry('takeover')).toMatchObject({ outcome: 'dropped' });
  expect(play.entry('takeover').result).toContain('nothing had moved');
});

test('a switchover that is done is done', () => {
  const play = new Told();
  play.at(0, started());
  play.at(100, synchronizedEvent('gen1', 'Up'));
  play.at(200, play.observed('mine'));
  play.at(1_000, { type: 'switchoverRequested', request: 1 });
  play.at(1_050, answer('1.1.1'), answer('1.2.1'));
  expect(play.entry('switchover')).toMatchObject({ outcome: 'done', began: WALL + 1_000 });
});

test('an inhibit is a line, and says how it ended', () => {
  const play = watching();
  const inhibit = (request: number, now: number): Event => ({
    type: 'inhibitRequested',
    request,
    forMs: 60_000,
    why: 'cabling',
    wallNow: WALL + now,
  });
  play.at(2_000, inhibit(1, 2_000));
  play.at(5_000, { type: 'releaseRequested', request: 2 });
  play.at(6_000, inhibit(3, 6_000));
  play.live(70_000, PEER_HOLDS);
  const inhibits = play.history.kept().entries.filter(({ kind }) => kind === 'inhibit');
  expect(inhibits.map(lineOf)).toEqual(['inhibit: released', 'inhibit: its time was over']);
  expect(inhibits[0]).toMatchObject({ began: WALL + 2_000, ended: WALL + 5_000 });
  expect(inhibits[0]?.cause).toContain('cabling');
});

test('an alarm is a line from when it was raised to when it is over', () => {
  const play = watching();
  play.at(2_000, { type: 'controlLost', cause: 'NOTIF_TERM' });
  expect(play.entry('control-lost')).toMatchObject({ outcome: 'under way', figures: { severity: 'major' } });
  play.at(9_000, synchronizedEvent('gen1', 'Up'));
  play.live(90_000, PEER_HOLDS);
  expect(play.entry('control-lost')).toMatchObject({ began: WALL + 2_000, outcome: 'over' });
});

test('what comes and goes is one line with a count, and again a line of its own after a while', () => {
  const play = watching();
  for (let i = 0; i < 3; i += 1) {
    play.now += 1_000;
    play.alarmRegistry.heard({ event: 'store-away', reason: 'gone' }, 'Redis is away');
    play.now += 1_000;
    play.alarmRegistry.heard({ event: 'store-back' }, 'Redis is back');
  }
  play.now += 600_001;
  play.alarmRegistry.heard({ event: 'store-away', reason: 'gone' }, 'Redis is away');
  expect(play.lines.slice(2)).toEqual(['store-away: over (3 times)', 'store-away: under way']);
});

test('readiness lost and regained is a line', () => {
  const play = watching();
  play.history.readiness(true, 'ready');
  play.history.readiness(false, 'not ready: the clock is off');
  play.now += 5_000;
  play.history.readiness(true, 'ready');
  expect(play.entry('not-ready')).toMatchObject({
    cause: 'not ready: the clock is off',
    outcome: 'ready again',
    ended: WALL + 6_000,
  });
});

test('damping is a line from when it holds takeovers back until it does not', () => {
  const play = new Told();
  const damping = { penalty: 3_500, at: 0, suppressedUntil: 50_000 };
  play.at(0, started(memoryOf({ damping })));
  play.at(100, synchronizedEvent('gen1', 'Up'));
  expect(play.entry('damping')).toMatchObject({ outcome: 'under way' });
  play.live(60_000, PEER_HOLDS);
  expect(play.entry('damping')).toMatchObject({ outcome: 'over', ended: WALL + 50_000 });
});

describe('sessions', () => {
  test('each DOWN and each return count; what is only not known for a while does not', () => {
    const play = watching();
    play.at(2_000, sessionEvent('a', 'Down', 2_000));
    play.at(3_000, sessionEvent('a', 'Up', 3_000));
    play.at(4_000, { type: 'streamsLost', cause: 'gone' });
    play.at(5_000, synchronizedEvent('gen1', 'Up'));
    play.at(6_000, sessionEvent('a', 'Down', 6_000));
    expect(play.history.kept().sessions).toEqual({ a: { up: 1, down: 2, lastDownAt: WALL + 6_000 } });
  });

  test('one that several groups watch counts once', () => {
    const plan = planOf();
    const groups = [
      { name: 'north', plan },
      { name: 'south', plan },
    ];
    const play = watching();
    const history = new History({
      groups,
      router: 'rtr2',
      version: '1',
      bootId: 'boot',
      wallNow: () => WALL,
      now: () => 0,
      newId: () => 'id',
      kept: null,
      touch: () => {},
      tell: () => {},
    });
    const before = play.state;
    const event = sessionEvent('a', 'Down', 2_000);
    const step = play.take(event);
    for (const { name } of groups) history.update([{ now: 2_000, group: name, event, before, step }]);
    expect(history.kept().sessions).toEqual({ a: { up: 0, down: 1, lastDownAt: WALL } });
  });
});

describe('after a restart', () => {
  function left(): Kept {
    const play = watching();
    play.at(2_000, { type: 'inhibitRequested', request: 1, forMs: 3_600_000, why: 'work', wallNow: WALL });
    play.alarmRegistry.heard({ event: 'store-away', reason: 'gone' }, 'Redis is away');
    play.at(3_000, sessionEvent('a', 'Down', 3_000));
    const text = historyText(play.history.kept());
    const kept = parseHistory(text);
    if (kept === null) throw new Error(text);
    expect(kept).toEqual(play.history.kept());
    return kept;
  }
  const inhibit = { until: 3_602_000, untilWall: WALL + 3_600_000, forMs: 3_600_000, why: 'work' };

  test('what lasts goes on in its line; what does not has ended, nobody knows when', () => {
    const play = new Told({ kept: left() });
    play.now = 10_000;
    play.at(10_000, started(memoryOf({ inhibit })));
    expect(play.lines).toEqual([
      'start: ended',
      'role: STANDBY',
      'inhibit: under way',
      'store-away: unknown',
      'start: under way',
    ]);
    expect(play.history.kept().entries[0]).toMatchObject({
      ended: WALL + 3_000,
      result: 'the daemon ended without a word: it crashed or was killed',
    });
    expect(play.history.kept().sessions['a']).toMatchObject({ down: 1 });
  });

  test('one of the router is told from one of the daemon, and from a stop', () => {
    const kept = left();
    const other = new Told({ kept, bootId: 'another' });
    expect(other.history.kept().entries[0]?.result).toBe('this router was started again');
    other.history.stopped();
    expect(other.entry('start')).toMatchObject({ outcome: 'stopped' });
    const third = new Told({ kept: other.history.kept(), bootId: 'another' });
    expect(third.lines.filter((line) => line.startsWith('start'))).toEqual([
      'start: ended',
      'start: stopped',
      'start: under way',
    ]);
  });
});

describe('the file', () => {
  const entry = (number: number, kind: Entry['kind']): Entry => ({
    id: `${number}`,
    key: `${number}`,
    kind,
    what: kind,
    group: null,
    about: [],
    began: WALL + number,
    ended: null,
    outcome: '',
    cause: '',
    result: '',
    times: 1,
    figures: {},
  });

  test('is bounded; an old takeover outlives newer alarms, until there are many takeovers', () => {
    const few = [entry(0, 'move'), ...Array.from({ length: 600 }, (_, i) => entry(i + 1, 'alarm'))];
    const kept = bounded(few);
    expect(kept).toHaveLength(ENTRIES_MAX);
    expect([kept[0]?.id, kept[1]?.id, kept.at(-1)?.id]).toEqual(['0', '90', '600']);
    const moves = bounded(Array.from({ length: 600 }, (_, i) => entry(i, 'move')));
    expect([moves.length, moves[0]?.id]).toEqual([ENTRIES_MAX, '88']);
  });

  test.each([
    ['', null],
    ['{"history":"another"}\n', null],
    ['\0\0\0', null],
    ['[]\n{}', null],
  ])('%j is none', (text, kept) => {
    expect(parseHistory(text)).toBe(kept);
  });

  test('what cannot be read of it is left out, and a kind that is not known is kept', () => {
    const text = [
      '{"history":"xr-aws-ha","router":7,"sessions":{"a":{"up":-1,"down":0},"b":{"up":1,"down":2}}}',
      'half a li',
      '{"id":"1","kind":"drill","what":"drill","began":"2026-11-30T12:00:00.000Z","about":["a",7],"times":0,"figures":{"x":1,"y":[]}}',
      '{"id":"2","kind":"alarm","what":"x","began":"yesterday"}',
    ].join('\n');
    expect(parseHistory(text)).toMatchObject({
      router: '',
      sessions: { b: { up: 1, down: 2, lastDownAt: null } },
      entries: [{ id: '1', kind: 'drill', about: ['a'], times: 1, ended: null, figures: { x: 1 } }],
    });
  });
});
