import type { Damping } from '../../src/core/state/model';
import { planOf, sessionEvent } from '../support/coreWorld';
import { Play, answer, memoryOf, sends, started, synchronizedWith, watching } from './play';

const down = [sessionEvent('a', 'Down'), sessionEvent('b', 'Down')] as const;
const up = [sessionEvent('a', 'Up'), sessionEvent('b', 'Up')] as const;

/** BFD goes DOWN and UP again; EC2 has done nothing in between, so the takeover is dropped. */
function flap(play: Play, at: number): void {
  play.at(at, ...down);
  const { attempt } = play.state;
  const refused =
    attempt?.calls.map((call) => answer(`${attempt.number}.${call.number}.1`, 'throttled')) ?? [];
  play.at(at + 100, ...refused, ...up);
  expect(play.state.attempt).toBeNull();
}

/** After this many takeovers, a second apart from 1 s on. */
function flapped(times: number): Play {
  const play = watching('peer', 'gen2');
  for (let time = 1; time <= times; time += 1) flap(play, time * 1_000);
  return play;
}

describe('dampening (rule 10)', () => {
  test('the first takeover is never delayed', () => {
    const play = watching('peer', 'gen2');
    play.at(1_000, ...down);
    expect(sends(play).length).toBe(2);
  });

  test('neither is the third, nor the fourth; but no fifth begins within seconds', () => {
    const play = flapped(3);
    expect(play.alarms).toEqual([]);
    flap(play, 4_000);
    expect(play.alarms).toEqual(['takeover-damped']);
    play.forget();
    play.at(5_000, ...down);
    expect(play.state.lastAttempt).toBe(4);
    expect(play.reasons.at(-1)).toMatch(/too many takeovers in short order/);
  });

  test('a DOWN that stays is decided on as soon as the penalty is below the reuse limit', () => {
    const play = flapped(4);
    // 1000 x (1 + 2^(-1/60) + 2^(-2/60) + 2^(-3/60)) fades to 1500 in 60 s x log2 of their ratio.
    const reuseAt = 4_000 + 60_000 * Math.log2((1 + 2 ** (-1 / 60) + 2 ** (-2 / 60) + 2 ** (-3 / 60)) / 1.5);
    play.at(5_000, ...down);
    play.until(Math.floor(reuseAt));
    expect(play.state.lastAttempt).toBe(4);
    play.until(Math.ceil(reuseAt));
    expect(play.state.lastAttempt).toBe(5);
  });

  test('takeovers that are a minute apart are never held back', () => {
    const play = watching('peer', 'gen2');
    for (let minute = 1; minute <= 20; minute += 1) flap(play, minute * 60_000);
    expect(play.state.lastAttempt).toBe(20);
    expect(play.alarms.filter((code) => code === 'takeover-damped')).toEqual([]);
  });

  test('the fourth one goes on: it is not held back by itself', () => {
    const play = flapped(3);
    play.at(4_000, ...down);
    play.forget();
    play.at(4_100, answer('4.1.1', 'throttled'), answer('4.2.1', 'throttled'));
    play.until(4_300);
    expect(sends(play)).toEqual(['4.1.2', '4.2.2']);
  });

  test('one that is dropped before its first request counts for nothing', () => {
    const play = watching('peer', 'gen2');
    for (let time = 1; time <= 9; time += 1) {
      play.at(time * 1_000, sessionEvent('a', 'Down'));
      play.at(time * 1_000 + 10, sessionEvent('a', 'Up'));
    }
    expect(play.state.lastAttempt).toBe(9);
    expect(play.state.damping).toBeNull();
  });

  test('evidence is not held back', () => {
    const play = flapped(4);
    play.at(5_000, ...down);
    play.live(40_000, { owners: ['peer', 'peer'], conditions: { 'i-peer': 'stopped' } });
    expect(play.state.attempt?.purpose).toBe('evidence');
  });

  describe('is remembered', () => {
    const memory = (): ReturnType<typeof memoryOf> => {
      const stored = flapped(4).all('remember').at(-1)?.memory;
      if (stored === undefined) throw new Error('nothing was remembered');
      return { ...stored, armedSessions: ['a', 'b'] };
    };
    const restarted = (bootId: string): Play => {
      const play = new Play(planOf());
      play.at(6_000, { ...started(memory()), bootId } as ReturnType<typeof started>);
      play.at(6_050, play.observed('peer'), synchronizedWith({}, [], {}, 'gen2'));
      play.at(6_100, ...down);
      return play;
    };

    test('over a restart of the daemon', () => {
      expect(restarted('boot').state.lastAttempt).toBe(0);
    });

    test('not over a boot, whose clock has begun anew', () => {
      expect(restarted('another').state.lastAttempt).toBe(1);
    });
  });

  test('what a restart resumes has been counted already', () => {
    const damping = { penalty: 1_000, at: 900, suppressedUntil: null };
    const intent = { startedAt: 900, targets: ['172.31.101.10', '172.31.105.10'] };
    const play = new Play();
    play.at(1_000, started(memoryOf({ savedAt: 950, intent, damping })));
    play.at(1_050, play.observed('mine', 'peer'));
    expect(sends(play).length).toBe(1);
    expect(play.state.damping).toEqual(damping);
  });
});

describe('the limits of dampening (rule 10)', () => {
  /** A takeover at 1 s, of a router that has kept this penalty until then. */
  const after = (penalty: number): Play => {
    const play = new Play();
    play.at(
      1_000,
      started(memoryOf({ savedAt: 1_000, armedSessions: ['a', 'b'], damping: stored(penalty) })),
    );
    play.at(1_000, synchronizedWith({ a: 'Down', b: 'Down' }, [], {}, 'gen2'), play.observed('peer'));
    expect(sends(play).length).toBe(2);
    return play;
  };
  const stored = (penalty: number) => ({ penalty, at: 1_000, suppressedUntil: null });

  test('a takeover counts 1000, and above 3000 the next one has to wait', () => {
    expect(after(2_000).state.damping).toEqual({ penalty: 3_000, at: 1_000, suppressedUntil: null });
    expect(after(2_000).alarms).toEqual([]);
    expect(after(2_001).alarms).toEqual(['takeover-damped']);
    expect(after(2_001).state.damping?.suppressedUntil).toBe(
      Math.ceil(1_000 + 60_000 * Math.log2(3_001 / 1_500)),
    );
  });

  test('a person is told for how many seconds', () => {
    expect(after(5_000).reasons.join()).toContain('BFD triggers none for 120 s');
  });

  const recalled = (damping: Damping) => {
    const play = new Play();
    play.at(1_000, started(memoryOf({ savedAt: 1_000, damping })));
    return play.state.damping;
  };

  test('what is stored holds back no longer than its penalty can', () => {
    const held = { penalty: 3_000, at: 400, suppressedUntil: 50_000 };
    expect(recalled(held)).toEqual(held);
    expect(recalled({ ...held, suppressedUntil: 9e9 })).toEqual({ ...held, suppressedUntil: 60_400 });
    expect(recalled({ ...held, penalty: 1_400, suppressedUntil: 9e9 })?.suppressedUntil).toBe(400);
  });

  test('what is stored with a time that is to come is not believed', () => {
    expect(recalled({ penalty: 3_000, at: 1_000, suppressedUntil: null })).not.toBeNull();
    expect(recalled({ penalty: 3_000, at: 1_001, suppressedUntil: null })).toBeNull();
  });
});
