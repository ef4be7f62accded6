import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from '../../support/properties';
import { CredentialRegistry } from '../../../lab/ec2-emulator/credentials';
import type { ImdsEmulator } from '../../../lab/imds-emulator/emulator';
import type { ImdsFaultInput } from '../../../lab/imds-emulator/faults';
import { imdsEndpoint, openImds, type Imds } from '../../../src/aws/transport/imds';
import { readIdentity } from '../../../src/aws/reads/instanceIdentity';
import { ROUTER_1, matching, newWorld, openImdsLab } from './awsLab';

describe('the identity of the instance', () => {
  let emulator: ImdsEmulator;
  beforeEach(async () => {
    emulator = await openImdsLab(newWorld(), new CredentialRegistry());
  });
  afterEach(() => emulator.stop());

  test('is read with one session token', async () => {
    const reading = await readIdentity(openImds(emulator.url));
    expect(reading).toMatchObject({
      ok: true,
      identity: {
        instanceId: ROUTER_1,
        region: 'us-west-2',
        availabilityZone: 'us-west-2a',
        interfaces: [{ deviceIndex: 0 }, { deviceIndex: 1 }, { deviceIndex: 2 }],
      },
    });
    expect(reading.ok && reading.identity.interfaces[1]).toEqual({
      networkInterfaceId: 'eni-000000011',
      deviceIndex: 1,
      networkCardIndex: 0,
      primaryAddress: '172.31.1.11',
      subnetId: 'subnet-00000001',
      subnetCidr: '172.31.1.0/24',
      subnetIpv6Cidrs: ['2001:db8:0:2::/64'],
      vpcId: 'vpc-0a0a0a0a',
    });
    expect(emulator.counters()['PUT /latest/api/token']).toBe(1);
  });

  test('a token that IMDS has forgotten is replaced', async () => {
    const imds = openImds(emulator.url);
    await readIdentity(imds);
    emulator.forgetTokens();
    expect(await readIdentity(imds)).toMatchObject({ ok: true });
    expect(emulator.counters()['PUT /latest/api/token']).toBe(2);
  });

  test('what IMDS says beside its status is told in its words', async () => {
    const server = createServer((_request, response) =>
      response.writeHead(403).end('<html><body>IMDS is disabled for this instance</body></html>'),
    );
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    expect(await readIdentity(openImds(`http://127.0.0.1:${port}`))).toMatchObject({
      problem: matching(/answers 403 to the request for a token: IMDS is disabled for this instance/),
    });
    await new Promise((done) => server.close(done));
  });

  test('a token that is refused for ever is asked for twice, not for ever', async () => {
    emulator.addFault({ kind: 'error', status: 401, action: 'meta-data/*' });
    expect(await readIdentity(openImds(emulator.url))).toEqual({
      ok: false,
      problem: 'IMDS answers 401 to instance-id',
    });
    expect(emulator.counters()['PUT /latest/api/token']).toBe(2);
  });

  const MACS = 'meta-data/network/interfaces/macs/*';
  test.each<[string, ImdsFaultInput, RegExp]>([
    ['an error', { kind: 'error', status: 503, action: 'meta-data/instance-id' }, /503 to instance-id/],
    ['no token', { kind: 'error', status: 403, action: 'api/token' }, /403 to the request for a token/],
    ['a page as token', { kind: 'garbagePage', status: 200, action: 'api/token' }, /not a token/],
    [
      'an HTML page',
      { kind: 'garbagePage', status: 200, action: 'meta-data/instance-id' },
      /instance-id with something/,
    ],
    ['an HTML page for a list', { kind: 'garbagePage', status: 200, action: MACS }, /list of MAC addresses/],
    ['a reset', { kind: 'reset', action: 'meta-data/placement/region' }, /placement\/region/],
    ['half a list', { kind: 'malformed', as: 'truncated', action: MACS }, /IMDS answers/],
    [
      'an empty body',
      { kind: 'malformed', as: 'empty', action: 'meta-data/placement/region' },
      /placement\/region/,
    ],
    [
      'another id',
      { kind: 'wrongContent', text: 'eni-12345678', action: 'meta-data/instance-id' },
      /instance-id/,
    ],
    [
      'another zone',
      { kind: 'wrongContent', text: 'eu-west-1a', action: 'meta-data/placement/availability-zone' },
      /eu-west-1a/,
    ],
    [
      'a body without end',
      { kind: 'wrongContent', text: 'x'.repeat(100_000), action: 'meta-data/instance-id' },
      /bytes/,
    ],
    ['no answer', { kind: 'blackHole', action: 'meta-data/instance-id' }, /no answer within 1000 ms/],
  ])('%s is a named problem', async (_name, fault, problem) => {
    emulator.addFault(fault);
    const reading = await readIdentity(openImds(emulator.url));
    expect(reading).toMatchObject({ ok: false, problem: matching(problem) });
  });

  test('IMDS that is down is a named problem', async () => {
    const { url } = emulator;
    await emulator.stop();
    expect(await readIdentity(openImds(url))).toMatchObject({
      ok: false,
      problem: matching(/ECONNREFUSED/),
    });
  });

  test('an endpoint that is no URL is a named problem', async () => {
    expect(await readIdentity(openImds('169.254.169.254'))).toMatchObject({
      ok: false,
      problem: matching(/AWS_EC2_METADATA_SERVICE_ENDPOINT/),
    });
  });
});

