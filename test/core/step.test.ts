import { sessionEvent } from '../support/coreWorld';
import {
  Play,
  answer,
  interfaceEvent,
  interfacesAnswered,
  started,
  synchronizedWith,
  watching,
} from './play';

const sigterm = { type: 'shutdownRequested', cause: 'SIGTERM' } as const;

describe('edge and level (rule 1)', () => {
  test('an event alone begins nothing: the input queue is drained first', () => {
    const play = watching('peer', 'gen2');
    play.take(sessionEvent('a', 'Down'));
    play.take(sessionEvent('b', 'Down'));
    expect(play.effects).toEqual([]);
    expect(play.state.attempt).toBeNull();
  });

  test('a takeover is considered whenever a level changes: a DOWN latched behind a local interface', () => {
    const play = watching('peer', 'gen2');
    play.at(1_000, interfaceEvent('Te1', 'Down'), sessionEvent('a', 'Down'));
    expect(play.state.attempt).toBeNull();
    play.at(20_000, interfaceEvent('Te1', 'Up'));
    play.until(25_000);
    expect(play.state.lastAttempt).toBe(1);
  });

  test('a takeover is considered whenever a level changes: the role', () => {
    const play = watching('mine', 'gen2');
    play.at(1_000, sessionEvent('a', 'Down'), sessionEvent('a', 'Up'));
    play.until(1_000);
    play.at(1_100, play.observed('peer'));
    expect(play.state.attempt).toBeNull();
    play.at(1_300, sessionEvent('a', 'Down', 1_300));
    expect(play.state.lastAttempt).toBe(1);
  });

  test('one takeover attempt at a time', () => {
    const play = watching('peer', 'gen2');
    play.at(1_000, sessionEvent('a', 'Down'));
    play.at(1_001, sessionEvent('b', 'Down'));
    expect(play.state.lastAttempt).toBe(1);
  });
});

describe('the order of effects', () => {
  test('takeover calls before all others', () => {
    const play = watching('peer', 'gen2');
    play.until(9_999);
    play.at(10_200, sessionEvent('a', 'Down'), sessionEvent('b', 'Down'));
    const names = play.effects.map(({ effect }) => effect);
    expect(names).toEqual(['sendCall', 'sendCall', 'observeOwnership', 'remember']);
  });

  test('what is worth remembering is handed over before the daemon stops', () => {
    const play = watching('peer', 'gen2');
    play.at(1_000, sessionEvent('a', 'Down'), sessionEvent('b', 'Down'));
    play.at(1_100, answer('1.1.1'));
    play.at(1_200, sigterm);
    play.forget();
    play.at(1_300, answer('1.2.1'));
    expect(play.effects.map(({ effect }) => effect)).toEqual(['observeOwnership', 'remember', 'stop']);
  });
});

describe('shutdown (rule 14)', () => {
  test('nothing in flight: stops at once', () => {
    const play = watching('peer');
    play.at(1_000, sigterm);
    expect(play.all('stop').length).toBe(1);
  });

  test('no new takeover', () => {
    const play = watching('peer', 'gen2');
    play.at(1_000, sigterm, sessionEvent('a', 'Down'), sessionEvent('b', 'Down'));
    play.until(20_000);
    expect(play.state.lastAttempt).toBe(0);
  });

  test('one in flight may finish, within 5 s', () => {
    const play = watching('peer', 'gen2');
    play.at(1_000, sessionEvent('a', 'Down'), sessionEvent('b', 'Down'));
    play.at(1_001, sigterm);
    expect(play.all('stop')).toEqual([]);
    play.until(6_001);
    expect(play.all('stop').length).toBe(1);
    expect(play.all('remember').at(-1)?.memory.intent).not.toBeNull();
  });

  test('stops once, however often it is asked to', () => {
    const play = watching('peer');
    play.at(1_000, sigterm);
    play.at(1_001, sigterm);
    play.until(20_000);
    expect(play.all('stop').length).toBe(1);
  });
});

describe('the reason', () => {
  test('every step has one, the ones that change nothing too', () => {
    const play = new Play();
    const events = [
      started(),
      synchronizedWith({}),
      interfaceEvent('Te1', 'Up'),
      interfaceEvent('Te99', 'Up'),
      interfacesAnswered(7, { Te1: 'Up' }),
      sessionEvent('a', 'Up'),
      answer('7.1.1', 'refused'),
      play.observed('peer'),
      { type: 'observationFailed', number: 7, failure: { kind: 'unsent', code: 'x', message: 'y' } },
      { type: 'streamsLost', cause: 'reset' },
      { type: 'streamsLost', cause: 'reset' },
      { type: 'controlLost', cause: 'NOTIF_TERM' },
      sigterm,
      sigterm,
      { type: 'inputDrained', jitter: 0 },
    ] as const;
    for (const event of events) expect(play.take(event).reason).not.toBe('');
  });
});

test('what an operator has been told at the stop is not told again when the move ends after all (rule 14)', () => {
  const play = watching('mine', 'gen2');
  play.at(1_000, { type: 'switchoverRequested', request: 1 });
  play.at(1_100, sigterm);
  play.until(5_100);
  const answers = () => play.all('answerOperator').map(({ request, accepted }) => [request, accepted]);
  expect(answers()).toEqual([[1, false]]);
  play.at(6_000, answer('1.1.1'), answer('1.2.1'));
  expect(play.state.attempt).toBeNull();
  expect(answers()).toEqual([[1, false]]);
});
