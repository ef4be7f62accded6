// The simulator's front door: handshake, heartbeats, who is connected, credentials, TLS, sockets.
import { credentials, status as grpcStatus } from '@grpc/grpc-js';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lab, RawClient, registered, until } from './slapiClient';

const { router, client } = lab();
const generations = ['gen1', 'gen2'] as const;

describe.each(generations)('%s', (generation) => {
  test('the handshake tells the version, then whether state was kept', async () => {
    const sim = await router({ generation });
    const one = client(sim);
    const first = one.open('SLGlobalInitNotif', { MinorVer: 3 });
    await until('VERSION', () => first.messages.length === 1);
    const version = { MinorVer: generation === 'gen1' ? 6 : 11 };
    expect(first.messages[0]).toMatchObject({
      EventType: 'SL_GLOBAL_EVENT_TYPE_VERSION',
      ErrStatus: { Status: 'SL_INIT_STATE_CLEAR' },
      InitRspMsg: version,
    });
    first.cancel();
    await until('the end of the first', () => sim.state().clients.init === 0);
    const second = one.open('SLGlobalInitNotif');
    await until('VERSION', () => second.messages.length === 1);
    expect(second.messages[0]).toMatchObject({ ErrStatus: { Status: 'SL_INIT_STATE_READY' } });
    expect(sim.received('SLGlobalInitNotif').map((each) => each.request)).toEqual([
      { MajorVer: 0, MinorVer: 3, SubVer: 0 },
      { MajorVer: 0, MinorVer: 0, SubVer: 0 },
    ]);
  });

  test('heartbeats follow at the interval that was set', async () => {
    const sim = await router({ generation, heartbeatMs: 5 });
    const init = client(sim).open('SLGlobalInitNotif');
    await until('two heartbeats', () => init.messages.length >= 3);
    expect(init.messages[2]).toEqual({ EventType: 'SL_GLOBAL_EVENT_TYPE_HEARTBEAT', ErrStatus: {} });
  });

  test('a handshake is refused on demand, and the stream ends', async () => {
    const sim = await router({ generation });
    sim.refuseInit('SL_INIT_UNSUPPORTED_VER');
    const refused = client(sim).open('SLGlobalInitNotif');
    await until('the end', () => refused.status() !== null);
    expect(refused.messages).toMatchObject([
      { EventType: 'SL_GLOBAL_EVENT_TYPE_VERSION', ErrStatus: { Status: 'SL_INIT_UNSUPPORTED_VER' } },
    ]);
    sim.refuseInit(null);
    const accepted = client(sim).open('SLGlobalInitNotif');
    await until('VERSION', () => accepted.messages.length === 1);
    expect(accepted.messages).toMatchObject([{ ErrStatus: { Status: 'SL_INIT_STATE_CLEAR' } }]);
  });

  test('credentials are required on every RPC once asked for', async () => {
    const sim = await router({ generation });
    sim.requireCredentials({ username: 'ha', password: 'secret' });
    const anonymous = client(sim);
    const wrong = client(sim, { metadata: { username: 'ha', password: 'guess' } });
    const right = client(sim, { metadata: { username: 'ha', password: 'secret' } });
    for (const one of [anonymous, wrong]) {
      await expect(one.call('SLBfdv4Get')).rejects.toMatchObject({ code: grpcStatus.UNAUTHENTICATED });
      const init = one.open('SLGlobalInitNotif');
      await until('the refusal', () => init.status() !== null);
      expect(init.status()?.code).toBe(grpcStatus.UNAUTHENTICATED);
    }
    await registered(right);
    expect(await right.call('SLBfdv4Get')).toMatchObject({ MaxBfdSessionCfgPerSLBfdMsg: 64 });
  });

  test('the limits of the service are reported', async () => {
    const sim = await router({ generation });
    const one = client(sim);
    await registered(one);
    expect(await one.call('SLGlobalsGet')).toMatchObject({
      MaxVrfNameLength: 33,
      MaxInterfaceNameLength: 64,
    });
  });
});

