// Two simulated routers on a link: what each client is told when the other side, the link or an interface
// fails.
import { Fabric, type FabricOptions } from '../../lab/slapi-sim/fabric';
import type { SimRouter } from '../../lab/slapi-sim/router';
import type { SimRouterOptions } from '../../lab/slapi-sim/options';
import { lab, registered, sessionOp, singleHop, states, ten0, ten1, until, type Stream } from './slapiClient';

const { router, client, fabric } = lab();
const addressA = '10.0.0.1';
const addressB = '10.0.0.2';

async function pair(options: { fabric?: FabricOptions; routers?: Partial<SimRouterOptions> } = {}) {
  const common = { generation: 'gen2', initialStatus: 'UNKNOWN', ...options.routers } as const;
  const a = await router({ name: 'a', ...common });
  const b = await router({ name: 'b', ...common });
  const net = fabric(new Fabric({ bringUpMs: 1, detectTimeMs: 1, ...options.fabric }));
  const link = net.link(a, ten0, addressA, b, ten0, addressB);
  const sideA = await side(a);
  const sideB = await side(b);
  await program(sideA, addressB);
  await program(sideB, addressA);
  return { net, link, a: sideA, b: sideB };
}

async function side(sim: SimRouter) {
  const one = client(sim);
  const { bfd } = await registered(one);
  return { sim, one, bfd };
}
type Side = Awaited<ReturnType<typeof side>>;

const program = ({ one }: Side, neighbor: string) =>
  one.call('SLBfdv4SessionOp', sessionOp('UPDATE', singleHop(neighbor, ten0)));

async function bothUp(options: Parameters<typeof pair>[0] = {}) {
  const two = await pair(options);
  await until('both UP', () => states(two.a.bfd).includes('UP') && states(two.b.bfd).includes('UP'));
  return two;
}

const diags = (stream: Stream): (string | undefined)[] =>
  stream.messages.map(
    (message) => (message as { Session?: { State: { Diag?: string } } }).Session?.State.Diag,
  );

const status = ({ sim }: Side) => sim.state().sessions[0]?.status;

test('sessions come up when both ends have one', async () => {
  const a = await router({ name: 'a' });
  const b = await router({ name: 'b' });
  const net = fabric(new Fabric({ bringUpMs: 50 }));
  net.link(a, ten0, addressA, b, ten0, addressB);
  const sideA = await side(a);
  await program(sideA, addressB);
  await until('DOWN at the first', () => sideA.bfd.messages.length === 1);
  const sideB = await side(b);
  await program(sideB, addressA);
  await until('both UP', () => [sideA, sideB].every(({ bfd }) => bfd.messages.length === 2));
  expect([states(sideA.bfd), states(sideB.bfd)]).toEqual([
    ['DOWN', 'UP'],
    ['DOWN', 'UP'],
  ]);
});

test('a session stays down where no peer session answers it', async () => {
  const { a, b, net } = await pair();
  await a.one.call('SLBfdv4SessionOp', sessionOp('UPDATE', singleHop('10.0.0.99', ten0)));
  // A session that starts later and does have a peer shows that there was time enough.
  net.link(a.sim, ten1, '10.0.1.1', b.sim, ten1, '10.0.1.2');
  await a.one.call('SLBfdv4SessionOp', sessionOp('UPDATE', singleHop('10.0.1.2', ten1)));
  await b.one.call('SLBfdv4SessionOp', sessionOp('UPDATE', singleHop('10.0.1.1', ten1)));
  await until('both UP', () => b.sim.state().sessions.every((session) => session.status === 'UP'));
  expect(a.sim.state().sessions.map((session) => session.status)).toEqual(['UP', 'UNKNOWN', 'UP']);
});

test('a dying router: the survivor gets DOWN, the dead one is back with nothing programmed', async () => {
  const { a, b } = await bothUp();
  const { target } = a.sim;
  a.sim.kill();
  await until('DOWN', () => status(b) === 'DOWN');
  await until('the event', () => b.bfd.messages.length === 2);
  expect([states(b.bfd), diags(b.bfd)[1]]).toEqual([['UP', 'DOWN'], 'SL_BFD_DIAG_DETECT_EXPIRED']);
  expect(a.sim.state()).toMatchObject({ alive: false, target: null, sessions: [] });
  await a.sim.boot();
  expect(a.sim.state()).toMatchObject({ alive: true, target, sessions: [], registered: { bfd: false } });
  const again = await side(a.sim);
  await program(again, addressB);
  await until('both UP', () => status(again) === 'UP' && status(b) === 'UP');
});

test('a cut link: DOWN on both sides; restored, they come up again', async () => {
  const { a, b, net, link } = await bothUp();
  net.cutLink(link);
  await until('both DOWN', () => status(a) === 'DOWN' && status(b) === 'DOWN');
  net.restoreLink(link);
  await until('both UP', () => [a, b].every(({ bfd }) => bfd.messages.length === 3));
  expect([states(a.bfd), states(b.bfd)]).toEqual([
    ['UP', 'DOWN', 'UP'],
    ['UP', 'DOWN', 'UP'],
  ]);
});

