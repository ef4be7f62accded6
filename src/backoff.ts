/**
 * The pauses between tries of something that goes on failing: ever longer, up to a limit. Whoever owns the retry says
 * when it has succeeded.
 */
import { pauseMs, type PauseRange } from './core/pause';

export class Backoff {
  readonly #range: PauseRange;
  readonly #random: () => number;
  #failures = 0;

  constructor({
    firstMs,
    lastMs,
    random = Math.random,
  }: PauseRange & {
    /** In [0, 1). */
    readonly random?: (() => number) | undefined;
  }) {
    this.#range = { firstMs, lastMs };
    this.#random = random;
  }

  /** Counts a failure. */
  nextMs(): number {
    const pause = pauseMs(this.#range, this.#failures, this.#random());
    this.#failures += 1;
    return pause;
  }

  reset(): void {
    this.#failures = 0;
  }
}
