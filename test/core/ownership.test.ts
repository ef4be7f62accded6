import { planOf, sessionEvent, type Owner } from '../support/coreWorld';
import { Play, answer, started, synchronizedWith, watching } from './play';

const failure = { kind: 'uncertain', code: 'Timeout', message: 'no answer' } as const;

/** A takeover of both targets whose calls were answered at 1.1 s. */
function tookOver(): Play {
  const play = watching('peer', 'gen2');
  play.at(1_000, sessionEvent('a', 'Down', 1_000), sessionEvent('b', 'Down', 1_000));
  play.at(1_100, answer('1.1.1'), answer('1.2.1'));
  expect(play.state.role.haState).toBe('ACTIVE');
  return play;
}

describe('the role (section 3)', () => {
  test.each<[string, Owner, Owner, string, string | null]>([
    ['all targets mine', 'mine', 'mine', 'ACTIVE', null],
    ['none mine', 'peer', 'peer', 'STANDBY', null],
    ['none mine, one of nobody', 'none', 'peer', 'STANDBY', null],
    ['some mine', 'mine', 'peer', 'UNKNOWN', 'partial'],
    ['some mine, the other of nobody', 'mine', 'none', 'UNKNOWN', 'partial'],
  ])('%s', (_what, first, second, haState, why) => {
    const play = new Play();
    play.at(0, started());
    play.at(50, play.observed(first, second));
    expect(play.state.role).toEqual({ haState, why });
  });

  test('no valid observation for role_ttl_s: UNKNOWN, and not a millisecond before', () => {
    const play = watching('peer');
    play.until(30_200);
    expect(play.state.role.haState).toBe('STANDBY');
    play.until(30_201);
    expect(play.state.role).toEqual({ haState: 'UNKNOWN', why: 'unobserved' });
  });

  test('a failed poll is retried after 1 s and does not erase the last confirmed role', () => {
    const play = watching('mine');
    play.until(10_200);
    const number = play.state.observing.inFlight ?? -1;
    play.forget();
    play.at(10_300, { type: 'observationFailed', number, failure });
    expect(play.state.role.haState).toBe('ACTIVE');
    // 1 s, and half of the jitter, which is a quarter at most.
    play.until(11_424);
    expect(play.all('observeOwnership')).toEqual([]);
    play.until(11_425);
    expect(play.all('observeOwnership').length).toBe(1);
  });

  test('the count of failures starts again with a success', () => {
    const play = watching('mine');
    play.until(10_200);
    play.at(10_300, { type: 'observationFailed', number: play.state.observing.inFlight ?? -1, failure });
    play.until(11_425);
    play.at(11_500, play.observed('mine'));
    expect(play.state.observing.failures).toBe(0);
  });
});

describe('what is believed (section 3)', () => {
  test('a 200 to a write confirms it at once', () => {
    expect(tookOver().state.role.haState).toBe('ACTIVE');
  });

  test('an observation that started before our last confirmed write is discarded', () => {
    const play = tookOver();
    play.at(1_200, play.observed('peer', 'peer', 1_099));
    expect(play.state.role.haState).toBe('ACTIVE');
    expect(play.reasons.at(-2)).toBe('discarded an observation that began before our last confirmed write');
  });

  test('... however late it arrives', () => {
    const play = tookOver();
    play.at(60_000, play.observed('peer', 'peer', 1_099));
    expect(play.state.ownership?.holders['172.31.101.10']?.mine).toBe(true);
  });

  test('one that contradicts a confirmed write within staleness_s is read again, not believed', () => {
    const play = tookOver();
    play.forget();
    play.at(1_200, play.observed('peer'));
    expect(play.state.role.haState).toBe('ACTIVE');
    play.until(2_325);
    expect(play.all('observeOwnership').length).toBe(1);
  });

  test('one that contradicts it after staleness_s is believed', () => {
    const play = tookOver();
    play.at(1_200, play.observed('mine'));
    play.until(11_200);
    play.at(11_250, play.observed('peer'));
    expect(play.state.role.haState).toBe('STANDBY');
  });

  test('... unless it was asked for within staleness_s: its answer may be as old as the question', () => {
    const play = tookOver();
    play.at(1_200, play.observed('mine'));
    play.until(11_200);
    play.at(11_250, play.observed('peer', 'peer', 11_099));
    expect(play.state.role.haState).toBe('ACTIVE');
  });

  test('writes are forgotten once they can no longer contradict anything', () => {
    const play = tookOver();
    play.at(1_200, play.observed('mine'));
    play.until(11_200);
    play.at(11_250, play.observed('mine'));
    expect(play.state.ownership?.writes).toEqual({});
  });

  test('an answer that was not asked for is ignored', () => {
    const play = watching('peer');
    play.at(1_000, { ...play.observed('mine'), number: 99 } as ReturnType<Play['observed']>);
    expect(play.state.role.haState).toBe('STANDBY');
  });
});

