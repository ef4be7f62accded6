/**
 * How a long-lived part of the daemon does: whether its last try went well, and when one last did; and whether something
 * that a failover needs is there. For `show ha_health`, `show ha_ready` and the log alone; nothing is decided from it.
 */

export type Reading = {
  /** `waiting`: nothing to be judged by yet. */
  readonly state: 'waiting' | 'ok' | 'failing';
  /** Age in seconds; null for never. */
  readonly lastOkS: number | null;
  /** Failures in a row. */
  readonly failures: number;
};

export class Wellness {
  #lastOkAt: number | null = null;
  #failures = 0;

  ok(): void {
    this.#lastOkAt = performance.now();
    this.#failures = 0;
  }

  failed(): void {
    this.#failures += 1;
  }

  reading(): Reading {
    const at = this.#lastOkAt;
    return {
      state: this.#failures > 0 ? 'failing' : at === null ? 'waiting' : 'ok',
      lastOkS: at === null ? null : Math.round((performance.now() - at) / 100) / 10,
      failures: this.#failures,
    };
  }
}

/** `failing`: a failover would not work, or not in time. `unknown`: nobody can say, or it works now and may not last. */
export type Judgement = {
  readonly state: 'ok' | 'failing' | 'unknown';
  /** How old the word is that it rests on; 0 where this daemon decides it itself, null where no word has come. */
  readonly ageMs: number | null;
  readonly text: string;
};

export const ok = (text: string, ageMs: number | null = 0): Judgement => ({ state: 'ok', text, ageMs });
export const failing = (text: string, ageMs: number | null = 0): Judgement => ({
  state: 'failing',
  text,
  ageMs,
});
export const unknown = (text: string, ageMs: number | null = 0): Judgement => ({
  state: 'unknown',
  text,
  ageMs,
});
