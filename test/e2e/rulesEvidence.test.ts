/** No session is UP, so only EC2 can say how the holder of the addresses is. */
import type { Lab } from '../../lab/topology/topology';
import {
  daemonOf,
  nothingMoves,
  openLab,
  openPair,
  reason,
  roleOf,
  shownState,
  takesOver,
  watching,
  writes,
} from './support';
import { eventually } from '../support/eventually';
import { alarm, alarmsOf, mayReassign, settled, shownReason, soon } from './rulesSupport';

const HELD = 'no session has been UP for 1 s';
const config = { ...soon, evidence_hold_s: 1 };
const OWNER = 'i-0a1f93c7d25be8401';

/** The owner is silent before the survivor starts: BFD has never been UP here. */
async function survivor(instance: 'running' | 'stopped' | 'terminated', extra = {}): Promise<Lab> {
  const lab = await openLab({ config: { ...config, ...extra } });
  await lab.killRouter('rtr1', { instance });
  lab.startDaemon('rtr2');
  return lab;
}

/** The dead router comes back as STANDBY and takes over in its turn. */
async function comesBack(lab: Lab): Promise<void> {
  await lab.bootRouter('rtr1');
  await watching(lab.startDaemon('rtr1'));
  await settled(lab, 'rtr2');
  await takesOver(lab, 'rtr1', () => lab.killRouter('rtr2'));
}

test.each([
  ['stopped', `EC2 says that ${OWNER} is stopped`],
  ['terminated', 'eni-0a15e9d47c3f86001 is attached to no instance'],
] as const)('the owner was %s before this router booted: it takes over', async (instance, proof) => {
  const lab = await survivor(instance);
  const rtr2 = daemonOf(lab, 'rtr2');
  await takesOver(lab, 'rtr2', () => undefined);
  await reason(rtr2, new RegExp(`taking over 172.* and 172.*: ${HELD}, and .*${proof}`));
  expect(writes(lab).every(mayReassign)).toBe(true);
  expect(alarmsOf(rtr2)).toEqual(['redundancy-lost']);
  if (instance === 'stopped') return comesBack(lab);
  await nothingMoves(lab, 'rtr2', { request: Infinity, record: rtr2.mark() });
  expect(roleOf(rtr2)).toBe('ACTIVE');
});

// The last of these needs 10 s, in which the others have their time too.
test('an owner that runs and is silent is left alone, with one alarm, until it is stopped or impaired, or take_from_running_after_s is over', async () => {
  await Promise.all([
    leftAloneUntil('stopped', (lab) => lab.world.setInstanceState(OWNER, 'stopped')),
    leftAloneUntil('impaired', (lab) => lab.world.setStatusChecks(OWNER, { instanceStatus: 'impaired' })),
    takenFromRunning(),
  ]);
});

async function leftAloneUntil(condition: string, fails: (lab: Lab) => void): Promise<void> {
  const lab = await survivor('running');
  const rtr2 = daemonOf(lab, 'rtr2');
  await alarm(rtr2, 'unprotected', new RegExp(`unprotected: ${HELD}, and EC2 says that ${OWNER} is running`));
  await nothingMoves(lab, 'rtr2');
  expect(await shownState(lab, 'rtr2', 'STANDBY')).toBe('STANDBY');
  await shownReason(lab, 'rtr2', /unprotected: no session has been UP for 1 s/);

  await takesOver(lab, 'rtr2', () => fails(lab));
  await reason(rtr2, new RegExp(`taking over 172.*: ${HELD}, and EC2 says that ${OWNER} is ${condition}`));
  expect(alarmsOf(rtr2)).toEqual(['unprotected', 'redundancy-lost']);
}

async function takenFromRunning(): Promise<void> {
  const lab = await survivor('running', { take_from_running_after_s: 10 });
  const rtr2 = daemonOf(lab, 'rtr2');
  await alarm(rtr2, 'unprotected', new RegExp(`EC2 says that ${OWNER} is running`));
  await nothingMoves(lab, 'rtr2');
  await takesOver(lab, 'rtr2', () => undefined);
  await reason(
    rtr2,
    /taking over 172.* from a holder that runs: no session has been UP for 10 s, and take_from_running_after_s allows it once/,
  );
}

