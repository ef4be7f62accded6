/** The main job: who takes over, when, and how often. */
import type { Lab } from '../../lab/topology/topology';
import { peerOf, type RouterName } from '../../lab/topology/plan';
import {
  attemptsBegun,
  daemonOf,
  generations,
  moreObservations,
  nothingMoves,
  openPair,
  reason,
  record,
  role,
  roleOf,
  takesOver,
  watching,
} from './support';

/** The link fails, the other router takes over, the link heals and the loser watches again. */
async function changeOver(lab: Lab, to: RouterName): Promise<void> {
  await takesOver(lab, to, () => lab.cutLink());
  const loser = daemonOf(lab, peerOf(to));
  const since = loser.mark();
  lab.healLink();
  await watching(loser, since);
}

/** Each change of owner as EC2 recorded it, without the first owners. */
function ownershipChanges(lab: Lab): readonly string[] {
  return lab.world
    .ownershipHistory()
    .filter(({ from }) => from !== null)
    .map(({ ip }) => `${ip} to ${lab.ownerOf(ip)}`);
}

describe.each([...generations, 'mixed'] as const)('%s', (generation) => {
  test('the standby takes over when the active router dies; the dead one comes back as STANDBY and takes over in its turn', async () => {
    const lab = await openPair({ generation });
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));

    await lab.bootRouter('rtr1');
    const rtr1 = lab.startDaemon('rtr1');
    await watching(rtr1);
    expect(roleOf(daemonOf(lab, 'rtr2'))).toBe('ACTIVE');
    expect(lab.ownsAll('rtr2')).toBe(true);

    await takesOver(lab, 'rtr1', () => lab.killRouter('rtr2'));
    expect(ownershipChanges(lab)).toHaveLength(4);
  });
});

describe.each(generations)('%s', (generation) => {
  test.each([2, 3])(
    'both take over three times in one process life, with %i addresses',
    async (interfaces) => {
      // With the default a router that has just taken over would take its loss for a lagging read, for 10 s.
      const lab = await openPair({ generation, interfaces, config: { staleness_s: 0.5 } });
      for (let round = 1; round <= 3; round += 1) {
        await changeOver(lab, 'rtr2');
        await changeOver(lab, 'rtr1');
      }
      expect(attemptsBegun(daemonOf(lab, 'rtr2'))).toEqual([1, 2, 3]);
      expect(attemptsBegun(daemonOf(lab, 'rtr1'))).toEqual([1, 2, 3]);
      // Nobody has taken anything behind the scenes.
      expect(ownershipChanges(lab)).toHaveLength(6 * interfaces);
    },
  );

  test('two sessions that go DOWN in the same moment make one attempt, also when every event comes twice', async () => {
    const lab = await openPair({ generation });
    const { sim } = lab.routers.rtr2;
    lab.fabric.bringUpMs = 600_000;
    sim.setEventFault('bfd', { copies: 2 });
    await takesOver(lab, 'rtr2', () => {
      for (const { primaryAddress } of lab.plan.interfaces) {
        sim.forceBfd({ neighbor: primaryAddress.rtr1 }, 'DOWN', 'DETECT_EXPIRED');
      }
    });
    await moreObservations(lab, 'rtr2', 3);
    expect(attemptsBegun(daemonOf(lab, 'rtr2'))).toEqual([1]);
    expect(ownershipChanges(lab)).toHaveLength(2);
  });

  test('one session of two is enough', async () => {
    const lab = await openPair({ generation });
    await takesOver(lab, 'rtr2', () => lab.cutLink('TenGigE0/0/0/2'));
  });

  test('BFD DOWN while ACTIVE is ignored, and says why', async () => {
    const lab = await openPair({ generation });
    const rtr1 = daemonOf(lab, 'rtr1');
    await lab.killRouter('rtr2');
    await reason(
      rtr1,
      /staying ACTIVE: the sessions .* are DOWN, but all targets are on this router, so there is nothing to take/,
    );
    await nothingMoves(lab, 'rtr1');
    expect(roleOf(rtr1)).toBe('ACTIVE');
  });

  test('a peer that is lost while EC2 has not said yet who holds the targets is remembered', async () => {
    const lab = await openPair({ generation });
    await daemonOf(lab, 'rtr2').kill();
    const away = lab.ec2.addFault({ kind: 'reset', source: lab.plan.instanceId.rtr2 });
    const rtr2 = lab.startDaemon('rtr2');
    await reason(rtr2, /is UP and .* is UP/);
    await lab.killRouter('rtr1');
    await reason(rtr2, /waiting for EC2 to say who holds the targets; the sessions .* are DOWN/);
    // On a busy machine its first question may not have failed yet.
    await record(rtr2, /EC2 could not be observed/);
    await takesOver(lab, 'rtr2', () => lab.ec2.removeFault(away));
    await record(rtr2, /EC2 answers again/);
    await role(rtr2, 'ACTIVE');
  });
});
