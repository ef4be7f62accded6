// Listening: a grpc-js server on 127.0.0.1 or a unix socket, with or without TLS, and its end.
import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { constants, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Port 0 takes any free one. */
export type ListenAddress = { readonly port: number } | { readonly socketPath: string };

export interface ServerTls {
  readonly keyPem: string;
  readonly certPem: string;
}

export interface Listening {
  /** Zero for a unix socket. */
  readonly port: number;
  /** What a grpc-js client takes as its address. */
  readonly target: string;
  /** Cuts every connection. */
  readonly stop: () => void;
}

export interface Service {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

const rebindDeadlineMs = 2000;
/** In which a connection that is shut down may still say so. */
const lastWordsMs = 500;

export async function listen(
  address: ListenAddress,
  tls: ServerTls | null,
  services: readonly Service[],
  minPingIntervalMs: number | null = null,
): Promise<Listening> {
  const wanted = 'port' in address ? `127.0.0.1:${address.port}` : `unix:${address.socketPath}`;
  const giveUpAt = performance.now() + rebindDeadlineMs;
  for (;;) {
    const server = new Server();
    for (const { definition, implementation } of services) server.addService(definition, implementation);
    const bound = await bind(server, wanted, credentials(tls));
    if (typeof bound === 'number') {
      if (minPingIntervalMs !== null) punishPings(server, minPingIntervalMs);
      const target = 'port' in address ? `127.0.0.1:${bound}` : wanted;
      const cut = cutterOf(server);
      const stop = (): void => {
        server.forceShutdown();
        setTimeout(cut, lastWordsMs).unref();
      };
      return { port: 'port' in address ? bound : 0, target, stop };
    }
    server.forceShutdown();
    // After a stop the address may take a moment to come free.
    if (performance.now() > giveUpAt) throw bound;
    await sleep(20);
  }
}

/** How many pings that come too early are forgiven (gRFC A9). */
const pingStrikes = 2;

/** As gRPC servers do by default: grpc-js alone has no such rule, so this looks at the sessions below it. */
function punishPings(server: Server, minIntervalMs: number): void {
  for (const http2Server of below(server)) {
    http2Server.on('session', (session: ServerHttp2Session) => {
      let [lastAt, strikes] = [-Infinity, 0];
      session.on('ping', () => {
        const at = performance.now();
        if (at - lastAt < minIntervalMs) strikes += 1;
        lastAt = at;
        if (strikes <= pingStrikes || session.destroyed) return;
        session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from('too_many_pings'));
        session.close();
      });
    });
  }
}

/** Ends the connections that are left, where the other side has lost its power and never closes its end. */
function cutterOf(server: Server): () => void {
  const open = new Set<Socket>();
  for (const http2Server of below(server))
    http2Server.on('connection', (socket: Socket) => {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
    });
  return () => open.forEach((socket) => socket.destroy());
}

function below(server: Server): Iterable<Http2Server> {
  const servers: unknown = Reflect.get(server, 'http2Servers');
  if (!(servers instanceof Map)) throw new Error('this grpc-js keeps its HTTP/2 servers elsewhere');
  return servers.keys() as Iterable<Http2Server>;
}

function bind(server: Server, address: string, creds: ServerCredentials): Promise<number | Error> {
  return new Promise((resolve) => {
    server.bindAsync(address, creds, (error, port) => resolve(error ?? port));
  });
}

function credentials(tls: ServerTls | null): ServerCredentials {
  if (tls === null) return ServerCredentials.createInsecure();
  const pair = { private_key: Buffer.from(tls.keyPem), cert_chain: Buffer.from(tls.certPem) };
  return ServerCredentials.createSsl(null, [pair], false);
}
