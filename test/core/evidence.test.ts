import type { Event } from '../../src/core/state/model';
import type { InstanceCondition } from '../../src/core/state/readings';
import { planOf, sessionEvent, TARGETS, type Owner } from '../support/coreWorld';
import {
  Play,
  answer,
  asked,
  interfaceEvent,
  memoryOf,
  sends,
  started,
  synchronizedWith,
  watching,
  type World,
} from './play';

const [FIRST, SECOND] = TARGETS;
const BOTH = [`take ${FIRST}`, `take ${SECOND}`];
const STOPPED = { 'i-peer': 'stopped', 'i-third': 'stopped' } as const;

/** Booted while the peer was dead already: sessions that were never UP. */
function booted(plan = planOf()): Play {
  const play = new Play(plan);
  play.at(0, started());
  play.at(50, synchronizedWith({ a: 'Down', b: 'Down' }, ['a', 'b']));
  return play;
}

const peers: World['owners'] = ['peer', 'peer'];

describe('evidence (rule 9)', () => {
  test.each<[InstanceCondition, boolean]>([
    ['pending', false],
    ['running', false],
    ['unresponsive', true],
    ['impaired', true],
    ['stopping', true],
    ['stopped', true],
    ['shutting-down', true],
    ['terminated', true],
    // Not evidence of a failure: perhaps another account's instance.
    ['gone', false],
  ])('the holder is %s: take over: %s', (condition, takes) => {
    const play = booted();
    play.live(45_000, { owners: peers, conditions: { 'i-peer': condition } });
    expect(asked(play)).toEqual(takes ? BOTH : []);
  });

  // It runs, and may forward while its daemon alone has failed.
  describe('a holder whose daemon does not answer', () => {
    const UNRESPONSIVE = { 'i-peer': 'unresponsive' } as const;
    const silent = { owners: peers, conditions: UNRESPONSIVE };

    test('is said to run and not to answer', () => {
      const play = booted();
      play.live(45_000, silent);
      expect(play.reasons.join('\n')).toMatch(
        /EC2 says that i-peer is running, but its daemon does not answer/,
      );
    });

    test('is left alone while this router is not in control, and taken from as soon as it is', () => {
      const play = watching('peer');
      play.at(1_000, { type: 'streamsLost', cause: 'reset' });
      play.live(60_000, silent);
      expect(asked(play)).toEqual([]);
      expect(play.alarms).toContain('unprotected');
      play.at(60_010, synchronizedWith({ a: 'Down', b: 'Down' }, ['a', 'b']));
      play.live(80_000, silent);
      expect(asked(play)).toEqual(BOTH);
    });

    test('is left alone while every interface here is DOWN: then it is this router that hears nothing', () => {
      const play = watching('peer');
      const down = [interfaceEvent('Te1', 'Down'), interfaceEvent('Te2', 'Down')];
      play.at(1_000, ...down, sessionEvent('a', 'Down'), sessionEvent('b', 'Down'));
      play.live(60_000, silent);
      expect(asked(play)).toEqual([]);
    });

    test('has withdrawn its sessions: taken from after evidence_hold_s, as if they had failed', () => {
      const play = watching('peer');
      for (const session of ['a', 'b']) play.at(2_000, sessionEvent(session, 'Unconfigured', 2_000));
      play.live(31_900, silent);
      expect(play.all('askHolders').length).toBeGreaterThan(0);
      expect(asked(play)).toEqual([]);
      play.live(50_000, silent);
      expect(asked(play)).toEqual(BOTH);
    });

    test('answers again before anything has moved: left alone', () => {
      const play = booted();
      play.live(30_960, { ...silent, calls: 'throttled' });
      expect(play.state.attempt?.purpose).toBe('evidence');
      play.live(60_000, { owners: peers, conditions: { 'i-peer': 'running' }, calls: 'throttled' });
      expect(play.state.attempt).toBeNull();
    });

    test('and the opt-in about a holder that runs has its own time', () => {
      const play = booted(planOf({ timing: { ...planOf().timing, takeFromRunningAfterMs: 200_000 } }));
      play.at(100, interfaceEvent('Te1', 'Up'), interfaceEvent('Te2', 'Up'));
      play.live(45_000, silent);
      expect(asked(play)).toEqual(BOTH);
    });
  });

  test('not before evidence_hold_s, and then at once', () => {
    const play = booted();
    play.live(29_999, { owners: peers, conditions: STOPPED });
    expect(play.all('askHolders')).toEqual([]);
    play.live(30_200, { owners: peers, conditions: STOPPED });
    expect(play.all('askHolders').map(({ instanceIds }) => instanceIds)).toEqual([['i-peer']]);
    expect(asked(play)).toEqual(BOTH);
  });

  test('EC2 is asked with each keepalive', () => {
    const play = booted();
    play.live(95_000, { owners: peers });
    expect(play.all('askHolders').length).toBe(7);
  });

  test('a session that has been UP for a moment begins the hold anew', () => {
    const play = booted();
    play.live(25_000, { owners: peers });
    play.at(25_000, sessionEvent('a', 'Up'));
    play.at(25_100, sessionEvent('a', 'Unconfigured'));
    play.live(55_000, { owners: peers, conditions: STOPPED });
    expect(asked(play)).toEqual([]);
    play.live(55_300, { owners: peers, conditions: STOPPED });
    expect(asked(play)).toEqual(BOTH);
  });

  test.each<[string, readonly [Owner, Owner], readonly string[]]>([
    ['partial', ['mine', 'peer'], [`take ${SECOND}`]],
    ['nobody holds the other', ['mine', 'none'], [`claim ${SECOND}`]],
    ['its interface was detached', ['detached', 'mine'], [`take ${FIRST}`]],
    ['the wrong interface of this router', ['misplaced', 'mine'], [`take ${FIRST}`]],
    ['a third instance, stopped or not, is not taken from', ['third', 'mine'], []],
    ['an AWS service is not taken from', ['service', 'mine'], []],
  ])('of each target by itself: %s', (_what, owners, expected) => {
    const play = booted();
    play.live(45_000, { owners, conditions: STOPPED });
    expect(asked(play)).toEqual(expected);
  });

  test('only the targets of the holder that is gone', () => {
    const play = booted(planOf({ foreignHolder: 'take' }));
    play.live(45_000, {
      owners: ['third', 'peer'],
      conditions: { 'i-third': 'running', 'i-peer': 'stopped' },
    });
    expect(asked(play)).toEqual([`take ${SECOND}`]);
  });

  describe('beside what an AWS service holds', () => {
    const plan = planOf({ foreignHolder: 'take' });
    const owners = ['service', 'peer'] as const;

    test('EC2 is asked about the instance alone, and only what that one held is taken', () => {
      const play = booted(plan);
      play.live(45_000, { owners, conditions: STOPPED });
      expect(new Set(play.all('askHolders').flatMap(({ instanceIds }) => instanceIds))).toEqual(
        new Set(['i-peer']),
      );
      expect(asked(play)).toEqual([`take ${SECOND}`]);
    });

    test('where the service has all of it, nothing is asked and nothing is taken, peer or no peer', () => {
      for (const peerIsKnown of [true, false]) {
        const play = booted(plan);
        play.live(90_000, { owners: ['service', 'service'], peerIsKnown });
        expect(play.all('askHolders')).toEqual([]);
        expect(asked(play)).toEqual([]);
      }
    });

    test('the choices about a holder that runs are not held up by it', () => {
      const timing = { ...plan.timing, takeFromRunningAfterMs: 40_000 };
      const play = booted({ ...plan, timing });
      play.live(45_000, { owners });
      expect(asked(play)).toEqual([`take ${SECOND}`]);
      const withdrawn = watching('peer', 'gen2', { ...plan, onPeerWithdrawn: 'take' });
      withdrawn.live(10_500, { owners });
      for (const session of ['a', 'b']) withdrawn.take(sessionEvent(session, 'Unconfigured'));
      withdrawn.live(60_000, { owners });
      expect(asked(withdrawn)).toEqual([`take ${SECOND}`]);
    });
  });

  test('no owner at all is claimed, the lowest first: two routers that boot must not share them', () => {
    const play = booted();
    play.live(45_000, { owners: ['none', 'none'] });
    expect(asked(play).slice(0, 1)).toEqual([`claim ${FIRST}`]);
    expect(asked(play)).not.toContain(`claim ${SECOND}`);
  });

  describe('whatever the reason why no session is UP', () => {
    test('the streams are lost', () => {
      const play = watching('peer');
      play.at(1_000, { type: 'streamsLost', cause: 'reset' });
      play.live(45_000, { owners: peers, conditions: STOPPED });
      expect(asked(play)).toEqual(BOTH);
    });

    test('the router has never answered', () => {
      const play = new Play();
      play.at(0, started());
      play.live(45_000, { owners: peers, conditions: STOPPED });
      expect(asked(play)).toEqual(BOTH);
    });

    test('the own interfaces are DOWN', () => {
      const play = watching('peer');
      const down = [interfaceEvent('Te1', 'Down'), interfaceEvent('Te2', 'Down')];
      play.at(1_000, ...down, sessionEvent('a', 'Down'), sessionEvent('b', 'Down'));
      play.live(45_000, { owners: peers, conditions: STOPPED });
      expect(asked(play)).toEqual(BOTH);
    });

    test('but not where another client is in control: who knows what it does', () => {
      const play = watching('peer');
      play.at(1_000, { type: 'controlLost', cause: 'NOTIF_TERM' });
      play.live(45_000, { owners: peers, conditions: STOPPED });
      expect(asked(play)).toEqual([]);
      expect(play.alarms).toContain('takeover-blocked');
    });
  });

  test('a failed question is no evidence, nor is the answer before it', () => {
    const play = booted();
    play.live(35_000, { owners: peers, conditions: STOPPED, calls: 'throttled' });
    expect(play.state.attempt?.purpose).toBe('evidence');
    play.live(45_000, { owners: peers, conditions: null, calls: 'throttled' });
    expect(play.state.attempt).toBeNull();
  });

  test('nor is one about an EC2 that cannot be observed any more', () => {
    const play = booted();
    play.live(35_000, { owners: peers, conditions: { 'i-peer': 'running' } });
    const number = play.state.evidence.lastNumber + 1;
    play.state = {
      ...play.state,
      evidence: { ...play.state.evidence, lastNumber: number, inFlight: number },
    };
    play.until(70_000);
    play.at(70_000, { type: 'holdersAnswered', number, result: { ok: true, conditions: STOPPED } });
    expect(play.state.role.why).toBe('unobserved');
    expect(asked(play)).toEqual([]);
  });

  test('an answer that comes late is about another time', () => {
    const play = booted();
    play.live(35_000, { owners: peers });
    play.at(36_000, { type: 'holdersAnswered', number: 1, result: { ok: true, conditions: STOPPED } });
    play.at(36_000, { type: 'holdersAnswered', number: 99, result: { ok: true, conditions: STOPPED } });
    expect(asked(play)).toEqual([]);
  });

  test('an answer that comes when a session is UP again is of no interest', () => {
    const play = booted();
    play.live(30_060, { owners: peers });
    const number = play.state.evidence.inFlight ?? -1;
    play.at(30_070, sessionEvent('a', 'Up'));
    play.at(30_080, { type: 'holdersAnswered', number, result: { ok: true, conditions: STOPPED } });
    play.at(30_090, sessionEvent('a', 'Unconfigured'));
    expect(asked(play)).toEqual([]);
    expect(play.state.evidence.conditions).toEqual({});
  });

  test('a session that comes UP before anything has moved ends it', () => {
    const play = booted();
    // Between two tries.
    play.live(30_960, { owners: peers, conditions: STOPPED, calls: 'throttled' });
    play.at(30_960, sessionEvent('a', 'Up'));
    expect(play.state.attempt).toBeNull();
  });

  test('who holds a target may change while nothing has moved: only what is proven is asked for', () => {
    const play = booted();
    play.live(31_000, { owners: peers, conditions: STOPPED, calls: 'throttled' });
    play.live(42_000, { owners: ['third', 'peer'], conditions: STOPPED, calls: 'throttled' });
    const second = play.all('sendCall').filter(({ attempt }) => attempt === 2);
    expect(second.map(({ targets }) => targets)).toContainEqual([SECOND]);
    expect(second.map(({ targets }) => targets)).not.toContainEqual([FIRST]);
  });
});

