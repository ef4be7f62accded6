import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certPem, keyPem } from '../notify/certificate';
import { openStatus, type Status } from '../../src/status/endpoint';
import { kept } from '../../src/status/routes';
import { statusSchema } from '../../src/status/schema';
import { Snapshot } from '../../src/status/snapshot';
import { eventually } from '../support/eventually';
import { recordingLogger } from '../support/logRecords';
import { freePort } from '../support/redisServer';
import { AROUND, cloudWith, groupWith, NOW } from '../support/readyWorld';
import { ask, publish, sourcesOf, statusWorld, type StatusWorld } from '../support/statusWorld';

let folder: string;
let path: string;
let open: Status[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'status-'));
  path = join(folder, 'status.sock');
  open = [];
});

afterEach(async () => {
  await Promise.all(open.map((status) => status.close()));
  rmSync(folder, { recursive: true, force: true });
});

async function opened(
  world: StatusWorld,
  { tokenFile = null, tls = null, place = { path } }: Partial<Parameters<typeof openStatus>[0]> = {},
) {
  const { log, records } = recordingLogger();
  const status = openStatus({ place, tokenFile, tls }, { ...sourcesOf(world), log });
  open.push(status);
  await eventually(() => expect(records.map(({ event }) => event)).toContain('status-available'));
  publish(status.snapshot, world);
  return { ...status, records };
}

const bodyOf = ({ text }: { readonly text: string }): unknown => JSON.parse(text);

test('a STANDBY router on which all is well answers all its probes', async () => {
  await opened(statusWorld());
  expect(await ask(path, '/livez')).toMatchObject({ status: 200, text: '{"live":true}\n' });
  expect(await ask(path, '/readyz')).toMatchObject({ status: 200, text: '{"ready":true}\n' });
  expect(await ask(path, '/standby')).toMatchObject({ status: 200 });
  const active = await ask(path, '/active');
  expect(active.status).toBe(503);
  expect(bodyOf(active)).toMatchObject({ ha_state: 'STANDBY', live: true });
});

test('HEAD is answered as GET is, without a body; what there is not says what there is', async () => {
  await opened(statusWorld());
  expect(await ask(path, '/standby', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
  const missing = await ask(path, '/health');
  expect(missing.status).toBe(404);
  expect(missing.text).toContain('GET /livez, GET /readyz, GET /active, GET /standby, GET /status');
  expect(await ask(path, '/status', { method: 'POST' })).toMatchObject({ status: 404 });
});

test('/readyz says each reason and what to do', async () => {
  const world = statusWorld({
    around: { ...AROUND, cloud: cloudWith({ sourceDestCheckOn: ['eni-own1'] }) },
  });
  await opened(world);
  const answer = await ask(path, '/readyz');
  expect(answer.status).toBe(503);
  expect(bodyOf(answer)).toEqual({
    ready: false,
    reasons: [
      {
        condition: 'source_dest_check',
        text: 'the source/destination check is on: eni-own1',
        what_to_do: expect.stringContaining('source_dest_check') as string,
      },
    ],
  });
});

test('a loop that has not moved is not live, and no role of it counts', async () => {
  const world = statusWorld();
  await opened(world);
  world.now = NOW + 10_000;
  const answer = await ask(path, '/livez');
  expect([answer.status, bodyOf(answer)]).toEqual([
    503,
    { live: false, reason: 'the loop has not moved for 10 s' },
  ]);
  expect((await ask(path, '/standby')).status).toBe(503);
});

test('of several groups each is asked by its name; together they have a role where all have the same', async () => {
  const world = statusWorld({
    groups: new Map([
      ['north', groupWith('mine')],
      ['south', groupWith('peer')],
    ]),
  });
  await opened(world);
  const statusOf = async (request: string) => (await ask(path, request)).status;
  expect(await statusOf('/active?group=north')).toBe(200);
  expect(await statusOf('/active?group=south')).toBe(503);
  expect(await statusOf('/standby?group=south')).toBe(200);
  expect([await statusOf('/active'), await statusOf('/standby')]).toEqual([503, 503]);
  const unknown = await ask(path, '/active?group=west');
  expect([unknown.status, unknown.text]).toEqual([404, expect.stringContaining('there is north, south')]);
});

test('/status has all that show has, as the schema of the documentation says', async () => {
  const world = statusWorld();
  const { snapshot } = await opened(world);
  snapshot.put('ha_state', 'STANDBY');
  snapshot.put('ha_targets', { '10.0.0.1': { kind: 'privateAddress' } });
  const answer = await ask(path, '/status');
  expect(answer.headers).toMatchObject({ 'content-type': 'application/json' });
  const document = statusSchema.parse(bodyOf(answer));
  expect(document).toMatchObject({
    router: 'rtr2',
    version: '1.2.3',
    ha_state: 'STANDBY',
    ready: true,
    live: true,
    groups: { default: { ha_state: 'STANDBY', since: '2026-11-30T12:00:00.000Z' } },
    history: [],
    show: { ha_state: { last_created: '2026-11-30T12:00:00.000Z', value: 'STANDBY' } },
  });
  expect(document.show['ha_targets']?.value).toEqual({ '10.0.0.1': { kind: 'privateAddress' } });
});

describe('with a token', () => {
  test('all but /livez wants it, and a new one in the file counts without a restart', async () => {
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, 'first-token\n');
    const world = statusWorld();
    await opened(world, { tokenFile });
    const statusOf = async (request: string, token?: string) =>
      (await ask(path, request, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }))
        .status;
    expect(await statusOf('/livez')).toBe(200);
    for (const request of ['/readyz', '/active', '/standby', '/status']) {
      expect(await statusOf(request)).toBe(401);
      expect(await statusOf(request, 'second-token')).toBe(401);
    }
    expect((await ask(path, '/status')).headers).toMatchObject({ 'www-authenticate': 'Bearer' });
    expect(await statusOf('/standby', 'first-token')).toBe(200);
    writeFileSync(tokenFile, 'second-token\n');
    world.now += 5_000;
    await eventually(async () => expect(await statusOf('/standby', 'second-token')).toBe(200));
    expect(await statusOf('/standby', 'first-token')).toBe(401);
  });

  test('that cannot be read, nobody gets more than /livez, and the log says why', async () => {
    const { records } = await opened(statusWorld(), { tokenFile: join(folder, 'missing') });
    expect((await ask(path, '/status', { headers: { authorization: 'Bearer ' } })).status).toBe(503);
    expect((await ask(path, '/livez')).status).toBe(200);
    const told = records.find(({ event }) => event === 'status-token-unreadable');
    expect(told?.['reason']).toMatch(/missing: until then .* \(ENOENT/);
  });

  test('a token is in no answer and no record', async () => {
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, 'first-token\n');
    const { records } = await opened(statusWorld(), { tokenFile });
    const { text } = await ask(path, '/status', { headers: { authorization: 'Bearer first-token' } });
    expect(text + JSON.stringify(records)).not.toContain('first-token');
  });
});

