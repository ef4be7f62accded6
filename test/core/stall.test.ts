import type { Event } from '../../src/core/state/model';
import { sessionEvent } from '../support/coreWorld';
import { answer, interfacesAnswered, sends, watching, type Play } from './play';

/** Shorter than a peer needs to act: from a second on it is a long one, see below. */
const stalled = (forMs = 900): Event => ({ type: 'processStalled', forMs });
const levels = (sessions: { readonly [id: string]: 'Up' | 'Down' }): Event => ({
  type: 'levelsRead',
  sessions: Object.entries(sessions).map(([session, level]) => ({ session, level })),
  interfaces: [],
});

/** Stalled until 20 s. */
function awake(): Play {
  const play = watching('peer', 'gen2');
  play.until(9_999);
  play.at(20_000, stalled());
  play.forget();
  return play;
}

describe('own stall (rule 16)', () => {
  test('levels are read again, and EC2 is asked', () => {
    const play = watching('peer', 'gen2');
    play.until(9_999);
    play.at(9_999, play.observed('peer'));
    play.forget();
    play.at(9_999, stalled(150));
    expect(play.effects.map(({ effect }) => effect)).toEqual(['readLevels', 'observeOwnership']);
  });

  test('not where the router cannot be asked', () => {
    const play = watching('peer', 'gen2');
    play.at(2_000, { type: 'streamsLost', cause: 'reset' });
    play.at(2_100, stalled());
    expect(play.all('readLevels')).toEqual([]);
  });

  test.each([
    ['at once', 20_000, 23_000],
    ['a detect time after it', 20_150, 23_150],
  ])('a DOWN %s gets own_stall_hold_s to come UP', (_when, downAt, until) => {
    const play = awake();
    play.at(downAt, sessionEvent('a', 'Down', downAt), sessionEvent('b', 'Down', downAt));
    play.until(until - 1);
    expect(play.state.attempt).toBeNull();
    expect(play.reasons.join()).toMatch(/since this router has just stalled/);
    play.until(until);
    expect(sends(play).length).toBe(2);
  });

  test('one that comes UP in time begins nothing', () => {
    const play = awake();
    play.at(20_050, sessionEvent('a', 'Down', 20_050));
    play.at(22_900, sessionEvent('a', 'Up', 22_900));
    play.until(29_000);
    expect(play.state.lastAttempt).toBe(0);
  });

  test('the hold is of each session: another that goes DOWN later is not held', () => {
    const play = awake();
    play.at(20_050, sessionEvent('a', 'Down', 20_050));
    play.at(20_200, sessionEvent('b', 'Down', 20_200));
    expect(play.state.attempt?.sessions).toEqual(['b']);
  });

  test('a DOWN later than a detect time after the stall is a failure like any other', () => {
    const play = awake();
    play.at(20_151, sessionEvent('a', 'Down', 20_151), sessionEvent('b', 'Down', 20_151));
    expect(sends(play).length).toBe(2);
  });

  test('so is one that was DOWN before it', () => {
    const play = watching('peer', 'gen2');
    play.take(sessionEvent('a', 'Down', 1_000));
    play.at(11_001, stalled(), sessionEvent('b', 'Up'));
    expect(play.state.attempt?.sessions).toEqual(['a']);
  });

  test('what was read before the stall was noticed, of the time in which it lasted, is held too', () => {
    const play = watching('peer', 'gen2');
    play.until(9_999);
    play.now = 20_000;
    play.at(20_000, sessionEvent('a', 'Down', 20_000), sessionEvent('b', 'Down', 20_000), stalled());
    expect(play.state.attempt).toBeNull();
    play.until(23_000);
    expect(sends(play).length).toBe(2);
  });

  test('a DOWN that only the reading shows is held as well', () => {
    const play = awake();
    play.at(20_100, levels({ a: 'Down', b: 'Down' }));
    expect(play.state.attempt).toBeNull();
    play.until(23_100);
    expect(sends(play).length).toBe(2);
  });

  test('a reading that shows it UP again ends the hold', () => {
    const play = awake();
    play.at(20_010, sessionEvent('a', 'Down', 20_010));
    play.at(20_100, levels({ a: 'Up', b: 'Up' }));
    play.until(29_000);
    expect(play.state.lastAttempt).toBe(0);
  });

  test('a reading that shows what is known changes nothing, nor does an empty one', () => {
    const play = awake();
    // The first one after a stall says until when they are known to have been UP.
    play.take(levels({ a: 'Up', b: 'Up' }));
    const before = play.state;
    play.now += 10;
    play.take(levels({ a: 'Up', b: 'Up' }));
    play.take(levels({}));
    expect(play.state).toEqual(before);
  });

  test('a reading of an ACTIVE router that shows DOWN makes it look closely (rule 4)', () => {
    const play = watching('mine', 'gen2');
    play.at(2_000, stalled());
    play.until(2_000);
    play.at(2_010, play.observed('mine'));
    play.forget();
    play.at(2_100, levels({ a: 'Down' }));
    expect(play.all('observeOwnership').length).toBe(1);
  });

  test('the hold is gone with an UP: the next DOWN counts at once', () => {
    const play = awake();
    play.at(20_050, sessionEvent('a', 'Down', 20_050), sessionEvent('b', 'Down', 20_050));
    play.at(20_100, sessionEvent('a', 'Up', 20_100), sessionEvent('b', 'Up', 20_100));
    play.at(20_500, sessionEvent('a', 'Down', 20_500), sessionEvent('b', 'Down', 20_500));
    expect(sends(play).length).toBe(2);
  });

  describe('a long one, in which the peer may have acted', () => {
    const long = stalled(60_000);

    function awakeAfterLong(owner: 'peer' | 'mine' = 'peer'): Play {
      const play = watching(owner, 'gen2');
      play.at(70_000, long);
      play.forget();
      return play;
    }

    test('what was DOWN before it is held too', () => {
      const play = watching('peer', 'gen2');
      play.take(sessionEvent('a', 'Down', 1_000));
      play.at(70_000, long);
      play.at(70_010, levels({ a: 'Down', b: 'Up' }));
      play.at(70_020, play.observed('peer'));
      expect(play.state.attempt).toBeNull();
      play.until(73_000);
      expect(play.state.attempt?.sessions).toEqual(['a']);
    });

    test('nothing begins before levels and ownership have been read again', () => {
      const play = awakeAfterLong();
      // Long after a detect time, so that it is not held itself.
      play.at(70_500, sessionEvent('a', 'Down', 70_500), sessionEvent('b', 'Down', 70_500));
      expect(sends(play)).toEqual([]);
      expect(play.reasons.join()).toMatch(/levels and ownership are read again first/);
      expect(play.alarms).toEqual([]);
      play.at(70_600, levels({ a: 'Down', b: 'Down' }));
      expect(sends(play)).toEqual([]);
      play.at(70_700, play.observed('peer', 'peer', 70_001));
      expect(sends(play).length).toBe(2);
    });

    test('an observation that began before it says nothing', () => {
      const play = watching('peer', 'gen2');
      play.until(10_200);
      play.at(70_000, long);
      play.at(70_010, levels({ a: 'Up', b: 'Up' }), play.observed('peer', 'peer', 10_200));
      expect(play.state.reorientation).not.toBeNull();
    });

    test('... for the hold at most: EC2 may be away', () => {
      const play = awakeAfterLong();
      play.at(70_500, sessionEvent('a', 'Down', 70_500), sessionEvent('b', 'Down', 70_500));
      play.until(72_999);
      expect(sends(play)).toEqual([]);
      play.until(73_000);
      expect(sends(play).length).toBe(2);
    });

    const inDoubt = (): Play => {
      const play = watching('peer', 'gen2');
      play.at(1_000, sessionEvent('a', 'Down', 1_000), sessionEvent('b', 'Down', 1_000));
      play.forget();
      play.at(30_000, stalled(29_000), answer('1.1.1', 'uncertain'), answer('1.2.1', 'uncertain'));
      return play;
    };

    test('an attempt from before it that has nothing for certain is decided afresh', () => {
      const play = inDoubt();
      play.at(30_010, levels({ a: 'Up', b: 'Up' }));
      play.at(30_020, play.observed('peer', 'peer', 30_001));
      expect(play.state.attempt).toBeNull();
      expect(play.reasons.join()).toMatch(/dropped attempt 1: this router has stalled since/);
      play.until(40_000);
      expect(sends(play)).toEqual([]);
    });

    test('... and is complete when EC2 shows that it has done it all', () => {
      const play = inDoubt();
      play.at(30_020, play.observed('mine', 'mine', 30_001));
      expect(play.reasons.join()).toMatch(/took over 172.31.101.10 and 172.31.105.10/);
      expect(play.state.role.haState).toBe('ACTIVE');
      expect(sends(play)).toEqual([]);
    });

    test('one that has moved something waits with its retries, and is completed', () => {
      const play = watching('peer', 'gen2');
      play.at(1_000, sessionEvent('a', 'Down', 1_000), sessionEvent('b', 'Down', 1_000));
      play.at(1_100, answer('1.1.1'));
      play.forget();
      play.at(30_000, stalled(28_000), answer('1.2.1', 'uncertain'));
      expect(sends(play)).toEqual([]);
      play.at(30_010, levels({ a: 'Down', b: 'Down' }));
      play.at(30_020, play.observed('mine', 'peer', 30_001));
      expect(sends(play)).toEqual(['1.2.2']);
    });

    test('the end of being ACTIVE is not believed before: the DOWN that came first would arm a take-back', () => {
      const play = awakeAfterLong('mine');
      play.at(70_010, play.observed('peer', 'peer', 70_001));
      expect(play.state.role.haState).not.toBe('STANDBY');
      play.at(70_020, levels({ a: 'Down', b: 'Down' }));
      play.until(71_200);
      play.at(71_300, play.observed('peer', 'peer', 71_250));
      expect(play.state.role.haState).toBe('STANDBY');
      play.until(90_000);
      expect(sends(play)).toEqual([]);
    });
  });

  describe('in the middle of a takeover', () => {
    test('while the router is asked: the DOWN was before it, so it goes on', () => {
      const play = watching('peer');
      play.at(1_000, sessionEvent('a', 'Down', 1_000));
      play.at(11_001, stalled(), interfacesAnswered(1, { Te1: 'Up' }));
      expect(sends(play)).toEqual(['1.1.1', '1.2.1']);
    });

    test('while the router is asked: the levels read again show that it is over', () => {
      const play = watching('peer');
      play.at(1_000, sessionEvent('a', 'Down', 1_000));
      play.at(11_001, stalled(), levels({ a: 'Up' }));
      expect(play.state.attempt).toBeNull();
    });

    test('while requests are under way: it is driven to completion', () => {
      const play = watching('peer', 'gen2');
      play.at(1_000, sessionEvent('a', 'Down', 1_000), sessionEvent('b', 'Down', 1_000));
      play.at(11_000, stalled(), answer('1.1.1'), answer('1.2.1'));
      expect(play.state.role.haState).toBe('ACTIVE');
    });
  });
});

