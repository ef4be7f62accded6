/**
 * A place to listen at, for as long as the daemon runs: where it cannot be had, or is lost, whoever asked for it is told
 * why and what to do, and it is tried again for ever.
 */
import type { Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Server as TlsServer, type SecureContextOptions } from 'node:tls';
import { isNativeError } from 'node:util/types';
import { Backoff } from '../backoff';
import { httpServer, type HttpServer, type HttpServerOptions } from './httpServer';
import { isInPlace, listenAt, removeSocket, type Obstacle, type SocketFile } from './socketFile';

export type ListeningTiming = {
  /** From the connection to the end of the request. */
  readonly requestTimeoutMs: number;
  /** How often to look whether the path still leads to our socket. */
  readonly checkIntervalMs: number;
};

/** `key`: of the configuration, for the advice. */
export type ListeningPlace = { readonly key: string } & (
  { readonly path: string } | { readonly host: string; readonly port: number }
);

export type ListenerOptions = {
  readonly place: ListeningPlace;
  readonly routes: HttpServerOptions['routes'];
  /** What to show to clients, read again while it is open; rejects where it cannot be. Absent: plain HTTP. */
  readonly tls?: () => Promise<SecureContextOptions>;
  readonly onOpen: () => void;
  /** Told once of each, until it is open again. */
  readonly onObstacle: (obstacle: Obstacle) => void;
} & Partial<ListeningTiming>;

const defaultTiming: ListeningTiming = { requestTimeoutMs: 5_000, checkIntervalMs: 30_000 };
const RETRY = { firstMs: 1_000, lastMs: 60_000 } as const;
const closeTimeoutMs = 700;

type Opening =
  | { readonly ok: true; readonly file: SocketFile | null }
  | { readonly ok: false; readonly obstacle: Obstacle };

export class Listener {
  readonly #options: ListenerOptions;
  readonly #timing: ListeningTiming;
  readonly #stopping = new AbortController();
  /** The one that listens, and earlier ones whose connections have not ended. */
  readonly #servers = new Set<HttpServer>();
  readonly #listening: Promise<void>;
  /** The obstacle that was told last; null while it is open. */
  #told: Obstacle | null = null;

  constructor(options: ListenerOptions) {
    this.#options = options;
    const { requestTimeoutMs, checkIntervalMs } = { ...defaultTiming, ...options };
    this.#timing = { requestTimeoutMs, checkIntervalMs };
    this.#listening = this.#listen();
  }

  /**
   * Removes the socket, and gives answers under way a moment to get out: end what the routes have pending
   * first. Takes less than 1 s and never rejects.
   */
  async close(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#servers].map((server) => server.end(closeTimeoutMs)));
    await this.#listening;
  }

