// What comes on the notification streams, and how it is told.
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
  startRouter,
} from './rig';
import { eventually } from '../../support/eventually';

afterEach(cleanUp);

describe.each(generations)('%s', (generation) => {
  test('UP, DOWN and NEIGHBOR_UNCONFIG of a session', async () => {
    const router = await startRouter(generation, { initialStatus: 'UNKNOWN' });
    const attached = await attach(router);
    router.forceBfd({ neighbor: peer1 }, 'UP');
    router.forceBfd({ neighbor: peer1 }, 'DOWN', 'DETECT_EXPIRED');
    router.forceBfd({ neighbor: peer1 }, 'NEIGHBOR_UNCONFIG');
    router.forceBfd({ neighbor: peer2 }, 'UP');
    await nth(attached, 'bfdSessionChanged', 4);
    // XRv9000 7.3.x leaves the diagnostic empty.
    const diag = generation === 'gen1' ? 'NoDiagnostic' : 'ControlDetectionTimeExpired';
    expect(eventsOf(attached, 'bfdSessionChanged')).toMatchObject([
      { session: session1.id, level: 'Up', diag: 'NoDiagnostic' },
      { session: session1.id, level: 'Down', diag },
      { session: session1.id, level: 'Unconfigured' },
      { session: session2.id, level: 'Up' },
    ]);
  });

  test('a session event carries the notification as proto3 JSON', async () => {
    const router = await startRouter(generation);
    const attached = await attach(router);
    router.inject('bfd', bfdNotification(session2, 'SL_BFD_SESSION_UP', 45));
    const told = await nth(attached, 'bfdSessionChanged', 1);
    expect(JSON.stringify(told.notification)).toBe(
      '{"EventType":"SL_BFD_EVENT_TYPE_SESSION_STATE","Session":{"Key":{"Type":"SL_BFD_SINGLE_HOP",' +
        '"NbrAddr":2887739802,"Interface":{"Name":"TenGigE0/0/0/2"}},' +
        '"State":{"SeqNum":"45","Status":"SL_BFD_SESSION_UP"}}}',
    );
  });

  test('an interface that goes and comes back', async () => {
    const router = await startRouter(generation);
    const attached = await attach(router);
    router.setInterface(interface1, 'down');
    router.setInterface(interface1, 'up');
    await nth(attached, 'interfaceChanged', 2);
    expect(eventsOf(attached, 'interfaceChanged')).toMatchObject([
      { interfaceName: interface1, level: 'Down', notification: { Info: { IfState: 'SL_IF_STATE_DOWN' } } },
      { interfaceName: interface1, level: 'Up', notification: { Info: { IfState: 'SL_IF_STATE_UP' } } },
    ]);
  });

  test('an event is told once although it comes twice', async () => {
    const router = await startRouter(generation, { initialStatus: 'UNKNOWN' });
    const attached = await attach(router);
    router.setEventFault('bfd', { copies: 2 });
    router.forceBfd({ neighbor: peer1 }, 'UP');
    router.forceBfd({ neighbor: peer1 }, 'DOWN');
    await nth(attached, 'bfdSessionChanged', 2);
    router.forceBfd({ neighbor: peer2 }, 'UP');
    await nth(attached, 'bfdSessionChanged', 3);
    expect(eventsOf(attached, 'bfdSessionChanged').map(({ level }) => level)).toEqual(['Up', 'Down', 'Up']);
  });

  test('an old event that comes late is not told', async () => {
    const router = await startRouter(generation, { initialStatus: 'UNKNOWN' });
    const attached = await attach(router);
    router.forceBfd({ neighbor: peer1 }, 'DOWN');
    router.forceBfd({ neighbor: peer1 }, 'UP');
    await nth(attached, 'bfdSessionChanged', 2);
    router.inject('bfd', bfdNotification(session1, 'SL_BFD_SESSION_DOWN', 1));
    // It makes the daemon ask, and the answer agrees with what was known.
    await eventually(() => expect(router.received('SLBfdv4SessionGet')).toHaveLength(3));
    router.forceBfd({ neighbor: peer2 }, 'UP');
    await nth(attached, 'bfdSessionChanged', 3);
    expect(eventsOf(attached, 'bfdSessionChanged').map(({ level }) => level)).toEqual(['Down', 'Up', 'Up']);
  });

  test('events count although the counter of the router has restarted', async () => {
    const router = await startRouter(generation, { initialStatus: 'UNKNOWN' });
    const attached = await attach(router);
    router.inject('bfd', bfdNotification(session1, 'SL_BFD_SESSION_UP', 5000));
    await nth(attached, 'bfdSessionChanged', 1);
    router.forceBfd({ neighbor: peer1 }, 'DOWN');
    const told = await nth(attached, 'bfdSessionChanged', 2);
    expect(told).toMatchObject({ session: session1.id, level: 'Down', notification: { Session: {} } });
    router.forceBfd({ neighbor: peer1 }, 'UP');
    expect(await nth(attached, 'bfdSessionChanged', 3)).toMatchObject({ level: 'Up' });
  });

  test.each([
    ['bytes that do not decode', '0801ff', 'does not decode'],
    ['a truncated message', '08021a220a1a0801', 'does not decode'],
    ['an empty message', '', 'unknown type'],
    ['an event of an unknown type', '0863', 'unknown type'],
    ['a session event without a session', '0802', 'without a session'],
    ['a session without a key', '08021a0412021001', 'without a usable key'],
    [
      'a session without a state',
      '08021a1c0a1a080118f1cbfde00a22100a0e54656e47696745302f302f302f31',
      'without a state',
    ],
    [
      'another session',
      '08021a220a1a080118f1cbfde00a22100a0e54656e47696745302f302f302f3912040835100' + '2',
      'not configured',
    ],
  ])('%s is reported once, with what came, and is never DOWN', async (_, hex, what) => {
    const router = await startRouter(generation, { initialStatus: 'UNKNOWN' });
    const attached = await attach(router);
    router.injectBytes('bfd', hex);
    router.injectBytes('bfd', hex);
    router.forceBfd({ neighbor: peer1 }, 'UP');
    await nth(attached, 'bfdSessionChanged', 1);
    expect(attached.events.map(({ type }) => type)).toEqual(['streamsSynchronized', 'bfdSessionChanged']);
    const complaints = attached.records.filter(({ msg }) => String(msg).includes('should not send'));
    expect(complaints).toHaveLength(1);
    expect(complaints[0]?.['what']).toContain(what);
    expect(String(complaints[0]?.['raw']).length).toBeGreaterThan(0);
  });

  test('a session in a state with an unknown number is Unknown', async () => {
    const router = await startRouter(generation, { initialStatus: 'UNKNOWN' });
    const attached = await attach(router);
    router.inject('bfd', bfdNotification(session1, 9, 100));
    expect(await nth(attached, 'bfdSessionChanged', 1)).toMatchObject({
      session: session1.id,
      level: 'Unknown',
      notification: { Session: { State: { Status: 9 } } },
    });
    expect(await logged(attached, 'should not send')).toMatchObject({
      what: 'a BFD session in an unknown state, read as UNKNOWN',
    });
  });

  test('an absurdly long name is reported in a few hundred characters', async () => {
    const router = await startRouter(generation);
    const attached = await attach(router);
    const far = { ...session1, interfaceName: 'x'.repeat(100_000) };
    router.inject('bfd', bfdNotification(far, 'SL_BFD_SESSION_DOWN', 100));
    const record = await logged(attached, 'should not send');
    expect(String(record['raw']).length).toBeLessThan(400);
  });
});

