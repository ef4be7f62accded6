/**
 * Notices when the router's heartbeats stop. How often they come is not documented, so only a router that
 * has sent two is expected to go on, and not more often than it did.
 */
export class Heartbeats {
  readonly #now: () => number;
  readonly #patienceMs: number;
  readonly #stopped: (silentMs: number) => void;
  #lastAt: number | null = null;
  #longestGapMs = 0;
  #timer: NodeJS.Timeout | null = null;

  /** `stopped` is called once nothing came for three gaps, but not before `patienceMs`. */
  constructor(now: () => number, patienceMs: number, stopped: (silentMs: number) => void) {
    this.#now = now;
    this.#patienceMs = patienceMs;
    this.#stopped = stopped;
  }

  beat(): void {
    const at = this.#now();
    const first = this.#lastAt === null;
    this.#longestGapMs = Math.max(this.#longestGapMs, at - (this.#lastAt ?? at));
    this.#lastAt = at;
    if (!first) this.#arm(Math.max(this.#patienceMs, 3 * this.#longestGapMs));
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #arm(silentMs: number): void {
    this.stop();
    this.#timer = setTimeout(() => this.#stopped(silentMs), silentMs);
  }
}
