import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { formatSyslog, Syslog } from '../../src/telemetry/syslog';
import { eventually } from '../support/eventually';

const at = new Date('2026-03-04T05:06:07.089Z');

let server: Socket;
let received: string[];

beforeEach(async () => {
  received = [];
  server = createSocket('udp4');
  server.on('message', (message) => received.push(message.toString()));
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(() => server.close());

test('a line is one RFC 5424 message', () => {
  const message = formatSyslog({ severity: 'warning', line: '{"msg":"x"}\n', hostname: 'rtr1', at });
  expect(message.toString()).toBe(
    `<28>1 2026-03-04T05:06:07.089Z rtr1 xrv9k_aws_ha ${process.pid} - - {"msg":"x"}`,
  );
});

test.each([
  ['critical', 26],
  ['error', 27],
  ['warning', 28],
  ['informational', 30],
  ['debug', 31],
] as const)('%s has priority %i', (severity, priority) => {
  expect(formatSyslog({ severity, line: 'x', hostname: 'r', at }).toString()).toMatch(
    new RegExp(`^<${priority}>1 `),
  );
});

test('a name that is no header field is made one', () => {
  expect(formatSyslog({ severity: 'debug', line: 'x', hostname: 'my router\n', at }).toString()).toContain(
    ' myrouter ',
  );
  expect(formatSyslog({ severity: 'debug', line: 'x', hostname: '路由器', at }).toString()).toContain(
    'Z - xrv9k',
  );
});

test('a long line is cut off at a whole character', () => {
  for (let blanks = 0; blanks < 4; blanks += 1) {
    const line = ' '.repeat(blanks) + '🙂'.repeat(1_000);
    const message = formatSyslog({ severity: 'error', line, hostname: 'r', at });
    expect(message.length).toBeLessThanOrEqual(2048);
    expect(message.length).toBeGreaterThan(2044);
    expect(message.toString()).not.toContain('\ufffd');
  }
});

test('sends to an address, and to a name that it looks up itself', async () => {
  for (const host of ['127.0.0.1', 'localhost']) {
    const syslog = new Syslog({
      host,
      port: server.address().port,
      hostname: 'rtr1',
      onFailure: (error) => {
        throw error;
      },
    });
    await eventually(() => {
      syslog.send('informational', `to ${host}`);
      expect(received.some((message) => message.endsWith(`to ${host}`))).toBe(true);
    });
    syslog.close();
  }
});

test('a server that cannot be reached costs one warning', async () => {
  const failures: string[] = [];
  const syslog = new Syslog({
    // Without permission to broadcast, sending there fails at once.
    host: '255.255.255.255',
    port: 514,
    hostname: 'rtr1',
    onFailure: (error) => failures.push(error.message),
  });
  for (let i = 0; i < 100; i += 1) syslog.send('error', 'lost');
  await eventually(() => expect(failures).toHaveLength(1));
  syslog.send('error', 'lost too');
  syslog.close();
  syslog.send('error', 'after the end');
  expect(failures).toHaveLength(1);
});

test('a name that does not exist costs one warning', async () => {
  const failures: string[] = [];
  // RFC 6761 section 6.4: never resolves.
  const syslog = new Syslog({
    host: 'syslog.invalid',
    port: 514,
    hostname: 'r',
    onFailure: (e) => failures.push(e.message),
  });
  for (let i = 0; i < 100; i += 1) syslog.send('error', 'lost');
  await eventually(() => expect(failures).toHaveLength(1));
  syslog.close();
});