describe('gen2', () => {
  const info = (IfState: number, extra: object = {}) => ({
    Info: { SLIfInfo: { Name: interface2 }, IfState, Timestamp: 1_700_000_000_000_000, ...extra },
  });

  test('CREATED is not known, DELETED is down, bandwidth and layer 2 say nothing, unknown is Unknown', async () => {
    const router = await startRouter('gen2');
    const attached = await attach(router);
    for (const state of [1, 4, 5, 6, 7, 77, 3]) router.inject('interface', info(state));
    await nth(attached, 'interfaceChanged', 4);
    expect(eventsOf(attached, 'interfaceChanged').map(({ level }) => level)).toEqual([
      'Unknown',
      'Down',
      'Unknown',
      'Up',
    ]);
  });

  test('levels are Unknown until the stream has said something', async () => {
    const router = await startRouter('gen2', { sendStateOnEnable: false });
    const attached = await attach(router);
    expect(attached.events[0]).toMatchObject({ interfaces: [{ level: 'Unknown' }, { level: 'Unknown' }] });
    router.setInterface(interface1, 'down');
    expect(await nth(attached, 'interfaceChanged', 1)).toMatchObject({ level: 'Down' });
  });

  test.each([
    ['says it again at each subscription: it can be asked', true, true],
    ['says it at the first subscription only: it cannot', 'first', false],
    ['never says it: it cannot', false, false],
  ] as const)(
    'the present state of an interface: a router that %s',
    async (_, sendStateOnEnable, answers) => {
      const router = await startRouter('gen2', { sendStateOnEnable });
      const attached = await attach(router);
      expect(attached.events[0]).toMatchObject({ answersAboutInterfaces: answers });
      router.setInterface(interface2, 'down');
      await nth(attached, 'interfaceChanged', 1);
      expect(await attached.slapi.askInterfaces([interface1, interface2], answers ? 1_000 : 5)).toEqual(
        answers
          ? [
              { interfaceName: interface1, level: 'Up' },
              { interfaceName: interface2, level: 'Down' },
            ]
          : [],
      );
    },
  );

  test('a state filter that is not supported is made smaller', async () => {
    const router = await startRouter('gen2');
    const attached = await attach(router);
    router.clearReceived();
    router.inject('interface', {
      Error: { Details: [{ OperationId: 2, ErrStatus: { Status: 0xe008 }, Key: { Name: interface2 } }] },
    });
    await eventually(() => expect(router.received('SLInterfaceNotifStream')).toHaveLength(1));
    expect(router.received('SLInterfaceNotifStream')[0]?.request).toMatchObject({
      Entries: [{ Interface: { Name: interface2 }, States: ['SL_IF_STATE_DOWN', 'SL_IF_STATE_UP'] }],
    });
    expect(eventsOf(attached, 'streamsLost')).toEqual([]);
  });
});

describe('gen1', () => {
  test('the numbers are those of the first generation', async () => {
    const router = await startRouter('gen1');
    const attached = await attach(router);
    const numbered = (IfState: number, SeqNum: number) => ({
      EventType: 2,
      Info: { SLIfInfo: { Name: interface2 }, IfState, SeqNum },
    });
    router.inject('interface', numbered(1, 101));
    router.inject('interface', numbered(2, 102));
    router.inject('interface', numbered(3, 103));
    await nth(attached, 'interfaceChanged', 3);
    expect(eventsOf(attached, 'interfaceChanged').map(({ level }) => level)).toEqual([
      'Down',
      'Up',
      'Unknown',
    ]);
  });
});
