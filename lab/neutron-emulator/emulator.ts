/**
 * Keystone, Neutron, what Nova shows of servers, and the metadata service, on one port, as far as the product and the tests use them: what
 * the real ones were seen to do (test/openstack runs the same checks against them), no data plane, no agents.
 */
import { z } from 'zod';
import { FaultTable, faultScope } from '../faultRules';
import { openListener, type HttpListener, type ListenerOptions, type ReceivedRequest } from '../httpListener';
import { changeFloatingIp, changePort, changeRoutes, found, type Change } from './changes';
import { error, Identity, type ApplicationCredential } from './identity';
import { NeutronError, type NeutronModel } from './model';

/**
 * `status`: answers so and does nothing (503 as the page that Neutron sends while Keystone is away). `silence`: does it, or
 * not, and never answers. `delay`: so much later. An action is `GET ports`, `PUT floatingips`, `POST auth/tokens`.
 */
export const neutronFault = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('status'), status: z.int(), type: z.string().optional(), ...faultScope }),
  z.object({ kind: z.literal('silence'), done: z.boolean(), ...faultScope }),
  z.object({ kind: z.literal('delay'), ms: z.number(), ...faultScope }),
]);
export type NeutronFault = z.infer<typeof neutronFault>;

export type NeutronRequest = {
  readonly action: string;
  readonly path: string;
  readonly receivedAt: number;
  /** Null: not answered yet. */
  readonly status: number | null;
};

export type NeutronOptions = {
  readonly model: NeutronModel;
  readonly credentials: readonly ApplicationCredential[];
  /** Default: an hour, as Keystone's. */
  readonly tokenLifeMs?: number;
  /** Of every request; a change is committed half way through. Default 0. */
  readonly latencyMs?: number;
  /** What the metadata service answers: `/openstack/latest/network_data.json`. */
  readonly metadata?: Readonly<Record<string, object>>;
  readonly port?: number;
  /** PEM texts; absent: plain HTTP. */
  readonly tls?: ListenerOptions['tls'];
};

/** As a running or a stopped one has it. https://docs.openstack.org/api-ref/compute/#show-server-details */
export type EmulatedServer = {
  readonly status: string;
  readonly powerState: number;
  readonly taskState: string | null;
};

type Answer = { readonly status: number; readonly body: object | string; readonly token?: string };

export async function startNeutron(options: NeutronOptions): Promise<NeutronEmulator> {
  const emulator = new NeutronEmulator(options);
  await emulator.open(options.port ?? 0);
  return emulator;
}

export class NeutronEmulator {
  readonly faults = new FaultTable<NeutronFault>();
  readonly identity: Identity;
  model: NeutronModel;
  /** By id, as Nova shows them. */
  readonly servers = new Map<string, EmulatedServer>();
  latencyMs: number;
  readonly #metadata: Readonly<Record<string, object>>;
  #listener: HttpListener | null = null;
  readonly #requests: NeutronRequest[] = [];
  readonly #tls: ListenerOptions['tls'];
  #port = 0;

  constructor({
    model,
    credentials,
    tokenLifeMs = 3_600_000,
    latencyMs = 0,
    metadata = {},
    tls,
  }: NeutronOptions) {
    this.#tls = tls;
    this.model = model;
    this.latencyMs = latencyMs;
    this.#metadata = metadata;
    this.identity = new Identity(credentials, tokenLifeMs);
  }

  get url(): string {
    return `${this.#tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.#port}`;
  }

  get authUrl(): string {
    return `${this.url}/v3`;
  }

  /** Oldest first. */
  requests(): readonly NeutronRequest[] {
    return this.#requests;
  }

