/** What comes late or twice is told as routine and changes nothing; what is new is told as news. */
import type { Event } from '../../src/core/state/model';
import type { Step } from '../../src/core/step';
import { observationOf, sessionEvent } from '../support/coreWorld';
import { answer, interfaceEvent, interfacesAnswered, started, watching, type Play } from './play';

const failure = { kind: 'uncertain', code: 'Timeout', message: 'no answer' } as const;

/** A takeover of both targets under way since 1 s, asked for once each. */
function moving(generation: 'gen1' | 'gen2' = 'gen2'): Play {
  const play = watching('peer', generation);
  play.at(1_000, sessionEvent('a', 'Down', 1_000), sessionEvent('b', 'Down', 1_000));
  return play;
}

/** The second takeover, while requests of the first may still be answered. */
function movingAgain(): Play {
  const play = moving();
  play.at(1_100, answer('1.1.1', 'throttled'), answer('1.2.1', 'throttled'));
  play.at(1_101, sessionEvent('a', 'Up'), sessionEvent('b', 'Up'));
  play.at(2_000, sessionEvent('a', 'Down'), sessionEvent('b', 'Down'));
  expect(play.state.attempt?.number).toBe(2);
  return play;
}

const noOneAsked: Event = {
  type: 'ownershipObserved',
  number: 99,
  startedAt: 0,
  observation: observationOf('mine'),
};

describe('is routine and changes nothing', () => {
  test.each<[string, () => Play, Event]>([
    ['the answer to a request of an earlier attempt', movingAgain, answer('1.1.1', 'uncertain')],
    ['a second answer to one request', moving, answer('1.1.7')],
    ['an observation that nobody waits for', moving, noOneAsked],
    [
      'a failed observation that nobody waits for',
      moving,
      { type: 'observationFailed', number: 99, failure },
    ],
    [
      'an answer about the interfaces of an earlier attempt',
      movingAgain,
      interfacesAnswered(1, { Te1: 'Down' }),
    ],
    [
      'an answer about interfaces when there is no attempt',
      () => watching('peer'),
      interfacesAnswered(1, { Te1: 'Down' }),
    ],
    ['a level that is known', () => watching('peer'), sessionEvent('a', 'Up', 999)],
    ['a level of an interface that is known', () => watching('peer'), interfaceEvent('Te1', 'Up')],
    ['an interface without a session', () => watching('peer'), interfaceEvent('Te99', 'Down')],
  ])('%s', (_what, playOf, event) => {
    const play = playOf();
    const before = play.state;
    const { state, effects, weight } = play.take(event);
    expect({ state, effects, weight }).toEqual({ state: before, effects: [], weight: 'routine' });
  });

  test('the streams are lost once more', () => {
    const play = watching('peer');
    const weightOf = (type: 'streamsLost' | 'controlLost'): Step['weight'] =>
      play.take({ type, cause: 'reset' }).weight;
    expect([weightOf('streamsLost'), weightOf('streamsLost')]).toEqual(['notable', 'routine']);
    expect([weightOf('controlLost'), weightOf('controlLost')]).toEqual(['alarm', 'routine']);
  });

  test('a second signal', () => {
    const play = moving();
    const signal = { type: 'shutdownRequested', cause: 'SIGTERM' } as const;
    expect([play.take(signal).weight, play.take(signal).weight]).toEqual(['notable', 'routine']);
  });

  test('a router that does not say whether its interface is UP: the wait is over all the same', () => {
    const play = watching('peer', 'gen1');
    play.at(1_000, sessionEvent('a', 'Down', 1_000));
    play.now = 1_002;
    expect(play.take(interfacesAnswered(1, {})).weight).toBe('routine');
    expect(play.state.attempt?.askingUntil).toBe(1_002);
  });
});

describe('is news', () => {
  test.each<[string, Event, RegExp]>([
    ['a session that changes its level', sessionEvent('a', 'Down'), /went from UP to DOWN/],
    ['a stall', { type: 'processStalled', forMs: 150 }, /did not run this daemon for 150 ms/],
    ['a switchover', { type: 'switchoverRequested', request: 1 }, /an operator wants the peer/],
    ['a release', { type: 'releaseRequested', request: 1 }, /it was not inhibited/],
    ['a start', started(), /none are stored/],
  ])('%s', (_what, event, sentence) => {
    const { weight, reason } = watching('mine').take(event);
    expect([weight, reason]).toEqual(['notable', expect.stringMatching(sentence)]);
  });

  test('a second switchover while one is being decided is declined', () => {
    const play = watching('mine');
    play.take({ type: 'switchoverRequested', request: 1 });
    const { weight, effects } = play.take({ type: 'switchoverRequested', request: 2 });
    expect(weight).toBe('notable');
    expect(effects).toMatchObject([{ effect: 'answerOperator', request: 2, accepted: false }]);
  });
});