describe('the way back after a long stall (rule 16)', () => {
  const long: Event = { type: 'processStalled', forMs: 2_000 };
  /** Stalled for 2 s until 10.2 s, with an observation just asked for. */
  function back(): Play {
    const play = watching('peer', 'gen2');
    play.at(10_200, long);
    play.forget();
    return play;
  }

  test('an observation that began at its end counts', () => {
    const play = back();
    play.take(play.observed('peer', 'peer', 10_200));
    expect(play.state.reorientation).toEqual({ since: 10_200, levelsKnown: false, ownershipKnown: true });
  });

  test('it takes both: levels and ownership', () => {
    const play = back();
    play.at(10_250, play.observed('peer', 'peer', 10_200));
    expect(play.state.reorientation).not.toBeNull();
    play.at(10_260, levels({ a: 'Up', b: 'Up' }));
    expect(play.state.reorientation).toBeNull();
  });

  test('levels that are lost with the streams are not waited for', () => {
    const play = back();
    play.take({ type: 'streamsLost', cause: 'reset' });
    expect(play.state.reorientation?.levelsKnown).toBe(true);
  });

  /** A takeover whose outcome is not known, and a long stall after it. */
  function stalledAfter(): Play {
    const play = watching('peer', 'gen2');
    play.at(1_000, sessionEvent('a', 'Down', 1_000), sessionEvent('b', 'Down', 1_000));
    play.at(1_100, answer('1.1.1', 'refused'), answer('1.2.1', 'uncertain'));
    play.at(1_101, answer('1.2.2', 'uncertain'));
    return play;
  }

  test('a takeover that is still called for goes on', () => {
    const play = stalledAfter();
    play.at(1_110, long);
    play.at(4_110);
    expect(play.state.attempt?.number).toBe(1);
  });

  test('one that was begun after the stall is not of before it', () => {
    const play = watching('peer', 'gen2');
    play.at(500, long, levels({ a: 'Up', b: 'Up' }));
    play.at(600, play.observed('peer', 'peer', 500));
    play.at(8_000, sessionEvent('a', 'Down', 8_000), sessionEvent('b', 'Down', 8_000));
    play.at(8_100, answer('1.1.1', 'uncertain'), answer('1.2.1', 'uncertain'));
    play.at(8_101, answer('1.1.2', 'uncertain'), answer('1.2.2', 'uncertain'));
    play.at(8_102, sessionEvent('a', 'Up'), sessionEvent('b', 'Up'));
    expect(play.state.attempt?.number).toBe(1);
  });
});