describe('where it listens', () => {
  test('a socket that only the own user can open, gone at the end', async () => {
    const { close } = await opened(statusWorld());
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await close();
    expect(existsSync(path)).toBe(false);
  });

  test('one address alone, which /proc shows', async () => {
    const port = await freePort();
    await opened(statusWorld(), { place: { host: '127.0.0.1', port } });
    expect((await ask(port, '/livez')).status).toBe(200);
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    const listening = readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .filter((line) => new RegExp(`^ *\\d+: \\w+:${hex} \\w+:0000 0A`).test(line));
    expect(listening.map((line) => line.trim().split(/\s+/)[1])).toEqual([`0100007F:${hex}`]);
  });

  test('a port that another process has is said once, and taken when it is free', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { log, records } = recordingLogger();
    open.push(
      openStatus(
        { place: { host: '127.0.0.1', port }, tokenFile: null, tls: null },
        { ...sourcesOf(statusWorld()), log },
      ),
    );
    await eventually(() => expect(records.map(({ event }) => event)).toEqual(['status-unavailable']));
    expect(records[0]).toMatchObject({
      code: 'EADDRINUSE',
      reason: expect.stringContaining('status_listen') as string,
    });
    other.close();
    await eventually(() => expect(records.at(-1)?.event).toBe('status-available'));
    expect(records).toHaveLength(2);
  });
});

test('what is long is made once a second at most, and not while a takeover is under way', () => {
  const world = statusWorld();
  const snapshot = new Snapshot(sourcesOf(world));
  publish(snapshot, world);
  let made = 0;
  const text = kept(snapshot, () => `${(made += 1)}`);
  expect([text(), text()]).toEqual(['1', '1']);
  world.now += 1_000;
  expect(text()).toBe('2');
  const [[name, group] = ['', groupWith('peer')]] = [...world.groups];
  const attempt = { number: 1 } as NonNullable<(typeof group)['state']['attempt']>;
  const state = { ...group.state, attempt };
  snapshot.update([
    {
      now: world.now,
      group: name,
      event: { type: 'inputDrained', jitter: 0 },
      before: state,
      step: { state, effects: [], reason: '', weight: 'routine', alarms: [] },
    },
  ]);
  world.now += 5_000;
  expect(text()).toBe('2');
});

describe('over TLS', () => {
  const trusting = { ca: certPem, servername: 'localhost' };
  const files = () => {
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    writeFileSync(certFile, certPem);
    writeFileSync(keyFile, keyPem);
    return { certFile, keyFile };
  };

  function askSecurely(port: number, path: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, path, agent: false, ...trusting }, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
      });
      asked.on('error', reject).end();
    });
  }

  test('it answers whom it should, and plain HTTP and half a handshake cannot hold it', async () => {
    const port = await freePort();
    const { records } = await opened(statusWorld(), { tls: files(), place: { host: '127.0.0.1', port } });
    expect(await askSecurely(port, '/livez')).toBe(200);
    expect(await askSecurely(port, '/standby')).toBe(200);
    await expect(ask(port, '/livez')).rejects.toThrow();
    const half = connect(port, '127.0.0.1');
    await once(half, 'connect');
    half.write(Buffer.from([0x16, 0x03, 0x01]));
    expect(await askSecurely(port, '/livez')).toBe(200);
    const gone = once(half, 'close');
    await Promise.all(open.splice(0).map((status) => status.close()));
    await gone;
    expect(records.filter(({ event }) => event !== 'status-available')).toEqual([]);
  });

  test('a certificate that cannot be read is said, and it opens when it can', async () => {
    const port = await freePort();
    const { log, records } = recordingLogger();
    const world = statusWorld();
    const { certFile, keyFile } = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
    const status = openStatus(
      { place: { host: '127.0.0.1', port }, tokenFile: null, tls: { certFile, keyFile } },
      { ...sourcesOf(world), log },
    );
    open.push(status);
    await eventually(() => expect(records.map(({ event }) => event)).toEqual(['status-unavailable']));
    for (const file of [certFile, keyFile]) expect(records[0]?.['cause']).toContain(file);
    files();
    await eventually(() => expect(records.map(({ event }) => event)).toContain('status-available'));
    expect(await askSecurely(port, '/livez')).toBe(200);
  });
});
