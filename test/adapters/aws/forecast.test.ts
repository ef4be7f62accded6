// What is foretold of a takeover: its calls, and when EC2's limits let each of them go.
import { forecast } from '../../../src/aws/moves/forecast';
import { Pacer } from '../../../src/aws/moves/pacer';
import { plannedMoves, type PlannedMove } from '../../../src/aws/moves/plannedCalls';
import type { MovingAction } from '../../../src/config/settings';
import { previewTakeover } from '../../../src/core/moves/preview';
import { observeOwnership } from '../../../src/aws/reads/observe';
import { ownParams, wireParams } from '../../support/wireParams';
import { eniOf, limits, now, openAwsLab, moverOf, until } from './awsLab';
import {
  ALLOCATION,
  elasticIpTarget,
  IPV6,
  mixedPlan,
  newTargetsWorld,
  routeTarget,
  TABLE,
} from './targetsLab';

const move = (rank: number, ...actions: readonly MovingAction[]): PlannedMove => ({
  rank,
  calls: actions.map((action) => ({ action, input: { rank } as never })),
});
const sent = (moves: readonly PlannedMove[], slow = limits) =>
  forecast(moves, slow, 150).map(({ action, sentAtMs }) => [action, Math.round(sentAtMs)]);

test('the burst goes at once, the rest at the pace of the bucket, each action by its own', () => {
  const slow = { ...limits, ReplaceRoute: { burst: 2, refillPerS: 20 } };
  const moves = [1, 2, 3, 4].map((rank) => move(rank, 'ReplaceRoute'));
  expect(sent([...moves, move(5, 'AssociateAddress')], slow)).toEqual([
    ['ReplaceRoute', 0],
    ['ReplaceRoute', 0],
    ['AssociateAddress', 0],
    ['ReplaceRoute', 150],
    ['ReplaceRoute', 200],
  ]);
});

test('a second call of a move waits for the answer to the first, and for a token of its own', () => {
  const slow = { ...limits, CreateRoute: { burst: 1, refillPerS: 10 } };
  const moves = [move(1, 'ReplaceRoute', 'CreateRoute'), move(2, 'ReplaceRoute', 'CreateRoute')];
  expect(sent(moves, slow)).toEqual([
    ['ReplaceRoute', 0],
    ['ReplaceRoute', 0],
    ['CreateRoute', 150],
    ['CreateRoute', 350],
  ]);
});

test('what rests on another move comes after it', () => {
  const next = [move(0, 'AssociateAddress'), move(0, 'AssociateAddress')];
  expect(sent([{ ...move(1, 'AssignPrivateIpAddresses'), next }, move(2, 'ReplaceRoute')])).toEqual([
    ['AssignPrivateIpAddresses', 0],
    ['ReplaceRoute', 0],
    ['AssociateAddress', 150],
    ['AssociateAddress', 150],
  ]);
});

test('500 routes take a minute and a half', () => {
  const moves = Array.from({ length: 500 }, (_, rank) => move(rank, 'ReplaceRoute'));
  expect(sent(moves).at(-1)).toEqual(['ReplaceRoute', 90_100]);
});

test('the pacer lets nothing go before it was foretold, and in the same order', async () => {
  const slow = { ...limits, ReplaceRoute: { burst: 3, refillPerS: 50 } };
  const ranks = [4, 0, 3, 1, 2, 5];
  const foretold = forecast(
    ranks.map((rank) => move(rank, 'ReplaceRoute')),
    slow,
    150,
  ).map(({ sentAtMs }) => sentAtMs);
  const pacer = new Pacer(slow, now);
  const startedAt = now();
  const gone: { readonly rank: number; readonly atMs: number }[] = [];
  // The attempt begins with the lowest rank.
  for (const rank of [...ranks].sort((a, b) => a - b))
    pacer.enter({ action: 'ReplaceRoute', group: '', rank }, () =>
      gone.push({ rank, atMs: now() - startedAt }),
    );
  await until('all are gone', () => gone.length === ranks.length);
  pacer.stop();
  expect(gone.map(({ rank }) => rank)).toEqual([0, 1, 2, 3, 4, 5]);
  // The pacer rounds up to whole milliseconds.
  gone.forEach(({ atMs }, place) => expect(atMs).toBeGreaterThanOrEqual(foretold[place]! - 1));
});

test('the calls that are planned are those that the actions send', async () => {
  const lab = await openAwsLab({ world: newTargetsWorld() });
  const plan = { ...mixedPlan, targets: [...mixedPlan.targets, routeTarget('10.99.0.0/16')] };
  const { ec2, identity } = lab;
  const observed = await observeOwnership({ ec2, plan, identity, timeoutMs: 5_000, now });
  if (!observed.ok) throw new Error(observed.failure.message);
  const tableOf = (id: string) => observed.tables.get(id) ?? null;
  const preview = previewTakeover(plan, observed.observation);
  const planned = await plannedMoves(plan, observed.observation, preview.moves, tableOf);
  expect(preview.haState).toBe('STANDBY');
  lab.emulator.clearLog();
  const mover = moverOf(ec2, { plan, tableOf });
  for (const [call, request] of preview.moves.entries())
    await mover.send({ ...request, attempt: 1, call, send: 1, timeoutMs: 5_000 });
  const requests = lab.emulator
    .requests()
    .map(({ action, params }) => ({ action, params: ownParams(params) }));
  expect(
    planned.flatMap(({ calls }) => calls.map(({ action, input }) => ({ action, params: wireParams(input) }))),
  ).toEqual(requests);
  expect(requests).toContainEqual({
    action: 'UnassignIpv6Addresses',
    params: { NetworkInterfaceId: eniOf(2, 1), 'Ipv6Addresses.1': IPV6 },
  });
  expect(requests).toContainEqual({
    action: 'CreateRoute',
    params: { RouteTableId: TABLE, DestinationCidrBlock: '10.99.0.0/16', NetworkInterfaceId: eniOf(1, 1) },
  });
  const again = await observeOwnership({ ec2, plan, identity, timeoutMs: 5_000, now });
  if (!again.ok) throw new Error(again.failure.message);
  await lab.close();
  expect(previewTakeover(plan, again.observation)).toEqual({
    haState: 'ACTIVE',
    moves: [],
    left: [],
    refused: [],
  });
});

test('what is foreign is left, and named', async () => {
  const lab = await openAwsLab({ world: newTargetsWorld() });
  const plan = { ...mixedPlan, targets: [routeTarget('::/0', 'ipv6'), elasticIpTarget()] };
  const { ec2, identity } = lab;
  const observed = await observeOwnership({ ec2, plan, identity, timeoutMs: 5_000, now });
  if (!observed.ok) throw new Error(observed.failure.message);
  const { moves, left } = previewTakeover(plan, observed.observation);
  expect(moves.map(({ targets }) => targets)).toEqual([[ALLOCATION]]);
  expect(left).toEqual([`::/0 in ${TABLE} is held by igw-00000001, which is neither router of this pair`]);
  await lab.close();
});
