// Reading the levels on request: what is found is in the answer and nowhere else, what the streams say is told as ever.
import {
  attach,
  bfdNotification,
  cleanUp,
  cleanUpLater,
  eventsOf,
  generations,
  interface1,
  interface2,
  nth,
  peer1,
  peer2,
  session,
  session1,
  session2,
  slapiSettings,
  start,
  startRouter,
  type Attached,
} from './rig';
import { RawClient } from '../../lab/slapiClient';
import { eventually } from '../../support/eventually';
import type { SimRouter } from '../../../lab/slapi-sim/router';

afterEach(cleanUp);

const nothing = { sessions: [], interfaces: [] };
const told = ({ events }: Attached) => events.map(({ type }) => type);
const bothUp = [
  { interfaceName: interface1, level: 'Up' },
  { interfaceName: interface2, level: 'Up' },
];
const readings = (router: SimRouter) => router.received('SLBfdv4SessionGet').length;
const readingsAre = (router: SimRouter, count: number) =>
  eventually(() => expect(readings(router)).toBe(count));

/** The router has another level than the stream has said: the event was lost. */
function changeUnheard(router: SimRouter, neighbor: string, status: 'UP' | 'DOWN'): void {
  router.setEventFault('bfd', { dropNext: 1 });
  router.forceBfd({ neighbor }, status);
}

/** Attached, session 1 went UP and DOWN, and the test starts counting: lower event numbers are old. */
async function attachWithPast(router: SimRouter, last: 'UP' | 'DOWN' = 'DOWN'): Promise<Attached> {
  const attached = await attach(router);
  for (const status of last === 'UP' ? (['UP', 'DOWN', 'UP'] as const) : (['UP', 'DOWN'] as const))
    router.forceBfd({ neighbor: peer1 }, status);
  await nth(attached, 'bfdSessionChanged', last === 'UP' ? 3 : 2);
  attached.events.length = 0;
  router.clearReceived();
  return attached;
}

