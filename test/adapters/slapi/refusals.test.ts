// What a router refuses is named with the key to mend, tried again, and never keeps the rest from working.
import {
  attach,
  cleanUp,
  eventsOf,
  generations,
  interface1,
  interface2,
  logged,
  nth,
  peer1,
  peer2,
  session,
  session1,
  session2,
  startRouter,
} from './rig';
import { eventually } from '../../support/eventually';

afterEach(cleanUp);

const missing = session('TenGigE0/0/0/9', '10.9.9.9');

describe.each(generations)('%s', (generation) => {
  test.each(['all', 'failed'] as const)(
    'one session of three is refused: named, the others work (results: %s)',
    async (results) => {
      const router = await startRouter(generation, { results });
      const attached = await attach(router, { sessions: [session1, missing, session2] });
      expect(attached.events[0]).toMatchObject({
        sessions: [
          { session: session1.id, level: 'Down' },
          { session: missing.id, level: 'Unknown', survived: false, notification: null },
          { session: session2.id, level: 'Down' },
        ],
      });
      const refusal = attached.records.find(({ subject }) => subject === missing.id);
      expect(refusal).toMatchObject({
        level: 50,
        errno: 'SL_BFD_INTF_NOT_FOUND',
        meaning: 'the router has no such interface',
        configKey: 'bfd_sessions[].intf_name',
      });
      router.forceBfd({ neighbor: peer2 }, 'UP');
      expect(await nth(attached, 'bfdSessionChanged', 1)).toMatchObject({ session: session2.id });
    },
  );

  test('an interface that cannot be subscribed is named', async () => {
    const router = await startRouter(generation);
    const attached = await attach(router, { sessions: [session1, missing] });
    const refusal = await eventually(() => {
      const found = attached.records.find(({ subject }) => subject === missing.interfaceName);
      expect(found).toBeDefined();
      return found;
    });
    expect(refusal).toMatchObject({ level: 50, errno: 'SL_INTF_INTERFACE_NOT_FOUND' });
    expect(attached.events[0]).toMatchObject({ interfaces: [{ level: 'Up' }, { level: 'Unknown' }] });
  });

  test('what was refused is tried again, logged once, and told anew when it is accepted', async () => {
    const router = await startRouter(generation, { initialStatus: 'UNKNOWN' });
    router.rejectSessionOps({ errno: 'SL_BFD_INTF_NOT_FOUND', times: 2 });
    const attached = await attach(router, { retryIntervalMs: 30 });
    const again = await nth(attached, 'streamsSynchronized', 2);
    expect(again.sessions).toMatchObject([{ survived: false }, { survived: false }]);
    expect(again.interfaces).toMatchObject([{ level: 'Up' }, { level: 'Up' }]);
    const refusals = attached.records.filter(({ errno }) => errno === 'SL_BFD_INTF_NOT_FOUND');
    expect(refusals.map(({ subject }) => subject)).toEqual([session1.id, session2.id]);
    router.forceBfd({ neighbor: peer1 }, 'UP');
    expect(await nth(attached, 'bfdSessionChanged', 1)).toMatchObject({ level: 'Up' });
  });

  test('sessions that run meanwhile have survived the acceptance of another', async () => {
    const router = await startRouter(generation, {
      initialStatus: 'UNKNOWN',
      limits: { maxSessionsPerRequest: 1 },
    });
    router.rejectSessionOps({ errno: 0x700a, times: 1 });
    const attached = await attach(router, { retryIntervalMs: 30 });
    const again = await nth(attached, 'streamsSynchronized', 2);
    expect(again.sessions).toMatchObject([
      { session: session1.id, survived: false },
      { session: session2.id, survived: true },
    ]);
  });

  test('a request refused as a whole is repeated session by session', async () => {
    const router = await startRouter(generation);
    router.rejectSessionOps({ errno: 'SL_RPC_BFD_API_BAD_PARAMETER', scope: 'request', times: 2 });
    const attached = await attach(router, { retryIntervalMs: 60_000 });
    expect(router.received('SLBfdv4SessionOp')).toHaveLength(3);
    expect(attached.events[0]).toMatchObject({ sessions: [{ level: 'Unknown' }, { level: 'Down' }] });
  });

  test('a code that nobody knows is classified by its range', async () => {
    const router = await startRouter(generation);
    router.rejectSessionOps({ errno: 0x7fff });
    const attached = await attach(router, { retryIntervalMs: 60_000 });
    expect(await logged(attached, 'refused a part')).toMatchObject({
      errno: '0x7fff',
      meaning: 'an error of a BFD session that this program does not know',
    });
  });

  test.each([
    ['microseconds', 60_000],
    ['milliseconds', 60],
  ])('a session below the limits is named before it is programmed (limit in %s)', async (_, limit) => {
    const router = await startRouter(generation, {
      limits: { minTxIntervalSingleHop: limit, minDetectMultiplierSingleHop: 4 },
    });
    const attached = await attach(router, { retryIntervalMs: 60_000, sessions: [session1] });
    const at = (found: string) => attached.records.findIndex(({ msg }) => String(msg).includes(found));
    expect(await logged(attached, 'below the limits')).toMatchObject({
      level: 50,
      subject: session1.id,
      mend: [
        'bfd_desired_tx_int_usec is 50000, the router wants 60000 or more',
        'detect_multiplier is 3, the router wants 4 or more',
      ],
    });
    expect(at('below the limits')).toBeLessThan(at('refused a part'));
  });

  test('a router that forgot the registration is registered with anew', async () => {
    const router = await startRouter(generation);
    router.rejectSessionOps({ errno: 'SL_RPC_BFD_V4_NOT_REGISTERED', scope: 'request' });
    const attached = await attach(router);
    expect(eventsOf(attached, 'streamsLost')).toEqual([
      {
        type: 'streamsLost',
        cause:
          'SLBfdv4SessionOp was refused: this client is not registered for IPv4 BFD (SL_RPC_BFD_V4_NOT_REGISTERED)',
      },
    ]);
    expect(router.received('SLGlobalInitNotif')).toHaveLength(2);
  });
});

test('an interface that appears later is subscribed and its level told (gen1)', async () => {
  const router = await startRouter('gen1', { maxInterfacesPerBatch: 1 });
  const attached = await attach(router, { sessions: [session1, missing], retryIntervalMs: 30 });
  await eventually(() => expect(router.received('SLInterfaceNotifOp').length).toBeGreaterThan(3));
  router.setInterface(interface1, 'down');
  expect(await nth(attached, 'interfaceChanged', 1)).toMatchObject({ interfaceName: interface1 });
  expect(router.state().interfaces.find(({ name }) => name === interface2)?.subscribed).toBe(false);
});

test('a subscription that is refused at any time is repeated (gen2)', async () => {
  const router = await startRouter('gen2');
  const attached = await attach(router, { retryIntervalMs: 30 });
  const refusal = { OperationId: 2, ErrStatus: { Status: 0xe003 }, Key: { Name: interface2 } };
  router.clearReceived();
  router.inject('interface', { Error: { Details: [refusal] } });
  expect(await logged(attached, 'refused a part')).toMatchObject({
    subject: interface2,
    errno: 'SL_INTF_INTERFACE_REG_ERR',
  });
  await logged(attached, 'accepted what it had refused');
  expect(router.received('SLInterfaceNotifStream')[0]?.request).toMatchObject({
    Oper: 'SL_NOTIFOP_ENABLE',
    Entries: [{ Interface: { Name: interface2 } }],
  });
});
