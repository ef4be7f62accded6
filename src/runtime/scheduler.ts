/**
 * When the loop runs: the turns, timers and pauses of the process that it lives in. The daemon gives it Node's, the
 * simulation those of a process in virtual time.
 */
import { EventLoopPulse, type Pulse } from './pulse';

export type Cancel = () => void;

export type Scheduler = {
  /** Runs it once when everything that has arrived by now has been taken in, and a pause just over has been noticed. */
  readonly afterInput: (run: () => void) => void;
  /** Runs it once when what has been started has reached its socket. */
  readonly afterOutput: (run: () => void) => void;
  /** Runs it once, so many milliseconds from now or a little earlier or later. Not while the process does not run. */
  readonly after: (delayMs: number, run: () => void) => Cancel;
  /** Runs it again and again. It keeps no process alive. */
  readonly every: (intervalMs: number, run: () => void) => Cancel;
  /** A pause of the process that is shorter than `shortestMs` is none. */
  readonly pulse: (shortestMs: number) => Pulse;
};

/** Node's timers hold 31 bits; a later deadline is reached by way of a harmless earlier wake-up. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const nodeScheduler: Scheduler = {
  /**
   * Right after the I/O callbacks that are ready now; for deadlines too: after a pause of the process the timer comes
   * first, while the answer that it was to wait for lies in the socket unread. And only a turn later: after a pause
   * sockets may be read, and this may run, before any timer has (libuv's order), and it takes a timer to see that
   * there was a pause.
   */
  afterInput: (run) => void setImmediate(() => setImmediate(run)),
  afterOutput: (run) => void setImmediate(run),
  after: (delayMs, run) => {
    const timer = setTimeout(run, Math.min(delayMs, LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  },
  every: (intervalMs, run) => {
    const timer = setInterval(run, intervalMs).unref();
    return () => clearInterval(timer);
  },
  pulse: (shortestMs) => new EventLoopPulse(shortestMs),
};
