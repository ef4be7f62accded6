/**
 * How EC2 has answered, by action: for readiness and metrics alone, nothing is decided by it. Actions and outcomes
 * are our own words, so that it never grows beyond some kilobytes.
 */
import type { Failure } from '../core/state/readings';

/** A DryRun that is answered as it should be is `ok`. */
export type CallOutcome = 'ok' | Failure['kind'];

/** Upper bounds in seconds: a call takes tens of milliseconds, and its deadline is at most half a minute. */
export const LATENCY_BOUNDS_S = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

export type CallSeries = {
  readonly action: string;
  readonly outcome: CallOutcome;
  readonly count: number;
  readonly sumS: number;
  /** For each bound, how many took no longer; those that took longer are in `count` alone. */
  readonly buckets: readonly number[];
};

export type LatestCall = {
  readonly action: string;
  readonly outcome: CallOutcome;
  readonly tookMs: number;
  /** Monotonic milliseconds. */
  readonly answeredAt: number;
};

type Series = Omit<CallSeries, 'count' | 'sumS' | 'buckets'> & {
  count: number;
  sumS: number;
  buckets: number[];
};

export class CallStatistics {
  readonly #now: () => number;
  readonly #series = new Map<string, Series>();
  readonly #latest = new Map<string, LatestCall>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** `sentAt`: as in a CallResult. */
  answered(action: string, sentAt: number, failure: Failure | null): void {
    const outcome = failure === null || failure.code === 'DryRunOperation' ? 'ok' : failure.kind;
    const answeredAt = this.#now();
    const tookMs = Math.max(0, answeredAt - sentAt);
    this.#latest.set(action, { action, outcome, tookMs, answeredAt });
    const key = `${action} ${outcome}`;
    const series = this.#series.get(key) ?? {
      action,
      outcome,
      count: 0,
      sumS: 0,
      buckets: LATENCY_BOUNDS_S.map(() => 0),
    };
    this.#series.set(key, series);
    series.count += 1;
    series.sumS += tookMs / 1000;
    LATENCY_BOUNDS_S.forEach((bound, i) => {
      if (tookMs / 1000 <= bound) series.buckets[i] = (series.buckets[i] ?? 0) + 1;
    });
  }

  /** A copy, in the order in which each first came. */
  series(): readonly CallSeries[] {
    return [...this.#series.values()].map((series) => ({ ...series, buckets: [...series.buckets] }));
  }

  /** The last call of this action; null where there has been none. */
  latest(action: string): LatestCall | null {
    return this.#latest.get(action) ?? null;
  }
}
