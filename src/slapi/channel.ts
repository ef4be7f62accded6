/**
 * One gRPC connection to the router: how it is secured, and calls whose failures are values. Messages of
 * a stream are handed on as bytes, so that one that does not decode costs itself and not the stream. Must
 * not know what the messages mean, and never logs what the credentials file holds.
 */
import {
  Client,
  Metadata,
  credentials,
  status,
  type ChannelCredentials,
  type ChannelOptions,
  type ServiceError,
} from '@grpc/grpc-js';
import { readFile } from 'node:fs/promises';
import type { SlapiSettings } from '../config/settings';
import { together } from '../together';
import type { Method } from './protos';

export type RpcFailure = {
  /** Name of the gRPC status, or `MALFORMED` for a reply that does not decode. */
  readonly code: string;
  readonly message: string;
  /** `ECONNREFUSED` and the like where no connection came about. */
  readonly connectError: string | null;
};

export type RpcReply =
  { readonly ok: true; readonly message: object } | { readonly ok: false; readonly failure: RpcFailure };

export type StreamListener = {
  /** Called inside gRPC's data callback. */
  readonly message: (bytes: Buffer) => void;
  /** Once, unless this side closed the channel first; null for an end without an error. */
  readonly ended: (failure: RpcFailure | null) => void;
};

export type Keepalive = { readonly timeMs: number; readonly timeoutMs: number };

type Opened =
  { readonly ok: true; readonly channel: RouterChannel } | { readonly ok: false; readonly cause: string };

/** Reads the CA and the credentials anew, as they may have been replaced, and connects at the first call. */
export async function openChannel(settings: SlapiSettings, keepalive: Keepalive): Promise<Opened> {
  try {
    const [security, metadata] = await together([
      channelCredentials(settings.tls),
      loginMetadata(settings.credentialsFile),
    ]);
    return { ok: true, channel: new RouterChannel(settings, security, metadata, keepalive) };
  } catch (error: unknown) {
    if (!(error instanceof Error)) throw error;
    return { ok: false, cause: error.message };
  }
}

export class RouterChannel {
  /** As configured: an address and port, or `unix:` and a path. */
  readonly target: string;
  readonly #client: Client;
  readonly #metadata: Metadata;
  readonly #calls = new Set<{ cancel: () => void }>();
  #closed = false;

