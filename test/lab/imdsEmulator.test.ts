import { fromInstanceMetadata } from '@smithy/credential-provider-imds';
import { DescribeNetworkInterfacesCommand } from '@aws-sdk/client-ec2';
import type { CredentialSet } from '../../lab/ec2-emulator/credentials';
import { startImdsEmulator } from '../../lab/imds-emulator/emulator';
import type { ImdsEmulator } from '../../lab/imds-emulator/emulator';
import type { ImdsFaultInput } from '../../lab/imds-emulator/faults';
import { imdsInstance } from '../../lab/imds-emulator/instance';
import { Ec2World } from '../../lab/ec2-emulator/world';
import {
  dataA,
  dataB,
  dataSubnet,
  instanceA,
  ipv6,
  routedModel,
  startLab,
  until,
  vip1,
  vip2,
  vpcId,
} from './ec2Lab';
import type { Ec2Lab } from './ec2Lab';

const hour = 3_600_000;
const tokenPath = 'api/token';
const rolePath = 'meta-data/iam/security-credentials/';

let lab: Ec2Lab;
let imds: ImdsEmulator;
let issued: CredentialSet[];

const startImds = (credentials = { role: 'xr-ha', lifetimeMs: hour, rotateBeforeMs: 5 * 60_000 }) =>
  startImdsEmulator({
    instance: (ageMs) => imdsInstance(lab.world, instanceA, ageMs),
    credentials,
    onIssued: (set) => {
      issued.push(set);
      lab.registry.register(set);
    },
  });

beforeEach(async () => {
  issued = [];
  lab = await startLab();
  imds = await startImds();
  process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] = imds.url;
});
afterEach(async () => {
  delete process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'];
  await imds.stop();
  await lab.close();
});

