/** `notify test` against a webhook, syslog and a topic on loopback: one of each, and what came back. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { CredentialRegistry } from '../../lab/ec2-emulator/credentials';
import { startEc2Emulator } from '../../lab/ec2-emulator/emulator';
import { Topics } from '../../lab/sns-emulator/topics';
import { notifyTest } from '../../src/cli/notifyTest';
import type { ReceiverSettings } from '../../src/config/settings';
import type { Receiver } from '../../src/notify/receiver';
import { snmpInform } from '../../src/notify/snmp';
import { sns } from '../../src/notify/sns';
import { syslog } from '../../src/notify/syslog';
import { webhook } from '../../src/notify/webhook';
import { newWorld, openImdsLab } from '../adapters/aws/awsLab';
import { configWith, textOf } from '../config/documents';
import { freePort } from '../support/redisServer';

const TOPIC = 'arn:aws:sns:us-west-2:123456789012:xr-aws-ha';
const IMDS = 'AWS_EC2_METADATA_SERVICE_ENDPOINT';

let folder: string;
const atEnd: (() => unknown)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'notify-'));
});
afterEach(async () => {
  for (const end of atEnd.splice(0).reverse()) await end();
  rmSync(folder, { recursive: true, force: true });
});

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

/** Without loading each kind for itself, which Jest cannot. */
function opened(settings: ReceiverSettings, log: Logger): Receiver {
  switch (settings.type) {
    case 'webhook':
      return webhook(settings);
    case 'syslog':
      return syslog(settings);
    case 'sns':
      return sns(settings, log);
    case 'snmp':
      return snmpInform(settings);
  }
}

async function run(notifications: unknown) {
  const path = join(folder, 'config.json');
  writeFileSync(path, textOf(configWith({ router_name: 'rtr1', notifications })));
  let out = '';
  let err = '';
  const output = {
    out: { write: (text: string) => (out += text) },
    err: { write: (text: string) => (err += text) },
  };
  const code = await notifyTest(path, output, (settings, log) => Promise.resolve(opened(settings, log)));
  return { code, out, err };
}

async function topics(): Promise<{ readonly topics: Topics; readonly url: string }> {
  const world = newWorld();
  const registry = new CredentialRegistry();
  const kept = new Topics([TOPIC]);
  const emulator = await startEc2Emulator({ world, credentials: registry, services: [kept.service()] });
  const imds = await openImdsLab(world, registry);
  const before = process.env[IMDS];
  process.env[IMDS] = imds.url;
  atEnd.push(async () => {
    if (before === undefined) delete process.env[IMDS];
    else process.env[IMDS] = before;
    await emulator.stop();
    await imds.stop();
  });
  return { topics: kept, url: emulator.url };
}

test('each receiver gets one, and what it said is printed', async () => {
  const bodies: string[] = [];
  const hook = await portOf(
    createHttpServer((request, response) => {
      request.setEncoding('utf8').on('data', (part: string) => bodies.push(part));
      request.on('end', () => response.writeHead(202).end());
    }),
  );
  const log = await portOf(createServer((socket) => socket.resume()));
  const { topics: kept, url } = await topics();
  const { code, out, err } = await run({
    webhooks: [{ name: 'noc', url: `http://127.0.0.1:${hook}/hook` }],
    syslog_servers: [{ name: 'log', server: '127.0.0.1', port: log }],
    sns: [{ name: 'pager', topic_arn: TOPIC, endpoint_url: url }],
  });
  expect([code, err]).toEqual([0, '']);
  expect(out.split('\n')).toEqual([
    expect.stringMatching(
      new RegExp(`^noc, webhook http://127\\.0\\.0\\.1:${hook}/hook: ok after \\d+ ms: HTTP 202$`),
    ),
    expect.stringMatching(
      new RegExp(`^log, syslog 127\\.0\\.0\\.1:${log} \\(tcp\\): ok after \\d+ ms: taken$`),
    ),
    expect.stringMatching(new RegExp(`^pager, SNS topic ${TOPIC}: ok after \\d+ ms: message \\S+$`)),
    '',
  ]);
  const text = 'a test of the notifications of rtr1: nothing has happened';
  expect(JSON.parse(bodies.join(''))).toMatchObject({ type: 'xr-aws-ha.test', data: { text } });
  expect(kept.published).toMatchObject([{ topicArn: TOPIC, subject: `rtr1: ${text}` }]);
  expect(JSON.parse(kept.published[0]?.message ?? '')).toMatchObject({
    type: 'xr-aws-ha.test',
    data: { text },
  });
});

test('what is not taken is said, with why, and the exit code says so', async () => {
  const { url } = await topics();
  const closed = await freePort();
  const other = TOPIC.replace('xr-aws-ha', 'another');
  const { code, out } = await run({
    webhooks: [{ name: 'noc', url: `http://127.0.0.1:${closed}/` }],
    sns: [{ name: 'pager', topic_arn: other, endpoint_url: url }],
  });
  expect(code).toBe(1);
  expect(out).toMatch(/^noc, .*: failed after \d+ ms: .*ECONNREFUSED/);
  expect(out).toMatch(/\npager, .*: failed after \d+ ms: NotFound: Topic does not exist\n$/);
});

test('nobody to tell, and a configuration with mistakes', async () => {
  expect(await run(undefined)).toMatchObject({
    code: 2,
    err: expect.stringContaining('has no receivers') as string,
  });
  expect(await run({ webhooks: [{ name: 'noc' }] })).toMatchObject({
    code: 2,
    err: expect.stringContaining('config.notifications.webhooks[0].url: missing') as string,
  });
});
