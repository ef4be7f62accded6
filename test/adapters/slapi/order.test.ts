// A router that wants a service registered before its stream is opened, or the other way round; and one that objects
// to pings. What has been learnt outlives the connection.
import { eventually } from '../../support/eventually';
import {
  attach,
  cleanUp,
  eventsOf,
  generations,
  nth,
  session1,
  start,
  slapiSettings,
  startRouter,
} from './rig';

afterEach(cleanUp);

const ipv6 = { ...session1, id: 'fd00::1 on TenGigE0/0/0/1', peerAddress: 'fd00::1' };

describe.each(generations)('%s', (generation) => {
  test.each([
    ['refused with an error event', 'event'],
    ['refused with a gRPC status', 'status'],
  ] as const)(
    'streams %s until the client has registered: learnt, said once, kept',
    async (_, earlyStream) => {
      const router = await startRouter(generation, { streamOrder: 'registerFirst', earlyStream });
      const attached = await attach(router);
      const said = () => attached.records.filter(({ event }) => event === 'slapi-order');
      expect(said().find(({ service }) => service === 'bfd')?.reason).toMatch(
        /^the daemon registers for BFD first and opens the BFD streams then: the other order failed, .*SLBfdv4GetNotifStream.*not.registered/i,
      );
      expect(said()).toHaveLength(generation === 'gen1' ? 1 : 2);
      // Finding it out was no loss.
      expect(eventsOf(attached, 'streamsLost')).toEqual([]);
      const connections = router
        .state()
        .received.filter(({ method }) => method === 'SLGlobalInitNotif').length;
      router.cutStream('init', 'end');
      await nth(attached, 'streamsSynchronized', 2);
      const now = router.state().received.filter(({ method }) => method === 'SLGlobalInitNotif').length;
      expect(now).toBe(connections + 1);
      expect(said()).toHaveLength(generation === 'gen1' ? 1 : 2);
    },
  );

  test('registrations refused until the stream is open', async () => {
    const router = await startRouter(generation, { streamOrder: 'streamFirst' });
    const attached = await attach(router);
    const said = attached.records.filter(({ event }) => event === 'slapi-order');
    expect(said.map(({ service }) => service)).toEqual(generation === 'gen1' ? ['interfaces'] : []);
  });

  test('the IPv6 service wants it too', async () => {
    const router = await startRouter(generation, { streamOrder: 'registerFirst' });
    const attached = await attach(router, { sessions: [ipv6] });
    expect(attached.records.find(({ service }) => service === 'bfd')?.reason).toContain(
      'SL_RPC_BFD_V6_NOT_REGISTERED',
    );
  });

  test('a router that takes any order hears nothing of it', async () => {
    const attached = await attach(await startRouter(generation));
    expect(attached.records.filter(({ event }) => event === 'slapi-order')).toEqual([]);
  });
});

test('pings that the router objects to come less often, on the next connections too', async () => {
  const router = await startRouter('gen1', { minPingIntervalMs: 60_000, heartbeatMs: 60_000 });
  const attached = start(slapiSettings(router.target), { pingIntervalMs: 20 });
  const said = () => attached.records.filter(({ event }) => event === 'slapi-pings');
  await eventually(() => expect(said()).toHaveLength(1));
  expect(said()[0]?.reason).toMatch(
    /^the router ended the connection because of too many pings \(.*\): one every 330 s from now on, not every 0.02 s$/,
  );
  // Each of these connections would be punished within 80 ms of its start.
  for (let connections = 1; connections <= 3; connections += 1) {
    const before = eventsOf(attached, 'streamsSynchronized').length;
    await nth(attached, 'streamsSynchronized', before === 0 ? 1 : before);
    router.cutStream('init', 'end');
    await nth(attached, 'streamsSynchronized', before + 1);
  }
  expect(said()).toHaveLength(1);
});
