// How the router is reached: TLS with a name of its own, a login, a unix socket; asking; closing.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  attach,
  cleanUp,
  cleanUpLater,
  eventsOf,
  generations,
  interface1,
  interface2,
  nth,
  peer1,
  session1,
  slapiSettings,
  start,
  startRouter,
} from './rig';
import { eventually } from '../../support/eventually';

afterEach(cleanUp);

const pemPath = (name: string) => join(__dirname, '../../../lab/slapi-sim/tls', name);
const caFile = pemPath('test-only-cert.pem');
const serverTls = {
  keyPem: readFileSync(pemPath('test-only-key.pem'), 'utf8'),
  certPem: readFileSync(caFile, 'utf8'),
};

function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'slapi-'));
  cleanUpLater(() => rmSync(dir, { recursive: true }));
  return dir;
}

test('TLS with the name of the certificate in place of the address', async () => {
  const router = await startRouter('gen1', { tls: serverTls });
  await attach(router, { tls: { caFile, serverName: 'ems.cisco.com' } });
  expect(router.state().clients.init).toBe(1);
});

test('a certificate for another name is not accepted', async () => {
  const router = await startRouter('gen1', { tls: serverTls });
  const attached = start(slapiSettings(router.target, { tls: { caFile, serverName: 'other.example' } }));
  expect((await nth(attached, 'streamsLost', 1)).cause).toContain('UNAVAILABLE');
  expect(router.state().clients.init).toBe(0);
});

test('a certificate file that is missing is named, and read again', async () => {
  const router = await startRouter('gen1', { tls: serverTls });
  const path = join(temporaryDir(), 'ems.pem');
  const attached = start(
    slapiSettings(router.target, { tls: { caFile: path, serverName: 'ems.cisco.com' } }),
  );
  const lost = await nth(attached, 'streamsLost', 1);
  expect(lost.cause).toBe(`the router's certificate ${path} cannot be read (ENOENT)`);
  writeFileSync(path, serverTls.certPem);
  await nth(attached, 'streamsSynchronized', 1);
});

test('user name and password come from a file, which is read at every connect and never logged', async () => {
  const router = await startRouter('gen1');
  router.requireCredentials({ username: 'ha-user', password: 'right-horse' });
  const credentialsFile = join(temporaryDir(), 'login');
  const attached = start(slapiSettings(router.target, { credentialsFile, retryCount: 100 }));
  expect((await nth(attached, 'streamsLost', 1)).cause).toBe(
    `the credentials file ${credentialsFile} cannot be read (ENOENT)`,
  );
  const causes = () => attached.records.map(({ cause }) => String(cause)).join('\n');
  writeFileSync(credentialsFile, 'ha-user\n');
  await eventually(() => expect(causes()).toContain('needs two lines'));
  writeFileSync(credentialsFile, 'ha-user\nbad\u0001horse\n');
  await eventually(() => expect(causes()).toContain('cannot carry'));
  writeFileSync(credentialsFile, 'ha-user\nwrong-horse\n');
  await eventually(() => expect(causes()).toContain('UNAUTHENTICATED'));
  writeFileSync(credentialsFile, 'ha-user\r\nright-horse\r\n');
  await nth(attached, 'streamsSynchronized', 1);
  expect(JSON.stringify([attached.records, attached.events])).not.toMatch(/horse/);
});

test('a unix socket that is not there is said so', async () => {
  const socketPath = join(temporaryDir(), 'grpc.sock');
  const attached = start(slapiSettings(`unix:${socketPath}`));
  expect((await nth(attached, 'streamsLost', 1)).cause).toBe(
    `the router's gRPC server at unix:${socketPath} cannot be reached (ENOENT): ` +
      'is grpc configured there, with service-layer, and is grpc_server right?',
  );
});

test('a unix socket', async () => {
  const socketPath = join(temporaryDir(), 'grpc.sock');
  const router = await startRouter('gen2', { listen: { socketPath } });
  const attached = await attach(router);
  expect(router.target).toBe(`unix:${socketPath}`);
  expect(attached.events[0]).toMatchObject({ generation: 'gen2' });
});