describe('unprotected (rule 9)', () => {
  const alarms = (play: Play): number => play.alarms.filter((code) => code === 'unprotected').length;

  test.each([
    ['the holder runs', { 'i-peer': 'running' } as const],
    ['EC2 does not say', null],
  ])('%s: stays and alarms, once', (_what, conditions) => {
    const play = booted();
    play.live(200_000, { owners: peers, conditions });
    expect(asked(play)).toEqual([]);
    expect(alarms(play)).toBe(1);
  });

  test('over when a session is UP, and another alarm the next time', () => {
    const play = booted();
    play.live(45_000, { owners: peers });
    play.at(45_000, sessionEvent('a', 'Up'));
    expect(play.reasons.at(-1)).toMatch(/alarm unprotected is over: a session is UP/i);
    play.at(46_000, sessionEvent('a', 'Unconfigured'));
    play.live(90_000, { owners: peers });
    expect(alarms(play)).toBe(2);
  });

  test('another alarm when the targets have been here in between', () => {
    const play = booted();
    play.live(45_000, { owners: peers });
    play.live(65_000, { owners: ['mine', 'mine'] });
    play.live(85_000, { owners: peers });
    expect(alarms(play)).toBe(2);
  });

  test('not because of a third instance: that alarms for itself', () => {
    const play = booted();
    play.live(90_000, { owners: ['third', 'mine'] });
    expect(alarms(play)).toBe(0);
    expect(play.all('askHolders')).toEqual([]);
    expect(play.alarms).toEqual(['foreign-holder']);
  });

  test('not where the targets are here', () => {
    const play = booted();
    play.live(90_000, { owners: ['mine', 'mine'] });
    expect(alarms(play)).toBe(0);
    expect(play.all('askHolders')).toEqual([]);
  });
});

