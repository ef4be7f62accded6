/**
 * How a long-lived part of the daemon does: whether its last try went well, and when one last did. For `show
 * ha_health` and the log alone; nothing is decided from it.
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
