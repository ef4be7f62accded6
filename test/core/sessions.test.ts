import { sessionOf, testimonyOf } from '../../src/core/levels/sessions';
import type { Event, SessionLevel } from '../../src/core/state/model';
import type { LocalInterface, Session } from '../../src/core/state/state';
import { planOf, sessionEvent } from '../support/coreWorld';
import { Play, interfaceEvent, memoryOf, started, synchronizedWith, watching } from './play';

const NOW = 100_000;

type Case = {
  readonly rule: string;
  readonly session?: Partial<Session>;
  readonly local?: Partial<LocalInterface>;
  readonly says: 'up' | 'down' | 'nothing';
  readonly until?: number;
};

const cases: readonly Case[] = [
  { rule: 'an armed session that is DOWN testifies', says: 'down' },
  { rule: 'only an armed session that is DOWN triggers', session: { armed: false }, says: 'nothing' },
  { rule: 'its local interface UP or unknown', local: { level: 'Unknown' }, says: 'down' },
  { rule: 'local interface DOWN: it says nothing', local: { level: 'Down' }, says: 'nothing' },
  {
    rule: 'a session that is UP behind a local interface that is DOWN cannot testify',
    session: { level: 'Up' },
    local: { level: 'Down' },
    says: 'nothing',
  },
  {
    rule: 'if it came UP, so for reestablish_after_interface_s: not yet',
    local: { cameUpAt: NOW - 4_999 },
    says: 'nothing',
    until: NOW + 1,
  },
  {
    rule: 'if it came UP, so for reestablish_after_interface_s: now',
    local: { cameUpAt: NOW - 5_000 },
    says: 'down',
  },
  { rule: 'a session that is UP says so', session: { level: 'Up' }, says: 'up' },
  {
    rule: 'NEIGHBOR_UNCONFIG is no failure',
    session: { level: 'Unconfigured', armed: false },
    says: 'nothing',
  },
  {
    rule: 'a level that is not known is UNKNOWN, never DOWN',
    session: { level: 'Unknown' },
    says: 'nothing',
  },
  {
    rule: 'fresh: DOWN triggers nothing before reestablish_s',
    session: { freshSince: NOW - 9_999 },
    says: 'nothing',
    until: NOW + 1,
  },
  {
    rule: 'fresh and armed when last known: DOWN after reestablish_s',
    session: { freshSince: NOW - 10_000 },
    says: 'down',
  },
  {
    rule: 'fresh and armed when last known: UNKNOWN after reestablish_s is a failure to come UP',
    session: { level: 'Unknown', freshSince: NOW - 10_000 },
    says: 'down',
  },
  {
    rule: 'fresh: reestablish_s counts only while its interface is UP',
    session: { freshSince: NOW - 60_000 },
    local: { cameUpAt: NOW - 9_000 },
    says: 'nothing',
    until: NOW + 1_000,
  },
  {
    rule: 'fresh: reestablish_s does not count while nothing is known of its interface',
    session: { freshSince: NOW - 60_000 },
    local: { level: 'Unknown' },
    says: 'nothing',
  },
  {
    rule: 'fresh and not armed: never, however long',
    session: { armed: false, freshSince: 0 },
    says: 'nothing',
  },
];

describe('what a session can say (rules 2, 3 and 13)', () => {
  test.each(cases)('$rule', ({ session, local, says, until }) => {
    const plan = planOf();
    const play = new Play(plan);
    const state = {
      ...play.state,
      sessions: {
        ...play.state.sessions,
        a: {
          level: 'Down',
          changedAt: 0,
          changeSeen: true,
          lastUpAt: null,
          armed: true,
          disarmedBy: 'start',
          upAtLoss: null,
          freshSince: null,
          heldUntil: null,
          ...session,
        } as const,
      },
      interfaces: {
        ...play.state.interfaces,
        Te1: { level: 'Up', changedAt: 0, cameUpAt: null, ...local } as const,
      },
    };
    const planned = plan.sessions.find(({ id }) => id === 'a');
    if (planned === undefined) throw new Error('no session a');
    const testimony = testimonyOf(plan, state, planned, NOW);
    expect(testimony.says).toBe(says);
    if (testimony.says === 'nothing') expect(testimony.until).toBe(until ?? null);
  });
});

