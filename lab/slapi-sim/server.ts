// Listening: a grpc-js server on 127.0.0.1 or a unix socket, with or without TLS, and its end.
import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
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

export async function listen(
  address: ListenAddress,
  tls: ServerTls | null,
  services: readonly Service[],
): Promise<Listening> {
  const wanted = 'port' in address ? `127.0.0.1:${address.port}` : `unix:${address.socketPath}`;
  const giveUpAt = performance.now() + rebindDeadlineMs;
  for (;;) {
    const server = new Server();
    for (const { definition, implementation } of services) server.addService(definition, implementation);
    const bound = await bind(server, wanted, credentials(tls));
    if (typeof bound === 'number') {
      const target = 'port' in address ? `127.0.0.1:${bound}` : wanted;
      return { port: 'port' in address ? bound : 0, target, stop: () => server.forceShutdown() };
    }
    server.forceShutdown();
    // After a stop the address may take a moment to come free.
    if (performance.now() > giveUpAt) throw bound;
    await sleep(20);
  }
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
