/**
 * A pair of which one router has been migrated: rtr1 runs the predecessor (a model of it, see
 * lab/predecessorPeer.ts), rtr2 runs this daemon. They have nothing in common but BFD and EC2.
 */
import { startPredecessor, type PredecessorPeer } from '../../lab/predecessorPeer';
import type { Lab } from '../../lab/topology/topology';
import type { LabGeneration } from '../../lab/topology/router';
import { eventually } from '../support/eventually';
import {
  daemonOf,
  moreObservations,
  moveOf,
  nothingMoves,
  openLab,
  reason,
  requestMark,
  role,
  roleOf,
  rolesSince,
  shownState,
  takesOver,
  watching,
  writes,
} from './support';

const predecessors: PredecessorPeer[] = [];

afterEach(() => {
  for (const each of predecessors.splice(0)) each.kill();
});

async function startOld(lab: Lab): Promise<PredecessorPeer> {
  const old = await startPredecessor(lab, 'rtr1', { pollMs: 500 });
  predecessors.push(old);
  return old;
}

/** The predecessor is ACTIVE on rtr1, the daemon on rtr2 watches it. */
async function openMixedPair(generation: LabGeneration): Promise<{ lab: Lab; old: PredecessorPeer }> {
  const lab = await openLab({ generation, sim: { initialStatus: 'UNKNOWN' } });
  const old = await startOld(lab);
  await watching(lab.startDaemon('rtr2'));
  expect(old.state).toBe('ACTIVE');
  return { lab, old };
}

async function powerOff(lab: Lab, old: PredecessorPeer): Promise<void> {
  old.kill();
  await lab.killRouter('rtr1');
}

const oldWrites = (lab: Lab): readonly string[] => writes(lab, 0, 'rtr1').map(moveOf).sort();

const sessionsOf = (lab: Lab): readonly string[] =>
  lab.routers.rtr2.sim.sessions().map(({ status }) => status);

// The predecessor knows the older interface API only; the migrated router may have the newer one.
describe.each(['gen1', 'mixed'] as const)('%s', (generation) => {
  test('each takes over when the other one dies, and comes back as STANDBY', async () => {
    const { lab, old } = await openMixedPair(generation);
    await takesOver(lab, 'rtr2', () => powerOff(lab, old));

    await lab.bootRouter('rtr1');
    const returned = await startOld(lab);
    await eventually(() => expect(sessionsOf(lab)).toEqual(['UP', 'UP']));
    await moreObservations(lab, 'rtr2', 2);
    expect([roleOf(daemonOf(lab, 'rtr2')), returned.state]).toEqual(['ACTIVE', 'STANDBY']);

    await lab.killRouter('rtr2');
    await eventually(() => expect(returned.state).toBe('ACTIVE'));
    expect(lab.ownsAll('rtr1')).toBe(true);
    expect(oldWrites(lab)).toEqual(
      lab.plan.interfaces.map(
        ({ floatingAddress, networkInterfaceId }) => `${floatingAddress} -> ${networkInterfaceId.rtr1}`,
      ),
    );

    await lab.bootRouter('rtr2');
    const since = { request: requestMark(lab), record: 0 };
    await watching(lab.startDaemon('rtr2'));
    await nothingMoves(lab, 'rtr2', since);
    await takesOver(lab, 'rtr2', () => powerOff(lab, returned));
  });

  test('its stop withdraws its sessions, its start removes those of its last run: neither is a failure', async () => {
    const { lab, old } = await openMixedPair(generation);
    const rtr2 = daemonOf(lab, 'rtr2');
    let since = rtr2.mark();
    await old.stop();
    await reason(rtr2, /UNCONFIGURED, ignored: the peer has removed its side/, since);
    await nothingMoves(lab, 'rtr2');

    since = rtr2.mark();
    const again = await startOld(lab);
    await watching(rtr2, since);
    since = rtr2.mark();
    again.kill();
    const restarted = await startOld(lab);
    await reason(rtr2, /went from UP to UNCONFIGURED/, since);
    await watching(rtr2, since);
    await nothingMoves(lab, 'rtr2');
    expect(rolesSince(rtr2, since)).toEqual(['STANDBY']);
    expect(restarted.state).toBe('ACTIVE');
    await takesOver(lab, 'rtr2', () => powerOff(lab, restarted));
  });

  test('a partition that only BFD sees: this daemon takes over once, and the predecessor finds out from EC2', async () => {
    const { lab, old } = await openMixedPair(generation);
    const rtr2 = daemonOf(lab, 'rtr2');
    await takesOver(lab, 'rtr2', () => lab.cutLink());
    await eventually(() => expect(old.state).toBe('STANDBY'));
    lab.healLink();
    await eventually(() => expect(sessionsOf(lab)).toEqual(['UP', 'UP']));
    await moreObservations(lab, 'rtr2', 3);
    await role(rtr2, 'ACTIVE');
    expect(await shownState(lab, 'rtr2', 'ACTIVE')).toBe('ACTIVE');
    expect(lab.ownsAll('rtr2')).toBe(true);
    expect(oldWrites(lab)).toEqual([]);

    await lab.killRouter('rtr2');
    await eventually(() => expect(old.state).toBe('ACTIVE'));
    expect(lab.ownsAll('rtr1')).toBe(true);
  });
});
