/** The record of what the emulator was asked and how it answered; bounded, with counters that are not. */

export type RequestOutcome =
  /** Not answered yet, or kept waiting for ever by a black hole. */
  | 'pending'
  | 'ok'
  /** An error of EC2: `errorCode` says which. */
  | 'error'
  /** An HTML page instead of an answer. */
  | 'garbagePage'
  | 'reset'
  /** The client hung up before its answer was written. */
  | 'clientGone';

export interface LoggedRequest {
  /** Counts from 1. */
  readonly number: number;
  /** `process.hrtime` in ms, when head and body had arrived. */
  readonly receivedAt: number;
  readonly action: string;
  readonly params: Readonly<Record<string, string>>;
  readonly accessKeyId: string | null;
  /** The instance that the credentials were issued to, where they are known. */
  readonly instanceId: string | null;
  readonly connectionId: number;
  /** The kinds of the fault rules that hit it. */
  readonly faults: readonly string[];
  readonly outcome: RequestOutcome;
  readonly errorCode: string | null;
  readonly httpStatus: number | null;
  /** True once the change was made (for a Describe: once the model was read). */
  readonly applied: boolean;
  /** `process.hrtime` in ms, when the request was done with. */
  readonly endedAt: number | null;
}

/** Asks whether the caller may, and is refused either way: a daemon proves its permissions so while nothing moves. */
export const isDryRun = ({ params }: LoggedRequest): boolean => params['DryRun'] === 'true';

export const isRead = ({ action }: LoggedRequest): boolean => action.startsWith('Describe');

/** Asks what there is now. Beside these a daemon asks a few things once, in the background. */
export const isObserving = (request: LoggedRequest): boolean =>
  isRead(request) && !isDryRun(request) && request.action !== 'DescribeInstanceTypes';

/** Is meant to change something, whatever becomes of it. Who counts writes asks here. */
export const isWrite = (request: LoggedRequest): boolean => !isRead(request) && !isDryRun(request);

type Received = Omit<
  LoggedRequest,
  'number' | 'outcome' | 'errorCode' | 'httpStatus' | 'applied' | 'endedAt'
>;

export interface RequestCounters {
  readonly received: number;
  /** Without DryRuns. */
  readonly byAction: Readonly<Record<string, number>>;
  /** DryRuns, by action. */
  readonly dryRuns: Readonly<Record<string, number>>;
  readonly byOutcome: Readonly<Partial<Record<RequestOutcome, number>>>;
}

const REQUESTS_KEPT = 10_000;

export class RequestLog {
  #requests: LoggedRequest[] = [];
  #lastNumber = 0;
  #received = 0;
  readonly #byAction = new Map<string, number>();
  readonly #dryRuns = new Map<string, number>();
  readonly #byOutcome = new Map<RequestOutcome, number>();

  add(received: Received): LoggedRequest {
    this.#received += 1;
    const request: LoggedRequest = {
      ...received,
      number: ++this.#lastNumber,
      outcome: 'pending',
      errorCode: null,
      httpStatus: null,
      applied: false,
      endedAt: null,
    };
    increment(isDryRun(request) ? this.#dryRuns : this.#byAction, request.action);
    this.#requests.push(request);
    if (this.#requests.length > REQUESTS_KEPT) this.#requests = this.#requests.slice(-REQUESTS_KEPT / 2);
    return request;
  }

  /** Notes what became of a request; its end is counted once. */
  note(number: number, change: Partial<LoggedRequest>): void {
    const index = this.#requests.findLastIndex((request) => request.number === number);
    const before = this.#requests[index];
    if (before === undefined) return;
    this.#requests[index] = { ...before, ...change };
    if (change.outcome !== undefined) increment(this.#byOutcome, change.outcome);
  }

  /** Oldest first. */
  list(): readonly LoggedRequest[] {
    return [...this.#requests];
  }

  counters(): RequestCounters {
    return {
      received: this.#received,
      byAction: Object.fromEntries(this.#byAction),
      dryRuns: Object.fromEntries(this.#dryRuns),
      byOutcome: Object.fromEntries(this.#byOutcome),
    };
  }

  /** Forgets the requests and sets the counters to zero; the numbers go on, for requests still in flight. */
  clear(): void {
    this.#requests = [];
    this.#received = 0;
    this.#byAction.clear();
    this.#dryRuns.clear();
    this.#byOutcome.clear();
  }
}

function increment<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
