// Targets of several kinds in one role: which calls they make, what a blackhole and a gateway mean, and what waits.
import { takeoverRequests } from '../../src/core/moves/grouping';
import type { Holder, InterfaceHolder, Observation } from '../../src/core/state/readings';
import type { AwsPlan, AwsTarget } from '../../src/aws/description';
import { previewTakeover } from '../../src/core/moves/preview';
import {
  addressTarget,
  heldOn,
  observationOf,
  planOf,
  routeTarget as route,
  sessionEvent,
  slot,
  synchronizedEvent,
  TIMING,
} from '../support/coreWorld';
import { Play, answer, interfaceEvent, started } from './play';

const at = (deviceIndex: number, rank = 0) => ({ ...slot(deviceIndex), rank });
const ipv6 = (address: string): AwsTarget => ({ ...at(1), kind: 'ipv6Address', id: address, address });
const elasticIp = (id: string, privateAddress: string | null = null): AwsTarget => ({
  ...at(2),
  kind: 'elasticIp',
  id,
  allocationId: id,
  privateAddress,
});

const PEER = heldOn('eni-peer1', 'i-peer');
const MINE = heldOn('eni-own1', 'i-own', true);
const NAT: Holder = { kind: 'gateway', gatewayId: 'nat-1', mine: false };

type Holders = { readonly [id: string]: Holder | null };

class Mixed extends Play {
  sees(holders: Holders, peers: Observation['peers'] = observationOf('peer').peers, startedAt = this.now) {
    return {
      type: 'ownershipObserved',
      number: this.state.observing.inFlight ?? -1,
      startedAt,
      observation: { ...observationOf('none'), peers, holders },
    } as const;
  }
}

function planFor(targets: readonly AwsTarget[], change: Partial<AwsPlan> = {}): AwsPlan {
  return planOf({ targets, ...change });
}

/** A router that has watched for a while, at 1 s. */
function watchingMixed(
  targets: readonly AwsTarget[],
  holders: Holders,
  change: Partial<AwsPlan> = {},
): Mixed {
  const play = new Mixed(planFor(targets, change));
  play.at(0, started());
  play.at(100, synchronizedEvent('gen1', 'Up'));
  play.at(200, play.sees(holders));
  play.now = 1_000;
  play.forget();
  return play;
}

function down(play: Mixed, now = 2_000): void {
  play.at(now, sessionEvent('a', 'Down'));
  play.at(now + 1, { type: 'interfacesAnswered', attempt: play.state.lastAttempt, interfaces: [] });
}

/** Until no request is due any more: a step sends a few of many. */
function goOn(play: Mixed): void {
  while (play.state.wakeAt <= play.now) play.at(play.now);
}

const sent = (play: Play) =>
  play
    .all('sendCall')
    .map(({ targets, networkInterfaceId: to, allowReassignment: take }) => [
      `${take ? 'take' : 'claim'} ${targets.join(' ')} to ${to}`,
    ]);

const all = [
  addressTarget('172.31.101.10', 1),
  addressTarget('172.31.101.11', 1),
  ipv6('2001:db8::a'),
  ipv6('2001:db8::b'),
  route('10.8.0.0/16'),
  route('10.9.0.0/16'),
  elasticIp('eipalloc-1', '172.31.105.9'),
];
const held = (by: Holder | null, targets = all): Holders =>
  Object.fromEntries(targets.map(({ id }) => [id, by]));

describe('which targets go in one call', () => {
  test('the addresses of a family together, each route and each Elastic IP alone', () => {
    const play = watchingMixed(all, held(PEER));
    down(play);
    expect(sent(play).flat()).toEqual([
      'take 172.31.101.10 172.31.101.11 to eni-own1',
      'take 2001:db8::a 2001:db8::b to eni-own1',
      'take 10.8.0.0/16 in rtb-1 to eni-own1',
      'take 10.9.0.0/16 in rtb-1 to eni-own1',
      'take eipalloc-1 to eni-own2',
    ]);
  });

  test('IPv6 addresses name their holders, an Elastic IP its private address, routes neither', () => {
    const holders = { ...held(PEER), '2001:db8::b': null };
    const play = watchingMixed(all, holders);
    down(play);
    const [addresses, ipv6s, first, , eip] = play.all('sendCall');
    expect(addresses).not.toHaveProperty('releases');
    expect(ipv6s?.releases).toEqual([{ networkInterfaceId: 'eni-peer1', targets: ['2001:db8::a'] }]);
    expect(first).not.toHaveProperty('releases');
    expect(eip?.privateAddress).toBe('172.31.105.9');
  });

  test('after an IPv6 address was unassigned and not assigned, the try that follows at once releases it again', () => {
    const targets = [ipv6('2001:db8::a')];
    const play = watchingMixed(targets, held(PEER, targets));
    down(play);
    play.at(2_100, answer('1.1.1', 'uncertain'));
    const [, again] = play.all('sendCall');
    expect(again?.releases).toEqual([{ networkInterfaceId: 'eni-peer1', targets: ['2001:db8::a'] }]);
  });
});