  constructor(
    { target, tls }: SlapiSettings,
    security: ChannelCredentials,
    metadata: Metadata,
    keepalive: Keepalive,
  ) {
    this.target = target;
    this.#metadata = metadata;
    const serverName: ChannelOptions =
      tls === null
        ? {}
        : { 'grpc.ssl_target_name_override': tls.serverName, 'grpc.default_authority': tls.serverName };
    this.#client = new Client(target, security, {
      ...serverName,
      'grpc.keepalive_time_ms': keepalive.timeMs,
      'grpc.keepalive_timeout_ms': keepalive.timeoutMs,
      'grpc.keepalive_permit_without_calls': 1,
      // A shared subchannel would bring its own reconnect backoff into the next connection.
      'grpc.use_local_subchannel_pool': 1,
      // The router is on this machine: a proxy from the environment is for others.
      'grpc.enable_http_proxy': 0,
      'grpc.enable_retries': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.max_receive_message_length': 1024 * 1024,
    });
  }

  unary(method: Method, request: object, timeoutMs: number): Promise<RpcReply> {
    if (this.#closed) return Promise.resolve({ ok: false, failure: closedFailure });
    return new Promise((resolve) => {
      const options = { deadline: Date.now() + timeoutMs };
      const call = this.#client.makeUnaryRequest(
        method.path,
        method.encode,
        passBytes,
        request,
        this.#metadata,
        options,
        (error, bytes) => {
          this.#calls.delete(call);
          if (error !== null) resolve({ ok: false, failure: failureOf(error) });
          else resolve(decoded(method, bytes ?? Buffer.alloc(0)));
        },
      );
      this.#calls.add(call);
    });
  }

  serverStream(method: Method, request: object, listener: StreamListener): void {
    const call = this.#client.makeServerStreamRequest(
      method.path,
      method.encode,
      passBytes,
      request,
      this.#metadata,
    );
    this.#listen(call, listener);
  }

  /** Returns what sends a request on the stream. */
  duplexStream(method: Method, listener: StreamListener): (request: object) => void {
    const call = this.#client.makeBidiStreamRequest(method.path, method.encode, passBytes, this.#metadata);
    this.#listen(call, listener);
    return (request) => {
      if (!this.#closed) call.write(request);
    };
  }

  /** Ends every call and the connection; no listener hears anything after this. */
  close(): void {
    this.#closed = true;
    for (const call of this.#calls) call.cancel();
    this.#client.close();
  }

  #listen(call: StreamCall, listener: StreamListener): void {
    this.#calls.add(call);
    let over = false;
    const end = (failure: RpcFailure | null) => {
      this.#calls.delete(call);
      if (over || this.#closed) return;
      over = true;
      listener.ended(failure);
    };
    call.on('data', (bytes: Buffer) => {
      if (!this.#closed) listener.message(bytes);
    });
    // The last messages may still be on their way to 'data' when the error that ends the stream is told.
    call.on('error', (error: ServiceError) => setImmediate(() => end(failureOf(error))));
    call.on('end', () => setImmediate(() => end(null)));
  }
}

type StreamCall = {
  cancel: () => void;
  on: {
    (event: 'data', listener: (bytes: Buffer) => void): unknown;
    (event: 'error', listener: (error: ServiceError) => void): unknown;
    (event: 'end', listener: () => void): unknown;
  };
};

const passBytes = (bytes: Buffer): Buffer => bytes;
const closedFailure: RpcFailure = {
  code: 'CANCELLED',
  message: 'the connection is closed',
  connectError: null,
};

/** `UNAVAILABLE: No connection established ...`, at most a line, and nothing in it that steers a terminal. */
export function failureInWords({ code, message }: RpcFailure): string {
  return `${code}: ${message.slice(0, 300).replace(/[\s\p{C}]+/gu, ' ')}`;
}

/**
 * The router ended the connection because it was asked too much (GOAWAY with ENHANCE_YOUR_CALM), as servers do with
 * pings that come too often. grpc-js gives an answer that is too long the same code.
 */
export function wantsCalm({ code, message }: RpcFailure): boolean {
  return (
    code === 'RESOURCE_EXHAUSTED' && /bandwidth exhausted|too.many.pings|enhance.your.calm/i.test(message)
  );
}

function failureOf(error: ServiceError): RpcFailure {
  const code = status[error.code] ?? `status ${error.code}`;
  // grpc-js ends the sentence with an empty note about name resolution.
  const message = error.details.replace(/\.? ?Resolution note:.*$/s, '');
  const connectError = /Last error: Error: connect (E[A-Z]+)/.exec(message)?.[1] ?? null;
  return { code, message, connectError };
}

function decoded(method: Method, bytes: Buffer): RpcReply {
  try {
    return { ok: true, message: method.decode(bytes) };
  } catch (error: unknown) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      ok: false,
      failure: { code: 'MALFORMED', message: `the reply does not decode: ${why}`, connectError: null },
    };
  }
}

async function channelCredentials(tls: SlapiSettings['tls']): Promise<ChannelCredentials> {
  if (tls === null) return credentials.createInsecure();
  const certificate = await readConfigured(tls.caFile, "the router's certificate");
  try {
    return credentials.createSsl(certificate);
  } catch (cause: unknown) {
    throw new Error(`the router's certificate in ${tls.caFile} is not a PEM certificate`, { cause });
  }
}

/** XR reads `username` and `password` from the metadata of each call. */
async function loginMetadata(credentialsFile: string | null): Promise<Metadata> {
  const metadata = new Metadata();
  if (credentialsFile === null) return metadata;
  const text = (await readConfigured(credentialsFile, 'the credentials file')).toString('utf8');
  const [username, password] = text.split(/\r?\n/);
  if (!username || !password) {
    throw new Error(
      `the credentials file ${credentialsFile} needs two lines: the user name and the password`,
    );
  }
  try {
    metadata.set('username', username);
    metadata.set('password', password);
  } catch {
    // gRPC's own words would quote the value.
    throw new Error(
      `the credentials file ${credentialsFile} holds a character that gRPC metadata cannot carry`,
    );
  }
  return metadata;
}

async function readConfigured(path: string, what: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause: unknown) {
    const coded = typeof cause === 'object' && cause !== null && 'code' in cause;
    const code = coded ? String(cause.code) : 'unreadable';
    throw new Error(`${what} ${path} cannot be read (${code})`, { cause });
  }
}
