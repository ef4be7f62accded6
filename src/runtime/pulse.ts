/**
 * Whether this process ran all the time. A paused virtual machine, a frozen container or a busy loop stops
 * BFD and the daemon together, and what is heard right after it may say nothing about the peer (rule 16).
 * Tells how long it lasted; what that means is the core's affair.
 *
 * The 50 ms tick is libuv's own timer behind `monitorEventLoopDelay`, which runs no JavaScript: measured at
 * rest it costs 0.1 % of a core, a `setInterval` of 50 ms 0.2 %. A pause of `detection time + 50 ms` or more
 * always shows, whenever it begins, and a slip that shows was a pause of at least that length.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';

const TICK_MS = 50;
/** The histogram counts longer intervals, but does not measure them. */
const LONGEST_MEASURED_MS = 3_600_000;

export type Pulse = {
  readonly start: () => void;
  readonly stop: () => void;
  /** By how much the tick slipped at worst since this last was not 0; each pause is told once. */
  readonly takePauseMs: () => number;
  /** The same without taking it. */
  readonly pauseMs: number;
};

export class EventLoopPulse implements Pulse {
  readonly #shortestMs: number;
  readonly #intervals = monitorEventLoopDelay({ resolution: TICK_MS });

  /** A pause that is shorter than `shortestMs` is none. */
  constructor(shortestMs: number) {
    this.#shortestMs = shortestMs;
  }

  start(): void {
    this.#intervals.enable();
  }

  stop(): void {
    this.#intervals.disable();
  }

  /** It knows of pauses that the loop's timers have seen: a reader in another phase of the loop waits for those first. */
  takePauseMs(): number {
    const pauseMs = this.pauseMs;
    // Resetting costs the interval under way, so it is done after a pause only.
    if (pauseMs > 0) this.#intervals.reset();
    return pauseMs;
  }

  get pauseMs(): number {
    const longestMs = this.#intervals.exceeds > 0 ? LONGEST_MEASURED_MS : this.#intervals.max / 1e6;
    const slipMs = longestMs - TICK_MS;
    return slipMs >= this.#shortestMs ? slipMs : 0;
  }
}
