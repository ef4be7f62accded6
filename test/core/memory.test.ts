import type { Intent, Memory } from '../../src/core/state/model';
import { sessionEvent, TARGETS, type Owner } from '../support/coreWorld';
import { Play, answer, memoryOf, started, synchronizedWith, watching } from './play';

const NOW = 1_000_000;

/** Started at NOW with this memory, observed, then synchronized with `a` DOWN and `b` UP. */
function restarted(memory: Memory | null, owners: readonly [Owner, Owner] = ['peer', 'peer']): Play {
  const play = new Play();
  play.at(NOW, started(memory));
  play.at(NOW + 50, play.observed(...owners));
  play.at(NOW + 100, synchronizedWith({ a: 'Down' }));
  return play;
}

const isArmed = (play: Play): boolean => play.state.sessions['a']?.armed === true;
const intentOf = (change: Partial<Intent> = {}): Intent => ({
  startedAt: NOW - 1_000,
  targets: [...TARGETS],
  ...change,
});

describe('arming (rule 17)', () => {
  const good = memoryOf({ savedAt: NOW - 1_000, armedSessions: ['a'] });

  test('counts for a session that survived', () => {
    expect(isArmed(restarted(good))).toBe(true);
  });

  test.each([
    ['nothing is stored', null],
    ['another boot voids it', { ...good, bootId: 'another' }],
    ['it is older than armed_ttl_s', { ...good, savedAt: NOW - 600_000 }],
    ['it is from the future', { ...good, savedAt: NOW + 1_000 }],
    ['the session was not armed', { ...good, armedSessions: ['b'] }],
    ['this router has stopped being ACTIVE since', { ...good, wasActive: true }],
  ])('does not count: %s', (_why, memory) => {
    expect(isArmed(restarted(memory))).toBe(false);
  });

  test('does not count for a fresh session', () => {
    const play = new Play();
    play.at(NOW, started(good));
    play.at(NOW + 50, synchronizedWith({ a: 'Down' }, ['a']), play.observed('peer'));
    expect(isArmed(play)).toBe(false);
  });

  test('does not count when the router answers only after armed_ttl_s', () => {
    const play = new Play();
    play.at(NOW, started(good));
    play.at(NOW + 599_000, synchronizedWith({ a: 'Down' }));
    expect(isArmed(play)).toBe(false);
  });

  test('counts as in the table when the router answers before EC2', () => {
    for (const wasActive of [true, false]) {
      const play = new Play();
      play.at(NOW, started({ ...good, wasActive }));
      play.at(NOW + 50, synchronizedWith({ a: 'Down' }));
      play.at(NOW + 100, play.observed('peer'));
      expect(isArmed(play)).toBe(!wasActive);
    }
  });

  test('ACTIVE then and ACTIVE now: it has not stopped', () => {
    expect(isArmed(restarted({ ...good, wasActive: true }, ['mine', 'mine']))).toBe(true);
  });
});

describe('intent (rule 7)', () => {
  const memory = memoryOf({ savedAt: NOW - 500, intent: intentOf() });
  const sends = (play: Play): readonly (readonly string[])[] =>
    play.all('sendCall').map(({ targets }) => targets);

  test('resumed: some but not all targets are ours', () => {
    expect(sends(restarted(memory, ['mine', 'peer']))).toEqual([[TARGETS[1]]]);
  });

  test.each([
    ['none are', memory, ['peer', 'peer']],
    ['all are', memory, ['mine', 'mine']],
    ['it is 60 s old', { ...memory, intent: intentOf({ startedAt: NOW - 60_000 }) }, ['mine', 'peer']],
    ['it is of another boot', { ...memory, bootId: 'another' }, ['mine', 'peer']],
    [
      'what is missing is not what it was about',
      { ...memory, intent: intentOf({ targets: [TARGETS[0]] }) },
      ['mine', 'peer'],
    ],
  ] as const)('not resumed: %s', (_why, stored, owners) => {
    expect(sends(restarted(stored, owners))).toEqual([]);
  });

  test('only by the first fresh observation', () => {
    const play = restarted(memory, ['peer', 'peer']);
    play.until(NOW + 10_050);
    play.at(NOW + 10_100, play.observed('mine', 'peer'));
    expect(sends(play)).toEqual([]);
  });

  test('not while shutting down', () => {
    const play = new Play();
    play.at(NOW, started(memory));
    play.at(NOW + 50, { type: 'shutdownRequested', cause: 'SIGTERM' }, play.observed('mine', 'peer'));
    expect(sends(play)).toEqual([]);
  });

  test('keeps its age over several restarts', () => {
    const play = restarted(memory, ['mine', 'peer']);
    expect(play.all('remember').at(-1)?.memory.intent?.startedAt).toBe(NOW - 1_000);
  });
});

