/** Several addresses on one interface, or none where one was expected: what this router owns is counted by address. */
import { observeOwnership } from '../../src/aws/reads/observe';
import type { AwsPlan } from '../../src/aws/description';
import { eniOf, now, openAwsLab, plan as twoInterfaces, type AwsLab } from '../adapters/aws/awsLab';
import { Play, started, synchronizedWith, watching } from '../core/play';
import { addressTarget, observationOf, sessionEvent } from '../support/coreWorld';

describe('two addresses on one interface', () => {
  let lab: AwsLab;
  beforeEach(async () => {
    lab = await openAwsLab();
  });
  afterEach(() => lab.close());

  const [low, high] = ['172.31.1.100', '172.31.1.101'] as const;
  const orders = [
    [low, high],
    [high, low],
  ];

  test.each(
    orders.flatMap((order) => [
      { order, mine: [low, high], role: { haState: 'ACTIVE', why: null } },
      { order, mine: [low], role: { haState: 'UNKNOWN', why: 'partial' } },
      { order, mine: [high], role: { haState: 'UNKNOWN', why: 'partial' } },
      { order, mine: [], role: { haState: 'STANDBY', why: null } },
    ]),
  )('configured as $order, here $mine: $role.haState', async ({ order, mine, role }) => {
    const targets = order.map((address) => addressTarget(address, 1));
    const plan: AwsPlan = { ...twoInterfaces, targets };
    lab.world.assign(eniOf(2, 1), [low, high]);
    lab.world.assign(eniOf(1, 1), mine);
    const result = await observeOwnership({
      ec2: lab.ec2,
      plan,
      identity: lab.identity,
      timeoutMs: 5_000,
      now,
    });
    if (!result.ok) throw new Error(result.failure.message);
    const play = new Play(plan);
    play.at(0, started());
    play.at(50, { type: 'ownershipObserved', number: 1, startedAt: 0, observation: result.observation });
    expect(play.state.role).toEqual(role);
  });
});

test('nothing that could be taken is no takeover: STANDBY, no attempt, no call, and the reason says why', () => {
  const play = watching('peer', 'gen2');
  play.until(10_200);
  const peerHasAll = observationOf('peer');
  // Both interfaces that the targets belong on have been detached; the one for management is there.
  const [management] = peerHasAll.interfaces.map((own) => ({ ...own, deviceIndex: 0 }));
  if (management === undefined) throw new Error('not reached');
  play.at(10_300, {
    type: 'ownershipObserved',
    number: play.state.observing.inFlight ?? -1,
    startedAt: 10_200,
    observation: { ...peerHasAll, interfaces: [management] },
  });
  play.forget();
  play.at(10_400, sessionEvent('a', 'Down'), sessionEvent('b', 'Down'));
  play.until(11_000);
  expect(play.state.role.haState).toBe('STANDBY');
  expect(play.state.lastAttempt).toBe(0);
  expect(play.all('sendCall')).toEqual([]);
  expect(play.state.verdict).toMatch(
    /EC2 shows no interface of this router with device index 1 and 2 to take 172\.31\.101\.10 and 172\.31\.105\.10 to/,
  );

  // The levels still stand when the interfaces are back.
  play.until(20_300);
  play.at(20_400, play.observed('peer'));
  expect(play.state.lastAttempt).toBe(1);
});

test('a session that goes DOWN while reads still lag the takeover begins no second one', () => {
  const play = watching('peer', 'gen2');
  play.at(1_000, sessionEvent('a', 'Down', 1_000));
  play.until(1_020);
  const sends = play.all('sendCall');
  expect(sends).toHaveLength(2);
  for (const { attempt, call, send } of sends) {
    const outcome = { sentAt: 1_020, failure: null, apiRequestId: null };
    play.at(1_100, { type: 'callAnswered', attempt, call, send, ...outcome });
  }
  play.at(1_200, play.observed('peer'));
  play.forget();
  play.at(1_300, sessionEvent('b', 'Down', 1_300));
  play.until(2_000);
  expect(play.state.role.haState).toBe('ACTIVE');
  expect(play.state.lastAttempt).toBe(1);
  expect(play.all('sendCall')).toEqual([]);
});

test('a level read before EC2 has said anything is decided on at its first answer: no edge is needed', () => {
  const play = new Play();
  play.at(0, started(), synchronizedWith({}));
  play.at(100, { type: 'streamsLost', cause: 'reset' });
  play.at(200, synchronizedWith({ a: 'Down', b: 'Down' }));
  expect(play.state.lastAttempt).toBe(0);
  play.at(300, play.observed('peer'));
  expect(play.state.lastAttempt).toBe(1);
});
