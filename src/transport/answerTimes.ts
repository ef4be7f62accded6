/**
 * How long the cloud takes to answer here, of late: by that a request counts as slow. Reads tell it all the time, writes
 * once a year. Until a write has been seen, one is taken to last twice as long as a read.
 */

/** So many answers are remembered of each kind, and so many have to be known before anything is said. */
const KEPT = 40;
const LEAST = 8;
/** Three of ten answers take longer: a cloud's times have a long tail, and a second request seldom meets it twice. */
const SLOW_QUANTILE = 0.7;
/** Where all answers take about as long, one that takes only a little longer is not slow. */
const SLOW_FACTOR = 1.5;
const WRITE_FACTOR = 2;
/** A smaller change is no news. */
const NEWS_FACTOR = 1.25;

export class AnswerTimes {
  readonly #onNews: (slowAfterMs: number) => void;
  #reads: readonly number[] = [];
  #writes: readonly number[] = [];
  #told: number | null = null;

  /** `onNews` is given after how long without an answer a write is slow, in ms, whenever that has changed by much. */
  constructor(onNews: (slowAfterMs: number) => void) {
    this.#onNews = onNews;
  }

  answered(kind: 'read' | 'write', afterMs: number): void {
    if (kind === 'read') this.#reads = [...this.#reads, afterMs].slice(-KEPT);
    else this.#writes = [...this.#writes, afterMs].slice(-KEPT);
    if (this.#reads.length + this.#writes.length < LEAST) return;
    const slowAfterMs = Math.ceil(this.#slowAfterMs());
    const change = slowAfterMs / (this.#told ?? Infinity);
    if (change < NEWS_FACTOR && change > 1 / NEWS_FACTOR) return;
    this.#told = slowAfterMs;
    this.#onNews(slowAfterMs);
  }

  #slowAfterMs(): number {
    const factor =
      this.#writes.length === 0 || this.#reads.length === 0
        ? WRITE_FACTOR
        : quantile(sorted(this.#writes), 0.5) / Math.max(1, quantile(sorted(this.#reads), 0.5));
    const all = sorted([...this.#writes, ...this.#reads.map((each) => each * factor)]);
    return Math.max(quantile(all, SLOW_QUANTILE), SLOW_FACTOR * quantile(all, 0.5));
  }
}

/** By size, which is how numbers sort that are typed. */
function sorted(samples: readonly number[]): Float64Array {
  return new Float64Array(samples).sort();
}

/** Nearest-rank. */
function quantile(samples: Float64Array, share: number): number {
  return samples[Math.max(0, Math.ceil(share * samples.length) - 1)] ?? 0;
}