describe('take_from_running_after_s (rule 9)', () => {
  const plan = planOf({ timing: { ...planOf().timing, takeFromRunningAfterMs: 60_000 } });

  test('is not there unless it is configured', () => {
    const play = booted();
    play.live(300_000, { owners: peers });
    expect(asked(play)).toEqual([]);
  });

  test('takes after that long, once per process life', () => {
    const play = booted(plan);
    play.live(59_999, { owners: peers, calls: 'ok' });
    expect(asked(play)).toEqual([]);
    play.live(60_200, { owners: peers, calls: 'ok' });
    expect(asked(play)).toEqual(BOTH);
    play.live(61_000, { owners: ['mine', 'mine'] });
    play.forget();
    play.live(300_000, { owners: peers, calls: 'ok' });
    expect(asked(play)).toEqual([]);
  });

  test('is spent by its beginning, but goes on while EC2 throttles it', () => {
    const play = booted(plan);
    play.live(64_960, { owners: peers, calls: 'throttled' });
    expect(new Set(play.all('sendCall').map(({ attempt }) => attempt))).toEqual(new Set([1]));
    expect(sends(play).length).toBeGreaterThan(4);
    play.at(64_960, sessionEvent('a', 'Up'));
    expect(play.state.attempt).toBeNull();
    play.at(65_100, sessionEvent('a', 'Unconfigured'));
    play.live(300_000, { owners: peers, calls: 'ok' });
    expect(play.state.lastAttempt).toBe(1);
  });

  test.each([
    ['in this process life', memoryOf({ beenActive: false })],
    ['in one before it on this boot', memoryOf({ beenActive: true })],
  ])('never after having been ACTIVE %s', (_when, memory) => {
    const play = new Play(plan);
    play.at(0, started(memory));
    play.at(50, synchronizedWith({ a: 'Down', b: 'Down' }, ['a', 'b']));
    if (!memory.beenActive) play.live(500, { owners: ['mine', 'mine'] });
    play.live(300_000, { owners: peers, calls: 'ok' });
    expect(asked(play)).toEqual([]);
  });

  test.each<[string, World]>([
    ['EC2 does not say how it is', { owners: peers, conditions: null }],
    ['it is only starting', { owners: peers, conditions: { 'i-peer': 'pending' } }],
  ])('not while %s', (_what, world) => {
    const play = booted(plan);
    play.live(300_000, world);
    expect(asked(play)).toEqual([]);
  });

  test.each([
    ['the streams are lost', [{ type: 'streamsLost', cause: 'reset' }]],
    ['its own interfaces are DOWN', [interfaceEvent('Te1', 'Down'), interfaceEvent('Te2', 'Down')]],
  ] as const)('not while %s: the failure may be here', (_what, events) => {
    const play = booted(plan);
    play.at(1_000, ...events);
    play.live(300_000, { owners: peers });
    expect(asked(play)).toEqual([]);
  });
});

