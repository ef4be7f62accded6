import { backoffMs } from '../../src/core/moves/calls';
import { newCall } from '../../src/core/moves/grouping';
import type { Failure } from '../../src/core/state/readings';
import { heldOn, planOf, sessionEvent } from '../support/coreWorld';
import { answer, watching, type Play } from './play';

/** Both targets on one interface, and an attempt whose one call went out at 1 s. */
function sent(): Play {
  const targets = planOf().targets.map((target) => ({ ...target, deviceIndex: 1 }));
  const play = watching('peer', 'gen2', planOf({ targets }));
  play.at(1_000, sessionEvent('a', 'Down', 1_000), sessionEvent('b', 'Down', 1_000));
  expect(sends(play)).toEqual(['1.1.1']);
  play.forget();
  return play;
}

/** The same for one target, so that a refusal cannot be split. */
function sentOne(): Play {
  const play = watching('peer', 'gen2', planOf({ targets: planOf().targets.slice(0, 1) }));
  play.at(1_000, sessionEvent('a', 'Down', 1_000), sessionEvent('b', 'Down', 1_000));
  play.forget();
  return play;
}

const sends = (play: Play): readonly string[] =>
  play.all('sendCall').map(({ attempt, call, send }) => `${attempt}.${call}.${send}`);

