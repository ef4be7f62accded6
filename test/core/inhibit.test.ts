import { recalledInhibit } from '../../src/core/rules/inhibit';
import type { Event, Inhibit } from '../../src/core/state/model';
import { planOf, sessionEvent } from '../support/coreWorld';
import {
  Play,
  answer,
  asked,
  memoryOf,
  sends,
  started,
  synchronizedWith,
  watching,
  type World,
} from './play';

const WALL = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;

const inhibited = (forMs: number, request = 1): Event => ({
  type: 'inhibitRequested',
  ...{ request, forMs, why: 'line card swap', wallNow: WALL },
});
const down = [sessionEvent('a', 'Down'), sessionEvent('b', 'Down')] as const;
const unconfigured = [sessionEvent('a', 'Unconfigured'), sessionEvent('b', 'Unconfigured')] as const;

describe('inhibit (rule 12)', () => {
  test.each<[string, World['owners'], readonly Event[]]>([
    ['takeover', ['peer', 'peer'], down],
    ['evidence', ['peer', 'peer'], unconfigured],
    ['repair', ['mine', 'peer'], []],
    ['claim', ['none', 'none'], []],
    ['preemption', ['peer', 'peer'], []],
  ])(
    'blocks every kind of beginning (%s); reads continue; it begins when released',
    (purpose, owners, events) => {
      const play = watching('peer', 'gen2', planOf({ preferred: true }));
      play.at(1_000, inhibited(30 * MINUTE), ...events);
      play.live(120_000, { owners, conditions: { 'i-peer': 'stopped' } });
      expect(asked(play)).toEqual([]);
      expect(play.all('observeOwnership').length).toBe(12);
      play.at(120_000, { type: 'releaseRequested', request: 2 });
      expect(play.state.attempt?.purpose).toBe(purpose);
    },
  );

  test('blocks a switchover', () => {
    const play = watching('mine');
    play.at(1_000, inhibited(MINUTE), { type: 'switchoverRequested', request: 2 });
    expect(play.all('answerOperator').at(-1)).toMatchObject({ request: 2, accepted: false });
  });

  test('a forgotten one that costs an outage alarms, once each time', () => {
    const play = watching('peer', 'gen2');
    play.at(1_000, inhibited(30 * MINUTE));
    expect(play.alarms).toEqual([]);
    play.at(2_000, ...down);
    play.live(60_000, { owners: ['peer', 'peer'] });
    expect(play.alarms.filter((code) => code === 'takeover-blocked').length).toBe(1);
  });

  test('a move that has begun finishes', () => {
    const play = watching('peer', 'gen2');
    play.at(1_000, ...down);
    play.at(1_010, inhibited(MINUTE));
    play.forget();
    play.at(1_100, answer('1.1.1'), answer('1.2.1', 'throttled'));
    play.until(1_300);
    expect(sends(play)).toEqual(['1.2.2']);
    play.at(1_400, answer('1.2.2'));
    expect(play.state.role.haState).toBe('ACTIVE');
  });

  test('one that has moved nothing yet does not', () => {
    const play = watching('peer', 'gen2');
    play.at(1_000, ...down);
    play.at(1_100, inhibited(MINUTE), answer('1.1.1', 'throttled'), answer('1.2.1', 'throttled'));
    expect(play.state.attempt).toBeNull();
  });

  test('what is given back is not held back: it is the second half of a takeover', () => {
    const play = watching('peer', 'gen2');
    play.at(1_000, ...down);
    play.at(1_100, answer('1.1.1'), answer('1.2.1'), inhibited(MINUTE));
    const intf = (interfaceName: string): Event => ({
      type: 'interfaceChanged',
      ...{ interfaceName, level: 'Down', receivedAt: 1_200, notification: {} },
    });
    play.at(1_200, intf('Te1'), intf('Te2'));
    expect(play.state.attempt?.purpose).toBe('giveBack');
  });

  test('ends by itself, to the millisecond', () => {
    const play = watching('peer', 'gen2');
    play.at(1_000, inhibited(MINUTE), ...down);
    play.until(60_999);
    expect(play.state.attempt).toBeNull();
    play.until(61_000);
    expect(play.state.attempt?.purpose).toBe('takeover');
  });

  test('a second one replaces the first', () => {
    const play = watching('peer');
    play.at(1_000, inhibited(30 * MINUTE));
    play.at(2_000, inhibited(MINUTE, 2));
    expect(play.state.inhibit?.until).toBe(62_000);
    expect(play.all('answerOperator').map(({ request, accepted }) => [request, accepted])).toEqual([
      [1, true],
      [2, true],
    ]);
  });

  test('the answer says until when, in UTC, and why', () => {
    const play = watching('peer');
    play.at(1_000, inhibited(30 * MINUTE));
    expect(play.all('answerOperator')[0]?.sentence).toBe(
      'inhibited by an operator until 2026-01-01T00:30:00Z (line card swap): nothing is moved until then',
    );
  });

  test('to release what is not inhibited is answered too', () => {
    const play = watching('peer');
    play.at(1_000, { type: 'releaseRequested', request: 7 });
    expect(play.all('answerOperator')).toMatchObject([{ request: 7, accepted: true }]);
  });
});

