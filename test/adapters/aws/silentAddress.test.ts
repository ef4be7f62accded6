// An address of the endpoint that accepts and says nothing: whatever tries again goes elsewhere.
import type { LookupAddress } from 'node:dns';
import { observeOwnership } from '../../../src/aws/reads/observe';
import { eniOf, memoryLog, now, openAwsLab, plan, moverOf, targetOf, until, type AwsLab } from './awsLab';
import { openEc2 } from '../../../src/aws/transport/ec2';

const [FIRST, SECOND] = ['127.0.0.2', '127.0.0.3'];
const v4 = (address: string): LookupAddress => ({ address, family: 4 });

let lab: AwsLab;
const open = async (...addresses: readonly string[]) => {
  lab = await openAwsLab({
    endpointUrl: (port) => `http://ec2.test:${port}`,
    resolve: async () => addresses.map(v4),
  });
};
afterEach(() => lab.close());

const read = (timeoutMs: number) =>
  observeOwnership({ ec2: lab.ec2, plan, identity: lab.identity, timeoutMs, now });
const isAnswered = async (timeoutMs = 2_000) => (await read(timeoutMs)).ok;
/** A busy machine may not even come to connect within a short deadline: then it is tried again. */
async function triesUntil(timeoutMs: number, holds: (answered: boolean) => boolean): Promise<void> {
  for (let tries = 1; !holds(await isAnswered(timeoutMs)); tries += 1)
    if (tries === 10) throw new Error('not within 10 tries');
}
const acceptedBy = (address: string) =>
  lab.emulator.addresses().find((each) => each.address === address)?.accepted ?? 0;
const news = () =>
  lab.logged().flatMap(({ event, address }) => (address === undefined ? [] : [[event, address]]));

const move = {
  attempt: 1,
  call: 1,
  networkInterfaceId: eniOf(1, 1),
  targets: [targetOf(1)],
  rank: 0,
  allowReassignment: true,
};

test('after one unanswered request the next ones go to the other address, and stay there', async () => {
  await open(FIRST, SECOND);
  await lab.emulator.setAddress(FIRST, 'silent');
  await lab.emulator.setAddress(SECOND, 'answers');
  await triesUntil(500, (answered) => answered);
  expect([await isAnswered(), await isAnswered()]).toEqual([true, true]);
  lab.ec2.warm(3);
  expect((await moverOf(lab.ec2).send({ ...move, send: 1, timeoutMs: 2_000 })).failure).toBeNull();
  expect(news()).toEqual([['endpoint-address-silent', FIRST]]);
});

test('an address that turns silent with connections standing to it', async () => {
  await open(FIRST, SECOND);
  await lab.emulator.setAddress(FIRST, 'answers');
  await lab.emulator.setAddress(SECOND, 'answers');
  expect(await isAnswered()).toBe(true);
  lab.ec2.warm(3);
  await until('they stand', () => acceptedBy(FIRST) >= 3);
  await lab.emulator.setAddress(FIRST, 'silent');
  await triesUntil(500, (answered) => answered);
  expect(await isAnswered()).toBe(true);
});

test('a hedge goes to another address, whatever is known of the first', async () => {
  await open(FIRST, SECOND);
  await lab.emulator.setAddress(SECOND, 'answers');
  const silent = await lab.emulator.setAddress(FIRST, 'silent');
  const mover = moverOf(lab.ec2);
  const first = mover.send({ ...move, send: 1, timeoutMs: 3_000 });
  await until('the first one is there', () => silent.ignored > 0);
  expect((await mover.send({ ...move, send: 2, timeoutMs: 2_000 })).failure).toBeNull();
  expect((await first).failure).toMatchObject({ code: 'Timeout' });
});

test('all are silent: each has its turn, so that the one that comes back is found', async () => {
  await open(FIRST, SECOND);
  await lab.emulator.setAddress(FIRST, 'silent');
  await lab.emulator.setAddress(SECOND, 'silent');
  await triesUntil(200, (answered) => !answered && acceptedBy(FIRST) > 0 && acceptedBy(SECOND) > 0);
  await lab.emulator.setAddress(FIRST, 'answers');
  await triesUntil(500, (answered) => answered);
  await until('it is told', () => news().some(([event]) => event === 'endpoint-address-answers'));
});

test('the only address is silent for a while: it is asked on, over new connections', async () => {
  await open(FIRST);
  await lab.emulator.setAddress(FIRST, 'silent');
  await triesUntil(200, (answered) => !answered && acceptedBy(FIRST) > 1);
  await lab.emulator.setAddress(FIRST, 'answers');
  expect(await isAnswered()).toBe(true);
});

test('an action that is slow for long says nothing of its address', async () => {
  await open(FIRST, SECOND);
  await lab.emulator.setAddress(FIRST, 'answers');
  await lab.emulator.setAddress(SECOND, 'answers');
  lab.emulator.addFault({ kind: 'latency', action: 'AssignPrivateIpAddresses', ms: 1_500 });
  const slow = moverOf(lab.ec2).send({ ...move, send: 1, timeoutMs: 900 });
  await until('it is there', () => lab.emulator.requests().some(({ action }) => action.startsWith('Assign')));
  expect(await isAnswered()).toBe(true);
  expect((await slow).failure).toMatchObject({ code: 'Timeout' });
  expect(await isAnswered()).toBe(true);
  expect(news()).toEqual([]);
});

test('an address with which TLS does not come about is left after one request, too', async () => {
  await open(FIRST);
  await lab.emulator.setAddress(FIRST, 'silent');
  await lab.emulator.setAddress(SECOND, 'silent');
  const keys = async () => ({
    accessKeyId: 'ASIAABCDEFGHIJKL',
    secretAccessKey: 's'.repeat(40),
    sessionToken: 't',
  });
  const { log } = memoryLog();
  const ec2 = openEc2({
    endpointUrl: `https://ec2.test:${new URL(lab.emulator.url).port}`,
    region: 'us-west-2',
    credentials: { provider: Object.assign(keys, { memoized: true as const }), refreshNow: async () => {} },
    log,
    now,
    resolve: async () => [v4(FIRST), v4(SECOND)],
  });
  const mover = moverOf(ec2);
  for (let send = 1; send <= 10 && (acceptedBy(FIRST) === 0 || acceptedBy(SECOND) === 0); send += 1)
    expect((await mover.send({ ...move, send, timeoutMs: 300 })).failure?.kind).toBe('unsent');
  ec2.stop();
  expect(acceptedBy(SECOND)).toBeGreaterThan(0);
});
