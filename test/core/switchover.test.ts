import type { Event } from '../../src/core/state/model';
import type { Observation } from '../../src/core/state/readings';
import { observationOf, planOf, sessionEvent } from '../support/coreWorld';
import { Play, answer, asked, interfaceEvent, watching } from './play';

const switchover = (request = 1): Event => ({ type: 'switchoverRequested', request });
const answers = (play: Play): readonly (readonly [number, boolean])[] =>
  play.all('answerOperator').map(({ request, accepted }) => [request, accepted] as const);
const holders = (play: Play): readonly string[] =>
  play.all('sendCall').map(({ networkInterfaceId }) => networkInterfaceId);

/** An ACTIVE router that has asked EC2 to give both targets to the peer. */
function switching(): Play {
  const play = watching('mine', 'gen2');
  play.at(1_000, switchover());
  expect(holders(play)).toEqual(['eni-peer1', 'eni-peer2']);
  return play;
}

/** Where EC2 shows the peer otherwise than it does. */
function watchingPeers(change: (peers: ReturnType<typeof observationOf>['peers']) => object): Play {
  const play = watching('mine', 'gen2');
  play.until(10_200);
  const observation = observationOf('mine');
  const peers = change(observation.peers) as typeof observation.peers;
  const number = play.state.observing.inFlight ?? -1;
  play.at(10_300, {
    type: 'ownershipObserved',
    number,
    startedAt: 10_200,
    observation: { ...observation, peers },
  });
  return play;
}