describe('a claim', () => {
  test('of a missing route is made without reassignment, in the canonical order', () => {
    const targets = [route('10.8.0.0/16'), route('10.9.0.0/16')];
    const nobody = held(null, targets);
    const play = watchingMixed(targets, nobody);
    play.at(10_200);
    play.at(10_300, play.sees(nobody));
    expect(sent(play).flat()).toEqual(['claim 10.8.0.0/16 in rtb-1 to eni-own1']);
    play.at(10_400, answer('1.1.1'));
    expect(sent(play).flat().slice(1)).toEqual(['claim 10.9.0.0/16 in rtb-1 to eni-own1']);
    play.at(10_500, answer('1.2.1', 'refused', 'RouteAlreadyExists'));
    expect(play.alarms).toEqual([]);
  });

  test('BFD says that the peer is gone: a missing route is taken, so that it is replaced or created', () => {
    const targets = [route('10.8.0.0/16'), route('10.9.0.0/16')];
    const play = watchingMixed(targets, { [targets[0]!.id]: PEER, [targets[1]!.id]: null });
    down(play);
    expect(sent(play).flat()).toEqual([
      'take 10.8.0.0/16 in rtb-1 to eni-own1',
      'take 10.9.0.0/16 in rtb-1 to eni-own1',
    ]);
  });
});

describe('a blackhole', () => {
  const targets = [route('10.8.0.0/16'), route('10.9.0.0/16')];
  const DEAD: Holder = { ...PEER, blackhole: true };
  const unseen = (holders: Holders, peers?: Observation['peers']) => {
    const play = new Mixed(planFor(targets));
    play.at(0, started());
    play.at(100, synchronizedEvent('gen1', 'Down', false));
    play.at(200, play.sees(holders, peers));
    play.at(30_100);
    play.at(30_200, play.sees(holders, peers));
    return play;
  };

  test('is evidence while no session is UP: its route is taken at once', () => {
    const play = unseen(held(DEAD, targets));
    expect(sent(play).flat()).toEqual([
      'take 10.8.0.0/16 in rtb-1 to eni-own1',
      'take 10.9.0.0/16 in rtb-1 to eni-own1',
    ]);
    expect(play.reasons.join()).toMatch(/the route 10\.8\.0\.0\/16 in rtb-1 is a blackhole/);
  });

  test('a route that is active says nothing, and the holder is asked about', () => {
    const play = unseen(held(PEER, targets));
    expect(sent(play)).toEqual([]);
    expect(play.all('askHolders').at(-1)).toMatchObject({ instanceIds: ['i-peer'] });
  });

  test('of an instance that was replaced is not held by a third one', () => {
    const old: Holder = { ...heldOn('eni-old', 'i-old'), blackhole: true };
    const play = watchingMixed(targets, held(old, targets));
    expect(play.state.alarms).toEqual({});
    down(play);
    expect(sent(play)).toHaveLength(2);
  });

  test('while both routers live and neither has anything, the routers go one after the other', () => {
    const old: Holder = { ...heldOn('eni-old', 'i-old'), blackhole: true };
    const play = unseen(held(old, targets));
    expect(sent(play)).toEqual([]);
    expect(play.state.verdict).toMatch(
      /no instance holds 10\.8\.0\.0\/16 in rtb-1 and 10\.9\.0\.0\/16 in rtb-1/,
    );
  });
});

