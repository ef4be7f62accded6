/** Time that a test has go by. What is due comes in the order of its time; promises are let settle in between. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Timer } from '../../src/notify/timer';

export const WALL = Date.parse('2026-11-30T12:00:00Z');

export class VirtualTimer implements Timer {
  #now = 0;
  #calls: { readonly at: number; readonly call: () => void }[] = [];

  readonly now = (): number => this.#now;
  readonly wallNow = (): number => WALL + this.#now;

  readonly after = (ms: number, call: () => void): (() => void) => {
    const planned = { at: this.#now + ms, call };
    this.#calls.push(planned);
    return () => (this.#calls = this.#calls.filter((each) => each !== planned));
  };

  async pass(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      await nextTurn();
      const [next] = [...this.#calls].sort((one, other) => one.at - other.at);
      if (next === undefined || next.at > until) break;
      this.#calls = this.#calls.filter((each) => each !== next);
      this.#now = Math.max(this.#now, next.at);
      next.call();
    }
    this.#now = until;
  }
}
