/**
 * Notices that another client takes the router's streams again and again: the router gives them to whoever
 * asked last, so two daemons on one router would take them from each other for ever, each attachment good
 * in itself. Must not know how an attachment is made.
 */

/** Losses of control that are further apart than this are separate incidents. */
const rowGapMs = 5 * 60_000;

export class Contest {
  #lastAt: number | null = null;
  #losses = 0;

  /** True at the second loss of control of a row, so that each row is alarmed once. */
  lostControl(nowMs: number): boolean {
    const goesOn = this.#lastAt !== null && nowMs - this.#lastAt < rowGapMs;
    this.#lastAt = nowMs;
    this.#losses = goesOn ? this.#losses + 1 : 1;
    return this.#losses === 2;
  }
}
