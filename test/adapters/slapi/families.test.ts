// Sessions of both address families and of several hops: each in its own service, with its own key, in one attachment.
import type { SimRouter } from '../../../lab/slapi-sim/router';
import { eventually } from '../../support/eventually';
import {
  attach,
  cleanUp,
  eventsOf,
  generations,
  interface1,
  interface2,
  logged,
  nth,
  session,
  session1,
  session2,
  slapiSettings,
  start,
  startRouter,
} from './rig';

afterEach(cleanUp);

const v6 = session(interface2, '2001:db8::1');
const multi = { ...session(interface1, '172.31.101.241'), id: 'multi', sourceAddress: '172.31.101.10' };
const multiV6 = { ...session(interface1, '2001:db8::2'), id: 'multi6', sourceAddress: '2001:db8::f' };
const all = [session1, v6, multi, multiV6];
const works = { multiHop: 'works' } as const;

const methods = (router: SimRouter): readonly string[] =>
  router.received().flatMap(({ method }) => (method.startsWith('SLBfd') ? [method] : []));

describe.each(generations)('%s', (generation) => {
  test('each session goes to the service of its family with the key of its kind', async () => {
    const router = await startRouter(generation, works);
    await attach(router, { sessions: all });
    const programmed = (method: string) =>
      router
        .received(method)
        .flatMap(({ request }) =>
          (request as { Sessions: { Key: object }[] }).Sessions.map(({ Key }) => Key),
        );
    expect(programmed('SLBfdv4SessionOp')).toMatchObject([
      { Type: 'SL_BFD_SINGLE_HOP', NbrAddr: 2887738865, Interface: { Name: interface1 }, SourceAddr: 0 },
      { Type: 'SL_BFD_MULTI_HOP', NbrAddr: 2887738865, Interface: null, SourceAddr: 2887738634 },
    ]);
    expect(programmed('SLBfdv6SessionOp')).toMatchObject([
      {
        Type: 'SL_BFD_SINGLE_HOP',
        NbrAddr: Buffer.from('20010db8000000000000000000000001', 'hex'),
        Interface: { Name: interface2 },
      },
      {
        Type: 'SL_BFD_MULTI_HOP',
        NbrAddr: Buffer.from('20010db8000000000000000000000002', 'hex'),
        Interface: null,
        SourceAddr: Buffer.from('20010db800000000000000000000000f', 'hex'),
      },
    ]);
    expect(router.state().sessions).toHaveLength(4);
  });

  test('a family that has no session is left alone', async () => {
    const router = await startRouter(generation);
    await attach(router, { sessions: [v6] });
    expect(methods(router).filter((method) => method.includes('v4'))).toEqual([]);
    const other = await startRouter(generation);
    await attach(other, { sessions: [session1] });
    expect(methods(other).filter((method) => method.includes('v6'))).toEqual([]);
  });

  test('each step is taken for both families before the next, and the streams come first', async () => {
    const router = await startRouter(generation);
    await attach(router, { sessions: [session1, v6] });
    expect(methods(router)).toEqual([
      ...['SLBfdv4GetNotifStream', 'SLBfdv6GetNotifStream'],
      ...['SLBfdv4Get', 'SLBfdv6Get'],
      ...['SLBfdv4RegOp', 'SLBfdv6RegOp'],
      ...['SLBfdv4SessionGet', 'SLBfdv6SessionGet'],
      ...['SLBfdv4SessionOp', 'SLBfdv6SessionOp'],
      ...['SLBfdv4RegOp', 'SLBfdv6RegOp'],
      ...['SLBfdv4SessionGet', 'SLBfdv6SessionGet'],
    ]);
  });

  test('levels are told together, and events of either stream as they come', async () => {
    const router = await startRouter(generation, works);
    const attached = await attach(router, { sessions: all });
    expect(attached.events[0]).toMatchObject({
      type: 'streamsSynchronized',
      sessions: all.map(({ id }) => ({ session: id, level: 'Down', refused: false })),
    });
    for (const [n, { id, peerAddress }] of [v6, multiV6].entries()) {
      router.forceBfd({ neighbor: peerAddress }, 'UP');
      expect(await nth(attached, 'bfdSessionChanged', n + 1)).toMatchObject({ session: id, level: 'Up' });
    }
    // Told apart from the single-hop session to the same neighbour.
    router.forceBfd({ neighbor: multi.peerAddress, interface: '' }, 'UP');
    expect(await nth(attached, 'bfdSessionChanged', 3)).toMatchObject({ session: 'multi', level: 'Up' });
    expect((await attached.slapi.readLevels()).sessions).toEqual(
      all.map(({ id }) => ({ session: id, level: id === session1.id ? 'Down' : 'Up' })),
    );
  });

  test('sessions of both families survive a new attachment', async () => {
    const router = await startRouter(generation, works);
    const attached = await attach(router, { sessions: all });
    router.cutStream('bfdv6');
    const again = await nth(attached, 'streamsSynchronized', 2);
    expect(again.sessions.map(({ survived }) => survived)).toEqual(all.map(() => true));
  });

  test.each(['end', 'error'] as const)('the loss of one stream (%s) is the loss of all', async (how) => {
    const router = await startRouter(generation);
    const attached = await attach(router, { sessions: [session1, v6] });
    router.cutStream('bfdv6', how);
    expect(await nth(attached, 'streamsLost', 1)).toMatchObject({
      cause: expect.stringContaining('SLBfdv6GetNotifStream') as unknown,
    });
    await nth(attached, 'streamsSynchronized', 2);
  });

  test('another client takes one stream: control is lost, and taken back', async () => {
    const router = await startRouter(generation);
    const attached = await attach(
      router,
      { sessions: [session1, v6] },
      { retakeDelayMs: { min: 10, max: 20 } },
    );
    router.hijack('bfdv6');
    expect(await nth(attached, 'controlLost', 1)).toEqual({
      type: 'controlLost',
      cause: 'another client took the stream SLBfdv6GetNotifStream (SL_NOTIF_TERM)',
    });
    await nth(attached, 'streamsSynchronized', 2);
  });

  test('a router that has forgotten one family is registered with anew', async () => {
    const router = await startRouter(generation);
    router.rejectSessionOps({ errno: 'SL_RPC_BFD_V6_NOT_REGISTERED', scope: 'request' });
    const attached = await attach(router, { sessions: [v6] });
    expect(eventsOf(attached, 'streamsLost')).toMatchObject([
      { cause: expect.stringContaining('this client is not registered for IPv6 BFD') as unknown },
    ]);
  });

  test('`unregister` withdraws both families', async () => {
    const router = await startRouter(generation);
    const { slapi } = await attach(router, { sessions: [session1, v6] });
    await slapi.close('unregister');
    expect(router.state()).toMatchObject({ sessions: [], registered: { bfd: false, bfdv6: false } });
  });

  test('a refused multi-hop session is named with what is known of multi-hop; the others work', async () => {
    const router = await startRouter(generation, { multiHop: 'SL_BFD_INTF_NAME_MISSING' });
    const attached = await attach(router, { sessions: [session2, multi], retryIntervalMs: 30 });
    expect(attached.events[0]).toMatchObject({
      sessions: [
        { session: session2.id, refused: false },
        { session: 'multi', refused: true },
      ],
    });
    // The interface is not told to the router: there is nothing to mend in its name.
    expect(await logged(attached, 'refused a part')).toMatchObject({
      level: 50,
      subject: 'multi',
      configKey: 'bfd_sessions[].session_type',
      reason: expect.stringMatching(
        /unproven on XRv9000.*bfd multipath include location 0\/RP0\/CPU0.*GRE tunnel/,
      ) as unknown,
    });
    router.setMultiHop('works');
    const again = await nth(attached, 'streamsSynchronized', 2);
    expect(again.sessions).toMatchObject([
      { refused: false, survived: true },
      { refused: false, survived: false },
    ]);
  });

  test('a refused IPv6 session is named without a word about multi-hop', async () => {
    const router = await startRouter(generation);
    router.rejectSessionOps({ errno: 'SL_ENOTSUP' });
    const attached = await attach(router, { sessions: [v6], retryIntervalMs: 60_000 });
    expect(await logged(attached, 'refused a part')).toMatchObject({
      reason: `the router refused ${v6.id}: the router does not support this kind of session (SL_ENOTSUP); see bfd_sessions[].session_type`,
    });
  });

  test('the limits of multi-hop are others than those of single-hop', async () => {
    const router = await startRouter(generation, { ...works, limits: { minTxIntervalMultiHop: 60_000 } });
    const attached = await attach(router, { sessions: [session2, multi], retryIntervalMs: 60_000 });
    expect(await logged(attached, 'below the limits')).toMatchObject({
      subject: 'multi',
      mend: ['bfd_desired_tx_int_usec is 50000, the router wants 60000 or more'],
    });
    expect(attached.records.filter(({ event }) => event === 'slapi-below-limits')).toHaveLength(1);
  });
});

test('while one family is not registered yet, `unregister` withdraws the other', async () => {
  const router = await startRouter('gen2');
  router.hang(['SLBfdv6RegOp']);
  const { slapi } = start(slapiSettings(router.target, { sessions: [session1, v6] }));
  await eventually(() => expect(router.received('SLBfdv6RegOp')).toHaveLength(1));
  const closed = slapi.close('unregister');
  router.unhang();
  await closed;
  expect(router.state()).toMatchObject({ sessions: [], registered: { bfd: false, bfdv6: false } });
});