const armed = (play: Play): readonly string[] =>
  Object.entries(play.state.sessions)
    .filter(([, session]) => session.armed)
    .map(([id]) => id);

describe('arming (rule 2)', () => {
  test('a session is armed once it has been UP', () => {
    const play = new Play();
    play.at(0, started(), synchronizedWith({ a: 'Down', b: 'Unknown' }, ['a', 'b']));
    expect(armed(play)).toEqual([]);
    play.at(1, sessionEvent('a', 'Up'), sessionEvent('a', 'Down'));
    expect(armed(play)).toEqual(['a']);
  });

  test('NEIGHBOR_UNCONFIG disarms until the next UP', () => {
    const play = watching('peer');
    play.at(1_000, sessionEvent('a', 'Unconfigured'), sessionEvent('a', 'Down'));
    expect(armed(play)).toEqual(['b']);
    play.at(2_000, sessionEvent('a', 'Up'));
    expect(armed(play)).toEqual(['a', 'b']);
  });

  test.each<[string, SessionLevel, readonly string[]]>([
    ['being UP at that moment counts', 'Up', ['a', 'b']],
    ['DOWN at that moment does not', 'Down', ['b']],
    ['UNKNOWN at that moment does not', 'Unknown', ['b']],
  ])('when this router stops being ACTIVE: %s', (_rule, level, expected) => {
    const play = watching('mine');
    play.at(1_000, sessionEvent('a', level));
    play.until(10_200);
    play.at(10_300, play.observed('mine', 'peer'));
    expect(armed(play)).toEqual(expected);
  });

  test.each<[number, boolean]>([
    [0, false],
    [100, false],
    [101, true],
  ])(
    'DOWN %i ms after this router stopped being ACTIVE, with 3 intervals of 50 ms: armed %p',
    (afterMs, isArmed) => {
      const play = watching('mine');
      play.until(10_200);
      play.at(10_300, play.observed('peer'));
      play.at(10_300 + afterMs, sessionEvent('a', 'Down', 10_300 + afterMs));
      expect(armed(play)).toEqual(isArmed ? ['a', 'b'] : ['b']);
      expect(play.state.attempt === null).toBe(!isArmed);
    },
  );

  test.each<[string, readonly [number, Event][]]>([
    [
      'the streams are lost as this router stops being ACTIVE, and it is found UP',
      [
        [10_200, { type: 'streamsLost', cause: 'reset' }],
        [10_330, synchronizedWith({ a: 'Up', b: 'Up' })],
        [10_350, sessionEvent('a', 'Down', 10_350)],
      ],
    ],
    [
      'the streams are lost right after it, and it is found DOWN',
      [
        [10_310, { type: 'streamsLost', cause: 'reset' }],
        [10_350, synchronizedWith({ a: 'Down' })],
      ],
    ],
  ])('it goes DOWN a moment after the peer has seen the failure: %s', (_, events) => {
    const play = watching('mine');
    play.until(10_100);
    for (const [at, event] of events.filter(([at]) => at <= 10_300)) play.at(at, event);
    play.until(10_299);
    play.at(10_300, play.observed('peer'));
    for (const [at, event] of events.filter(([at]) => at > 10_300)) play.at(at, event);
    expect(play.state.sessions['a']).toMatchObject({ armed: false, disarmedBy: 'sameFailure' });
  });

  test('UP again after the failure that the peer took the targets for, it is armed again', () => {
    const play = watching('mine');
    play.until(10_200);
    play.at(10_300, play.observed('peer'));
    play.at(10_350, sessionEvent('a', 'Down', 10_350));
    play.at(10_360, sessionEvent('a', 'Up', 10_360));
    play.at(10_370, sessionEvent('a', 'Down', 10_370));
    expect(armed(play)).toEqual(['a', 'b']);
  });

  test('a target that the peer has newly got disarms what is not UP, on the way from partial to STANDBY too', () => {
    const play = watching('mine');
    play.until(10_200);
    play.at(10_300, play.observed('mine', 'peer'));
    play.at(11_000, sessionEvent('a', 'Down', 11_000), interfaceEvent('Te1', 'Down'));
    play.until(20_400);
    play.at(20_500, play.observed('peer'));
    expect(armed(play)).toEqual(['b']);
  });

  test('targets that are still where they were, or on nobody, disarm nothing', () => {
    const play = watching('mine');
    play.until(10_200);
    play.at(10_300, play.observed('mine', 'peer'));
    play.at(11_000, { type: 'controlLost', cause: 'another client' });
    play.until(20_400);
    play.at(20_500, play.observed('none', 'peer'));
    expect(armed(play)).toEqual(['a', 'b']);
  });

  test('never a timer: a role that is too old to be shown disarms nothing', () => {
    const play = watching('mine');
    play.at(1_000, sessionEvent('a', 'Down'));
    play.until(45_000);
    expect(play.state.role).toEqual({ haState: 'UNKNOWN', why: 'unobserved' });
    expect(armed(play)).toEqual(['a', 'b']);
  });

  test('without the streams no level is known, so none counts as UP when this router stops being ACTIVE', () => {
    const play = watching('mine');
    play.at(1_000, { type: 'streamsLost', cause: 'reset' });
    play.until(10_200);
    play.at(10_300, play.observed('peer'));
    expect(armed(play)).toEqual([]);
    play.at(11_000, synchronizedWith({ a: 'Down' }));
    expect(armed(play)).toEqual(['b']);
  });
});

