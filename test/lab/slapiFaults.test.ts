// The simulator misbehaving on demand.
import { status as grpcStatus } from '@grpc/grpc-js';
import { monotonicMs } from '../../lab/slapi-sim/journal';
import type { WrittenEvent } from '../../lab/slapi-sim/streams';
import { lab, RawClient, registered, sessionOp, singleHop, states, ten0, until } from './slapiClient';

const { router, client } = lab();
const neighbor = '10.0.0.2';
const key = singleHop(neighbor, ten0);

async function ready(options: Parameters<typeof router>[0] = {}) {
  const sim = await router({ initialStatus: 'UNKNOWN', ...options });
  const one = client(sim);
  const streams = await registered(one);
  await one.call('SLBfdv4SessionOp', sessionOp('UPDATE', key));
  return { sim, one, ...streams };
}

describe('restart of the API on the same port', () => {
  test.each([true, false])('keepState %s', async (keepState) => {
    const { sim, one, init, bfd } = await ready();
    const { target } = sim;
    await sim.restartGrpc({ keepState });
    expect(sim.target).toBe(target);
    await until('the streams to end', () => init.status() !== null && bfd.status() !== null);
    expect(sim.state().sessions).toHaveLength(keepState ? 1 : 0);
    const again = one.open('SLGlobalInitNotif');
    await until('VERSION', () => again.messages.length === 1);
    expect(again.messages).toMatchObject([
      { ErrStatus: { Status: keepState ? 'SL_INIT_STATE_READY' : 'SL_INIT_STATE_CLEAR' } },
    ]);
  });

  test('with a gap in which nothing answers', async () => {
    const { sim, one } = await ready();
    const restarted = sim.restartGrpc({ keepState: true, downMs: 5 });
    expect(sim.state().target).toBeNull();
    await restarted;
    expect(await one.call('SLBfdv4Get')).toMatchObject({ ErrStatus: { Status: 'SL_NOT_CONNECTED' } });
  });

  test('killed while it restarts, a router stays dead', async () => {
    const { sim } = await ready();
    const restarted = sim.restartGrpc({ keepState: true });
    sim.kill();
    await restarted;
    expect(sim.state()).toMatchObject({ alive: false, target: null });
  });
});

describe('streams', () => {
  test.each([
    ['error', grpcStatus.UNAVAILABLE],
    ['end', grpcStatus.OK],
  ] as const)('cut with %s', async (how, code) => {
    const { sim, init, bfd } = await ready();
    sim.cutStream('bfd', how);
    await until('the end', () => bfd.status() !== null);
    expect([bfd.status()?.code, init.status()]).toEqual([code, null]);
    sim.cutStream('init', how);
    await until('the end', () => init.status() !== null);
    expect(init.status()?.code).toBe(code);
  });

  test.each(['init', 'bfd'] as const)('%s stolen by another client', async (name) => {
    const { sim, ...streams } = await ready();
    sim.hijack(name);
    await until('the end', () => streams[name].status() !== null);
    expect(streams[name].messages.at(-1)).toMatchObject({ ErrStatus: { Status: 'SL_NOTIF_TERM' } });
  });
});

describe('a hang', () => {
  test('holds requests and events until it is over', async () => {
    const { sim, one, bfd } = await ready();
    sim.hang();
    await expect(one.call('SLBfdv4Get', {}, 20)).rejects.toMatchObject({
      code: grpcStatus.DEADLINE_EXCEEDED,
    });
    const held = one.call('SLBfdv4GetStats');
    await until('the request', () => sim.received('SLBfdv4GetStats').length === 1);
    sim.forceBfd({ neighbor }, 'UP');
    expect(sim.state().faults.hung).toBe('all');
    sim.unhang();
    expect(await held).toMatchObject({ BfdCount: 1 });
    await until('the event', () => bfd.messages.length === 1);
  });

  test('of one RPC leaves the others alone', async () => {
    const { sim, one } = await ready();
    sim.hang(['SLBfdv4Get']);
    await expect(one.call('SLBfdv4Get', {}, 20)).rejects.toMatchObject({
      code: grpcStatus.DEADLINE_EXCEEDED,
    });
    expect(await one.call('SLBfdv4GetStats')).toMatchObject({ BfdCount: 1 });
  });
});