test('IMDS is where the environment says, else at its usual address', () => {
  expect(imdsEndpoint({ AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:1' })).toBe(
    'http://127.0.0.1:1',
  );
  expect(imdsEndpoint({})).toBe('http://169.254.169.254');
});

/** Good content by path, to be spoilt. */
const GOOD: Readonly<Record<string, string>> = {
  'instance-id': ROUTER_1,
  'placement/region': 'us-west-2',
  'placement/availability-zone': 'us-west-2a',
  'network/interfaces/macs/': '02:00:00:00:01:01/\n',
  'network/interfaces/macs/02:00:00:00:01:01/interface-id': 'eni-0000000011',
  'network/interfaces/macs/02:00:00:00:01:01/device-number': '1',
  'network/interfaces/macs/02:00:00:00:01:01/network-card-index': '0',
  'network/interfaces/macs/02:00:00:00:01:01/local-ipv4s': '172.31.1.11\n172.31.1.100',
  'network/interfaces/macs/02:00:00:00:01:01/subnet-id': 'subnet-00000001',
  'network/interfaces/macs/02:00:00:00:01:01/subnet-ipv4-cidr-block': '172.31.1.0/24',
  'network/interfaces/macs/02:00:00:00:01:01/subnet-ipv6-cidr-blocks':
    '2001:db8:0:2::/64\n2001:db8:0:20::/64',
  'network/interfaces/macs/02:00:00:00:01:01/vpc-id': 'vpc-0a0a0a0a',
};

const serving = (content: Readonly<Record<string, string>>): Imds => ({
  get: async (path) => {
    const text = content[path];
    return text === undefined
      ? { ok: false, missing: true, problem: `IMDS answers 404 to ${path}` }
      : { ok: true, text };
  },
});

test('whatever IMDS says, what is read has the right form or is a problem', async () => {
  expect(await readIdentity(serving(GOOD))).toMatchObject({ ok: true });
  const spoilt = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom(...'0123456789abcdef-.:/ \neni') }),
    fc.constantFrom(...Object.values(GOOD), '<html>', '{"Code":"Success"}', '999.1.1.1', '1.2.3.4/33'),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...Object.keys(GOOD)), spoilt, async (path, text) => {
      const reading = await readIdentity(serving({ ...GOOD, [path]: text }));
      if (!reading.ok) return expect(reading.problem).toMatch(/IMDS/);
      const [own] = reading.identity.interfaces;
      expect(reading.identity.instanceId).toMatch(/^i-[0-9a-f]+$/);
      expect(own?.networkInterfaceId).toMatch(/^eni-[0-9a-f]+$/);
      expect(own?.primaryAddress).toMatch(/^172\.31\.1\.\d+$|^\d+\.\d+\.\d+\.\d+$/);
      expect(own?.vpcId).toMatch(/^vpc-[0-9a-f]+$/);
    }),
    { numRuns: 500 },
  );
});

test('an instance without the item for network cards has one card', async () => {
  const content = Object.fromEntries(Object.entries(GOOD).filter(([path]) => !path.endsWith('card-index')));
  expect(await readIdentity(serving(content))).toMatchObject({
    ok: true,
    identity: { interfaces: [{ networkCardIndex: 0 }] },
  });
});

test('the IPv6 blocks of the subnet are read where it has some', async () => {
  const blocksOf = async (content: Readonly<Record<string, string>>) => {
    const reading = await readIdentity(serving(content));
    return reading.ok && reading.identity.interfaces[0]?.subnetIpv6Cidrs;
  };
  expect(await blocksOf(GOOD)).toEqual(['2001:db8:0:2::/64', '2001:db8:0:20::/64']);
  const without = Object.entries(GOOD).filter(([path]) => !path.endsWith('ipv6-cidr-blocks'));
  expect(await blocksOf(Object.fromEntries(without))).toEqual([]);
});

test.each([
  ['us-east-1', 'us-east-1-wl1-bos-wlz-1'],
  ['eu-west-2', 'eu-west-2-wl2-man-wlz-1'],
  ['us-west-2', 'us-west-2-lax-1a'],
  ['us-gov-west-1', 'us-gov-west-1b'],
  ['eusc-de-east-1', 'eusc-de-east-1a'],
])('in %s the zone %s is read', async (region, zone) => {
  const content = { ...GOOD, 'placement/region': region, 'placement/availability-zone': zone };
  expect(await readIdentity(serving(content))).toMatchObject({
    ok: true,
    identity: { region, availabilityZone: zone },
  });
});