test('targets that the peer hands over while this router is inhibited: an alarm, and another look until all are here', () => {
  const play = watching('peer', 'gen2');
  play.at(1_000, inhibited(30 * MINUTE));
  play.live(10_300, { owners: ['mine', 'peer'] });
  expect(play.alarms).toEqual(['arrived-while-inhibited']);
  play.live(11_400, { owners: ['mine', 'mine'] });
  expect(play.state.role.haState).toBe('ACTIVE');
  expect(play.alarms).not.toContain('takeover-blocked');
});

test('what the peer hands over in part is looked for again soon where nothing is inhibited, too', () => {
  const play = watching('peer', 'gen2');
  play.live(10_300, { owners: ['mine', 'peer'] });
  expect(play.state.role).toMatchObject({ haState: 'UNKNOWN', why: 'partial' });
  play.live(11_400, { owners: ['mine', 'mine'] });
  expect(play.state.role.haState).toBe('ACTIVE');
  expect(play.alarms).toEqual([]);
});

describe('an inhibited router whose peer goes DOWN (rule 12)', () => {
  const downAt = (at: number) => [sessionEvent('a', 'Down', at), sessionEvent('b', 'Down', at)];
  const blocked = (play: Play): number => play.alarms.filter((code) => code === 'takeover-blocked').length;

  test('right after it has handed the targets over: EC2 is read before anything is said, and nothing is', () => {
    const play = watching('peer', 'gen2');
    play.at(1_000, inhibited(30 * MINUTE));
    play.at(2_000, ...downAt(2_000));
    expect(play.all('observeOwnership').length).toBe(1);
    expect(blocked(play)).toBe(0);
    play.live(60_000, { owners: ['mine', 'mine'] });
    expect(play.state.role.haState).toBe('ACTIVE');
    expect(blocked(play)).toBe(0);
  });

  test('a reading that began before it does not tell', () => {
    const play = watching('peer', 'gen2');
    play.at(1_000, inhibited(30 * MINUTE));
    play.at(10_200);
    expect(play.state.observing.inFlight).not.toBeNull();
    play.at(10_210, ...downAt(10_210));
    play.at(10_250, play.observed('peer', 'peer', 10_200));
    expect(blocked(play)).toBe(0);
    expect(play.state.observing.lastStartedAt).toBe(10_250);
    play.at(10_300, play.observed('peer'));
    expect(blocked(play)).toBe(1);
  });

  test('EC2 that cannot be read keeps the alarm back for 5 s, and is asked each second', () => {
    const play = watching('peer', 'gen2');
    play.at(1_000, inhibited(30 * MINUTE));
    play.at(2_000, ...downAt(2_000));
    const failure = { kind: 'uncertain', code: 'Timeout', message: 'no answer' } as const;
    for (let at = 2_000; at < 6_900; at += 100) {
      play.until(at);
      const { inFlight } = play.state.observing;
      if (inFlight !== null) play.at(at, { type: 'observationFailed', number: inFlight, failure });
    }
    play.until(6_999);
    expect(blocked(play)).toBe(0);
    expect(play.all('observeOwnership').length).toBeLessThan(7);
    play.until(7_000);
    expect(blocked(play)).toBe(1);
    play.until(30_000);
    expect(blocked(play)).toBe(1);
  });

  test('what EC2 has not said of its targets this time does not tell either', () => {
    const play = watching('peer', 'gen2');
    play.at(1_000, inhibited(30 * MINUTE));
    play.at(2_000, ...downAt(2_000));
    const event = play.observed('peer');
    if (event.type !== 'ownershipObserved') throw new Error('not an observation');
    const { '172.31.105.10': _unread, ...holders } = event.observation.holders;
    play.at(2_050, { ...event, observation: { ...event.observation, holders } });
    expect(blocked(play)).toBe(0);
    play.until(7_000);
    expect(blocked(play)).toBe(1);
  });
});

