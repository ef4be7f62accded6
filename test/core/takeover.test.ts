import type { Event } from '../../src/core/state/model';
import { planOf, sessionEvent } from '../support/coreWorld';
import { answer, interfaceEvent, interfacesAnswered, watching, type Play } from './play';

const sends = (play: Play): readonly string[] =>
  play.all('sendCall').map(({ attempt, call, send }) => `${attempt}.${call}.${send}`);
const holders = (play: Play): readonly string[] =>
  play.all('sendCall').map(({ networkInterfaceId }) => networkInterfaceId);

describe('local or remote? (rule 5)', () => {
  test('on a trigger the requests are built at once and sent after the answer', () => {
    const play = watching('peer');
    play.at(1_000, sessionEvent('a', 'Down'));
    expect(play.effects.slice(0, 3).map(({ effect }) => effect)).toEqual([
      'askInterfaces',
      'prepareCall',
      'prepareCall',
    ]);
    play.at(1_002, interfacesAnswered(1, { Te1: 'Up' }));
    expect(sends(play)).toEqual(['1.1.1', '1.2.1']);
  });

  test('old generation: 5 ms budget', () => {
    const play = watching('peer');
    play.at(1_000, sessionEvent('a', 'Down'));
    play.until(1_004);
    expect(sends(play)).toEqual([]);
    play.until(1_005);
    expect(sends(play).length).toBe(2);
  });

  test('new generation: settle_ms', () => {
    const play = watching('peer', 'gen2');
    play.at(1_000, sessionEvent('a', 'Down'));
    play.until(1_019);
    expect(sends(play)).toEqual([]);
    play.until(1_020);
    expect(sends(play).length).toBe(2);
  });

  test('new generation that answers a subscription: asked for settle_ms, and its answer ends the wait', () => {
    const play = watching('peer', 'gen2', planOf(), true);
    play.at(1_000, sessionEvent('a', 'Down'));
    expect(play.all('askInterfaces')).toEqual([
      { effect: 'askInterfaces', attempt: 1, interfaceNames: ['Te1'], timeoutMs: 20 },
    ]);
    expect(sends(play)).toEqual([]);
    play.at(1_003, interfacesAnswered(1, { Te1: 'Up' }));
    expect(sends(play)).toEqual(['1.1.1', '1.2.1']);
  });

  test('new generation that does not answer this time: settle_ms', () => {
    const play = watching('peer', 'gen2', planOf(), true);
    play.at(1_000, sessionEvent('a', 'Down'));
    play.until(1_019);
    expect(sends(play)).toEqual([]);
    play.until(1_020);
    expect(sends(play).length).toBe(2);
  });

  test('new generation that answers DOWN: the failure is local, and nothing is asked for', () => {
    const play = watching('peer', 'gen2', planOf(), true);
    play.at(1_000, sessionEvent('a', 'Down'));
    play.at(1_003, interfacesAnswered(1, { Te1: 'Down' }));
    expect(sends(play)).toEqual([]);
    expect(play.state.attempt).toBeNull();
  });

  test('new generation: settle_ms 0 is no wait', () => {
    const timing = { ...planOf().timing, settleMs: 0 };
    const play = watching('peer', 'gen2', planOf({ timing }));
    play.at(1_000, sessionEvent('a', 'Down'));
    expect(sends(play).length).toBe(2);
  });

  test('new generation: skipped when sessions on two or more local interfaces are DOWN', () => {
    const play = watching('peer', 'gen2');
    play.at(1_000, sessionEvent('a', 'Down'), sessionEvent('b', 'Down'));
    expect(sends(play).length).toBe(2);
    expect(play.all('prepareCall')).toEqual([]);
  });

  test('the local interface is DOWN: dropped, and what was prepared is discarded', () => {
    const play = watching('peer');
    play.at(1_000, sessionEvent('a', 'Down'));
    play.at(1_002, interfacesAnswered(1, { Te1: 'Down' }));
    expect(sends(play)).toEqual([]);
    expect(play.all('discardPrepared')).toEqual([{ effect: 'discardPrepared', attempt: 1 }]);
  });

  test('a notification since the question is the newer word', () => {
    const play = watching('peer');
    play.at(1_000, sessionEvent('a', 'Down'), sessionEvent('b', 'Down'));
    play.at(1_001, interfaceEvent('Te1', 'Down'));
    play.at(1_002, interfacesAnswered(1, { Te1: 'Up', Te2: 'Up' }));
    expect(play.state.interfaces['Te1']?.level).toBe('Down');
  });

  test('what EC2 shows here before anything was asked for was not taken over by this attempt', () => {
    const play = watching('peer');
    play.until(10_000);
    play.at(10_002, sessionEvent('a', 'Down'));
    play.at(10_003, play.observed('mine', 'peer', 10_000));
    expect(play.reasons.join()).not.toContain('took over');
    expect(play.state.attempt).toBeNull();
    play.until(10_020);
    expect(play.all('sendCall').flatMap(({ targets }) => targets)).toEqual(['172.31.105.10']);
  });

  test('an answer to an attempt that is over says nothing about now', () => {
    const play = watching('peer');
    play.at(1_000, sessionEvent('a', 'Down'));
    play.at(1_001, sessionEvent('a', 'Up'));
    play.at(1_100, interfacesAnswered(1, { Te1: 'Down' }));
    expect(play.state.interfaces['Te1']?.level).toBe('Up');
  });

  describe('given back once, when the interface of every triggering session goes DOWN within 1 s', () => {
    const taken = (downAt: number): Play => {
      const play = watching('peer', 'gen2');
      play.at(1_000, sessionEvent('a', 'Down'));
      play.until(1_020);
      play.at(1_100, answer('1.1.1'), answer('1.2.1'));
      play.forget();
      play.at(downAt, interfaceEvent('Te1', 'Down'));
      return play;
    };

    test('at 1 s after the first write: to the holders of before', () => {
      const play = taken(2_020);
      expect(holders(play)).toEqual(['eni-peer1', 'eni-peer2']);
      expect(play.alarms).toEqual(['local-failure-suspected']);
    });

    test('later: kept', () => {
      expect(holders(taken(2_021))).toEqual([]);
    });

    test('once: the interface comes and goes again', () => {
      const play = taken(1_500);
      play.at(1_600, answer('2.1.1'), answer('2.2.1'));
      play.forget();
      play.at(1_700, interfaceEvent('Te1', 'Up'));
      play.at(1_800, interfaceEvent('Te1', 'Down'));
      expect(holders(play)).toEqual([]);
    });

    test('having stopped being ACTIVE by it, this router does not take them back because of the same DOWN', () => {
      const play = taken(1_500);
      play.at(1_600, answer('2.1.1'), answer('2.2.1'));
      play.at(1_700, play.observed('peer'));
      play.forget();
      play.at(2_000, interfaceEvent('Te1', 'Up'));
      play.until(9_000);
      expect(sends(play)).toEqual([]);
    });

    test('not before the requests under way are answered', () => {
      const play = watching('peer', 'gen2');
      play.at(1_000, sessionEvent('a', 'Down'));
      play.until(1_020);
      play.forget();
      play.at(1_050, interfaceEvent('Te1', 'Down'));
      play.until(2_000);
      expect(sends(play)).toEqual([]);
      play.at(2_020, answer('1.1.1'), answer('1.2.1', 'uncertain'));
      expect(holders(play)).toEqual(['eni-peer1', 'eni-peer2']);
    });

    test('only what has moved', () => {
      const play = watching('peer', 'gen2');
      play.at(1_000, sessionEvent('a', 'Down'));
      play.until(1_020);
      play.forget();
      play.at(1_050, interfaceEvent('Te1', 'Down'));
      play.at(1_100, answer('1.1.1'), answer('1.2.1', 'throttled'));
      expect(holders(play)).toEqual(['eni-peer1']);
    });

    test('nothing once the attempt was dropped', () => {
      const play = watching('peer', 'gen2');
      play.at(1_000, sessionEvent('a', 'Down'));
      play.until(1_020);
      play.at(1_100, answer('1.1.1', 'throttled'), answer('1.2.1', 'throttled'), sessionEvent('a', 'Up'));
      play.forget();
      play.at(1_200, interfaceEvent('Te1', 'Down'));
      expect(play.state.attempt).toBeNull();
      expect(holders(play)).toEqual([]);
    });

    test('the first write is the first that EC2 did not definitely refuse', () => {
      const play = watching('peer', 'gen2');
      play.at(1_000, sessionEvent('a', 'Down'));
      play.until(1_020);
      play.at(1_030, answer('1.1.1', 'throttled'), answer('1.2.1', 'throttled'));
      play.at(1_040, sessionEvent('b', 'Down'), interfaceEvent('Te1', 'Down'));
      play.forget();
      play.until(1_200);
      play.at(1_300, answer('1.1.2'), answer('1.2.2'));
      expect(holders(play)).toEqual(['eni-own1', 'eni-own2']);
      expect(play.state.role.haState).toBe('ACTIVE');
    });

    test('not for ever: after 10 s it is left to the peer', () => {
      const play = taken(1_500);
      play.forget();
      play.until(12_000);
      expect(play.state.attempt).toBeNull();
    });
  });

  test('judged by the sessions that said DOWN when the first write went out', () => {
    const play = watching('peer');
    play.at(1_000, sessionEvent('a', 'Down'));
    play.at(1_002, sessionEvent('b', 'Down'), interfacesAnswered(1, { Te1: 'Down' }));
    play.at(1_100, answer('1.1.1'), answer('1.2.1'));
    expect(holders(play)).toEqual(['eni-own1', 'eni-own2']);
    expect(play.state.role.haState).toBe('ACTIVE');
  });
});

