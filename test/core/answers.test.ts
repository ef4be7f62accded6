/** Rule 6 in detail: what each answer of EC2 makes of its call, and which of them is news. */
import { callHasMoved, currentAttempt } from '../../src/core/moves/attempt';
import { newCall, placeHere } from '../../src/core/moves/grouping';
import type { Failure } from '../../src/core/state/readings';
import type { Call } from '../../src/core/state/attempt';
import { addressTarget, heldOn, planOf, sessionEvent } from '../support/coreWorld';
import { answer, asked, watching, type Play } from './play';

const down = [sessionEvent('a', 'Down', 1_000), sessionEvent('b', 'Down', 1_000)] as const;

/** Two calls, both asked for at 1 s. */
function moving(): Play {
  const play = watching('peer', 'gen2');
  play.at(1_000, ...down);
  return play;
}

/** One call for one target. */
function one(): Play {
  const play = watching('peer', 'gen2', planOf({ targets: planOf().targets.slice(0, 1) }));
  play.at(1_000, ...down);
  return play;
}

/** One call for both targets. */
function together(): Play {
  const targets = planOf().targets.map((target) => ({ ...target, deviceIndex: 1 }));
  const play = watching('peer', 'gen2', planOf({ targets }));
  play.at(1_000, ...down);
  return play;
}

const callOf = (play: Play, number = 1): Call =>
  play.state.attempt!.calls.find((call) => call.number === number)!;

test('what was never sent has not moved, whatever a reading shows', () => {
  const to = heldOn('eni-1', 'i-own', true);
  const call = newCall({
    number: 1,
    to,
    targets: ['10.0.0.1'],
    allowReassignment: true,
    again: false,
    now: 0,
  });
  expect(callHasMoved({ ...call, outcome: 'moved' })).toBe(false);
  expect(callHasMoved({ ...call, outcome: 'moved', lastSend: 1 })).toBe(true);
});

describe('a success', () => {
  test('is news the first time and routine the second', () => {
    const play = moving();
    play.until(1_700);
    play.now = 1_800;
    expect(play.take(answer('1.1.1')).weight).toBe('notable');
    expect(play.take(answer('1.1.2'))).toMatchObject({
      weight: 'routine',
      reason: '172.31.101.10 had been moved already',
    });
  });

  test('is not undone by the failure of an identical request', () => {
    const play = moving();
    play.until(1_700);
    play.at(1_800, answer('1.1.1'));
    const { weight, alarms } = play.take(answer('1.1.2', 'refused'));
    expect([weight, alarms, callOf(play).outcome]).toEqual(['routine', [], 'moved']);
    expect(callOf(play)).toMatchObject({ failed: null, disputed: null, lastFailure: null });
  });
});

describe('a failure', () => {
  /** How it is told when try after try fails with these codes. */
  function weights(kind: Failure['kind'], codes: readonly string[]): readonly string[] {
    const play = one();
    return codes.map((code, index) => {
      const { weight } = play.take(answer(`1.1.${callOf(play).outstanding[0]!.number}`, kind, code));
      expect(callOf(play).tries).toBe(index + 1);
      play.at(play.now + 1);
      play.now = Math.max(play.now, callOf(play).nextSendAt ?? 0);
      play.at(play.now);
      return weight;
    });
  }

  test.each(['uncertain', 'unsent', 'throttled'] as const)(
    'is news when it is another one, and at try 1, 2, 4, 8 (%s)',
    (kind) => {
      expect(weights(kind, ['A', 'A', 'A', 'A', 'B', 'B', 'B', 'B', 'B'])).toEqual([
        'notable',
        'notable',
        'routine',
        'notable',
        'notable',
        'routine',
        'routine',
        'notable',
        'routine',
      ]);
    },
  );

  test('for good alarms once for each code', () => {
    expect(weights('refused', ['A', 'A', 'B', 'B'])).toEqual(['alarm', 'routine', 'alarm', 'routine']);
  });

  test('for good of several addresses is news: they are moved one by one', () => {
    const play = together();
    expect(play.take(answer('1.1.1', 'refused')).weight).toBe('notable');
  });

  test('for good of several addresses has moved nothing: the peer is UP, so the rest is dropped', () => {
    const play = together();
    play.at(1_010, answer('1.1.1', 'refused'));
    play.at(1_020, answer('1.2.1', 'throttled'), answer('1.3.1', 'throttled'));
    play.at(1_021, sessionEvent('a', 'Up'), sessionEvent('b', 'Up'));
    expect(play.state.attempt).toBeNull();
  });

  test('for good, where an identical request may have done the work, is news and a question', () => {
    const play = one();
    play.until(1_700);
    play.at(1_750, answer('1.1.2', 'uncertain'));
    play.now = 1_760;
    expect(play.take(answer('1.1.1', 'refused'))).toMatchObject({ weight: 'notable', alarms: [] });
    play.at(1_760);
    play.take(play.observed('peer', 'peer', 1_760));
    expect(play.alarms).toEqual(['takeover-refused']);
  });

  test('of a claim is news: somebody was first', () => {
    const play = watching('peer', 'gen2');
    play.live(20_060, { owners: ['none', 'none'] });
    expect(asked(play)).toEqual(['claim 172.31.101.10']);
    expect(play.take(answer('1.1.1', 'refused'))).toMatchObject({ weight: 'notable', alarms: [] });
  });

  test('of one claim after the other is remembered since the first, with all their targets', () => {
    const play = watching('peer', 'gen2');
    play.live(22_000, { owners: ['none', 'none'], calls: 'refused' });
    const since = play.state.lostClaim?.since;
    play.live(90_000, { owners: ['none', 'none'], calls: 'refused' });
    expect(play.state.lostClaim?.since).toBe(since);
    expect(play.state.lostClaim?.targets).toEqual(['172.31.101.10', '172.31.105.10']);
  });
});