describe('the bounds of evidence (rule 9)', () => {
  test('BFD calling too does not change what has begun', () => {
    const play = watching('peer', 'gen2');
    const down = [sessionEvent('a', 'Down'), sessionEvent('b', 'Down')];
    for (let time = 1_000; time <= 4_000; time += 1_000) {
      play.at(time, ...down);
      const { number } = play.state.attempt!;
      play.at(time + 100, answer(`${number}.1.1`, 'throttled'), answer(`${number}.2.1`, 'throttled'));
      play.at(time + 101, sessionEvent('a', 'Up'), sessionEvent('b', 'Up'));
    }
    play.at(5_000, ...down);
    play.live(40_000, { owners: peers, conditions: STOPPED, calls: 'throttled' });
    expect(play.state.attempt).toMatchObject({ purpose: 'evidence', number: 5, sessions: [] });
  });

  test('the first move for evidence waits for no keepalive before it', () => {
    const timing = { ...planOf().timing, evidenceHoldMs: 2_000 };
    const play = booted(planOf({ timing }));
    play.live(2_500, { owners: peers, conditions: STOPPED });
    expect(asked(play)).toEqual(BOTH);
  });
});

describe('what nobody holds, while no session is UP (rule 9)', () => {
  const running = { 'i-peer': 'running' } as const;

  test.each<[string, NonNullable<World['conditions']>, readonly string[]]>([
    ['is for the peer that holds the lowest target and runs', running, []],
    ['is for this router when that one is gone', STOPPED, [`take ${FIRST}`, `claim ${SECOND}`]],
  ])('%s', (_what, conditions, expected) => {
    const play = booted();
    play.live(60_000, { owners: ['peer', 'none'], conditions });
    expect(asked(play)).toEqual(expected);
  });

  test('is claimed one by one where neither router holds anything', () => {
    const play = booted();
    play.live(45_000, { owners: peers, conditions: running });
    play.live(75_000, { owners: ['none', 'none'], conditions: running });
    expect(asked(play)).toEqual([`claim ${FIRST}`]);
  });

  test('is asked for when EC2 has shown it for a keepalive', () => {
    const play = booted();
    play.live(49_000, { owners: ['mine', 'peer'], conditions: running });
    play.live(55_000, { owners: ['mine', 'none'], conditions: running });
    expect(asked(play)).toEqual([]);
    play.live(65_000, { owners: ['mine', 'none'], conditions: running });
    expect(asked(play)).toEqual([`claim ${SECOND}`]);
  });

  const patient = planOf({ timing: { ...planOf().timing, partialHoldMs: 90_000 } });

  test.each<[string, Partial<World>, readonly string[]]>([
    ['is left to rule 8 where the peer lives and holds nothing', { owners: ['detached', 'detached'] }, []],
    [
      'not where there is no peer to wait for',
      { owners: ['detached', 'detached'], peerIsKnown: false },
      BOTH,
    ],
    ['not where this router holds something', { owners: ['mine', 'detached'] }, [`take ${SECOND}`]],
  ])('what is on an interface of no instance %s', (_what, world, expected) => {
    const play = booted(patient);
    play.live(60_000, { owners: peers, conditions: running, ...world });
    expect(asked(play)).toEqual(expected);
  });
});

