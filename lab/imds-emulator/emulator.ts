/**
 * The metadata service of one instance: IMDSv2 only (a GET without a token is refused), with rotating role
 * credentials and faults.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-v2-how-it-works.html
 */
import type { CredentialSet } from '../ec2-emulator/credentials';
import { FaultTable } from '../faultRules';
import type { ActiveFault } from '../faultRules';
import { openListener, resetConnection } from '../httpListener';
import type { HttpListener, ReceivedRequest } from '../httpListener';
import { findImdsFault, imdsFaultSchema } from './faults';
import type { ImdsFault, ImdsFaultInput } from './faults';
import type { ImdsInstance } from './instance';
import { metadataTree, readMetadata } from './metadataTree';
import { RoleCredentials, credentialDocument } from './roleCredentials';
import type { RoleCredentialOptions } from './roleCredentials';
import { Tokens } from './tokens';

export interface ImdsEmulatorOptions {
  /** The instance as it was `ageMs` ago; asked for every request, so that addresses follow EC2. */
  readonly instance: (ageMs: number) => ImdsInstance;
  readonly credentials: RoleCredentialOptions;
  /** Hears of every credential set before it is served: `(set) => registry.register(set)`. */
  readonly onIssued: (set: CredentialSet) => void;
  /** Default 0: any free port. */
  readonly port?: number;
}

export interface ImdsRequest {
  /** `process.hrtime` in ms, when the request had arrived. */
  readonly receivedAt: number;
  readonly method: string;
  /** As received: `/latest/...` */
  readonly path: string;
  readonly connectionId: number;
  /** The kinds of the fault rules that hit it. */
  readonly faults: readonly string[];
}

