/**
 * The EC2 endpoint of the lab: the query protocol over HTTP(S) in front of an Ec2World, with faults.
 *
 * What happens to one request, in this order: logged and handed to the hooks; black hole; latency; reset;
 * garbage page; signature; throttle; error; the change is made; error after it; black hole after it; latency
 * after it; reset after it; the answer, spoilt, slow or broken off where a rule says so. A client that hangs
 * up early changes none of this: EC2 goes on with a request it has received.
 */
import { randomUUID } from 'node:crypto';
import { demandKnown, FaultTable } from '../faultRules';
import type { ActiveFault } from '../faultRules';
import { openListener, resetConnection, writeSlowly } from '../httpListener';
import type { HttpListener, ReceivedRequest } from '../httpListener';
import { actionNames, isAction } from './actions';
import { EndpointAddress } from './addresses';
import type { AddressMode } from './addresses';
import type { CredentialRegistry } from './credentials';
import { emptied, pagesHad, withoutEmptyToken } from './emptyPages';
import type { Ec2Error, Outcome } from './ec2Error';
import { GARBAGE_PAGE, concerns, ec2FaultSchema, findFault, latencyMs, slotOf } from './faults';
import type { Ec2Fault, Ec2FaultInput } from './faults';
import { renderSpoilt } from './malformed';
import { element, parseForm } from './queryProtocol';
import type { QueryParams, XmlElement } from './queryProtocol';
import { RequestLog } from './requestLog';
import type { LoggedRequest, RequestCounters, RequestOutcome } from './requestLog';
import { ec2Service, serviceOf } from './services';
import type { AwsService } from './services';
import { checkSignature, claimedAccessKeyId } from './signature';
import { TokenBuckets, accountBuckets, bucketOf } from './tokenBuckets';
import type { BucketSizes, BucketState } from './tokenBuckets';
import type { Ec2World } from './world';

export interface Ec2EmulatorOptions {
  readonly world: Ec2World;
  readonly credentials: CredentialRegistry;
  /** Default true; false lets everybody in. */
  readonly verifySignatures?: boolean;
  /** PEM texts; absent: plain HTTP. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Default 0: any free port. */
  readonly port?: number;
  /** EC2's own throttle of the account, see `throttleAccount`. Default: off. */
  readonly tokenBuckets?: BucketSizes;
  /** Other services of AWS at the same address, with the same log and faults. Default: none. */
  readonly services?: readonly AwsService[];
  /** Who calls, for the `source` of fault rules: instance ids by the names of their routers, and roles. */
  readonly callers?: Callers;
}

export interface Callers {
  readonly routers: Readonly<Record<string, string>>;
  readonly roles: readonly string[];
}

/** Listens on 127.0.0.1. @throws Error of the operating system when the port is taken. */
export async function startEc2Emulator(options: Ec2EmulatorOptions): Promise<Ec2Emulator> {
  const emulator = new Ec2Emulator(options);
  await emulator.open(options);
  return emulator;
}

/** One request on its way through the emulator. */
interface Exchange {
  readonly request: ReceivedRequest;
  readonly entry: LoggedRequest;
  readonly params: QueryParams;
  readonly service: AwsService;
  readonly faults: readonly Ec2Fault[];
  readonly signature: Outcome<unknown>;
  /** Whether it found its bucket empty. */
  readonly throttled: boolean;
  ended: boolean;
}

type Answer = Outcome<readonly XmlElement[]>;
interface ErrorAnswer {
  readonly ok: false;
  readonly error: Ec2Error;
}

export class Ec2Emulator {
  readonly world: Ec2World;
  readonly credentials: CredentialRegistry;
  readonly #verifySignatures: boolean;
  readonly #callers: Callers;
  readonly #services: readonly AwsService[];
  readonly #faults: FaultTable<Ec2Fault>;
  readonly #faultBuckets = new TokenBuckets();
  #accountBuckets: TokenBuckets | null = null;
  readonly #log = new RequestLog();
  /** Exchanges whose client waits, for a while or for ever, because a fault says so. */
  readonly #held = new Set<Exchange>();
  readonly #hooks = new Set<(request: LoggedRequest) => void>();
  readonly #addresses = new Map<string, EndpointAddress>();
  #tls: Ec2EmulatorOptions['tls'];
  #listener: HttpListener | null = null;