describe.each(generations)('%s', (generation) => {
  test('everything as known: answered, and no event', async () => {
    const router = await startRouter(generation);
    const attached = await attach(router);
    router.clearReceived();
    expect(await attached.slapi.readLevels()).toEqual({
      sessions: [
        { session: session1.id, level: 'Down' },
        { session: session2.id, level: 'Down' },
      ],
      interfaces: bothUp,
    });
    expect(readings(router)).toBe(1);
    expect(router.received('SLInterfaceGet')).toHaveLength(generation === 'gen1' ? 2 : 0);
    expect(told(attached)).toEqual(['streamsSynchronized']);
  });

  test('a change that the stream has not told is in the answer, and told nowhere else', async () => {
    const router = await startRouter(generation);
    const attached = await attach(router);
    changeUnheard(router, peer1, 'UP');
    expect((await attached.slapi.readLevels()).sessions).toEqual([
      { session: session1.id, level: 'Up' },
      { session: session2.id, level: 'Down' },
    ]);
    router.forceBfd({ neighbor: peer2 }, 'UP');
    await nth(attached, 'bfdSessionChanged', 1);
    expect(eventsOf(attached, 'bfdSessionChanged').map((event) => event.session)).toEqual([session2.id]);
  });

  test('what is found is known from then on: the answer says it once, the next one again', async () => {
    const router = await startRouter(generation);
    const attached = await attach(router);
    changeUnheard(router, peer1, 'UP');
    const first = await attached.slapi.readLevels();
    expect(await attached.slapi.readLevels()).toEqual(first);
    expect(told(attached)).toEqual(['streamsSynchronized']);
    router.forceBfd({ neighbor: peer1 }, 'DOWN');
    expect(await nth(attached, 'bfdSessionChanged', 1)).toMatchObject({ level: 'Down' });
  });

  test('an event that comes while the router is asked is told at once, and the answer holds the newest', async () => {
    const router = await startRouter(generation);
    const attached = await attachWithPast(router, 'UP');
    router.hang(['SLBfdv4SessionGet']);
    const answer = attached.slapi.readLevels();
    await readingsAre(router, 1);
    router.inject('bfd', bfdNotification(session1, 'SL_BFD_SESSION_DOWN', 5000));
    await nth(attached, 'bfdSessionChanged', 1);
    router.unhang();
    // The router itself says UP, with a number from before the event.
    expect((await answer).sessions[0]).toEqual({ session: session1.id, level: 'Down' });
    expect(eventsOf(attached, 'bfdSessionChanged')).toMatchObject([{ session: session1.id, level: 'Down' }]);
  });

  test('a reading on another account leaves what it finds to the answer that is awaited', async () => {
    const router = await startRouter(generation);
    const attached = await attachWithPast(router);
    router.hang(['SLBfdv4SessionGet']);
    // An old event: the levels are in doubt.
    router.inject('bfd', bfdNotification(session1, 'SL_BFD_SESSION_UP', 1));
    await readingsAre(router, 1);
    const answer = attached.slapi.readLevels();
    changeUnheard(router, peer1, 'UP');
    router.unhang();
    expect((await answer).sessions[0]).toEqual({ session: session1.id, level: 'Up' });
    // The reading that was under way may have been older than the question.
    expect(readings(router)).toBe(2);
    expect(told(attached)).toEqual([]);
  });

  test('without anybody waiting, what such a reading finds is an event', async () => {
    const router = await startRouter(generation);
    const attached = await attachWithPast(router);
    changeUnheard(router, peer1, 'UP');
    router.inject('bfd', bfdNotification(session1, 'SL_BFD_SESSION_DOWN', 1));
    expect(await nth(attached, 'bfdSessionChanged', 1)).toMatchObject({ session: session1.id, level: 'Up' });
    await attached.slapi.readLevels();
    expect(eventsOf(attached, 'bfdSessionChanged')).toHaveLength(1);
  });

  test('who asks during a reading gets the next one, all of them the same', async () => {
    const router = await startRouter(generation);
    const attached = await attach(router);
    router.clearReceived();
    router.hang(['SLBfdv4SessionGet']);
    const first = attached.slapi.readLevels();
    await readingsAre(router, 1);
    const later = [attached.slapi.readLevels(), attached.slapi.readLevels(), attached.slapi.readLevels()];
    changeUnheard(router, peer1, 'UP');
    router.unhang();
    const answers = await Promise.all([first, ...later]);
    expect(answers.slice(1).map(({ sessions }) => sessions[0]?.level)).toEqual(['Up', 'Up', 'Up']);
    expect(readings(router)).toBe(2);
  });

  test('a refused session is left out, one that the router has lost is Unknown', async () => {
    const router = await startRouter(generation);
    const missing = session('TenGigE0/0/0/9', '10.9.9.9');
    const attached = await attach(router, {
      sessions: [session1, missing, session2],
      retryIntervalMs: 60_000,
    });
    const other = new RawClient(router.target, generation);
    cleanUpLater(() => other.close());
    const NbrAddr = session2.peerAddress.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
    const Key = {
      Type: 'SL_BFD_SINGLE_HOP',
      VrfName: 'default',
      NbrAddr,
      Interface: { Name: session2.interfaceName },
    };
    await other.call('SLBfdv4SessionOp', { Oper: 'SL_OBJOP_DELETE', Sessions: [{ Key }] });
    expect(await attached.slapi.readLevels()).toEqual({
      sessions: [
        { session: session1.id, level: 'Down' },
        { session: session2.id, level: 'Unknown' },
      ],
      interfaces: [
        { interfaceName: interface1, level: 'Up' },
        { interfaceName: missing.interfaceName, level: 'Unknown' },
        { interfaceName: interface2, level: 'Up' },
      ],
    });
  });

  test('nothing while it attaches: what it finds then is told by the synchronization', async () => {
    const router = await startRouter(generation);
    router.hang(['SLBfdv4RegOp']);
    const attached = start(slapiSettings(router.target));
    await eventually(() => expect(router.received('SLBfdv4RegOp')).toHaveLength(1));
    expect(await attached.slapi.readLevels()).toEqual(nothing);
    router.unhang();
    await nth(attached, 'streamsSynchronized', 1);
    expect(told(attached)).toEqual(['streamsSynchronized']);
  });

  test('a router that does not answer is a loss, and the answer is empty', async () => {
    const router = await startRouter(generation);
    const attached = await attach(router, {}, { operationTimeoutMs: 300 });
    router.hang(['SLBfdv4SessionGet']);
    const answers = [attached.slapi.readLevels(), attached.slapi.readLevels()];
    expect(await Promise.all(answers)).toEqual([nothing, nothing]);
    expect((await nth(attached, 'streamsLost', 1)).cause).toContain('SLBfdv4SessionGet got no answer');
    changeUnheard(router, peer1, 'UP');
    router.unhang();
    expect(await nth(attached, 'streamsSynchronized', 2)).toMatchObject({ sessions: [{ level: 'Up' }, {}] });
    expect((await attached.slapi.readLevels()).sessions[0]?.level).toBe('Up');
  });

  test('streams that are lost while the router is asked: empty, and back with everything', async () => {
    const router = await startRouter(generation);
    const attached = await attach(router);
    router.clearReceived();
    router.hang(['SLBfdv4SessionGet']);
    const answer = attached.slapi.readLevels();
    await readingsAre(router, 1);
    router.cutStream('bfd');
    expect(await answer).toEqual(nothing);
    router.unhang();
    await nth(attached, 'streamsSynchronized', 2);
  });

  test.each(['keep', 'unregister'] as const)('closed (%s) while the router is asked: empty', async (mode) => {
    const router = await startRouter(generation);
    const attached = await attach(router);
    router.clearReceived();
    router.hang(['SLBfdv4SessionGet']);
    const answer = attached.slapi.readLevels();
    await readingsAre(router, 1);
    const closed = attached.slapi.close(mode);
    router.unhang();
    expect(await answer).toEqual(nothing);
    await closed;
    expect(await attached.slapi.readLevels()).toEqual(nothing);
    expect(told(attached)).toEqual(['streamsSynchronized']);
  });
});

