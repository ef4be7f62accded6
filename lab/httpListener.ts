/**
 * The HTTP server under both AWS emulators: it collects whole requests, tells connections apart and can do to
 * a connection what networks do. It answers nothing by itself.
 */
import { once, setMaxListeners } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { machineClock } from './labClock';
import type { LabClock } from './labClock';

export interface ReceivedRequest {
  readonly method: string;
  /** Path and query as received. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** By the clock of the listener, when head and body had arrived. */
  readonly receivedAt: number;
  /** Counts from 1. */
  readonly connectionId: number;
  readonly response: ServerResponse;
}

export interface ListenerOptions {
  /** PEM texts; absent: plain HTTP. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default: that of the machine. */
  readonly clock?: LabClock;
  readonly onRequest: (request: ReceivedRequest) => void;
}

/** Listens on 127.0.0.1 only. @throws Error of the operating system when the port is taken. */
export async function openListener(options: ListenerOptions): Promise<HttpListener> {
  const listener = new HttpListener(options);
  await listener.open(options.port ?? 0);
  return listener;
}

export class HttpListener {
  readonly #server: Server;
  readonly #clock: LabClock;
  readonly #scheme: string;
  readonly #connectionIds = new WeakMap<Socket, number>();
  readonly #stopped = new AbortController();
  #connectionsAccepted = 0;
  #url = '';

  constructor({ tls, onRequest, clock = machineClock }: ListenerOptions) {
    this.#clock = clock;
    const serve = (message: IncomingMessage, response: ServerResponse) =>
      collect(message, (body) =>
        onRequest({
          method: message.method ?? '',
          url: message.url ?? '/',
          headers: message.headers,
          body,
          receivedAt: clock.nowMs(),
          connectionId: this.#connectionIds.get(message.socket) ?? 0,
          response,
        }),
      );
    this.#scheme = tls === undefined ? 'http' : 'https';
    this.#server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
    this.#server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      this.#connectionsAccepted += 1;
      this.#connectionIds.set(socket, this.#connectionsAccepted);
      socket.setNoDelay(true);
    });
    // Connections are closed when a test or a fault says so, never by a timer of Node's.
    this.#server.keepAliveTimeout = 0;
    // One signal ends every pause: any number of requests may be waiting on it.
    setMaxListeners(0, this.#stopped.signal);
  }

  /** `http://127.0.0.1:<port>`, or https. */
  get url(): string {
    return this.#url;
  }

  get connectionsAccepted(): number {
    return this.#connectionsAccepted;
  }

  async open(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the server has no port');
    this.#url = `${this.#scheme}://127.0.0.1:${address.port}`;
  }

  /** Waits, never less than `ms`; false when the listener was stopped meanwhile. */
  async pause(ms: number): Promise<boolean> {
    const { signal } = this.#stopped;
    const endMs = this.#clock.nowMs() + ms;
    // Node counts a timer from the start of the loop's turn: a busy turn makes it fire early.
    for (let leftMs = ms; leftMs > 0 && !signal.aborted; leftMs = endMs - this.#clock.nowMs())
      await this.#after(Math.ceil(leftMs));
    return !signal.aborted;
  }

  /** Or when the listener is stopped. */
  #after(ms: number): Promise<void> {
    const { signal } = this.#stopped;
    return new Promise((resolve) => {
      const callOff = this.#clock.after(ms, () => {
        signal.removeEventListener('abort', onStop);
        resolve();
      });
      const onStop = (): void => {
        callOff();
        resolve();
      };
      signal.addEventListener('abort', onStop, { once: true });
    });
  }

  /** Closes the keep-alive connections that wait for a request, as an idle server side does. */
  closeIdleConnections(): void {
    this.#server.closeIdleConnections();
  }

  /** Destroys every connection and frees the port. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

function collect(message: IncomingMessage, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  message.on('data', (chunk: Buffer) => chunks.push(chunk));
  message.on('end', () => done(Buffer.concat(chunks)));
}

/** Ends a connection the hard way: a TCP reset, or for TLS (where Node has none) an end without close_notify. */
export function resetConnection(response: ServerResponse): void {
  const { socket } = response;
  if (socket === null) return;
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

/** Writes the body in `pieces`, the first at once and the last after `ms`; stops when the client has gone. */
export async function writeSlowly(
  listener: HttpListener,
  response: ServerResponse,
  body: Buffer,
  { ms, pieces }: { readonly ms: number; readonly pieces: number },
): Promise<void> {
  const size = Math.ceil(body.length / pieces);
  for (let piece = 0; piece < pieces; piece += 1) {
    if (piece > 0 && !(await listener.pause(ms / (pieces - 1)))) return;
    if (response.destroyed) return;
    response.write(body.subarray(piece * size, (piece + 1) * size));
  }
  response.end();
}