describe('a route that leads to a gateway', () => {
  const targets = [route('10.8.0.0/16'), route('10.9.0.0/16')];
  const holders = { [targets[0]!.id]: NAT, [targets[1]!.id]: PEER };

  test('is refused with an alarm, and does not hold the others back', () => {
    const play = new Mixed(planFor(targets));
    play.at(0, started());
    play.at(100, synchronizedEvent('gen1', 'Up'));
    play.at(200, play.sees(holders));
    expect(play.alarms).toEqual(['foreign-holder']);
    expect(play.reasons.join()).toMatch(/10\.8\.0\.0\/16 in rtb-1 is held by nat-1, which is neither router/);
    down(play);
    expect(sent(play).flat()).toEqual(['take 10.9.0.0/16 in rtb-1 to eni-own1']);
  });

  test('is taken where the configuration says so', () => {
    const play = watchingMixed(targets, holders, { foreignHolder: 'take' });
    down(play);
    expect(sent(play)).toHaveLength(2);
  });

  test('is no evidence, even where it may be taken: nobody says that a gateway is gone', () => {
    const play = new Mixed(planFor(targets, { foreignHolder: 'take' }));
    play.at(0, started());
    play.at(100, synchronizedEvent('gen1', 'Down', false));
    play.at(200, play.sees(held(NAT, targets)));
    play.at(30_100);
    play.at(30_200, play.sees(held(NAT, targets)));
    expect(sent(play)).toEqual([]);
  });

  test('is not what a route is given back to', () => {
    const play = watchingMixed(targets, holders, { foreignHolder: 'take' });
    down(play);
    play.at(2_100, answer('1.1.1'), answer('1.2.1'));
    play.forget();
    play.at(2_200, {
      type: 'interfaceChanged',
      interfaceName: 'Te1',
      level: 'Down',
      receivedAt: 0,
      notification: {},
    });
    expect(sent(play).flat()).toEqual(['take 10.9.0.0/16 in rtb-1 to eni-peer1']);
  });
});

describe('an Elastic IP on the wrong address of the right interface', () => {
  const target = elasticIp('eipalloc-1', '172.31.105.9');
  const wrong: Holder = { ...heldOn('eni-own2', 'i-own'), privateAddress: '172.31.105.8' };

  test('is not here, and an answer that shows it there settles nothing', () => {
    const play = watchingMixed([target], { 'eipalloc-1': PEER });
    down(play);
    play.at(10_200);
    play.at(10_300, play.sees({ 'eipalloc-1': wrong }));
    expect(play.state.ownership?.holders['eipalloc-1']).toEqual(wrong);
    expect(play.state.role.haState).toBe('STANDBY');
    expect(play.state.attempt).not.toBeNull();
    play.at(10_400, answer('1.1.1'));
    expect(play.state.role.haState).toBe('ACTIVE');
  });
});

describe('several actions that fail in part', () => {
  test('one that EC2 refuses does not hold the others back: partial, with an alarm', () => {
    const play = watchingMixed(all, held(PEER));
    down(play);
    play.at(2_100, answer('1.1.1'), answer('1.2.1'), answer('1.4.1'), answer('1.5.1'));
    play.at(2_200, answer('1.3.1', 'refused', 'InvalidRouteTableID.NotFound'));
    expect(play.state.role).toEqual({ haState: 'UNKNOWN', why: 'partial' });
    expect(play.alarms).toEqual(['takeover-refused']);
    expect(play.state.attempt?.calls.map(({ outcome }) => outcome)).toEqual([
      'moved',
      'moved',
      'open',
      'moved',
      'moved',
    ]);
  });
});

describe('given to the peer', () => {
  const targets = [
    addressTarget('172.31.101.10', 1),
    route('10.9.0.0/16', 2),
    elasticIp('eipalloc-1', '172.31.105.9'),
  ];
  const mine = (id: string): Holder =>
    id === '172.31.101.10' ? MINE : { ...MINE, networkInterfaceId: 'eni-own2' };
  const active = () => Object.fromEntries(targets.map(({ id }) => [id, mine(id)]));

  test('an address on the subnet, a route and an Elastic IP by device index; of that the primary address', () => {
    const play = watchingMixed(targets, active());
    play.at(2_000, { type: 'switchoverRequested', request: 7 });
    expect(sent(play).flat()).toEqual([
      'take 172.31.101.10 to eni-peer1',
      'take 10.9.0.0/16 in rtb-1 to eni-peer2',
      'take eipalloc-1 to eni-peer2',
    ]);
    expect(play.all('sendCall').at(-1)).not.toHaveProperty('privateAddress');
  });

  test('declined where the peer has no interface of that device index', () => {
    const { '172.31.101.20': first } = observationOf('peer').peers;
    const play = watchingMixed(targets, active());
    play.at(1_100, play.sees(active(), { '172.31.101.20': first! }));
    play.at(10_200);
    play.at(10_300, play.sees(active(), { '172.31.101.20': first! }));
    play.at(11_000, { type: 'switchoverRequested', request: 7 });
    expect(play.all('answerOperator').at(-1)?.sentence).toMatch(
      /EC2 shows no interface of the peer with device index 2 for 10\.9\.0\.0\/16 in rtb-1 and eipalloc-1/,
    );
  });
});

