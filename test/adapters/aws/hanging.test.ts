// A call ends by its deadline wherever it hangs: before it is signed, before the connection stands, after it.
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { CredentialsProvider } from '../../../src/aws/transport/credentials';
import { openEc2, type Ec2 } from '../../../src/aws/transport/ec2';
import type { Resolve } from '../../../src/transport/endpointAddresses';
import { eniOf, memoryLog, now, targetOf, until, moverOf } from './awsLab';

const request = {
  attempt: 1,
  call: 1,
  networkInterfaceId: eniOf(1, 1),
  targets: [targetOf(1)],
  rank: 0,
  allowReassignment: true,
  send: 1,
};
const never = <Value>(): Promise<Value> => new Promise(() => {});
const good = async () => ({
  accessKeyId: 'ASIAABCDEFGHIJKL',
  secretAccessKey: 's'.repeat(40),
  sessionToken: 't',
});

/** Accepts connections, reads and never writes a byte. */
let silent: Server;
let accepted: Socket[];
let ec2: Ec2;
beforeEach(async () => {
  accepted = [];
  silent = createServer((socket) => void accepted.push(socket.on('error', () => {}).resume()));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  ec2.stop();
  for (const socket of accepted) socket.destroy();
  await new Promise((resolve) => silent.close(resolve));
});

function open({
  scheme = 'http',
  host = '127.0.0.1',
  provide = good,
  resolve,
}: {
  readonly scheme?: 'http' | 'https';
  readonly host?: string;
  readonly provide?: () => ReturnType<CredentialsProvider>;
  readonly resolve?: Resolve;
}) {
  const { port } = silent.address() as AddressInfo;
  const provider = Object.assign(provide, { memoized: true as const });
  ec2 = openEc2({
    endpointUrl: `${scheme}://${host}:${port}`,
    region: 'us-west-2',
    credentials: { provider, refreshNow: async () => {} },
    log: memoryLog().log,
    now,
    ...(resolve === undefined ? {} : { resolve }),
  });
  return moverOf(ec2);
}

test.each<[string, Parameters<typeof open>[0]]>([
  ['credentials that never come', { provide: () => never() }],
  ['DNS that never answers', { host: 'ec2.test', resolve: () => never() }],
  ['a TLS handshake that never ends', { scheme: 'https' }],
])('%s: not sent, by the deadline', async (_where, options) => {
  const { failure, apiRequestId } = await open(options).send({ ...request, timeoutMs: 150 });
  expect(failure).toEqual({ kind: 'unsent', code: 'Timeout', message: 'no connection within 150 ms' });
  expect(apiRequestId).toBeNull();
});

test('no answer: sent, by the deadline', async () => {
  const { failure } = await open({}).send({ ...request, timeoutMs: 1_000 });
  expect(failure).toEqual({ kind: 'uncertain', code: 'Timeout', message: 'no answer within 1000 ms' });
});

test('a prepared request and its retry end, too, and leave no connection behind', async () => {
  const mover = open({ scheme: 'https' });
  mover.prepare(request);
  const outcomes = await Promise.all([
    mover.send({ ...request, timeoutMs: 150 }),
    mover.send({ ...request, send: 2, timeoutMs: 100 }),
  ]);
  expect(outcomes.map(({ failure }) => failure?.code)).toEqual(['Timeout', 'Timeout']);
  ec2.stop();
  await until('every connection is closed', () => accepted.every(({ destroyed }) => destroyed));
});

test('credentials that come after the deadline send nothing', async () => {
  let give: () => void = () => {};
  const late = new Promise<void>((resolve) => (give = resolve)).then(good);
  const mover = open({ provide: () => late });
  expect((await mover.send({ ...request, timeoutMs: 50 })).failure).toMatchObject({ kind: 'unsent' });
  give();
  // A second request goes all the way; had the first one gone on, it would have come before.
  const { failure } = await mover.send({ ...request, send: 2, timeoutMs: 1_000 });
  expect(failure).toMatchObject({ kind: 'uncertain' });
  expect(accepted).toHaveLength(1);
});
