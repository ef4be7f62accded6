/** Requests that wait for EC2's tokens (rules 6 and 7): they have moved nothing, and go when they are not wanted. */
import type { Event } from '../../src/core/state/model';
import { sessionEvent } from '../support/coreWorld';
import { answer, interfaceEvent, watching, type Play } from './play';

const queued = (key: string): Event => told('callQueued', key);
const released = (key: string): Event => told('callReleased', key);

function told(type: 'callQueued' | 'callReleased', key: string): Event {
  const [attempt = 0, call = 0, send = 0] = key.split('.').map(Number);
  return { type, attempt, call, send };
}

/** Two calls, asked for at 10 s while an observation is under way. */
function moving(): Play {
  const play = watching('peer', 'gen2');
  play.until(9_999);
  play.at(10_000, sessionEvent('a', 'Down', 10_000), sessionEvent('b', 'Down', 10_000));
  play.forget();
  return play;
}

const outstanding = (play: Play, call: number) => play.state.attempt?.calls[call - 1]?.outstanding;
const withdrawn = (play: Play) => play.all('withdrawCalls').map(({ attempt, calls }) => ({ attempt, calls }));

test('each step says what it is about, and none of it is news', () => {
  const play = moving();
  play.now = 10_010;
  const steps = [queued('1.1.1'), released('1.1.1'), queued('7.1.1'), released('1.9.1')];
  expect(steps.map((event) => play.take(event)).map(({ weight, reason }) => [weight, reason])).toEqual([
    ['routine', "request 1.1.1 waits for EC2's tokens"],
    ['routine', 'request 1.1.1 has its token and is sent'],
    ['routine', 'ignored what is told late of request 7.1.1'],
    ['routine', 'ignored what is told late of request 1.9.1'],
  ]);
});

test('the deadline of one that was queued runs from when it is sent', () => {
  const play = moving();
  play.at(10_010, queued('1.1.1'));
  expect(outstanding(play, 1)).toMatchObject([{ queued: true, startedAt: 10_000 }]);
  expect(play.state.attempt?.paced).toBe(true);
  play.at(10_500, released('1.1.1'));
  expect(outstanding(play, 1)).toMatchObject([{ queued: false, startedAt: 10_500 }]);
});

test('what EC2 has shown at its place is not asked for any more: the first one that is queued is withdrawn at once', () => {
  const play = moving();
  play.at(10_010, play.observed('mine', 'peer', 10_005));
  expect(play.state.attempt?.calls[0]?.outcome).toBe('moved');
  expect(play.state.ownership?.writes).toEqual({ '172.31.101.10': 10_010 });
  play.take(queued('1.1.1'));
  expect(withdrawn(play)).toEqual([{ attempt: 1, calls: [1] }]);
  expect(outstanding(play, 1)).toEqual([]);
  expect(outstanding(play, 2)?.length).toBe(1);
});

test('one whose call is still open stays queued', () => {
  const play = moving();
  play.take(queued('1.1.1'));
  play.take(queued('1.2.1'));
  play.at(10_010);
  expect(withdrawn(play)).toEqual([]);
  expect(outstanding(play, 1)?.length).toBe(1);
});

test('nothing has moved while all wait: the peer is UP again, so the attempt is dropped and they are withdrawn', () => {
  const play = moving();
  play.at(10_010, queued('1.1.1'), queued('1.2.1'));
  play.at(10_020, sessionEvent('a', 'Up'), sessionEvent('b', 'Up'));
  expect(play.state.attempt).toBeNull();
  expect(withdrawn(play)).toEqual([{ attempt: 1, calls: [1, 2] }]);
});

test('one request that has left is a move: it goes on', () => {
  const play = moving();
  play.at(10_010, queued('1.1.1'));
  play.at(10_020, sessionEvent('a', 'Up'), sessionEvent('b', 'Up'));
  expect(play.state.attempt?.number).toBe(1);
  expect(withdrawn(play)).toEqual([]);
});

test('a second request that waits goes when the first has done the work', () => {
  const play = moving();
  play.until(10_700);
  play.at(10_710, queued('1.1.2'));
  play.forget();
  play.at(10_720, answer('1.1.1'));
  expect(withdrawn(play)).toEqual([{ attempt: 1, calls: [1] }]);
});

