// The simulator's BFD service for IPv6: a table and a stream of its own, one event counter for both families.
import { Fabric } from '../../lab/slapi-sim/fabric';
import type { SimRouterOptions } from '../../lab/slapi-sim/options';
import {
  ipv6,
  lab,
  registered,
  sessionOp,
  singleHop,
  singleHopV6,
  states,
  ten0,
  ten1,
  until,
} from './slapiClient';

const { router, client, fabric } = lab();
const success = { StatusSummary: {} };

async function ready(options: Partial<SimRouterOptions> = {}) {
  const sim = await router({ initialEventMs: 0, ...options });
  const one = client(sim);
  const { bfd } = await registered(one);
  const bfdv6 = one.open('SLBfdv6GetNotifStream');
  await one.call('SLBfdv6RegOp', { Oper: 'SL_REGOP_REGISTER' });
  return { sim, one, bfd, bfdv6 };
}

test('nothing is programmed without a registration of its own', async () => {
  const sim = await router();
  const one = client(sim);
  await registered(one);
  const refused = { Status: 'SL_RPC_BFD_V6_NOT_REGISTERED' };
  expect(await one.call('SLBfdv6SessionOp', sessionOp('ADD', singleHopV6(1, ten0)))).toEqual({
    StatusSummary: refused,
  });
  expect(await one.call('SLBfdv6SessionGet', { EntriesCount: 1 })).toMatchObject({ ErrStatus: refused });
});

test.each([
  ['an address of 4 bytes', { NbrAddr: Buffer.alloc(4, 1) }, 'SL_BFD_INVALID_PREFIX_SIZE'],
  ['no address', { NbrAddr: Buffer.alloc(16) }, 'SL_BFD_INVALID_NBR'],
  ['a multicast address', { NbrAddr: Buffer.alloc(16, 0xff) }, 'SL_BFD_INVALID_NBR_MCAST'],
  ['multi-hop', { Type: 'SL_BFD_MULTI_HOP', Interface: null, SourceAddr: ipv6(2) }, 'SL_ENOTSUP'],
])('%s is refused', async (_what, change, errno) => {
  const { sim, one } = await ready();
  const key = { ...singleHopV6(1, ten0), ...change };
  expect(await one.call('SLBfdv6SessionOp', sessionOp('UPDATE', key))).toMatchObject({
    Results: [{ ErrStatus: { Status: errno } }],
  });
  expect(sim.state().sessions).toEqual([]);
});

test.each(['SL_ENOTSUP', 'SL_BFD_BAD_PARAMETER', 'SL_BFD_INVALID_SESSION_TYPE'] as const)(
  'multi-hop is refused with %s, and may be accepted later; it takes a source and no interface',
  async (multiHop) => {
    const { sim, one } = await ready({ multiHop });
    const key = { ...singleHopV6(1, ten0), Type: 'SL_BFD_MULTI_HOP', Interface: null, SourceAddr: ipv6(2) };
    const refusal = (Status: string) => ({ Results: [{ ErrStatus: { Status } }] });
    expect(await one.call('SLBfdv6SessionOp', sessionOp('ADD', key))).toMatchObject(refusal(multiHop));
    sim.setMultiHop('works');
    for (const [change, errno] of [
      [{ Interface: { Name: ten0 } }, 'SL_BFD_BAD_PARAMETER'],
      [{ SourceAddr: Buffer.alloc(0) }, 'SL_BFD_BAD_PARAMETER'],
      [{ SourceAddr: Buffer.alloc(5, 1) }, 'SL_BFD_INVALID_PREFIX_SIZE'],
    ] as const) {
      const reply = await one.call('SLBfdv6SessionOp', sessionOp('ADD', { ...key, ...change }));
      expect(reply).toMatchObject(refusal(errno));
    }
    expect(await one.call('SLBfdv6SessionOp', sessionOp('ADD', key))).toEqual(success);
    expect(sim.state().sessions).toMatchObject([
      { hop: 'multi', neighbor: '2001:db8::1', source: '2001:db8::2', interface: '' },
    ]);
  },
);

test('a session is told on the stream of its family, and EOF sweeps its family only', async () => {
  const { sim, one, bfd, bfdv6 } = await ready();
  await one.call('SLBfdv4SessionOp', sessionOp('UPDATE', singleHop('10.0.0.2', ten0)));
  await one.call('SLBfdv6SessionOp', sessionOp('UPDATE', singleHopV6(1, ten0)));
  await until('both told', () => bfd.messages.length === 1 && bfdv6.messages.length === 1);
  expect(bfdv6.messages[0]).toMatchObject({
    Session: { Key: { Type: 'SL_BFD_SINGLE_HOP' }, State: { SeqNum: 2 } },
  });
  await one.call('SLBfdv6RegOp', { Oper: 'SL_REGOP_REGISTER' });
  await one.call('SLBfdv6RegOp', { Oper: 'SL_REGOP_EOF' });
  expect(sim.state().sessions.map(({ neighbor }) => neighbor)).toEqual(['10.0.0.2']);
});

test('the table is paged in the order of the addresses', async () => {
  const { one } = await ready();
  for (const last of [9, 200, 1])
    await one.call('SLBfdv6SessionOp', sessionOp('ADD', singleHopV6(last, ten0)));
  const page = await one.call('SLBfdv6SessionGet', {
    Key: singleHopV6(1, ten0),
    GetNext: true,
    EntriesCount: 5,
  });
  const { Entries } = page as { Entries: { Key: { NbrAddr: { data: number[] } } }[] };
  expect(Entries.map(({ Key }) => Key.NbrAddr.data.at(-1))).toEqual([9, 200]);
});

test('two sessions find each other over a link of their addresses, and a cut of it leaves the other family alone', async () => {
  const [a, b] = [await ready({ name: 'a' }), await ready({ name: 'b' })];
  const net = fabric(new Fabric({ bringUpMs: 1, detectTimeMs: 5 }));
  net.link(a.sim, ten0, '10.0.0.1', b.sim, ten0, '10.0.0.2');
  const link = net.link(a.sim, ten0, '2001:db8::1', b.sim, ten0, '2001:db8:0::2');
  await a.one.call('SLBfdv4SessionOp', sessionOp('UPDATE', singleHop('10.0.0.2', ten0)));
  await b.one.call('SLBfdv4SessionOp', sessionOp('UPDATE', singleHop('10.0.0.1', ten0)));
  await a.one.call('SLBfdv6SessionOp', sessionOp('UPDATE', singleHopV6(2, ten0)));
  await b.one.call('SLBfdv6SessionOp', sessionOp('UPDATE', singleHopV6(1, ten0)));
  const statuses = () => [...a.sim.sessions(), ...b.sim.sessions()].map(({ status }) => status).join();
  await until('all UP', () => statuses() === 'UP,UP,UP,UP');
  net.cutLink(link);
  await until('IPv6 DOWN', () => statuses() === 'UP,DOWN,UP,DOWN');
  await until('it is told', () => states(a.bfdv6).at(-1) === 'DOWN');
});

test('the stream is taken by the last opener, the other family keeps its own', async () => {
  const { sim, one, bfd, bfdv6 } = await ready();
  one.open('SLBfdv6GetNotifStream');
  await until('the end of the first', () => bfdv6.status() !== null);
  expect(bfdv6.messages.at(-1)).toMatchObject({ ErrStatus: { Status: 'SL_NOTIF_TERM' } });
  expect(bfd.status()).toBeNull();
  expect(sim.state().clients).toMatchObject({ bfd: true, bfdv6: true });
  expect(sim.state().interfaces.map(({ name }) => name)).toEqual([ten0, ten1]);
});
