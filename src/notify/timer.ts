/** The time of the notifications, which a test can have go by. */

export type Timer = {
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Calls once; returns what calls it off. Does not keep the process. */
  readonly after: (ms: number, call: () => void) => () => void;
};

export const systemTimer: Timer = {
  wallNow: Date.now,
  now: () => performance.now(),
  after: (ms, call) => {
    const timer = setTimeout(call, ms).unref();
    return () => clearTimeout(timer);
  },
};
