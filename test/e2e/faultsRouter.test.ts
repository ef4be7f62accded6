/** The router's API and the own interfaces at their worst: hung, upgraded, flapping. See also router.test.ts. */
import {
  daemonOf,
  generations,
  nothingMoves,
  openLab,
  openPair,
  reason,
  record,
  roleOf,
  rolesSince,
  takesOver,
  watching,
  writes,
} from './support';

const INTERFACE = 'TenGigE0/0/0/1';

describe.each(generations)('an API that accepts connections and answers nothing, %s', (generation) => {
  test('from the start on: it is asked until it answers', async () => {
    const lab = await openLab({ generation });
    const { sim } = lab.routers.rtr2;
    sim.hang();
    lab.startDaemon('rtr1');
    const rtr2 = lab.startDaemon('rtr2');
    await reason(rtr2, /not attached to the router yet: the router did not greet within 2000 ms/);
    await reason(rtr2, /this router is STANDBY, but not watching: it is not attached to the router yet/);
    sim.unhang();
    await watching(rtr2);
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });

  test('in mid-life, while the peer dies: nothing is taken over until the levels can be read', async () => {
    const lab = await openPair({ generation });
    const rtr2 = daemonOf(lab, 'rtr2');
    const { sim } = lab.routers.rtr2;
    const since = rtr2.mark();
    sim.hang();
    await lab.restartGrpc('rtr2', { keepState: true });
    await record(rtr2, /"event":"streamsLost"/, since);
    await lab.killRouter('rtr1');
    await reason(
      rtr2,
      /this router is STANDBY, but not watching: the router's event streams are lost/,
      since,
    );
    await nothingMoves(lab, 'rtr2', { request: 0, record: since });
    expect(rolesSince(rtr2, since)).toEqual(['STANDBY']);
    await takesOver(lab, 'rtr2', () => sim.unhang());
  });

  test('in mid-life, connections and all standing, while the peer dies: the silence is noticed', async () => {
    const lab = await openPair({ generation });
    const rtr2 = daemonOf(lab, 'rtr2');
    const { sim } = lab.routers.rtr2;
    const since = rtr2.mark();
    sim.hang();
    await lab.killRouter('rtr1');
    await record(rtr2, /"event":"streamsLost".*got no answer: DEADLINE_EXCEEDED/, since);
    await nothingMoves(lab, 'rtr2', { request: 0, record: since });
    await takesOver(lab, 'rtr2', () => sim.unhang());
  });
});

describe.each([
  ['gen1', 'gen2'],
  ['gen2', 'gen1'],
] as const)('an upgrade from %s to %s', (from, to) => {
  // The same number is UP in the one and DOWN in the other.
  test('under a daemon that lives on: the states of interfaces are read right', async () => {
    const lab = await openPair({ generation: from, config: { log_level: 'debug' } });
    const rtr2 = daemonOf(lab, 'rtr2');
    let since = rtr2.mark();
    await lab.upgradeRouter('rtr2', to);
    await record(rtr2, /"event":"streamsLost"/, since);
    expect((await record(rtr2, /"event":"slapi-attached"/, since))['generation']).toBe(to);
    await watching(rtr2, since);

    since = rtr2.mark();
    lab.interfaceDown('rtr2', INTERFACE);
    await reason(rtr2, /ignored: its local interface TenGigE0\/0\/0\/1 is DOWN/, since);
    await nothingMoves(lab, 'rtr2');
    since = rtr2.mark();
    lab.interfaceUp('rtr2', INTERFACE);
    await watching(rtr2, since);
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });

  test('of one router after the other, each while it is STANDBY', async () => {
    const lab = await openPair({ generation: from });
    for (const [upgraded, stays] of [
      ['rtr2', 'rtr1'],
      ['rtr1', 'rtr2'],
    ] as const) {
      await lab.killRouter(upgraded);
      await lab.upgradeRouter(upgraded, to);
      await lab.bootRouter(upgraded);
      await watching(lab.startDaemon(upgraded));
      expect(roleOf(daemonOf(lab, stays))).toBe('ACTIVE');
      await takesOver(lab, upgraded, () => lab.killRouter(stays));
      await lab.bootRouter(stays);
      await watching(lab.startDaemon(stays));
    }
    expect(lab.ownsAll('rtr1')).toBe(true);
  });
});

test.each(generations)("the standby's own interface flaps: nothing is taken over, %s", async (generation) => {
  const lab = await openPair({ generation });
  const rtr2 = daemonOf(lab, 'rtr2');
  let since = rtr2.mark();
  for (let flap = 1; flap <= 5; flap += 1) {
    since = rtr2.mark();
    lab.interfaceDown('rtr2', INTERFACE);
    await reason(rtr2, /the interface TenGigE0\/0\/0\/1 went from UP to DOWN/, since);
    await reason(rtr2, /ignored: its local interface TenGigE0\/0\/0\/1 is DOWN/, since);
    lab.interfaceUp('rtr2', INTERFACE);
    await reason(rtr2, /the interface TenGigE0\/0\/0\/1 went from DOWN to UP/, since);
  }
  await watching(rtr2, since);
  await nothingMoves(lab, 'rtr2');
  expect(writes(lab)).toEqual([]);
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
});

describe('a router that wants one order of streams and registrations', () => {
  // In the pair is one router of each generation, whose interface APIs want it in different ways.
  test.each([
    [
      'registerFirst',
      /the daemon registers for BFD first and opens the BFD streams then: the other order failed/,
    ],
    ['streamFirst', null],
  ] as const)('%s: learnt once, said, and the takeover is as ever', async (streamOrder, words) => {
    const lab = await openPair({ generation: 'mixed', sim: { streamOrder } });
    const daemons = [daemonOf(lab, 'rtr1'), daemonOf(lab, 'rtr2')];
    const said = () =>
      daemons.map(({ records }) => records.filter(({ event }) => event === 'slapi-order').length);
    if (words !== null) for (const daemon of daemons) await reason(daemon, words);
    const first = said();
    expect(Math.max(...first)).toBeGreaterThan(0);
    const since = daemons[1]!.mark();
    lab.cutStream('rtr2', 'init');
    await record(daemons[1]!, /"event":"streamsLost"/, since);
    await watching(daemons[1]!, since);
    expect(said()).toEqual(first);
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });
});