describe('an Elastic IP on a floating address', () => {
  const [first, base, own] = ['172.31.101.10', '172.31.105.10', '172.31.105.9'] as const;
  const targets = [addressTarget(first, 1), addressTarget(base, 2), elasticIp('eipalloc-1', base)];
  const taking = (holders: Holders, change: Partial<AwsPlan> = {}) => {
    const play = watchingMixed(targets, holders, change);
    down(play);
    return play;
  };
  const asked = (play: Play) => play.all('sendCall').map(({ targets: ids }) => ids.join(' '));

  test('is neither signed nor sent, and wakes nobody, before the address has been moved', () => {
    const play = watchingMixed(targets, held(PEER, targets));
    play.at(2_000, sessionEvent('a', 'Down'));
    expect(play.all('prepareCall').map(({ targets: ids }) => ids.join(' '))).toEqual([first, base]);
    play.at(2_001, { type: 'interfacesAnswered', attempt: 1, interfaces: [] });
    expect(asked(play)).toEqual([first, base]);
    expect(play.state.wakeAt).toBeGreaterThan(2_001);
    expect(play.state.verdict).toBe(`taking over: ${first} and ${base} asked of EC2; eipalloc-1 after that`);
    play.at(2_100, answer('1.1.1'));
    expect(asked(play)).toEqual([first, base]);
    play.at(2_110, answer('1.2.1'));
    expect(play.all('sendCall').at(-1)).toMatchObject({ targets: ['eipalloc-1'], privateAddress: base });
    play.at(2_200, answer('1.3.1'));
    expect([play.state.role.haState, play.alarms]).toEqual(['ACTIVE', []]);
  });

  test.each<[string, AwsTarget]>([
    ['does not float', elasticIp('eipalloc-1', own)],
    ['is the primary one', elasticIp('eipalloc-1')],
  ])('goes at once where its address %s', (_what, eip) => {
    const planned = [...targets.slice(0, 2), eip];
    const play = watchingMixed(planned, held(PEER, planned));
    down(play);
    expect(asked(play)).toEqual([first, base, 'eipalloc-1']);
  });

  test('goes at once where its address is certainly here', () => {
    const here = { ...MINE, networkInterfaceId: 'eni-own2' };
    const partial = { [first]: MINE, [base]: here, 'eipalloc-1': PEER };
    const play = watchingMixed(targets, partial);
    for (const at of [10_200, 20_200, 30_200]) {
      play.at(at);
      play.at(at + 100, play.sees(partial));
    }
    expect(asked(play)).toEqual(['eipalloc-1']);
  });

  test('follows an address that a reading shows here', () => {
    const play = taking(held(PEER, targets));
    play.at(2_100, answer('1.1.1'), answer('1.2.1', 'uncertain'));
    play.at(10_200);
    play.at(
      10_300,
      play.sees({ [first]: MINE, [base]: { ...MINE, networkInterfaceId: 'eni-own2' }, 'eipalloc-1': PEER }),
    );
    expect(asked(play).at(-1)).toBe('eipalloc-1');
  });

  test('whose address EC2 refuses is not asked for, and the alarm says so', () => {
    const play = taking(held(PEER, targets));
    play.at(2_100, answer('1.1.1'), answer('1.2.1', 'refused', 'UnauthorizedOperation'));
    expect(play.alarms).toEqual(['takeover-refused']);
    expect(play.reasons.join()).toMatch(/trying again slowly; eipalloc-1 is not asked for before that/);
    play.until(10_500);
    expect(asked(play)).not.toContain('eipalloc-1');
    expect(play.all('sendCall').length).toBeLessThan(6);
  });

  test('follows one of several addresses that are moved one by one', () => {
    const both = [addressTarget('172.31.105.8', 2), addressTarget(base, 2), elasticIp('eipalloc-1', base)];
    const play = watchingMixed(both, held(PEER, both));
    down(play);
    play.at(2_100, answer('1.1.1', 'refused', 'InvalidParameterValue'));
    expect(asked(play)).toEqual([`172.31.105.8 ${base}`, '172.31.105.8', base]);
    play.at(2_200, answer('1.4.1'));
    expect(asked(play).at(-1)).toBe('eipalloc-1');
  });

  test('is lost with its address: whoever was first has both', () => {
    const play = watchingMixed(targets, { [first]: MINE, [base]: null, 'eipalloc-1': null });
    for (let at = 10_200; at < 60_000 && asked(play).length === 0; at += 10_000) {
      play.at(at);
      play.at(at + 100, play.sees({ [first]: MINE, [base]: null, 'eipalloc-1': null }));
    }
    expect(asked(play)).toEqual([base]);
    play.at(play.now + 100, answer('1.1.1', 'refused', 'InvalidParameterValue'));
    expect(asked(play)).toEqual([base]);
    expect(play.state.attempt).toBeNull();
  });

  test('is no target of evidence before its address is: nobody has the address, and both follow when that is settled', () => {
    const planned = [route('10.9.0.0/16', 1), addressTarget(base, 2), elasticIp('eipalloc-1', base)];
    const onPrimary: Holder = { ...heldOn('eni-own2', 'i-own'), privateAddress: own };
    const gone: Holder = { ...heldOn('eni-peer1', 'i-peer'), blackhole: true };
    const holders: { [id: string]: Holder | null } = {
      '10.9.0.0/16 in rtb-1': gone,
      [base]: null,
      'eipalloc-1': onPrimary,
    };
    // The hold is over before EC2 has shown for a keepalive that nobody has the address.
    const play = new Mixed(planFor(planned, { timing: { ...TIMING, keepaliveIntervalMs: 60_000 } }));
    play.at(0, started());
    play.at(50, synchronizedEvent('gen1', 'Down'));
    for (let now = 100; now < 200_000; now += 100) {
      for (const { targets: ids, attempt, call, send } of play.all('sendCall')) {
        const [id = ''] = ids;
        // EC2 has the rule that an Elastic IP goes to an address that is there.
        const isRefused = id === 'eipalloc-1' && holders[base] === null;
        if (holders[id]?.kind !== 'interface' || holders[id]?.mine !== true) {
          play.at(now, answer(`${attempt}.${call}.${send}`, isRefused ? 'refused' : undefined));
          if (!isRefused)
            holders[id] = { ...MINE, networkInterfaceId: id.includes('rtb') ? 'eni-own1' : 'eni-own2' };
        }
      }
      if (play.state.observing.inFlight === null) play.at(now);
      else play.at(now, play.sees({ ...holders }, {}));
    }
    expect([...new Set(asked(play))]).toEqual(['10.9.0.0/16 in rtb-1', base, 'eipalloc-1']);
    expect([play.state.role.haState, play.state.attempt]).toEqual(['ACTIVE', null]);
    expect(play.alarms).not.toContain('takeover-refused');
  });

  test('is given to the peer after its address, and to the same one there', () => {
    const mine = Object.fromEntries(
      targets.map(({ id, deviceIndex }) => [id, { ...MINE, networkInterfaceId: `eni-own${deviceIndex}` }]),
    );
    const play = watchingMixed(targets, mine);
    play.at(2_000, { type: 'switchoverRequested', request: 7 });
    expect(asked(play)).toEqual([first, base]);
    play.at(2_100, answer('1.1.1'), answer('1.2.1'));
    expect(play.all('sendCall').at(-1)).toMatchObject({
      targets: ['eipalloc-1'],
      networkInterfaceId: 'eni-peer2',
      privateAddress: base,
    });
    play.at(2_200, answer('1.3.1'));
    expect(play.all('answerOperator').at(-1)?.accepted).toBe(true);
  });
});

