/** A daemon that is killed half-way through something slower than a takeover: the pair ends with one owner. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoggedRequest } from '../../lab/ec2-emulator/requestLog';
import type { Lab } from '../../lab/topology/topology';
import type { RouterName } from '../../lab/topology/plan';
import {
  daemonOf,
  interfaceDownSeenLate,
  moveOf,
  onWrite,
  openLab,
  openPair,
  reason,
  role,
  takesOver,
  watching,
  writes,
} from './support';
import { MOVE, ha, mayReassign, moveTo, owners, settled, soon } from './rulesSupport';
import { eventually } from '../support/eventually';

const config = { ...soon, partial_hold_s: 1.5 };

const isMove =
  (move: string) =>
  (request: LoggedRequest): boolean =>
    request.action === MOVE && moveOf(request) === move;

/** From now on EC2 fails the router's moves of this address. */
function fail(lab: Lab, name: RouterName, place: number): void {
  lab.ec2.addFault({
    kind: 'error',
    code: 'InternalError',
    action: MOVE,
    source: lab.plan.instanceId[name],
    addresses: [lab.plan.interfaces[place]?.floatingAddress ?? ''],
  });
}

async function gone(lab: Lab, name: RouterName): Promise<void> {
  await eventually(() => expect(lab.daemon(name)).toBeNull());
}

// What is left is repaired after the hold, so they wait side by side.
test('in the middle of a claim, of a switchover and of a give-back', async () => {
  await Promise.all([duringClaim(), duringGive(), duringGiveBack()]);
});

async function duringClaim(): Promise<void> {
  const lab = await openLab({ interfaces: 3, owner: null, config });
  fail(lab, 'rtr1', 1);
  fail(lab, 'rtr1', 2);
  const rtr1 = lab.startDaemon('rtr1');
  onWrite(lab, 'rtr1', isMove(moveTo(lab, 1, 'rtr1')), () => void rtr1.kill());
  await gone(lab, 'rtr1');
  expect(owners(lab)).toEqual(['rtr1', null, null]);
  lab.ec2.clearFaults();

  const rtr2 = lab.startDaemon('rtr2');
  const again = lab.startDaemon('rtr1');
  await reason(
    again,
    /repairing: taking 172\.31\.105\.10 and 172\.31\.106\.10, because this router holds 172\.31\.101\.10/,
  );
  await settled(lab, 'rtr1');
  expect(lab.ec2.requests().filter(mayReassign)).toEqual([]);
  await watching(rtr2);
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
}

/** The first address has gone, the second one has not; the other router may have repaired that by now. */
async function leftHalfDone(lab: Lab, from: RouterName, to: RouterName): Promise<void> {
  await eventually(() => expect(owners(lab)[0]).toBe(to));
  const done = writes(lab, 0, from).filter(({ outcome }) => outcome === 'ok');
  expect(done.map(moveOf)).not.toContain(moveTo(lab, 1, to));
}

async function duringGive(): Promise<void> {
  const lab = await openPair({ config });
  const rtr1 = daemonOf(lab, 'rtr1');
  fail(lab, 'rtr1', 1);
  onWrite(lab, 'rtr1', isMove(moveTo(lab, 0, 'rtr2')), () => void rtr1.kill());
  expect((await ha(lab, 'rtr1', 'switchover')).code).toBe(4);
  await gone(lab, 'rtr1');
  await leftHalfDone(lab, 'rtr1', 'rtr2');
  lab.ec2.clearFaults();

  const again = lab.startDaemon('rtr1');
  await settled(lab, 'rtr2');
  await watching(again);
  await takesOver(lab, 'rtr1', () => lab.killRouter('rtr2'));
}

async function duringGiveBack(): Promise<void> {
  const lab = await openPair({ config: { ...config, reestablish_after_interface_s: 0.5 } });
  const rtr2 = daemonOf(lab, 'rtr2');
  // Of what it took, the second address does not go back.
  onWrite(lab, 'rtr2', isMove(moveTo(lab, 1, 'rtr2')), () => fail(lab, 'rtr2', 1));
  // Decisions are stored in the background: one that died before it had stored the give-back would go on with the takeover.
  const state = join(lab.routers.rtr2.directory, 'state', 'decisions.json');
  const isStored = (): void =>
    expect(JSON.parse(readFileSync(state, 'utf8'))).toMatchObject({ intent: null });
  onWrite(
    lab,
    'rtr2',
    isMove(moveTo(lab, 0, 'rtr1')),
    () => void eventually(isStored).then(() => rtr2.kill()),
  );
  interfaceDownSeenLate(lab, 'rtr2', 'TenGigE0/0/0/1');
  await gone(lab, 'rtr2');
  await leftHalfDone(lab, 'rtr2', 'rtr1');
  lab.ec2.clearFaults();

  const again = lab.startDaemon('rtr2');
  await settled(lab, 'rtr1');
  await role(again, 'STANDBY');
  lab.interfaceUp('rtr2', 'TenGigE0/0/0/1');
  await watching(again);
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
}
