/** A drill with a fault at each of its legs: it stops, and the targets stay with whoever serves them. */
import type { Event } from '../../src/core/state/model';
import { planOf, sessionEvent, type Owner } from '../support/coreWorld';
import type { Play } from './play';
import { asked, watching } from './play';

const HOLD_MS = 20_000;
const drill = (unready: readonly string[] = []): Event => ({
  type: 'drillRequested',
  request: 1,
  holdMs: HOLD_MS,
  unready,
});
const calls = 'ok' as const;
const BOTH_PEERS: readonly [Owner, Owner] = ['peer', 'peer'];
const BOTH_MINE: readonly [Owner, Owner] = ['mine', 'mine'];

const legs = (play: Play): readonly string[] => play.state.drill?.legs.map(({ leg }) => leg) ?? [];
const outcome = (play: Play): string => play.state.drill?.ended?.outcome ?? 'under way';

/** Until the peer has had everything for a while; it holds till 31 s. */
function holding(plan = planOf()): Play {
  const play = watching('mine', 'gen2', plan);
  play.at(1_000, drill());
  play.live(12_500, { owners: BOTH_PEERS, calls });
  expect(legs(play)).toEqual(['checks', 'over', 'hold']);
  return play;
}

/** Until everything is here again. */
function back(): Play {
  const play = holding();
  play.live(33_000, { owners: BOTH_PEERS, calls });
  play.live(34_000, { owners: BOTH_MINE, calls });
  expect(legs(play)).toEqual(['checks', 'over', 'hold', 'back', 'after']);
  return play;
}

test('goes over, holds, comes back and says so, with the requests and times of each half', () => {
  const play = back();
  play.live(60_000, { owners: BOTH_MINE, calls });
  expect(outcome(play)).toBe('done');
  expect(asked(play)).toEqual(
    ['172.31.101.10', '172.31.105.10', '172.31.101.10', '172.31.105.10'].map((id) => `take ${id}`),
  );
  expect(play.state.role.haState).toBe('ACTIVE');
  expect(play.alarms).toEqual([]);
  const found = play.state.drill?.legs.find((each) => each.leg === 'back');
  expect(found).toMatchObject({ requests: 2, timeline: { lastAnsweredAt: expect.any(Number) as unknown } });
});

test('a preferred router does not take the targets before their time, and is preferred afterwards too', () => {
  const plan = planOf({ preferred: true, timing: { ...planOf().timing, preemptDelayMs: 1_000 } });
  const play = holding(plan);
  play.live(30_000, { owners: BOTH_PEERS, calls });
  expect(legs(play).at(-1)).toBe('hold');
  expect(play.state.preemption.offBecause).toBeNull();
});

test.each<[string, (play: Play) => void, readonly Event[], RegExp]>([
  ['this router is not ready', () => {}, [drill(['a permission lacks'])], /not ready: a permission lacks/],
  ['a session is not UP', (play) => play.take(sessionEvent('b', 'Down')), [drill()], /b is DOWN/],
  [
    'a switchover is ordered',
    (play) => play.take({ type: 'scheduleRequested', request: 9, atWall: 900_000, wallNow: 0 }),
    [drill()],
    /a switchover is ordered for/,
  ],
  [
    'maintenance is near',
    (play) =>
      play.take({
        type: 'maintenanceLearnt',
        instanceId: 'i-peer',
        announced: [{ code: 'instance-stop', at: 100_000, atWall: 100_000 }],
      }),
    [drill()],
    /instance-stop from .* of the peer is announced/,
  ],
  ['another one is under way', () => {}, [drill(), { ...drill(), request: 2 } as Event], /under way/],
])('is declined where %s', (_why, change, events, sentence) => {
  const play = watching('mine', 'gen2');
  change(play);
  play.at(1_000, ...events);
  const declined = play.all('answerOperator').filter(({ accepted }) => !accepted);
  expect(declined.map((answer) => answer.sentence)).toEqual([expect.stringMatching(sentence)]);
  expect(declined[0]?.sentence).toMatch(/^no drill: /);
});

describe('stops', () => {
  test('on the way over: the cloud refuses', () => {
    const play = watching('mine', 'gen2');
    play.at(1_000, drill());
    play.live(40_000, { owners: BOTH_MINE, calls: 'refused' });
    expect([outcome(play), legs(play).at(-1)]).toEqual(['stopped', 'over']);
    expect(play.state.role.haState).toBe('ACTIVE');
  });

  test('at the peer: it dies, and this router takes over', () => {
    const play = holding();
    play.at(15_000, sessionEvent('a', 'Down', 15_000), sessionEvent('b', 'Down', 15_000));
    expect([outcome(play), legs(play).at(-1)]).toEqual(['stopped', 'hold']);
    play.live(20_000, { owners: BOTH_PEERS, calls });
    expect(play.state.role.haState).toBe('ACTIVE');
  });

  test('at the peer: one session of several goes DOWN, and the peer keeps what it serves', () => {
    const play = holding(planOf({ trigger: 'all' }));
    play.at(15_000, sessionEvent('a', 'Down', 15_000));
    play.live(60_000, { owners: BOTH_PEERS, calls });
    expect([outcome(play), legs(play).at(-1)]).toEqual(['stopped', 'hold']);
    expect(play.state.role.haState).toBe('STANDBY');
  });

  test('at the peer: somebody moves a target', () => {
    const play = holding();
    play.live(25_000, { owners: ['peer', 'third'], calls });
    expect([outcome(play), legs(play).at(-1)]).toEqual(['stopped', 'hold']);
  });

  test.each<[string, Event]>([
    [
      'an operator inhibits this router',
      { type: 'inhibitRequested', request: 5, forMs: 60_000, why: 'x', wallNow: 0 },
    ],
    ['an operator takes it back', { type: 'cancelRequested', request: 5 }],
    ['the streams are lost', { type: 'streamsLost', cause: 'reset' }],
    ['the daemon is told to stop', { type: 'shutdownRequested', cause: 'SIGTERM' }],
  ])('at the peer: %s', (_what, event) => {
    const play = holding();
    play.at(15_000, event);
    expect([outcome(play), legs(play).at(-1)]).toEqual(['stopped', 'hold']);
    expect(play.state.drill?.ended?.sentence).toContain('the targets stay with whoever serves them');
  });

  test('on the way back: the cloud refuses, and the peer keeps what it serves', () => {
    const play = holding();
    play.live(60_000, { owners: BOTH_PEERS, calls: 'refused' });
    expect([outcome(play), legs(play).at(-1)]).toEqual(['stopped', 'back']);
    expect(play.state.role.haState).toBe('STANDBY');
    expect(play.state.attempt).toBeNull();
  });

  test('after it: somebody takes a target away again', () => {
    const play = back();
    play.live(60_000, { owners: ['mine', 'third'], calls });
    expect([outcome(play), legs(play).at(-1)]).toEqual(['stopped', 'after']);
  });
});