describe('forward only (rule 7)', () => {
  const begun = (): Play => {
    const play = watching('peer', 'gen2');
    play.at(1_000, sessionEvent('a', 'Down'), sessionEvent('b', 'Down'));
    play.forget();
    return play;
  };
  const up = [sessionEvent('a', 'Up'), sessionEvent('b', 'Up')] as const;

  test.each(['throttled', 'unsent'] as const)('nothing moved (%s) and the peer is UP: dropped', (kind) => {
    const play = begun();
    play.at(1_100, answer('1.1.1', kind, 'x'), answer('1.2.1', 'throttled'), ...up);
    expect(play.state.attempt).toBeNull();
    play.until(9_000);
    expect(sends(play)).toEqual([]);
  });

  test.each([
    ['under way', []],
    ['without an answer', [answer('1.1.1', 'uncertain'), answer('1.2.1', 'throttled')]],
    ['answered with success', [answer('1.1.1'), answer('1.2.1', 'throttled')]],
  ] as const)('moved (%s) and the peer is UP: driven to completion', (_how, answers) => {
    const play = begun();
    play.at(1_100, ...answers, ...up);
    expect(play.state.attempt).not.toBeNull();
  });

  test('a refusal is definite: every call refused means that nothing has moved', () => {
    const play = begun();
    play.at(1_100, answer('1.1.1', 'refused'), answer('1.2.1', 'refused'), ...up);
    expect(play.state.attempt).toBeNull();
  });

  /** Every request fails for a minute, and so does EC2 when it is observed. */
  function failingForAMinute(kind: 'refused' | 'uncertain', ...events: readonly Event[]): Play {
    const play = begun();
    for (let now = 1_100; now < 62_000; now += 500) {
      play.until(now);
      const { attempt } = play.state;
      const open = (attempt?.calls ?? []).flatMap((call) =>
        call.outstanding.map(({ number }) => answer(`${attempt?.number}.${call.number}.${number}`, kind)),
      );
      play.at(now, ...open, ...(now === 30_100 ? events : []));
    }
    return play;
  }

  test.each(['refused', 'uncertain'] as const)(
    'an attempt that has had nothing confirmed for 60 s (%s) is decided afresh, also where EC2 is silent',
    (kind) => {
      expect(failingForAMinute(kind).state.attempt?.number).toBe(2);
    },
  );

  test('and not begun again when the peer is UP by then', () => {
    const play = failingForAMinute('uncertain', ...up);
    expect(play.state.attempt).toBeNull();
    expect(play.state.lastAttempt).toBe(1);
  });

  test('a takeover that goes on failing alarms once, and says what EC2 said', () => {
    const play = begun();
    play.at(1_100, answer('1.1.1', 'unsent', 'AuthFailure'), answer('1.2.1', 'unsent', 'AuthFailure'));
    for (let now = 1_200; now < 20_000; now += 100) {
      play.until(now);
      const open = (play.state.attempt?.calls ?? []).flatMap((call) =>
        call.outstanding.map(({ number }) => answer(`1.${call.number}.${number}`, 'unsent', 'AuthFailure')),
      );
      play.at(now, ...open);
    }
    expect(play.alarms.filter((code) => code === 'takeover-stuck')).toEqual(['takeover-stuck']);
    expect(play.state.verdict).toMatch(/AuthFailure/);
  });

  test('what EC2 refuses is told as refused alone; as stuck when EC2 then gives no answer', () => {
    const play = begun();
    play.at(1_100, answer('1.1.1'), answer('1.2.1', 'refused'));
    for (let now = 2_000; now < 9_000; now += 500) play.at(now);
    expect(play.alarms).toEqual(['takeover-refused']);
    play.until(12_000);
    expect(play.all('sendCall').map(({ call, send }) => [call, send])).toContainEqual([2, 2]);
    expect(play.alarms).toEqual(['takeover-refused']);
    play.at(12_100, answer('1.2.2', 'uncertain', 'Timeout'));
    expect(play.alarms).toEqual(['takeover-refused', 'takeover-stuck']);
    expect(play.reasons.at(-1)).toMatch(/172\.31\.105\.10 not moved for 3 s: EC2 last said Timeout/);
  });

  test('whoever overrules an attempt is not taken from again before BFD has been UP (rule 2)', () => {
    const play = begun();
    play.at(1_100, answer('1.1.1'), answer('1.2.1', 'refused'));
    play.until(12_000);
    play.at(12_000, play.observed('peer'));
    expect(play.alarms).toContain('target-lost');
    play.forget();
    play.until(40_000);
    expect(play.all('sendCall')).toEqual([]);
  });

  test('ended with an alarm when a target that it had moved has another owner after the staleness window', () => {
    const play = begun();
    play.at(1_100, answer('1.1.1'), answer('1.2.1', 'refused'), ...up);
    play.until(10_200);
    play.at(11_099, play.observed('peer'));
    expect(play.alarms).not.toContain('target-lost');
    play.until(12_099);
    play.at(12_100, play.observed('peer'));
    expect(play.alarms).toContain('target-lost');
    expect(play.state.attempt).toBeNull();
  });
});