test('where EC2 does not say how the owner is, it is left alone and the alarm says so', async () => {
  const lab = await openLab({ config });
  const denied = lab.ec2.addFault({
    kind: 'error',
    code: 'UnauthorizedOperation',
    action: 'DescribeInstanceStatus',
  });
  await lab.killRouter('rtr1', { instance: 'stopped' });
  const rtr2 = lab.startDaemon('rtr2');
  await reason(rtr2, /EC2 did not say how the holder of the targets is \(UnauthorizedOperation: /);
  await alarm(
    rtr2,
    'unprotected',
    new RegExp(`${HELD}, and EC2 does not say how the holder is \\(UnauthorizedOperation\\)`),
  );
  await nothingMoves(lab, 'rtr2');
  expect(roleOf(rtr2)).toBe('STANDBY');
  expect(alarmsOf(rtr2)).toEqual(['unprotected']);

  await takesOver(lab, 'rtr2', () => lab.ec2.removeFault(denied));
});

test('the loser of a BFD-only partition takes nothing back until EC2 shows that the winner is gone', async () => {
  const lab = await openPair({ config });
  const rtr1 = daemonOf(lab, 'rtr1');
  const since = rtr1.mark();
  await takesOver(lab, 'rtr2', () => lab.cutLink());
  await alarm(rtr1, 'unprotected', /EC2 says that i-0b2e64d8a17cf3902 is running/, since);
  await settled(lab, 'rtr2');

  await takesOver(lab, 'rtr1', () => lab.killRouter('rtr2', { instance: 'stopped' }));
  await reason(
    rtr1,
    new RegExp(`taking over 172.*: ${HELD}, and EC2 says that i-0b2e64d8a17cf3902 is stopped`),
  );
  expect(alarmsOf(rtr1, since)).toEqual(['unprotected', 'redundancy-lost']);

  lab.healLink();
  await lab.bootRouter('rtr2');
  await watching(lab.startDaemon('rtr2'));
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
});

describe('a peer that reloads: it withdraws all its sessions, and its daemon is gone', () => {
  const withdrawn = /the peer has withdrawn all sessions and they do not come back/;

  /** The sessions stay away: what they would say later is not waited for. */
  async function reloading(extra: object = {}): Promise<Lab> {
    const lab = await openPair({ config: { ...soon, ...extra } });
    lab.fabric.bringUpMs = 600_000;
    await lab.restartGrpc('rtr1', { keepState: false });
    return lab;
  }
  const asked = (lab: Lab): number =>
    lab.ec2.requests().filter(({ action }) => action === 'DescribeInstanceStatus').length;

  test('that is an alarm after 5 s, EC2 is asked with each keepalive, running is left alone and stopping is acted on at once', async () => {
    const lab = await reloading();
    const rtr2 = daemonOf(lab, 'rtr2');
    await alarm(rtr2, 'unprotected', withdrawn);
    const before = asked(lab);
    await eventually(() => expect(asked(lab)).toBeGreaterThanOrEqual(before + 3));
    await nothingMoves(lab, 'rtr2');
    await shownReason(lab, 'rtr2', new RegExp(`${withdrawn.source}, and EC2 says that ${OWNER} is running`));
    await takesOver(lab, 'rtr2', () => lab.world.setInstanceState(OWNER, 'stopping'));
    await reason(
      rtr2,
      new RegExp(`taking over 172.*${withdrawn.source}, and EC2 says that ${OWNER} is stopping`),
    );
  });

  test('with on_peer_withdrawn at take the targets are taken while EC2 says that it runs, after evidence_hold_s', async () => {
    const lab = await reloading({ on_peer_withdrawn: 'take', evidence_hold_s: 8 });
    const rtr2 = daemonOf(lab, 'rtr2');
    await alarm(rtr2, 'unprotected', withdrawn);
    await takesOver(lab, 'rtr2', () => undefined);
    await reason(
      rtr2,
      /from a holder that runs: the peer has withdrawn all sessions for 8 s, and on_peer_withdrawn says "take"/,
    );
  });
});