describe('the bounds of a stall (rule 16)', () => {
  test('it is a long one from a second on', () => {
    const isLong = (forMs: number): boolean => {
      const play = watching('peer', 'gen2');
      play.take(stalled(forMs));
      return play.state.reorientation !== null;
    };
    expect([isLong(999), isLong(1_000)]).toEqual([false, true]);
  });

  test('only what is DOWN is in doubt after it, from its beginning on', () => {
    const heldAfter = (level: 'Up' | 'Down', changedAt: number): number | null | undefined => {
      const play = watching('peer', 'gen2');
      play.take(sessionEvent('a', 'Down', changedAt - 1));
      if (level === 'Up') play.take(sessionEvent('a', 'Up', changedAt));
      else play.take(sessionEvent('b', 'Down', changedAt));
      play.now = 2_000;
      play.take(stalled(900));
      return play.state.sessions[level === 'Up' ? 'a' : 'b']?.heldUntil;
    };
    expect([heldAfter('Down', 1_099), heldAfter('Down', 1_100), heldAfter('Up', 1_100)]).toEqual([
      null,
      5_000,
      null,
    ]);
  });

  test('a DOWN that is told again is held no longer, and one that comes UP is not held', () => {
    const play = awake();
    play.at(20_050, sessionEvent('a', 'Down', 20_050));
    play.at(20_100, sessionEvent('a', 'Down', 20_100));
    expect(play.state.sessions['a']?.heldUntil).toBe(23_050);
    play.at(20_120, sessionEvent('a', 'Up', 20_120), sessionEvent('b', 'Unknown', 20_120));
    expect(play.state.sessions['a']?.heldUntil).toBeNull();
    expect(play.state.sessions['b']?.heldUntil).toBeNull();
  });
});