  /** Again after `stop`: on the same port, with what it knew. */
  async open(port = this.#port): Promise<void> {
    this.#listener = await openListener({
      port,
      ...(this.#tls === undefined ? {} : { tls: this.#tls }),
      onRequest: (request) => void this.#serve(request),
    });
    this.#port = Number(new URL(this.#listener.url).port);
  }

  async stop(): Promise<void> {
    const listener = this.#listener;
    this.#listener = null;
    await listener?.stop();
  }

  async #serve(request: ReceivedRequest): Promise<void> {
    const { method, url, receivedAt } = request;
    const { pathname } = new URL(url, 'http://neutron');
    const action = `${method} ${actionOf(pathname)}`;
    const noted = { action, path: url, receivedAt, status: null as number | null };
    this.#requests.push(noted);
    const faults = this.faults.take({ action, sources: [] });
    const faultOf = <K extends NeutronFault['kind']>(kind: K) =>
      faults.find((each): each is Extract<NeutronFault, { kind: K }> => each.kind === kind);
    const listener = this.#listener;
    const pause = async (ms: number) => (ms <= 0 ? true : ((await listener?.pause(ms)) ?? false));
    const silence = faultOf('silence');
    if (silence?.done === false) return;
    if (!(await pause(this.latencyMs / 2 + (faultOf('delay')?.ms ?? 0)))) return;
    const status = faultOf('status');
    const answer = status === undefined ? this.#answer(request, pathname, pause) : faulty(status);
    const { status: code, body, token } = await answer;
    if (silence !== undefined) return;
    if (!(await pause(this.latencyMs / 2))) return;
    noted.status = code;
    const { response } = request;
    response.writeHead(code, {
      'content-type': typeof body === 'string' ? 'text/html' : 'application/json',
      'x-openstack-request-id': `req-${this.#requests.length}`,
      ...(token === undefined ? {} : { 'x-subject-token': token }),
    });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }

  async #answer(
    { method, url, headers, body: bytes }: ReceivedRequest,
    pathname: string,
    pause: (ms: number) => Promise<boolean>,
  ): Promise<Answer> {
    const body: unknown = bytes.length === 0 ? null : JSON.parse(bytes.toString('utf8'));
    if (pathname === '/v3/auth/tokens') return this.identity.authenticate(body, this.url);
    const metadata = this.#metadata[pathname];
    if (metadata !== undefined) return { status: 200, body: metadata };
    const given = headers['x-auth-token'];
    if (!this.identity.isGood(typeof given === 'string' ? given : undefined))
      return error(401, 'Unauthorized', 'The request you have made requires authentication.');
    if (pathname.startsWith('/v2.1/servers/')) return this.#server(pathname.split('/')[3] ?? '');
    try {
      if (method === 'GET') return { status: 200, body: read(this.model, url) };
      const change = changeOf(this.model, pathname, body);
      demandRevision(this.model, pathname, headers['if-match']);
      // Two at the same moment: both have read before either commits, and neither looks again.
      await pause(this.latencyMs / 4);
      this.model = change(this.model);
      return { status: 200, body: one(this.model, pathname.replace(/\/\w+_extraroutes$/, '')) };
    } catch (thrown) {
      if (!(thrown instanceof NeutronError)) throw thrown;
      const { status, type, message } = thrown;
      return { status, body: { NeutronError: { type, message, detail: '' } } };
    }
  }

  #server(id: string): Answer {
    const server = this.servers.get(id);
    if (server === undefined)
      return {
        status: 404,
        body: { itemNotFound: { code: 404, message: `Instance ${id} could not be found.` } },
      };
    const { status, powerState, taskState } = server;
    return {
      status: 200,
      body: {
        server: {
          id,
          status,
          'OS-EXT-STS:power_state': powerState,
          'OS-EXT-STS:task_state': taskState,
          'OS-EXT-STS:vm_state': status === 'ACTIVE' ? 'active' : 'stopped',
        },
      },
    };
  }
}

export function faulty({ status, type }: Extract<NeutronFault, { kind: 'status' }>): Answer {
  if (status === 503)
    return {
      status,
      body: '<html><head><title>503 Service Unavailable</title></head><body><h1>503 Service Unavailable</h1>The Keystone service is temporarily unavailable.</body></html>',
    };
  if (status === 401) return error(401, 'Unauthorized', 'The request you have made requires authentication.');
  return {
    status,
    body: { NeutronError: { type: type ?? 'Fault', message: `a fault: ${status}`, detail: '' } },
  };
}

const COLLECTIONS = ['ports', 'floatingips', 'routers'] as const;
type Collection = (typeof COLLECTIONS)[number];
const NOT_FOUND = {
  ports: 'PortNotFound',
  floatingips: 'FloatingIPNotFound',
  routers: 'RouterNotFound',
} as const;

