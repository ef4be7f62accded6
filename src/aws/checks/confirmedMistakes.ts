/**
 * What the configuration names and EC2 does not have ends the start, so it has to be certain: two answers in a row
 * that say the same. A single odd one costs nothing.
 */
import type { Observed } from '../reads/observer';

export class ConfirmedMistakes {
  /** Fulfilled once, when every question has been answered; empty where all is there. */
  readonly confirmed: Promise<readonly string[]>;
  #confirm: (mistakes: readonly string[]) => void = () => {};
  #last = '';

  constructor() {
    this.confirmed = new Promise((resolve) => (this.#confirm = resolve));
  }

  observed({ observation: { unread = [] }, mistakes }: Pick<Observed, 'observation' | 'mistakes'>): void {
    const said = mistakes.join('\n');
    if (said !== '' && said === this.#last) this.#confirm(mistakes);
    if (said === '' && unread.length === 0) this.#confirm([]);
    this.#last = said;
  }
}