describe('a reading', () => {
  /** The outcome is not known, and an observation is under way. */
  function unknown(): Play {
    const play = together();
    play.until(10_000);
    play.at(10_010, answer('1.1.1', 'uncertain'));
    return play;
  }

  test('that shows all addresses of a call here is as good as its success', () => {
    const play = unknown();
    play.take(play.observed('mine', 'mine', 10_010));
    expect(callOf(play).outcome).toBe('open');
    const shown = unknown();
    const event = shown.observed('mine', 'mine', 10_010);
    if (event.type !== 'ownershipObserved') throw new Error('not an observation');
    const own = heldOn('eni-own1', 'i-own', true);
    const holders = { '172.31.101.10': own, '172.31.105.10': own };
    shown.take({ ...event, observation: { ...event.observation, holders } });
    expect(callOf(shown).outcome).toBe('moved');
    expect(shown.state.ownership?.writes).toEqual({ '172.31.101.10': 10_010, '172.31.105.10': 10_010 });
  });

  test('that shows at its place what was never sent is no write of this router', () => {
    const play = together();
    play.until(1_700);
    play.at(1_800, answer('1.1.2', 'throttled'));
    play.until(10_000);
    for (const { number } of callOf(play, 1).outstanding)
      if (number > 1) play.at(10_000, answer(`1.1.${number}`, 'throttled'));
    play.now = 10_010;
    play.take(answer('1.1.1', 'refused'));
    expect(callOf(play, 2)).toMatchObject({ outcome: 'open', lastSend: 0 });
    play.take(play.observed('mine', 'peer', 10_005));
    expect(callOf(play, 2)).toMatchObject({ outcome: 'moved', lastSend: 0 });
    expect(play.state.ownership?.writes).toEqual({});
  });
});

describe('a second request', () => {
  test('on another connection is news at every try', () => {
    const play = one();
    for (let tries = 1; tries < 3; tries += 1) {
      play.at(play.now + 1, answer(`1.1.${tries}`, 'unsent'));
      play.now = Math.max(play.now, callOf(play).nextSendAt ?? 0);
      play.at(play.now);
    }
    expect(callOf(play).tries).toBe(3);
    expect(play.at(play.now + 700)).toMatchObject({
      weight: 'notable',
      reason: expect.stringContaining('sending it again on another connection') as string,
    });
  });
});

describe('a bug is told with its facts', () => {
  test('an attempt that is not there', () => {
    const { plan, state } = watching('peer');
    const turn = { plan, whole: plan, now: 0, jitter: 0, state, effects: [], notes: [], alarms: [] };
    expect(() => currentAttempt(turn)).toThrow('there is no attempt');
  });

  test('an interface that EC2 has not shown', () => {
    const { ownership } = watching('peer').state;
    expect(() => placeHere(ownership!, addressTarget('10.0.0.1', 9))).toThrow(
      'without the interface of device index 9',
    );
  });
});