describe('levels', () => {
  test('a repeated notification changes nothing, in the ACTIVE router either', () => {
    for (const owner of ['mine', 'peer'] as const) {
      const play = watching(owner);
      play.at(1_000, sessionEvent('a', 'Down', 1_000));
      const before = play.state;
      play.now = 5_000;
      play.take(sessionEvent('a', 'Down', 5_000));
      expect(play.state).toEqual(before);
    }
  });

  test('an interface without a session is not kept', () => {
    const play = watching('peer');
    play.take(interfaceEvent('MgmtEth0', 'Up'));
    expect(Object.keys(play.state.interfaces)).toEqual(['Te1', 'Te2']);
  });

  test('a session that survived stays fresh if it was programmed anew before and has not been UP since', () => {
    const play = watching('peer');
    play.at(2_000, { type: 'streamsLost', cause: 'reset' });
    play.at(3_000, synchronizedWith({ a: 'Down' }, ['a']));
    play.at(4_000, { type: 'streamsLost', cause: 'reset' });
    play.at(5_000, synchronizedWith({ a: 'Down' }));
    expect(play.state.sessions['a']).toMatchObject({ armed: true, freshSince: 3_000 });
  });

  test('a session that the reading does not mention is UNKNOWN and fresh, never DOWN', () => {
    const play = watching('peer');
    play.at(2_000, {
      type: 'streamsSynchronized',
      generation: 'gen1',
      answersAboutInterfaces: true,
      sessions: [],
      interfaces: [],
    });
    expect(play.state.sessions['a']).toMatchObject({ level: 'Unknown', freshSince: 2_000 });
    expect(play.all('sendCall')).toEqual([]);
  });
});

test('a session that the plan does not know is a bug, and is named', () => {
  expect(() => sessionOf(watching('peer').state, 'c')).toThrow('session c is not in the plan');
});

