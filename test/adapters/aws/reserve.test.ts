// A request that is about to be released holds a connection: nothing goes over it before, and it is nobody else's.
import { AssignPrivateIpAddressesCommand, DescribeNetworkInterfacesCommand } from '@aws-sdk/client-ec2';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { openEc2, type Ec2, type PreparedCall } from '../../../src/aws/transport/ec2';
import { eniOf, memoryLog, now, moverOf, targetOf, until } from './awsLab';

type Connection = { readonly socket: Socket; received: string; closed: boolean };

/** Answers every request but those for this interface. */
const UNANSWERED = eniOf(2, 7);
const body = (action: string): string => `<${action}Response></${action}Response>`;

let server: Server;
let connections: Connection[];
let ec2: Ec2;
beforeEach(async () => {
  connections = [];
  server = createServer((socket) => {
    const connection: Connection = { socket, received: '', closed: false };
    connections.push(connection);
    socket
      .on('error', () => {})
      .on('close', () => (connection.closed = true))
      .on('data', (chunk) => {
        connection.received += chunk.toString();
        if (connection.received.includes(UNANSWERED)) return;
        const [, action = ''] = /Action=(\w+)/.exec(chunk.toString()) ?? [];
        if (action === '') return;
        socket.write(
          `HTTP/1.1 200 OK\r\ncontent-length: ${body(action).length}\r\nconnection: keep-alive\r\n\r\n${body(action)}`,
        );
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const keys = async () => ({
    accessKeyId: 'ASIAABCDEFGHIJKL',
    secretAccessKey: 's'.repeat(40),
    sessionToken: 't',
  });
  ec2 = openEc2({
    endpointUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-west-2',
    credentials: { provider: Object.assign(keys, { memoized: true as const }), refreshNow: async () => {} },
    log: memoryLog().log,
    now,
  });
});
afterEach(async () => {
  ec2.stop();
  for (const { socket } of connections) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

const prepared = (networkInterfaceId = eniOf(2, 1)) =>
  ec2.prepare('AssignPrivateIpAddresses', (client, options) =>
    client.send(
      new AssignPrivateIpAddressesCommand({
        NetworkInterfaceId: networkInterfaceId,
        PrivateIpAddresses: [targetOf(1)],
      }),
      options,
    ),
  );
const read = () =>
  ec2.call('DescribeNetworkInterfaces', 1_000, (client, options) =>
    client.send(new DescribeNetworkInterfacesCommand({}), options),
  );
const received = (): readonly string[] =>
  connections.map(({ received: text }) => /Action=(\w+)/.exec(text)?.[1] ?? text);

async function reserved(networkInterfaceId?: string): Promise<PreparedCall<object>> {
  const before = connections.length;
  const call = prepared(networkInterfaceId);
  call.reserve();
  await until('it has a connection', () => connections.length > before);
  return call;
}

test('what is built has no connection; what is reserved has one, over which nothing goes before its release', async () => {
  const call = prepared();
  await call.built;
  expect((await read()).ok).toBe(true);
  expect(received()).toEqual(['DescribeNetworkInterfaces']);
  call.reserve();
  // The idle one is taken, and the next request has to open its own.
  expect((await read()).ok).toBe(true);
  expect(received()).toEqual(['DescribeNetworkInterfaces', 'DescribeNetworkInterfaces']);
  expect((await call.release(1_000)).ok).toBe(true);
  expect(connections).toHaveLength(2);
  expect(connections[0]?.received).toMatch(/Action=AssignPrivateIpAddresses/);
  expect(connections[1]?.received).not.toMatch(/Action=AssignPrivateIpAddresses/);
});

test.each<[how: string, end: (socket: Socket) => unknown]>([
  ['closes', (socket) => socket.end()],
  ['resets', (socket) => socket.resetAndDestroy()],
])('EC2 %s the connection that is held: the request goes over another, once', async (_how, end) => {
  const call = await reserved();
  end(connections[0]!.socket);
  await until('both ends are closed', () => connections[0]!.closed);
  // A round trip over the loopback later the client has heard of a reset as well.
  expect((await read()).ok).toBe(true);
  expect(await call.release(1_000)).toMatchObject({ ok: true });
  expect(received().filter((action) => action === '')).toHaveLength(1);
  const text = connections.map((connection) => connection.received).join('');
  expect(text.match(/Action=AssignPrivateIpAddresses/g)).toHaveLength(1);
});

test('what is discarded gives its connection up and sends nothing', async () => {
  const call = await reserved();
  call.discard();
  await until('the connection is closed', () => connections[0]!.closed);
  expect(received()).toEqual(['']);
});

test('when another request has waited for its answer too long, the connection that is held is not trusted', async () => {
  const call = await reserved();
  const unanswered = prepared(UNANSWERED).release(2_000);
  await until('it is sent', () => received().includes('AssignPrivateIpAddresses'));
  const sentAt = now();
  await until('it is in doubt', () => now() - sentAt > 600);
  expect((await call.release(1_000)).ok).toBe(true);
  expect(received()).toEqual(['', 'AssignPrivateIpAddresses', 'AssignPrivateIpAddresses']);
  ec2.stop();
  expect((await unanswered).ok).toBe(false);
});

test('when another request has failed without an answer, the connection that is held is not trusted', async () => {
  const call = await reserved();
  expect(await prepared(UNANSWERED).release(100)).toMatchObject({ ok: false, failure: { code: 'Timeout' } });
  expect((await call.release(1_000)).ok).toBe(true);
  expect(received()).toEqual(['', 'AssignPrivateIpAddresses', 'AssignPrivateIpAddresses']);
});

test('a takeover reserves what it has prepared, all of it, and others find connections of their own', async () => {
  const mover = moverOf(ec2);
  const requests = [1, 2].map((device) => ({
    attempt: 1,
    call: device,
    networkInterfaceId: eniOf(2, device),
    targets: [targetOf(device)],
    rank: 0,
    allowReassignment: true,
    send: 1,
  }));
  for (const request of requests) mover.prepare(request);
  // One in each turn of the event loop.
  for (const _ of requests) await new Promise((resolve) => setImmediate(resolve));
  expect((await read()).ok).toBe(true);
  expect(received()).toEqual(['', '', 'DescribeNetworkInterfaces']);
  await Promise.all(requests.map((request) => mover.send({ ...request, timeoutMs: 1_000 })));
  expect(received()).toEqual([
    'AssignPrivateIpAddresses',
    'AssignPrivateIpAddresses',
    'DescribeNetworkInterfaces',
  ]);
});