describe('the question about the holders (rule 9)', () => {
  const failure = { kind: 'uncertain', code: 'Timeout', message: 'no answer' } as const;
  const failed = (number: number, code = 'Timeout'): Event => ({
    type: 'holdersAnswered',
    number,
    result: { ok: false, failure: { ...failure, code } },
  });
  const said = (number: number): Event => ({
    type: 'holdersAnswered',
    number,
    result: { ok: true, conditions: { 'i-peer': 'running' } },
  });
  /** The first question is under way. */
  function asking(owners: World['owners'] = peers): Play {
    const play = booted();
    play.until(29_999);
    const number = play.state.observing.inFlight ?? -1;
    play.at(30_060, { ...play.observed(...owners), number } as Event);
    return play;
  }

  test('is numbered, and about others than this router', () => {
    const play = booted();
    play.live(55_000, { owners: ['misplaced', 'peer'], calls: 'throttled' });
    const questions = play.all('askHolders');
    expect(questions.map(({ number }) => number)).toEqual(questions.map((_, index) => index + 1));
    expect(questions.length).toBeGreaterThan(1);
    expect(questions.map(({ instanceIds }) => instanceIds)).toEqual(questions.map(() => ['i-peer']));
  });

  test('is answered once: what comes late is routine and changes nothing', () => {
    const play = asking();
    const before = play.state;
    const { state, weight } = play.take(said(99));
    expect({ state, weight }).toEqual({ state: before, weight: 'routine' });
  });

  test('is of no interest any more when a session is UP, nor to what comes after', () => {
    const play = asking();
    play.at(30_070, sessionEvent('a', 'Up', 30_070));
    play.at(30_080, sessionEvent('a', 'Unconfigured', 30_080));
    const before = play.state;
    const { state, weight } = play.take(said(1));
    expect({ state, weight }).toEqual({ state: before, weight: 'routine' });
    expect(state.evidence).toMatchObject({ inFlight: null, conditions: {}, failure: null });
  });

  /** Observations are answered, and the question is not. */
  function unanswered(until: number): Play {
    const play = asking();
    for (const at of [40_000, 50_000, 60_000, 70_000, 80_000]) {
      if (at > until) break;
      play.until(at);
      play.at(at + 60, play.observed('peer'));
    }
    return play;
  }

  test('is waited for over keepalives, and a slow answer counts', () => {
    const play = unanswered(60_000);
    expect(play.all('askHolders').map(({ number }) => number)).toEqual([1]);
    play.at(61_000, { type: 'holdersAnswered', number: 1, result: { ok: true, conditions: STOPPED } });
    expect(asked(play)).toEqual(BOTH);
  });

  test('that has been lost is asked again, and then its answer is late', () => {
    const play = unanswered(80_000);
    expect(play.all('askHolders').map(({ number }) => number)).toEqual([1, 2]);
    play.at(81_000, { type: 'holdersAnswered', number: 1, result: { ok: true, conditions: STOPPED } });
    expect(asked(play)).toEqual([]);
  });

  test.each([
    ['uncertain', 'asking again every second', 31_300],
    ['unsent', 'asking again every second', 31_300],
    ['throttled', 'asking again every second', 31_300],
    // Nobody has allowed it, and it does not get truer by asking.
    ['refused', 'asking again with the next keepalive', 40_000],
  ] as const)('that fails (%s): %s', (kind, words, again) => {
    const play = asking();
    play.at(30_080, play.observed('peer'));
    const result = { ok: false, failure: { kind, code: 'SomeCode', message: 'no' } } as const;
    const { reason } = play.at(30_100, { type: 'holdersAnswered', number: 1, result });
    expect(play.reasons.join('\n')).toContain(`(SomeCode: no): ${words}`);
    expect(reason).toContain('EC2 does not say how the holder is (SomeCode)');
    play.forget();
    play.live(again - 300, { owners: peers, conditions: STOPPED });
    expect(play.all('askHolders')).toEqual([]);
    play.live(again + 200, { owners: peers, conditions: STOPPED });
    expect(play.all('askHolders')).toHaveLength(1);
    expect(asked(play)).toEqual(BOTH);
  });

  test('that fails is news, the same failure again is not', () => {
    const weights = (codes: readonly string[]): readonly string[] => {
      const play = asking();
      return codes.map((code) => {
        const number = play.state.evidence.inFlight ?? -1;
        const { weight } = play.take(failed(number, code));
        play.until(play.now + 10_000);
        play.at(play.now, play.observed('peer'));
        return weight;
      });
    };
    expect(weights(['Timeout', 'Timeout', 'Refused'])).toEqual(['notable', 'routine', 'notable']);
  });
});

