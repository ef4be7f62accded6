// The sequence of design rule 13: what is asked of the router, in which order, and what is told of it.
import {
  attach,
  bfdNotification,
  cleanUp,
  eventsOf,
  generations,
  interface1,
  interface2,
  logged,
  nth,
  peer1,
  peer2,
  session1,
  session2,
  slapiSettings,
  start,
  startRouter,
} from './rig';
import { eventually } from '../../support/eventually';

afterEach(cleanUp);

const sequences = {
  gen1: [
    'SLGlobalInitNotif',
    'SLInterfaceGlobalsGet',
    'SLBfdv4GetNotifStream',
    'SLInterfaceGlobalsRegOp SL_REGOP_REGISTER',
    'SLInterfaceGetNotifStream',
    'SLInterfaceGlobalsGet',
    'SLInterfaceNotifOp SL_NOTIFOP_ENABLE',
    'SLInterfaceGlobalsRegOp SL_REGOP_EOF',
    'SLBfdv4Get',
    'SLBfdv4RegOp SL_REGOP_REGISTER',
    'SLBfdv4SessionGet',
    'SLBfdv4SessionOp SL_OBJOP_UPDATE',
    'SLBfdv4RegOp SL_REGOP_EOF',
    'SLBfdv4SessionGet',
    'SLInterfaceGet',
    'SLInterfaceGet',
  ],
  gen2: [
    'SLBfdv4GetNotifStream',
    'SLGlobalInitNotif',
    'SLInterfaceNotifStream',
    'SLInterfaceNotifStream SL_NOTIFOP_ENABLE',
    'SLBfdv4Get',
    'SLBfdv4RegOp SL_REGOP_REGISTER',
    'SLBfdv4SessionGet',
    'SLBfdv4SessionOp SL_OBJOP_UPDATE',
    'SLBfdv4RegOp SL_REGOP_EOF',
    'SLBfdv4SessionGet',
    // Whether it answers a second time.
    'SLInterfaceNotifStream SL_NOTIFOP_ENABLE',
  ],
};

