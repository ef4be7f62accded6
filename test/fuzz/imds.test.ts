/**
 * A hostile metadata service: any bytes, no end, no beginning. Who this router is and its credentials are
 * values of the right form or a problem in words; nothing throws, hangs or fills the memory, and no secret
 * gets into the log.
 */
import fc from '../support/properties';
import { parseCredentials, startCredentials } from '../../src/aws/transport/credentials';
import { openImds } from '../../src/aws/transport/imds';
import { readIdentity } from '../../src/aws/reads/instanceIdentity';
import { memoryLog } from '../adapters/aws/awsLab';
import { eventually } from '../support/eventually';
import { allowTime, ensure, runs } from '../support/fuzz';
import {
  byteChange,
  byteChanges,
  changeBytes,
  changeJson,
  garbage,
  hostileValue,
  jsonChanges,
  type Json,
} from '../support/hostile';
import { httpAnswer, startRawHttp, type RawHttp, type RawResponse } from '../support/rawHttp';

allowTime();

const MAC = '02:00:00:00:01:01';
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const credentials: Json = {
  Code: 'Success',
  LastUpdated: '2026-01-01T00:00:00Z',
  Type: 'AWS-HMAC',
  AccessKeyId: 'ASIAIOSFODNN7EXAMPLE',
  SecretAccessKey: SECRET,
  Token: 'IQoJb3JpZ2luX2VjEXAMPLETOKEN',
  Expiration: '2126-01-01T06:00:00Z',
};
const interfaceItems = {
  'interface-id': 'eni-0a15e9d47c3f86001',
  'device-number': '1',
  'network-card-index': '0',
  'local-ipv4s': '172.31.101.241\n172.31.101.10',
  'subnet-id': 'subnet-0a15e9d4',
  'subnet-ipv4-cidr-block': '172.31.101.0/24',
  'subnet-ipv6-cidr-blocks': '2001:db8:101::/64',
  'vpc-id': 'vpc-0a0a0a0a',
};
const items: { readonly [path: string]: string } = {
  '/latest/api/token': 'AQAEAMG-token==',
  '/latest/meta-data/instance-id': 'i-0123456789abcdef0',
  '/latest/meta-data/placement/region': 'us-west-2',
  '/latest/meta-data/placement/availability-zone': 'us-west-2a',
  '/latest/meta-data/network/interfaces/macs/': `${MAC}/`,
  ...Object.fromEntries(
    Object.entries(interfaceItems).map(([name, text]) => [
      `/latest/meta-data/network/interfaces/macs/${MAC}/${name}`,
      text,
    ]),
  ),
  '/latest/meta-data/iam/security-credentials/': 'ha-role',
  '/latest/meta-data/iam/security-credentials/ha-role': JSON.stringify(credentials),
};
const paths = Object.keys(items);

let http: RawHttp;
let respond: (path: string) => RawResponse = () => Buffer.alloc(0);
beforeEach(async () => {
  http = await startRawHttp(({ path }) => respond(path));
});
afterEach(() => http.close());

const valid = (path: string): Buffer => Buffer.from(items[path] ?? '');
const ok = (body: Buffer): RawResponse => ({ last: httpAnswer(200, body, 'content-type: text/plain') });
const whole = (path: string): RawResponse =>
  path in items ? ok(valid(path)) : { last: httpAnswer(404, Buffer.from('no')) };

const isProblem = (problem: string): boolean => problem !== '' && problem.length < 1_000;

/** What a hostile service says to one of the questions. */
const spoiled = fc.record({
  path: fc.constantFrom(...paths),
  response: fc.oneof(
    { weight: 4, arbitrary: fc.array(byteChange, { minLength: 1, maxLength: 3 }) },
    { weight: 2, arbitrary: fc.nat({ max: 100 }) },
    { weight: 1, arbitrary: fc.record({ body: garbage }) },
    { weight: 1, arbitrary: fc.record({ bytes: garbage }) },
    { weight: 1, arbitrary: fc.record({ status: fc.constantFrom(100, 204, 301, 401, 403, 404, 500, 999) }) },
  ),
});

function responseTo(
  path: string,
  all: readonly (typeof spoiled extends fc.Arbitrary<infer T> ? T : never)[],
) {
  const found = all.find((each) => each.path === path);
  if (found === undefined) return whole(path);
  const { response } = found;
  if (typeof response === 'number') {
    const value = hostileValue(response);
    return ok(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));
  }
  if ('body' in response) return ok(response.body);
  if ('bytes' in response) return { last: response.bytes };
  if ('status' in response) return { last: httpAnswer(response.status, valid(path)) };
  return ok(changeBytes(valid(path), response));
}

const isAddress = (text: string): boolean =>
  /^\d+(\.\d+){3}$/.test(text) && text.split('.').every((octet) => Number(octet) <= 255);