describe('the bounds of take_from_running_after_s (rule 9)', () => {
  const optIn = planOf({ timing: { ...planOf().timing, takeFromRunningAfterMs: 60_000 } });
  const running = { 'i-peer': 'running', 'i-third': 'running' } as const;

  test('one own interface that is UP is enough', () => {
    const play = booted(optIn);
    play.at(100, interfaceEvent('Te1', 'Down'));
    play.live(75_000, { owners: peers, conditions: running });
    expect(asked(play)).toEqual(BOTH);
  });

  test('one target is enough', () => {
    const play = booted({ ...optIn, targets: optIn.targets.slice(0, 1) });
    play.live(75_000, { owners: peers, conditions: running });
    expect(asked(play)).toEqual([`take ${FIRST}`]);
  });

  test('each holder has to run', () => {
    const play = booted({ ...optIn, foreignHolder: 'take' });
    play.live(75_000, { owners: ['third', 'peer'], conditions: { ...running, 'i-peer': 'pending' } });
    expect(asked(play)).toEqual([]);
  });

  test('it is spent by what it has allowed, and by nothing else', () => {
    const spent = (conditions: NonNullable<World['conditions']>, until: number, plan = optIn): boolean => {
      const play = booted(plan);
      play.live(until, { owners: ['third', 'peer'], conditions });
      expect(play.state.lastAttempt).toBe(1);
      return play.state.evidence.tookFromRunning;
    };
    const both = { ...optIn, foreignHolder: 'take' } as const;
    expect(spent(running, 75_000, both)).toBe(true);
    expect(spent({ ...running, 'i-peer': 'stopped' }, 45_000)).toBe(false);
    const play = watching('peer', 'gen2', optIn);
    play.at(1_000, sessionEvent('a', 'Down', 1_000), sessionEvent('b', 'Down', 1_000));
    expect(play.state.evidence.tookFromRunning).toBe(false);
  });
});

