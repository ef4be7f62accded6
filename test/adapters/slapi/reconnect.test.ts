// Losing the router in every way there is, and coming back.
import type { SimRouter } from '../../../lab/slapi-sim/router';
import {
  attach,
  cleanUp,
  eventsOf,
  generations,
  logged,
  nth,
  peer1,
  session1,
  slapiSettings,
  start,
  startRouter,
} from './rig';
import { eventually } from '../../support/eventually';

afterEach(cleanUp);

const losses: [string, (router: SimRouter) => void, RegExp][] = [
  ['the BFD stream ends', (router) => router.cutStream('bfd', 'end'), /ended the stream SLBfdv4GetNotif/],
  [
    'the BFD stream breaks',
    (router) => router.cutStream('bfd', 'error'),
    /SLBfdv4GetNotifStream broke: UNAV/,
  ],
  [
    'the interface stream ends',
    (router) => router.cutStream('interface', 'end'),
    /ended the stream SLInterf/,
  ],
  ['the interface stream breaks', (router) => router.cutStream('interface', 'error'), /NotifStream broke/],
  ['the init stream ends', (router) => router.cutStream('init', 'end'), /ended the stream SLGlobalInitNotif/],
  ['the init stream breaks', (router) => router.cutStream('init', 'error'), /SLGlobalInitNotif broke/],
  [
    'the BFD stream reports an error',
    (router) => router.inject('bfd', { EventType: 1, ErrStatus: { Status: 0x7010 } }),
    /reported BFD on the router failed inside \(SL_BFD_INTERNAL_DB_ERROR\)/,
  ],
  [
    'the init stream reports an error',
    (router) => router.inject('init', { EventType: 1, ErrStatus: { Status: 1 } }),
    /SL_NOT_CONNECTED/,
  ],
];

