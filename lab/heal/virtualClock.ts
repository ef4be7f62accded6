/**
 * Time that passes only while nothing is under way: when everything waits, it goes on to the next timer. So what takes
 * ten minutes in AWS takes a moment here, and a busy machine changes nothing of what happens.
 */
import type { LabClock } from '../labClock';

type Timer = { readonly atMs: number; readonly order: number; readonly run: () => void };

/** Turns of the event loop without anything under way, after which all has been done that follows from the last answer. */
const QUIET_TURNS = 8;
/** In real time: whatever is under way for so long never ends. */
const STUCK_AFTER_MS = 30_000;

export class VirtualClock implements LabClock {
  readonly #isBusy: () => boolean;
  readonly #startedAt: number;
  #nowMs = 0;
  #timers: Timer[] = [];
  #made = 0;

  /** `isBusy`: something is under way that ends by itself, such as a request. `startedAt`: epoch milliseconds. */
  constructor(isBusy: () => boolean, startedAt = Date.UTC(2026, 0, 1)) {
    this.#isBusy = isBusy;
    this.#startedAt = startedAt;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  dateMs(): number {
    return this.#startedAt + Math.floor(this.#nowMs);
  }

  after(ms: number, run: () => void): () => void {
    this.#made += 1;
    const timer = { atMs: this.#nowMs + ms, order: this.#made, run };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((each) => each !== timer));
  }

  /** @throws Error when it does not hold within so much of this time. */
  async until(what: string, holds: () => boolean, withinMs: number): Promise<void> {
    const deadlineMs = this.#nowMs + withinMs;
    for (await this.settle(); !holds(); await this.settle()) {
      const next = this.#next();
      if (next === undefined || next.atMs > deadlineMs)
        throw new Error(`after ${withinMs / 1000} s of virtual time it still is not so: ${what}`);
      this.#fire(next);
    }
  }

  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (await this.settle(); ; await this.settle()) {
      const next = this.#next();
      if (next === undefined || next.atMs > endMs) break;
      this.#fire(next);
    }
    this.#nowMs = endMs;
  }

  /** Until all waits, at this moment. */
  async settle(): Promise<void> {
    const since = performance.now();
    for (let quiet = 0; quiet < QUIET_TURNS; quiet += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (!this.#isBusy()) continue;
      quiet = -1;
      if (performance.now() - since > STUCK_AFTER_MS)
        throw new Error('something is under way and never ends');
    }
  }

  #next(): Timer | undefined {
    return this.#timers.reduce<Timer | undefined>(
      (first, each) =>
        first === undefined ||
        each.atMs < first.atMs ||
        (each.atMs === first.atMs && each.order < first.order)
          ? each
          : first,
      undefined,
    );
  }

  #fire(timer: Timer): void {
    this.#timers = this.#timers.filter((each) => each !== timer);
    this.#nowMs = Math.max(this.#nowMs, timer.atMs);
    timer.run();
  }
}
