/**
 * What a user of `xrv9k-aws-ha` would try first: the stories in which the predecessor broke, told to the built
 * daemon. docs/predecessor-defects.md says which defect each of them is; its other rows have tests elsewhere.
 */
import { toNumber } from '../../lab/slapi-sim/address';
import type { Lab } from '../../lab/topology/topology';
import { peerOf, routerNames } from '../../lab/topology/plan';
import { eventually } from '../support/eventually';
import {
  attemptsBegun,
  daemonOf,
  generations,
  hasTakenOver,
  moreObservations,
  moveOf,
  nothingMoves,
  openLab,
  openPair,
  reason,
  record,
  requestMark,
  role,
  roleOf,
  startPair,
  takesOver,
  watching,
  writes,
} from './support';

const MOVE = 'AssignPrivateIpAddresses';

describe('three failovers each way in one process life, two addresses on each of two interfaces', () => {
  test('cost one EC2 call per interface each, whatever the number of failovers and addresses before', async () => {
    const lab = await openLab({ config: { staleness_s: 0.5 } });
    const pairs = lab.plan.interfaces.map(({ floatingAddress, deviceIndex, networkInterfaceId }) => {
      const addresses = [floatingAddress, floatingAddress.replace(/\d+$/, '11')];
      lab.world.assign(networkInterfaceId.rtr1, addresses);
      return { addresses, deviceIndex, networkInterfaceId };
    });
    writeTargets(
      lab,
      pairs.flatMap(({ addresses, deviceIndex }) =>
        addresses.map((address) => [address, deviceIndex] as const),
      ),
    );
    await startPair(lab);
    const pids = routerNames.map((name) => daemonOf(lab, name).pid);

    for (const [round, to] of (['rtr2', 'rtr1', 'rtr2', 'rtr1', 'rtr2', 'rtr1'] as const).entries()) {
      const [winner, loser] = [daemonOf(lab, to), daemonOf(lab, peerOf(to))];
      const since = { winner: winner.mark(), loser: loser.mark(), request: requestMark(lab) };
      lab.cutLink();
      await hasTakenOver(lab, to, since.winner);
      await role(loser, 'STANDBY');
      lab.healLink();
      await watching(loser, since.loser);
      // Both have looked again since: a loop that never ends would show.
      await Promise.all(routerNames.map((name) => moreObservations(lab, name, 1)));
      expect(writes(lab, since.request).map(moveOf).sort()).toEqual(
        pairs.map(
          ({ addresses, networkInterfaceId }) => `${addresses.join(' ')} -> ${networkInterfaceId[to]}`,
        ),
      );
      expect(attemptsBegun(winner, since.winner)).toEqual([Math.floor(round / 2) + 1]);
      expect([roleOf(winner), roleOf(loser)]).toEqual(['ACTIVE', 'STANDBY']);
    }
    expect(lab.ec2.counters().byAction[MOVE]).toBe(12);
    expect(routerNames.map((name) => daemonOf(lab, name).pid)).toEqual(pids);
  });
});

test('a DOWN of a multi-hop session, whose key has no interface, is reported and the next failure is seen', async () => {
  const lab = await openPair();
  const rtr2 = daemonOf(lab, 'rtr2');
  const { sim } = lab.routers.rtr2;
  const NbrAddr = toNumber(sim.sessions()[0]?.key.neighbor ?? '');
  sim.inject('bfd', {
    EventType: 'SL_BFD_EVENT_TYPE_SESSION_STATE',
    Session: {
      Key: { Type: 'SL_BFD_MULTI_HOP', VrfName: 'default', NbrAddr, SourceAddr: NbrAddr },
      State: { SeqNum: 1_000_000, Status: 'SL_BFD_SESSION_DOWN' },
    },
  });
  await record(rtr2, /a BFD notification for a session that is not configured/);
  await nothingMoves(lab, 'rtr2');
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
});