test('an ACTIVE router is not observed out of turn when no session has been UP for a while', () => {
  const play = booted();
  play.live(30_040, { owners: ['mine', 'mine'] });
  play.forget();
  // The hold ends at 30.05, and the next keepalive is at 30.1.
  play.live(30_090, { owners: ['mine', 'mine'] });
  expect(play.all('observeOwnership')).toEqual([]);
  play.live(30_110, { owners: ['mine', 'mine'] });
  expect(play.all('observeOwnership')).toHaveLength(1);
});

test('evidence of one target is not extended to what nobody holds since a moment ago, as a claim would be', () => {
  const play = booted();
  play.live(49_000, { owners: peers, conditions: { 'i-peer': 'running' } });
  play.live(51_000, { owners: ['peer', 'none'], conditions: STOPPED, calls: 'ok' });
  expect(asked(play)).toEqual([`take ${FIRST}`]);
});

describe('sessions that the peer has withdrawn (rule 9)', () => {
  const withdrawn = (
    plan = planOf(),
    levels: readonly ('Unconfigured' | 'Down')[] = ['Unconfigured'],
  ): Play => {
    const play = watching('peer', 'gen1', plan);
    for (const [place, session] of ['a', 'b'].entries()) {
      play.at(2_000, sessionEvent(session, 'Unconfigured', 2_000));
      const then = levels[place];
      if (then === 'Down') play.at(3_000, sessionEvent(session, 'Down', 3_000));
    }
    play.forget();
    return play;
  };

  test.each([
    ['all of them', ['Unconfigured', 'Unconfigured']],
    ['one, which then went DOWN', ['Down', 'Unconfigured']],
    ['all of them, which then went DOWN', ['Down', 'Down']],
  ] as const)('%s: an alarm and a question after 5 s, and one with each keepalive', (_what, levels) => {
    const play = withdrawn(planOf(), levels);
    play.live(6_900, { owners: peers });
    expect([play.alarms, play.all('askHolders').length]).toEqual([[], 0]);
    play.live(7_200, { owners: peers });
    expect([play.alarms, play.all('askHolders').length]).toEqual([['unprotected'], 1]);
    play.live(47_200, { owners: peers });
    expect([play.alarms, play.all('askHolders').length]).toEqual([['unprotected'], 5]);
    expect(asked(play)).toEqual([]);
  });

  test.each<[InstanceCondition, boolean]>([
    ['pending', false],
    ['running', false],
    ['unresponsive', false],
    ['impaired', true],
    ['stopping', true],
    ['stopped', true],
    ['terminated', true],
  ])('the holder is %s: take over before evidence_hold_s: %s', (condition, takes) => {
    const play = withdrawn();
    play.live(8_000, { owners: peers, conditions: { 'i-peer': condition } });
    expect(asked(play)).toEqual(takes ? BOTH : []);
  });

  test('one that the peer has left UP protects', () => {
    const play = watching('peer');
    play.at(2_000, sessionEvent('a', 'Unconfigured', 2_000));
    play.live(60_000, { owners: peers });
    expect([play.alarms, play.all('askHolders').length]).toEqual([[], 0]);
  });

  test('one that is back within the hold ends it', () => {
    const play = withdrawn();
    play.at(6_000, sessionEvent('a', 'Up', 6_000));
    play.live(60_000, { owners: peers });
    expect([play.alarms, play.all('askHolders').length]).toEqual([[], 0]);
  });

  test('what is not heard because its interface is DOWN here does not count', () => {
    const play = watching('peer');
    play.at(2_000, sessionEvent('a', 'Unconfigured', 2_000), interfaceEvent('Te2', 'Down'));
    play.at(2_010, sessionEvent('b', 'Down', 2_010));
    play.live(8_000, { owners: peers });
    expect(play.all('askHolders').length).toBe(1);
  });

  describe('on_peer_withdrawn', () => {
    const take = planOf({ onPeerWithdrawn: 'take' });

    test.each([
      ['stay: never', planOf(), 'running', []],
      ['take: after evidence_hold_s', take, 'running', BOTH],
      ['take, and it is not known how the holder is: never', take, 'gone', []],
    ] as const)('%s', (_what, plan, condition, expected) => {
      const play = withdrawn(plan);
      play.live(31_500, { owners: peers, conditions: { 'i-peer': condition } });
      expect(asked(play)).toEqual([]);
      play.live(50_000, { owners: peers, conditions: { 'i-peer': condition } });
      expect(asked(play)).toEqual(expected);
    });

    test('who has lost the targets meanwhile does not take them back while the sessions stay withdrawn', () => {
      const play = watching('mine', 'gen1', take);
      for (const session of ['a', 'b']) play.at(2_000, sessionEvent(session, 'Unconfigured', 2_000));
      play.live(200_000, { owners: peers });
      expect(asked(play)).toEqual([]);
      play.at(200_100, { type: 'streamsLost', cause: 'reset' });
      play.at(201_000, synchronizedWith({ a: 'Unconfigured', b: 'Unconfigured' }));
      play.live(400_000, { owners: peers });
      expect(asked(play)).toEqual([]);
    });
  });
});