describe('what is remembered', () => {
  test('nothing before levels and ownership are both known', () => {
    const play = new Play();
    play.at(0, started());
    play.at(50, play.observed('peer'));
    expect(play.all('remember')).toEqual([]);
    play.at(100, synchronizedWith({}));
    expect(play.all('remember').map(({ memory }) => memory.armedSessions)).toEqual([['a', 'b']]);
  });

  test('the intent from the first request on, each address once, and gone when the attempt is complete', () => {
    const play = watching('peer', 'gen2');
    play.at(1_000, sessionEvent('a', 'Down'), sessionEvent('b', 'Down'));
    expect(play.all('remember').at(-1)?.memory.intent?.targets).toEqual(TARGETS);
    play.at(1_100, answer('1.1.1'), answer('1.2.1'));
    expect(play.all('remember').at(-1)?.memory).toMatchObject({ wasActive: true, intent: null });
  });

  test.each<[number, readonly string[]]>([
    [0, []],
    [100, []],
    [101, ['a', 'b']],
  ])(
    'no session that was UP as the peer took the targets, before the failure would have shown here: after %i ms, with 3 intervals of 50 ms',
    (afterMs, armedSessions) => {
      const play = watching('mine');
      play.until(10_200);
      play.at(10_300, play.observed('peer'));
      play.at(10_300 + afterMs, { type: 'shutdownRequested', cause: 'SIGTERM' });
      expect(play.all('remember').at(-1)?.memory.armedSessions).toEqual(armedSessions);
    },
  );

  test('an unchanged memory is refreshed each minute and not more often', () => {
    const play = watching('peer');
    for (let now = 1_000; now <= 135_000; now += 1_000) {
      play.until(now);
      if (play.state.observing.inFlight !== null) play.at(now, play.observed('peer'));
    }
    expect(play.all('remember').length).toBe(2);
  });
});