describe.each(generations)('%s', (generation) => {
  test('a stream that breaks, one that ends and a gRPC restart in one process life, and then the peer dies: taken over', async () => {
    const lab = await openPair({ generation });
    const rtr2 = daemonOf(lab, 'rtr2');
    const losses: readonly (() => unknown)[] = [
      () => lab.cutStream('rtr2', 'bfd', 'error'),
      () => lab.cutStream('rtr2', 'bfd', 'end'),
      () => lab.cutStream('rtr2', 'interface', 'error'),
      () => lab.restartGrpc('rtr2', { keepState: true }),
    ];
    for (const lose of losses) {
      const since = rtr2.mark();
      await lose();
      await record(rtr2, /"event":"streamsLost"/, since);
      await watching(rtr2, since);
    }
    expect(writes(lab)).toEqual([]);
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });

  test('enums whose value is zero, which are not on the wire, cost nothing: the death of the peer is seen after them', async () => {
    const lab = await openPair({ generation });
    const rtr2 = daemonOf(lab, 'rtr2');
    const { sim } = lab.routers.rtr2;

    // An error event without an error is a stream that nobody can trust: it is opened again.
    const since = rtr2.mark();
    sim.inject('bfd', { EventType: 'SL_BFD_EVENT_TYPE_ERROR', ErrStatus: {} });
    await record(rtr2, /"event":"streamsLost"/, since);
    await watching(rtr2, since);

    for (const { key, seqNum } of sim.sessions()) {
      const Interface = { Name: key.interface };
      sim.inject('bfd', {
        EventType: 'SL_BFD_EVENT_TYPE_SESSION_STATE',
        Session: {
          Key: { Type: 'SL_BFD_SINGLE_HOP', NbrAddr: toNumber(key.neighbor), Interface },
          State: { SeqNum: seqNum },
        },
      });
      sim.inject('interface', {
        EventType: 'SL_INTERFACE_EVENT_TYPE_INTERFACE_INFO',
        Info: { SLIfInfo: Interface, SeqNum: 1_000_000 },
      });
      await reason(rtr2, new RegExp(`session ${key.neighbor} on .* went from UP to UNKNOWN`), since);
      await reason(rtr2, new RegExp(`interface ${key.interface} went from UP to UNKNOWN`), since);
    }
    await nothingMoves(lab, 'rtr2');
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });
});

describe('IMDS', () => {
  /** A loop that never waits makes tens of thousands in the same time. */
  const FEW = 100;

  test('fails at the start and comes back: it is asked a few times, and then the router does its work', async () => {
    const lab = await openLab();
    const { imds } = lab.routers.rtr2;
    const failing = imds.addFault({ kind: 'error', status: 500, action: 'api/token' });
    lab.startDaemon('rtr1');
    const rtr2 = lab.startDaemon('rtr2');
    await record(rtr2, /"event":"identity-unread".*500 to the request for a token/);
    await record(rtr2, /"event":"credentials-unread".*500 to the request for a token/);
    // The peer's keepalives are the clock of this test: about three seconds.
    await moreObservations(lab, 'rtr1', 6);
    const asked = (): number => imds.counters()['PUT /latest/api/token'] ?? 0;
    await eventually(() => expect(asked()).toBeGreaterThan(3));
    expect(asked()).toBeLessThan(FEW);
    imds.removeFault(failing);
    await watching(rtr2);
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });

  test('fails when credentials have to be renewed: asked a few times, renewed when it is back; SIGTERM does not wait for it', async () => {
    const lab = await openPair();
    const rtr2 = daemonOf(lab, 'rtr2');
    const { imds, instanceId } = lab.routers.rtr2;
    imds.forgetTokens();
    imds.clearLog();
    const failing = imds.addFault({ kind: 'error', status: 500 });
    for (const { accessKeyId } of lab.credentials.issuedTo(instanceId)) lab.credentials.expire(accessKeyId);
    await reason(rtr2, /EC2 could not be observed \(RequestExpired/);
    await moreObservations(lab, 'rtr1', 6);
    expect(imds.requests().length).toBeGreaterThan(0);
    expect(imds.requests().length).toBeLessThan(FEW);
    expect(roleOf(rtr2)).toBe('STANDBY');

    imds.rotateCredentials();
    imds.removeFault(failing);
    await reason(rtr2, /EC2 answers again/);
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));

    imds.addFault({ kind: 'blackHole' });
    for (const { accessKeyId } of lab.credentials.issuedTo(instanceId)) lab.credentials.expire(accessKeyId);
    const before = imds.requests().length;
    await eventually(() => expect(imds.requests().length).toBeGreaterThan(before));
    expect(await rtr2.stop('SIGTERM', 5_000)).toEqual({ code: 0, signal: null });
  });
});

