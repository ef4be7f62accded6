import { instanceOf } from '../../src/core/levels/holders';
import { observationOf, planOf, sessionEvent, synchronizedEvent, type Owner } from '../support/coreWorld';
import { Play, asked, started, watching, type World } from './play';

const preferred = planOf({ preferred: true });
const peers: World = { owners: ['peer', 'peer'], calls: 'ok' };
const mine: World = { owners: ['mine', 'mine'] };

/** Preferred, and well since 200 ms after its start. */
const well = (): Play => watching('peer', 'gen2', preferred);

describe('preemption (rule 11)', () => {
  test('is off by default', () => {
    const play = watching('peer', 'gen2');
    play.live(300_000, peers);
    expect(asked(play)).toEqual([]);
  });

  test('takes the targets after preempt_delay_s, and not before', () => {
    const play = well();
    play.live(60_199, peers);
    expect(asked(play)).toEqual([]);
    play.live(60_300, peers);
    expect(asked(play)).toEqual(['take 172.31.101.10', 'take 172.31.105.10']);
    expect(play.state.role.haState).toBe('ACTIVE');
  });

  test.each<[string, (play: Play) => void]>([
    [
      'a session',
      (play) => {
        play.at(40_000, sessionEvent('a', 'Unknown'));
        play.at(41_000, sessionEvent('a', 'Up', 41_000));
      },
    ],
    [
      'a session, however short',
      (play) => play.at(41_000, sessionEvent('a', 'Unknown'), sessionEvent('a', 'Up', 41_000)),
    ],
  ])('the delay begins anew after a flap of %s', (_what, flap) => {
    const play = well();
    play.live(39_000, peers);
    flap(play);
    play.live(100_900, peers);
    expect(asked(play)).toEqual([]);
    play.live(101_100, peers);
    expect(asked(play).length).toBe(2);
  });

  test('the delay begins anew when EC2 cannot be observed', () => {
    const play = well();
    play.until(45_000);
    expect(play.state.role.why).toBe('unobserved');
    play.live(104_000, peers);
    expect(asked(play)).toEqual([]);
  });

  test.each<[string, Owner, Owner]>([
    ['partial: rule 8 has its own hold and its own order', 'peer', 'mine'],
    ['a target of a third instance', 'third', 'third'],
  ])('not for %s', (_what, first, second) => {
    const play = well();
    play.live(300_000, { owners: [first, second], calls: 'ok' });
    expect(asked(play)).toEqual([]);
  });

  test('what nobody holds is asked for without reassignment', () => {
    const play = well();
    play.live(70_000, { owners: ['none', 'peer'] });
    expect(asked(play)).toEqual(['claim 172.31.101.10', 'take 172.31.105.10']);
  });

  test('a session that goes before anything has moved ends it', () => {
    const play = well();
    play.live(60_270, { ...peers, calls: 'throttled' });
    expect(play.state.attempt?.purpose).toBe('preemption');
    play.at(60_270, sessionEvent('a', 'Unknown'));
    expect(play.state.attempt).toBeNull();
  });

  describe('somebody wants it otherwise', () => {
    /** It has taken them, and EC2 has shown so long enough. */
    const preempted = (): Play => {
      const play = well();
      play.live(60_400, peers);
      play.live(80_000, mine);
      play.forget();
      return play;
    };

    test('lost again while the sessions stayed UP: off until restart, with an alarm', () => {
      const play = preempted();
      play.live(400_000, peers);
      expect(play.alarms).toEqual(['preempt-conflict']);
      expect(asked(play)).toEqual([]);
    });

    test('one target is enough', () => {
      const play = preempted();
      play.live(95_000, { owners: ['peer', 'mine'] });
      expect(play.alarms).toEqual(['preempt-conflict']);
    });

    test('lost without ever having preempted: an operator has moved them', () => {
      const play = watching('mine', 'gen2', preferred);
      play.live(300_000, peers);
      expect(play.alarms).toEqual(['preempt-conflict']);
      expect(asked(play)).toEqual([]);
    });

    test('lost because BFD failed: it takes them back in its time', () => {
      const play = preempted();
      play.at(81_000, sessionEvent('a', 'Down', 81_000));
      play.at(82_000, play.observed('peer'));
      play.at(83_000, sessionEvent('a', 'Up', 83_000));
      play.forget();
      play.live(150_000, peers);
      expect(play.alarms).toEqual([]);
      expect(asked(play).length).toBe(2);
    });

    test('given to the peer by its own operator: off without an alarm, even where EC2 does not answer', () => {
      for (const calls of ['ok', 'uncertain'] as const) {
        const play = preempted();
        play.at(80_000, { type: 'switchoverRequested', request: 1 });
        play.live(81_000, { owners: ['peer', 'peer'], calls });
        play.live(400_000, peers);
        expect(play.alarms).toEqual([]);
        expect(asked(play).filter((request) => request.startsWith('claim'))).toEqual([]);
        expect(play.state.preemption.offBecause).toMatch(/operator/);
      }
    });

    test('a restart lets it preempt again', () => {
      const play = preempted();
      play.live(100_000, peers);
      const again = new Play(preferred);
      again.at(0, started(play.all('remember').at(-1)?.memory ?? null));
      expect(again.state.preemption.offBecause).toBeNull();
    });
  });
});

