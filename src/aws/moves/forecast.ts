/**
 * When the calls of a takeover would be sent, by the rules of the pacer in virtual time: full buckets at the start,
 * nobody else in the account, and the same time for each answer.
 */
import type { ApiLimit } from '../../config/settings';
import { SKEW_MS, type Limits } from './pacer';
import type { PlannedCall, PlannedMove } from './plannedCalls';

export type TimedCall = PlannedCall & { readonly sentAtMs: number };

/** In the order in which they are sent. */
export function forecast(
  moves: readonly PlannedMove[],
  limits: Limits,
  latencyMs: number,
): readonly TimedCall[] {
  const buckets = new Map(Object.entries(limits).map(([action, limit]) => [action, new Bucket(limit)]));
  const waiting = moves.map((move) => ({ ...move, readyAtMs: 0 }));
  const timed: TimedCall[] = [];
  for (;;) {
    waiting.sort((a, b) => a.readyAtMs - b.readyAtMs || a.rank - b.rank);
    const next = waiting.shift();
    if (next === undefined) break;
    const [call, ...rest] = next.calls;
    if (call === undefined) {
      waiting.push(...(next.next ?? []).map((move) => ({ ...move, readyAtMs: next.readyAtMs })));
      continue;
    }
    const sentAtMs = buckets.get(call.action)?.take(next.readyAtMs) ?? next.readyAtMs;
    timed.push({ ...call, sentAtMs });
    waiting.push({ ...next, calls: rest, readyAtMs: sentAtMs + latencyMs });
  }
  return timed.sort((a, b) => a.sentAtMs - b.sentAtMs);
}

/** As the pacer keeps one; asked in the order of time. */
class Bucket {
  readonly #limit: ApiLimit;
  #tokens: number;
  #atMs = 0;

  constructor(limit: ApiLimit) {
    this.#limit = limit;
    this.#tokens = limit.burst;
  }

  /** When the call is sent that could be at `readyAtMs`. */
  take(readyAtMs: number): number {
    const { burst, refillPerS } = this.#limit;
    const forMs = Math.max(0, readyAtMs - this.#atMs);
    this.#tokens = Math.min(burst, this.#tokens + (refillPerS * forMs) / 1000);
    this.#atMs = Math.max(this.#atMs, readyAtMs);
    if (this.#tokens >= 1) {
      if (this.#tokens === burst) this.#atMs += SKEW_MS;
      this.#tokens -= 1;
      return readyAtMs;
    }
    this.#atMs += ((1 - this.#tokens) / refillPerS) * 1000;
    this.#tokens = 0;
    return this.#atMs;
  }
}
