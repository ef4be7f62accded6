// The simulator's BFD service: registration with mark and sweep, session results, paging, the event stream.
import { lab, registered, sessionOp, singleHop, states, ten0, ten1, timers, until } from './slapiClient';

const { router, client } = lab();
const peer = '10.0.0.2';
const key = singleHop(peer, ten0);
const success = { StatusSummary: {} };

async function ready(options: Parameters<typeof router>[0] = {}) {
  const sim = await router({ initialEventMs: 0, ...options });
  const one = client(sim);
  return { sim, one, ...(await registered(one)) };
}

describe('registration', () => {
  test('nothing is programmed without it', async () => {
    const sim = await router({ generation: 'gen2' });
    const one = client(sim);
    const refused = { Status: 'SL_RPC_BFD_V4_NOT_REGISTERED' };
    expect(await one.call('SLBfdv4SessionOp', sessionOp('ADD', key))).toEqual({ StatusSummary: refused });
    expect(await one.call('SLBfdv4RegOp', { Oper: 'SL_REGOP_EOF' })).toEqual({ ErrStatus: refused });
    expect(await one.call('SLBfdv4RegOp', { Oper: 'SL_REGOP_UNREGISTER' })).toEqual({ ErrStatus: refused });
    expect(await one.call('SLBfdv4SessionGet', { EntriesCount: 1 })).toMatchObject({ ErrStatus: refused });
    expect(sim.state().sessions).toEqual([]);
  });

  test('REGISTER marks what is known, EOF sweeps what was not programmed again', async () => {
    const { sim, one } = await ready();
    const other = singleHop('10.0.1.2', ten1);
    expect(await one.call('SLBfdv4SessionOp', sessionOp('UPDATE', key, other))).toEqual(success);
    expect(sim.state().sessions.map((session) => session.stale)).toEqual([false, false]);
    await one.call('SLBfdv4RegOp', { Oper: 'SL_REGOP_REGISTER' });
    expect(sim.state().sessions.map((session) => session.stale)).toEqual([true, true]);
    await one.call('SLBfdv4SessionOp', sessionOp('UPDATE', key));
    await one.call('SLBfdv4RegOp', { Oper: 'SL_REGOP_EOF' });
    expect(sim.state().sessions).toMatchObject([{ neighbor: peer, interface: ten0, stale: false }]);
  });

  test('UNREGISTER deletes all sessions and ends the events', async () => {
    const { sim, one, bfd } = await ready();
    await one.call('SLBfdv4SessionOp', sessionOp('UPDATE', key));
    await until('the first event', () => bfd.messages.length === 1);
    await one.call('SLBfdv4RegOp', { Oper: 'SL_REGOP_UNREGISTER' });
    expect(sim.state()).toMatchObject({ sessions: [], registered: { bfd: false } });
    expect(bfd.status()).toBeNull();
  });

  test('sessions outlive their client by default', async () => {
    const { sim, one } = await ready();
    await one.call('SLBfdv4SessionOp', sessionOp('UPDATE', key));
    one.close();
    await until('the client is gone', () => sim.state().clients.init === 0);
    const two = client(sim);
    await registered(two);
    expect(sim.state().sessions).toMatchObject([{ neighbor: peer, stale: true }]);
  });

  test('or die with it, after a grace', async () => {
    const sim = await router({ sessionsDieWithClient: { graceMs: 1, peerSees: 'unconfig' } });
    const one = client(sim);
    const { init } = await registered(one);
    await one.call('SLBfdv4SessionOp', sessionOp('UPDATE', key));
    expect(sim.state().sessions).toHaveLength(1);
    init.cancel();
    await until('the end of the sessions', () => sim.state().sessions.length === 0);
  });
});