describe('the bounds of preemption (rule 11)', () => {
  test('readiness is that of a preferred router that watches', () => {
    const other = watching('peer');
    other.at(2_000);
    expect(other.state.preemption.readySince).toBeNull();
    const play = well();
    play.at(2_000);
    expect(play.state.preemption.readySince).toBe(200);
    play.at(2_100, { type: 'streamsLost', cause: 'reset' });
    expect(play.state.preemption.readySince).toBeNull();
  });

  test('one target is enough to be taken', () => {
    const play = watching('peer', 'gen2', { ...preferred, targets: preferred.targets.slice(0, 1) });
    play.live(60_300, peers);
    expect(asked(play)).toEqual(['take 172.31.101.10']);
  });

  test('what nobody holds since a moment ago is left until it is sure', () => {
    const play = well();
    play.live(59_000, peers);
    play.live(60_240, { owners: ['peer', 'none'] });
    expect(asked(play)).toEqual(['take 172.31.101.10']);
  });

  test('having been told to stop, it does not complain again', () => {
    const play = watching('mine', 'gen2', preferred);
    play.live(20_000, mine);
    play.live(40_000, { owners: ['peer', 'peer'] });
    play.live(60_000, mine);
    play.live(80_000, { owners: ['peer', 'peer'] });
    expect(play.alarms.filter((code) => code === 'preempt-conflict').length).toBe(1);
  });

  test('an own interface that was detached took its targets along: nobody wanted it so', () => {
    const play = watching('mine', 'gen2', preferred);
    play.live(20_000, mine);
    play.live(40_000, { owners: ['detached', 'mine'] });
    expect(play.alarms).not.toContain('preempt-conflict');
  });
});

describe('what counts as taken from a preferred router (rule 11)', () => {
  const conflicts = (before: World, after: World): boolean => {
    const play = new Play(preferred);
    play.at(0, started());
    play.at(100, synchronizedEvent('gen2', 'Up'));
    play.live(20_000, before);
    play.live(40_000, after);
    return play.alarms.includes('preempt-conflict');
  };

  test.each<[string, World['owners'], World['owners'], boolean]>([
    ['all of it, by the peer', ['mine', 'mine'], ['peer', 'peer'], true],
    ['all of it, by a third instance', ['mine', 'mine'], ['third', 'third'], true],
    ['one of two, by the peer', ['mine', 'mine'], ['peer', 'mine'], true],
    ['its part, while nobody had the other', ['mine', 'none'], ['peer', 'none'], true],
    ['its part, while a third instance had the other', ['third', 'mine'], ['third', 'peer'], true],
    // Rule 8: where each has a part, the rest goes one way or the other.
    ['its part, while the peer had the other', ['peer', 'mine'], ['peer', 'peer'], false],
    ['nothing: nobody has it', ['mine', 'mine'], ['mine', 'none'], false],
    ['nothing: it never had it', ['mine', 'none'], ['mine', 'peer'], false],
  ])('%s: %j -> %j: %s', (_what, before, after, expected) => {
    expect(conflicts({ owners: before }, { owners: after })).toBe(expected);
  });

  test('a route that somebody leads to a gateway', () => {
    const play = watching('mine', 'gen2', preferred);
    play.live(10_100, mine);
    const { holders, ...observation } = observationOf('mine');
    const [first = ''] = Object.keys(holders);
    const gateway = { kind: 'gateway', gatewayId: 'igw-1', mine: false } as const;
    play.until(20_100);
    play.at(20_150, {
      type: 'ownershipObserved',
      number: play.state.observing.inFlight ?? -1,
      startedAt: 20_100,
      observation: { ...observation, holders: { ...holders, [first]: gateway } },
    });
    expect(play.alarms).toContain('preempt-conflict');
  });
});

test('where nothing may be taken no preemption begins (rule 11)', () => {
  const play = well();
  play.live(90_000, { owners: ['third', 'third'] });
  expect(play.state.lastAttempt).toBe(0);
});

test.each([
  [
    'has flapped since EC2 last answered',
    [sessionEvent('a', 'Down', 25_000), sessionEvent('a', 'Up', 25_001)],
  ],
  ['is DOWN', [sessionEvent('a', 'Down', 25_000)]],
])(
  'lost while a session %s: the peer may have had its reasons, so preemption stays on (rule 11)',
  (_what, events) => {
    const play = watching('mine', 'gen2', preferred);
    play.live(24_000, mine);
    for (const event of events) play.take(event);
    play.at(25_001);
    play.at(25_050, play.observed('peer', 'peer', 25_001));
    expect(instanceOf(play.state.ownership?.holders['172.31.101.10'])).toBe('i-peer');
    expect(play.alarms).not.toContain('preempt-conflict');
  },
);

test('lost while a session is DOWN for long: preemption stays on too (rule 11)', () => {
  const play = watching('mine', 'gen2', preferred);
  play.live(15_000, mine);
  play.at(15_000, sessionEvent('a', 'Down', 15_000));
  play.live(45_000, mine);
  play.live(60_000, { owners: ['peer', 'peer'] });
  expect(play.alarms).not.toContain('preempt-conflict');
});
