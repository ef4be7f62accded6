/**
 * What BFD says when the peer has not died: short failures, withdrawn sessions, a partition, an own interface
 * that fails in the same moment. Each ends with the real death of a peer. See also router.test.ts.
 */
import type { Lab } from '../../lab/topology/topology';
import { eventually } from '../support/eventually';
import {
  attemptsBegun,
  daemonOf,
  generations,
  hasTakenOver,
  moreObservations,
  moveOf,
  nothingMoves,
  openPair,
  reason,
  record,
  requestMark,
  role,
  roleOf,
  takesOver,
  watching,
  writes,
} from './support';

const INTERFACE = 'TenGigE0/0/0/1';
const MOVE = 'AssignPrivateIpAddresses';

/** Both sessions of rtr2 fail; as the link is well they come UP again after the fabric's `bringUpMs`. */
function failBfd(lab: Lab): void {
  for (const { primaryAddress } of lab.plan.interfaces) {
    lab.routers.rtr2.sim.forceBfd({ neighbor: primaryAddress.rtr1 }, 'DOWN', 'DETECT_EXPIRED');
  }
}

/** Sessions that would come UP much later come UP soon. */
function bringUpSoon(lab: Lab): void {
  lab.fabric.bringUpMs = 50;
  lab.cutLink();
  lab.healLink();
}

/** How often EC2 has given an address to another router. */
const moves = (lab: Lab): number => lab.world.ownershipHistory().filter(({ from }) => from !== null).length;

const statuses = (lab: Lab): readonly string[] => lab.routers.rtr2.sim.sessions().map(({ status }) => status);

describe.each(generations)('%s', (generation) => {
  test('BFD that fails for 100 ms: the standby has taken over or not, and nobody takes anything back', async () => {
    const lab = await openPair({
      generation,
      config: { staleness_s: 0.5 },
      fabric: { bringUpMs: 100, detectTimeMs: 100 },
    });
    const [rtr1, rtr2] = [daemonOf(lab, 'rtr1'), daemonOf(lab, 'rtr2')];
    failBfd(lab);
    // Whether it acts within the 100 ms is for the machine to say; it moves both addresses or none.
    await eventually(() => expect(statuses(lab)).toEqual(['UP', 'UP']));
    await Promise.all([moreObservations(lab, 'rtr1', 4), moreObservations(lab, 'rtr2', 4)]);
    const [owner, standby] = lab.ownsAll('rtr2') ? (['rtr2', 'rtr1'] as const) : (['rtr1', 'rtr2'] as const);
    expect(moves(lab)).toBe(owner === 'rtr2' ? 2 : 0);
    expect(lab.ownsAll(owner)).toBe(true);
    expect(attemptsBegun(rtr1)).toEqual([]);
    expect(attemptsBegun(rtr2).length).toBeLessThanOrEqual(1);
    await Promise.all([role(daemonOf(lab, owner), 'ACTIVE'), role(daemonOf(lab, standby), 'STANDBY')]);
    await watching(daemonOf(lab, standby));
    await takesOver(lab, standby, () => lab.killRouter(owner));
  });

  test.each([
    ['5 ms before BFD', { first: 'interface', gapMs: 5 }],
    ['5 ms after BFD', { first: 'bfd', gapMs: 5 }],
  ] as const)('the own interface fails %s: no takeover, or one that is given back', async (_, report) => {
    const lab = await openPair({ generation });
    const rtr2 = daemonOf(lab, 'rtr2');
    const since = rtr2.mark();
    lab.interfaceDown('rtr2', INTERFACE, report);
    await reason(
      rtr2,
      /STANDBY and takes nothing over: .*its local interface TenGigE0\/0\/0\/1 is DOWN/,
      since,
    );
    if (writes(lab).length > 0) {
      const alarm = await record(rtr2, /"alarms":\["local-failure-suspected"\]/, since);
      expect(alarm).toMatchObject({ level: 'error' });
      await reason(rtr2, /gave back 172\.31\.101\.10 and 172\.31\.105\.10/, since);
    }
    await Promise.all([moreObservations(lab, 'rtr1', 2), moreObservations(lab, 'rtr2', 2)]);
    expect(lab.ownsAll('rtr1')).toBe(true);
    expect([roleOf(daemonOf(lab, 'rtr1')), roleOf(rtr2)]).toEqual(['ACTIVE', 'STANDBY']);
    const up = rtr2.mark();
    lab.interfaceUp('rtr2', INTERFACE);
    await watching(rtr2, up);
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });
});