describe('what is kept of a session', () => {
  test('since when the peer has removed its side', () => {
    const play = watching('peer');
    play.take(sessionEvent('a', 'Unconfigured', 777));
    expect(play.state.sessions['a']).toMatchObject({ level: 'Unconfigured', changedAt: 777, armed: false });
  });

  test('levels that are read again are those of interfaces too', () => {
    const play = watching('peer');
    play.take({ type: 'levelsRead', sessions: [], interfaces: [{ interfaceName: 'Te1', level: 'Down' }] });
    expect(play.state.interfaces['Te1']?.level).toBe('Down');
    expect(play.reasons.join()).toContain('Te1 went from UP to DOWN');
  });

  test('a router that could not be asked for levels is told from one that had nothing to say', () => {
    const play = watching('peer');
    const reasonOf = (sessions: readonly { session: string; level: SessionLevel }[]): string =>
      play.take({ type: 'levelsRead', sessions, interfaces: [] }).reason;
    expect(reasonOf([])).toBe('the router could not be asked for levels');
    expect(reasonOf([{ session: 'a', level: 'Up' }])).toBe('levels read again');
  });

  test('each session has a detect time of its own: so long after a stall it gets a moment', () => {
    const [first, second] = planOf().sessions;
    const plan = planOf({ sessions: [first!, { ...second!, detectionTimeMs: 900 }] });
    const play = watching('peer', 'gen2', plan);
    play.at(2_000, { type: 'processStalled', forMs: 150 });
    play.at(2_800, sessionEvent('a', 'Down', 2_800), sessionEvent('b', 'Down', 2_800));
    const held = ['a', 'b'].map((id) => play.state.sessions[id]?.heldUntil);
    expect(held).toEqual([null, 5_800]);
  });
});

test('a session that the router refuses says so', () => {
  const play = new Play();
  play.at(0, started());
  play.at(100, {
    type: 'streamsSynchronized',
    generation: 'gen2',
    answersAboutInterfaces: false,
    sessions: [
      { session: 'a', level: 'Unknown', survived: false, refused: true, notification: null },
      { session: 'b', level: 'Up', survived: true, refused: false, notification: null },
    ],
    interfaces: ['Te1', 'Te2'].map((interfaceName) => ({ interfaceName, level: 'Up' })),
  });
  play.at(200, play.observed('peer'));
  expect(play.state.sessions['a']).toMatchObject({ armed: false, disarmedBy: 'refusal' });
  expect(play.state.verdict).toContain('the router refuses to have it');
});

test('a session that the router refuses when the streams are back is armed no more', () => {
  const play = watching('peer', 'gen2');
  play.at(2_000, { type: 'streamsLost', cause: 'reset' });
  play.at(3_000, {
    type: 'streamsSynchronized',
    generation: 'gen2',
    answersAboutInterfaces: false,
    sessions: ['a', 'b'].map((session) => ({
      session,
      level: 'Unknown',
      survived: false,
      refused: session === 'a',
      notification: null,
    })),
    interfaces: ['Te1', 'Te2'].map((interfaceName) => ({ interfaceName, level: 'Up' })),
  });
  expect(play.state.sessions).toMatchObject({ a: { armed: false }, b: { armed: true } });
});