describe('an inhibit is remembered (rules 12 and 17)', () => {
  const stored: Inhibit = { until: 100_000, untilWall: WALL + 100_000, forMs: 90_000, why: 'upgrade' };

  test('before levels and ownership are known', () => {
    const play = new Play();
    play.at(0, started());
    play.at(10, inhibited(MINUTE));
    expect(play.all('remember').map(({ memory }) => memory.inhibit?.until)).toEqual([60_010]);
    play.at(20, { type: 'releaseRequested', request: 2 });
    expect(play.all('remember').at(-1)?.memory.inhibit).toBeNull();
  });

  test('and what an earlier life knew of levels is not lost by that', () => {
    const intent = { startedAt: 49_000, targets: ['172.31.101.10'] };
    const memory = memoryOf({ savedAt: 49_500, armedSessions: ['a'], wasActive: true, intent });
    const play = new Play();
    play.at(50_000, started(memory));
    play.at(50_010, inhibited(MINUTE));
    expect(play.all('remember').at(-1)?.memory).toMatchObject({
      ...memory,
      inhibit: { why: 'line card swap' },
    });
  });

  test.each([
    [
      'same boot: the monotonic clock counts, wherever the wall clock was stepped',
      'boot',
      WALL - 3_600_000,
      100_000,
    ],
    ['same boot, wall clock stepped ahead', 'boot', WALL + 3_600_000, 100_000],
    ['another boot: the wall clock counts', 'another', WALL + 40_000, 80_000],
    ['another boot, wall clock stepped back: never longer than it was asked for', 'another', 0, 110_000],
  ])('%s', (_what, bootId, wallNow, until) => {
    const play = new Play();
    play.at(20_000, { ...started(memoryOf({ bootId, inhibit: stored })), wallNow } as Event);
    expect(play.state.inhibit?.until).toBe(until);
    expect(play.reasons[0]).toMatch(/still inhibited/i);
  });

  test.each([
    ['same boot', 'boot', 100_000, WALL],
    ['another boot', 'another', 20_000, WALL + 100_000],
  ])('%s: over by now', (_what, bootId, now, wallNow) => {
    const play = new Play();
    play.at(now, { ...started(memoryOf({ bootId, inhibit: stored })), wallNow } as Event);
    expect(play.state.inhibit).toBeNull();
  });

  test('it holds back from the first decision on', () => {
    const play = new Play();
    play.at(20_000, started(memoryOf({ savedAt: 19_000, armedSessions: ['a', 'b'], inhibit: stored })));
    play.at(20_050, synchronizedWith({ a: 'Down', b: 'Down' }), play.observed('peer'));
    expect(play.state.attempt).toBeNull();
    play.until(100_000);
    expect(play.state.attempt?.purpose).toBe('takeover');
  });
});

describe('the bounds of an inhibit (rule 12)', () => {
  const stored: Inhibit = { until: 5_000, untilWall: WALL, forMs: MINUTE, why: 'upgrade' };

  test('what is left after a restart: not a millisecond after its end', () => {
    expect(recalledInhibit(stored, true, 5_000, WALL)).toBeNull();
    expect(recalledInhibit(stored, true, 4_999, WALL)).toEqual(stored);
    expect(recalledInhibit(stored, false, 0, WALL)).toBeNull();
    expect(recalledInhibit(stored, false, 0, WALL - 1)?.until).toBe(1);
  });

  test.each([
    [59_499, '59 s'],
    [59_500, '60 s'],
    [59_999, '60 s'],
    [60_000, '1 min'],
    [6_000_000_000, '100000 min'],
  ])('after %d ms a person is told that the %s are over', (forMs, words) => {
    const play = watching('peer');
    play.at(1_000, inhibited(forMs));
    play.at(1_000 + forMs);
    expect(play.reasons.join()).toContain(`no longer inhibited: the ${words} are over`);
  });

  test('its answer and its end are news', () => {
    const play = watching('peer');
    play.now = 1_000;
    expect(play.take(inhibited(MINUTE)).weight).toBe('notable');
  });

  test('it is told of where what it forbids is not urgent, and a person is not alarmed', () => {
    const play = watching('peer', 'gen2');
    play.at(1_000, inhibited(10 * MINUTE));
    play.live(60_000, { owners: ['mine', 'peer'] });
    expect(play.state.verdict).toMatch(/^not repairing: .*, but inhibited by an operator/);
    expect(play.alarms).not.toContain('takeover-blocked');
  });
});