test('a cut that is over before the detection time goes unnoticed', async () => {
  const { a, b, net, link } = await bothUp();
  net.cutLink(link);
  net.restoreLink(link);
  // Reported well after the detection time of 1 ms.
  a.sim.setInterface(ten1, 'down', { first: 'bfd', gapMs: 10 });
  await until('a later report', () => a.sim.state().interfaces[1]?.reported === 'down');
  expect([status(a), status(b)]).toEqual(['UP', 'UP']);
});

test('loss one way: the deaf side finds out, the other is told', async () => {
  const { a, b, net, link } = await bothUp();
  net.loseFrom(link, 'a');
  expect(net.links()).toEqual([
    {
      id: link,
      ends: [
        { router: 'a', interface: ten0, sends: false },
        { router: 'b', interface: ten0, sends: true },
      ],
    },
  ]);
  await until('both DOWN', () => [a, b].every(({ bfd }) => bfd.messages.length === 2));
  expect(diags(b.bfd)[1]).toBe('SL_BFD_DIAG_DETECT_EXPIRED');
  expect(diags(a.bfd)[1]).toBe('SL_BFD_DIAG_NBR_DOWN');
});

test.each(['gen1', 'gen2'] as const)(
  '%s, local interface down: reported on both streams, the peer finds out',
  async (generation) => {
    const { a, b } = await bothUp({ routers: { generation } });
    a.sim.setInterface(ten0, 'down');
    await until('both DOWN', () => status(a) === 'DOWN' && status(b) === 'DOWN');
    expect(a.sim.state().sessions[0]?.diag).toBe('PATH_DOWN');
    expect(b.sim.state().sessions[0]?.diag).toBe('DETECT_EXPIRED');
    expect(b.sim.state().interfaces[0]).toMatchObject({ physical: 'up', reported: 'up' });
    a.sim.setInterface(ten0, 'up');
    await until('both UP', () => status(a) === 'UP' && status(b) === 'UP');
  },
);

test.each(['interface', 'bfd'] as const)('local interface down: %s is reported first', async (first) => {
  const { a } = await bothUp();
  const seen: string[] = [];
  a.sim.onEventWritten(({ stream }) => seen.push(stream));
  const stream = a.one.open('SLInterfaceNotifStream');
  stream.write({ Oper: 'SL_NOTIFOP_ENABLE', Entries: [{ Interface: { Name: ten0 } }] });
  await until('the state', () => stream.messages.length === 1);
  seen.length = 0;
  a.sim.setInterface(ten0, 'down', { first, gapMs: 5 });
  expect(a.sim.state().interfaces[0]).toMatchObject({
    physical: 'down',
    reported: first === 'interface' ? 'down' : 'up',
  });
  await until('both reports', () => seen.length === 2);
  expect(seen).toEqual(first === 'interface' ? ['interface', 'bfd'] : ['bfd', 'interface']);
});

test('an interface that returns before its second report does not go down afterwards', async () => {
  const { a } = await bothUp({ fabric: { detectTimeMs: 60_000 } });
  a.sim.setInterface(ten0, 'down', { first: 'interface', gapMs: 5 });
  a.sim.setInterface(ten0, 'up');
  a.sim.setInterface(ten1, 'down', { first: 'bfd', gapMs: 10 });
  await until('a later report', () => a.sim.state().interfaces[1]?.reported === 'down');
  expect(status(a)).toBe('UP');
});

describe('the peer removes its session', () => {
  const ways: readonly [string, (side: Side) => Promise<unknown>][] = [
    ['DELETE', ({ one }) => one.call('SLBfdv4SessionOp', sessionOp('DELETE', singleHop(addressA, ten0)))],
    ['UNREGISTER', ({ one }) => one.call('SLBfdv4RegOp', { Oper: 'SL_REGOP_UNREGISTER' })],
    [
      'a sweep',
      async ({ one }) => {
        await one.call('SLBfdv4RegOp', { Oper: 'SL_REGOP_REGISTER' });
        await one.call('SLBfdv4RegOp', { Oper: 'SL_REGOP_EOF' });
      },
    ],
    ['a restart that loses state', ({ sim }) => sim.restartGrpc({ keepState: false })],
  ];
  test.each(ways)('by %s: NEIGHBOR_UNCONFIG, never DOWN', async (_how, remove) => {
    const { a, b } = await bothUp();
    await remove(b);
    await until('the event', () => a.bfd.messages.length === 2);
    expect(states(a.bfd)).toEqual(['UP', 'NEIGHBOR_UNCONFIG']);
    const again = b.sim.state().clients.init > 0 ? b : await side(b.sim);
    await again.one.call('SLBfdv4RegOp', { Oper: 'SL_REGOP_REGISTER' });
    await program(again, addressA);
    await until('UP again', () => states(a.bfd).at(-1) === 'UP');
  });

  test('silently: the survivor finds out', async () => {
    const { a, b } = await bothUp();
    await b.sim.restartGrpc({ keepState: false, peerSees: 'silence' });
    await until('the event', () => a.bfd.messages.length === 2);
    expect(states(a.bfd)).toEqual(['UP', 'DOWN']);
  });

  test('across a cut link nobody is told', async () => {
    const { a, b, net, link } = await bothUp();
    net.cutLink(link);
    await b.one.call('SLBfdv4RegOp', { Oper: 'SL_REGOP_UNREGISTER' });
    await until('the event', () => a.bfd.messages.length === 2);
    expect(states(a.bfd)).toEqual(['UP', 'DOWN']);
  });

  test('with its client, after the grace', async () => {
    const { a, b } = await bothUp({
      routers: { sessionsDieWithClient: { graceMs: 1, peerSees: 'silence' } },
    });
    b.one.close();
    await until('the event', () => a.bfd.messages.length === 2);
    expect(states(a.bfd)).toEqual(['UP', 'DOWN']);
  });
});

