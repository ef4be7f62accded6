/** Partial ownership: who completes it, and when it is left alone. */
import type { Lab } from '../../lab/topology/topology';
import {
  attemptsBegun,
  daemonOf,
  hasTakenOver,
  moreObservations,
  moveOf,
  openPair,
  reason,
  requestMark,
  role,
  takesOver,
  watching,
  writes,
} from './support';
import {
  alarmsOf,
  mayReassign,
  moveByHand,
  moveTo,
  owners,
  settled,
  shownReason,
  soon,
} from './rulesSupport';
import { eventually } from '../support/eventually';

const config = { ...soon, partial_hold_s: 1.5 };

const openThree = (extra = {}): Promise<Lab> => openPair({ interfaces: 3, config: { ...config, ...extra } });

// Each waits for the hold, so they do it side by side.
test('an address moved to the standby by hand: the holder of the lowest one takes the rest, and the other one lets it', async () => {
  await Promise.all([higherMoved(), lowestMoved()]);
});

async function higherMoved(): Promise<void> {
  const lab = await openThree();
  const [rtr1, rtr2] = [daemonOf(lab, 'rtr1'), daemonOf(lab, 'rtr2')];
  const since = { rtr1: rtr1.mark(), rtr2: rtr2.mark() };
  moveByHand(lab, 1, 'rtr2');
  await Promise.all([role(rtr1, 'UNKNOWN'), role(rtr2, 'UNKNOWN')]);
  await reason(rtr2, /now UNKNOWN \(partial\), before STANDBY/, since.rtr2);
  await reason(rtr1, /the rest is taken when EC2 has shown the same for 1\.5 s/, since.rtr1);
  await reason(
    rtr1,
    /repairing: taking 172\.31\.105\.10, because this router holds 172\.31\.101\.10, the lowest that either router holds, and nothing has changed for \d+ s while the sessions are UP/,
    since.rtr1,
  );
  await settled(lab, 'rtr1');
  expect(writes(lab).map(moveOf)).toEqual([moveTo(lab, 1, 'rtr1')]);
  expect(writes(lab).every(mayReassign)).toBe(true);
  expect(alarmsOf(rtr1, since.rtr1)).toEqual([]);
  expect(alarmsOf(rtr2, since.rtr2)).toEqual([]);
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
}

async function lowestMoved(): Promise<void> {
  const lab = await openThree();
  const [rtr1, rtr2] = [daemonOf(lab, 'rtr1'), daemonOf(lab, 'rtr2')];
  const since = { rtr1: rtr1.mark(), rtr2: rtr2.mark() };
  moveByHand(lab, 0, 'rtr2');
  await reason(
    rtr2,
    /repairing: taking 172\.31\.105\.10 and 172\.31\.106\.10, because this router holds 172\.31\.101\.10/,
    since.rtr2,
  );
  await settled(lab, 'rtr2');
  expect(writes(lab).map(moveOf).sort()).toEqual([moveTo(lab, 1, 'rtr2'), moveTo(lab, 2, 'rtr2')].sort());
  expect(alarmsOf(rtr1, since.rtr1)).toEqual([]);
  expect(alarmsOf(rtr2, since.rtr2)).toEqual([]);
  await watching(rtr1, since.rtr1);
  await takesOver(lab, 'rtr1', () => lab.killRouter('rtr2'));
}

test('while the sessions are DOWN a partial ownership stays as it is; it is repaired when they are UP', async () => {
  const lab = await openThree();
  const [rtr1, rtr2] = [daemonOf(lab, 'rtr1'), daemonOf(lab, 'rtr2')];
  await takesOver(lab, 'rtr2', () => lab.cutLink());
  const since = { request: requestMark(lab), rtr1: rtr1.mark(), rtr2: rtr2.mark() };
  moveByHand(lab, 2, 'rtr1');
  await Promise.all([role(rtr1, 'UNKNOWN'), role(rtr2, 'UNKNOWN')]);
  // Five keepalives are longer than the hold.
  await Promise.all([moreObservations(lab, 'rtr1', 6), moreObservations(lab, 'rtr2', 6)]);
  expect(writes(lab, since.request).map(moveOf)).toEqual([]);
  expect(owners(lab)).toEqual(['rtr2', 'rtr2', 'rtr1']);
  await shownReason(lab, 'rtr2', /this router holds only 2 of 3 targets and takes nothing over/);

  lab.healLink();
  await reason(rtr2, /repairing: taking 172\.31\.106\.10/, since.rtr2);
  await settled(lab, 'rtr2');
  expect(writes(lab, since.request).map(moveOf)).toEqual([moveTo(lab, 2, 'rtr2')]);
  expect(attemptsBegun(rtr1, since.rtr1)).toEqual([]);
  await takesOver(lab, 'rtr1', () => lab.killRouter('rtr2'));
});

test('a router that holds a part takes the rest at once when the peer dies', async () => {
  const lab = await openThree({ partial_hold_s: 60 });
  const rtr2 = daemonOf(lab, 'rtr2');
  const since = rtr2.mark();
  moveByHand(lab, 2, 'rtr2');
  await reason(rtr2, /this router holds only 1 of 3 targets and watches/, since);
  await lab.killRouter('rtr1');
  await reason(
    rtr2,
    /taking over 172\.31\.101\.10 and 172\.31\.105\.10: .* and this router holds only 1 of 3 targets/,
    since,
  );
  await hasTakenOver(lab, 'rtr2', since);
  // What it holds is asked for, too: EC2 has not said since the peer went DOWN that it is still here.
  expect(writes(lab).map(moveOf).sort()).toEqual([0, 1, 2].map((index) => moveTo(lab, index, 'rtr2')).sort());
});

test('the peer repairs a partial ownership and dies before this router has seen it: one takeover takes everything, from a peer that hangs', async () => {
  const lab = await openPair({ config });
  const [rtr1, rtr2] = [daemonOf(lab, 'rtr1'), daemonOf(lab, 'rtr2')];
  moveByHand(lab, 1, 'rtr2');
  await Promise.all([role(rtr1, 'UNKNOWN'), role(rtr2, 'UNKNOWN')]);
  // rtr2 hears nothing more of who holds what until the peer is dead; EC2 says all the time that the peer runs.
  const deaf = lab.ec2.addFault({
    kind: 'blackHole',
    action: 'DescribeNetworkInterfaces',
    source: lab.plan.instanceId.rtr2,
  });
  await eventually(() => expect(owners(lab)).toEqual(['rtr1', 'rtr1']));
  const since = { request: requestMark(lab), record: rtr2.mark() };
  await lab.killRouter('rtr1');
  await reason(
    rtr2,
    /172\.31\.105\.10 also asked for again, because the peer may have taken it/,
    since.record,
  );
  await eventually(() => expect(owners(lab)).toEqual(['rtr2', 'rtr2']));
  lab.ec2.removeFault(deaf);
  await role(rtr2, 'ACTIVE');
  expect(attemptsBegun(rtr2).length).toBe(1);
  expect(writes(lab, since.request).map(moveOf).sort()).toEqual([
    moveTo(lab, 0, 'rtr2'),
    moveTo(lab, 1, 'rtr2'),
  ]);
});