describe('events', () => {
  test('twice', async () => {
    const { sim, bfd } = await ready();
    sim.setEventFault('bfd', { copies: 2 });
    sim.forceBfd({ neighbor }, 'UP');
    await until('both', () => bfd.messages.length === 2);
    expect(bfd.messages[0]).toEqual(bfd.messages[1]);
  });

  test('lost', async () => {
    const { sim, bfd } = await ready();
    expect(sim.setEventFault('bfd', { dropNext: 1 })).toEqual({ delayMs: 0, copies: 1, dropNext: 1 });
    sim.forceBfd({ neighbor }, 'UP');
    sim.forceBfd({ neighbor }, 'DOWN');
    await until('the second', () => bfd.messages.length === 1);
    expect(states(bfd)).toEqual(['DOWN']);
    expect(sim.state().faults.bfdEvents.dropNext).toBe(0);
  });

  test('late: the table knows before the stream tells', async () => {
    const { sim, bfd } = await ready();
    const written: WrittenEvent[] = [];
    sim.onEventWritten((event) => written.push(event));
    sim.setEventFault('bfd', { delayMs: 5 });
    sim.forceBfd({ neighbor }, 'UP');
    expect(sim.state().sessions).toMatchObject([{ status: 'UP' }]);
    expect(written).toEqual([]);
    await until('the event', () => bfd.messages.length === 1);
    expect(written).toHaveLength(1);
  });

  test('their time of writing is told, on the clock of the machine', async () => {
    const { sim, bfd } = await ready();
    const written: WrittenEvent[] = [];
    const stop = sim.onEventWritten((event) => written.push(event));
    const before = monotonicMs();
    sim.forceBfd({ neighbor }, 'UP');
    const after = monotonicMs();
    expect(written).toMatchObject([{ stream: 'bfd', message: { Session: {} } }]);
    const at = written[0]?.atMs ?? 0;
    expect(before <= at && at <= after).toBe(true);
    stop();
    sim.forceBfd({ neighbor }, 'DOWN');
    await until('both events', () => bfd.messages.length === 2);
    expect(written).toHaveLength(1);
  });
});

describe('injection', () => {
  test('numbers that no enum names arrive as numbers', async () => {
    const { sim, bfd } = await ready();
    sim.inject('bfd', { EventType: 9, Session: { State: { Status: 77, Diag: 99 } } });
    await until('the event', () => bfd.messages.length === 1);
    expect(bfd.messages).toEqual([{ EventType: 9, Session: { State: { Status: 77, Diag: 99 } } }]);
  });

  test('an empty message', async () => {
    const { sim, bfd } = await ready();
    sim.inject('bfd', {});
    await until('the event', () => bfd.messages.length === 1);
    expect(bfd.messages).toEqual([{}]);
  });

  test('on the init stream', async () => {
    const { sim, init } = await ready();
    sim.inject('init', { EventType: 'SL_GLOBAL_EVENT_TYPE_ERROR', ErrStatus: { Status: 0x1234 } });
    await until('the event', () => init.messages.length === 2);
    expect(init.messages[1]).toMatchObject({ ErrStatus: { Status: 0x1234 } });
  });

  test('bytes that do not decode end the stream at the client', async () => {
    const { sim, bfd } = await ready();
    sim.injectBytes('bfd', 'ffffff');
    await until('the end', () => bfd.status() !== null);
    expect(bfd.status()?.code).toBe(grpcStatus.INTERNAL);
    expect(bfd.messages).toEqual([]);
  });
});