describe('nothing has been confirmed for a minute', () => {
  /** The last request for the second call waits for tokens; EC2 has answered nothing. */
  function old(): Play {
    const play = moving();
    play.until(69_000);
    const last = play.all('sendCall').findLast(({ call }) => call === 2)?.send ?? 0;
    play.at(69_000, queued(`1.2.${last}`));
    play.forget();
    return play;
  }

  test('old news are not asked for: what waits is withdrawn, what is out may still be done', () => {
    const play = old();
    play.at(70_100, sessionEvent('a', 'Up'), sessionEvent('b', 'Up'));
    expect(withdrawn(play)).toEqual([{ attempt: 1, calls: [2] }]);
    expect(play.state.attempt?.number).toBe(1);
  });

  test('while the rule still calls for it all goes on', () => {
    const play = old();
    play.at(70_100);
    expect(withdrawn(play)).toEqual([]);
    expect(play.reasons.at(-1)).not.toMatch(/not asked again/);
  });

  test('it is not dropped while any request is out', () => {
    const play = moving();
    for (let now = 10_100; now <= 70_050; now += 50) {
      play.until(now);
      const refusals = (outstanding(play, 1) ?? []).map(({ number }) => answer(`1.1.${number}`, 'refused'));
      if (refusals.length > 0) play.at(now, ...refusals);
    }
    expect(outstanding(play, 1)).toEqual([]);
    expect(outstanding(play, 2)?.length).toBeGreaterThan(0);
    play.at(70_100, sessionEvent('a', 'Up'), sessionEvent('b', 'Up'));
    expect(play.state.attempt?.number).toBe(1);
  });
});

describe('a switchover that waits for tokens (rule 15)', () => {
  /** Given up when this long after the command, where the first call was moved at this time; null: never. */
  function givenUpAt(movedAt: number | null): number {
    const play = watching('mine', 'gen2');
    play.at(1_000, { type: 'switchoverRequested', request: 1 });
    play.at(1_010, queued('1.2.1'));
    if (movedAt !== null) {
      play.until(movedAt - 1);
      play.at(movedAt, answer('1.1.1'));
    }
    for (let now = Math.max(2_000, movedAt ?? 0); now < 40_000; now += 500) {
      play.until(now);
      if (play.state.attempt === null) return now;
    }
    return Infinity;
  }

  test('withdraws what waits as soon as the peer fails, and ends when what is out is answered', () => {
    const play = watching('mine', 'gen2');
    play.at(1_000, { type: 'switchoverRequested', request: 1 });
    play.at(1_010, queued('1.2.1'));
    play.forget();
    play.at(1_020, sessionEvent('a', 'Down', 1_020));
    expect(withdrawn(play)).toEqual([{ attempt: 1, calls: [2] }]);
    expect(outstanding(play, 1)?.length).toBe(1);
    play.at(1_100, answer('1.1.1'));
    expect(play.state.attempt).toBeNull();
    expect(play.all('answerOperator').map(({ accepted }) => accepted)).toEqual([false]);
    expect(play.all('sendCall')).toEqual([]);
  });

  test('has 10 s from the last success: EC2 sets the pace', () => {
    expect([givenUpAt(null), givenUpAt(5_000)]).toEqual([11_000, 15_000]);
  });
});

describe('a give-back (rule 5)', () => {
  const local = ['Te1', 'Te2'].map((name) => interfaceEvent(name, 'Down'));

  test('does not wait for what waited for tokens when the takeover ended', () => {
    const play = moving();
    play.until(10_700);
    play.at(10_710, queued('1.1.2'));
    play.at(10_720, answer('1.1.1'), answer('1.2.1'));
    expect(play.state.giveBack?.out).toEqual(['2/2']);
  });

  test('withdraws what waits, and does not wait for it', () => {
    const play = moving();
    play.at(10_010, queued('1.2.1'));
    play.at(10_020, answer('1.1.1'));
    play.at(10_100, ...local);
    expect(withdrawn(play)).toEqual([{ attempt: 1, calls: [2] }]);
    expect(play.state.attempt?.purpose).toBe('giveBack');
    // What failed here says nothing of the peer.
    expect(Object.values(play.state.sessions).map(({ armed }) => armed)).toEqual([false, false]);
    // The takeover is not over: nothing of it is confirmed any more.
    expect(play.state.unconfirmed).toBeNull();
  });
});