/** `PUT floatingips` without its method: what of the path says which kind of request it is. */
export function actionOf(pathname: string): string {
  const [, , collection = '', , further] = pathname.split('/');
  return /^\/v2\.[01]\//.test(pathname) ? (further ?? collection) : pathname.split('/').slice(2).join('/');
}

type Place = {
  readonly collection: Collection;
  readonly id: string | undefined;
  readonly further: string | undefined;
};

function placeOf(pathname: string): Place {
  const [, version, name, id, further] = pathname.split('/');
  const collection = COLLECTIONS.find((each) => each === name);
  if (version !== 'v2.0' || collection === undefined)
    throw new NeutronError(404, 'HTTPNotFound', 'The resource could not be found.');
  return { collection, id, further };
}

function changeOf(model: NeutronModel, pathname: string, body: unknown): Change {
  const { collection, id = '', further } = placeOf(pathname);
  if (collection === 'floatingips') return changeFloatingIp(model, id, body);
  if (collection === 'ports') return changePort(model, id, body);
  return changeRoutes(
    model,
    id,
    body,
    further === 'add_extraroutes' || further === 'remove_extraroutes' ? further : 'replace',
  );
}

/** What is not of the form `revision_number=N` is ignored. */
function demandRevision(model: NeutronModel, pathname: string, ifMatch: string | undefined): void {
  const wanted = /^"?revision_number=(\d+)"?$/.exec(ifMatch ?? '')?.[1];
  const { collection, id } = placeOf(pathname);
  const current = model[collection].find((each) => each.id === id)?.revision_number;
  if (wanted !== undefined && current !== undefined && Number(wanted) !== current)
    throw new NeutronError(
      412,
      'RevisionNumberConstraintFailed',
      `Constrained to ${wanted}, but current revision is ${current}`,
    );
}

function one(model: NeutronModel, pathname: string): object {
  const { collection, id = '' } = placeOf(pathname);
  const each = found<NeutronModel[Collection][number]>(
    model[collection],
    id,
    NOT_FOUND[collection],
    `${collection.slice(0, -1)} ${id} could not be found.`,
  );
  return { [collection.slice(0, -1)]: shown(model, each) };
}

/** `port_details` is of the extension fip-port-details. */
function shown(model: NeutronModel, each: NeutronModel[Collection][number]): object {
  if (!('port_id' in each)) return each;
  const port = model.ports.find(({ id }) => id === each.port_id);
  const details = port === undefined ? null : { device_id: port.device_id, device_owner: port.device_owner };
  return { ...each, port_details: details };
}

/** Values of one filter are alternatives; filters of several names have to fit all. */
function read(model: NeutronModel, url: string): object {
  const { pathname, searchParams } = new URL(url, 'http://neutron');
  const { collection, id } = placeOf(pathname);
  const fields = searchParams.getAll('fields');
  const cut = (each: object): object =>
    fields.length === 0
      ? each
      : Object.fromEntries(Object.entries(each).filter(([key]) => fields.includes(key)));
  if (id !== undefined) {
    const [[name = '', each] = []] = Object.entries(one(model, pathname)) as [string, object][];
    return { [name]: cut(each ?? {}) };
  }
  const ids = searchParams.getAll('id');
  const addresses = searchParams.getAll('floating_ip_address');
  const fixed = searchParams.getAll('fixed_ips').map((each) => each.replace(/^ip_address=/, ''));
  const fits = (each: NeutronModel[Collection][number]): boolean =>
    (ids.length === 0 || ids.includes(each.id)) &&
    (addresses.length === 0 ||
      ('floating_ip_address' in each && addresses.includes(each.floating_ip_address))) &&
    (fixed.length === 0 ||
      ('fixed_ips' in each && each.fixed_ips.some(({ ip_address: address }) => fixed.includes(address))));
  const limit = Number(searchParams.get('limit') ?? Infinity);
  return {
    [collection]: model[collection]
      .filter(fits)
      .slice(0, limit)
      .map((each) => cut(shown(model, each))),
  };
}
