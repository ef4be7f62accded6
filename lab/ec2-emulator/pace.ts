/**
 * What takes its time in EC2: attaching, detaching, launching, terminating, and the boot of a guest. A change
 * has a beginning, which the API answers, and an end, which comes by itself. An end may be held back for ever
 * (a stuck detachment, a reboot that never comes back) until somebody releases it.
 */
import type { LabClock } from '../labClock';

/** Each in milliseconds; 0 happens at once. */
export interface Pace {
  /** `pending` to `running`. */
  readonly launchMs: number;
  /** `running` to the guest's answer: its status checks are `initializing` meanwhile. */
  readonly bootMs: number;
  /** `shutting-down` to `terminated`. */
  readonly shutdownMs: number;
  readonly attachInterfaceMs: number;
  readonly detachInterfaceMs: number;
  readonly attachVolumeMs: number;
  readonly detachVolumeMs: number;
}

export const atOnce: Pace = {
  launchMs: 0,
  bootMs: 0,
  shutdownMs: 0,
  attachInterfaceMs: 0,
  detachInterfaceMs: 0,
  attachVolumeMs: 0,
  detachVolumeMs: 0,
};

/**
 * About what EC2 and a router take, in seconds of virtual time, by the reports of users; the boot of a router
 * takes ten minutes. A lab runs `scale` times as fast.
 */
export const scaledPace = (scale: number): Pace => ({
  launchMs: 12_000 / scale,
  bootMs: 600_000 / scale,
  shutdownMs: 40_000 / scale,
  attachInterfaceMs: 3_000 / scale,
  detachInterfaceMs: 8_000 / scale,
  attachVolumeMs: 4_000 / scale,
  detachVolumeMs: 6_000 / scale,
});

export class Endings {
  readonly #clock: LabClock;
  readonly #stuck = new Map<string, (() => void)[]>();

  constructor(clock: LabClock) {
    this.#clock = clock;
  }

  /** Runs it after `ms`, or when its subject is released; a timer keeps no process alive. */
  after(ms: number, subject: string, end: () => void): void {
    const run = () => {
      const waiting = this.#stuck.get(subject);
      if (waiting === undefined) end();
      else waiting.push(end);
    };
    if (ms === 0) run();
    else this.#clock.after(ms, run);
  }

  /**
   * From now on no change of this interface or volume comes to its end. Of an instance it is the boot;
   * `i-... launch` and `i-... shutdown` are the others.
   */
  stick(subject: string): void {
    if (!this.#stuck.has(subject)) this.#stuck.set(subject, []);
  }

  /** All that has been held back comes to its end now. */
  release(subject: string): void {
    const waiting = this.#stuck.get(subject) ?? [];
    this.#stuck.delete(subject);
    for (const end of waiting) end();
  }
}
