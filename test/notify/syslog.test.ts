/** Syslog: the message, what a delivery means on each transport, and what a real rsyslog makes of it. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import type { Notification } from '../../src/notify/notification';
import { syslog, syslogMessage } from '../../src/notify/syslog';
import { eventually } from '../support/eventually';
import { freePort } from '../support/redisServer';
import { certPath, certPem, keyPath, keyPem } from './certificate';

const NOTE: Notification = {
  id: '7f9c3c2e',
  type: 'alarm.raised',
  at: Date.parse('2026-11-30T12:00:00Z'),
  router: 'rtr2',
  severity: 'major',
  text: 'alarm redundancy-lost: no BFD session is UP – see the peer',
  folded: 0,
  entry: null,
};

function deliver(
  port: number,
  transport: 'udp' | 'tcp' | 'tls',
  { caFile = null as string | null, signal = new AbortController().signal, note = NOTE } = {},
) {
  const settings = { type: 'syslog', name: 'log', host: '127.0.0.1', port, transport, caFile } as const;
  return syslog(settings).deliver(note, signal);
}

const atEnd: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of atEnd.splice(0).reverse()) await end();
});

async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

/** Takes all that comes, and closes when the other end has. */
async function taking(tls = false): Promise<{ port: number; frames: string[] }> {
  const frames: string[] = [];
  const take = (socket: Socket) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    socket.on('end', () => frames.push(text));
    socket.on('error', () => {});
  };
  const server = tls ? createTlsServer({ cert: certPem, key: keyPem }, take) : createServer(take);
  return { port: await listening(server), frames };
}

describe('the message', () => {
  const text = (change: Partial<Notification> = {}) => syslogMessage({ ...NOTE, ...change }).toString();

  test('has the sentence behind what a machine may want', () => {
    expect(text()).toBe(
      `<27>1 2026-11-30T12:00:00.000Z rtr2 xrv9k_aws_ha ${process.pid} alarm.raised [xr-aws-ha@32473 id="7f9c3c2e" type="alarm.raised" severity="major"] alarm redundancy-lost: no BFD session is UP – see the peer`,
    );
  });

  test.each([
    ['critical', 26],
    ['major', 27],
    ['minor', 28],
    ['warning', 29],
    ['info', 30],
  ] as const)('%s is priority %d', (severity, priority) => {
    expect(text({ severity })).toMatch(new RegExp(`^<${priority}>1 `));
  });

  test('quotes, brackets and a name that is no name cannot break out of their places', () => {
    const message = text({ id: 'a"]\\', router: 'rt r–2', folded: 7 });
    expect(message).toContain('id="a\\"\\]\\\\"');
    expect(message).toContain(' rtr2 xrv9k_aws_ha ');
    expect(message).toContain('folded="7"]');
    expect(message).toMatch(/ \(7 like it before it are left out\)$/);
  });
});

test('UDP: one datagram, cut at a whole character, and nobody knows', async () => {
  const socket = createSocket('udp4');
  const datagrams: Buffer[] = [];
  socket.on('message', (datagram) => datagrams.push(datagram));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  atEnd.push(() => void socket.close());
  const { port } = socket.address();
  expect(await deliver(port, 'udp')).toEqual({ ok: true, said: 'sent; UDP has no answer' });
  await deliver(port, 'udp', { note: { ...NOTE, text: '–'.repeat(2_000) } });
  await eventually(() => expect(datagrams).toHaveLength(2));
  expect(datagrams[0]).toEqual(syslogMessage(NOTE));
  expect(datagrams[1]?.length).toBeGreaterThan(2_040);
  expect(datagrams[1]?.length).toBeLessThanOrEqual(2_048);
  expect(datagrams[1]?.toString()).not.toContain('\ufffd');
});

test.each(['tcp', 'tls'] as const)(
  '%s: octet-counted, and taken when the server closes after it',
  async (transport) => {
    const { port, frames } = await taking(transport === 'tls');
    const caFile = transport === 'tls' ? certPath : null;
    expect(await deliver(port, transport, { caFile })).toEqual({ ok: true, said: 'taken' });
    await eventually(() => expect(frames).toHaveLength(1));
    const message = syslogMessage(NOTE);
    expect(frames).toEqual([`${message.length} ${message.toString()}`]);
  },
);

