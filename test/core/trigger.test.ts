import { considerTakeover } from '../../src/core/rules/trigger';
import type { AwsPlan } from '../../src/aws/description';
import { observationOf, planOf, sessionEvent, slot } from '../support/coreWorld';
import { Play, answer, asked, interfaceEvent, started, synchronizedWith, watching } from './play';

function consideration(play: Play): { fires: boolean; sentence: string } {
  const turn = {
    plan: play.plan,
    now: play.now,
    whole: play.plan,
    jitter: 0,
    state: play.state,
    effects: [],
    notes: [],
    alarms: [],
  };
  return considerTakeover(turn);
}

/** Levels as they are, with no decision taken about them. */
function levels(play: Play, ...events: Parameters<Play['take']>[0][]): { fires: boolean; sentence: string } {
  for (const event of events) play.take(event);
  return consideration(play);
}

const all: Partial<AwsPlan> = { trigger: 'all' };

describe('the trigger (rule 3)', () => {
  test('STANDBY and one armed session DOWN: `any` fires', () => {
    const { fires, sentence } = levels(watching('peer'), sessionEvent('a', 'Down'));
    expect(fires).toBe(true);
    expect(sentence).toBe(
      'taking over 172.31.101.10 and 172.31.105.10: the session a is DOWN and this router is STANDBY',
    );
  });

  test('`all` is counted over the sessions that can testify: one that is UP holds back', () => {
    const play = watching('peer', 'gen1', planOf(all));
    expect(levels(play, sessionEvent('a', 'Down')).fires).toBe(false);
    expect(levels(play, sessionEvent('b', 'Down')).fires).toBe(true);
  });

  test('`all`: one whose local interface is DOWN cannot testify', () => {
    const play = watching('peer', 'gen1', planOf(all));
    expect(levels(play, interfaceEvent('Te2', 'Down'), sessionEvent('a', 'Down')).fires).toBe(true);
  });

  test('`all`: one that is not armed cannot testify', () => {
    const play = watching('peer', 'gen1', planOf(all));
    const unarmed = [sessionEvent('b', 'Unconfigured'), sessionEvent('b', 'Down')];
    expect(levels(play, ...unarmed, sessionEvent('a', 'Down')).fires).toBe(true);
  });

  test('`all`: one that may still come UP holds back until it has had its time', () => {
    const play = watching('peer', 'gen1', planOf(all));
    play.at(2_000, { type: 'streamsLost', cause: 'reset' });
    play.at(3_000, synchronizedWith({ a: 'Down', b: 'Down' }, ['b']));
    expect(play.state.attempt).toBeNull();
    play.until(13_000);
    expect(play.state.lastAttempt).toBe(1);
  });

  test('`all` with no session that can testify does not fire', () => {
    const play = watching('peer', 'gen1', planOf(all));
    const { fires } = levels(play, interfaceEvent('Te1', 'Down'), interfaceEvent('Te2', 'Down'));
    expect(fires).toBe(false);
  });

  describe('while one of the own target interfaces is DOWN, `all` applies', () => {
    const third = {
      id: 'c',
      peerAddress: '172.31.109.20',
      interfaceName: 'Te3',
      txIntervalMs: 50,
      detectionTimeMs: 150,
    };
    const plan = planOf({ sessions: [...planOf().sessions, third] });
    const synchronized = synchronizedWith({});
    const three = (): Play => {
      const play = new Play(plan);
      if (synchronized.type !== 'streamsSynchronized') throw new Error('not reached');
      play.at(0, {
        ...synchronized,
        sessions: [
          ...synchronized.sessions,
          { session: 'c', level: 'Up', survived: true, refused: false, notification: null },
        ],
        interfaces: [...synchronized.interfaces, { interfaceName: 'Te3', level: 'Up' }],
      });
      const { peers, ...observation } = observationOf('peer');
      const peer = {
        networkInterfaceId: 'eni-peer3',
        instanceId: 'i-peer',
        subnetId: 'subnet-109',
        slot: slot(3),
      };
      const number = play.state.observing.inFlight ?? -1;
      play.at(100, {
        type: 'ownershipObserved',
        number,
        startedAt: 0,
        observation: { ...observation, peers: { ...peers, '172.31.109.20': peer } },
      });
      play.now = 1_000;
      return play;
    };

    test('on the subnet of a target: one session is not enough', () => {
      const { fires, sentence } = levels(three(), interfaceEvent('Te1', 'Down'), sessionEvent('b', 'Down'));
      expect(fires).toBe(false);
      expect(sentence).toContain('Te1 is DOWN');
    });

    test('on the subnet of a target: all that can testify are', () => {
      const events = [interfaceEvent('Te1', 'Down'), sessionEvent('b', 'Down'), sessionEvent('c', 'Down')];
      expect(levels(three(), ...events).fires).toBe(true);
    });

    test('on a subnet that EC2 has not shown: taken for one, the careful reading', () => {
      const play = three();
      const { ownership } = play.state;
      if (ownership === null) throw new Error('not reached');
      const observation = { ...ownership.observation, peers: {} };
      play.state = { ...play.state, ownership: { ...ownership, observation } };
      const { fires } = levels(play, interfaceEvent('Te3', 'Down'), sessionEvent('b', 'Down'));
      expect(fires).toBe(false);
    });

    test('not on the subnet of any target: one session is enough', () => {
      expect(levels(three(), interfaceEvent('Te3', 'Down'), sessionEvent('b', 'Down')).fires).toBe(true);
    });
  });

  describe('partial: for what is not here, and again for what is not certainly here', () => {
    /** What EC2 was told to say, and when its reading began; then the peer goes DOWN at 20.4 s. */
    const targetsOf = (play: Play): readonly string[] => {
      play.at(20_400, sessionEvent('a', 'Down', 20_400), sessionEvent('b', 'Down', 20_400));
      play.at(20_425);
      return asked(play);
    };
    const partial = (): Play => {
      const play = watching('peer');
      play.until(10_200);
      play.at(10_300, play.observed('mine', 'peer'));
      play.until(20_300);
      return play;
    };
    const both = ['take 172.31.105.10', 'take 172.31.101.10'];

    test('the reading is older than the DOWN', () => {
      expect(targetsOf(partial())).toEqual(both);
    });

    test('EC2 then shows the other one on the peer, which had repaired it: the takeover goes on', () => {
      const play = partial();
      play.at(20_390, sessionEvent('a', 'Down', 20_390), sessionEvent('b', 'Down', 20_390));
      play.at(20_395, play.observed('peer', 'peer', 20_200));
      play.at(20_500);
      expect(asked(play)).toEqual(both);
      expect(play.state.sessions['a']?.armed).toBe(true);
    });

    test('the reading and the DOWN are of one moment: their order does not matter', () => {
      const play = partial();
      const down = [sessionEvent('a', 'Down', 20_400), sessionEvent('b', 'Down', 20_400)];
      play.at(20_400, ...down, play.observed('peer', 'peer', 20_200));
      play.at(20_500);
      expect(asked(play)).toEqual(['take 172.31.101.10', 'take 172.31.105.10']);
    });

    test('the peer takes after the DOWN what this takeover has asked for: it lives, and this router stays down', () => {
      const play = partial();
      targetsOf(play);
      play.at(20_500, answer('1.1.1'));
      play.at(20_510, answer('1.2.1'));
      play.until(31_000);
      play.at(31_100, play.observed('peer', 'peer'));
      play.until(60_000);
      expect(play.state.sessions['a']?.armed).toBe(false);
      expect(asked(play)).toEqual(both);
    });

    test.each([
      ['is here after all: no alarm', 'mine', 'ACTIVE', []],
      ['is on the peer: it is said, and tried again', 'peer', 'UNKNOWN', ['takeover-refused']],
    ] as const)('EC2 refuses what is asked for again and %s', (_what, owner, haState, alarms) => {
      const play = partial();
      targetsOf(play);
      play.at(20_500, answer('1.1.1'));
      play.at(20_510, answer('1.2.1', 'refused', 'InvalidParameterValue'));
      play.at(20_600, play.observed(owner, 'mine'));
      expect(play.state.role.haState).toBe(haState);
      expect(play.alarms).toEqual(alarms);
    });

    test('what is here does not commit: UP again before anything else has moved drops it', () => {
      const play = partial();
      targetsOf(play);
      play.at(20_500, answer('1.1.1', 'throttled'), answer('1.2.1'));
      play.at(20_510, sessionEvent('a', 'Up'), sessionEvent('b', 'Up'));
      expect(play.state.attempt).toBeNull();
    });
  });

  test.each([
    ['the streams are lost', { type: 'streamsLost', cause: 'reset' }],
    ['another client is in control', { type: 'controlLost', cause: 'NOTIF_TERM' }],
  ] as const)('never while %s', (_why, event) => {
    const play = watching('peer');
    const { fires } = levels(play, event, sessionEvent('a', 'Down'), sessionEvent('b', 'Down'));
    expect(fires).toBe(false);
  });

  test('a target whose own interface EC2 does not show holds nothing back and is not taken', () => {
    const play = watching('peer');
    play.until(10_200);
    const observation = observationOf('peer');
    const interfaces = observation.interfaces.slice(0, 1);
    play.at(10_300, {
      type: 'ownershipObserved',
      number: play.state.observing.inFlight ?? -1,
      startedAt: 10_200,
      observation: { ...observation, interfaces },
    });
    expect(levels(play, sessionEvent('a', 'Down')).sentence).toMatch(/^taking over 172\.31\.101\.10:/);
  });
});

