import { lowestOwned } from '../../src/core/rules/repair';
import type { Event } from '../../src/core/state/model';
import { addressTarget, heldOn, type Owner, planOf, sessionEvent, TARGETS } from '../support/coreWorld';
import { asked, interfaceEvent, watching, type Play, type World } from './play';

const [FIRST, SECOND] = TARGETS;

/** Watched since 0; EC2 shows these owners from the keepalive at 10 s on. */
function seen(owners: World['owners'], until = 60_000, plan = planOf()): Play {
  const play = watching('peer', 'gen2', plan);
  play.live(until, { owners });
  return play;
}

describe('a lasting partial ownership (rule 8)', () => {
  test.each<[string, Owner, Owner, readonly string[]]>([
    ['this router holds the lowest: it takes the rest', 'mine', 'peer', [`take ${SECOND}`]],
    ['the peer holds the lowest: left to the peer', 'peer', 'mine', []],
    ['what nobody holds is taken without reassignment', 'mine', 'none', [`claim ${SECOND}`]],
    ['the lowest owned target counts, not the lowest', 'none', 'mine', [`claim ${FIRST}`]],
    ['the peer holds the lowest owned one', 'none', 'peer', []],
    ['nothing is here', 'peer', 'none', []],
    ['an interface of no instance owns nothing', 'detached', 'mine', [`take ${FIRST}`]],
    ['and is taken from', 'mine', 'detached', [`take ${SECOND}`]],
    [
      'the wrong interface of this router is this router',
      'misplaced',
      'peer',
      [`take ${FIRST}`, `take ${SECOND}`],
    ],
    ['and what is on it is brought to the right one', 'mine', 'misplaced', [`take ${SECOND}`]],
    ['a third instance is not taken from', 'mine', 'third', []],
    ['a third instance is not of the pair: nothing is left to take', 'third', 'mine', []],
    ['a third instance does not make the peer the lowest', 'third', 'peer', []],
  ])('%s (%s, %s)', (_rule, first, second, expected) => {
    expect(asked(seen([first, second]))).toEqual(expected);
  });

  test('a third instance repairs nothing, so it is not waited for where it may be taken from', () => {
    expect(asked(seen(['third', 'mine'], 60_000, planOf({ foreignHolder: 'take' })))).toEqual([
      `take ${FIRST}`,
    ]);
  });

  test('partial_hold_s counts from the first observation that shows it', () => {
    expect(asked(seen(['mine', 'peer'], 34_999))).toEqual([]);
    expect(asked(seen(['mine', 'peer'], 35_000)).length).toBe(1);
  });

  describe('what EC2 says when nobody waits for it any more', () => {
    const late = (play: Play, startedAt: number): Event =>
      ({ ...play.observed('mine', 'peer', startedAt), number: null }) as Event;

    test('begins the hold when it comes', () => {
      const play = seen(['peer', 'peer'], 45_000);
      play.at(50_000, late(play, 46_000));
      expect(play.state.unchanged).toMatchObject({ since: 50_000, observations: 1 });
      play.live(74_900, { owners: ['mine', 'peer'] });
      expect(asked(play)).toEqual([]);
      play.live(75_100, { owners: ['mine', 'peer'] });
      expect(asked(play)).toEqual([`take ${SECOND}`]);
    });

    test('counts, where all answers come late', () => {
      const play = seen(['peer', 'peer'], 9_000);
      for (const at of [10_000, 20_000, 30_000]) {
        play.until(at);
        const failure = { kind: 'uncertain', code: 'Timeout', message: 'no answer yet' } as const;
        const number = play.state.observing.inFlight ?? -1;
        play.at(at + 1_000, { type: 'observationFailed', number, failure });
        play.at(at + 1_500, late(play, at));
      }
      expect(play.state.unchanged).toMatchObject({ since: 11_500, latest: 30_000, observations: 3 });
      play.until(36_400);
      expect(asked(play)).toEqual([]);
      play.until(36_600);
      expect(asked(play)).toEqual([`take ${SECOND}`]);
    });

    test('is not counted once more beside the others of the same moment', () => {
      const play = seen(['mine', 'peer'], 20_900);
      const before = play.state.unchanged;
      play.at(21_000, late(play, (before?.latest ?? 0) + 10));
      expect(play.state.unchanged).toEqual(before);
    });
  });

  test('at least 3 observations, however long the hold', () => {
    const plan = planOf({ timing: { ...planOf().timing, keepaliveIntervalMs: 40_000 } });
    // The second one comes soon after the first, which has shown that something has come here.
    const play = seen(['mine', 'peer'], 42_000, plan);
    expect([play.state.unchanged?.observations, asked(play)]).toEqual([2, []]);
    play.live(61_000, { owners: ['mine', 'peer'] });
    expect([play.state.unchanged?.observations, asked(play)]).toEqual([2, []]);
    play.live(63_000, { owners: ['mine', 'peer'] });
    expect([play.state.unchanged?.observations, asked(play).length]).toEqual([3, 1]);
  });

  test.each<[string, World['owners'], World['owners']]>([
    ['other holders', ['mine', 'peer'], ['peer', 'peer']],
    ['an interface that was detached', ['mine', 'detached'], ['mine', 'peer']],
  ])('a change in between begins the hold anew: %s', (_what, before, between) => {
    const play = seen(before, 21_000);
    play.live(31_000, { owners: between });
    play.live(45_000, { owners: before });
    const { since } = play.state.unchanged!;
    expect(since).toBeGreaterThan(31_000);
    play.live(since + 24_999, { owners: before });
    expect(asked(play)).toEqual([]);
    play.live(since + 25_000, { owners: before });
    expect(asked(play).length).toBe(1);
  });

  test.each([
    ['one that is UP is enough where the other cannot testify', [interfaceEvent('Te2', 'Down')], 1],
    ['or is not armed', [sessionEvent('b', 'Unconfigured')], 1],
    ['one that can testify and is not UP holds it back', [sessionEvent('b', 'Unknown')], 0],
    [
      'so does having no witness at all',
      [sessionEvent('a', 'Unconfigured'), sessionEvent('b', 'Unconfigured')],
      0,
    ],
  ] as const)('sessions: %s', (_rule, events, count) => {
    const play = watching('peer', 'gen2');
    play.at(1_000, ...events);
    play.live(45_000, { owners: ['mine', 'peer'] });
    expect(asked(play).length).toBe(count);
  });

  test('a session that goes DOWN before anything has moved ends the repair: rule 3 has its turn', () => {
    const play = seen(['mine', 'peer'], 34_000);
    play.live(35_100, { owners: ['mine', 'peer'], calls: 'throttled' });
    expect(play.state.attempt?.purpose).toBe('repair');
    play.live(35_400, { owners: ['mine', 'peer'], calls: 'throttled' });
    play.at(35_400, sessionEvent('b', 'Unknown'));
    expect(play.state.attempt).toBeNull();
  });

  test('nothing of our own that is under way is repaired', () => {
    const play = watching('peer', 'gen2');
    play.at(1_000, sessionEvent('a', 'Down'), sessionEvent('b', 'Down'));
    play.live(9_000, {
      owners: ['peer', 'peer'],
      calls: ([address]) => (address === FIRST ? 'ok' : 'throttled'),
    });
    play.at(9_000, sessionEvent('a', 'Up'), sessionEvent('b', 'Up'));
    expect(play.state.attempt?.purpose).toBe('takeover');
  });
});