test('BFD that is UP again before EC2 has done anything: the takeover is dropped', async () => {
  const lab = await openPair();
  const rtr2 = daemonOf(lab, 'rtr2');
  // Throttled is definitely not done.
  const throttled = lab.ec2.addFault({ kind: 'throttle', action: MOVE });
  lab.fabric.bringUpMs = 600_000;
  failBfd(lab);
  await reason(rtr2, /172\.31\.101\.10 not moved: RequestLimitExceeded/);
  const since = rtr2.mark();
  bringUpSoon(lab);
  await reason(rtr2, /dropped attempt 1: nothing had moved/, since);
  await watching(rtr2, since);
  expect(moves(lab)).toBe(0);
  lab.ec2.removeFault(throttled);
  await nothingMoves(lab, 'rtr2', { request: requestMark(lab), record: rtr2.mark() });
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
});

test('BFD that is UP again when a request may have been carried out: the takeover is completed', async () => {
  const lab = await openPair({ config: { staleness_s: 0.5 } });
  const rtr2 = daemonOf(lab, 'rtr2');
  const failing = lab.ec2.addFault({ kind: 'error', code: 'InternalError', status: 500, action: MOVE });
  lab.fabric.bringUpMs = 600_000;
  failBfd(lab);
  await reason(rtr2, /172\.31\.101\.10 not moved: InternalError/);
  await reason(rtr2, /172\.31\.105\.10 not moved: InternalError/);
  const since = rtr2.mark();
  bringUpSoon(lab);
  for (const { primaryAddress } of lab.plan.interfaces) {
    await reason(rtr2, new RegExp(`the session ${primaryAddress.rtr1} on .* went from DOWN to UP`), since);
  }
  lab.ec2.removeFault(failing);
  await hasTakenOver(lab, 'rtr2');
  expect(attemptsBegun(rtr2)).toEqual([1]);
  await watching(daemonOf(lab, 'rtr1'));
  expect(moves(lab)).toBe(2);
  await takesOver(lab, 'rtr1', () => lab.killRouter('rtr2'));
});

test('a peer that withdraws its sessions, which then go DOWN, has not failed; later it does', async () => {
  const lab = await openPair();
  const rtr2 = daemonOf(lab, 'rtr2');
  const since = rtr2.mark();
  lab.fabric.bringUpMs = 600_000;
  await lab.restartGrpc('rtr1', { keepState: false });
  await eventually(() => expect(statuses(lab)).toEqual(['NEIGHBOR_UNCONFIG', 'NEIGHBOR_UNCONFIG']));
  await reason(rtr2, /UNCONFIGURED, ignored: the peer has removed its side/, since);
  failBfd(lab);
  for (const { primaryAddress } of lab.plan.interfaces) {
    await reason(
      rtr2,
      new RegExp(`the session ${primaryAddress.rtr1} on .* went from UNCONFIGURED to DOWN`),
      since,
    );
  }
  await reason(rtr2, /STANDBY and takes nothing over: .* is DOWN, ignored/, since);
  await nothingMoves(lab, 'rtr2');
  const back = rtr2.mark();
  bringUpSoon(lab);
  await watching(rtr2, back);
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
});

test('a partition that only BFD sees: one takeover, and the loser stays down until BFD has been UP again', async () => {
  const lab = await openPair({ generation: 'mixed', config: { staleness_s: 0.5 } });
  const [rtr1, rtr2] = [daemonOf(lab, 'rtr1'), daemonOf(lab, 'rtr2')];
  await takesOver(lab, 'rtr2', () => lab.cutLink());
  await reason(
    rtr1,
    /this router is STANDBY and takes nothing over: .* is DOWN, ignored: it has not been UP since/,
  );
  await reason(rtr2, /staying ACTIVE: the sessions .* are DOWN/);
  // Several times longer than reads may lag writes, so nothing else holds the loser back.
  await Promise.all([moreObservations(lab, 'rtr1', 6), moreObservations(lab, 'rtr2', 6)]);
  expect(moves(lab)).toBe(2);
  expect(attemptsBegun(rtr1)).toEqual([]);

  const since = { request: requestMark(lab), record: rtr1.mark() };
  lab.healLink();
  await watching(rtr1, since.record);
  await nothingMoves(lab, 'rtr1', since);
  expect(writes(lab).map(moveOf)).toHaveLength(2);
  await takesOver(lab, 'rtr1', () => lab.killRouter('rtr2'));
});