  constructor(options: Ec2EmulatorOptions) {
    const { world, credentials, verifySignatures, tokenBuckets, callers, services = [] } = options;
    this.#services = [ec2Service, ...services];
    this.world = world;
    this.#faults = new FaultTable(() => world.clock.nowMs());
    this.credentials = credentials;
    this.#verifySignatures = verifySignatures ?? true;
    this.#callers = callers ?? { routers: {}, roles: [] };
    if (tokenBuckets !== undefined) this.throttleAccount(tokenBuckets);
  }

  async open(options: Pick<Ec2EmulatorOptions, 'tls' | 'port'>): Promise<void> {
    this.#tls = options.tls;
    this.#listener = await openListener({
      ...options,
      clock: this.world.clock,
      onRequest: (request) => this.#receive(request),
    });
  }

  /** The endpoint to give to a client: `http://127.0.0.1:<port>`, or https. */
  get url(): string {
    return this.#listener?.url ?? '';
  }

  get connectionsAccepted(): number {
    return this.#listener?.connectionsAccepted ?? 0;
  }

  /** Adds a rule and gives its id. @throws ZodError, UnknownScope when it makes no sense (it may come from JSON). */
  addFault(rule: Ec2FaultInput): number {
    const fault = ec2FaultSchema.parse(rule);
    demandKnown(
      'action',
      fault.action,
      this.#services.flatMap((service) => service.actionNames),
    );
    const { routers, roles } = this.#callers;
    const instances = this.world.model.instances.map(({ instanceId }) => instanceId);
    const known = [...Object.keys(routers), ...instances, ...roles, ...this.credentials.names()];
    demandKnown('source', fault.source, known);
    return this.#faults.add(fault);
  }

  removeFault(id: number): boolean {
    return this.#faults.remove(id);
  }

  clearFaults(): void {
    this.#faults.clear();
  }

  activeFaults(): readonly ActiveFault<Ec2Fault>[] {
    return this.#faults.list();
  }

  /**
   * Full buckets of EC2's default sizes from now on, or of those given; null switches them off.
   * @throws Error for a bucket that there is not.
   */
  throttleAccount(sizes: BucketSizes | null): void {
    this.#accountBuckets = sizes === null ? null : accountBuckets(actionNames, sizes);
  }

  /** Somebody else in the account makes so many calls of this action at once. @throws Error while the buckets are off. */
  spendTokens(action: string, count: number): void {
    if (this.#accountBuckets === null) throw new Error('the account has no buckets');
    this.#accountBuckets.spend(action, count);
  }

  /** Null while they are off. */
  buckets(): Readonly<Record<string, BucketState>> | null {
    return this.#accountBuckets?.states() ?? null;
  }

  /** Oldest first; the newest 5,000 at least. */
  requests(): readonly LoggedRequest[] {
    return this.#log.list();
  }

  counters(): RequestCounters {
    return this.#log.counters();
  }

  clearLog(): void {
    this.#log.clear();
  }

  /**
   * Calls back when the head and body of a request have arrived, before anything is done about it; returns
   * the off switch. The entry is of that moment: how the request ended is in `requests()`, by its number.
   */
  onRequest(callback: (request: LoggedRequest) => void): () => void {
    this.#hooks.add(callback);
    return () => void this.#hooks.delete(callback);
  }

  /**
   * A further address of the endpoint, on the same port, in this mode from now on: a loopback address other than
   * 127.0.0.1. @throws Error for a mode that it cannot have, and of the operating system.
   */
  async setAddress(address: string, mode: AddressMode): Promise<EndpointAddress> {
    const known =
      this.#addresses.get(address) ?? new EndpointAddress(address, Number(new URL(this.url).port), this.#tls);
    this.#addresses.set(address, known);
    await known.become(mode);
    return known;
  }

  addresses(): readonly Pick<EndpointAddress, 'address' | 'mode' | 'accepted' | 'ignored'>[] {
    const all = [...this.#addresses.values()];
    return all.map(({ address, mode, accepted, ignored }) => ({ address, mode, accepted, ignored }));
  }

  /** How many requests wait by a fault: nothing but time, or their client, changes anything about them. */
  get held(): number {
    return this.#held.size;
  }

  /** Closes the keep-alive connections that wait for a request. */
  closeIdleConnections(): void {
    this.#listener?.closeIdleConnections();
  }

  /** Destroys every connection and frees the port; the world lives on. */
  async stop(): Promise<void> {
    await Promise.all([...this.#addresses.values()].map((address) => address.stop()));
    await this.#listener?.stop();
  }

  #receive(request: ReceivedRequest): void {
    const params = parseForm(request.body.toString());
    const action = params.get('Action') ?? '';
    const service = serviceOf(this.#services, params) ?? ec2Service;
    const accessKeyId = claimedAccessKeyId(request.headers);
    const set = accessKeyId === null ? undefined : this.credentials.find(accessKeyId);
    const names = Object.entries(this.#callers.routers).filter(([, id]) => id === set?.instanceId);
    const sources = [accessKeyId, set?.instanceId, set?.role, ...names.map(([name]) => name)].filter(
      (source) => typeof source === 'string',
    );
    const faults = this.#faults.take(
      { action, sources },
      (rule, id) => this.#applies(rule, id, params),
      slotOf,
    );
    const entry = this.#log.add({
      receivedAt: request.receivedAt,
      action,
      params: Object.fromEntries(params),
      accessKeyId,
      instanceId: set?.instanceId ?? null,
      connectionId: request.connectionId,
      faults: faults.map(({ kind }) => kind),
    });
    for (const hook of this.#hooks) hook(entry);
    // Checked on arrival: credentials that expire while the request waits were good when it came.
    const signature: Outcome<unknown> = this.#verifySignatures
      ? checkSignature(
          request,
          {
            region: this.world.model.region,
            service: service.signingName,
            now: this.world.clock.dateMs(),
          },
          this.credentials,
        )
      : { ok: true, value: null };
    // Only who has signed has an account, and a token is spent whatever becomes of the request.
    const throttled =
      signature.ok &&
      service === ec2Service &&
      isAction(action) &&
      this.#accountBuckets !== null &&
      !this.#accountBuckets.take(bucketOf(action, params));
    const exchange: Exchange = {
      request,
      entry,
      params,
      service,
      faults,
      signature,
      throttled,
      ended: false,
    };
    request.response.on('close', () => {
      this.#held.delete(exchange);
      this.#end(exchange, 'clientGone', null);
    });
    void this.#serve(exchange);
  }

  /** A rule may ask for more than its scope: an address in the request, an empty bucket. */
  #applies(rule: Ec2Fault, id: number, params: QueryParams): boolean {
    if (!concerns(rule, params)) return false;
    if (rule.kind === 'throttle' && rule.bucket !== undefined) {
      const name = `${id} ${params.get('Action')}`;
      if (!this.#faultBuckets.has(name)) this.#faultBuckets.add(name, rule.bucket);
      return !this.#faultBuckets.take(name);
    }
    return true;
  }

  async #serve(exchange: Exchange): Promise<void> {
    const { faults } = exchange;
    if (!(await this.#wait(exchange, 'before'))) return;
    if (findFault(faults, 'reset', 'before')) return this.#reset(exchange);
    const garbage = findFault(faults, 'garbagePage');
    if (garbage) return this.#sendGarbage(exchange, garbage.status);
    const answer = this.#decide(exchange);
    if (!(await this.#wait(exchange, 'after'))) return;
    if (findFault(faults, 'reset', 'after')) return this.#reset(exchange);
    await this.#send(exchange, answer);
  }

  #decide({ entry, params, service, faults, signature, throttled }: Exchange): Answer | ErrorAnswer {
    if (!signature.ok) return signature;
    if (throttled || findFault(faults, 'throttle')) return { ok: false, error: service.throttled };
    const early = findFault(faults, 'error', 'before');
    if (early) return { ok: false, error: early };
    const { number, action, accessKeyId } = entry;
    const run = service.run({
      action,
      params: withoutEmptyToken(params),
      world: this.world,
      readAgeMs: findFault(faults, 'stale')?.ageMs ?? 0,
      origin: { by: 'request', number, accessKeyId },
    });
    const had = pagesHad(params);
    const isEmpty = had !== null && had < (findFault(faults, 'emptyPages')?.pages ?? 0);
    const answer = isEmpty ? emptied(run, had) : run;
    this.#log.note(number, { applied: answer.ok });
    const late = findFault(faults, 'error', 'after');
    return late ? { ok: false, error: late } : answer;
  }

  async #send(exchange: Exchange, answer: Answer | ErrorAnswer): Promise<void> {
    const { request, service, faults } = exchange;
    const { response } = request;
    if (response.destroyed) return;
    const requestId = randomUUID();
    const status = answer.ok ? 200 : (answer.error.status ?? service.statusOf(answer.error.code));
    const body = Buffer.from(
      answer.ok
        ? writeAnswer(exchange, answer.value, requestId)
        : service.renderError(answer.error, requestId),
    );
    const brokenOff = findFault(faults, 'reset', 'midAnswer') !== undefined;
    const outcome = answer.ok ? 'ok' : 'error';
    this.#end(exchange, brokenOff ? 'reset' : outcome, status, answer.ok ? null : answer.error.code);
    response.writeHead(status, {
      // Clients set their clocks by it.
      date: new Date(this.world.clock.dateMs()).toUTCString(),
      'content-type': 'text/xml;charset=UTF-8',
      'content-length': body.length,
      'x-amzn-requestid': requestId,
    });
    if (brokenOff) {
      const half = body.subarray(0, body.length / 2);
      response.write(half, () => resetConnection(response));
      return;
    }
    const slow = findFault(faults, 'slowBody');
    if (slow && this.#listener) return writeSlowly(this.#listener, response, body, slow);
    response.end(body);
  }

  #sendGarbage(exchange: Exchange, status: number): void {
    if (exchange.request.response.destroyed) return;
    this.#end(exchange, 'garbagePage', status);
    exchange.request.response.writeHead(status, { 'content-type': 'text/html' }).end(GARBAGE_PAGE);
  }

  #reset(exchange: Exchange): void {
    this.#end(exchange, 'reset', null);
    resetConnection(exchange.request.response);
  }

  #end(
    exchange: Exchange,
    outcome: RequestOutcome,
    httpStatus: number | null,
    errorCode: string | null = null,
  ): void {
    if (exchange.ended) return;
    exchange.ended = true;
    this.#log.note(exchange.entry.number, {
      outcome,
      httpStatus,
      errorCode,
      endedAt: this.world.clock.nowMs(),
    });
  }

  /** As long as the faults say; false: for ever, or until the emulator was stopped. */
  async #wait(exchange: Exchange, at: 'before' | 'after'): Promise<boolean> {
    const ms = latencyMs(exchange.faults, at);
    const isForEver = findFault(exchange.faults, 'blackHole', at) !== undefined;
    if (ms === 0 && !isForEver) return true;
    if (!exchange.request.response.destroyed) this.#held.add(exchange);
    if (isForEver) return false;
    const goesOn = this.#listener !== null && (await this.#listener.pause(ms));
    this.#held.delete(exchange);
    return goesOn;
  }
}

function writeAnswer(
  { entry, service, faults }: Exchange,
  content: readonly XmlElement[],
  requestId: string,
): string {
  const spoilt = findFault(faults, 'malformed');
  return spoilt
    ? renderSpoilt(entry.action, [element('requestId', requestId), ...content], spoilt.how)
    : service.renderAnswer(entry.action, content, requestId);
}