describe('the schedule', () => {
  test('one observation a keepalive, one in flight at a time', () => {
    const play = watching('peer');
    play.until(35_000);
    expect(play.all('observeOwnership').length).toBe(1);
    play.at(35_000, play.observed('peer'));
    play.until(35_000);
    expect(play.all('observeOwnership').length).toBe(2);
  });

  test('EC2 that cannot be observed for role_ttl_s alarms once, from the start too', () => {
    for (const play of [new Play(), watching('peer')]) {
      play.at(play.now);
      play.until(90_000);
      expect(play.alarms).toEqual(['cloud-unobserved']);
    }
  });

  test('an observation that is never answered is given up, and another one is asked for', () => {
    const play = watching('peer');
    play.until(60_000);
    expect(play.all('observeOwnership').map(({ number }) => number)).toEqual([2, 3]);
  });

  test('ACTIVE and a DOWN: at once and then every second for 10 s (rule 4)', () => {
    const play = watching('mine');
    play.at(2_000, sessionEvent('a', 'Down', 2_000));
    const times: number[] = [];
    for (let now = 2_000; now < 25_000; now += 100) {
      play.until(now);
      if (play.state.observing.inFlight === null) continue;
      times.push(play.state.observing.lastStartedAt ?? -1);
      play.at(now, play.observed('mine'));
    }
    expect(times.slice(0, 10)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((s) => s * 1_000));
    expect(times.length).toBeLessThanOrEqual(12);
  });

  test('a session found DOWN when the streams are back makes the ACTIVE router look closely too', () => {
    const play = watching('mine');
    play.at(1_000, { type: 'streamsLost', cause: 'reset' });
    play.forget();
    play.at(2_000, synchronizedWith({ a: 'Down' }));
    expect(play.all('observeOwnership').length).toBe(1);
  });

  test('wakes at the latest one keepalive later, whatever else it waits for', () => {
    const play = new Play(planOf());
    play.at(0, started());
    expect(play.state.observing.inFlight).toBe(1);
    expect(play.state.wakeAt).toBe(10_000);
  });
});