  async #listen(): Promise<void> {
    const { signal } = this.#stopping;
    const backoff = new Backoff(RETRY);
    while (!signal.aborted) {
      const http = await this.#httpServer();
      if ('advice' in http) {
        this.#noteObstacle(http);
        await delay(backoff.nextMs(), undefined, { signal, ref: false }).catch(() => {});
        continue;
      }
      // From the start: a server that fails with nobody listening to it would end the process.
      const failed = new Promise<Obstacle>((resolve) =>
        http.server.on('error', (error) => resolve(failure(error))),
      );
      const opening = await this.#open(http);
      if (opening.ok) {
        this.#noteOpen();
        backoff.reset();
        const lost = await this.#lossOf(http, opening.file, failed);
        await this.#shut(http, opening.file);
        if (lost !== null) this.#noteObstacle(lost);
      } else {
        await this.#shut(http, null);
        this.#noteObstacle(opening.obstacle);
      }
      await delay(backoff.nextMs(), undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** What has made an end of a socket that was open; null for our own closing. */
  async #lossOf(
    http: HttpServer,
    file: SocketFile | null,
    failed: Promise<Obstacle>,
  ): Promise<Obstacle | null> {
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#stopping.signal]);
    const loss = await Promise.race([failed, this.#whileInPlace(http, file, signal)]);
    over.abort();
    return loss;
  }

  /** A path that leads elsewhere would leave a daemon that cannot be spoken to and does not know it. */
  async #whileInPlace(
    http: HttpServer,
    file: SocketFile | null,
    signal: AbortSignal,
  ): Promise<Obstacle | null> {
    const { place } = this.#options;
    while (!signal.aborted) {
      await delay(this.#timing.checkIntervalMs, undefined, { signal, ref: false }).catch(() => {});
      if (!signal.aborted) await this.#renew(http);
      if (signal.aborted || file === null || !('path' in place) || (await isInPlace(place.path, file)))
        continue;
      return {
        code: 'ENOENT',
        cause: `${place.path} has been removed or replaced`,
        advice: 'it is made anew; if it goes again, find out who clears its directory',
      };
    }
    return null;
  }

  #open(http: HttpServer): Promise<Opening> {
    const { place } = this.#options;
    return 'path' in place ? listenAt(place, http.server) : listenOn(place, http.server);
  }

  async #httpServer(): Promise<HttpServer | Obstacle> {
    const { requestTimeoutMs } = this.#timing;
    const { routes, tls } = this.#options;
    try {
      const http = httpServer({
        routes,
        requestTimeoutMs,
        ...(tls === undefined ? {} : { tls: await tls() }),
      });
      this.#servers.add(http);
      return http;
    } catch (error: unknown) {
      const cause = isNativeError(error) ? error.message : String(error);
      return { code: 'TLS', cause, advice: 'see the files of the certificate and its key' };
    }
  }

  /** A certificate is replaced before it ends; what cannot be read leaves the one at hand. */
  async #renew({ server }: HttpServer): Promise<void> {
    const { tls } = this.#options;
    if (tls === undefined || !(server instanceof TlsServer)) return;
    try {
      server.setSecureContext(await tls());
    } catch {
      // It may be half written; it is read again.
    }
  }

  /** Connections live on: they end by themselves, or with close(). */
  async #shut(http: HttpServer, file: SocketFile | null): Promise<void> {
    const { place } = this.#options;
    if (file !== null && 'path' in place) await removeSocket(place.path, file);
    // Without a server that listens, it only says so.
    http.server.close(() => this.#servers.delete(http));
  }

  #noteOpen(): void {
    this.#told = null;
    this.#options.onOpen();
  }

  #noteObstacle(obstacle: Obstacle): void {
    if (this.#stopping.signal.aborted || isSame(obstacle, this.#told)) return;
    this.#told = obstacle;
    this.#options.onObstacle(obstacle);
  }
}

/** Never rejects. Later errors of the server are the caller's. */
function listenOn(
  { key, host, port }: { readonly key: string; readonly host: string; readonly port: number },
  server: Server,
): Promise<Opening> {
  return new Promise((resolve) => {
    const refused = (error: NodeJS.ErrnoException): void => {
      const { code = 'Error', message: cause } = error;
      resolve({ ok: false, obstacle: { code, cause, advice: adviceOn(code, key) } });
    };
    server.once('error', refused);
    server.listen({ host, port }, () => {
      server.off('error', refused);
      resolve({ ok: true, file: null });
    });
  });
}

function adviceOn(code: string, key: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return `find out who listens there (ss -ltnp), or give ${key} another port`;
    case 'EADDRNOTAVAIL':
      return `give ${key} an address that this router has in the network namespace of the daemon`;
    case 'EACCES':
      return `give ${key} a port above 1023`;
    default:
      return `see ${key}`;
  }
}

/** By what an operator has to do about it: the words of the system may differ from try to try. */
function isSame(obstacle: Obstacle, told: Obstacle | null): boolean {
  return told !== null && obstacle.code === told.code && obstacle.advice === told.advice;
}

/** Accepting a connection has failed. */
function failure(error: Error): Obstacle {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'Error';
  return { code, cause: error.message, advice: 'it is opened anew; see what the daemon has run out of' };
}