describe('a switchover of every kind', () => {
  const here = Object.fromEntries(
    all.map(({ id, deviceIndex }) => [id, { ...MINE, networkInterfaceId: `eni-own${deviceIndex}` }]),
  );
  const switching = () => {
    const play = watchingMixed(all, here);
    play.at(2_000, { type: 'switchoverRequested', request: 7 });
    return play;
  };

  test('asks for each at the peer, and IPv6 addresses leave this router first', () => {
    const play = switching();
    expect(sent(play).flat()).toEqual([
      'take 172.31.101.10 172.31.101.11 to eni-peer1',
      'take 2001:db8::a 2001:db8::b to eni-peer1',
      'take 10.8.0.0/16 in rtb-1 to eni-peer1',
      'take 10.9.0.0/16 in rtb-1 to eni-peer1',
      'take eipalloc-1 to eni-peer2',
    ]);
    expect(play.all('sendCall')[1]?.releases).toEqual([
      { networkInterfaceId: 'eni-own1', targets: ['2001:db8::a', '2001:db8::b'] },
    ]);
    play.at(2_100, ...[1, 2, 3, 4, 5].map((call) => answer(`1.${call}.1`)));
    expect(play.all('answerOperator').map(({ accepted }) => accepted)).toEqual([true]);
  });

  test.each([
    [1, ['172.31.101.10', '172.31.101.11']],
    [2, ['2001:db8::a', '2001:db8::b']],
    [3, ['10.8.0.0/16 in rtb-1']],
    [4, ['10.9.0.0/16 in rtb-1']],
    [5, ['eipalloc-1']],
  ])(
    'whose call %i EC2 refuses for good is undone, and the answer names what has stayed: %j',
    (refused, stays) => {
      const play = switching();
      const asked = new Map<string, string>();
      const holders = (): Holders =>
        Object.fromEntries(all.map(({ id }) => [id, stays.includes(id) ? (here[id] ?? null) : PEER]));
      for (const call of [1, 2, 3, 4, 5].filter((each) => each !== refused))
        play.at(2_100, answer(`1.${call}.1`));
      for (let now = 2_200; now < 14_000 && play.state.attempt !== null; now += 200) {
        for (const { targets, attempt, call, send } of play.all('sendCall')) {
          const key = `${attempt}.${call}.${send}`;
          if (asked.has(key) || !targets.every((id) => stays.includes(id))) continue;
          asked.set(key, targets.join(' '));
          play.at(now, answer(key, 'refused'));
        }
        if (play.state.observing.inFlight === null) play.at(now);
        else play.at(now, play.sees(holders()));
      }
      expect(play.state.attempt).toBeNull();
      const [told] = play.all('answerOperator');
      expect(told?.accepted).toBe(false);
      for (const id of stays) expect(told?.sentence).toContain(id);
      for (const { id } of all) if (!stays.includes(id)) expect(told?.sentence).not.toContain(id);
      expect([play.state.role.haState, play.state.role.why]).toEqual(['UNKNOWN', 'partial']);
      expect(play.alarms).toContain('give-back-failed');
    },
  );
});

