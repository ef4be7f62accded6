// A Service-Layer API client for the simulator's tests: bare grpc-js, no code of the product.
import { Client, credentials, Metadata, type ChannelCredentials, type StatusObject } from '@grpc/grpc-js';
import { loadSync, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader';
import { join } from 'node:path';
import { SimRouter } from '../../lab/slapi-sim/router';
import type { SimRouterOptions } from '../../lab/slapi-sim/options';
import type { Fabric } from '../../lab/slapi-sim/fabric';
import type { Generation } from '../../lab/slapi-sim/wire';
import { PATIENCE_MS } from '../support/eventually';

export const ten0 = 'TenGigE0/0/0/0';
export const ten1 = 'TenGigE0/0/0/1';

export interface Stream {
  /** What has arrived, oldest first, as plain JSON. */
  readonly messages: object[];
  /** How it ended; null while it is open. */
  status(): { readonly code: number; readonly details: string } | null;
  /** Whether the server has acknowledged it. */
  headers(): boolean;
  write(message: object): void;
  end(): void;
  cancel(): void;
}

export interface ClientOptions {
  readonly credentials?: ChannelCredentials;
  readonly channel?: Readonly<Record<string, string | number>>;
  readonly metadata?: Readonly<Record<string, string>>;
}

type Method = MethodDefinition<object, object>;

export class RawClient {
  readonly #client: Client;
  readonly #metadata = new Metadata();
  readonly #methods: ReadonlyMap<string, Method>;
  readonly #streams: Stream[] = [];

  constructor(target: string, generation: Generation, options: ClientOptions = {}) {
    this.#client = new Client(target, options.credentials ?? credentials.createInsecure(), {
      'grpc.initial_reconnect_backoff_ms': 20,
      'grpc.max_reconnect_backoff_ms': 100,
      // Clients of one test must not share a connection.
      'grpc.use_local_subchannel_pool': 1,
      ...options.channel,
    });
    for (const [key, value] of Object.entries(options.metadata ?? {})) this.#metadata.set(key, value);
    this.#methods = methods(generation);
  }

  /** Rejects with the gRPC status. Waits for the connection where there is none yet. */
  call(name: string, request: object = {}, deadlineMs = PATIENCE_MS): Promise<object> {
    const method = this.#method(name);
    const options = { deadline: Date.now() + deadlineMs };
    this.#metadata.setOptions({ waitForReady: true });
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        this.#metadata,
        options,
        (error, reply) => {
          if (error !== null) reject(error);
          else resolve(plain(reply ?? {}));
        },
      );
    });
  }

  open(name: string, request: object = {}): Stream {
    const stream = this.#open(name, request);
    this.#streams.push(stream);
    return stream;
  }

  #open(name: string, request: object): Stream {
    const method = this.#method(name);
    const { path, requestSerialize, responseDeserialize } = method;
    if (method.requestStream) {
      const call = this.#client.makeBidiStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        this.#metadata,
      );
      return follow(
        call,
        (message) => call.write(message),
        () => call.end(),
      );
    }
    const call = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      this.#metadata,
    );
    const refuse = () => {
      throw new Error(`${name} takes no messages`);
    };
    return follow(call, refuse, refuse);
  }

  /** As when its process ends: the streams go with it. */
  close(): void {
    for (const stream of this.#streams) stream.cancel();
    this.#client.close();
  }

  #method(name: string): Method {
    const method = this.#methods.get(name);
    if (method === undefined) throw new Error(`no method ${name}`);
    return method;
  }
}

interface IncomingCall {
  on(event: 'data', listener: (message: object) => void): unknown;
  on(event: 'error' | 'metadata', listener: () => void): unknown;
  on(event: 'status', listener: (status: StatusObject) => void): unknown;
  cancel(): void;
}

function follow(call: IncomingCall, write: (message: object) => unknown, end: () => unknown): Stream {
  const messages: object[] = [];
  let ended: { code: number; details: string } | null = null;
  call.on('data', (message) => messages.push(plain(message)));
  call.on('error', () => undefined);
  let acknowledged = false;
  call.on('metadata', () => {
    acknowledged = true;
  });
  call.on('status', ({ code, details }) => {
    ended = { code, details };
  });
  return {
    messages,
    status: () => ended,
    headers: () => acknowledged,
    write: (message) => void write(message),
    end: () => void end(),
    cancel: () => call.cancel(),
  };
}