test('a DOWN heard while the own interface was DOWN is decided on when the interface is UP again', async () => {
  const lab = await openPair({ sessions: 1, config: { reestablish_after_interface_s: 0.5 } });
  const rtr2 = daemonOf(lab, 'rtr2');
  lab.interfaceDown('rtr2', 'TenGigE0/0/0/1');
  await reason(rtr2, /ignored: its local interface TenGigE0\/0\/0\/1 is DOWN/);
  await lab.killRouter('rtr1');
  await nothingMoves(lab, 'rtr2');
  // No BFD event comes any more: the level that is known has to do.
  await takesOver(lab, 'rtr2', () => lab.interfaceUp('rtr2', 'TenGigE0/0/0/1'));
});

test('a daemon that is stopped and started again leaves BFD as it is: the peer hears nothing of it', async () => {
  const lab = await openPair();
  const rtr2 = daemonOf(lab, 'rtr2');
  const since = rtr2.mark();
  const heard: string[] = [];
  const off = lab.routers.rtr2.sim.onEventWritten(({ stream, message }) => {
    if (stream === 'bfd') heard.push(JSON.stringify(message));
  });
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    await daemonOf(lab, 'rtr1').stop(signal);
    const rtr1 = lab.startDaemon('rtr1');
    await reason(rtr1, /in control of the router's event streams: .* is UP and .* is UP$/);
    await role(rtr1, 'ACTIVE');
  }
  off();
  expect(heard).toEqual([]);
  await nothingMoves(lab, 'rtr2', { request: 0, record: since });
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
});

test('EC2 turns every move down at once: it is tried again with growing pauses, and EC2 goes on being read', async () => {
  const lab = await openPair();
  const refusal = lab.ec2.addFault({ kind: 'throttle', action: MOVE });
  const startedAt = performance.now();
  await lab.killRouter('rtr1');
  await eventually(() => expect(writes(lab).length).toBeGreaterThanOrEqual(8));
  await moreObservations(lab, 'rtr2', 4);
  const elapsedS = (performance.now() - startedAt) / 1000;
  // Five tries take less than a second, the following ones at least half a second each.
  expect(writes(lab).length).toBeLessThanOrEqual(lab.plan.interfaces.length * (8 + 2 * elapsedS));
  lab.ec2.removeFault(refusal);
  await hasTakenOver(lab, 'rtr2');
  expect(attemptsBegun(daemonOf(lab, 'rtr2'))).toEqual([1]);
});

test('an interface that was detached since the start moves no address to the wrong one of the others', async () => {
  const lab = await openLab({ interfaces: 3 });
  const [first, second] = lab.plan.interfaces;
  if (first === undefined || second === undefined) throw new Error('the lab has three interfaces');
  writeTargets(lab, [[second.floatingAddress, second.deviceIndex]]);
  await startPair(lab);
  const rtr2 = daemonOf(lab, 'rtr2');
  await moreObservations(lab, 'rtr2', 1);
  // From now on another interface stands at the place that the second one had among this router's.
  lab.world.detachInterface(first.networkInterfaceId.rtr2);
  await moreObservations(lab, 'rtr2', 2);
  await lab.killRouter('rtr1');
  await reason(rtr2, /EC2 confirms attempt 1: all targets are on this router/);
  expect(writes(lab).map(moveOf)).toEqual([`${second.floatingAddress} -> ${second.networkInterfaceId.rtr2}`]);
  expect(lab.ownerOf(second.floatingAddress)).toBe('rtr2');
});

/** For both routers: what floats, and the device index of the interface that it belongs on. */
function writeTargets(lab: Lab, targets: readonly (readonly [address: string, deviceIndex: number])[]): void {
  const intf_list = targets.map(([secondary_ip, instance_intf_number]) => ({
    secondary_ip,
    instance_intf_number,
  }));
  for (const name of routerNames) {
    lab.writeConfig(name, { action: { method: 'secondary_ip_shift', method_params: { intf_list } } });
  }
}