describe('targets that only interfaces of no instance hold (rule 8)', () => {
  const abandoned: World['owners'] = ['detached', 'detached'];

  test.each([
    ['the lower interface on the subnet is here: first', 'eni-peer1', 34_999, 35_000],
    ['it is the peer: the second, after twice the hold', 'eni-a', 59_999, 60_000],
  ])('%s', (_what, peerInterface, before, after) => {
    const play = watching('peer');
    play.live(before, { owners: abandoned, peerInterface });
    expect(asked(play)).toEqual([]);
    play.live(after, { owners: abandoned, peerInterface });
    expect(asked(play)).toEqual([`take ${FIRST}`, `take ${SECOND}`]);
  });

  test('a part of them: what nobody holds is asked for without reassignment', () => {
    expect(asked(seen(['detached', 'none']))).toEqual([`take ${FIRST}`, `claim ${SECOND}`]);
  });

  test('not what a third instance holds', () => {
    expect(asked(seen(['third', 'detached']))).toEqual([`take ${SECOND}`]);
  });

  test('not where this router or the peer has one: that one decides', () => {
    expect(asked(seen(['detached', 'peer']))).toEqual([]);
  });
});

describe('no owner at all (rule 8)', () => {
  const none: World['owners'] = ['none', 'none'];

  test('two observations a keepalive apart, then the lowest without reassignment', () => {
    const play = watching('none');
    play.live(9_999, { owners: none });
    expect(asked(play)).toEqual([]);
    play.live(10_100, { owners: none });
    expect(asked(play)).toEqual([`claim ${FIRST}`]);
  });

  test('observations that follow each other sooner do not count, however many', () => {
    const play = watching('mine');
    // Rule 4: it looks every second.
    play.at(9_000, sessionEvent('a', 'Down'), sessionEvent('a', 'Up'));
    play.live(18_900, { owners: none });
    expect(play.state.unchanged?.observations).toBeGreaterThan(5);
    expect(asked(play)).toEqual([]);
  });

  test('on success the rest', () => {
    const play = watching('none');
    play.live(10_500, { owners: none, calls: 'ok' });
    expect(asked(play)).toEqual([`claim ${FIRST}`, `claim ${SECOND}`]);
    expect(play.state.role.haState).toBe('ACTIVE');
  });

  test('lost: read again, no alarm, and the winner is left alone', () => {
    const play = watching('none');
    play.live(10_120, { owners: none, calls: 'refused' });
    expect(asked(play)).toEqual([`claim ${FIRST}`]);
    expect(play.all('observeOwnership').length).toBe(2);
    play.live(90_000, { owners: ['peer', 'peer'], calls: 'refused' });
    expect(asked(play)).toEqual([`claim ${FIRST}`]);
    expect(play.alarms).toEqual([]);
  });

  test('lost, and a read that lags shows no owner still: no alarm', () => {
    const play = watching('none');
    play.live(19_900, { owners: none, calls: 'refused' });
    play.live(90_000, { owners: ['peer', 'none'], calls: 'refused' });
    expect(play.alarms).toEqual([]);
  });

  test('refused although nobody holds it: one alarm, the others too, one attempt a keepalive', () => {
    const play = watching('none');
    play.live(130_000, { owners: none, calls: ([address]) => (address === FIRST ? 'refused' : 'ok') });
    expect(play.alarms.filter((code) => code === 'takeover-refused')).toEqual(['takeover-refused']);
    expect(asked(play)).toContain(`claim ${SECOND}`);
    expect(play.state.lastAttempt).toBeLessThanOrEqual(13);
  });

  test('a session that is DOWN does not matter: there is nobody to take from', () => {
    const play = watching('none');
    play.at(1_000, sessionEvent('a', 'Unconfigured'), sessionEvent('b', 'Unconfigured'));
    // The sessions are called withdrawn at 6 s, and EC2 is asked then: the second reading is a keepalive after that.
    play.live(15_900, { owners: none });
    expect(asked(play)).toEqual([]);
    play.live(16_200, { owners: none });
    expect(asked(play)).toEqual([`claim ${FIRST}`]);
  });
});

