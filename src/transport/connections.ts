/**
 * The connections to the endpoint of a cloud, and one exchange over them: whoever calls builds and signs, this sends.
 * A request handler of our own, because those at hand cannot tell whether a failed request had been handed to
 * the network. Here nothing is written before the connection stands, so `sentAt` is exact: a request that
 * failed without it certainly did nothing.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { CloudClock } from '../core/state/readings';
import type { EndpointAddresses } from './endpointAddresses';
import { hostOf, SpareSockets } from './spareSockets';

/** How one request is sent. To AWS's SDK it is given as the options of `send`, which the SDK hands on to the handler. */
export type SendOptions = {
  /** The only deadline: covers waiting, connecting, TLS, headers and body. */
  readonly abortSignal: AbortSignal;
  /** `DescribeNetworkInterfaces`: what a good answer looks like follows from it. */
  readonly action: string;
  /** The request is built and signed at once; when this is fulfilled, it takes a connection for itself. */
  readonly reserved: Promise<void>;
  /** Nothing is sent before this is fulfilled. Not without the one above. */
  readonly released: Promise<void>;
  /** Called when the request is built and signed. */
  readonly onSigned: () => void;
  /** Called when the request is handed to the socket of a standing connection. */
  readonly onSent: () => void;
};

/** The part of the SDK's request that is used. */
export type SignedRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
};

export type HttpAnswer = {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
};

/** Thrown for an answer that is not one of the service; becomes a failure with this code. */
export class MalformedAnswer extends Error {
  override readonly name = 'MalformedAnswer';
}

/** Thrown for what the network did; `code` is that of the socket. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code: string;

  constructor(cause: Error) {
    // One error per address of the endpoint, where there are several.
    const each: readonly unknown[] = 'errors' in cause && Array.isArray(cause.errors) ? cause.errors : [];
    super(cause.message || each.map((error) => String(error)).join('; '), { cause });
    this.code = 'code' in cause && typeof cause.code === 'string' ? cause.code : 'ConnectionFailed';
  }
}

/**
 * An interface takes about 2 KB and each of its addresses 300 bytes, and no question has more than 200 answers.
 * The SDK's XML parser takes a hundred times as much memory for the worst of texts, so this is not generous.
 */
const BODY_BYTES_MAX = 4 * 1024 * 1024;
const BODY_BYTES_FIRST = 64 * 1024;
/** Per address of the endpoint, except the last one; within a Region a connection stands in 1-2 ms. */
const CONNECT_ATTEMPT_MS = 60;

/** A request that was released and has no answer yet. */
type Pending = {
  /** Two requests of the same content are one and its hedge. */
  readonly content: string;
  /** When it was sent; until then, when it was released. */
  since: number;
  sent: boolean;
  /** Of the endpoint, once TCP stands. */
  address: string | null;
};

export class Connections {
  readonly metadata = { handlerProtocol: 'http/1.1' };
  readonly #endpoint: URL;
  readonly #agent: http.Agent;
  readonly #spare: SpareSockets;
  readonly #request: (options: http.RequestOptions) => http.ClientRequest;
  readonly #addresses: EndpointAddresses;
  readonly #now: () => number;
  readonly #check: (answer: HttpAnswer, action: string) => void;
  readonly #doubtAfterMs: number;
  /** Requests that have a connection, and wait for their release. */
  readonly #held = new Set<http.ClientRequest>();
  readonly #pending = new Map<http.ClientRequest, Pending>();
  #clock: CloudClock | null = null;

  constructor({
    endpoint,
    addresses,
    now,
    check,
    doubtAfterMs,
    authorities = null,
  }: {
    readonly endpoint: URL;
    readonly addresses: EndpointAddresses;
    /** Monotonic milliseconds. */
    readonly now: () => number;
    /** Throws MalformedAnswer for an answer that is not one of the service: a page of a proxy, half an answer. */
    readonly check: (answer: HttpAnswer, action: string) => void;
    /** Most requests are answered well before: the connection or the address, not the service, is the likelier reason. */
    readonly doubtAfterMs: number;
    /** PEM; null: the well-known ones that Node.js trusts. */
    readonly authorities?: string | null;
  }) {
    const secure = endpoint.protocol === 'https:';
    // FIFO: each keepalive uses another connection in turn, which keeps all of them warm. No limit to the
    // sockets: the rules bound the requests, and one that queues for a socket would be the worst of answers.
    const connectOptions = {
      lookup: addresses.lookup,
      autoSelectFamily: true as const,
      autoSelectFamilyAttemptTimeout: CONNECT_ATTEMPT_MS,
      ...(authorities === null ? {} : { secureContext: createSecureContext({ ca: authorities }) }),
    };
    const options = { ...connectOptions, keepAlive: true, scheduling: 'fifo' as const };
    this.#endpoint = endpoint;
    this.#addresses = addresses;
    this.#agent = secure ? new https.Agent(options) : new http.Agent(options);
    this.#spare = new SpareSockets(endpoint, connectOptions);
    const createConnection = this.#agent.createConnection.bind(this.#agent);
    this.#agent.createConnection = (...args) => this.#spare.take() ?? createConnection(...args);
    this.#request = secure ? https.request : http.request;
    this.#now = now;
    this.#check = check;
    this.#doubtAfterMs = doubtAfterMs;
  }