const unwatched: readonly (readonly [string, (play: Play) => void, RegExp, number | null])[] = [
  [
    'the streams were lost',
    (play) => {
      play.at(2_000, { type: 'streamsLost', cause: 'reset' });
      play.at(10_000, synchronizedWith({ a: 'Down', b: 'Down' }));
    },
    /; late, because the router's event streams were lost for 8 s\b.*The peer was last known UP 8 s ago/,
    2_000,
  ],
  [
    'the streams were lost, and the DOWN came by a notification after that',
    (play) => {
      play.at(2_000, { type: 'streamsLost', cause: 'reset' });
      play.at(9_000, synchronizedWith({ a: 'Unknown', b: 'Unknown' }));
      play.at(10_000, sessionEvent('a', 'Down', 10_000));
    },
    /; late, because the router's event streams were lost for 7 s\b.*The peer was last known UP 8 s ago/,
    2_000,
  ],
  [
    'another client had the streams, then they were lost',
    (play) => {
      play.at(2_000, { type: 'controlLost', cause: 'NOTIF_TERM' });
      play.at(5_000, { type: 'streamsLost', cause: 'reset' });
      play.at(10_000, synchronizedWith({ a: 'Down', b: 'Down' }));
    },
    /; late, because another client had the router's event streams for 8 s\b.*last known UP 8 s ago/,
    2_000,
  ],
  [
    'a stall, after which levels are read',
    (play) => {
      play.at(7_000, { type: 'processStalled', forMs: 5_000 });
      const sessions = [{ session: 'a', level: 'Down' } as const];
      play.at(7_001, { type: 'levelsRead', sessions, interfaces: [] }, play.observed('peer'));
      play.at(10_001);
    },
    /; late, because this router did not run this daemon for 5 s\b.*The peer was last known UP 8 s ago/,
    2_000,
  ],
  [
    'a stall, told after the DOWN that came in it',
    (play) => {
      play.take(sessionEvent('a', 'Down', 6_990));
      play.at(7_000, { type: 'processStalled', forMs: 5_000 }, play.observed('peer', 'peer', 7_000));
      play.at(10_001);
    },
    /; late, because this router did not run this daemon for 5 s\b.*The peer was last known UP 8 s ago/,
    2_000,
  ],
];

describe('when the peer was last known UP (rules 13 and 16)', () => {
  test.each(unwatched)(
    '%s: a takeover says when the peer was last known UP, and not when it went DOWN',
    (_what, story, sentence, lastUpAt) => {
      const play = watching('peer', 'gen2');
      story(play);
      expect(play.reasons.join('\n')).toMatch(sentence);
      expect(play.state.attempt).toMatchObject({ purpose: 'takeover', lastUp: { at: lastUpAt } });
      expect(play.state.attempt?.triggeredAt).toBe(play.state.attempt?.decidedAt);
    },
  );

  test('after a start nobody knows', () => {
    const play = new Play();
    play.at(20_000, started(memoryOf({ savedAt: 19_000, armedSessions: ['a', 'b'] })));
    play.at(20_050, synchronizedWith({ a: 'Down', b: 'Down' }), play.observed('peer'));
    expect(play.state.attempt).toMatchObject({ lastUp: { at: null } });
    expect(play.reasons.join()).toContain(
      'This daemon has not seen the peer UP: when it went DOWN is not known',
    );
  });

  test('what goes DOWN while it is watched again went DOWN then', () => {
    const play = watching('peer', 'gen2');
    play.at(2_000, { type: 'streamsLost', cause: 'reset' });
    play.at(3_000, synchronizedWith({ a: 'Up', b: 'Up' }));
    play.at(3_100, sessionEvent('a', 'Down', 3_090));
    expect(play.state.attempt).toMatchObject({ triggeredAt: 3_090, lastUp: null });
    expect(play.state.verdict).not.toContain('late');
  });

  test('another client takes the streams from this one in turn: one alarm', () => {
    const play = watching('peer');
    for (const at of [2_000, 22_000, 42_000]) {
      play.at(at, { type: 'controlLost', cause: 'NOTIF_TERM' });
      play.at(
        at + 1_000,
        { type: 'streamsLost', cause: 'ended' },
        { type: 'controlLost', cause: 'NOTIF_TERM' },
      );
      play.at(at + 10_000, synchronizedWith({ a: 'Up', b: 'Up' }));
    }
    expect(play.alarms.filter((code) => code === 'control-lost')).toEqual(['control-lost']);
    play.until(111_999);
    expect(play.state.alarms).toHaveProperty('control-lost');
    play.at(112_000);
    expect(play.state.alarms).not.toHaveProperty('control-lost');
    play.at(112_000, { type: 'controlLost', cause: 'NOTIF_TERM' });
    expect(play.alarms.filter((code) => code === 'control-lost')).toHaveLength(2);
  });
});