describe('asking for interfaces', () => {
  test('answers what is true now, ahead of the events', async () => {
    const router = await startRouter('gen1');
    const attached = await attach(router);
    router.setEventFault('interface', { dropNext: 1 });
    router.setInterface(interface1, 'down');
    expect(await attached.slapi.askInterfaces([interface1, interface2], 1000)).toEqual([
      { interfaceName: interface1, level: 'Down' },
      { interfaceName: interface2, level: 'Up' },
    ]);
  });

  test('does not wait for session operations', async () => {
    const router = await startRouter('gen1', { initialStatus: 'UNKNOWN' });
    router.rejectSessionOps({ errno: 'SL_BFD_INTF_NOT_FOUND', times: 1 });
    const attached = await attach(router, { retryIntervalMs: 10 });
    router.hang(['SLBfdv4SessionOp']);
    router.rejectSessionOps({ errno: 'SL_BFD_INTF_NOT_FOUND', times: 1 });
    await eventually(() => expect(router.received('SLBfdv4SessionOp').length).toBeGreaterThan(1));
    expect(await attached.slapi.askInterfaces([interface1], 1000)).toHaveLength(1);
  });

  test('leaves out what the router does not know or answers with another interface', async () => {
    const router = await startRouter('gen1');
    const attached = await attach(router);
    expect(await attached.slapi.askInterfaces(['TenGigE0/0/0/9', interface2], 1000)).toEqual([
      { interfaceName: interface2, level: 'Up' },
    ]);
  });

  test('is empty when there is no answer in time, and where nothing is attached', async () => {
    const router = await startRouter('gen1');
    const attached = await attach(router);
    router.hang(['SLInterfaceGet']);
    expect(await attached.slapi.askInterfaces([interface1], 5)).toEqual([]);
    await attached.slapi.close('keep');
    expect(await attached.slapi.askInterfaces([interface1], 5)).toEqual([]);
  });
});

describe.each(generations)('closing, %s', (generation) => {
  test('keep leaves the sessions, ends the streams and says nothing more', async () => {
    const router = await startRouter(generation);
    const attached = await attach(router);
    await attached.slapi.close('keep');
    await eventually(() =>
      expect(router.state().clients).toEqual({ init: 0, bfd: false, bfdv6: false, interface: false }),
    );
    expect(router.state().sessions).toHaveLength(2);
    expect(eventsOf(attached, 'streamsLost')).toEqual([]);
  });

  test('unregister withdraws the sessions', async () => {
    const router = await startRouter(generation);
    const attached = await attach(router);
    await attached.slapi.close('unregister');
    expect(router.state().sessions).toEqual([]);
    expect(router.received('SLBfdv4RegOp').at(-1)?.request).toEqual({ Oper: 'SL_REGOP_UNREGISTER' });
  });

  test.each(['SLBfdv4RegOp', 'SLBfdv4SessionGet', 'SLBfdv4SessionOp'])(
    'unregister during synchronization, at %s, withdraws what was programmed and sends nothing after it',
    async (method) => {
      const router = await startRouter(generation);
      router.hang([method]);
      const attached = start(slapiSettings(router.target));
      await eventually(() => expect(router.received(method)).toHaveLength(1));
      const closed = attached.slapi.close('unregister');
      router.unhang();
      await closed;
      const bfd = router.received().filter(({ method: called }) => called.startsWith('SLBfdv4'));
      expect(bfd.at(-1)?.request).toEqual({ Oper: 'SL_REGOP_UNREGISTER' });
      expect(router.state().sessions).toEqual([]);
      expect(router.state().registered.bfd).toBe(false);
      expect(attached.events).toEqual([]);
    },
  );

  test('a router that does not answer does not hold the end', async () => {
    const router = await startRouter(generation);
    const attached = await attach(router, { sessions: [session1] });
    router.hang();
    const winner = await Promise.race([
      attached.slapi.close('unregister').then(() => 'closed'),
      delay(2000, 'too late', { ref: false }),
    ]);
    expect(winner).toBe('closed');
  });

  test('while nothing is attached, nothing is attached after it', async () => {
    const router = await startRouter(generation);
    const { target } = router;
    router.stopGrpc();
    const attached = start(slapiSettings(target, { retryIntervalMs: 20 }));
    await nth(attached, 'streamsLost', 1);
    await attached.slapi.close('unregister');
    await router.startGrpc();
    const other = await attach(router, { sessions: [session1] });
    router.forceBfd({ neighbor: peer1 }, 'UP');
    await nth(other, 'bfdSessionChanged', 1);
    expect(router.received('SLGlobalInitNotif')).toHaveLength(1);
    expect(eventsOf(attached, 'streamsSynchronized')).toEqual([]);
  });
});