describe('requests that wait for tokens', () => {
  const targets = Array.from({ length: 30 }, (_, index) => route(`10.${index}.0.0/16`, 1, index));
  const queued = (call: number, attempt = 1) => ({ type: 'callQueued', attempt, call, send: 1 }) as const;
  const released = (call: number) => ({ type: 'callReleased', attempt: 1, call, send: 1 }) as const;
  const waiting = (play: Mixed, calls: readonly number[]) =>
    play.at(2_002, ...calls.map((call) => queued(call)));

  test('the lowest rank comes first, a few in each step, and each carries its own', () => {
    const ranked = targets.map((target) => ({ ...target, rank: 30 - target.rank }));
    const play = watchingMixed(ranked, held(PEER, ranked));
    down(play);
    expect(play.all('sendCall').map(({ rank }) => rank)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(play.all('prepareCall')).toHaveLength(8);
    goOn(play);
    const sends = play.all('sendCall');
    expect(sends.map(({ rank }) => rank)).toEqual(targets.map((_, index) => index + 1));
    expect(sends[0]?.targets).toEqual(['10.29.0.0/16 in rtb-1']);
  });

  test('are not hedged, and neither are those that were sent', () => {
    const play = watchingMixed(targets.slice(0, 3), held(PEER, targets.slice(0, 3)));
    down(play);
    waiting(play, [2, 3]);
    play.at(2_900);
    expect(play.all('sendCall')).toHaveLength(3);
  });

  test('are due again when the attempt goes on after they were withdrawn', () => {
    const unowned = targets.slice(0, 2);
    const play = watchingMixed(unowned, held(null, unowned));
    down(play);
    waiting(play, [2]);
    // The failure seems to be here: what waits is withdrawn, and the answer to the other request waited for.
    play.at(2_100, interfaceEvent('Te1', 'Down'));
    expect(play.all('withdrawCalls')).toEqual([{ effect: 'withdrawCalls', attempt: 1, calls: [2] }]);
    // Nobody had the targets, so there is nobody to give them back to: the attempt goes on, with all that it has begun.
    play.at(2_200, answer('1.1.1'));
    play.at(2_201);
    expect(
      play
        .all('sendCall')
        .filter(({ call }) => call === 2)
        .map(({ send }) => send),
    ).toEqual([1, 2]);
    expect(play.state.attempt?.calls[1]?.outstanding.map(({ number }) => number)).toEqual([2]);
  });

  test('are withdrawn before the same is asked for anew, which would be withdrawn with them', () => {
    const unowned = targets.slice(0, 2);
    const play = watchingMixed(unowned, held(null, unowned));
    down(play);
    waiting(play, [2]);
    play.at(2_050, answer('1.1.1'));
    play.forget();
    // Nothing is under way and nobody can be given anything back: the attempt goes on in the same step.
    play.at(2_100, interfaceEvent('Te1', 'Down'));
    const names = play.effects.map(({ effect }) => effect);
    expect(names.indexOf('withdrawCalls')).toBeGreaterThanOrEqual(0);
    expect(names.indexOf('sendCall')).toBeGreaterThan(names.indexOf('withdrawCalls'));
  });

  test('have moved nothing: when the peer is UP again the attempt is dropped, and they are withdrawn', () => {
    const play = watchingMixed(targets.slice(0, 2), held(PEER, targets.slice(0, 2)));
    down(play);
    waiting(play, [1, 2]);
    play.at(2_100, sessionEvent('a', 'Up'));
    expect(play.state.attempt).toBeNull();
    expect(play.all('withdrawCalls')).toEqual([{ effect: 'withdrawCalls', attempt: 1, calls: [1, 2] }]);
  });

  test('once one of them was sent, the attempt goes on', () => {
    const play = watchingMixed(targets.slice(0, 2), held(PEER, targets.slice(0, 2)));
    down(play);
    waiting(play, [1, 2]);
    play.at(2_050, released(1));
    play.at(2_100, sessionEvent('a', 'Up'));
    expect(play.state.attempt).not.toBeNull();
    expect(play.all('withdrawCalls')).toEqual([]);
  });

  test('are withdrawn when an observation shows that they are not needed', () => {
    const few = targets.slice(0, 2);
    const play = watchingMixed(few, held(PEER, few));
    down(play);
    waiting(play, [2]);
    play.at(10_200);
    play.at(10_300, play.sees({ [few[0]!.id]: PEER, [few[1]!.id]: MINE }));
    expect(play.all('withdrawCalls')).toEqual([{ effect: 'withdrawCalls', attempt: 1, calls: [2] }]);
    expect(play.state.attempt?.calls[1]).toMatchObject({ outcome: 'moved', outstanding: [] });
  });

  test('are withdrawn when the failure turns out to be here, and only what was sent is given back', () => {
    const few = targets.slice(0, 3);
    const play = watchingMixed(few, held(PEER, few));
    down(play);
    waiting(play, [2, 3]);
    play.at(2_100, answer('1.1.1'));
    play.forget();
    play.at(2_200, {
      type: 'interfaceChanged',
      interfaceName: 'Te1',
      level: 'Down',
      receivedAt: 0,
      notification: {},
    });
    expect(play.all('withdrawCalls')).toEqual([{ effect: 'withdrawCalls', attempt: 1, calls: [2, 3] }]);
    expect(sent(play).flat()).toEqual(['take 10.0.0.0/16 in rtb-1 to eni-peer1']);
  });

  test('are not stuck as long as others move', () => {
    const few = targets.slice(0, 3);
    const play = watchingMixed(few, held(PEER, few));
    down(play);
    waiting(play, [2, 3]);
    play.at(4_000, answer('1.1.1'));
    play.at(5_500);
    expect(play.alarms).toEqual([]);
    play.at(7_001);
    expect(play.alarms).toEqual(['takeover-stuck']);
  });

  test('many of them are told of in tenths, not one by one', () => {
    const play = watchingMixed(targets, held(PEER, targets));
    down(play);
    waiting(play, targets.map((_, index) => index + 1).slice(4));
    play.forget();
    expect(play.state.verdict).toBe('taking over: less than 10 % of 30 targets moved');
    const verdicts = new Set<string>();
    for (const [index] of targets.entries()) {
      play.at(2_100 + index, released(index + 1), answer(`1.${index + 1}.1`));
      verdicts.add(play.state.verdict);
    }
    // Ten of the attempt, and what this router is after it.
    expect(verdicts.size).toBe(11);
    expect([...verdicts]).toContain('taking over: 50 % of 30 targets moved');
    expect(play.state.role.haState).toBe('ACTIVE');
    expect(play.reasons.join()).toMatch(/took over 10\.0\.0\.0\/16 in rtb-1, .* and 20 more/);
  });
});

describe('an Elastic IP on this router and not where it belongs', () => {
  const targets = [elasticIp('eipalloc-1', '172.31.105.9')];
  const reasonFor = (change: Partial<InterfaceHolder>): string => {
    const holder = { ...heldOn('eni-own2', 'i-own'), ...change };
    const play = new Mixed(planFor(targets));
    play.at(0, started());
    play.at(100, synchronizedEvent('gen1', 'Down', false));
    play.at(200, play.sees(held(holder, targets)));
    play.at(30_100);
    play.at(30_200, play.sees(held(holder, targets)));
    expect(sent(play).flat()).toEqual(['take eipalloc-1 to eni-own2']);
    return play.reasons.join();
  };

  test.each<[string, Partial<InterfaceHolder>, string]>([
    [
      'on another address',
      { privateAddress: '172.31.105.8' },
      'on 172.31.105.8 of eni-own2, the wrong address',
    ],
    ['on an address that EC2 does not tell', {}, 'on another address of eni-own2, the wrong address'],
    ['on another interface', { networkInterfaceId: 'eni-own1' }, 'on eni-own1, the wrong interface'],
  ])('%s: it is brought there, and the sentence says from where', (_what, change, words) => {
    expect(reasonFor(change)).toContain(words);
  });
});

test('of many calls that fail alike the first one is news, and so is another word of EC2', () => {
  const targets = Array.from({ length: 21 }, (_, index) => route(`10.${index}.0.0/16`));
  const play = watchingMixed(targets, held(PEER, targets));
  down(play);
  goOn(play);
  expect(sent(play)).toHaveLength(21);
  const weights = [
    answer('1.1.1', 'uncertain', 'Timeout'),
    answer('1.2.1', 'uncertain', 'Timeout'),
    answer('1.3.1', 'uncertain', 'Reset'),
    answer('1.4.1', 'uncertain', 'Timeout'),
    answer('1.5.1'),
  ].map((event) => play.take(event).weight);
  expect(weights).toEqual(['notable', 'routine', 'notable', 'routine', 'routine']);
});

test('twenty calls are not many: each failure is news', () => {
  const targets = Array.from({ length: 20 }, (_, index) => route(`10.${index}.0.0/16`));
  const play = watchingMixed(targets, held(PEER, targets));
  down(play);
  const weights = ['1.1.1', '1.2.1'].map((key) => play.take(answer(key, 'uncertain', 'Timeout')).weight);
  expect(weights).toEqual(['notable', 'notable']);
});

describe('what a takeover would ask for now', () => {
  test('is asked with reassignment, by what may be on an interface of this router, lowest rank first', () => {
    const targets = [
      { ...addressTarget('172.31.101.10', 1), rank: 7 },
      { ...addressTarget('172.31.101.11', 1), rank: 3 },
      { ...ipv6('2001:db8::a'), rank: 5 },
      { ...ipv6('2001:db8::b'), rank: 6 },
      addressTarget('172.31.109.10', 9),
    ];
    const observation = { ...observationOf('none'), holders: held(PEER, targets) };
    expect(takeoverRequests(planFor(targets), observation)).toEqual([
      {
        networkInterfaceId: 'eni-own1',
        targets: ['172.31.101.10', '172.31.101.11'],
        allowReassignment: true,
        rank: 3,
      },
      {
        networkInterfaceId: 'eni-own1',
        targets: ['2001:db8::a', '2001:db8::b'],
        allowReassignment: true,
        rank: 5,
        releases: [{ networkInterfaceId: 'eni-peer1', targets: ['2001:db8::a', '2001:db8::b'] }],
      },
    ]);
  });
});

test('a gateway is no evidence either where EC2 knows no interface of the peer', () => {
  const targets = [route('10.8.0.0/16')];
  const play = new Mixed(planFor(targets, { foreignHolder: 'take' }));
  play.at(0, started());
  play.at(100, synchronizedEvent('gen1', 'Down', false));
  play.at(200, play.sees(held(NAT, targets), {}));
  play.at(30_100);
  play.at(30_200, play.sees(held(NAT, targets), {}));
  expect(sent(play)).toEqual([]);
});

test('a blackhole is not what a route is given back to', () => {
  const targets = [route('10.8.0.0/16'), route('10.9.0.0/16')];
  const play = watchingMixed(targets, {
    [targets[0]!.id]: { ...PEER, blackhole: true },
    [targets[1]!.id]: PEER,
  });
  down(play);
  play.at(2_100, answer('1.1.1'), answer('1.2.1'));
  play.forget();
  play.at(2_200, interfaceEvent('Te1', 'Down'));
  expect(sent(play).flat()).toEqual(['take 10.9.0.0/16 in rtb-1 to eni-peer1']);
});

test.each([
  [[route('10.8.0.0/16', 7)], 'with device index 7 for'],
  [[addressTarget('172.31.101.10', 7)], 'on the subnet of'],
])('a peer without a place to give to: the operator is told where it would be', (targets, words) => {
  const play = watchingMixed(targets, held(MINE, targets));
  play.at(1_000, { type: 'switchoverRequested', request: 1 });
  expect(play.all('answerOperator')[0]?.sentence).toContain(
    `no interface of the peer ${words} ${targets[0]!.id}`,
  );
});

test('a preview tells what a takeover would move, and why it would leave the rest', () => {
  const here = addressTarget('172.31.101.10', 1);
  const targets = [here, addressTarget('172.31.109.10', 9), route('10.8.0.0/16'), route('10.9.0.0/16')];
  const holders = { ...held(PEER, targets), [targets[2]!.id]: NAT, [targets[3]!.id]: MINE };
  const { haState, moves, left } = previewTakeover(planFor(targets), { ...observationOf('none'), holders });
  expect(haState).toBe('UNKNOWN');
  expect(moves.map(({ targets, allowReassignment }) => ({ targets, allowReassignment }))).toEqual([
    { targets: [here.id], allowReassignment: true },
  ]);
  expect(left).toEqual([
    '172.31.109.10: EC2 shows no interface of this router with device index 9',
    '10.8.0.0/16 in rtb-1 is held by nat-1, which is neither router of this pair',
  ]);
});