describe('the bounds of the decision memory', () => {
  /** Started at NOW with an intent, and observed half done so much later. */
  const resumedAfter = (startedAt: number, afterMs: number): boolean => {
    const play = new Play();
    play.at(NOW, started(memoryOf({ savedAt: NOW, intent: intentOf({ startedAt }) })));
    play.at(NOW + afterMs, play.observed('mine', 'peer', NOW + afterMs));
    return play.state.lastAttempt === 1;
  };

  test.each([
    ['is younger than 60 s', NOW - 59_999, 0, true],
    ['is 60 s old', NOW - 60_000, 0, false],
    ['is younger than 60 s by the first observation', NOW - 50_000, 9_999, true],
    ['is 60 s old by then', NOW - 50_000, 10_000, false],
    ['has only just begun', NOW, 0, true],
    ['is to begin', NOW + 1, 0, false],
    ['was to begin when this daemon started', NOW + 1, 2, false],
  ])('an intent that %s', (_what, startedAt, afterMs, isResumed) => {
    expect(resumedAfter(startedAt, afterMs)).toBe(isResumed);
  });

  test('a memory of this very moment is of the past', () => {
    const known = (savedAt: number): boolean => {
      const play = new Play();
      play.at(NOW, started(memoryOf({ savedAt })));
      return play.state.recalled !== null;
    };
    expect([known(NOW - 1), known(NOW), known(NOW + 1)]).toEqual([true, true, false]);
  });

  test('an intent that is too old is not written again', () => {
    const play = new Play();
    const inhibit = { until: NOW + 9_000, untilWall: NOW, forMs: 9_000, why: 'upgrade' };
    play.at(NOW, started(memoryOf({ savedAt: NOW, intent: intentOf({ startedAt: 0 }), inhibit })));
    expect(play.all('remember').map(({ memory }) => memory.intent)).toEqual([null]);
  });

  test('what is not known yet is written once, with what an operator has ordered', () => {
    const play = new Play();
    play.at(NOW, started());
    play.at(NOW, { type: 'inhibitRequested', request: 1, forMs: 900_000, why: 'upgrade', wallNow: 0 });
    for (let s = 1; s < 200; s += 1) play.at(NOW + s * 1_000);
    expect(
      play
        .all('remember')
        .filter(({ memory }) => memory.alarms.length === 0)
        .map(({ memory }) => memory),
    ).toEqual([
      {
        bootId: 'boot',
        savedAt: NOW,
        wasActive: false,
        armedSessions: [],
        intent: null,
        beenActive: false,
        inhibit: { until: NOW + 900_000, untilWall: 900_000, forMs: 900_000, why: 'upgrade' },
        scheduled: null,
        damping: null,
        alarms: [],
      },
    ]);
  });

  test('an unchanged memory is refreshed when it is a minute old', () => {
    const play = watching('peer');
    const savedAt = play.state.remembered?.savedAt ?? NaN;
    // An unobserved EC2 would be news.
    play.live(savedAt + 59_000, { owners: ['peer', 'peer'] });
    play.at(savedAt + 59_999);
    expect(play.all('remember')).toEqual([]);
    play.at(savedAt + 60_000);
    expect(play.all('remember').length).toBe(1);
  });

  test.each<[string, readonly [Owner, Owner], Intent, RegExp]>([
    ['is complete', ['mine', 'peer'], intentOf({ targets: [TARGETS[0]] }), /takeover is complete/],
    ['is not to be seen here', ['peer', 'peer'], intentOf(), /shows none of its targets here/],
  ])('a stored takeover that %s is let go, and said to be', (_what, owners, intent, sentence) => {
    const play = new Play();
    play.at(NOW, started(memoryOf({ savedAt: NOW, intent })));
    const { weight, reason } = play.take(play.observed(...owners));
    expect([weight, reason]).toEqual(['notable', expect.stringMatching(sentence)]);
    play.at(NOW);
    expect(play.state.lastAttempt).toBe(0);
  });

  test('a stored takeover is not resumed by a daemon that is shutting down, which is said', () => {
    const play = new Play();
    play.at(NOW, started(memoryOf({ savedAt: NOW, intent: intentOf() })));
    play.take({ type: 'shutdownRequested', cause: 'SIGTERM' });
    const { weight, reason } = play.take(play.observed('mine', 'peer'));
    expect([weight, reason]).toEqual([
      'notable',
      expect.stringMatching(/did not resume .* is shutting down/),
    ]);
  });
});

test('what was resumed is driven to completion, however long ago it was begun (rule 7)', () => {
  const play = new Play();
  play.at(NOW, started(memoryOf({ savedAt: NOW, intent: intentOf() })));
  play.at(NOW + 50, play.observed('mine', 'peer'), synchronizedWith({}));
  play.at(NOW + 60, answer('1.1.1', 'throttled'));
  for (let forMs = 10_000; forMs <= 90_000; forMs += 10_000)
    play.live(NOW + forMs, { owners: ['mine', 'peer'], calls: 'throttled' });
  expect(play.state.attempt).toMatchObject({ number: 1, resumed: true });
});