describe('without a live init stream', () => {
  const unary = [
    ['SLBfdv4RegOp', 'ErrStatus'],
    ['SLBfdv4Get', 'ErrStatus'],
    ['SLBfdv4GetStats', 'ErrStatus'],
    ['SLBfdv4SessionOp', 'StatusSummary'],
    ['SLBfdv4SessionGet', 'ErrStatus'],
    ['SLGlobalsGet', 'ErrStatus'],
    ['SLInterfaceGlobalsRegOp', 'ErrStatus'],
    ['SLInterfaceGlobalsGet', 'ErrStatus'],
    ['SLInterfaceNotifOp', 'StatusSummary'],
    ['SLInterfaceGet', 'ErrStatus'],
  ] as const;

  test.each(unary)('gen1 answers %s with SL_NOT_CONNECTED in %s', async (method, field) => {
    const sim = await router();
    expect(await client(sim).call(method)).toMatchObject({ [field]: { Status: 'SL_NOT_CONNECTED' } });
  });

  test.each(['SLBfdv4GetNotifStream', 'SLInterfaceGetNotifStream'])(
    'gen1 ends %s with an error',
    async (name) => {
      const sim = await router();
      const stream = client(sim).open(name);
      await until('the end', () => stream.status() !== null);
      expect(stream.messages).toMatchObject([{ ErrStatus: { Status: 'SL_NOT_CONNECTED' } }]);
    },
  );

  test('gen1 forgets the registration when the init stream ends, and keeps the rule', async () => {
    const sim = await router();
    const one = client(sim);
    const { init } = await registered(one);
    init.cancel();
    await until('the end', () => sim.state().clients.init === 0);
    expect(await one.call('SLBfdv4Get')).toMatchObject({ ErrStatus: { Status: 'SL_NOT_CONNECTED' } });
    expect(sim.state().registered.bfd).toBe(false);
  });

  test('gen2 works all the same', async () => {
    const sim = await router({ generation: 'gen2' });
    const reply = await client(sim).call('SLBfdv4RegOp', { Oper: 'SL_REGOP_REGISTER' });
    expect(reply).toEqual({ ErrStatus: {} });
  });
});

test('a second client takes the global session of gen1 over', async () => {
  const sim = await router();
  const { init } = await registered(client(sim));
  const other = client(sim).open('SLGlobalInitNotif');
  await until('the takeover', () => init.status() !== null && other.messages.length > 0);
  expect(init.messages.at(-1)).toMatchObject({
    EventType: 'SL_GLOBAL_EVENT_TYPE_ERROR',
    ErrStatus: { Status: 'SL_NOTIF_TERM' },
  });
  expect(other.status()).toBeNull();
  expect(sim.state().clients.init).toBe(1);
});

test('gen2 has a global stream for each client', async () => {
  const sim = await router({ generation: 'gen2' });
  const one = client(sim).open('SLGlobalInitNotif');
  const other = client(sim).open('SLGlobalInitNotif');
  await until('both', () => one.messages.length === 1 && other.messages.length === 1);
  expect(sim.state().clients.init).toBe(2);
});

test('RPCs of the other interface generation are UNIMPLEMENTED', async () => {
  const older = await router({ generation: 'gen1' });
  const newer = await router({ generation: 'gen2' });
  const speaksGen2 = new RawClient(older.target, 'gen2');
  const speaksGen1 = new RawClient(newer.target, 'gen1');
  try {
    const stream = speaksGen2.open('SLInterfaceNotifStream');
    await until('the refusal', () => stream.status() !== null);
    expect(stream.status()?.code).toBe(grpcStatus.UNIMPLEMENTED);
    await expect(speaksGen1.call('SLInterfaceGlobalsGet')).rejects.toMatchObject({
      code: grpcStatus.UNIMPLEMENTED,
    });
  } finally {
    speaksGen2.close();
    speaksGen1.close();
  }
});

describe('TLS', () => {
  const pem = (name: string) =>
    readFileSync(join(__dirname, '..', '..', 'lab', 'slapi-sim', 'tls', name), 'utf8');
  const tls = { keyPem: pem('test-only-key.pem'), certPem: pem('test-only-cert.pem') };
  const trusting = credentials.createSsl(Buffer.from(tls.certPem));

  test('the certificate is for ems.cisco.com, as on a router', async () => {
    const sim = await router({ tls });
    const named = client(sim, {
      credentials: trusting,
      channel: { 'grpc.ssl_target_name_override': 'ems.cisco.com' },
    });
    const init = named.open('SLGlobalInitNotif');
    await until('VERSION', () => init.messages.length === 1);
    const unnamed = client(sim, { credentials: trusting }).open('SLGlobalInitNotif');
    const plaintext = client(sim).open('SLGlobalInitNotif');
    await until('the refusals', () => unnamed.status() !== null && plaintext.status() !== null);
    expect([unnamed.status()?.code, plaintext.status()?.code]).toEqual([
      grpcStatus.UNAVAILABLE,
      grpcStatus.UNAVAILABLE,
    ]);
  });
});

test('a unix socket serves as well as a port', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'slapi-'));
  try {
    const sim = await router({ listen: { socketPath: join(dir, 'grpc.sock') } });
    expect(sim.target).toBe(`unix:${join(dir, 'grpc.sock')}`);
    await registered(client(sim));
    await sim.restartGrpc({ keepState: true });
    await registered(client(sim));
  } finally {
    rmSync(dir, { recursive: true });
  }
});