test('a give-back waits for a hedge that was still out when the takeover ended: EC2 might carry it out last', () => {
  const play = watching('peer', 'gen2');
  play.at(1_000, sessionEvent('a', 'Down', 1_000), sessionEvent('b', 'Down', 1_000));
  play.at(1_710);
  play.at(1_720, answer('1.1.1'), answer('1.2.1'));
  expect(play.state.attempt).toBeNull();
  play.forget();
  play.at(1_900, interfaceEvent('Te1', 'Down'), interfaceEvent('Te2', 'Down'));
  expect(sends(play)).toEqual([]);
  play.at(1_950, answer('1.1.2'));
  expect(sends(play)).toEqual([]);
  play.at(1_960, answer('1.2.2'));
  expect(sends(play)).toEqual(['2.1.1', '2.2.1']);
  expect(play.state.attempt?.purpose).toBe('giveBack');
});

describe('the bounds of an attempt', () => {
  const both = [sessionEvent('a', 'Down', 1_000), sessionEvent('b', 'Down', 1_000)] as const;
  /** A takeover of both targets, asked for at 1 s. */
  function moving(plan = planOf()): Play {
    const play = watching('peer', 'gen2', plan);
    play.at(1_000, ...both);
    expect(sends(play)).toEqual(['1.1.1', '1.2.1']);
    return play;
  }

  test('what is complete in the moment when it would be stuck is not stuck', () => {
    const play = moving();
    play.until(3_999);
    play.at(4_000, answer('1.1.1'), answer('1.2.1'));
    expect(play.alarms).toEqual([]);
    expect(play.state.attempt).toBeNull();
  });

  test('new generation: another event does not end the wait of settle_ms', () => {
    const play = watching('peer', 'gen2');
    play.at(1_000, sessionEvent('a', 'Down'));
    play.at(1_010, interfaceEvent('Te2', 'Up'));
    expect(sends(play)).toEqual([]);
  });

  test('decided afresh after a minute without success, and not at it', () => {
    const play = moving();
    play.at(1_100, answer('1.1.1', 'uncertain'), answer('1.2.1', 'refused'));
    const answerAll = (): void => {
      for (const { number, outstanding } of play.state.attempt?.calls ?? [])
        for (const send of outstanding) play.take(answer(`1.${number}.${send.number}`, 'refused'));
    };
    while (play.state.wakeAt < 60_990) {
      play.at(Math.max(play.state.wakeAt, play.now));
      answerAll();
    }
    answerAll();
    play.at(61_000);
    expect(play.state.attempt?.number).toBe(1);
    answerAll();
    play.at(61_001);
    expect(play.state.attempt?.number).not.toBe(1);
  });

  test('the timeline has the time at which the first request went to the socket', () => {
    const play = moving();
    play.at(
      1_100,
      { ...answer('1.1.1'), sentAt: 1_003 } as Event,
      { ...answer('1.2.1'), sentAt: 1_002 } as Event,
    );
    play.at(1_200, play.observed('mine', 'mine', 1_150));
    expect(play.all('reportTimeline').map(({ timeline }) => timeline.firstSentAt)).toEqual([1_002]);
  });

  test('overruled at last: whoever has it lives, so what is DOWN counts no more', () => {
    const play = moving();
    play.at(1_100, answer('1.1.1'), answer('1.2.1', 'throttled'));
    play.until(11_199);
    play.at(11_200, play.observed('none', 'none', 11_200));
    expect(play.alarms).toContain('target-lost');
    expect(play.state.sessions['a']?.armed).toBe(false);
  });

  test('a give-back waits for each request that was out when the takeover ended', () => {
    const play = moving();
    play.until(1_700);
    expect(sends(play).slice(2)).toEqual(['1.1.2', '1.2.2']);
    play.at(1_800, answer('1.1.1'), answer('1.2.1'));
    play.at(1_900, interfaceEvent('Te1', 'Down'), interfaceEvent('Te2', 'Down'));
    expect(play.state.giveBack?.out).toEqual(['1/2', '2/2']);
    play.at(1_905, answer('7.1.2'));
    expect(play.state.giveBack?.out).toEqual(['1/2', '2/2']);
    play.at(1_910, answer('1.1.2'));
    expect(play.state.giveBack?.out).toEqual(['2/2']);
    play.at(1_920, answer('1.2.2'));
    expect(play.state.attempt?.purpose).toBe('giveBack');
  });

  test('what is due goes back when the last answer is there, however late, and whatever the interfaces do', () => {
    const play = moving();
    play.at(1_100, answer('1.1.1'));
    play.until(1_700);
    play.at(1_900, interfaceEvent('Te1', 'Down'), interfaceEvent('Te2', 'Down'));
    expect(play.state.giveBack?.isDue).toBe(true);
    play.at(2_300, interfaceEvent('Te1', 'Up'));
    play.at(2_500, answer('1.2.1'));
    expect(play.state.attempt?.purpose).not.toBe('giveBack');
    play.at(2_600, answer('1.2.2'));
    expect(play.state.attempt?.purpose).toBe('giveBack');
    expect(play.state.unconfirmed).toBeNull();
  });

  test('after its second nothing can go back any more', () => {
    const play = moving();
    play.at(1_100, answer('1.1.1'), answer('1.2.1'));
    expect(play.state.giveBack).not.toBeNull();
    play.at(2_001);
    expect(play.state.giveBack).toBeNull();
  });

  test('nothing goes back while the streams are lost: what is known of the interfaces may be old', () => {
    const play = moving();
    play.at(1_100, answer('1.1.1'), answer('1.2.1'));
    play.at(1_200, interfaceEvent('Te1', 'Down'), interfaceEvent('Te2', 'Down'), {
      type: 'streamsLost',
      cause: 'reset',
    });
    expect(play.state.attempt).toBeNull();
  });

  test('what nobody held goes back to nobody', () => {
    const play = watching('peer', 'gen2');
    play.until(9_999);
    play.at(10_000);
    play.at(10_050, play.observed('peer', 'none', 10_000));
    play.at(11_000, ...both);
    play.at(11_100, answer('1.1.1'), answer('1.2.1'));
    play.at(11_200, interfaceEvent('Te1', 'Down'), interfaceEvent('Te2', 'Down'));
    expect(play.state.attempt?.calls.map(({ targets }) => targets)).toEqual([['172.31.101.10']]);
  });

  /** Taken over, and the failure was here: being given back. */
  function givingBack(plan = planOf()): Play {
    const play = moving(plan);
    play.at(1_100, answer('1.1.1'), answer('1.2.1'));
    play.at(1_200, interfaceEvent('Te1', 'Down'), interfaceEvent('Te2', 'Down'));
    expect(play.state.attempt?.purpose).toBe('giveBack');
    // What is undone is not to be confirmed.
    expect(play.state.unconfirmed).toBeNull();
    return play;
  }

  test('a give-back is no wish of an operator: a preferred router goes on preferring', () => {
    const play = givingBack(planOf({ preferred: true }));
    play.at(1_300, answer('2.1.1'), answer('2.2.1'));
    expect(play.state.attempt).toBeNull();
    expect(play.state.preemption.offBecause).toBeNull();
  });

  test('a session that came UP and went DOWN while the targets go back counts no more when they have', () => {
    const play = givingBack();
    play.at(1_250, sessionEvent('a', 'Up', 1_250), sessionEvent('a', 'Down', 1_251));
    expect(play.state.sessions['a']?.armed).toBe(true);
    play.at(1_300, answer('2.1.1'));
    expect(play.state.sessions['a']?.armed).toBe(false);
  });

  test('a give-back goes on after a stall', () => {
    const play = givingBack();
    play.at(1_300, answer('2.1.1', 'throttled'), answer('2.2.1', 'throttled'));
    play.at(1_310, { type: 'processStalled', forMs: 1_000 });
    play.at(4_310);
    expect(play.state.attempt?.purpose).toBe('giveBack');
  });
});
