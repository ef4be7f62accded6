/** A webhook against a server of HTTPS on loopback: what it gets, and what its answers mean. */
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Notification } from '../../src/notify/notification';
import { webhook } from '../../src/notify/webhook';
import { certPath, certPem, keyPem } from './certificate';

const NOTE: Notification = {
  id: '7f9c3c2e',
  type: 'alarm.raised',
  at: Date.parse('2026-11-30T12:00:00Z'),
  router: 'rtr2',
  severity: 'minor',
  text: 'alarm store-away: Redis does not answer – “gone”',
  folded: 0,
  entry: null,
};

type Got = {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly method: string | undefined;
};

let folder: string;
let server: Server;
let got: Got[];
let answer: { status: number; text?: string; location?: string } | 'none';

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'webhook-'));
  got = [];
  answer = { status: 204 };
  server = createServer({ cert: certPem, key: keyPem }, (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      got.push({ headers: request.headers, body, method: request.method });
      if (answer === 'none') return;
      const { status, text = '', location } = answer;
      response.writeHead(status, location === undefined ? {} : { location }).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

function deliver(
  { key = null, trusts = true, url }: { key?: string | null; trusts?: boolean; url?: string } = {},
  signal = new AbortController().signal,
) {
  const keyFile = key === null ? null : join(folder, 'key');
  if (keyFile !== null && key !== null && key !== 'missing') writeFileSync(keyFile, `${key}\n`);
  const { port } = server.address() as AddressInfo;
  return webhook({
    type: 'webhook',
    name: 'noc',
    url: url ?? `https://localhost:${port}/hook`,
    keyFile,
    caFile: trusts ? certPath : null,
  }).deliver(NOTE, signal);
}

test('it gets a CloudEvent in structured mode', async () => {
  expect(await deliver()).toEqual({ ok: true, said: 'HTTP 204' });
  expect(got).toHaveLength(1);
  const { method, headers, body } = got[0]!;
  expect(method).toBe('POST');
  expect(headers).toMatchObject({
    'content-type': 'application/cloudevents+json; charset=utf-8',
    'webhook-id': NOTE.id,
    'content-length': String(Buffer.byteLength(body)),
  });
  expect(headers).not.toHaveProperty('webhook-signature');
  expect(JSON.parse(body)).toEqual({
    specversion: '1.0',
    id: NOTE.id,
    source: '/xr-aws-ha/rtr2',
    type: 'xr-aws-ha.alarm.raised',
    time: '2026-11-30T12:00:00.000Z',
    datacontenttype: 'application/json',
    data: { router: 'rtr2', severity: 'minor', text: NOTE.text, folded: 0 },
  });
});

test.each([
  ['any text', 'a key of the NOC', Buffer.from('a key of the NOC')],
  [
    'as Standard Webhooks writes it',
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64'),
  ],
])('with a key, %s, it is signed: id, time and body', async (_, key, secret) => {
  expect(await deliver({ key })).toMatchObject({ ok: true });
  const { headers, body } = got[0]!;
  const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = headers;
  const digest = createHmac('sha256', secret)
    .update(`${String(id)}.${String(at)}.${body}`)
    .digest('base64');
  expect(signature).toBe(`v1,${digest}`);
  expect(Math.abs(Date.now() / 1000 - Number(at))).toBeLessThan(60);
  expect(JSON.stringify(got)).not.toContain(key);
});

test.each([
  [500, false],
  [503, false],
  [401, false],
  [404, false],
  [429, false],
  [302, false],
  [400, true],
  [413, true],
])('%d is no delivery; refused for good: %s', async (status, isFinal) => {
  answer = { status, text: 'not\ntoday', location: '/elsewhere' };
  expect(await deliver()).toEqual({ ok: false, cause: `HTTP ${status}: not today`, isFinal });
  // A redirect is not followed: the key must not sign for another host.
  expect(got).toHaveLength(1);
});

test('an endless answer is cut off, and nothing in it is shown that may be a secret', async () => {
  const token = 'eyJhbGciOiJIUzI1NiJ9abcdefghijklmnopqrstuvwxyz0123456789abcdefghij';
  answer = { status: 500, text: `bad token ${token} ${'x '.repeat(100_000)}` };
  const delivery = await deliver();
  expect(JSON.stringify(delivery)).not.toContain(token);
  expect(JSON.stringify(delivery).length).toBeLessThan(250);
});

test('a certificate that is not trusted, a key that is missing, a port that is closed: each is said', async () => {
  expect(await deliver({ trusts: false })).toMatchObject({
    ok: false,
    cause: expect.stringMatching(/self-signed certificate/) as string,
  });
  expect(await deliver({ key: 'missing' })).toMatchObject({
    ok: false,
    cause: expect.stringContaining(join(folder, 'key')) as string,
  });
  expect(await deliver({ key: '' })).toMatchObject({ ok: false, cause: `${join(folder, 'key')} is empty` });
  expect(got).toEqual([]);
  expect(await deliver({ url: 'https://127.0.0.1:1/' })).toMatchObject({
    ok: false,
    cause: expect.stringContaining('ECONNREFUSED') as string,
  });
});

test('one that hangs is let go when nobody waits any more', async () => {
  answer = 'none';
  const abort = new AbortController();
  const delivery = deliver({}, abort.signal);
  await new Promise<void>((resolve) => server.once('request', () => resolve()));
  abort.abort();
  expect(await delivery).toMatchObject({ ok: false, isFinal: false });
});
