/**
 * Keeps to EC2's limits of requests: a token bucket for each action, as EC2 has one for the account. Requests are
 * sent at once as long as there are tokens; the others wait for theirs, the lowest rank first, and groups take
 * turns. Where EC2 throttles all the same, because others in the account use the bucket too, few requests ask again one
 * by one, as often as a token comes: the first that is free is theirs, whether or not a refused request costs one, which
 * EC2 does not document. Of many it believes EC2: no tokens, and half the rate for a while. Reads have buckets of their
 * own, so nothing here takes from them.
 * https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
 */
import type { ApiLimit, MovingAction } from '../../config/settings';
import type { Failure } from '../../core/state/readings';

export type Ticket = {
  readonly action: MovingAction;
  /** Requests of one group are never starved by those of another. */
  readonly group: string;
  readonly rank: number;
};

export type Limits = { readonly [Action in MovingAction]: ApiLimit };

/** The rate is not believed to be lower than this share of the limit. */
const SLOWEST = 1 / 8;
/** After that long without being throttled the rate doubles again. */
const RECOVER_MS = 10_000;

/**
 * Requests reach EC2 after different times, so its bucket begins to refill a little after this one: a token that is
 * believed too early costs more than this wait, which comes once after the bucket was full.
 */
export const SKEW_MS = 100;

/** So many requests that wait are few: they ask EC2, and do not count its tokens. As many calls are a large takeover. */
const FEW = 20;
/** Asking again is later than the next token by up to this share of its time, so that nobody asks in step with others. */
const JITTER = 0.1;

/** Where there has been no token for this long, it asks so many times less often: the account has another trouble. */
const LONG_MS = 10_000;
const LONG_FACTOR = 4;

/** How a timer is set; gives what takes it back. */
export type PacerClock = {
  readonly after: (delayMs: number, run: () => void) => () => void;
  /** In [0, 1). */
  readonly random: () => number;
};