describe('UNKNOWN is not deaf (rule 4)', () => {
  test('unobserved, last confirmed STANDBY: act', () => {
    const play = watching('peer');
    play.until(60_000);
    expect(play.state.role.why).toBe('unobserved');
    expect(levels(play, sessionEvent('a', 'Down')).fires).toBe(true);
  });

  test('never confirmed: latched, and said so', () => {
    const play = new Play();
    play.at(0, synchronizedWith({}));
    const { fires, sentence } = levels(play, sessionEvent('a', 'Down'));
    expect(fires).toBe(false);
    expect(sentence).toContain('the session a is DOWN, to be decided at its first answer');
  });

  test('ACTIVE: ignore, and say so', () => {
    const { fires, sentence } = levels(watching('mine'), sessionEvent('a', 'Down'));
    expect(fires).toBe(false);
    expect(sentence).toMatch(/^staying ACTIVE: the session a is DOWN/);
  });

  test('unobserved, last confirmed ACTIVE: ignore, and do not claim to be ACTIVE', () => {
    const play = watching('mine');
    play.until(60_000);
    const { fires, sentence } = levels(play, sessionEvent('a', 'Down'));
    expect(fires).toBe(false);
    expect(sentence).not.toContain('ACTIVE');
  });
});

test('an own interface on the subnet of no target that is DOWN does not make all sessions needed', () => {
  const [first, second] = planOf().sessions;
  const plan = planOf({
    targets: planOf().targets.slice(0, 1),
    sessions: [first!, second!, { ...first!, id: 'c' }],
  });
  const play = new Play(plan);
  play.at(0, started());
  play.at(100, {
    type: 'streamsSynchronized',
    generation: 'gen2',
    answersAboutInterfaces: false,
    interfaces: ['Te1', 'Te2'].map((interfaceName) => ({ interfaceName, level: 'Up' })),
    sessions: ['a', 'b', 'c'].map((session) => ({
      session,
      level: 'Up',
      survived: true,
      refused: false,
      notification: null,
    })),
  });
  play.at(200, play.observed('peer'));
  play.at(1_000, interfaceEvent('Te2', 'Down'), sessionEvent('a', 'Down', 1_000));
  expect(play.state.attempt?.purpose).toBe('takeover');
});