describe('session operations refused on demand', () => {
  const update = sessionOp('UPDATE', key);

  test('each session, once', async () => {
    const { sim, one } = await ready();
    sim.rejectSessionOps({ errno: 'SL_BFD_INTF_NOT_FOUND' });
    expect(await one.call('SLBfdv4SessionOp', update)).toMatchObject({
      StatusSummary: { Status: 'SL_SOME_ERR' },
      Results: [{ ErrStatus: { Status: 'SL_BFD_INTF_NOT_FOUND' } }],
    });
    expect(await one.call('SLBfdv4SessionOp', update)).toEqual({ StatusSummary: {} });
  });

  test('the whole request, several times, with any number', async () => {
    const { sim, one } = await ready();
    sim.rejectSessionOps({ errno: 0x7abc, scope: 'request', times: 2 });
    for (let n = 0; n < 2; n += 1) {
      expect(await one.call('SLBfdv4SessionOp', update)).toEqual({ StatusSummary: { Status: 0x7abc } });
    }
    expect(await one.call('SLBfdv4SessionOp', update)).toEqual({ StatusSummary: {} });
  });
});

test('the journal holds the requests in order, and the state is plain JSON', async () => {
  const { sim } = await ready();
  expect(sim.received().map((each) => each.method)).toEqual([
    'SLGlobalInitNotif',
    'SLBfdv4GetNotifStream',
    'SLBfdv4RegOp',
    'SLBfdv4SessionOp',
  ]);
  expect(sim.received('SLBfdv4RegOp')).toMatchObject([{ n: 3, request: { Oper: 'SL_REGOP_REGISTER' } }]);
  expect(sim.received('SLBfdv4SessionOp')).toMatchObject([
    { request: { Oper: 'SL_OBJOP_UPDATE', Sessions: [{ Key: { NbrAddr: 0x0a000002 } }] } },
  ]);
  const state = sim.state();
  expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  expect(state.counters).toEqual({
    SLGlobalInitNotif: 1,
    SLBfdv4GetNotifStream: 1,
    SLBfdv4RegOp: 1,
    SLBfdv4SessionOp: 1,
  });
  sim.clearReceived();
  expect(sim.state()).toMatchObject({ counters: {}, received: [] });
});

test('headers at once are there for those who need to know that a stream is open', async () => {
  const sim = await router({ generation: 'gen2', sendHeadersAtOnce: true });
  const stream = client(sim).open('SLInterfaceNotifStream');
  await until('the stream', () => sim.state().clients.interface);
  await until('its headers', () => stream.headers());
});

describe.each([
  ['gen1', 'gen2'],
  ['gen2', 'gen1'],
] as const)('an upgrade from %s to %s', (from, to) => {
  test('comes back on the same address with the other interface service and nothing programmed', async () => {
    const { sim, init } = await ready({ generation: from });
    const { target } = sim;
    await sim.upgrade(to);
    await until('the streams to end', () => init.status() !== null);
    expect(sim.state()).toMatchObject({ alive: true, target, generation: to, sessions: [] });
    const again = client(sim);
    const { init: greeting } = await registered(again);
    expect(greeting.messages).toMatchObject([
      { ErrStatus: { Status: 'SL_INIT_STATE_CLEAR' }, InitRspMsg: { MinorVer: to === 'gen1' ? 6 : 11 } },
    ]);
    expect(await again.call('SLBfdv4SessionOp', sessionOp('UPDATE', key))).toEqual({ StatusSummary: {} });

    // Only the older generation has this question.
    const asking = new RawClient(target, 'gen1');
    const answer = await asking.call('SLInterfaceGlobalsGet').catch((error: unknown) => error);
    asking.close();
    expect(answer).toMatchObject(to === 'gen1' ? { ErrStatus: {} } : { code: grpcStatus.UNIMPLEMENTED });
  });

  test('of a router that is off shows when it is booted', async () => {
    const sim = await router({ generation: from });
    sim.kill();
    await sim.upgrade(to);
    expect(sim.state()).toMatchObject({ alive: false, target: null, generation: to });
    await sim.boot();
    expect(sim.state()).toMatchObject({ alive: true, generation: to });
  });
});