describe('takeover calls (rule 6)', () => {
  test('one call per interface with all its addresses', () => {
    const play = watching('peer', 'gen2');
    play.at(1_000, sessionEvent('a', 'Down'), sessionEvent('b', 'Down'));
    expect(play.all('sendCall').map(({ networkInterfaceId }) => networkInterfaceId)).toEqual([
      'eni-own1',
      'eni-own2',
    ]);
  });

  test.each<[Failure['kind'], readonly number[]]>([
    ['uncertain', [0, 37.5, 75, 150, 300, 600, 750, 750]],
    ['unsent', [0, 37.5, 75, 150, 300, 600, 750, 750]],
    ['throttled', [37.5, 37.5, 37.5, 37.5, 37.5, 37.5, 37.5, 37.5]],
    ['refused', [7_500, 7_500, 7_500, 7_500, 7_500, 7_500, 7_500, 7_500]],
  ])('%s: backs off as the rule says, jitter in the middle', (kind, expected) => {
    const waits = expected.map((_, index) => backoffMs({ kind, code: '', message: '' }, index + 1, 0.5));
    expect(waits).toEqual(expected);
  });

  test('jitter takes off up to half, and never makes a wait longer', () => {
    const failure = { kind: 'uncertain', code: '', message: '' } as const;
    expect(backoffMs(failure, 99, 0)).toBe(500);
    expect(backoffMs(failure, 99, 0.999)).toBeLessThan(1_000);
  });

  test('deadlines 1, 2, 4, 8, 8 s', () => {
    const play = sentOne();
    for (let send = 1; send < 5; send += 1) {
      play.at(play.now + 1, answer(`1.1.${send}`, 'unsent'));
      // Less than hedge_ms after the retry, so that every send is a try.
      play.until(play.state.attempt?.calls[0]?.nextSendAt ?? play.now);
    }
    expect(play.all('sendCall').map(({ timeoutMs }) => timeoutMs)).toEqual([2_000, 4_000, 8_000, 8_000]);
  });

  test('no answer after hedge_ms: a second identical request, and two soon after it, and more at a steady pace', () => {
    const play = sent();
    play.until(1_699);
    expect(sends(play)).toEqual([]);
    const sentAt: number[] = [];
    for (let now = 1_700; now < 30_000; now += 1) {
      const before = sends(play).length;
      play.until(now);
      if (sends(play).length > before) sentAt.push(now);
    }
    const pauses = sentAt.slice(1).map((at, index) => at - (sentAt[index] ?? 0));
    // Six tenths of hedge_ms, then 450 ms, less some jitter. Eight are out, and none has ended.
    expect(pauses).toEqual([368, 367, 394, 394, 394, 393]);
    expect(play.state.attempt?.calls[0]?.outstanding.length).toBe(8);
  });

  test('one that ends without an answer is followed by the next', () => {
    const play = sent();
    play.until(30_000);
    play.forget();
    play.at(30_100, answer('1.1.1', 'uncertain'));
    expect(sends(play)).toEqual(['1.1.9']);
  });

  test.each([
    ['a little slower than the answers here', 300, 300],
    ['hedge_least_ms at least', 5, 200],
    ['hedge_ms at most', 5_000, 700],
  ])('a second request is sent as soon as an answer is late: %s', (_, slowAfterMs, expected) => {
    const play = watching('peer', 'gen2');
    play.at(900, { type: 'answerTimeLearnt', slowAfterMs });
    play.at(1_000, sessionEvent('a', 'Down'), sessionEvent('b', 'Down'));
    play.forget();
    play.until(1_000 + expected - 1);
    expect(sends(play)).toEqual([]);
    play.until(1_000 + expected);
    expect(sends(play)).toEqual(['1.1.2', '1.2.2']);
  });

  test('EC2 answers again: what it was asked for before, and twice in vain, is asked for at once', () => {
    const play = watching('peer', 'gen2');
    play.at(1_000, sessionEvent('a', 'Down'), sessionEvent('b', 'Down'));
    play.until(1_850);
    play.at(1_900, answer('1.2.1', 'uncertain'));
    expect(sends(play)).toEqual(['1.1.1', '1.2.1', '1.1.2', '1.2.2', '1.2.3']);
    play.forget();
    // The answer to a request that is no later than those of the other call says nothing of them.
    play.at(1_940, answer('1.2.2', 'throttled'));
    expect(sends(play)).toEqual([]);
    play.at(1_950, answer('1.2.3'));
    expect(sends(play)).toEqual(['1.1.3']);
  });

  test('any success wins: the hedge', () => {
    const play = sent();
    play.until(1_700);
    play.at(1_800, answer('1.1.2'));
    expect(play.state.role.haState).toBe('ACTIVE');
    expect(play.state.attempt).toBeNull();
  });

  test('any success wins: the first request, after its hedge was refused', () => {
    const play = sent();
    play.until(1_700);
    play.at(1_750, answer('1.1.2', 'refused'));
    play.at(1_800, answer('1.1.1'));
    expect(play.state.role.haState).toBe('ACTIVE');
  });

  test('a later try does not abort an earlier one, and a late success of it counts', () => {
    const play = sent();
    play.until(1_700);
    play.at(1_750, answer('1.1.1', 'uncertain'));
    expect(sends(play)).toEqual(['1.1.2', '1.1.3']);
    play.at(1_800, answer('1.1.2'));
    expect(play.state.role.haState).toBe('ACTIVE');
  });

  test('a multi-address call refused for good is repeated at once, one call per address', () => {
    const play = sent();
    play.at(1_100, answer('1.1.1', 'refused'));
    expect(sends(play)).toEqual(['1.2.1', '1.3.1']);
    expect(play.alarms).toEqual([]);
    expect(play.all('sendCall').map(({ targets }) => targets.length)).toEqual([1, 1]);
  });

  test('permanent errors alarm and retry slowly', () => {
    const play = sentOne();
    play.at(1_100, answer('1.1.1', 'refused', 'PrivateIpAddressLimitExceeded'));
    expect(play.alarms).toEqual(['takeover-refused']);
    play.until(8_599);
    expect(sends(play)).toEqual([]);
    play.until(8_600);
    expect(sends(play)).toEqual(['1.1.2']);
  });

  test('a refusal to one of several identical requests counts only after a read that began after it', () => {
    const play = sent();
    play.until(1_700);
    play.at(1_750, answer('1.1.2', 'refused'));
    play.at(2_000, answer('1.1.1', 'uncertain'), answer('1.1.3', 'uncertain'));
    play.forget();
    const { outstanding = [] } = play.state.attempt?.calls[0] ?? {};
    expect(play.state.attempt?.calls[0]?.outcome).toBe('open');
    for (const { number } of outstanding) play.at(2_050, answer(`1.1.${number}`, 'refused'));
    expect(play.state.attempt?.calls[0]?.disputed).not.toBeNull();
    play.at(2_100, play.observed('peer', 'peer', 2_049));
    expect(play.state.attempt?.calls[0]?.outcome).toBe('open');
    play.until(2_100);
    play.at(2_200, play.observed('peer', 'peer', 2_100));
    expect(play.state.attempt?.calls[0]?.outcome).toBe('split');
  });

  test('a read that shows the addresses here settles a call in doubt', () => {
    const play = sentOne();
    play.at(1_100, answer('1.1.1', 'uncertain'));
    play.until(10_200);
    play.at(10_300, play.observed('mine'));
    expect(play.state.role.haState).toBe('ACTIVE');
    expect(play.state.attempt).toBeNull();
  });

  test('a second answer to the same request is ignored: it must not make the retries multiply', () => {
    const play = sent();
    play.at(1_001, answer('1.1.1', 'unsent'));
    const before = play.state.attempt;
    play.take(answer('1.1.1', 'unsent'));
    expect(play.state.attempt).toEqual(before);
  });

  test('a late success triggers an observation; a late failure does not', () => {
    const play = sent();
    play.at(1_100, answer('1.1.1'));
    play.at(1_200, play.observed('mine'));
    play.forget();
    play.at(2_000, answer('1.1.1', 'uncertain'));
    expect(play.all('observeOwnership')).toEqual([]);
    play.at(2_100, answer('1.1.1'));
    expect(play.all('observeOwnership').length).toBe(1);
    expect(play.state.lastAttempt).toBe(1);
  });

  // What it throttles waits for its token in the pacer: spinning.test.ts.
  test.each(['uncertain', 'unsent', 'refused'] as const)(
    'whatever EC2 answers at once, it is not flooded: %s',
    (kind) => {
      const play = sent();
      for (let now = 1_000; now < 11_000; now += 10) {
        play.until(now);
        const { number = 0, calls = [] } = play.state.attempt ?? {};
        for (const call of calls) {
          for (const send of call.outstanding)
            play.at(now, answer(`${number}.${call.number}.${send.number}`, kind));
        }
      }
      const count = sends(play).length;
      expect(count).toBeGreaterThan(1);
      expect(count).toBeLessThan(25);
    },
  );
});

test('a call that is new has asked for nothing, and is due at once', () => {
  const to = heldOn('eni-1', 'i-own', true);
  const wanted = { number: 2, to, targets: ['10.0.0.1'], allowReassignment: false, again: false };
  expect(newCall({ ...wanted, now: 7 })).toEqual({
    ...wanted,
    outcome: 'open',
    outstanding: [],
    lastSend: 0,
    tries: 0,
    overlapAt: null,
    uncertain: false,
    nextSendAt: 7,
    failed: null,
    lastFailure: null,
    disputed: null,
    refusedWith: null,
  });
});
