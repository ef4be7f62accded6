// What EC2 has not said: one kind of reading that is slow or fails leaves the others as they are.
import type { Event } from '../../src/core/state/model';
import type { Holder, Observation, Unread } from '../../src/core/state/readings';
import type { AwsTarget } from '../../src/aws/description';
import {
  addressTarget,
  heldOn,
  observationOf,
  planOf,
  sessionEvent,
  synchronizedEvent,
  TARGETS,
} from '../support/coreWorld';
import { Play, started } from './play';

const ROUTE = '10.9.0.0/16 in rtb-1';
const route: AwsTarget = {
  kind: 'route',
  id: ROUTE,
  routeTable: { id: 'rtb-1' },
  destination: { kind: 'ipv4', value: '10.9.0.0/16' },
  deviceIndex: 2,
  networkCardIndex: 0,
  rank: 0,
};
const plan = planOf({ targets: [addressTarget(TARGETS[0], 1), route] });
const peers: Holder = heldOn('eni-peer2', 'i-peer');
const own: Holder = heldOn('eni-own2', 'i-own', true);
const timeout = { kind: 'uncertain', code: 'Timeout', message: 'no answer within 1000 ms' } as const;

const unread = (failure: Unread['failure'], target = ROUTE, action = 'DescribeRouteTables'): Unread => ({
  action,
  targets: [target],
  failure,
});

/** With the address where it is said to be, and the route as given; undefined: not read. */
function observation(
  owner: 'mine' | 'peer' | undefined,
  routeHolder: Holder | null | undefined,
  ...missing: readonly Unread[]
): Observation {
  const all = observationOf(owner ?? 'peer');
  const holders = {
    ...(owner === undefined ? {} : { [TARGETS[0]]: all.holders[TARGETS[0]] ?? null }),
    ...(routeHolder === undefined ? {} : { [ROUTE]: routeHolder }),
  };
  return { ...all, holders, ...(missing.length === 0 ? {} : { unread: missing }) };
}

function observed(
  play: Play,
  seen: Observation,
  number: number | null = play.state.observing.inFlight,
): Event {
  return { type: 'ownershipObserved', number, startedAt: play.now, observation: seen };
}

/** STANDBY at 0.2 s, watching, or with what the first observation says. */
function begun(first: Observation = observation('peer', peers)): Play {
  const play = new Play(plan);
  play.at(0, started());
  play.at(100, synchronizedEvent('gen2', 'Up'));
  play.at(200, observed(play, first));
  return play;
}

const bothDown = [sessionEvent('a', 'Down'), sessionEvent('b', 'Down')];
const targetsAsked = (play: Play) => play.all('sendCall').flatMap(({ targets }) => targets);

test('what EC2 would refuse to move stays known while EC2 says nothing of that target, and ends when it says otherwise', () => {
  const refusing = (id: string) => ({ refusals: { [id]: { 'eni-own2': 'it is managed' } } });
  const refused = (play: Play) => Object.keys(play.state.ownership?.observation.refusals ?? {});
  const play = begun({ ...observation('peer', peers), ...refusing(ROUTE) });
  play.at(10_300, observed(play, observation('peer', undefined, unread(timeout))));
  expect(refused(play)).toEqual([ROUTE]);
  play.at(10_400, observed(play, { ...observation('peer', undefined), ...refusing(TARGETS[0]) }, null));
  expect(refused(play).sort()).toEqual([ROUTE, TARGETS[0]].sort());
  play.at(10_500, observed(play, observation(undefined, peers), null));
  expect(refused(play)).toEqual([TARGETS[0]]);
});

test('a reading that fails leaves what was known, is told once, and is asked for again soon', () => {
  const play = begun();
  play.until(10_200);
  play.forget();
  play.at(10_300, observed(play, observation('peer', undefined, unread(timeout))));
  expect(play.state.ownership?.holders[ROUTE]).toEqual(peers);
  expect(play.state.role.haState).toBe('STANDBY');
  expect(play.reasons.join()).toContain(
    `EC2 does not say who holds ${ROUTE} (DescribeRouteTables: Timeout: no answer within 1000 ms)`,
  );
  play.until(11_600);
  expect(play.all('observeOwnership').length).toBe(1);
  play.at(11_650, observed(play, observation('peer', peers)));
  expect(play.reasons.join()).toContain('EC2 answers DescribeRouteTables again');
});

test('a reading that is only late is no failure, and its own answer counts when it comes', () => {
  const play = begun();
  play.until(10_200);
  play.forget();
  play.at(10_300, observed(play, observation('peer', undefined, unread(null))));
  play.until(12_000);
  expect(play.all('observeOwnership')).toEqual([]);
  play.at(12_000, observed(play, observation(undefined, own), null));
  expect(play.state.ownership?.holders[ROUTE]).toEqual(own);
  expect(play.state.ownership?.holders[TARGETS[0]]?.mine).toBe(false);
  expect(play.state.role).toEqual({ haState: 'UNKNOWN', why: 'partial' });
});

test('one that goes on failing costs the role after role_ttl_s, with an alarm that names it, and not the takeover', () => {
  const play = begun();
  for (let at = 10_300; at < 45_000; at += 1_500) {
    play.until(at);
    if (play.state.observing.inFlight !== null)
      play.at(at, observed(play, observation('peer', undefined, unread(timeout))));
  }
  expect(play.state.role).toEqual({ haState: 'UNKNOWN', why: 'unobserved' });
  expect(play.alarms).toEqual(['cloud-unobserved']);
  expect(play.reasons.join()).toContain('EC2 has not answered DescribeRouteTables (Timeout');
  play.forget();
  play.at(45_100, ...bothDown);
  play.until(45_200);
  expect(targetsAsked(play).sort()).toEqual([ROUTE, TARGETS[0]].sort());
});

describe('what EC2 has never shown', () => {
  const known = observation('peer', undefined, unread(timeout));

  test('is nobody’s: the role is not known, and the rest is taken over', () => {
    const play = begun(known);
    expect(play.state.role).toEqual({ haState: 'UNKNOWN', why: 'unobserved' });
    play.at(300, ...bothDown);
    play.until(400);
    expect(targetsAsked(play)).toEqual([TARGETS[0]]);
  });

  test('is not claimed, and nothing is repaired for it', () => {
    const play = begun(observation('mine', undefined, unread(timeout)));
    for (let at = 1_500; at < 60_000; at += 1_500) {
      play.until(at);
      if (play.state.observing.inFlight !== null)
        play.at(at, observed(play, observation('mine', undefined, unread(timeout))));
    }
    expect(play.all('sendCall')).toEqual([]);
    expect(play.state.role.haState).toBe('UNKNOWN');
  });

  test('is taken over, too, once it is seen at the peer that is DOWN: nobody has acted', () => {
    const play = begun(observation('mine', undefined, unread(timeout)));
    play.at(300, ...bothDown);
    play.until(400);
    expect(targetsAsked(play)).toEqual([]);
    play.until(1_500);
    play.at(1_600, observed(play, observation('mine', peers)));
    play.until(1_700);
    expect(targetsAsked(play)).toContain(ROUTE);
  });

  test('and is here: ACTIVE', () => {
    const play = begun(observation('mine', undefined, unread(timeout)));
    play.until(1_500);
    play.at(1_600, observed(play, observation('mine', own)));
    expect(play.state.role.haState).toBe('ACTIVE');
  });
});

test('an observation that says nothing at all is none', () => {
  const play = new Play(plan);
  play.at(0, started());
  play.at(200, observed(play, observation(undefined, undefined, unread(timeout))));
  expect(play.state.ownership).toBeNull();
});
