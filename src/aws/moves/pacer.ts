/**
 * Keeps to EC2's limits of requests: a token bucket for each action, as EC2 has one for the account. Requests are
 * sent at once as long as there are tokens; the others wait for theirs, the lowest rank first, and groups take
 * turns. Where EC2 throttles all the same, because others in the account use the bucket too, it believes EC2: no
 * tokens, and half the rate for a while. Reads have buckets of their own, so nothing here takes from them.
 * https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
 */
import type { ApiLimit, MovingAction } from '../../config/settings';

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

type Waiting = Ticket & { readonly go: () => void };

type Bucket = {
  readonly limit: ApiLimit;
  tokens: number;
  /** When `tokens` was so many; may lie ahead. */
  at: number;
  perS: number;
  /** When the rate was last changed. */
  changedAt: number;
  waiting: Waiting[];
  lastGroup: string;
  timer: NodeJS.Timeout | null;
};

export class Pacer {
  readonly #now: () => number;
  readonly #buckets: ReadonlyMap<MovingAction, Bucket>;

  /** `now`: monotonic milliseconds. */
  constructor(limits: Limits, now: () => number) {
    this.#now = now;
    const newBucket = (limit: ApiLimit): Bucket => ({
      limit,
      tokens: limit.burst,
      at: now(),
      perS: limit.refillPerS,
      changedAt: now(),
      waiting: [],
      lastGroup: '',
      timer: null,
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
    if (bucket.waiting.length === 0 && bucket.tokens >= 1) {
      if (bucket.tokens === bucket.limit.burst) bucket.at += SKEW_MS;
      bucket.tokens -= 1;
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

  /** EC2 has turned a request down for want of tokens. */
  throttled(action: MovingAction): void {
    const bucket = this.#bucket(action);
    this.#refill(bucket);
    bucket.tokens = 0;
    // Requests that were under way together are turned down together: that is one piece of news.
    if (this.#now() - bucket.changedAt >= 1_000 || bucket.perS === bucket.limit.refillPerS) {
      bucket.perS = Math.max(bucket.perS / 2, bucket.limit.refillPerS * SLOWEST);
      bucket.changedAt = this.#now();
    }
    this.#arm(bucket);
  }

  /** How many requests EC2 is believed to take at once from now on. */
  burst(action: MovingAction): number {
    return this.#bucket(action).limit.burst;
  }

  stop(): void {
    for (const bucket of this.#buckets.values()) {
      bucket.waiting = [];
      if (bucket.timer !== null) clearTimeout(bucket.timer);
    }
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

  #arm(bucket: Bucket): void {
    if (bucket.timer !== null) clearTimeout(bucket.timer);
    bucket.timer = null;
    if (bucket.waiting.length === 0) return;
    const aheadMs = Math.max(0, bucket.at - this.#now());
    const delayMs = aheadMs + Math.max(0, ((1 - bucket.tokens) / bucket.perS) * 1000);
    bucket.timer = setTimeout(() => this.#serve(bucket), Math.ceil(delayMs));
  }

  #serve(bucket: Bucket): void {
    this.#refill(bucket);
    while (bucket.tokens >= 1) {
      const next = nextOf(bucket);
      if (next === undefined) break;
      bucket.tokens -= 1;
      bucket.lastGroup = next.group;
      bucket.waiting = bucket.waiting.filter((each) => each !== next);
      next.go();
    }
    this.#arm(bucket);
  }
}

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
