/** The router's API and its local failures: what must not be taken for the death of the peer. */
import type { Lab } from '../../lab/topology/topology';
import {
  attemptsBegun,
  daemonOf,
  generations,
  hasTakenOver,
  interfaceDownSeenLate,
  moreObservations,
  moveOf,
  nothingMoves,
  openPair,
  reason,
  role,
  takesOver,
  watching,
  writes,
} from './support';

const INTERFACE = 'TenGigE0/0/0/1';

/** Forgets the bring-up that is under way: the session comes up soon from now on. */
function bringUpSoon(lab: Lab): void {
  lab.fabric.bringUpMs = 50;
  lab.cutLink();
  lab.healLink();
}

describe.each(generations)('%s', (generation) => {
  test.each([
    ['its state lost', false],
    ['its state kept', true],
  ])('gRPC restarted with %s, and then a failover', async (_, keepState) => {
    const lab = await openPair({ generation });
    const rtr2 = daemonOf(lab, 'rtr2');
    const since = rtr2.mark();
    await lab.restartGrpc('rtr2', { keepState });
    // Programmed anew, they may be UP again by the time that they are told.
    await reason(rtr2, keepState ? /is UP and .* is UP$/ : /in control of the router's event streams/, since);
    await watching(rtr2, since);
    expect(writes(lab)).toEqual([]);
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });

  test('a session reported DOWN right after re-programming means nothing, a real death later does', async () => {
    const lab = await openPair({ generation, config: { reestablish_s: 60 } });
    const rtr2 = daemonOf(lab, 'rtr2');
    const since = rtr2.mark();
    lab.fabric.bringUpMs = 600_000;
    await lab.restartGrpc('rtr2', { keepState: false });
    await reason(rtr2, /is DOWN \(programmed anew\) and .* is DOWN \(programmed anew\)/, since);
    await reason(rtr2, /ignored: it was programmed anew and may still come UP/, since);
    await nothingMoves(lab, 'rtr2');
    bringUpSoon(lab);
    await watching(rtr2, since);
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });

  test('a peer that died while gRPC was away with its state is taken over from once reestablish_s is over', async () => {
    const lab = await openPair({ generation, config: { reestablish_s: 1 } });
    const rtr2 = daemonOf(lab, 'rtr2');
    lab.routers.rtr2.sim.stopGrpc();
    await reason(rtr2, /event streams are lost/);
    await takesOver(lab, 'rtr2', async () => {
      await lab.killRouter('rtr1');
      await lab.restartGrpc('rtr2', { keepState: false });
    });
    await reason(rtr2, /it was programmed anew and may still come UP/);
  });

  test('a peer that removes its sessions has not failed', async () => {
    const lab = await openPair({ generation });
    const rtr2 = daemonOf(lab, 'rtr2');
    const since = rtr2.mark();
    lab.fabric.bringUpMs = 600_000;
    await lab.restartGrpc('rtr1', { keepState: false });
    await reason(rtr2, /went from UP to UNCONFIGURED/, since);
    await reason(rtr2, /UNCONFIGURED, ignored: the peer has removed its side/, since);
    await nothingMoves(lab, 'rtr2');
    bringUpSoon(lab);
    await watching(rtr2, since);
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });

  // The router knows at once, also where its event comes late: the new generation waits for that, longer
  // here than any pause of the machine under test.
  const patient = { reestablish_after_interface_s: 0.5, settle_ms: 1000 };

  test.each([
    ['before BFD', { first: 'interface', gapMs: 0 }, 0],
    ['3 ms before BFD', { first: 'interface', gapMs: 3 }, 0],
    ['right after BFD', { first: 'bfd', gapMs: 0 }, 0],
    ['3 ms after BFD', { first: 'bfd', gapMs: 0 }, 3],
  ] as const)(
    'the local interface of the standby is reported DOWN %s: no takeover',
    async (_, report, delayMs) => {
      const lab = await openPair({ generation, config: patient });
      const rtr2 = daemonOf(lab, 'rtr2');
      const since = rtr2.mark();
      lab.routers.rtr2.sim.setEventFault('interface', { delayMs });
      lab.interfaceDown('rtr2', INTERFACE, report);
      await reason(rtr2, /ignored: its local interface TenGigE0\/0\/0\/1 is DOWN/, since);
      await moreObservations(lab, 'rtr2', 2);
      expect(writes(lab).map(moveOf)).toEqual([]);
      expect(lab.ownsAll('rtr1')).toBe(true);
      await failsOverOnceUp(lab);
    },
  );

  test('a local interface that the router itself takes for UP until the first write: what was taken is given back', async () => {
    const lab = await openPair({ generation, config: { ...patient, settle_ms: 20 } });
    const rtr2 = daemonOf(lab, 'rtr2');
    interfaceDownSeenLate(lab, 'rtr2', INTERFACE);
    await reason(rtr2, /giving .* back: TenGigE0\/0\/0\/1 went DOWN within 1 s of the first write/);
    await reason(rtr2, /gave back/);
    expect(lab.ownsAll('rtr1')).toBe(true);
    await role(rtr2, 'STANDBY');
    await role(daemonOf(lab, 'rtr1'), 'ACTIVE');
    await failsOverOnceUp(lab);
  });
});

/** The local interface comes back, the session with it, and then the peer dies. */
async function failsOverOnceUp(lab: Lab): Promise<void> {
  const rtr2 = daemonOf(lab, 'rtr2');
  const since = rtr2.mark();
  lab.routers.rtr2.sim.setEventFault('interface', { delayMs: 0 });
  lab.interfaceUp('rtr2', INTERFACE);
  await watching(rtr2, since);
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
}

test('while another client has the streams nothing is taken over; back in control, the death is seen', async () => {
  const lab = await openPair();
  const rtr2 = daemonOf(lab, 'rtr2');
  const since = rtr2.mark();
  lab.hijackStream('rtr2', 'bfd');
  await reason(rtr2, /not in control of the router's event streams: .*SL_NOTIF_TERM/, since);
  await lab.killRouter('rtr1');
  await reason(rtr2, /but not watching: another client has taken/, since);
  await nothingMoves(lab, 'rtr2', { request: 0, record: since });
  // The streams are left to the other client for 10 to 30 s.
  await rtr2.waitFor(({ event }) => event === 'streamsSynchronized', { since });
  const inControl = rtr2.records.findLastIndex(({ event }) => event === 'streamsSynchronized');
  await hasTakenOver(lab, 'rtr2', inControl);
  expect(attemptsBegun(rtr2, inControl)).toEqual(attemptsBegun(rtr2));
  expect(attemptsBegun(rtr2)).toEqual([1]);
});