describe('the bounds of what is believed (section 3)', () => {
  const stalledLong = { type: 'processStalled', forMs: 2_000 } as const;

  test('an observation that is never answered is asked again after 30 s', () => {
    const play = watching('peer');
    play.at(10_200);
    play.forget();
    play.at(40_200);
    expect(play.all('observeOwnership')).toEqual([]);
    play.at(40_201);
    expect(play.all('observeOwnership').length).toBe(1);
  });

  test.each([
    ['has just gone DOWN', 5_000, 15_050],
    ['has been DOWN for nearly 10 s', 10_000, 20_050],
    ['has been DOWN for 10 s: it would have acted by now', 10_050, 0],
  ])('one that finds itself ACTIVE looks closely while a session %s', (_what, at, until) => {
    const play = new Play();
    play.at(0, started());
    play.at(100, synchronizedWith({ a: 'Down' }, ['a']));
    play.at(200, play.observed('peer'));
    play.at(at, { type: 'observationOffered' });
    play.at(at + 50, play.observed('mine', 'mine', at));
    expect(play.state.role.haState).toBe('ACTIVE');
    expect(play.state.observing.closelyUntil).toBe(until);
  });

  test('an ACTIVE router looks closely for 10 s', () => {
    const play = watching('mine');
    play.at(2_000, sessionEvent('a', 'Down', 2_000));
    expect(play.state.observing.closelyUntil).toBe(12_000);
  });

  test('the role is known for role_ttl_s from the last word of EC2, a confirmed write too', () => {
    const play = tookOver();
    play.at(31_100);
    expect(play.state.role.haState).toBe('ACTIVE');
    expect(play.state.wakeAt).toBeLessThanOrEqual(31_101);
    play.until(31_101);
    expect(play.state.role.why).toBe('unobserved');
  });

  test.each([
    ['mine', 'ACTIVE: all targets are on this router', 'all targets were on this router when'],
    ['peer', 'this router is STANDBY', 'this router was STANDBY when EC2 last answered'],
  ] as const)('so long the sentence is about now (%s)', (owner, now, before) => {
    const play = watching(owner);
    play.at(30_200);
    expect(play.state.verdict).toContain(now);
    play.at(30_201);
    expect(play.state.verdict).toContain(before);
  });

  test('a person is told again when EC2 is silent again', () => {
    const play = watching('peer');
    play.until(45_000);
    play.live(60_000, { owners: ['peer', 'peer'] });
    play.until(120_000);
    expect(play.alarms).toEqual(['cloud-unobserved', 'cloud-unobserved']);
  });

  test('one failure is enough for its end to be news', () => {
    const play = watching('peer');
    play.until(10_200);
    play.at(10_300, { type: 'observationFailed', number: play.state.observing.inFlight ?? -1, failure });
    play.until(11_425);
    const { weight, reason } = play.take(play.observed('peer'));
    expect([weight, reason]).toEqual(['notable', expect.stringContaining('EC2 answers again')]);
  });

  test('a write is looked after until staleness_s is over', () => {
    const writesAt = (now: number): number => {
      const play = tookOver();
      play.at(now, play.observed('mine', 'mine', now));
      return Object.keys(play.state.ownership?.writes ?? {}).length;
    };
    expect([writesAt(11_099), writesAt(11_100)]).toEqual([2, 0]);
  });

  test.each<[string, Owner, Owner, Owner, boolean]>([
    ['ACTIVE, and all is elsewhere', 'mine', 'peer', 'peer', false],
    ['ACTIVE, and one is elsewhere', 'mine', 'mine', 'peer', false],
    ['STANDBY: it has nothing to lose', 'peer', 'none', 'none', true],
  ])('right after a long stall, before levels are known: %s', (_what, owner, first, second, isBelieved) => {
    const play = watching(owner);
    play.at(10_200);
    play.at(10_300, stalledLong);
    const before = play.state.ownership;
    play.take(play.observed(first, second, 10_300));
    expect(play.state.ownership !== before).toBe(isBelieved);
  });

  test('an interface that is of no instance has not acted: what is DOWN stays armed', () => {
    const play = new Play(planOf());
    play.at(0, started());
    play.at(100, synchronizedWith({}), play.observed('peer', 'none'));
    play.until(10_200);
    play.at(10_300, sessionEvent('a', 'Down', 10_300));
    play.take(play.observed('peer', 'detached', 10_250));
    expect(play.state.sessions['a']?.armed).toBe(true);
  });
});

describe('what is told of observations', () => {
  test('a disbelieved one is routine: it is read again', () => {
    const play = tookOver();
    play.until(1_150);
    const { weight, reason } = play.take(play.observed('peer', 'peer', 1_050));
    expect([weight, reason]).toEqual(['routine', expect.stringMatching(/^discarded an observation/)]);
    expect(play.state.observing).toMatchObject({ inFlight: null, retry: true });
  });

  test('one that is never answered is news', () => {
    const play = watching('peer');
    play.at(10_200);
    play.at(40_201);
    expect(play.reasons.join()).toContain('An observation was never answered: asking again');
  });

  test('EC2 is silent: alarmed about after role_ttl_s, and not at it', () => {
    const play = watching('peer');
    play.at(30_200);
    expect(play.alarms).toEqual([]);
    play.at(30_201);
    expect(play.alarms).toEqual(['cloud-unobserved']);
  });

  test('while an ACTIVE router looks closely it wakes each second, answer or not', () => {
    const play = watching('mine');
    play.at(2_000, sessionEvent('a', 'Down', 2_000));
    expect(play.state.observing.inFlight).not.toBeNull();
    expect(play.state.wakeAt).toBe(3_000);
  });
});

describe('a reading that is made anyway', () => {
  const offered = { type: 'observationOffered' } as const;

  test('is an observation, and the next one comes a keepalive later', () => {
    const play = watching('peer');
    play.now = 4_000;
    const { effects, weight, reason } = play.take(offered);
    expect(effects).toEqual([{ effect: 'observeOwnership', number: 2 }]);
    expect([weight, reason]).toEqual(['routine', 'EC2 is observed now, because it is read anyway']);
    play.at(4_100, play.observed('peer', 'peer', 4_000));
    expect(play.state.observing).toMatchObject({ inFlight: null, lastStartedAt: 4_000, nextAt: 14_000 });
  });

  test('is none while another is under way', () => {
    const play = watching('peer');
    play.until(10_200);
    const before = play.state;
    const { state, effects, weight, reason } = play.take(offered);
    expect({ state, effects }).toEqual({ state: before, effects: [] });
    expect([weight, reason]).toEqual(['routine', 'an observation is under way already']);
  });
});
