/**
 * What may go wrong with the real Keystone and Neutron, and what the rules are told of it. What the services do not do when
 * they are asked to (a late answer, none, an error of a moment), a gateway in front of Neutron does.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Gateway } from '../../lab/openstack/gateway';
import { startRealPair, type RealPair } from '../../lab/openstack/real';
import type { NeutronFault } from '../../lab/neutron-emulator/emulator';
import type { Cloud, ObservationResult, Outcome } from '../../src/cloud';
import { eventually } from '../support/eventually';
import { connectTo, FLOATING_IP } from './behaviour';

const START_MS = 300_000;
/** Services that start anew take long on a busy machine. */
const PATIENCE_MS = 120_000;
const TEST_MS = 2 * START_MS;
/** A gateway that says nothing is given up on after this; Neutron itself is given all the time that it takes. */
const IMPATIENT_MS = 2_000;

const directory = mkdtempSync(join(tmpdir(), 'xr-aws-ha-services-'));
const credentialsFile = join(directory, 'credential.json');
let pair: RealPair;
let gateway: Gateway;
let cloud: Cloud | null = null;

beforeAll(async () => {
  const services = join(directory, 'services');
  pair = await startRealPair(services);
  gateway = await Gateway.open(pair.services.networkUrl);
}, START_MS);

afterAll(async () => {
  await gateway.stop();
  await pair.services.stop();
  rmSync(directory, { recursive: true, force: true });
}, START_MS);

beforeEach(async () => {
  writeFileSync(credentialsFile, JSON.stringify(pair.credential));
  gateway.faults.clear();
  cloud = connectTo(pair, 'rtr1', { credentialsFile, networkUrl: gateway.url });
  await seen();
}, START_MS);

afterEach(() => cloud?.stop());

const opened = (): Cloud => {
  if (cloud === null) throw new Error('not open');
  return cloud;
};
const observe = (): Promise<ObservationResult> => opened().observe(() => undefined);
const seen = () => eventually(async () => expect(await observe()).toMatchObject({ ok: true }), PATIENCE_MS);
const told = (failure: object) =>
  eventually(async () => expect(await observe()).toMatchObject({ ok: false, failure }), PATIENCE_MS);

let attempt = 0;
function take(timeoutMs = 60_000): Promise<Outcome> {
  attempt += 1;
  const mover = opened().mover('default');
  if (mover === null) throw new Error('not ready');
  return mover.send({
    attempt,
    call: 1,
    send: 1,
    timeoutMs,
    allowReassignment: true,
    networkInterfaceId: pair.portId.rtr1,
    targets: [FLOATING_IP],
    rank: 0,
  });
}

const containing = (words: string): unknown => expect.stringContaining(words);
const moves = async () => expect((await take()).failure).toBeNull();

test(
  'a token that ends in mid-life and cannot be renewed is turned down; the next one works',
  async () => {
    await pair.services.setTokenLife(20);
    opened().stop();
    cloud = connectTo(pair, 'rtr1', { credentialsFile, networkUrl: gateway.url });
    await seen();
    writeFileSync(credentialsFile, 'not a credential');
    await told({ kind: 'unsent', code: 'Unauthorized' });
    expect((await take()).failure).toMatchObject({ kind: 'unsent' });
    writeFileSync(credentialsFile, JSON.stringify(pair.credential));
    await seen();
    await moves();
    await pair.services.setTokenLife(3600);
  },
  TEST_MS,
);

test(
  'a request that an access rule of Keystone forbids is refused, and not taken for a token that has ended',
  async () => {
    opened().stop();
    writeFileSync(credentialsFile, JSON.stringify(await pair.readingOnly()));
    cloud = connectTo(pair, 'rtr1', { credentialsFile, networkUrl: gateway.url });
    await seen();
    await eventually(
      async () =>
        expect((await take()).failure).toMatchObject({
          kind: 'refused',
          message: containing('Neutron takes the same token for other requests'),
        }),
      PATIENCE_MS,
    );
    expect(await observe()).toMatchObject({ ok: true });
  },
  TEST_MS,
);

test(
  'a Neutron that cannot ask Keystone says 503: nothing was done, and all is well when Keystone is back',
  async () => {
    await pair.services.halt('keystone');
    // What it knows of tokens is gone with it.
    await pair.services.halt('neutron');
    await pair.services.launch('neutron');
    const failure = { kind: 'unsent', code: 'HTTP 503', message: containing('Keystone') };
    await told(failure);
    expect((await take()).failure).toMatchObject(failure);
    await pair.services.launch('keystone');
    await seen();
    await moves();
  },
  TEST_MS,
);

test(
  'a Neutron that is away has done nothing that it was not sent, and is used again when it is back',
  async () => {
    opened().stop();
    // Straight to it: a gateway would answer in its stead.
    cloud = connectTo(pair, 'rtr1', { credentialsFile });
    await seen();
    await pair.services.halt('neutron');
    await eventually(
      async () => expect((await take()).failure).toMatchObject({ kind: 'unsent' }),
      PATIENCE_MS,
    );
    await told({ code: 'ECONNREFUSED' });
    await pair.services.launch('neutron');
    await seen();
    await moves();
  },
  TEST_MS,
);

test.each<[string, NeutronFault, object]>([
  ['401', { kind: 'status', status: 401 }, { kind: 'unsent', code: 'Unauthorized' }],
  ['409', { kind: 'status', status: 409, type: 'Conflict' }, { kind: 'refused', code: 'Conflict' }],
  [
    '412',
    { kind: 'status', status: 412, type: 'RevisionNumberConstraintFailed' },
    { kind: 'refused', code: 'RevisionNumberConstraintFailed' },
  ],
  ['500', { kind: 'status', status: 500 }, { kind: 'uncertain' }],
  ['503', { kind: 'status', status: 503 }, { kind: 'unsent', code: 'HTTP 503' }],
])(
  'a PUT that is answered once with %s is a failure of the kind that the rules know, and the next one works',
  async (_name, fault, failure) => {
    gateway.faults.add({ ...fault, action: 'PUT floatingips', count: 1 });
    expect((await take()).failure).toMatchObject(failure);
    await seen();
    await moves();
  },
  TEST_MS,
);

test.each<[string, NeutronFault]>([
  ['late', { kind: 'delay', ms: 2 * IMPATIENT_MS }],
  ['lost', { kind: 'silence', done: true }],
])(
  'the answer to a PUT is %s: uncertain; a second try comes to know that it is done',
  async (_name, fault) => {
    gateway.faults.add({ ...fault, action: 'PUT floatingips', count: 1 });
    expect((await take(IMPATIENT_MS)).failure).toMatchObject({ kind: 'uncertain', code: 'Timeout' });
    await moves();
  },
  TEST_MS,
);