const put = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${imds.url}/${path}`, { method: 'PUT', headers });
const token = async (ttl = '60') =>
  (await put('latest/api/token', { 'X-aws-ec2-metadata-token-ttl-seconds': ttl })).text();
const get = (path: string, withToken: string) =>
  fetch(`${imds.url}/latest/${path}`, { headers: { 'X-aws-ec2-metadata-token': withToken } });
const read = async (path: string) => (await get(path, await token())).text();

/** The credentials as the SDK's own provider gets them. */
const provide = (timeout = 1000) =>
  fromInstanceMetadata({ timeout, maxRetries: 0, ec2MetadataV1Disabled: true })();

describe('session tokens', () => {
  test('a PUT gives a token that says its TTL', async () => {
    const answer = await put('latest/api/token', { 'X-aws-ec2-metadata-token-ttl-seconds': '21600' });
    expect([answer.status, answer.headers.get('x-aws-ec2-metadata-token-ttl-seconds')]).toEqual([
      200,
      '21600',
    ]);
    expect((await get('meta-data/instance-id', await answer.text())).status).toBe(200);
  });

  test.each(['0', '21601', '-1', '1.5', 'long', ''])('TTL %j is refused with 400', async (ttl) => {
    const answer = await put('latest/api/token', { 'X-aws-ec2-metadata-token-ttl-seconds': ttl });
    expect(answer.status).toBe(400);
  });

  test('no TTL: 400; a forwarded PUT or one to a dated path: 403', async () => {
    const ttl = { 'X-aws-ec2-metadata-token-ttl-seconds': '60' };
    expect((await put('latest/api/token')).status).toBe(400);
    expect((await put('latest/api/token', { ...ttl, 'X-Forwarded-For': '10.0.0.1' })).status).toBe(403);
    expect((await put('2021-03-23/api/token', ttl)).status).toBe(403);
  });

  test('without a token, with a wrong or a forgotten one: 401', async () => {
    const good = await token();
    expect((await fetch(`${imds.url}/latest/meta-data/instance-id`)).status).toBe(401);
    expect((await get('meta-data/instance-id', 'made-up')).status).toBe(401);
    imds.forgetTokens();
    expect((await get('meta-data/instance-id', good)).status).toBe(401);
  });

  test('a token runs out', async () => {
    const short = await token('1');
    expect((await get('meta-data/instance-id', short)).status).toBe(200);
    await until(async () => (await get('meta-data/instance-id', short)).status === 401);
  });
});

describe('metadata', () => {
  const mac = '02:00:00:00:0a:01';
  const macs = 'meta-data/network/interfaces/macs/';

  test.each([
    ['meta-data/instance-id', instanceA],
    ['meta-data/placement/region', 'eu-central-1'],
    ['meta-data/placement/availability-zone', 'eu-central-1a'],
    ['meta-data/mac', '02:00:00:00:0a:00'],
    [macs, '02:00:00:00:0a:00/\n02:00:00:00:0a:01/'],
    [`${macs}${mac}/interface-id`, dataA],
    [`${macs}${mac}/device-number`, '1'],
    [`${macs}${mac}/network-card-index`, '0'],
    [`${macs}${mac}/local-ipv4s`, `10.1.1.10\n${vip1}\n${vip2}`],
    [`${macs}${mac}/subnet-id`, dataSubnet],
    [`${macs}${mac}/subnet-ipv4-cidr-block`, '10.1.1.0/24'],
    [`${macs}${mac}/vpc-id`, vpcId],
    [rolePath, 'xr-ha'],
    ['meta-data/placement/availability-zone-id', 'euc1-az2'],
    ['meta-data/placement/', 'availability-zone\navailability-zone-id\nregion'],
  ])('%s', async (path, expected) => {
    expect(await read(path)).toBe(expected);
  });

  test('IPv6 addresses and Elastic IPs are there while the interface has them', async () => {
    expect((await get(`${macs}${mac}/ipv6s`, await token())).status).toBe(404);
    await lab.close();
    lab = await startLab({ world: new Ec2World(routedModel) });
    expect(await read(`${macs}${mac}/ipv6s`)).toBe(ipv6);
    expect(await read(`${macs}${mac}/ipv4-associations/`)).toBe('203.0.113.10');
    expect(await read(`${macs}${mac}/ipv4-associations/203.0.113.10`)).toBe(vip1);
  });

  test('the identity document', async () => {
    expect(JSON.parse(await read('dynamic/instance-identity/document'))).toMatchObject({
      instanceId: instanceA,
      region: 'eu-central-1',
      availabilityZone: 'eu-central-1a',
      accountId: '123456789012',
      privateIp: '10.1.0.10',
    });
  });

  test('what is not there is 404 with an HTML page', async () => {
    const answer = await get('meta-data/spot/instance-action', await token());
    expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'text/html']);
  });

  test('local-ipv4s follows EC2, or lags behind it', async () => {
    lab.world.assign(dataB, [vip1]);
    expect(await read(`${macs}${mac}/local-ipv4s`)).toBe(`10.1.1.10\n${vip2}`);
    imds.addFault({ kind: 'stale', ageMs: 60_000 });
    expect(await read(`${macs}${mac}/local-ipv4s`)).toBe(`10.1.1.10\n${vip1}\n${vip2}`);
  });
});

describe('role credentials', () => {
  const ask = async (set: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }) =>
    lab.client({ credentials: { ...set } }).send(new DescribeNetworkInterfacesCommand({}));

  test('the SDK gets them, and EC2 believes in them', async () => {
    const got = await provide();
    expect(got).toMatchObject({
      accessKeyId: issued[0]?.accessKeyId,
      secretAccessKey: issued[0]?.secretAccessKey,
      sessionToken: issued[0]?.sessionToken,
      expiration: new Date(issued[0]?.expiresAt ?? 0),
    });
    expect(issued).toHaveLength(1);
    await ask(got);
    expect(lab.emulator.requests()).toMatchObject([{ instanceId: instanceA, outcome: 'ok' }]);
    expect(imds.counters()).toEqual({
      'PUT /latest/api/token': 1,
      'GET /latest/meta-data/iam/security-credentials/': 1,
      'GET /latest/meta-data/iam/security-credentials/xr-ha': 1,
    });
  });

  test('stay the same until their time to rotate has come', async () => {
    const keys = [(await provide()).accessKeyId, (await provide()).accessKeyId];
    expect(new Set(keys).size).toBe(1);
    const next = imds.rotateCredentials();
    expect((await provide()).accessKeyId).toBe(next.accessKeyId);
    expect(lab.registry.issuedTo(instanceA).map((set) => set.accessKeyId)).toContain(keys[0]);
    const old = issued[0]!;
    await ask(old);
  });

  test('within the lead before the end a new set shows up', async () => {
    const eager = await startImds({ role: 'xr-ha', lifetimeMs: 2000, rotateBeforeMs: 1500 });
    try {
      const first = eager.currentCredentials();
      await until(() => eager.currentCredentials().accessKeyId !== first.accessKeyId);
      await until(() => first.expiresAt <= Date.now());
      await expect(ask(first)).rejects.toMatchObject({ name: 'RequestExpired' });
    } finally {
      await eager.stop();
    }
  });

  test('expired ones that are served for ever are refused by EC2', async () => {
    const id = imds.addFault({ kind: 'expiredCredentials' });
    const document = JSON.parse(await read(`${rolePath}xr-ha`)) as Record<string, string>;
    expect(Date.parse(document['Expiration'] ?? '')).toBeLessThan(Date.now());
    expect(JSON.parse(await read(`${rolePath}xr-ha`))).toMatchObject({
      AccessKeyId: document['AccessKeyId'],
    });
    await expect(
      ask({
        accessKeyId: document['AccessKeyId'] ?? '',
        secretAccessKey: document['SecretAccessKey'] ?? '',
        sessionToken: document['Token'] ?? '',
      }),
    ).rejects.toMatchObject({ name: 'RequestExpired' });
    imds.removeFault(id);
    await ask(await provide());
  });
});

describe('faults', () => {
  test.each<[string, ImdsFaultInput]>([
    ['reset', { kind: 'reset' }],
    ['a black hole', { kind: 'blackHole', action: tokenPath }],
    ['more latency than the client waits for', { kind: 'latency', ms: 600_000 }],
    ['an error status with its page', { kind: 'error', status: 503 }],
    ['no role', { kind: 'error', status: 404, action: `${rolePath}*` }],
    ['a page of something else', { kind: 'garbagePage', action: `${rolePath}xr-ha`, status: 200 }],
    ['JSON cut in half', { kind: 'malformed', as: 'truncated', action: `${rolePath}xr-ha` }],
    ['an empty body', { kind: 'malformed', as: 'empty', action: `${rolePath}xr-ha` }],
    ['wrong content', { kind: 'wrongContent', text: '{"Code":"Failed"}', action: `${rolePath}xr-ha` }],
  ])('%s: the SDK gets no credentials, and does when it is over', async (_what, fault) => {
    imds.addFault(fault);
    await expect(provide(200)).rejects.toBeInstanceOf(Error);
    expect(imds.activeFaults()[0]?.hits).toBeGreaterThan(0);
    imds.clearFaults();
    expect((await provide()).accessKeyId).toBe(imds.currentCredentials().accessKeyId);
  });

  test('a counted fault hits that many requests, and the log shows which', async () => {
    imds.addFault({ kind: 'error', status: 500, count: 1 });
    expect((await get('meta-data/mac', 'any')).status).toBe(500);
    expect(await read('meta-data/instance-id')).toBe(instanceA);
    expect(imds.requests().map(({ method, path, faults }) => [method, path, faults])).toEqual([
      ['GET', '/latest/meta-data/mac', ['error']],
      ['PUT', '/latest/api/token', []],
      ['GET', '/latest/meta-data/instance-id', []],
    ]);
    imds.clearLog();
    expect([imds.requests(), imds.counters()]).toEqual([[], {}]);
  });

  test('a rule that makes no sense is refused', () => {
    expect(() => imds.addFault(JSON.parse('{"kind":"error","status":"bad"}') as ImdsFaultInput)).toThrow(
      'status',
    );
  });

  test('a stopped service refuses connections', async () => {
    await imds.stop();
    await expect(provide()).rejects.toBeInstanceOf(Error);
    await expect(fetch(imds.url)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  });
});
