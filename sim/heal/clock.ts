/** Virtual time: what is to happen, in order. */
export class Clock {
  now = 0;
  #number = 0;
  readonly #queue: { readonly at: number; readonly number: number; readonly what: () => void }[] = [];

  after(ms: number, what: () => void): void {
    const at = this.now + Math.max(0, Math.round(ms));
    this.#number += 1;
    const entry = { at, number: this.#number, what };
    let index = this.#queue.length;
    // Latest first, so that the next one is the last of the list.
    while (index > 0 && (this.#queue[index - 1]?.at ?? 0) <= at) index -= 1;
    this.#queue.splice(index, 0, entry);
  }

  runUntil(end: number): void {
    for (let next = this.#queue.at(-1); next !== undefined && next.at <= end; next = this.#queue.at(-1)) {
      this.#queue.pop();
      this.now = next.at;
      next.what();
    }
    this.now = end;
  }
}