test('no router: empty', async () => {
  const attached = start(slapiSettings('127.0.0.1:1'));
  expect(await attached.slapi.readLevels()).toEqual(nothing);
});

test('gen1: the state of an interface is asked for, and its change told in the answer only', async () => {
  const router = await startRouter('gen1');
  const attached = await attach(router);
  router.setEventFault('interface', { dropNext: 1 });
  router.setInterface(interface1, 'down');
  expect((await attached.slapi.readLevels()).interfaces).toEqual([
    { interfaceName: interface1, level: 'Down' },
    { interfaceName: interface2, level: 'Up' },
  ]);
  expect(eventsOf(attached, 'interfaceChanged')).toEqual([]);
  router.setInterface(interface1, 'up');
  expect(await nth(attached, 'interfaceChanged', 1)).toMatchObject({
    interfaceName: interface1,
    level: 'Up',
  });
});

test('gen2: nothing can be asked, so the answer says what the stream said last', async () => {
  const router = await startRouter('gen2');
  const attached = await attach(router);
  router.setInterface(interface2, 'down');
  await nth(attached, 'interfaceChanged', 1);
  router.setEventFault('interface', { dropNext: 1 });
  router.setInterface(interface1, 'down');
  expect((await attached.slapi.readLevels()).interfaces).toEqual([
    { interfaceName: interface1, level: 'Up' },
    { interfaceName: interface2, level: 'Down' },
  ]);
});

describe('gen1, between the reading of the sessions and the answer', () => {
  /** The sessions have been read, session 1 was found UP; the interfaces are being asked for. */
  async function halfRead() {
    const router = await startRouter('gen1');
    const attached = await attach(router);
    changeUnheard(router, peer1, 'UP');
    router.clearReceived();
    router.hang(['SLInterfaceGet']);
    const answer = attached.slapi.readLevels();
    await eventually(() => expect(router.received('SLInterfaceGet')).toHaveLength(1));
    const state = router.state().sessions.find(({ neighbor }) => neighbor === peer1);
    return { router, attached, answer, seqNum: Number(state?.seqNum) };
  }

  test('the event of the same change comes late: it is not told beside the answer', async () => {
    const { router, attached, answer, seqNum } = await halfRead();
    router.inject('bfd', bfdNotification(session1, 'SL_BFD_SESSION_UP', seqNum));
    router.inject('bfd', bfdNotification(session2, 'SL_BFD_SESSION_UP', seqNum + 1));
    await nth(attached, 'bfdSessionChanged', 1);
    router.unhang();
    expect((await answer).sessions.map(({ level }) => level)).toEqual(['Up', 'Up']);
    expect(eventsOf(attached, 'bfdSessionChanged').map((event) => event.session)).toEqual([session2.id]);
  });

  test('the opposite event is told, and the answer agrees with it', async () => {
    const { router, attached, answer, seqNum } = await halfRead();
    router.inject('bfd', bfdNotification(session1, 'SL_BFD_SESSION_DOWN', seqNum + 1));
    expect(await nth(attached, 'bfdSessionChanged', 1)).toMatchObject({ level: 'Down' });
    router.unhang();
    expect((await answer).sessions[0]).toEqual({ session: session1.id, level: 'Down' });
  });
});

test('an old event during the attachment has the levels read again as soon as it stands', async () => {
  const router = await startRouter('gen1');
  const attached = await attachWithPast(router, 'UP');
  router.hang(['SLInterfaceGet']);
  await router.restartGrpc({ keepState: true });
  // The sessions have been read for the second time, and nothing is told yet.
  await eventually(() => expect(router.received('SLInterfaceGet')).toHaveLength(1));
  expect(readings(router)).toBe(2);
  router.inject('bfd', bfdNotification(session1, 'SL_BFD_SESSION_DOWN', 1));
  router.unhang();
  await nth(attached, 'streamsSynchronized', 1);
  await readingsAre(router, 3);
});
