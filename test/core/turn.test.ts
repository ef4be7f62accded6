import { ALARMS_MAX } from '../../src/core/state/alarms';
import { initialState } from '../../src/core/state/state';
import { list, note, raiseAlarm, reasonOf, wakeAt, type Turn } from '../../src/core/state/turn';
import { planOf } from '../support/coreWorld';

const turnOf = (): Turn & { now: number } => ({
  plan: planOf(),
  whole: planOf(),
  now: 0,
  jitter: 0,
  state: { ...initialState(planOf()), wakeAt: 100 },
  effects: [],
  notes: [],
  alarms: [],
});

describe('the sentence of a step', () => {
  test('tells the news, in the order in which they were found, and leaves out what is routine', () => {
    const turn = turnOf();
    note(turn, 'routine', 'as before');
    note(turn, 'notable', 'the session a went DOWN');
    raiseAlarm(turn, 'unprotected', 'no session is UP');
    note(turn, 'notable', 'taking over');
    expect(reasonOf(turn)).toEqual({
      reason: 'the session a went DOWN. No session is UP. Taking over',
      weight: 'alarm',
    });
    expect(turn.alarms).toEqual(['unprotected']);
  });

  test('tells what is routine where there is no news', () => {
    const turn = turnOf();
    note(turn, 'routine', 'as before');
    note(turn, 'routine', 'nothing is due');
    expect(reasonOf(turn)).toEqual({ reason: 'as before. Nothing is due', weight: 'routine' });
  });

  test('says nothing twice', () => {
    const turn = turnOf();
    note(turn, 'notable', 'lost');
    note(turn, 'notable', 'lost');
    expect(reasonOf(turn)).toEqual({ reason: 'lost', weight: 'notable' });
  });

  test('is empty, and routine, where nothing was said', () => {
    expect(reasonOf(turnOf())).toEqual({ reason: '', weight: 'routine' });
  });
});

test('of very many different alarms no more are kept than anybody reads, and all are told of', () => {
  const turn = turnOf();
  for (let n = 0; n < ALARMS_MAX + 5; n += 1)
    raiseAlarm(turn, 'takeover-refused', `refused ${n}`, { about: [`10.0.0.${n}`], kind: `Code${n}` });
  expect(Object.keys(turn.state.alarms)).toHaveLength(ALARMS_MAX);
  expect(turn.alarms).toHaveLength(ALARMS_MAX + 5);
  turn.now = 7;
  raiseAlarm(turn, 'takeover-refused', 'refused again', { about: ['10.0.1.1'], kind: 'Code0' });
  expect(turn.state.alarms['takeover-refused Code0']).toEqual({
    code: 'takeover-refused',
    about: ['10.0.0.0', '10.0.1.1'],
    text: 'refused again',
    since: 0,
    lastAt: 7,
  });
});

test('a list reads as one writes it', () => {
  expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd']].map(list)).toEqual([
    '',
    'a',
    'a and b',
    'a, b and c',
    'a, b, c and d',
  ]);
});

test('the earliest of the times that are asked for counts', () => {
  const turn = turnOf();
  wakeAt(turn, 50);
  wakeAt(turn, 70);
  expect(turn.state.wakeAt).toBe(50);
});

test('of more than twenty only the first ten are listed, and how many more there are', () => {
  const items = (count: number) => Array.from({ length: count }, (_, index) => `${index + 1}`);
  expect(list(items(20))).toMatch(/^1, 2, .*, 19 and 20$/);
  expect(list(items(21))).toBe('1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 11 more');
});