describe('switchover (rule 15)', () => {
  test('the ACTIVE router assigns the targets to the peer: one call per interface, at once', () => {
    const play = switching();
    expect(asked(play)).toEqual(['take 172.31.101.10', 'take 172.31.105.10']);
    play.at(1_100, answer('1.1.1'), answer('1.2.1'));
    expect(play.state.role.haState).toBe('STANDBY');
    expect(answers(play)).toEqual([[1, true]]);
    expect(play.all('answerOperator')[0]?.sentence).toBe(
      'switched over 172.31.101.10 and 172.31.105.10 to the peer; it knows with its next keepalive. Whether the peer is inhibited cannot be seen from here: type show ha_reason there',
    );
  });

  test.each<[string, (play: Play) => void, RegExp]>([
    ['a session is not UP', (play) => play.take(sessionEvent('b', 'Down')), /b is DOWN/],
    ['a level is not known', (play) => play.take(sessionEvent('b', 'Unknown')), /b is UNKNOWN/],
    [
      'the streams are lost',
      (play) => play.take({ type: 'streamsLost', cause: 'reset' }),
      /streams are lost/,
    ],
    [
      'another client is in control',
      (play) => play.take({ type: 'controlLost', cause: 'x' }),
      /another client/,
    ],
    ['EC2 has not been observed', (play) => play.until(60_000), /not ACTIVE/],
    [
      'it is shutting down',
      (play) => play.take({ type: 'shutdownRequested', cause: 'SIGTERM' }),
      /shutting down/,
    ],
  ])('is declined where %s', (_why, change, sentence) => {
    const play = watching('mine', 'gen2');
    change(play);
    play.at(play.now, switchover());
    expect(answers(play)).toEqual([[1, false]]);
    expect(play.all('answerOperator')[0]?.sentence).toMatch(sentence);
    expect(holders(play)).toEqual([]);
  });

  test.each(['peer', 'none'] as const)('is declined by a router that is not ACTIVE (%s)', (owner) => {
    const play = watching(owner);
    play.at(1_000, switchover());
    expect(answers(play)).toEqual([[1, false]]);
  });

  test('is declined before EC2 has answered', () => {
    const play = new Play();
    play.at(0, switchover());
    expect(answers(play)).toEqual([[1, false]]);
  });

  test.each<[string, NonNullable<Observation['refusals']>, string | null]>([
    [
      'there',
      { '172.31.105.10': { 'eni-peer2': 'it is managed' } },
      'EC2 would refuse 172.31.105.10: it is managed',
    ],
    [
      'there, of each target',
      { '172.31.101.10': { 'eni-peer1': 'full' }, '172.31.105.10': { 'eni-peer2': 'it is managed' } },
      'EC2 would refuse 172.31.101.10: full and EC2 would refuse 172.31.105.10: it is managed',
    ],
    ['here only', { '172.31.105.10': { 'eni-own2': 'it is managed' } }, null],
    ['elsewhere only', { '172.31.105.10': { 'eni-peer1': 'it is managed' } }, null],
  ])('what EC2 would refuse %s is an objection where it is there', (_where, refusals, objection) => {
    const play = watching('mine', 'gen2');
    play.until(10_200);
    const observation = { ...observationOf('mine'), refusals };
    const number = play.state.observing.inFlight ?? -1;
    play.at(10_300, { type: 'ownershipObserved', number, startedAt: 10_200, observation });
    play.at(10_400, switchover());
    expect(play.all('answerOperator').map(({ sentence }) => sentence)).toEqual(
      objection === null ? [] : [`no switchover: ${objection}`],
    );
    expect(holders(play)).toEqual(objection === null ? ['eni-peer1', 'eni-peer2'] : []);
  });

  test.each([
    ['EC2 knows no interface of the peer', () => ({})],
    [
      'it is on another subnet',
      (peers: object) => ({
        ...peers,
        '172.31.105.20': { networkInterfaceId: 'eni-x', instanceId: 'i-peer', subnetId: 'x' },
      }),
    ],
    [
      'it is attached to no instance',
      (peers: object) => ({
        ...peers,
        '172.31.105.20': { networkInterfaceId: 'eni-peer2', instanceId: null, subnetId: 'subnet-105' },
      }),
    ],
  ])('is declined where there is nothing to give to: %s', (_what, change) => {
    const play = watchingPeers(change);
    play.at(10_400, switchover());
    expect(answers(play)).toEqual([[1, false]]);
    expect(play.all('answerOperator')[0]?.sentence).toContain('172.31.105.10');
    expect(holders(play)).toEqual([]);
  });

  test('is declined while another switchover is decided or carried out', () => {
    const play = watching('mine');
    play.at(1_000, switchover(1), switchover(2));
    play.at(1_050, switchover(3));
    expect(answers(play)).toEqual([
      [2, false],
      [3, false],
    ]);
    play.at(1_100, answer('1.1.1'), answer('1.2.1'));
    expect(answers(play).at(-1)).toEqual([1, true]);
  });

  describe('does not succeed', () => {
    test('nothing had moved, and a session went DOWN: declined and ended', () => {
      const play = switching();
      play.at(1_100, answer('1.1.1', 'throttled'), answer('1.2.1', 'throttled'), sessionEvent('a', 'Down'));
      expect(play.state.attempt).toBeNull();
      expect(answers(play)).toEqual([[1, false]]);
    });

    test('EC2 refuses for good: given up after 10 s, with an alarm', () => {
      const play = watching('mine', 'gen2');
      play.at(1_000, switchover());
      play.live(11_100, { owners: ['mine', 'mine'], calls: 'refused' });
      expect(play.state.attempt).toBeNull();
      expect(answers(play)).toEqual([[1, false]]);
      expect(play.alarms).toContain('give-back-failed');
    });

    test('EC2 never answers: so is that', () => {
      const play = watching('mine', 'gen2');
      play.at(1_000, switchover());
      play.live(11_000, { owners: ['mine', 'mine'] });
      expect(answers(play)).toEqual([[1, false]]);
    });

    test('in part: the answer says so, and rule 8 brings the parts together', () => {
      const play = switching();
      play.at(1_100, answer('1.1.1'), answer('1.2.1', 'refused'));
      play.live(11_000, { owners: ['peer', 'mine'], calls: 'refused' });
      expect(answers(play)).toEqual([[1, false]]);
      expect(play.all('answerOperator')[0]?.sentence).toMatch(
        /gave up switching 172\.31\.105\.10 over after 10 s/,
      );
      expect(play.state.role.why).toBe('partial');
    });

    test('an operator elsewhere has moved them on: ended', () => {
      const play = switching();
      play.at(1_100, answer('1.1.1'), answer('1.2.1', 'throttled'));
      play.live(10_500, { owners: ['peer', 'mine'], calls: 'throttled' });
      play.live(11_300, { owners: ['third', 'mine'], calls: 'throttled' });
      expect(answers(play)).toEqual([[1, false]]);
    });

    test('the daemon stops before it is done', () => {
      const play = switching();
      play.at(1_100, { type: 'shutdownRequested', cause: 'SIGTERM' });
      expect(answers(play)).toEqual([]);
      play.until(6_000);
      expect(answers(play)).toEqual([[1, false]]);
      expect(play.all('stop').length).toBe(1);
    });
  });

  describe('the peer dies', () => {
    const dies = [sessionEvent('a', 'Down', 1_050), sessionEvent('b', 'Down', 1_050)] as const;

    test('in the middle: it gets nothing more, and what it has got comes back', () => {
      const play = switching();
      play.at(1_050, ...dies);
      play.at(1_100, answer('1.1.1'), answer('1.2.1', 'throttled'));
      expect(answers(play)).toEqual([[1, false]]);
      play.forget();
      play.until(1_200);
      // The other is asked for, too: EC2 has not said since the peer went DOWN that it is here.
      expect(asked(play)).toEqual(['take 172.31.101.10', 'take 172.31.105.10']);
      expect(holders(play)).toEqual(['eni-own1', 'eni-own2']);
    });

    test('while every answer is under way: arming is kept', () => {
      const play = switching();
      play.at(1_050, ...dies);
      play.at(1_100, answer('1.1.1'), answer('1.2.1'));
      play.forget();
      play.until(1_200);
      expect(holders(play)).toEqual(['eni-own1', 'eni-own2']);
    });

    test('while an answer is lost and EC2 shows what has become of it: arming is kept', () => {
      const play = watching('mine', 'gen2');
      play.until(10_200);
      play.at(10_300, switchover());
      play.at(10_310, ...dies);
      play.at(10_320, answer('1.1.1', 'uncertain'));
      play.at(10_330, play.observed('peer', 'peer', 10_325));
      play.forget();
      play.at(10_400, answer('1.2.1', 'uncertain'));
      play.until(10_500);
      expect(holders(play)).toEqual(['eni-own1', 'eni-own2']);
    });

    test('afterwards: an ordinary takeover', () => {
      const play = switching();
      play.at(1_100, answer('1.1.1'), answer('1.2.1'));
      play.live(20_000, { owners: ['peer', 'peer'] });
      play.forget();
      play.at(20_000, ...dies);
      expect(holders(play)).toEqual(['eni-own1', 'eni-own2']);
    });
  });

  test('it is the last word about the takeover before: nothing is given back besides', () => {
    const play = watching('peer', 'gen2');
    play.at(1_000, sessionEvent('a', 'Down'));
    play.until(1_020);
    play.at(1_100, answer('1.1.1'), answer('1.2.1'));
    play.at(1_200, sessionEvent('a', 'Up'), switchover());
    play.at(1_300, interfaceEvent('Te1', 'Down'), answer('2.1.1'), answer('2.2.1'));
    expect(answers(play)).toEqual([[1, true]]);
    expect(play.state.lastAttempt).toBe(2);
    expect(play.alarms).toEqual([]);
  });

  test('a target that EC2 will not move with the others is tried by itself', () => {
    const targets = planOf().targets.map((target) => ({ ...target, deviceIndex: 1 }));
    const play = watching('mine', 'gen2', planOf({ targets }));
    play.at(1_000, switchover());
    play.at(1_100, answer('1.1.1', 'refused'));
    expect(asked(play)).toEqual([
      'take 172.31.101.10 172.31.105.10',
      'take 172.31.101.10',
      'take 172.31.105.10',
    ]);
  });
});

describe('the bounds of a switchover (rule 15)', () => {
  test('what is given in the moment when the peer fails is given', () => {
    const play = switching();
    play.at(1_100, answer('1.1.1'), answer('1.2.1'), sessionEvent('a', 'Down', 1_100));
    expect(answers(play)).toEqual([[1, true]]);
  });

  test('a target that somebody else has got meanwhile: the operator is told', () => {
    const play = switching();
    play.take(answer('1.1.1'));
    play.until(10_999);
    play.forget();
    play.at(11_000, play.observed('third', 'mine', 11_000));
    expect(answers(play)).toEqual([[1, false]]);
    expect(play.alarms).toContain('target-lost');
  });
});