describe('session operations', () => {
  const op = (oper: string, ...sessions: object[]) => ({ Oper: `SL_OBJOP_${oper}`, Sessions: sessions });
  const long = 'x'.repeat(65);
  const multiHop = {
    Type: 'SL_BFD_MULTI_HOP',
    VrfName: 'default',
    NbrAddr: 0x0a000002,
    SourceAddr: 0x0a000001,
  };
  const slow = { DesiredTxIntUsec: 29_999, DetectMultiplier: 3 };

  const refusals: readonly [string, object, object, string][] = [
    ['an unknown interface', singleHop(peer, 'TenGigE0/0/0/9'), timers, 'SL_BFD_INTF_NOT_FOUND'],
    ['an interface name too long', singleHop(peer, long), timers, 'SL_BFD_INTF_NAME_TOOLONG'],
    ['no interface', { ...key, Interface: null }, timers, 'SL_BFD_INTF_NAME_MISSING'],
    ['an interval below the limit', key, slow, 'SL_BFD_INVALID_ATTRIBUTE'],
    ['no interval', key, { DetectMultiplier: 3 }, 'SL_BFD_INVALID_ATTRIBUTE'],
    [
      'a multiplier below the limit',
      key,
      { DesiredTxIntUsec: 50_000, DetectMultiplier: 1 },
      'SL_BFD_INVALID_ATTRIBUTE',
    ],
    ['no neighbour', singleHop('0.0.0.0', ten0), timers, 'SL_BFD_INVALID_NBR'],
    ['a multicast neighbour', singleHop('224.0.0.9', ten0), timers, 'SL_BFD_INVALID_NBR_MCAST'],
    ['an unknown vrf', { ...key, VrfName: 'blue' }, timers, 'SL_BFD_VRF_NOT_FOUND'],
    ['a vrf name too long', { ...key, VrfName: long }, timers, 'SL_BFD_VRF_NAME_TOOLONG'],
    ['a reserved type', { ...key, Type: 0 }, timers, 'SL_BFD_INVALID_SESSION_TYPE'],
    ['an unknown type', { ...key, Type: 7 }, timers, 'SL_BFD_INVALID_SESSION_TYPE'],
    ['multi-hop', multiHop, timers, 'SL_ENOTSUP'],
  ];

  test.each(refusals)('%s is refused', async (_what, Key, Config, errno) => {
    const { sim, one } = await ready();
    const reply = await one.call('SLBfdv4SessionOp', op('UPDATE', { Key, Config }));
    expect(reply).toMatchObject({
      StatusSummary: { Status: 'SL_SOME_ERR' },
      Results: [{ ErrStatus: { Status: errno } }],
    });
    expect(sim.state().sessions).toEqual([]);
  });

  test('one bad session does not spoil the others; each has its result', async () => {
    const { sim, one } = await ready();
    const bad = singleHop(peer, 'TenGigE0/0/0/9');
    expect(await one.call('SLBfdv4SessionOp', sessionOp('UPDATE', key, bad))).toEqual({
      StatusSummary: { Status: 'SL_SOME_ERR' },
      Results: [
        { ErrStatus: {}, Key: key },
        { ErrStatus: { Status: 'SL_BFD_INTF_NOT_FOUND' }, Key: bad },
      ],
    });
    expect(sim.state().sessions).toHaveLength(1);
  });

  test('or only the refused ones have', async () => {
    const { one } = await ready({ results: 'failed' });
    const bad = singleHop(peer, 'TenGigE0/0/0/9');
    expect(await one.call('SLBfdv4SessionOp', sessionOp('UPDATE', key, bad))).toMatchObject({
      Results: [{ ErrStatus: { Status: 'SL_BFD_INTF_NOT_FOUND' }, Key: bad }],
    });
  });

  test('ADD wants a new session, DELETE a known one, UPDATE takes both', async () => {
    const { sim, one } = await ready();
    const failing = (errno: string) => ({ Results: [{ ErrStatus: { Status: errno } }] });
    expect(await one.call('SLBfdv4SessionOp', sessionOp('DELETE', key))).toMatchObject(
      failing('SL_BFD_SESSION_NOT_FOUND'),
    );
    expect(await one.call('SLBfdv4SessionOp', sessionOp('ADD', key))).toEqual(success);
    expect(await one.call('SLBfdv4SessionOp', sessionOp('ADD', key))).toMatchObject(
      failing('SL_BFD_SESSION_EXISTS'),
    );
    const slower = { DesiredTxIntUsec: 300_000, DetectMultiplier: 4 };
    expect(await one.call('SLBfdv4SessionOp', op('UPDATE', { Key: key, Config: slower }))).toEqual(success);
    expect(sim.state().sessions).toMatchObject([{ desiredTxIntUsec: 300_000, detectMultiplier: 4 }]);
    expect(await one.call('SLBfdv4SessionOp', sessionOp('DELETE', key))).toEqual(success);
    expect(sim.state().sessions).toEqual([]);
  });

  test('a request with too many sessions is refused whole', async () => {
    const { sim, one } = await ready({ limits: { maxSessionsPerRequest: 1 } });
    const reply = await one.call('SLBfdv4SessionOp', sessionOp('ADD', key, singleHop('10.0.0.3', ten0)));
    expect(reply).toEqual({ StatusSummary: { Status: 'SL_RPC_BFD_TOO_MANY_BFD_SESSIONS' } });
    expect(sim.state().sessions).toEqual([]);
  });

  test('a reserved operation is refused whole', async () => {
    const { one } = await ready();
    expect(await one.call('SLBfdv4SessionOp', op('RESERVED', { Key: key, Config: timers }))).toEqual({
      StatusSummary: { Status: 'SL_RPC_BFD_API_BAD_PARAMETER' },
    });
  });

  test('multi-hop can be allowed; it takes a source and no interface', async () => {
    const { sim, one } = await ready({ multiHop: 'works' });
    const withInterface = { ...multiHop, Interface: { Name: ten0 } };
    expect(await one.call('SLBfdv4SessionOp', sessionOp('ADD', withInterface))).toMatchObject({
      Results: [{ ErrStatus: { Status: 'SL_BFD_BAD_PARAMETER' } }],
    });
    expect(await one.call('SLBfdv4SessionOp', sessionOp('ADD', multiHop))).toEqual(success);
    expect(sim.state().sessions).toMatchObject([{ hop: 'multi', neighbor: peer, source: '10.0.0.1' }]);
  });

  test('limits are reported as configured; small ones are milliseconds', async () => {
    const { one } = await ready({ limits: { minTxIntervalSingleHop: 60 } });
    expect(await one.call('SLBfdv4Get')).toMatchObject({
      MaxBfdSessionCfgPerSLBfdMsg: 64,
      MinBfdTxIntervalSingleHop: 60,
      MinBfdDetectMultiplierSingleHop: 2,
    });
    expect(await one.call('SLBfdv4SessionOp', sessionOp('ADD', key))).toMatchObject({
      Results: [{ ErrStatus: { Status: 'SL_BFD_INVALID_ATTRIBUTE' } }],
    });
  });
});