describe('a repair that EC2 will not have (rule 8)', () => {
  test('somebody else was first at each target: nothing is said to have moved, and EC2 is asked who', () => {
    const [first, second] = planOf().targets;
    const plan = planOf({
      targets: [first!, { ...second!, deviceIndex: 1 }, addressTarget('172.31.105.11', 1)],
    });
    const play = watching('peer', 'gen2', plan);
    play.live(36_000, { owners: ['mine', 'none'], calls: 'refused' });
    expect(asked(play).slice(0, 3)).toEqual([
      'claim 172.31.105.10 172.31.105.11',
      'claim 172.31.105.10',
      'claim 172.31.105.11',
    ]);
    expect(play.state.attempt).toBeNull();
    expect(play.reasons.join('\n')).not.toMatch(/repaired/);
    expect(play.state.unconfirmed).toBeNull();
  });

  test('targets that no interface of this router is there for are left where they are', () => {
    const plan = planOf({ targets: planOf().targets.map((target) => ({ ...target, deviceIndex: 7 })) });
    expect(asked(seen(['detached', 'detached'], 90_000, plan))).toEqual([]);
  });
});

describe('the bounds of a repair (rule 8)', () => {
  const held = (partialHoldMs: number) => planOf({ timing: { ...planOf().timing, partialHoldMs } });

  test.each([
    [25_490, '25 s'],
    [25_510, '26 s'],
  ])('a hold of %d ms is told as %s', (partialHoldMs, words) => {
    expect(seen(['mine', 'peer'], 60_000, held(partialHoldMs)).reasons.join()).toContain(
      `nothing has changed for ${words} while`,
    );
    const abandoned = seen(['detached', 'detached'], 90_000, held(partialHoldMs)).reasons.join();
    expect(abandoned).toContain(`because EC2 has shown for ${words} that no instance holds them`);
  });

  test('what is abandoned is taken after at least 3 observations too', () => {
    const plan = planOf({ timing: { ...planOf().timing, keepaliveIntervalMs: 20_000 } });
    expect(asked(seen(['detached', 'detached'], 60_000, plan))).toEqual([]);
    expect(asked(seen(['detached', 'detached'], 61_000, plan)).length).toBe(2);
  });

  test('where EC2 knows no interface of the peer, this router does not wait for it', () => {
    const play = watching('peer', 'gen2');
    play.live(35_100, { owners: ['detached', 'detached'], peerIsKnown: false });
    expect(asked(play).length).toBe(2);
  });

  test('what this router has moved is its own before EC2 has shown it', () => {
    const { ownership } = watching('peer').state;
    const own = heldOn('eni-own1', 'i-own', true);
    const moved = { ...ownership!, holders: { ...ownership!.holders, [FIRST]: own, [SECOND]: null } };
    expect(lowestOwned(planOf(), moved)?.id).toBe(FIRST);
  });

  test('BFD is quicker: what has moved nothing is dropped for it', () => {
    const play = seen(['mine', 'peer'], 34_000);
    play.live(36_000, { owners: ['mine', 'peer'], calls: 'throttled' });
    expect(play.state.attempt?.purpose).toBe('repair');
    const { number } = play.state.attempt!;
    play.live(36_100, { owners: ['mine', 'peer'], calls: 'throttled' });
    while (play.state.attempt!.calls.some(({ outstanding }) => outstanding.length > 0))
      play.live(play.now + 10, { owners: ['mine', 'peer'], calls: 'throttled' });
    play.at(play.now, sessionEvent('a', 'Down', play.now), sessionEvent('b', 'Down', play.now));
    play.until(play.now);
    expect(play.state.attempt).toMatchObject({ purpose: 'takeover', number: number + 1 });
  });

  test('a claim that is lost is over', () => {
    const play = watching('peer', 'gen2');
    play.live(22_000, { owners: ['none', 'none'], calls: 'refused' });
    expect(asked(play).length).toBe(1);
    expect(play.state.attempt).toBeNull();
  });

  test('a takeover does not wait for the keepalive after a claim', () => {
    const play = watching('peer', 'gen2');
    play.live(21_000, { owners: ['none', 'none'], calls: 'refused' });
    expect(play.state.lastPatientAt).not.toBeNull();
    play.forget();
    play.at(play.now, sessionEvent('a', 'Down', play.now), sessionEvent('b', 'Down', play.now));
    expect(play.state.attempt?.purpose).toBe('takeover');
  });
});

describe('what a repair forgets and says (rule 8)', () => {
  test('a lost claim is settled when somebody is seen to have been first', () => {
    const play = watching('peer', 'gen2');
    play.live(22_000, { owners: ['none', 'none'], calls: 'refused' });
    expect(play.state.lostClaim).not.toBeNull();
    play.live(32_000, { owners: ['peer', 'peer'] });
    expect(play.state.lostClaim).toBeNull();
  });

  test('nothing is repaired while EC2 is silent', () => {
    const plan = planOf({ timing: { ...planOf().timing, partialHoldMs: 65_000 } });
    const play = seen(['mine', 'peer'], 40_100, plan);
    play.until(100_000);
    expect(play.state.role.why).toBe('unobserved');
    expect(asked(play)).toEqual([]);
  });

  test.each<[World['owners'], RegExp]>([
    [['none', 'none'], /EC2 shows no owner of any target/],
    [['third', 'none'], /EC2 shows no owner of any other target/],
  ])('a claim says what nobody has (%s)', (owners, words) => {
    expect(seen(owners, 21_000).reasons.join()).toMatch(words);
  });
});