const realClock: PacerClock = {
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

type Waiting = Ticket & { readonly go: () => void };

type Bucket = {
  readonly limit: ApiLimit;
  tokens: number;
  /** When `tokens` was so many; may lie ahead. */
  at: number;
  perS: number;
  /** When the rate was last changed. */
  changedAt: number;
  /** When EC2 last turned a request down for want of tokens, and since when it has turned down every one. */
  deniedAt: number;
  deniedSince: number | null;
  /** When few requests may ask again. */
  nextAskAt: number;
  /** Requests in a row that have found a token, and how many may go at once because of that. */
  granted: number;
  spare: number;
  waiting: Waiting[];
  lastGroup: string;
  cancel: (() => void) | null;
};

export class Pacer {
  readonly #now: () => number;
  readonly #clock: PacerClock;
  readonly #buckets: ReadonlyMap<MovingAction, Bucket>;

  /** `now`: monotonic milliseconds. */
  constructor(limits: Limits, now: () => number, clock: PacerClock = realClock) {
    this.#now = now;
    this.#clock = clock;
    const newBucket = (limit: ApiLimit): Bucket => ({
      limit,
      tokens: limit.burst,
      at: now(),
      perS: limit.refillPerS,
      changedAt: now(),
      deniedAt: -Infinity,
      deniedSince: null,
      nextAskAt: -Infinity,
      granted: 0,
      spare: 0,
      waiting: [],
      lastGroup: '',
      cancel: null,
    });
    const actions = Object.entries(limits) as [MovingAction, ApiLimit][];
    this.#buckets = new Map(actions.map(([action, limit]) => [action, newBucket(limit)]));
  }

  /**
   * Calls `go` when there is a token: at once, or later. Gives what takes a waiting one back out of the queue;
   * null where `go` has been called.
   */
  enter(ticket: Ticket, go: () => void): (() => void) | null {
    const bucket = this.#bucket(ticket.action);
    this.#refill(bucket);
    if (bucket.waiting.length === 0 && this.#mayGo(bucket)) {
      this.#take(bucket);
      go();
      return null;
    }
    const waiting: Waiting = { ...ticket, go };
    bucket.waiting.push(waiting);
    this.#arm(bucket);
    return () => {
      bucket.waiting = bucket.waiting.filter((each) => each !== waiting);
    };
  }

  /**
   * A token for what can wait as long as it takes: out of a full bucket alone, which is full again a moment later, so
   * that a takeover misses none. False where there is none to spare.
   */
  takeSpare(action: MovingAction): boolean {
    const bucket = this.#bucket(action);
    this.#refill(bucket);
    if (bucket.waiting.length > 0 || bucket.tokens < bucket.limit.burst) return false;
    bucket.at += SKEW_MS;
    bucket.tokens -= 1;
    return true;
  }

  /** What EC2 has said to a request; null: done. Whatever it refuses for another reason has had its token. */
  answered(action: MovingAction, failure: Failure | null): void {
    if (failure === null || failure.kind === 'refused') this.#granted(this.#bucket(action));
    else if (failure.kind === 'throttled') this.#denied(this.#bucket(action));
  }

  /** How many requests EC2 is believed to take at once from now on. */
  burst(action: MovingAction): number {
    return this.#bucket(action).limit.burst;
  }

  /** The actions that EC2 has throttled lately, so that fewer requests are sent than the limits allow. */
  slowed(): readonly MovingAction[] {
    return [...this.#buckets].flatMap(([action, bucket]) => {
      this.#refill(bucket);
      return bucket.perS < bucket.limit.refillPerS ? [action] : [];
    });
  }

  stop(): void {
    for (const bucket of this.#buckets.values()) {
      bucket.waiting = [];
      bucket.cancel?.();
    }
  }

  #denied(bucket: Bucket): void {
    this.#refill(bucket);
    const now = this.#now();
    bucket.deniedSince ??= now;
    Object.assign(bucket, { tokens: 0, granted: 0, spare: 0, deniedAt: now });
    // Requests that were under way together are turned down together: that is one piece of news.
    if (now - bucket.changedAt >= 1_000 || bucket.perS === bucket.limit.refillPerS) {
      bucket.perS = Math.max(bucket.perS / 2, bucket.limit.refillPerS * SLOWEST);
      bucket.changedAt = now;
    }
    this.#arm(bucket);
  }

  /** Ever more that wait may go at once, as long as EC2 turns none of them down. */
  #granted(bucket: Bucket): void {
    bucket.granted += 1;
    bucket.deniedSince = null;
    if (!this.#isAsking(bucket)) return;
    // Where the next one is due soon anyway it waits for that: EC2 may have no more than a token at a time.
    const isSoon = bucket.nextAskAt - this.#now() < intervalMs(bucket) / 2;
    bucket.spare = Math.max(bucket.granted - 1, isSoon ? 0 : 1);
    this.#serve(bucket);
  }

  #bucket(action: MovingAction): Bucket {
    const bucket = this.#buckets.get(action);
    if (bucket === undefined) throw new Error(`no limit of ${action}`);
    return bucket;
  }

  #refill(bucket: Bucket): void {
    const now = this.#now();
    const forMs = Math.max(0, now - bucket.at);
    bucket.tokens = Math.min(bucket.limit.burst, bucket.tokens + (bucket.perS * forMs) / 1000);
    bucket.at = Math.max(bucket.at, now);
    if (bucket.perS >= bucket.limit.refillPerS || now - bucket.changedAt < RECOVER_MS) return;
    bucket.perS = Math.min(bucket.perS * 2, bucket.limit.refillPerS);
    bucket.changedAt = now;
  }

  /** EC2 has lately turned something down, and what waits is few. */
  #isAsking({ deniedAt, waiting }: Bucket): boolean {
    return this.#now() - deniedAt < RECOVER_MS && waiting.length <= FEW;
  }

  #mayGo(bucket: Bucket): boolean {
    if (!this.#isAsking(bucket)) return bucket.tokens >= 1;
    return bucket.spare > 0 || this.#now() >= bucket.nextAskAt;
  }

  #take(bucket: Bucket): void {
    if (bucket.tokens === bucket.limit.burst) bucket.at += SKEW_MS;
    bucket.tokens = Math.max(0, bucket.tokens - 1);
    bucket.spare = Math.max(0, bucket.spare - 1);
    bucket.nextAskAt = this.#now() + this.#pauseMs(bucket) * (1 + JITTER * this.#clock.random());
  }

  #pauseMs(bucket: Bucket): number {
    const isLong = bucket.deniedSince !== null && this.#now() - bucket.deniedSince >= LONG_MS;
    return intervalMs(bucket) * (isLong ? LONG_FACTOR : 1);
  }

  #arm(bucket: Bucket): void {
    bucket.cancel?.();
    bucket.cancel = null;
    if (bucket.waiting.length === 0) return;
    bucket.cancel = this.#clock.after(Math.ceil(this.#delayMs(bucket)), () => this.#serve(bucket));
  }

  #delayMs(bucket: Bucket): number {
    const now = this.#now();
    if (this.#isAsking(bucket)) return Math.max(0, bucket.nextAskAt - now);
    return Math.max(0, bucket.at - now) + Math.max(0, ((1 - bucket.tokens) / bucket.perS) * 1000);
  }

  #serve(bucket: Bucket): void {
    this.#refill(bucket);
    while (this.#mayGo(bucket)) {
      const next = nextOf(bucket);
      if (next === undefined) break;
      this.#take(bucket);
      bucket.lastGroup = next.group;
      bucket.waiting = bucket.waiting.filter((each) => each !== next);
      next.go();
    }
    this.#arm(bucket);
  }
}

/** In which EC2's bucket gets a token. */
const intervalMs = ({ limit }: Bucket): number => 1000 / limit.refillPerS;

/** The turn is that of the next group, in the order of their names, after the last one that was served. */
function nextOf({ waiting, lastGroup }: Bucket): Waiting | undefined {
  const groups = [...new Set(waiting.map(({ group }) => group))].sort();
  const group = groups.find((each) => each > lastGroup) ?? groups[0];
  const own = waiting.filter((each) => each.group === group);
  return own.reduce<Waiting | undefined>(
    (best, each) => (best === undefined || each.rank < best.rank ? each : best),
    undefined,
  );
}
