// Every timer of a simulated router or fabric, so that closing it leaves none behind.

export class Timers {
  readonly #running = new Set<NodeJS.Timeout>();

  /** Returns what cancels it. */
  after(delayMs: number, run: () => void): () => void {
    const timer = setTimeout(() => {
      this.#running.delete(timer);
      run();
    }, delayMs);
    this.#running.add(timer);
    return () => {
      clearTimeout(timer);
      this.#running.delete(timer);
    };
  }

  /** Returns what stops it. */
  every(intervalMs: number, run: () => void): () => void {
    const timer = setInterval(run, intervalMs);
    this.#running.add(timer);
    return () => {
      clearInterval(timer);
      this.#running.delete(timer);
    };
  }

  clear(): void {
    for (const timer of this.#running) clearTimeout(timer);
    this.#running.clear();
  }
}
