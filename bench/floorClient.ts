/**
 * The client of the floor, a process of its own as the daemon is: it programs its sessions and, when the first
 * goes DOWN, sends each write as bytes made beforehand over a socket that stands. It decides, signs and logs
 * nothing. Started by floor.ts; ends when the channel to it closes.
 */
import { Client, credentials } from '@grpc/grpc-js';
import { loadSync, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';

export type FloorTask = {
  readonly target: string;
  readonly ec2Port: number;
  readonly sessions: readonly { readonly interface: string; readonly neighbor: string }[];
  readonly moves: readonly { readonly networkInterfaceId: string; readonly address: string }[];
  readonly asks: boolean;
};

type Method = MethodDefinition<object, object>;
type BfdEvent = { readonly Session?: { readonly State?: { readonly Status?: string } } };

const proto = (file: string, service: string): ServiceDefinition =>
  loadSync(join(__dirname, '..', 'proto', file), { keepCase: true, enums: String, longs: Number })[
    `service_layer.${service}`
  ] as ServiceDefinition;

const methods: Readonly<Record<string, Method>> = {
  ...proto('core.proto', 'SLGlobal'),
  ...proto('core.proto', 'SLBfdv4Oper'),
  ...proto('interface-gen1.proto', 'SLInterfaceOper'),
};

const addressNumber = (address: string): number =>
  address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);

function postOf(ec2Port: number, { networkInterfaceId, address }: FloorTask['moves'][number]): Buffer {
  const body = new URLSearchParams({
    Action: 'AssignPrivateIpAddresses',
    Version: '2016-11-15',
    NetworkInterfaceId: networkInterfaceId,
    'PrivateIpAddress.1': address,
    AllowReassignment: 'true',
  }).toString();
  const head = [
    'POST / HTTP/1.1',
    `host: 127.0.0.1:${ec2Port}`,
    'content-type: application/x-www-form-urlencoded',
    `content-length: ${body.length}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}

async function main(task: FloorTask): Promise<void> {
  const client = new Client(task.target, credentials.createInsecure());
  const method = (name: string): Method => {
    const found = methods[name];
    if (found === undefined) throw new Error(`no method ${name}`);
    return found;
  };
  const call = (name: string, request: object): Promise<void> =>
    new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = method(name);
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  const open = (name: string, request: object, received: (message: object) => void): void => {
    const { path, requestSerialize, responseDeserialize } = method(name);
    client
      .makeServerStreamRequest(path, requestSerialize, responseDeserialize, request)
      .on('data', received)
      .on('error', () => undefined);
  };

  const sockets = await Promise.all(
    task.moves.map(async (move) => {
      const socket = connect({ port: task.ec2Port, host: '127.0.0.1', noDelay: true });
      await once(socket, 'connect');
      socket.on('error', () => undefined).resume();
      return { socket, bytes: postOf(task.ec2Port, move) };
    }),
  );
  const write = (): void => {
    for (const { socket, bytes } of sockets) socket.write(bytes);
  };
  const question = { Key: { Name: task.sessions[0]?.interface }, EntriesCount: 1 };
  let moved = true;
  const received = ({ Session }: BfdEvent): void => {
    const isUp = Session?.State?.Status === 'SL_BFD_SESSION_UP';
    if (isUp) moved = false;
    if (isUp || moved) return;
    moved = true;
    if (task.asks) void call('SLInterfaceGet', question).then(write);
    else write();
  };

  await new Promise<void>((resolve) => open('SLGlobalInitNotif', { MinorVer: 3 }, () => resolve()));
  open('SLBfdv4GetNotifStream', {}, received);
  await call('SLBfdv4RegOp', { Oper: 'SL_REGOP_REGISTER' });
  await call('SLBfdv4SessionOp', {
    Oper: 'SL_OBJOP_UPDATE',
    Sessions: task.sessions.map((session) => ({
      Key: {
        Type: 'SL_BFD_SINGLE_HOP',
        VrfName: 'default',
        NbrAddr: addressNumber(session.neighbor),
        Interface: { Name: session.interface },
      },
      Config: { DesiredTxIntUsec: 50_000, DetectMultiplier: 3 },
    })),
  });
  await call('SLBfdv4RegOp', { Oper: 'SL_REGOP_EOF' });
  if (task.asks) {
    await call('SLInterfaceGlobalsRegOp', { Oper: 'SL_REGOP_REGISTER' });
    await call('SLInterfaceNotifOp', {
      Oper: 'SL_NOTIFOP_ENABLE',
      Entries: task.sessions.map((session) => ({ Name: session.interface })),
    });
    await call('SLInterfaceGet', question);
  }
  process.send?.('ready');
}

process.on('disconnect', () => process.exit(0));
const [task = ''] = process.argv.slice(2);
void main(JSON.parse(task) as FloorTask);
