import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { AssignPrivateIpAddressesCommand, DescribeNetworkInterfacesCommand } from '@aws-sdk/client-ec2';
import type { EC2Client } from '@aws-sdk/client-ec2';
import { startEc2Emulator } from '../../lab/ec2-emulator/emulator';
import type { LoggedRequest } from '../../lab/ec2-emulator/requestLog';
import { connectionLost, dataA, dataB, instanceA, pairModel, startLab, until, vip1 } from './ec2Lab';
import type { Ec2Lab } from './ec2Lab';

const pem = (name: string) => readFileSync(join(__dirname, '../../lab/ec2-emulator/tls', name), 'utf8');
const look = (client: EC2Client) => client.send(new DescribeNetworkInterfacesCommand({}));

let lab: Ec2Lab;
beforeEach(async () => {
  lab = await startLab();
});
afterEach(() => lab.close());

test('the log has what was asked, when, by whom and how it ended; hooks hear of it first', async () => {
  const heard: [LoggedRequest, string | null][] = [];
  const off = lab.emulator.onRequest((request) => heard.push([request, lab.world.ownerOf(vip1)]));
  const sentAt = Number(process.hrtime.bigint()) / 1e6;
  const client = lab.client();
  await client.send(
    new AssignPrivateIpAddressesCommand({
      NetworkInterfaceId: dataB,
      PrivateIpAddresses: [vip1],
      AllowReassignment: true,
    }),
  );
  off();
  await look(client);
  const [assign, found] = lab.emulator.requests();
  expect(assign).toMatchObject({
    number: 1,
    action: 'AssignPrivateIpAddresses',
    params: { NetworkInterfaceId: dataB, 'PrivateIpAddress.1': vip1, AllowReassignment: 'true' },
    instanceId: instanceA,
    connectionId: 1,
    outcome: 'ok',
    errorCode: null,
    httpStatus: 200,
    applied: true,
  });
  expect(assign?.receivedAt).toBeGreaterThan(sentAt);
  expect(assign?.endedAt).toBeGreaterThan(assign?.receivedAt ?? Infinity);
  expect(found?.number).toBe(2);
  expect(heard).toMatchObject([[{ number: 1, outcome: 'pending' }, dataA]]);
  lab.emulator.clearLog();
  expect([lab.emulator.requests(), lab.emulator.counters().received]).toEqual([[], 0]);
});

test('connections are kept alive until the server side closes them idle', async () => {
  const client = lab.client();
  await look(client);
  await look(client);
  expect(lab.emulator.connectionsAccepted).toBe(1);
  // The server sees a connection as idle a moment after the client has its answer, hence the asking again.
  await until(async () => {
    lab.emulator.closeIdleConnections();
    return look(client).then(
      () => lab.emulator.connectionsAccepted > 1,
      () => false,
    );
  });
});

test('stop() cuts requests that wait, and the world outlives the endpoint', async () => {
  lab.emulator.addFault({ kind: 'blackHole' });
  const waiting = look(lab.client());
  const cut = expect(waiting).rejects.toThrow(connectionLost);
  await until(() => lab.emulator.requests().length === 1);
  lab.world.assign(dataB, [vip1]);
  await lab.emulator.stop();
  await cut;
  await expect(look(lab.client())).rejects.toThrow('ECONNREFUSED');
  const again = await startEc2Emulator({ world: lab.world, credentials: lab.registry });
  const answer = await look(lab.client({ endpoint: again.url })).finally(() => again.stop());
  expect(answer.NetworkInterfaces).toHaveLength(pairModel.networkInterfaces.length);
  expect(again.world.ownerOf(vip1)).toBe(dataB);
});

test('stop() ends a latency, and may be called twice', async () => {
  lab.emulator.addFault({ kind: 'latency', ms: 600_000 });
  const cut = expect(look(lab.client())).rejects.toThrow(connectionLost);
  await until(() => lab.emulator.requests().length === 1);
  await lab.emulator.stop();
  await lab.emulator.stop();
  await cut;
});

test('HTTPS with a certificate that the client verifies; a reset works there, too', async () => {
  const cert = pem('test-only-cert.pem');
  const secure = await startLab({ tls: { key: pem('test-only-key.pem'), cert } });
  try {
    expect(secure.emulator.url).toMatch(/^https:/);
    const client = secure.client({
      requestHandler: { httpsAgent: new Agent({ ca: cert, keepAlive: true }) },
    });
    await look(client);
    expect(secure.emulator.requests()).toMatchObject([{ connectionId: 1, outcome: 'ok' }]);
    secure.emulator.addFault({ kind: 'reset' });
    await expect(look(client)).rejects.toThrow(connectionLost);
  } finally {
    await secure.close();
  }
});