test('who this router is has the right form or is a problem', async () => {
  let identified = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(spoiled, { maxLength: 2 }), async (all) => {
      respond = (path) => responseTo(path, all);
      const reading = await readIdentity(openImds(http.url));
      if (!reading.ok) return ensure(isProblem(reading.problem), 'a problem in words', reading.problem);
      identified += 1;
      const { instanceId, region, availabilityZone, interfaces } = reading.identity;
      ensure(/^i-[0-9a-f]{8,17}$/.test(instanceId), 'an instance', instanceId);
      ensure(/^[a-z0-9-]{4,40}$/.test(region), 'a region', region);
      ensure(/^[a-z0-9-]{5,60}$/.test(availabilityZone), 'a zone', availabilityZone);
      ensure(interfaces.length > 0, 'interfaces');
      for (const each of interfaces) {
        ensure(/^eni-[0-9a-f]{8,17}$/.test(each.networkInterfaceId), 'an interface', each);
        ensure(isAddress(each.primaryAddress), 'an address', each);
        ensure(/^[\d.]{7,15}\/\d{1,2}$/.test(each.subnetCidr), 'a subnet', each);
        for (const block of each.subnetIpv6Cidrs)
          ensure(/^[\da-f:]{2,39}\/\d{1,3}$/.test(block), 'an IPv6 block', each);
        ensure(/^subnet-[0-9a-f]{8,17}$/.test(each.subnetId), 'the id of a subnet', each);
        ensure(/^vpc-[0-9a-f]{8,17}$/.test(each.vpcId), 'a VPC', each);
        for (const index of [each.deviceIndex, each.networkCardIndex])
          ensure(Number.isInteger(index) && index >= 0 && index < 1_000, 'an index', each);
      }
    }),
    runs(80),
  );
  expect(identified).toBeGreaterThan(0);
});

test('an item that is far too long is none, however well it begins', async () => {
  const path = '/latest/meta-data/placement/availability-zone';
  respond = (asked) => (asked === path ? ok(Buffer.from(`us-west-2-${'a'.repeat(60_000)}`)) : whole(asked));
  expect(await readIdentity(openImds(http.url))).toEqual({
    ok: false,
    problem: expect.stringMatching(
      /^IMDS answers placement\/availability-zone with something else/,
    ) as unknown,
  });
});

test('credentials are all there and good for a signature, or there are none', () => {
  const document = fc.oneof(
    jsonChanges.map((changes) => JSON.stringify(changeJson(credentials, changes))),
    fc
      .tuple(jsonChanges, byteChanges)
      .map(([changes, bytes]) =>
        changeBytes(Buffer.from(JSON.stringify(changeJson(credentials, changes))), bytes).toString('utf8'),
      ),
    garbage.map((bytes) => bytes.toString('utf8')),
  );
  let read = 0;
  fc.assert(
    fc.property(document, (text) => {
      const reading = parseCredentials(text);
      if (!reading.ok) {
        ensure(isProblem(reading.problem), 'a problem in words', reading.problem);
        return ensure(!reading.problem.includes(SECRET), 'a secret is told');
      }
      read += 1;
      const { identity, expiresAt } = reading.held;
      ensure(Number.isFinite(expiresAt), 'an expiry', expiresAt);
      new Date(expiresAt).toISOString();
      for (const field of Object.values(identity))
        ensure(/^[\x21-\x7e]+$/.test(field), 'fits into a header', field);
    }),
    runs(1_500),
  );
  expect(read).toBeGreaterThan(0);
});

test('the keeper of the credentials goes on whatever it is given, and tells no secret', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(spoiled, { minLength: 1, maxLength: 2 }), async (all) => {
      const { log, text } = memoryLog();
      respond = (path) => responseTo(path, all);
      const keeper = startCredentials({ imds: openImds(http.url), log });
      await eventually(() => ensure(keeper.ageInfo().problem !== null || text() !== '', 'it has answered'));
      respond = whole;
      await keeper.refreshNow();
      const held = await keeper.provider();
      expect(held.secretAccessKey).not.toBe('');
      expect(keeper.ageInfo().problem).toBeNull();
      keeper.stop();
      expect(text()).not.toContain(SECRET);
    }),
    runs(60),
  );
});

describe('an answer without an end', () => {
  const OK = 'HTTP/1.1 200 OK\r\n';
  test.each([
    ['a body', `${OK}\r\n`, 'x'.repeat(64_000)],
    ['chunks of one byte', `${OK}transfer-encoding: chunked\r\n\r\n`, '1\r\nx\r\n'.repeat(9_000)],
    ['headers', OK, 'x-header: value\r\n'.repeat(4_000)],
    ['provisional answers', '', 'HTTP/1.1 103 Early\r\n\r\n'.repeat(999)],
    ['blank lines', '', '\r\n'.repeat(32_000)],
  ])('%s', async (_name, first, again) => {
    respond = () => ({ first: Buffer.from(first), again: Buffer.from(again) });
    const answer = await openImds(http.url).get('instance-id');
    expect(answer).toEqual({
      ok: false,
      missing: false,
      problem: expect.stringMatching(/^IMDS at .* cannot be read/) as unknown,
    });
    await eventually(async () => {
      const before = http.written();
      await new Promise((resolve) => setTimeout(resolve, 50));
      ensure(http.written() === before, 'it is read on');
    });
  });
});