describe.each(generations)('%s', (generation) => {
  test.each(losses)('%s: told once, and back with everything replayed', async (_, lose, cause) => {
    const router = await startRouter(generation);
    const attached = await attach(router);
    lose(router);
    await nth(attached, 'streamsSynchronized', 2);
    expect(attached.events.map(({ type }) => type).filter((type) => !type.endsWith('Changed'))).toEqual([
      'streamsSynchronized',
      'streamsLost',
      'streamsSynchronized',
    ]);
    expect(eventsOf(attached, 'streamsLost')[0]?.cause).toMatch(cause);
    expect((await nth(attached, 'streamsSynchronized', 2)).sessions[0]).toMatchObject({ survived: true });
    router.forceBfd({ neighbor: peer1 }, 'UP');
    await eventually(() =>
      expect(eventsOf(attached, 'bfdSessionChanged')).toContainEqual(
        expect.objectContaining({ session: session1.id, level: 'Up' }),
      ),
    );
  });

  test('a restart that lost the state: sessions are programmed anew and have not survived', async () => {
    const router = await startRouter(generation);
    const attached = await attach(router);
    await router.restartGrpc({ keepState: false });
    const again = await nth(attached, 'streamsSynchronized', 2);
    expect(again.sessions).toMatchObject([{ survived: false }, { survived: false }]);
    expect(router.state().sessions).toHaveLength(2);
  });

  test('a restart that kept the state: sessions survive with their levels', async () => {
    const router = await startRouter(generation);
    const attached = await attach(router);
    router.forceBfd({ neighbor: peer1 }, 'UP');
    await router.restartGrpc({ keepState: true });
    const again = await nth(attached, 'streamsSynchronized', 2);
    expect(again.sessions[0]).toMatchObject({ level: 'Up', survived: true });
  });

  test.each(['bfd', 'interface', 'init'] as const)(
    'another client takes the %s stream: control is lost, and taken back later',
    async (stream) => {
      const router = await startRouter(generation);
      const attached = await attach(router, {}, { retakeDelayMs: { min: 200, max: 200 } });
      router.hijack(stream);
      const lost = await nth(attached, 'controlLost', 1);
      expect(lost.cause).toContain('SL_NOTIF_TERM');
      expect(await logged(attached, 'Lost the Service-Layer API')).toMatchObject({
        level: 20,
        retryInMs: 200,
        reason: lost.cause,
      });
      await nth(attached, 'streamsSynchronized', 2);
      expect(eventsOf(attached, 'streamsLost')).toEqual([]);
      expect(eventsOf(attached, 'controlLost')).toHaveLength(1);
    },
  );

  test('a client that keeps taking the streams is alarmed once per row, however long it leaves them', async () => {
    let atMs = 0;
    const router = await startRouter(generation);
    const attached = await attach(router, {}, { now: () => atMs, retakeDelayMs: { min: 0, max: 0 } });
    const contested = () => attached.records.filter(({ event }) => event === 'slapi-contested');
    const alarmsAfterLosses: number[] = [];
    for (const gapMs of [0, 200_000, 200_000, 300_000, 299_999]) {
      atMs += gapMs;
      const lossesBefore = eventsOf(attached, 'controlLost').length;
      router.hijack('bfd');
      await nth(attached, 'streamsSynchronized', lossesBefore + 2);
      alarmsAfterLosses.push(contested().length);
    }
    expect(alarmsAfterLosses).toEqual([0, 1, 1, 1, 2]);
    expect(contested()[0]).toMatchObject({
      level: 50,
      reason:
        "another client keeps taking the router's event streams: " +
        'is a second xr-aws-ha, or the application it succeeds, running on this router?',
    });
    expect(attached.records.filter(({ level }) => level === 50)).toHaveLength(2);
  });

  test('a router that is gone when the streams are to be taken back is told as such, once', async () => {
    const router = await startRouter(generation);
    const attached = await attach(router, { retryIntervalMs: 10 }, { retakeDelayMs: { min: 50, max: 50 } });
    router.hijack('bfd');
    await nth(attached, 'controlLost', 1);
    router.stopGrpc();
    expect((await nth(attached, 'streamsLost', 1)).cause).toContain('cannot be reached (ECONNREFUSED)');
    await logged(attached, 'stays out of reach');
    await router.startGrpc();
    await nth(attached, 'streamsSynchronized', 2);
    const told = attached.events.map(({ type }) => type).filter((type) => !type.endsWith('Changed'));
    expect(told).toEqual(['streamsSynchronized', 'controlLost', 'streamsLost', 'streamsSynchronized']);
  });

  test('what the core records itself is told at debug', async () => {
    const router = await startRouter(generation);
    const attached = await attach(router);
    router.cutStream('bfd');
    await nth(attached, 'streamsSynchronized', 2);
    const repeated = await eventually(() => {
      const found = attached.records.map(({ event, level }) => `${String(event)} ${level}`);
      expect(found).toHaveLength(3);
      return found;
    });
    expect(repeated).toEqual(['slapi-attached 20', 'slapi-lost 20', 'slapi-attached 20']);
    expect(await logged(attached, 'Lost the Service-Layer API')).toMatchObject({ level: 20 });
  });

  test('a router that is not there is asked for ever, told once, alarmed once', async () => {
    const router = await startRouter(generation);
    const { target } = router;
    router.stopGrpc();
    const attached = start(slapiSettings(target, { retryIntervalMs: 10, retryCount: 4 }));
    const alarm = await logged(attached, 'stays out of reach');
    expect(alarm).toMatchObject({ level: 50, failures: 4 });
    const lost = eventsOf(attached, 'streamsLost');
    expect(lost).toHaveLength(1);
    expect(lost[0]?.cause).toBe(
      `the router's gRPC server at ${target} cannot be reached (ECONNREFUSED): ` +
        'is grpc configured there, with service-layer, and is grpc_port right?',
    );
    expect(alarm['reason']).toContain(lost[0]?.cause);
    await router.startGrpc();
    await nth(attached, 'streamsSynchronized', 1);
    expect(attached.records.filter(({ level }) => level === 50)).toHaveLength(1);
  });

  test.each([
    'SLGlobalInitNotif',
    'SLBfdv4Get',
    'SLBfdv4RegOp',
    'SLBfdv4SessionGet',
    'SLBfdv4SessionOp',
    ...(generation === 'gen1'
      ? ['SLInterfaceGlobalsGet', 'SLInterfaceGlobalsRegOp', 'SLInterfaceNotifOp', 'SLInterfaceGet']
      : []),
  ])('a router that accepts and never answers %s is given up and tried again', async (method) => {
    const router = await startRouter(generation);
    router.hang([method]);
    const attached = start(slapiSettings(router.target), { operationTimeoutMs: 100 });
    expect((await nth(attached, 'streamsLost', 1)).cause).toMatch(/did not greet|DEADLINE_EXCEEDED/);
    router.unhang();
    await nth(attached, 'streamsSynchronized', 1);
  });

  test('heartbeats that stop are a loss', async () => {
    const router = await startRouter(generation, { heartbeatMs: 20 });
    let beats = 0;
    router.onEventWritten(({ message }) => {
      if (JSON.stringify(message).includes('HEARTBEAT')) beats += 1;
    });
    const attached = await attach(router, {}, { heartbeatPatienceMs: 150 });
    await eventually(() => expect(beats).toBeGreaterThan(3));
    expect(eventsOf(attached, 'streamsLost')).toEqual([]);
    router.hang();
    expect((await nth(attached, 'streamsLost', 1)).cause).toContain('heartbeats have stopped');
    router.unhang();
    await nth(attached, 'streamsSynchronized', 2);
  });

  test.each([0x6, 0x503])('a version that is refused (%i) is said so and tried slowly', async (errno) => {
    const router = await startRouter(generation);
    router.refuseInit(errno);
    const attached = start(slapiSettings(router.target, { retryIntervalMs: 77 }));
    const record = await logged(attached, 'refuses this client');
    expect(record).toMatchObject({ level: 50, retryInMs: 77 });
    expect(record['cause']).toContain('refuses this version of the interface');
    router.refuseInit(null);
    await nth(attached, 'streamsSynchronized', 1);
  });

  test('the same refusal again is no news, until an attachment has stood in between', async () => {
    const router = await startRouter(generation);
    router.refuseInit(0x6);
    const attached = start(slapiSettings(router.target, { retryIntervalMs: 10, retryCount: 100 }));
    const levels = () =>
      attached.records.filter(({ event }) => event === 'slapi-refused').map(({ level }) => level);
    await eventually(() => expect(levels().length).toBeGreaterThanOrEqual(3));
    expect(new Set(levels().slice(1))).toEqual(new Set([20]));
    router.refuseInit(0x503);
    await eventually(() => expect(levels().filter((level) => level === 50)).toHaveLength(2));
    router.refuseInit(null);
    await nth(attached, 'streamsSynchronized', 1);
    router.refuseInit(0x503);
    router.cutStream('init');
    await eventually(() => expect(levels().filter((level) => level === 50)).toHaveLength(3));
    expect(levels()[0]).toBe(50);
  });
});

