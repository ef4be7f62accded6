/**
 * How long an answer is waited for, where answers may become slow for days: a deadline that has passed doubles the
 * next one, up to a limit, and what answers in time keeps room for twice as long.
 */
export class Deadline {
  readonly #firstMs: number;
  readonly #lastMs: number;
  #ms: number;

  constructor({ firstMs, lastMs }: { readonly firstMs: number; readonly lastMs: number }) {
    this.#firstMs = firstMs;
    this.#lastMs = Math.max(firstMs, lastMs);
    this.#ms = firstMs;
  }

  /** For the next question, in ms. */
  get ms(): number {
    return this.#ms;
  }

  /** No answer came within `ms`. */
  passed(): void {
    this.#ms = Math.min(2 * this.#ms, this.#lastMs);
  }

  answered(afterMs: number): void {
    this.#ms = Math.min(Math.max(2 * afterMs, this.#firstMs), this.#lastMs);
  }

  /** Asks within it, and learns from the answer. `now`: monotonic ms. */
  async of<Result extends { readonly ok: boolean; readonly failure?: { readonly code: string } }>(
    now: () => number,
    ask: (timeoutMs: number) => Promise<Result>,
  ): Promise<Result> {
    const askedAt = now();
    const result = await ask(this.#ms);
    if (result.ok) this.answered(now() - askedAt);
    else if (result.failure?.code === 'Timeout') this.passed();
    return result;
  }
}
