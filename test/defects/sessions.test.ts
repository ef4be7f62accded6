/** One neighbour, several sessions: a session is its VRF, neighbour and interface, never the address alone. */
import { bfdNotice, keyOf } from '../../src/slapi/bfdMessages';
import {
  attach,
  cleanUp,
  eventsOf,
  generations,
  interface1,
  interface2,
  nth,
  peer1,
  session,
  startRouter,
} from '../adapters/slapi/rig';

afterEach(cleanUp);

describe.each(generations)('%s', (generation) => {
  test('two sessions to one neighbour over two interfaces are told apart', async () => {
    const sessions = [session(interface1, peer1), session(interface2, peer1)];
    const router = await startRouter(generation, { initialStatus: 'UNKNOWN' });
    const attached = await attach(router, { sessions });
    router.forceBfd({ neighbor: peer1, interface: interface1 }, 'UP');
    router.forceBfd({ neighbor: peer1, interface: interface2 }, 'UP');
    router.forceBfd({ neighbor: peer1, interface: interface2 }, 'DOWN');
    await nth(attached, 'bfdSessionChanged', 3);
    expect(eventsOf(attached, 'bfdSessionChanged').map(({ session, level }) => [session, level])).toEqual([
      [`${peer1} on ${interface1}`, 'Up'],
      [`${peer1} on ${interface2}`, 'Up'],
      [`${peer1} on ${interface2}`, 'Down'],
    ]);
  });
});

test('a session of the same neighbour in another VRF is another one', () => {
  const blue = { ...session(interface1, peer1), vrfName: 'blue' };
  const Key = {
    Type: 'SL_BFD_SINGLE_HOP',
    VrfName: 'blue',
    NbrAddr: 2887738865,
    Interface: { Name: interface1 },
  };
  const notice = bfdNotice({
    EventType: 'SL_BFD_EVENT_TYPE_SESSION_STATE',
    Session: { Key, State: { Status: 'SL_BFD_SESSION_DOWN' } },
  });
  expect(notice).toMatchObject({ kind: 'session', key: keyOf(blue), known: { level: 'Down' } });
  expect(keyOf(blue)).not.toBe(keyOf(session(interface1, peer1)));
});
