/** Tells that this router's clock is so far from EC2's that signed requests are about to be refused. Once, until it is not. */
import type { Logger } from 'pino';
import type { CloudClock } from '../core/state/readings';
import { CLOCK_OFFSET_MS_MAX, clockOffsetMs, clockWords } from './conditions';

type ClockAlarmOptions = {
  readonly log: Logger;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
};

export class ClockAlarm {
  readonly #options: ClockAlarmOptions;
  #isOff = false;

  constructor(options: ClockAlarmOptions) {
    this.#options = options;
  }

  /** After each reading of EC2; null: EC2 has not said what time it is. */
  observed(clock: CloudClock | null): void {
    if (clock === null) return;
    const { log, now, wallNow } = this.#options;
    const offsetMs = clockOffsetMs(clock, { wallNow: wallNow(), now: now() });
    const isOff = Math.abs(offsetMs) >= CLOCK_OFFSET_MS_MAX;
    if (isOff === this.#isOff) return;
    this.#isOff = isOff;
    const reason = clockWords(offsetMs);
    if (isOff) log.warn({ event: 'clock-off', reason }, 'The clock is too far from that of EC2');
    else log.info({ event: 'clock-right', reason }, 'The clock is near that of EC2 again');
  }
}