const plain = (message: object): object => JSON.parse(JSON.stringify(message)) as object;

const loaded = new Map<Generation, ReadonlyMap<string, Method>>();

function methods(generation: Generation): ReadonlyMap<string, Method> {
  const found = loaded.get(generation) ?? load(generation);
  loaded.set(generation, found);
  return found;
}

function load(generation: Generation): ReadonlyMap<string, Method> {
  const services = [
    ['core.proto', 'SLGlobal'],
    ['core.proto', 'SLBfdv4Oper'],
    ['core.proto', 'SLBfdv6Oper'],
    [`interface-${generation}.proto`, 'SLInterfaceOper'],
  ] as const;
  const entries = services.flatMap(([file, service]) => {
    const root = loadSync(join(__dirname, '..', '..', 'proto', file), {
      keepCase: true,
      enums: String,
      longs: Number,
    });
    return Object.entries(root[`service_layer.${service}`] as ServiceDefinition);
  });
  return new Map(entries);
}

/** Polls until the condition holds; the message of the failure says what was seen last. */
export async function until(what: string, holds: () => boolean, seen?: () => unknown): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  while (!holds()) {
    if (performance.now() > giveUpAt)
      throw new Error(`never happened: ${what}; seen ${JSON.stringify(seen?.())}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Routers, clients and fabrics of one test file, closed after each test. */
export function lab() {
  const open: { close: () => void }[] = [];
  afterEach(() => {
    for (const each of open.splice(0).reverse()) each.close();
  });
  return {
    router: async (options: Partial<SimRouterOptions> = {}): Promise<SimRouter> => {
      const router = new SimRouter({ name: 'r1', generation: 'gen1', interfaces: [ten0, ten1], ...options });
      open.push(router);
      await router.start();
      return router;
    },
    client: (router: SimRouter, options: ClientOptions = {}): RawClient => {
      const client = new RawClient(router.target, router.generation, options);
      open.push(client);
      return client;
    },
    fabric: (fabric: Fabric): Fabric => {
      open.push(fabric);
      return fabric;
    },
  };
}

export const toNumber = (address: string): number =>
  address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);

export const singleHop = (neighbor: string, name: string): object => ({
  Type: 'SL_BFD_SINGLE_HOP',
  VrfName: 'default',
  NbrAddr: toNumber(neighbor),
  Interface: { Name: name },
});

/** An IPv6 address of which the last byte is given. */
export const ipv6 = (last: number): Buffer =>
  Buffer.from(`20010db8${'00'.repeat(11)}${last.toString(16).padStart(2, '0')}`, 'hex');

export const singleHopV6 = (last: number, name: string): object => ({
  Type: 'SL_BFD_SINGLE_HOP',
  VrfName: 'default',
  NbrAddr: ipv6(last),
  Interface: { Name: name },
});

export const timers = { DesiredTxIntUsec: 50_000, DetectMultiplier: 3 };

export const sessionOp = (oper: 'ADD' | 'UPDATE' | 'DELETE', ...keys: readonly object[]): object => ({
  Oper: `SL_OBJOP_${oper}`,
  Sessions: keys.map((Key) => ({ Key, Config: timers })),
});

/** A client with its streams open and registered: what every BFD client does first. */
export async function registered(client: RawClient): Promise<{ init: Stream; bfd: Stream }> {
  const init = client.open('SLGlobalInitNotif', { MinorVer: 3 });
  await until('the handshake', () => init.messages.length > 0);
  const bfd = client.open('SLBfdv4GetNotifStream');
  await client.call('SLBfdv4RegOp', { Oper: 'SL_REGOP_REGISTER' });
  return { init, bfd };
}

/** The states of a BFD stream's events, in order. */
export const states = (stream: Stream): string[] =>
  stream.messages.map((message) => {
    const { Session } = message as { Session?: { State: { Status?: string; Diag?: string } } };
    return (Session?.State.Status ?? 'none').replace('SL_BFD_', '').replace('SESSION_', '');
  });