  /** For the SDK: its request handler interface. */
  async handle(request: SignedRequest, options?: object): Promise<{ response: HttpAnswer }> {
    if (!isSendOptions(options)) throw new Error('a request was sent without the options of a sender');
    const { abortSignal, action, reserved, released, onSigned } = options;
    onSigned();
    await reserved;
    abortSignal.throwIfAborted();
    const held = this.#open(request, abortSignal);
    this.#held.add(held);
    await released;
    if (this.#hasDoubt()) this.#dropIdle();
    this.#held.delete(held);
    abortSignal.throwIfAborted();
    const outgoing = this.#reopened(held, request, abortSignal);
    const content = contentOf(request);
    const pending = { content, since: this.#now(), sent: false, address: null };
    try {
      const answer = await this.#exchange(outgoing, request, pending, options);
      this.#check(answer, action);
      this.#addresses.answered(pending.address, this.#now());
      return { response: answer };
    } catch (error) {
      // Whoever tries again is to do it elsewhere.
      this.#addresses.unanswered(pending.address, pending.since, this.#now());
      throw error;
    }
  }

  /**
   * What the request goes over. It may have lost its connection meanwhile, over which nothing was sent. Where
   * the same request is under way already, this one is a hedge: it takes another address than that, or where there is
   * none a new connection, since those that stand may lead to the same hole.
   */
  #reopened(held: http.ClientRequest, request: SignedRequest, abortSignal: AbortSignal): http.ClientRequest {
    const twins = [...this.#pending].filter(
      ([each, { content }]) => content === contentOf(request) && !each.destroyed,
    );
    if (twins.length === 0) return held.destroyed ? this.#open(request, abortSignal) : held;
    const taken = new Set(twins.flatMap(([, { address }]) => address ?? []));
    const hasOther = taken.size > 0 && this.#addresses.hasOther(taken);
    held.destroy();
    return this.#open(request, abortSignal, () =>
      hasOther
        ? this.#spare.elsewhere(taken, this.#addresses.lookupBeside(taken))
        : this.#spare.fresh(this.#addresses.lookup),
    );
  }

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }

  /** What the latest answer said of the time. */
  get clock(): CloudClock | null {
    return this.#clock;
  }

  /** Sees to it that this many idle connections stand or are being opened. Sends nothing. */
  warm(count: number): void {
    const idle = Object.values(this.#agent.freeSockets).reduce(
      (sum, sockets) => sum + (sockets?.length ?? 0),
      0,
    );
    for (let missing = count - idle - this.#spare.count; missing > 0; missing -= 1) this.#spare.add();
  }

  destroy(): void {
    this.#agent.destroy();
    this.#spare.drop();
  }

  /** Takes an idle connection, or opens one; or takes the one that it is given. Sends nothing. */
  #open(
    { method, path, headers }: SignedRequest,
    abortSignal: AbortSignal,
    createConnection?: () => Socket,
  ): http.ClientRequest {
    const host = hostOf(this.#endpoint);
    const port = this.#endpoint.port || null;
    const over = createConnection === undefined ? { agent: this.#agent } : { createConnection };
    const outgoing = this.#request({ host, port, method, path, headers, ...over });
    const onAbort = () => outgoing.destroy(new Error('given up'));
    abortSignal.addEventListener('abort', onAbort, { once: true });
    outgoing.once('close', () => abortSignal.removeEventListener('abort', onAbort));
    // At once, and not with the last of the socket: it is not to be taken for one that can be used.
    outgoing.on('error', () => outgoing.destroy());
    return outgoing;
  }

  #exchange(
    outgoing: http.ClientRequest,
    { body }: SignedRequest,
    pending: Pending,
    { onSent }: SendOptions,
  ): Promise<HttpAnswer> {
    if (typeof body !== 'string') throw new Error('a request has no text body');
    return new Promise((resolve, reject) => {
      let answered = false;
      this.#pending.set(outgoing, pending);
      // The first call counts, later ones change nothing.
      const fail = (error: Error) => {
        // Idle connections may lead to the same hole: the next request is to open its own.
        if (pending.address !== null && !answered) this.#dropIdle();
        answered = true;
        reject(error instanceof MalformedAnswer ? error : new ConnectionError(error));
      };
      outgoing.once('close', () => {
        this.#pending.delete(outgoing);
        // Node's own word for an answer that breaks off comes after this event, and with this code.
        fail(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' }));
      });
      outgoing.on('error', fail);
      // Asked for while it stands: a socket that is gone does not know any more where it led.
      whenSocket(outgoing, (socket) =>
        whenOpen(socket, () => (pending.address = socket.remoteAddress ?? null)),
      );
      whenStanding(outgoing, () => {
        if (outgoing.destroyed) return;
        Object.assign(pending, { sent: true, since: this.#now() });
        onSent();
        outgoing.end(body);
      });
      outgoing.once('response', (incoming) => {
        answered = true;
        this.#pending.delete(outgoing);
        this.#noteClock(incoming.headers.date, pending.since);
        incoming.on('error', fail);
        readBody(incoming, outgoing, (bytes) =>
          resolve({
            statusCode: incoming.statusCode ?? 0,
            headers: flatHeaders(incoming.headers),
            body: bytes,
          }),
        );
      });
    });
  }

  #noteClock(date: string | undefined, sentAt: number): void {
    const dateMs = Date.parse(date ?? '');
    if (!Number.isNaN(dateMs)) this.#clock = { dateMs, sentAt, receivedAt: this.#now() };
  }

  /** Some request waits so long that its address, and the idle connections, as old as its own, are in doubt. */
  #hasDoubt(): boolean {
    const now = this.#now();
    const late = [...this.#pending.values()].filter(({ since }) => now - since >= this.#doubtAfterMs);
    for (const { address, since } of late) this.#addresses.unanswered(address, since, now);
    return late.length > 0;
  }

  #dropIdle(): void {
    for (const request of this.#held) request.destroy();
    for (const sockets of Object.values(this.#agent.freeSockets)) {
      for (const socket of [...(sockets ?? [])]) socket.destroy();
    }
    this.#spare.drop();
  }
}

const contentOf = ({ method, path, body }: SignedRequest): string => `${method} ${path} ${String(body)}`;

/** The SDK types the options that it hands on as its own; they are those that `send` was given. */
function isSendOptions(options: object | undefined): options is SendOptions {
  return options !== undefined && 'onSent' in options && 'released' in options && 'action' in options;
}

function whenStanding(outgoing: http.ClientRequest, callback: () => void): void {
  whenSocket(outgoing, (socket) => whenConnected(socket, callback));
}

function whenSocket(outgoing: http.ClientRequest, callback: (socket: Socket) => void): void {
  if (outgoing.socket === null) outgoing.once('socket', callback);
  else callback(outgoing.socket);
}

/** Once TCP stands. */
function whenOpen(socket: Socket, callback: () => void): void {
  if (socket.connecting) socket.once('connect', callback);
  else callback();
}

function whenConnected(socket: Socket, callback: () => void): void {
  if (socket instanceof TLSSocket) {
    // `authorized` turns true with the end of the handshake: unverified peers are never accepted.
    if (socket.authorized) callback();
    else socket.once('secureConnect', callback);
  } else whenOpen(socket, callback);
}

function readBody(
  incoming: http.IncomingMessage,
  outgoing: http.ClientRequest,
  onEnd: (bytes: Uint8Array) => void,
): void {
  // One buffer: chunks may be of one byte, and keeping each would take far more than they hold.
  let body = Buffer.alloc(BODY_BYTES_FIRST);
  let size = 0;
  incoming.on('data', (chunk: Buffer) => {
    if (size + chunk.length > BODY_BYTES_MAX) {
      outgoing.destroy(new MalformedAnswer(`an answer of more than ${BODY_BYTES_MAX} bytes`));
      return;
    }
    if (size + chunk.length > body.length) {
      body = Buffer.concat([body.subarray(0, size)], Math.max(2 * body.length, size + chunk.length));
    }
    size += chunk.copy(body, size);
  });
  incoming.once('end', () => onEnd(body.subarray(0, size)));
}

function flatHeaders(headers: http.IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}