describe('reading sessions', () => {
  const keys = ['10.0.0.2', '10.0.0.4', '10.0.0.6'].map((address) => singleHop(address, ten0));
  type Page = { Eof?: boolean; Entries?: { Key: { NbrAddr: number }; State: { SeqNum: number } }[] };

  async function programmed() {
    const { sim, one } = await ready();
    await one.call('SLBfdv4SessionOp', sessionOp('ADD', ...[...keys].reverse()));
    const get = async (request: object): Promise<Required<Page>> => {
      const page = (await one.call('SLBfdv4SessionGet', request)) as Page;
      return { ...page, Eof: page.Eof ?? false, Entries: page.Entries ?? [] };
    };
    return { sim, one, get };
  }
  const neighbors = (page: Required<Page>) => page.Entries.map(({ Key }) => Key.NbrAddr & 0xff);

  test('pages follow each other by key, and Eof means a page that is not full', async () => {
    const { get } = await programmed();
    const first = await get({ EntriesCount: 2 });
    expect([neighbors(first), first.Eof]).toEqual([[2, 4], false]);
    const second = await get({ EntriesCount: 2, Key: keys[1], GetNext: true });
    expect([neighbors(second), second.Eof]).toEqual([[6], true]);
    const full = await get({ EntriesCount: 3 });
    expect([neighbors(full), full.Eof]).toEqual([[2, 4, 6], false]);
    const empty = await get({ EntriesCount: 3, Key: keys[2], GetNext: true });
    expect([neighbors(empty), empty.Eof]).toEqual([[], true]);
  });

  test('a key that is not there is answered from the next one on', async () => {
    const { get } = await programmed();
    const exact = await get({ EntriesCount: 1, Key: keys[1] });
    expect(neighbors(exact)).toEqual([4]);
    const trap = await get({ EntriesCount: 1, Key: singleHop('10.0.0.3', ten0) });
    expect(neighbors(trap)).toEqual([4]);
  });

  test('the event number filters, and counts all events of the router', async () => {
    const { sim, one, get } = await programmed();
    sim.forceBfd({ neighbor: '10.0.0.4' }, 'UP');
    const { SeqNum } = (await one.call('SLBfdv4GetStats')) as { SeqNum: number };
    expect(SeqNum).toBe(4);
    const changed = await get({ EntriesCount: 9, SeqNum });
    expect(changed.Entries).toMatchObject([{ State: { SeqNum: 4, Status: 'SL_BFD_SESSION_UP' } }]);
    expect(neighbors(changed)).toEqual([4]);
    expect(await one.call('SLBfdv4GetStats')).toEqual({ ErrStatus: {}, SeqNum: 4, BfdCount: 3 });
  });

  test('a page of no entries is refused', async () => {
    const { one } = await programmed();
    expect(await one.call('SLBfdv4SessionGet')).toMatchObject({
      ErrStatus: { Status: 'SL_RPC_BFD_API_BAD_PARAMETER' },
    });
  });
});

