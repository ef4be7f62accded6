/**
 * The daemon's two clocks. Everything decided uses the monotonic one, which a stepped wall clock cannot
 * disturb and which two runs of the daemon on one boot share; wall time only stamps what people read.
 */
export type Clock = {
  /** Milliseconds since boot (CLOCK_MONOTONIC), with fractions. */
  readonly monotonicMs: () => number;
};

export const systemClock: Clock = {
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
};
