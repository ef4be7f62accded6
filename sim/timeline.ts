/**
 * Virtual time in whole milliseconds: what is due at one moment runs in the order in which it was planned,
 * and what was planned `last` after all else of that moment. A binary heap; nothing is ever taken out early.
 */
type Entry = { readonly key: number; readonly order: number; readonly run: () => void };

export class Timeline {
  now = 0;
  #order = 0;
  readonly #heap: Entry[] = [];

  /** Runs it after this many milliseconds. */
  after(ms: number, run: () => void): void {
    this.#push((this.now + Math.max(0, Math.ceil(ms))) * 2, run);
  }

  /** Runs it at this moment when everything else that is due has run. */
  last(run: () => void): void {
    this.#push(this.now * 2 + 1, run);
  }

  /** Runs everything that is due until then, and leaves the time there. */
  runUntil(at: number): void {
    const heap = this.#heap;
    for (let next = heap[0]; next !== undefined && next.key <= at * 2 + 1; next = heap[0]) {
      this.#pop();
      this.now = next.key >> 1;
      next.run();
    }
    this.now = at;
  }

  #push(key: number, run: () => void): void {
    const heap = this.#heap;
    const entry = { key, order: (this.#order += 1), run };
    let place = heap.length;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, entry)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const entry = heap.pop();
    const size = heap.length;
    if (entry === undefined || size === 0) return;
    let place = 0;
    for (;;) {
      let child = place * 2 + 1;
      let below = heap[child];
      if (below === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, below)) {
        below = right;
        child += 1;
      }
      if (isBefore(entry, below)) break;
      heap[place] = below;
      place = child;
    }
    heap[place] = entry;
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.key < other.key || (one.key === other.key && one.order < other.order);
}