describe('events', () => {
  test('a new session starts DOWN and says so', async () => {
    const { one, bfd } = await ready();
    await one.call('SLBfdv4SessionOp', sessionOp('UPDATE', key));
    await until('DOWN', () => bfd.messages.length === 1);
    expect(states(bfd)).toEqual(['DOWN']);
    expect(await one.call('SLBfdv4SessionGet', { EntriesCount: 1 })).toMatchObject({
      Entries: [{ State: { SeqNum: 1, Status: 'SL_BFD_SESSION_DOWN' } }],
    });
  });

  test('or UNKNOWN, and says nothing', async () => {
    const { sim, one, bfd } = await ready({ initialStatus: 'UNKNOWN' });
    await one.call('SLBfdv4SessionOp', sessionOp('UPDATE', key));
    expect(sim.state().sessions).toMatchObject([{ status: 'UNKNOWN', seqNum: 0 }]);
    sim.forceBfd({ neighbor: peer }, 'UP');
    await until('UP', () => bfd.messages.length === 1);
    expect(states(bfd)).toEqual(['UP']);
  });

  test('gen1 leaves the vrf and the diagnosis out', async () => {
    const { sim, one, bfd } = await ready({ initialStatus: 'UNKNOWN' });
    await one.call('SLBfdv4SessionOp', sessionOp('UPDATE', key));
    sim.forceBfd({ neighbor: peer }, 'DOWN', 'DETECT_EXPIRED');
    await until('DOWN', () => bfd.messages.length === 1);
    expect(bfd.messages).toEqual([
      {
        EventType: 'SL_BFD_EVENT_TYPE_SESSION_STATE',
        Session: {
          Key: { Type: 'SL_BFD_SINGLE_HOP', NbrAddr: 0x0a000002, Interface: { Name: ten0 } },
          State: { SeqNum: 1, Status: 'SL_BFD_SESSION_DOWN' },
        },
      },
    ]);
  });

  test('gen2 has both', async () => {
    const { sim, one, bfd } = await ready({ generation: 'gen2', initialStatus: 'UNKNOWN' });
    await one.call('SLBfdv4SessionOp', sessionOp('UPDATE', key));
    sim.forceBfd({ neighbor: peer }, 'DOWN', 'DETECT_EXPIRED');
    await until('DOWN', () => bfd.messages.length === 1);
    expect(bfd.messages).toMatchObject([
      {
        Session: {
          Key: { VrfName: 'default' },
          State: { SeqNum: 1, Status: 'SL_BFD_SESSION_DOWN', Diag: 'SL_BFD_DIAG_DETECT_EXPIRED' },
        },
      },
    ]);
  });

  test('the last to open the stream has it, the other is told and loses it', async () => {
    const { sim, one, bfd } = await ready({ generation: 'gen2', initialStatus: 'UNKNOWN' });
    await one.call('SLBfdv4SessionOp', sessionOp('UPDATE', key));
    const thief = client(sim).open('SLBfdv4GetNotifStream');
    await until('the loss', () => bfd.status() !== null);
    expect(bfd.messages).toEqual([
      { EventType: 'SL_BFD_EVENT_TYPE_ERROR', ErrStatus: { Status: 'SL_NOTIF_TERM' } },
    ]);
    sim.forceBfd({ neighbor: peer }, 'UP');
    await until('UP', () => thief.messages.length === 1);
    expect(states(thief)).toEqual(['UP']);
  });
});