describe.each(generations)('%s', (generation) => {
  test('streams before sessions, levels after REGISTER and after EOF', async () => {
    const router = await startRouter(generation);
    await attach(router);
    const calls = router.received().map(({ method, request }) => {
      const oper = request !== null && 'Oper' in request ? ` ${String(request.Oper)}` : '';
      return `${method}${oper}`;
    });
    // The two streams of the second generation are opened together: their order is the server's affair.
    const opened = generation === 'gen2' ? 3 : 0;
    const ordered = [...calls.slice(0, opened).sort(), ...calls.slice(opened)];
    expect(ordered).toEqual([...sequences[generation]]);
  });

  test('sessions are programmed as configured', async () => {
    const router = await startRouter(generation);
    await attach(router);
    expect(router.state().sessions).toMatchObject([
      { hop: 'single', vrf: 'default', neighbor: peer1, interface: interface1, desiredTxIntUsec: 50_000 },
      { hop: 'single', vrf: 'default', neighbor: peer2, interface: interface2, detectMultiplier: 3 },
    ]);
    expect(router.state().interfaces.every(({ subscribed }) => subscribed)).toBe(true);
  });

  test('tells levels, generation and that nothing survived at the first attachment', async () => {
    const router = await startRouter(generation);
    router.setInterface(interface2, 'down');
    const attached = await attach(router);
    expect(attached.events[0]).toMatchObject({
      type: 'streamsSynchronized',
      generation,
      sessions: [
        { session: session1.id, level: 'Down', survived: false },
        { session: session2.id, level: 'Down', survived: false },
      ],
      interfaces: [
        { interfaceName: interface1, level: 'Up' },
        { interfaceName: interface2, level: 'Down' },
      ],
    });
  });

  test('a session that never came UP is Unknown', async () => {
    const router = await startRouter(generation, { initialStatus: 'UNKNOWN' });
    const attached = await attach(router);
    expect(attached.events[0]).toMatchObject({ sessions: [{ level: 'Unknown' }, { level: 'Unknown' }] });
  });

  test('what another life of the daemon programmed has survived, with its level', async () => {
    const router = await startRouter(generation);
    const first = await attach(router, { sessions: [session1] });
    router.forceBfd({ neighbor: peer1 }, 'UP');
    await first.slapi.close('keep');
    const second = await attach(router);
    expect(second.events[0]).toMatchObject({
      sessions: [
        { session: session1.id, level: 'Up', survived: true },
        { session: session2.id, level: 'Down', survived: false },
      ],
    });
  });

  test('a session that is configured no more is swept', async () => {
    const router = await startRouter(generation);
    const first = await attach(router);
    await first.slapi.close('keep');
    await attach(router, { sessions: [session2] });
    expect(router.state().sessions.map(({ neighbor }) => neighbor)).toEqual([peer2]);
  });

  test('a reading has the words of a notification', async () => {
    const router = await startRouter(generation);
    const first = await attach(router, { sessions: [session2] });
    router.forceBfd({ neighbor: peer2 }, 'UP');
    await first.slapi.close('keep');
    const second = await attach(router, { sessions: [session2] });
    const { seqNum } = router.state().sessions[0]!;
    expect((await nth(second, 'streamsSynchronized', 1)).sessions[0]?.notification).toEqual({
      EventType: 'SL_BFD_EVENT_TYPE_SESSION_STATE',
      Session: {
        Key: {
          Type: 'SL_BFD_SINGLE_HOP',
          VrfName: 'default',
          NbrAddr: 2887739802,
          Interface: { Name: interface2 },
        },
        State: { SeqNum: String(seqNum), Status: 'SL_BFD_SESSION_UP' },
      },
    });
  });

  test('sessions go out in as many requests as the router wants, and a long table is read in pages', async () => {
    const interfaces = [interface1];
    const sessions = Array.from({ length: 130 }, (_, n) => ({
      ...session1,
      id: `session ${n}`,
      peerAddress: `10.0.${Math.floor(n / 100)}.${(n % 100) + 1}`,
    }));
    const router = await startRouter(generation, { interfaces, limits: { maxSessionsPerRequest: 48 } });
    const attached = await attach(router, { sessions });
    const { counters } = router.state();
    expect(counters).toMatchObject({ SLBfdv4SessionOp: 3 });
    const told = (await nth(attached, 'streamsSynchronized', 1)).sessions;
    expect(told.filter(({ level }) => level === 'Down')).toHaveLength(130);
  });

  test('a table whose last page is full is followed by an empty page', async () => {
    const sessions = Array.from({ length: 64 }, (_, n) => ({
      ...session1,
      id: `session ${n}`,
      peerAddress: `10.0.0.${n + 1}`,
    }));
    const router = await startRouter(generation, { interfaces: [interface1] });
    const attached = await attach(router, { sessions });
    const told = (await nth(attached, 'streamsSynchronized', 1)).sessions;
    expect(told.filter(({ level }) => level === 'Down')).toHaveLength(64);
    expect(router.received('SLBfdv4SessionGet')).toHaveLength(1 + 2);
  });

  test('events that arrive before the levels are told are part of them, and are not told early', async () => {
    const router = await startRouter(generation);
    router.hang(['SLBfdv4SessionGet']);
    const attached = start(slapiSettings(router.target));
    await eventually(() => expect(router.received('SLBfdv4SessionGet')).toHaveLength(1));
    router.inject('bfd', bfdNotification(session1, 'SL_BFD_SESSION_UP', 1_000_000));
    // The complaint about the second message shows that the first has arrived.
    router.injectBytes('bfd', '0863');
    await logged(attached, 'should not send');
    router.unhang();
    await nth(attached, 'streamsSynchronized', 1);
    // The counter of the reading is lower, but it was asked for after the event: the reading counts.
    expect(attached.events[0]).toMatchObject({ sessions: [{ level: 'Down' }, { level: 'Down' }] });
    expect(eventsOf(attached, 'bfdSessionChanged').filter(({ level }) => level === 'Up')).toEqual([]);
  });

  test('an event that the router sent after the reading was made counts', async () => {
    const router = await startRouter(generation);
    router.hang(['SLBfdv4SessionOp']);
    const attached = start(slapiSettings(router.target));
    await eventually(() => expect(router.received('SLBfdv4SessionOp')).toHaveLength(1));
    router.unhang();
    router.hang(['SLBfdv4SessionGet']);
    await eventually(() => expect(router.received('SLBfdv4SessionGet')).toHaveLength(2));
    router.inject('bfd', bfdNotification(session1, 'SL_BFD_SESSION_UP', 1_000_000));
    // The complaint about the second message shows that the first has arrived.
    router.injectBytes('bfd', '0863');
    await logged(attached, 'should not send');
    router.unhang();
    await nth(attached, 'streamsSynchronized', 1);
    expect(attached.events[0]).toMatchObject({
      sessions: [
        { level: 'Up', notification: { Session: { State: { SeqNum: '1000000' } } } },
        { level: 'Down' },
      ],
    });
  });
});