test('a server that hangs has not taken it, nor one that resets, nor one that is not trusted', async () => {
  const hangs = await listening(
    createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {})),
  );
  const abort = new AbortController();
  const hung = deliver(hangs, 'tcp', { signal: abort.signal });
  setTimeout(() => abort.abort(), 100);
  expect(await hung).toEqual({
    ok: false,
    cause: 'the receiver has not closed the connection',
    isFinal: false,
  });
  const resets = await listening(createServer((socket) => socket.resetAndDestroy()));
  expect(await deliver(resets, 'tcp')).toMatchObject({ ok: false });
  expect(await deliver(await freePort(), 'tcp')).toMatchObject({
    ok: false,
    cause: expect.stringContaining('ECONNREFUSED') as string,
  });
  const { port, frames } = await taking(true);
  expect(await deliver(port, 'tls')).toMatchObject({
    ok: false,
    cause: expect.stringMatching(/self-signed certificate/) as string,
  });
  expect(frames.filter((text) => text !== '')).toEqual([]);
});

const hasRsyslog = spawnSync('rsyslogd', ['-v']).error === undefined;
const rsyslog = hasRsyslog ? test : test.skip;
const notice = hasRsyslog ? '' : ' (it is not installed: npx tsx scripts/needReceivers.ts)';

rsyslog(`a real rsyslog reads each field, over UDP, TCP and TLS${notice}`, async () => {
  const { ports, lines } = await startRsyslog();
  for (const transport of ['udp', 'tcp', 'tls'] as const) {
    const note = { ...NOTE, id: transport, text: `by ${transport}: – one line\nand a second` };
    const caFile = transport === 'tls' ? certPath : null;
    // It listens a moment after it has started.
    await eventually(async () =>
      expect(await deliver(ports[transport], transport, { caFile, note })).toMatchObject({ ok: true }),
    );
    await eventually(async () => {
      // A datagram that came before it listened is lost.
      if (transport === 'udp') await deliver(ports.udp, 'udp', { note });
      expect(lines()).toContainEqual(
        [
          'rtr2',
          'xrv9k_aws_ha',
          String(process.pid),
          'alarm.raised',
          'daemon.err',
          `[xr-aws-ha@32473 id="${transport}" type="alarm.raised" severity="major"]`,
          `by ${transport}: – one line#012and a second`,
        ].join('|'),
      );
    });
  }
});

async function startRsyslog() {
  const folder = mkdtempSync(join(tmpdir(), 'rsyslog-'));
  const ports = { udp: await freePort(), tcp: await freePort(), tls: await freePort() };
  const out = join(folder, 'out');
  writeFileSync(
    join(folder, 'conf'),
    `global(workDirectory="${folder}" defaultNetstreamDriverCAFile="${certPath}"
       defaultNetstreamDriverCertFile="${certPath}" defaultNetstreamDriverKeyFile="${keyPath}")
module(load="imudp")
module(load="imtcp")
input(type="imudp" address="127.0.0.1" port="${ports.udp}")
input(type="imtcp" address="127.0.0.1" port="${ports.tcp}")
input(type="imtcp" address="127.0.0.1" port="${ports.tls}" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
template(name="fields" type="string" string="%hostname%|%app-name%|%procid%|%msgid%|%syslogfacility-text%.%syslogseverity-text%|%structured-data%|%msg%\\n")
*.* action(type="omfile" file="${out}" template="fields")
`,
  );
  const daemon: ChildProcess = spawn(
    'rsyslogd',
    ['-n', '-f', join(folder, 'conf'), '-i', join(folder, 'pid')],
    {
      stdio: 'ignore',
    },
  );
  atEnd.push(async () => {
    const ended = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  const lines = () => {
    try {
      return readFileSync(out, 'utf8').trimEnd().split('\n');
    } catch {
      return [];
    }
  };
  return { ports, lines };
}