/** Listens on 127.0.0.1. @throws Error of the operating system when the port is taken. */
export async function startImdsEmulator(options: ImdsEmulatorOptions): Promise<ImdsEmulator> {
  const emulator = new ImdsEmulator(options);
  await emulator.open(options.port ?? 0);
  return emulator;
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const REQUESTS_KEPT = 10_000;

export class ImdsEmulator {
  readonly #options: ImdsEmulatorOptions;
  readonly #role: RoleCredentials;
  readonly #tokens = new Tokens();
  readonly #faults = new FaultTable<ImdsFault>();
  readonly #counts = new Map<string, number>();
  readonly #announced = new Map<string, string>();
  #requests: ImdsRequest[] = [];
  #listener: HttpListener | null = null;

  constructor(options: ImdsEmulatorOptions) {
    this.#options = options;
    this.#role = new RoleCredentials(
      options.credentials,
      () => options.instance(0).instanceId,
      options.onIssued,
    );
  }

  /** What comes and goes: `meta-data/events/maintenance/scheduled`, `meta-data/autoscaling/target-lifecycle-state`. */
  announce(path: string, text: string): void {
    this.#announced.set(path, text);
  }

  async open(port: number): Promise<void> {
    this.#listener = await openListener({ port, onRequest: (request) => void this.#serve(request) });
  }

  /** What AWS_EC2_METADATA_SERVICE_ENDPOINT has to say: `http://127.0.0.1:<port>`. */
  get url(): string {
    return this.#listener?.url ?? '';
  }

  /** The credentials that a request for them would get now (no fault applied). */
  currentCredentials(): CredentialSet {
    return this.#role.current();
  }

  /** Issues a new set at once; the one before stays good until it expires. */
  rotateCredentials(): CredentialSet {
    return this.#role.rotate();
  }

  /** Makes every session token invalid: the next GET with one gets 401. */
  forgetTokens(): void {
    this.#tokens.forget();
  }

  /** Adds a rule and gives its id. @throws ZodError when the rule makes no sense (it may come from JSON). */
  addFault(rule: ImdsFaultInput): number {
    return this.#faults.add(imdsFaultSchema.parse(rule));
  }

  removeFault(id: number): boolean {
    return this.#faults.remove(id);
  }

  clearFaults(): void {
    this.#faults.clear();
  }

  activeFaults(): readonly ActiveFault<ImdsFault>[] {
    return this.#faults.list();
  }

  /** Oldest first; the newest 5,000 at least. */
  requests(): readonly ImdsRequest[] {
    return [...this.#requests];
  }

  /** How often each `METHOD path` was asked for. */
  counters(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  clearLog(): void {
    this.#requests = [];
    this.#counts.clear();
  }

  closeIdleConnections(): void {
    this.#listener?.closeIdleConnections();
  }

  /** Destroys every connection and frees the port: from now on connections are refused. */
  async stop(): Promise<void> {
    await this.#listener?.stop();
  }

  async #serve(request: ReceivedRequest): Promise<void> {
    // Pacemaker's awseip puts a slash behind names that were listed with one, and is answered.
    const path = (request.url.split('?')[0] ?? '/').replace(/\/{2,}/g, '/');
    const faults = this.#faults.take({ action: path.replace(/^\/latest\//, ''), sources: [] });
    this.#record(request, path, faults);
    if (findImdsFault(faults, 'blackHole')) return;
    const latency = findImdsFault(faults, 'latency');
    const waitMs = latency === undefined ? 0 : latency.ms + Math.random() * latency.jitterMs;
    if (waitMs > 0 && !(await this.#listener?.pause(waitMs))) return;
    if (findImdsFault(faults, 'reset')) return resetConnection(request.response);
    const answer = this.#broken(faults) ?? spoil(this.#answer(request, path, faults), faults);
    if (request.response.destroyed) return;
    request.response
      .writeHead(answer.status, {
        server: 'EC2ws',
        'content-type': answer.contentType,
        'content-length': Buffer.byteLength(answer.body),
        ...answer.headers,
      })
      .end(answer.body);
  }

  /** The answers that have nothing to do with the question. */
  #broken(faults: readonly ImdsFault[]): Answer | undefined {
    const error = findImdsFault(faults, 'error');
    if (error) return errorPage(error.status);
    const garbage = findImdsFault(faults, 'garbagePage');
    if (garbage) return { ...errorPage(502), status: garbage.status };
    const wrong = findImdsFault(faults, 'wrongContent');
    return wrong && text(wrong.text);
  }

  #answer(request: ReceivedRequest, path: string, faults: readonly ImdsFault[]): Answer {
    const { method, headers } = request;
    if (method === 'PUT') {
      // A proxy on the way to the token would make the hop limit worthless.
      if (headers['x-forwarded-for'] !== undefined || path !== '/latest/api/token') return errorPage(403);
      const issued = this.#tokens.issue(single(headers['x-aws-ec2-metadata-token-ttl-seconds']));
      if (issued === null) return errorPage(400);
      return {
        ...text(issued.token),
        headers: { 'x-aws-ec2-metadata-token-ttl-seconds': String(issued.ttlS) },
      };
    }
    if (method !== 'GET') return errorPage(405);
    if (!this.#tokens.isValid(single(headers['x-aws-ec2-metadata-token']) ?? '')) return errorPage(401);
    const body = path.startsWith('/latest/') ? this.#read(path.slice('/latest/'.length), faults) : undefined;
    return body === undefined ? errorPage(404) : text(body);
  }

  #read(path: string, faults: readonly ImdsFault[]): string | undefined {
    const instance = this.#options.instance(findImdsFault(faults, 'stale')?.ageMs ?? 0);
    const expired = findImdsFault(faults, 'expiredCredentials') !== undefined;
    const announced = this.#announced.get(path.replace(/\/+$/, ''));
    if (announced !== undefined) return announced;
    const tree = metadataTree(instance, {
      role: this.#options.credentials.role,
      document: () => credentialDocument(expired ? this.#role.expired() : this.#role.current()),
    });
    return readMetadata(tree, path);
  }

  #record(
    { receivedAt, method, connectionId }: ReceivedRequest,
    path: string,
    faults: readonly ImdsFault[],
  ): void {
    const name = `${method} ${path}`;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    this.#requests.push({ receivedAt, method, path, connectionId, faults: faults.map(({ kind }) => kind) });
    if (this.#requests.length > REQUESTS_KEPT) this.#requests = this.#requests.slice(-REQUESTS_KEPT / 2);
  }
}

function spoil(answer: Answer, faults: readonly ImdsFault[]): Answer {
  const malformed = findImdsFault(faults, 'malformed');
  if (malformed === undefined) return answer;
  const body = malformed.as === 'empty' ? '' : answer.body.slice(0, answer.body.length / 2);
  return { ...answer, body };
}

const text = (body: string): Answer => ({ status: 200, contentType: 'text/plain', body });

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
};

/** IMDS sends a web page with its errors: a reader that looks at the body alone is in for a surprise. */
function errorPage(status: number): Answer {
  const title = `${status} - ${TITLES[status] ?? 'Error'}`;
  const body = `<?xml version="1.0" encoding="iso-8859-1"?>\n<html>\n <head>\n  <title>${title}</title>\n </head>\n <body>\n  <h1>${title}</h1>\n </body>\n</html>\n`;
  return { status, contentType: 'text/html', body };
}

const single = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;
