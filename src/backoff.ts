/**
 * How long to wait before the next try of something that goes on failing: ever longer, up to a limit, and
 * never in step with others. Whoever owns the retry says when it has succeeded.
 */
export class Backoff {
  readonly #firstMs: number;
  readonly #lastMs: number;
  readonly #random: () => number;
  #failures = 0;

  constructor({
    firstMs,
    lastMs,
    random = Math.random,
  }: {
    readonly firstMs: number;
    readonly lastMs: number;
    /** In [0, 1). */
    readonly random?: (() => number) | undefined;
  }) {
    this.#firstMs = firstMs;
    this.#lastMs = lastMs;
    this.#random = random;
  }

  /** Counts a failure; from half to all of a time that doubles with each. */
  nextMs(): number {
    const fullMs = Math.min(this.#firstMs * 2 ** Math.min(this.#failures, 30), this.#lastMs);
    this.#failures += 1;
    return fullMs * (0.5 + this.#random() / 2);
  }

  reset(): void {
    this.#failures = 0;
  }
}
