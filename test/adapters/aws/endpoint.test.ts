import type { LookupAddress } from 'node:dns';
import { readFileSync } from 'node:fs';
import { CredentialRegistry } from '../../../lab/ec2-emulator/credentials';
import { startEc2Emulator } from '../../../lab/ec2-emulator/emulator';
import { openEc2 } from '../../../src/aws/transport/ec2';
import { pinEndpointAddresses } from '../../../src/transport/endpointAddresses';
import { observeOwnership } from '../../../src/aws/reads/observe';
import {
  eniOf,
  matching,
  memoryLog,
  newWorld,
  now,
  openAwsLab,
  plan,
  targetOf,
  type AwsLab,
  until,
  moverOf,
} from './awsLab';

const v4 = (address: string): LookupAddress => ({ address, family: 4 });
const dnsDown = () =>
  Promise.reject(Object.assign(new Error('getaddrinfo EAI_AGAIN'), { code: 'EAI_AGAIN' }));

const ask = (pinned: ReturnType<typeof pinEndpointAddresses>): Promise<LookupAddress[] | string> =>
  new Promise((resolve) => {
    pinned.lookup('ignored', { all: true }, (error, found) =>
      resolve(error ? String(error.code) : Array.isArray(found) ? found : []),
    );
  });

describe('the pinned addresses of the endpoint', () => {
  test('the latest answer comes first, addresses seen before stay behind it', async () => {
    const answers = [[v4('10.0.0.1'), v4('10.0.0.2')], [v4('10.0.0.2')], [v4('10.0.0.3')]];
    let asked = 0;
    const resolve = async () => answers[Math.min((asked += 1), answers.length) - 1] ?? [];
    const pinned = pinEndpointAddresses({
      service: 'EC2',
      hostname: 'ec2.test',
      log: memoryLog().log,
      resolve,
      refreshMs: 5,
    });
    expect(await ask(pinned)).toEqual([v4('10.0.0.1'), v4('10.0.0.2')]);
    await until('three answers', () => asked > 3);
    expect(await ask(pinned)).toEqual([v4('10.0.0.3'), v4('10.0.0.2'), v4('10.0.0.1')]);
    pinned.stop();
  });

  test('last-known-good while DNS is away, and one record when it goes and comes', async () => {
    let down = false;
    let asked = 0;
    const resolve = () => ((asked += 1), down ? dnsDown() : Promise.resolve([v4('10.0.0.1')]));
    const { log, logged } = memoryLog();
    const pinned = pinEndpointAddresses({ service: 'EC2', hostname: 'ec2.test', log, resolve, refreshMs: 2 });
    await ask(pinned);
    down = true;
    const before = asked;
    await until('DNS was asked often', () => asked > before + 5);
    expect(await ask(pinned)).toEqual([v4('10.0.0.1')]);
    down = false;
    await until('DNS is back', () => logged().length === 2);
    expect(logged().map(({ event }) => event)).toEqual(['endpoint-unresolved', 'endpoint-resolved']);
    pinned.stop();
  });

  test('the first answer is waited for, asked for ever, and an error ends the waiting', async () => {
    let down = true;
    const resolve = () => (down ? dnsDown() : Promise.resolve([v4('10.0.0.1')]));
    const pinned = pinEndpointAddresses({
      service: 'EC2',
      hostname: 'ec2.test',
      log: memoryLog().log,
      resolve,
      refreshMs: 5,
    });
    expect(await ask(pinned)).toBe('EAI_AGAIN');
    down = false;
    expect(await ask(pinned)).toEqual([v4('10.0.0.1')]);
    pinned.stop();
  });

  test('one address is given to who asks for one', async () => {
    const resolve = async () => [v4('10.0.0.1'), v4('10.0.0.2')];
    const pinned = pinEndpointAddresses({
      service: 'EC2',
      hostname: 'ec2.test',
      log: memoryLog().log,
      resolve,
    });
    const found = await new Promise((done) =>
      pinned.lookup('ec2.test', {}, (_error, address) => done(address)),
    );
    expect(found).toBe('10.0.0.1');
    pinned.stop();
  });
});

