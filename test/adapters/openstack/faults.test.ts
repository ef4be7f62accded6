/** What Keystone and Neutron may do to the adapter: each with what the rules are told. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmulatedPair, type EmulatedPair } from '../../../lab/openstack/emulated';
import { PAIR } from '../../../lab/openstack/pair';
import type { NeutronFault, NeutronOptions } from '../../../lab/neutron-emulator/emulator';
import type { Cloud, ObservationResult, Outcome } from '../../../src/cloud';
import type { OpenstackSettings } from '../../../src/config/settings';
import { OPENSTACK, type OpenstackPlan } from '../../../src/openstack/description';
import { connectOpenstack } from '../../../src/openstack/openstack';
import { planOf } from '../../support/coreWorld';
import { eventually } from '../../support/eventually';
import { certPem, keyPem } from '../../notify/certificate';
import { memoryLog } from '../aws/awsLab';

const now = (): number => Number(process.hrtime.bigint()) / 1e6;
const TARGET = 'the floating IP';
const directory = mkdtempSync(join(tmpdir(), 'xr-aws-ha-openstack-'));
const credentialsFile = join(directory, 'credential.json');
afterAll(() => rmSync(directory, { recursive: true }));

const plan: OpenstackPlan = {
  ...planOf({ peerAddresses: [PAIR.address.rtr2] }),
  targets: [
    {
      id: TARGET,
      kind: 'floatingIp',
      floatingIp: PAIR.floatingIp,
      privateAddress: null,
      deviceIndex: 0,
      networkCardIndex: 0,
      rank: 0,
    },
  ],
  cloud: OPENSTACK,
};

let pair: EmulatedPair;
let cloud: Cloud;
let memory: ReturnType<typeof memoryLog>;

async function open(
  options: Partial<Omit<NeutronOptions, 'model' | 'credentials'>> = {},
  settings: Partial<OpenstackSettings> = {},
): Promise<void> {
  pair = await startEmulatedPair(options);
  writeFileSync(credentialsFile, JSON.stringify(pair.credential));
  memory = memoryLog();
  cloud = connect(plan, settings);
}

const connect = (whole: OpenstackPlan, settings: Partial<OpenstackSettings> = {}): Cloud =>
  connectOpenstack({
    settings: {
      authUrl: pair.authUrl,
      credentialsFile,
      caFile: null,
      askNova: false,
      networkUrl: null,
      region: null,
      visibility: 'public',
      metadataUrl: pair.neutron.url,
      ports: [pair.portId.rtr1],
      apiTimeoutMs: 2_000,
      ...settings,
    },
    groups: [{ name: 'default', plan: whole }],
    plan: whole,
    log: memory.log,
    now,
  });

afterEach(async () => {
  cloud.stop();
  await pair.neutron.stop();
});

const observe = (): Promise<ObservationResult> => cloud.observe(() => undefined);

async function seen(): Promise<void> {
  await eventually(async () => expect(await observe()).toMatchObject({ ok: true }));
}

let attempt = 0;
async function take({ timeoutMs = 10_000, allowReassignment = true } = {}): Promise<Outcome> {
  attempt += 1;
  const mover = cloud.mover('default');
  if (mover === null) throw new Error('not ready');
  return mover.send({
    attempt,
    call: 1,
    send: 1,
    timeoutMs,
    allowReassignment,
    networkInterfaceId: pair.portId.rtr1,
    targets: [TARGET],
    rank: 0,
  });
}

const puts = () => pair.neutron.requests().filter(({ action }) => action === 'PUT floatingips').length;

test.each<[string, NeutronFault, object]>([
  ['409', { kind: 'status', status: 409, type: 'Conflict' }, { kind: 'refused', code: 'Conflict' }],
  [
    '412',
    { kind: 'status', status: 412, type: 'RevisionNumberConstraintFailed' },
    { kind: 'refused', code: 'RevisionNumberConstraintFailed' },
  ],
  ['403', { kind: 'status', status: 403, type: 'PolicyNotAuthorized' }, { kind: 'refused' }],
  ['500', { kind: 'status', status: 500 }, { kind: 'uncertain' }],
  [
    '503 while Keystone is away',
    { kind: 'status', status: 503 },
    { kind: 'unsent', code: 'HTTP 503', message: expect.stringContaining('Keystone') as unknown },
  ],
  ['429', { kind: 'status', status: 429 }, { kind: 'throttled' }],
  ['401', { kind: 'status', status: 401 }, { kind: 'unsent', code: 'Unauthorized' }],
])(
  'a PUT that is answered with %s is a failure of the kind that the rules know',
  async (_name, fault, failure) => {
    await open();
    await seen();
    pair.neutron.faults.add({ ...fault, action: 'PUT floatingips', count: 1 });
    expect((await take()).failure).toMatchObject(failure);
  },
);

test('a PUT without an answer is uncertain; a second try joins it, and sees that it is done', async () => {
  await open();
  await seen();
  pair.neutron.faults.add({ kind: 'silence', done: true, action: 'PUT floatingips' });
  expect((await take({ timeoutMs: 100 })).failure).toMatchObject({ kind: 'uncertain', code: 'Timeout' });
  expect((await take()).failure).toBeNull();
  expect(puts()).toBe(1);
});

test('a connection that cannot be made is unsent: Neutron has done nothing', async () => {
  await open();
  await seen();
  await pair.neutron.stop();
  // What goes over a connection that is being closed may have arrived.
  await eventually(async () => expect((await take()).failure).toMatchObject({ kind: 'unsent' }));
});

test('a token that ends in mid-life is renewed before, and one that is revoked at once', async () => {
  await open({ tokenLifeMs: 3_000 });
  await seen();
  const tokens = () => pair.neutron.requests().filter(({ action }) => action === 'POST auth/tokens').length;
  await eventually(() => expect(tokens()).toBeGreaterThan(1));
  expect(await observe()).toMatchObject({ ok: true });
  pair.neutron.identity.revokeAll();
  const before = tokens();
  expect(await observe()).toMatchObject({ ok: false, failure: { kind: 'unsent', code: 'Unauthorized' } });
  await seen();
  expect(tokens()).toBeGreaterThan(before);
});

test('a token that lives for months is not renewed at once', async () => {
  await open({ tokenLifeMs: 90 * 86_400_000 });
  await seen();
  expect((await take()).failure).toBeNull();
  await seen();
  expect(pair.neutron.requests().filter(({ action }) => action === 'POST auth/tokens')).toHaveLength(1);
});

test('while Keystone is away the token is used on, and that it is not renewed is told', async () => {
  await open({ tokenLifeMs: 4_000 });
  await seen();
  pair.neutron.faults.add({ kind: 'status', status: 500, action: 'POST auth/tokens' });
  await eventually(() =>
    expect(cloud.standing().conditions).toMatchObject([{ condition: 'keystone_token', state: 'unknown' }]),
  );
  expect(await observe()).toMatchObject({ ok: true });
  pair.neutron.faults.clear();
  await eventually(() => expect(cloud.standing().conditions).toMatchObject([{ state: 'ok' }]));
});

test('a request that no token may make is refused, and not taken for a token that has ended', async () => {
  await open();
  await seen();
  pair.neutron.faults.add({ kind: 'status', status: 401, action: 'PUT floatingips' });
  await eventually(async () =>
    expect((await take()).failure).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('Neutron takes the same token for other requests') as unknown,
    }),
  );
});

test('a wrong secret is named in words, and stands in no record', async () => {
  await open();
  cloud.stop();
  writeFileSync(
    credentialsFile,
    JSON.stringify({ ...pair.credential, secret: 'a-secret-that-is-wrong-0123456789' }),
  );
  const { log, logged } = memoryLog();
  cloud = connectOpenstack({
    settings: {
      authUrl: pair.authUrl,
      credentialsFile,
      caFile: null,
      askNova: false,
      networkUrl: null,
      region: null,
      visibility: 'public',
      metadataUrl: pair.neutron.url,
      ports: [pair.portId.rtr1],
      apiTimeoutMs: 500,
    },
    groups: [{ name: 'default', plan }],
    plan,
    log,
    now,
  });
  await eventually(() =>
    expect(logged()).toContainEqual(
      expect.objectContaining({
        event: 'token-unread',
        problem: 'Unauthorized: The request you have made requires authentication.',
      }),
    ),
  );
  expect(JSON.stringify(logged())).not.toContain('a-secret-that-is-wrong');
});

test('an authority of the own cloud is trusted where its file is given, once it can be read', async () => {
  const caFile = join(directory, 'ca.pem');
  await open({ tls: { key: keyPem, cert: certPem } }, { caFile });
  const unread = (problem: string) =>
    eventually(() =>
      expect(memory.logged()).toContainEqual(
        expect.objectContaining({
          event: 'token-unread',
          problem: expect.stringContaining(problem) as unknown,
        }),
      ),
    );
  await unread(`NoAuthorities: ${caFile} (ca_file) cannot be read (ENOENT)`);
  writeFileSync(caFile, 'no certificate');
  await unread(`NoAuthorities: ${caFile} (ca_file) does not begin with a certificate in PEM`);
  writeFileSync(caFile, certPem);
  await seen();
  expect((await take()).failure).toBeNull();
});

test('without that file the authority is not trusted, and nothing is sent', async () => {
  await open({ tls: { key: keyPem, cert: certPem } });
  await eventually(() =>
    expect(memory.logged()).toContainEqual(
      expect.objectContaining({
        event: 'token-unread',
        problem: expect.stringMatching(/^DEPTH_ZERO_SELF_SIGNED_CERT: /) as unknown,
      }),
    ),
  );
  expect(pair.neutron.requests()).toEqual([]);
});

test('without a list the metadata service says which ports this router has', async () => {
  await open(
    {
      metadata: {
        '/openstack/latest/network_data.json': {
          links: [{ id: 'tapb0000000-00', vif_id: 'b0000000-0000-4000-8000-000000000001', type: 'ovs' }],
        },
      },
    },
    { ports: null },
  );
  expect(await cloud.instanceId).toBe(PAIR.serverId.rtr1);
});

test.each([
  ['a port that is not shown', { ports: ['00000000-0000-4000-8000-000000000000'] }, /shows no port 0000/],
  ['a metadata service that does not answer', { ports: null }, /metadata service does not say which ports/],
])('%s is why nothing is observed, in words', async (_name, settings, words) => {
  await open({}, settings);
  await eventually(() =>
    expect(memory.logged()).toContainEqual(
      expect.objectContaining({
        event: 'identity-unread',
        problem: expect.stringMatching(words) as unknown,
      }),
    ),
  );
});

test('an answer that is older than what is known is not believed', async () => {
  await open();
  await seen();
  const old = pair.neutron.model;
  expect((await take()).failure).toBeNull();
  pair.neutron.model = old;
  expect(await observe()).toMatchObject({ ok: false, failure: { code: 'Outdated' } });
});

test('a port of this router that has got another address is found again by its id', async () => {
  await open();
  await seen();
  const { model } = pair.neutron;
  const renumbered = { ip_address: '10.0.0.51', subnet_id: model.subnets[0]?.id ?? '' };
  pair.neutron.model = {
    ...model,
    ports: model.ports.map((port) =>
      port.id === pair.portId.rtr1
        ? { ...port, fixed_ips: [renumbered], revision_number: port.revision_number + 1 }
        : port,
    ),
  };
  expect(await observe()).toMatchObject({ ok: false, failure: { code: 'NothingShown' } });
  await seen();
  expect((await take()).failure).toBeNull();
  expect(pair.neutron.model.floatingips[0]?.fixed_ip_address).toBe('10.0.0.51');
});

test("what is gone is unread with a reason, not nobody's", async () => {
  await open();
  await seen();
  pair.neutron.model = { ...pair.neutron.model, floatingips: [] };
  expect(await observe()).toMatchObject({
    ok: false,
    failure: { message: expect.stringContaining('Neutron shows no floating IP 203.0.113.10') as unknown },
  });
});

test('a start finds what cannot be: a port number that is not there', async () => {
  await open();
  cloud.stop();
  const [target] = plan.targets;
  if (target === undefined) throw new Error('one target');
  const elsewhere = { ...plan, targets: [{ ...target, deviceIndex: 3 }] };
  cloud = connect(elsewhere);
  expect(await cloud.mistakes).toEqual([
    `floating_ip_list (${TARGET}): server ${PAIR.serverId.rtr1} has 1 port(s), so there is no instance_intf_number 3: give 0 to 0.`,
  ]);
});
