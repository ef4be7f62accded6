/**
 * What the emulators of AWS take for the time: that of the machine, or one of a test's own that stands still while anything
 * is under way (heal/virtualClock.ts).
 */

export interface LabClock {
  /** Monotonic milliseconds. */
  nowMs(): number;
  /** Wall clock, in milliseconds of the epoch. */
  dateMs(): number;
  /** Calls back once, after `ms` and never at once; what it returns calls that off. Keeps no process alive. */
  after(ms: number, run: () => void): () => void;
}

/** Monotonic milliseconds of `process.hrtime`, comparable with every other process of this machine. */
export const machineClock: LabClock = {
  nowMs: () => Number(process.hrtime.bigint()) / 1e6,
  dateMs: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};