describe('an endpoint with a name', () => {
  let lab: AwsLab;
  let resolveTo: () => Promise<readonly LookupAddress[]>;
  const open = async (first: readonly LookupAddress[]) => {
    resolveTo = async () => first;
    lab = await openAwsLab({ endpointUrl: (port) => `http://ec2.test:${port}`, resolve: () => resolveTo() });
  };
  afterEach(() => lab.close());
  const observe = () =>
    observeOwnership({ ec2: lab.ec2, plan, identity: lab.identity, timeoutMs: 2_000, now });

  test('is reached by an address that answers when the first one does not', async () => {
    await open([v4('127.0.0.2'), v4('127.0.0.1')]);
    expect(await observe()).toMatchObject({ ok: true });
  });

  test('is reached with new connections after DNS has gone', async () => {
    await open([v4('127.0.0.1')]);
    expect(await observe()).toMatchObject({ ok: true });
    resolveTo = dnsDown;
    lab.emulator.addFault({ kind: 'reset', count: 1 });
    await observe();
    expect(await observe()).toMatchObject({ ok: true });
    expect(lab.emulator.connectionsAccepted).toBe(2);
  });
});

describe('the client takes nothing from the environment', () => {
  const poison = {
    AWS_CONFIG_FILE: '/dev/null/config',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null/credentials',
    AWS_ACCESS_KEY_ID: 'AKIAPOISONPOISONPOIS',
    AWS_SECRET_ACCESS_KEY: 'poison',
    AWS_REGION: 'eu-north-1',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    AWS_ENDPOINT_URL_EC2: 'http://127.0.0.1:1',
    AWS_USE_FIPS_ENDPOINT: 'true',
    AWS_USE_DUALSTACK_ENDPOINT: 'true',
    AWS_RETRY_MODE: 'nonsense',
    AWS_MAX_ATTEMPTS: 'nonsense',
    AWS_DEFAULTS_MODE: 'nonsense',
    AWS_DISABLE_CLOCK_SKEW_CORRECTION: 'nonsense',
    AWS_AUTH_SCHEME_PREFERENCE: 'nonsense',
  };
  const before = { ...process.env };
  beforeEach(() => void Object.assign(process.env, poison));
  afterEach(() => {
    for (const key of Object.keys(poison)) delete process.env[key];
    Object.assign(process.env, before);
  });

  test('nor from files', async () => {
    const lab = await openAwsLab();
    const result = await observeOwnership({
      ec2: lab.ec2,
      plan,
      identity: lab.identity,
      timeoutMs: 2_000,
      now,
    });
    await lab.close();
    expect(result).toMatchObject({ ok: true });
  });
});

test('a server that is not who it should be is sent nothing', async () => {
  const tls = ['key', 'cert'].map((part) =>
    readFileSync(`${process.cwd()}/lab/slapi-sim/tls/test-only-${part}.pem`, 'utf8'),
  );
  const [key = '', cert = ''] = tls;
  const emulator = await startEc2Emulator({
    world: newWorld(),
    credentials: new CredentialRegistry(),
    tls: { key, cert },
  });
  const provider = Object.assign(
    async () => ({ accessKeyId: 'ASIAABCDEFGHIJKL', secretAccessKey: 's'.repeat(40), sessionToken: 't' }),
    { memoized: true as const },
  );
  const credentials = { provider, refreshNow: async () => {} };
  const ec2 = openEc2({
    endpointUrl: emulator.url,
    region: 'us-west-2',
    credentials,
    log: memoryLog().log,
    now,
  });
  ec2.warm(2);
  const request = {
    attempt: 1,
    call: 1,
    networkInterfaceId: eniOf(1, 1),
    targets: [targetOf(1)],
    rank: 0,
    allowReassignment: true,
  };
  const { failure } = await moverOf(ec2).send({ ...request, send: 1, timeoutMs: 2_000 });
  expect(failure).toMatchObject({
    kind: 'unsent',
    message: matching(/certificate|altnames|unable/i),
  });
  expect(emulator.requests()).toEqual([]);
  ec2.stop();
  await emulator.stop();
});

test('each address stands with whether it has answered, also where the endpoint is an address itself', () => {
  const { log } = memoryLog();
  const pinned = pinEndpointAddresses({ service: 'EC2', hostname: '127.0.0.1', log });
  expect(pinned.standing()).toEqual([{ address: '127.0.0.1', answers: true }]);
  pinned.unanswered('127.0.0.1', 1, 2);
  expect(pinned.standing()).toEqual([{ address: '127.0.0.1', answers: false }]);
  pinned.answered('127.0.0.1', 3);
  expect(pinned.standing()).toEqual([{ address: '127.0.0.1', answers: true }]);
  pinned.stop();
});