test('a restart that keeps state is no event for the peer', async () => {
  const { a, b } = await bothUp();
  await b.sim.restartGrpc({ keepState: true });
  expect([status(a), status(b)]).toEqual(['UP', 'UP']);
  a.sim.forceBfd({ neighbor: addressB }, 'DOWN');
  await until('the flap', () => states(a.bfd).length === 3);
  expect(states(a.bfd)).toEqual(['UP', 'DOWN', 'UP']);
});

test('the detection time is the slower interval times the multiplier of the peer', async () => {
  const { a, b, net, link } = await pair({ fabric: { detectTimeMs: null } });
  const config = (DesiredTxIntUsec: number, DetectMultiplier: number, neighbor: string) => ({
    Oper: 'SL_OBJOP_UPDATE',
    Sessions: [{ Key: singleHop(neighbor, ten0), Config: { DesiredTxIntUsec, DetectMultiplier } }],
  });
  await a.one.call('SLBfdv4SessionOp', config(30_000, 2, addressB));
  await b.one.call('SLBfdv4SessionOp', config(30_000, 255, addressA));
  await until('both UP', () => status(a) === 'UP' && status(b) === 'UP');
  net.cutLink(link);
  // a waits for b's multiplier (7.65 s), b for a's (60 ms), so b is the first to know.
  await until('DOWN at b', () => status(b) === 'DOWN');
  expect(status(a)).toBe('UP');
});

test('multi-hop sessions find each other by both addresses', async () => {
  const { a, b } = await bothUp({ routers: { multiHop: 'works' } });
  const key = (NbrAddr: number, SourceAddr: number) => ({
    Type: 'SL_BFD_MULTI_HOP',
    VrfName: 'default',
    NbrAddr,
    SourceAddr,
  });
  for (const each of [a, b]) await each.one.call('SLBfdv4RegOp', { Oper: 'SL_REGOP_UNREGISTER' });
  for (const each of [a, b]) await each.one.call('SLBfdv4RegOp', { Oper: 'SL_REGOP_REGISTER' });
  await a.one.call('SLBfdv4SessionOp', sessionOp('ADD', key(0x0a000002, 0x0a000001)));
  await b.one.call('SLBfdv4SessionOp', sessionOp('ADD', key(0x0a000001, 0x0a000002)));
  await until('both UP', () => status(a) === 'UP' && status(b) === 'UP');
});

test('two links fail independently', async () => {
  const { a, b, net, link } = await bothUp();
  const second = net.link(a.sim, ten1, '10.0.1.1', b.sim, ten1, '10.0.1.2');
  await a.one.call('SLBfdv4SessionOp', sessionOp('UPDATE', singleHop('10.0.1.2', ten1)));
  await b.one.call('SLBfdv4SessionOp', sessionOp('UPDATE', singleHop('10.0.1.1', ten1)));
  const all = ({ sim }: Side) => sim.state().sessions.map((session) => session.status);
  await until('all UP', () => all(a).concat(all(b)).join() === 'UP,UP,UP,UP');
  net.cutLink(second);
  await until('one DOWN', () => all(a).join() === 'UP,DOWN' && all(b).join() === 'UP,DOWN');
  expect(net.links().map((each) => each.id)).toEqual([link, second]);
});

test('an upgraded router is still on its links, and its peer has seen it withdraw its session', async () => {
  const { a, b } = await bothUp();
  await a.sim.upgrade('gen1');
  await until('the withdrawal', () => status(b) === 'NEIGHBOR_UNCONFIG');
  const again = await side(a.sim);
  await program(again, addressB);
  await until('both UP again', () => status(again) === 'UP' && status(b) === 'UP');
});