test('the generation is found out at every attachment, whatever the version says', async () => {
  const router = await startRouter('gen2', { version: { major: 0, minor: 9, sub: 0 } });
  const attached = await attach(router);
  expect(attached.events[0]).toMatchObject({ generation: 'gen2' });
  const { port } = router;
  router.close();
  const upgraded = await startRouter('gen1', { listen: { port }, version: { major: 0, minor: 11, sub: 0 } });
  expect(await nth(attached, 'streamsSynchronized', 2)).toMatchObject({ generation: 'gen1' });
  expect(upgraded.state().registered).toEqual({ bfd: true, bfdv6: false, interface: true });
  const warnings = attached.records.filter(({ msg }) => String(msg).includes('another interface generation'));
  expect(warnings).toHaveLength(2);
});

test('the backoff doubles from 100 ms with jitter up to the retry interval, after one try at once', async () => {
  const attached = start(slapiSettings('127.0.0.1:1', { retryIntervalMs: 300, retryCount: 100 }), {
    random: () => 0,
  });
  const delays = await eventually(() => {
    const found = attached.records.map(({ retryInMs }) => retryInMs);
    expect(found.length).toBeGreaterThanOrEqual(5);
    return found;
  });
  expect(delays.slice(0, 5)).toEqual([0, 50, 100, 150, 150]);
});
