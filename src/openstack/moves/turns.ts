/** Moves that have to wait for each other, by what they have in common. */
import type { Outcome, SendNews } from '../../cloud';

export class Turns {
  /** The last one of each queue: fulfilled when it and all before it have ended. */
  readonly #ends = new Map<string, Promise<unknown>>();
  /** What takes a call that waits out of its queue. */
  readonly #waiting = new Map<string, () => void>();

  /** Fulfilled with null where it was withdrawn before its turn. */
  take(
    queue: string,
    call: string,
    move: () => Promise<Outcome>,
    news: SendNews | undefined,
  ): Promise<Outcome | null> {
    const before = this.#ends.get(queue);
    if (before !== undefined) news?.queued();
    const ended = this.#inTurn(call, before, move, news);
    this.#ends.set(queue, ended);
    void ended.then(() => this.#ends.get(queue) === ended && this.#ends.delete(queue));
    return ended;
  }

  withdraw(call: string): void {
    this.#waiting.get(call)?.();
  }

  async #inTurn(
    call: string,
    before: Promise<unknown> | undefined,
    move: () => Promise<Outcome>,
    news: SendNews | undefined,
  ): Promise<Outcome | null> {
    if (before === undefined) return move();
    let isWithdrawn = false;
    this.#waiting.set(call, () => (isWithdrawn = true));
    await before;
    this.#waiting.delete(call);
    if (isWithdrawn) return null;
    news?.released();
    return move();
  }
}
