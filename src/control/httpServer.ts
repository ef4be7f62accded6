/**
 * An HTTP server that its clients cannot break: few connections, each for one request, each with an end. What is
 * over a limit gets one clear answer, like everything that is no HTTP. It decides nothing: a route does.
 */
import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';

/** `body` becomes one line of JSON; `text` is what is sent. */
export type HttpAnswer = {
  readonly status: number;
  readonly headers?: { readonly [name: string]: string };
} & ({ readonly body: unknown } | { readonly contentType: string; readonly text: string });

/** What a route may look at beside the body. */
export type Asked = {
  readonly query: URLSearchParams;
  readonly authorization: string | null;
  readonly accept: string;
};

/** Must not reject. It gets the whole body of the request, which is empty where there was none. */
export type Route = (body: Buffer, asked: Asked) => Promise<HttpAnswer>;

export type HttpServerOptions = {
  /** By method and path: `POST /command`. Nothing else is served, but HEAD where there is GET. */
  readonly routes: { readonly [request: string]: Route };
  /** From the connection to the end of the request; and from the answer until it has been read. */
  readonly requestTimeoutMs: number;
  /** HTTPS with these; absent: plain HTTP. */
  readonly tls?: SecureContextOptions;
};

export type HttpServer = {
  readonly server: Server;
  /** Turns away who has not asked yet, gives answers under way a moment to get out, and ends every connection. */
  readonly end: (withinMs: number) => Promise<void>;
};

const maxBodyBytes = 4096;
/** Of the request line and all headers together; what `ha` sends has about 150 bytes. */
const maxHeaderBytes = 8192;
const maxConnections = 16;
/** Those beyond this many more are dropped without a word. */
const maxTurnedAway = 16;
/** How long who has its answer may go on writing: with unread bytes left, the answer may not reach it. */
const lingerMs = 1_000;
/** How often Node looks for requests that take too long. */
const looksPerTimeout = 5;

const headers = { 'content-type': 'application/json', connection: 'close' } as const;

export function httpServer({ routes, requestTimeoutMs, tls }: HttpServerOptions): HttpServer {
  /** Each with the response that it waits for; null before its request has come. */
  const open = new Map<Socket, ServerResponse | null>();
  const turnedAway = new Set<Socket>();
  let isEnding = false;
  const options = {
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.ceil(requestTimeoutMs / looksPerTimeout),
    // A request to a connection: what follows it is not read.
    keepAlive: false,
  };
  // A handshake has the time of a request; those under way end with the server, as all that it has accepted.
  const server: Server =
    tls === undefined
      ? createServer(options)
      : createTlsServer({ ...options, ...tls, handshakeTimeout: requestTimeoutMs });
  const handshakes = new Set<Socket>();
  if (tls !== undefined)
    server.on('connection', (socket: Socket) => {
      handshakes.add(socket);
      socket.once('close', () => handshakes.delete(socket));
    });
  server.maxRequestsPerSocket = 1;
  // Who has no more to send may still wait for the answer. Node has it as a property only.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.maxConnections = maxConnections + maxTurnedAway;

  server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    // A client that leaves in the middle is its own loss.
    socket.on('error', () => {});
    const isServed = open.size < maxConnections;
    socket.once('close', () => (isServed ? open.delete(socket) : turnedAway.delete(socket)));
    if (isServed) return void open.set(socket, null);
    turnedAway.add(socket);
    dismiss(socket, 503, `the daemon has ${maxConnections} requests open already; try again in a moment`);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const response = open.get(socket) ?? null;
    // What follows a whole request, or one that has its answer, is thrown away.
    if (response !== null && (response.req.complete || response.headersSent)) return void discard(socket);
    const [status, words] = faultOf(error.code ?? '', requestTimeoutMs);
    dismiss(socket, status, words);
  });
  server.on('request', (request, response) => {
    if (turnedAway.has(request.socket)) return;
    open.set(request.socket, response);
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    const route = routes[`${request.method === 'HEAD' ? 'GET' : (request.method ?? '')} ${path}`];
    const asked = {
      query: new URLSearchParams(query),
      authorization: request.headers.authorization ?? null,
      accept: request.headers.accept ?? '',
    };
    if (isEnding) return reply(request, response, refusal(503, 'the daemon is stopping'));
    if (route === undefined) {
      const known = Object.keys(routes).join(', ');
      return reply(request, response, refusal(404, `there is no such request here; there is ${known}`));
    }
    void bodyOf(request).then(async (body) => {
      if (body === 'cut off') return;
      const tooLong = refusal(413, `the request is longer than ${maxBodyBytes} bytes`);
      reply(request, response, body === 'too long' ? tooLong : await route(body, asked));
      const unread = setTimeout(() => request.socket.destroy(), requestTimeoutMs);
      request.socket.once('close', () => clearTimeout(unread));
    });
  });

  return {
    server,
    async end(withinMs) {
      isEnding = true;
      for (const [socket, response] of open) {
        if (response === null || !response.req.complete) dismiss(socket, 503, 'the daemon is stopping');
      }
      const sockets = [...open.keys(), ...turnedAway, ...handshakes];
      const late = setTimeout(() => sockets.forEach((socket) => socket.destroy()), withinMs);
      await Promise.all(sockets.map(closed));
      clearTimeout(late);
    },
  };
}

export function refusal(status: number, error: string): HttpAnswer {
  return { status, body: { error } };
}

/** What Node's parser and its time-outs find fault with, for who has written it by hand. */
function faultOf(code: string, requestTimeoutMs: number): readonly [status: number, words: string] {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [408, `the request has not come within ${requestTimeoutMs / 1000} s`];
    case 'HPE_HEADER_OVERFLOW':
      return [431, `the headers of the request are longer than ${maxHeaderBytes} bytes`];
    case 'HPE_INVALID_EOF_STATE':
      return [400, 'the request is cut off'];
    default:
      return [400, 'the request is not HTTP'];
  }
}

function bodyOf(request: IncomingMessage): Promise<Buffer | 'too long' | 'cut off'> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    request.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes <= maxBodyBytes) parts.push(part);
      else resolve('too long');
    });
    request.once('end', () => resolve(Buffer.concat(parts)));
    request.once('close', () => resolve('cut off'));
    request.on('error', () => resolve('cut off'));
  });
}

/** The connection ends with it, or a little later where the client still writes. */
function reply(request: IncomingMessage, response: ServerResponse, answer: HttpAnswer): void {
  const text = 'text' in answer ? answer.text : textOf(answer.body);
  response.writeHead(answer.status, {
    ...headers,
    ...('text' in answer ? { 'content-type': answer.contentType } : {}),
    ...answer.headers,
    'content-length': Buffer.byteLength(text),
  });
  if (request.complete) return void response.end(text);
  response.write(text);
  const late = setTimeout(() => request.socket.destroy(), lingerMs);
  request.once('end', () => response.end());
  request.once('close', () => clearTimeout(late));
  request.resume();
}

/** The answer to what is no request that Node can hand out; what is still to come of it is thrown away. */
function dismiss(socket: Socket, status: number, error: string): void {
  if (!socket.writable) return void socket.destroy();
  const text = textOf({ error });
  const lines = Object.entries({ ...headers, 'content-length': Buffer.byteLength(text) });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const late = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(late));
  discard(socket);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${head}\r\n${text}`);
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

/** Node's parser sees nothing more of it. */
function discard(socket: Socket): void {
  socket.removeAllListeners('data').on('data', () => {});
}

function textOf(body: unknown): string {
  return `${JSON.stringify(body)}\n`;
}
