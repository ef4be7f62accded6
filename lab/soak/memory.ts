/**
 * Whether the daemons' memory stays flat. A young process still grows into its heap, so only lives that were long
 * enough are judged, and the second half of a life against the first. Linux only.
 */
import { readFileSync } from 'node:fs';

/** Samples of one process, in MiB, oldest first. */
export type Life = { readonly pid: number; readonly rssMiB: number[] };

/** A life with fewer rounds says nothing. */
const ROUNDS_MIN = 80;
/** V8's heap grows in steps that long before it has found its size. */
const YOUTH_ROUNDS = 40;
/** Between garbage collections the size goes up and down by more than this. */
const GROWTH_MIB_MAX = 6;

export class MemoryRecord {
  readonly #lives = new Map<number, Life>();

  sample(pid: number): void {
    const life = this.#lives.get(pid) ?? { pid, rssMiB: [] };
    const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    if (found !== null) life.rssMiB.push(Number(found[1]) / 1024);
    this.#lives.set(pid, life);
  }

  get highestMiB(): number {
    return Math.max(0, ...[...this.#lives.values()].flatMap(({ rssMiB }) => rssMiB));
  }

  /** One line per life that was long enough, and whether it grew. */
  judge(): readonly { readonly line: string; readonly grew: boolean }[] {
    return [...this.#lives.values()]
      .filter(({ rssMiB }) => rssMiB.length >= ROUNDS_MIN)
      .map(({ pid, rssMiB }) => {
        const grown = rssMiB.slice(YOUTH_ROUNDS);
        const half = Math.floor(grown.length / 2);
        const [first, second] = [median(grown.slice(0, half)), median(grown.slice(half))];
        const line =
          `process ${pid}: ${rssMiB.length} rounds, median ${first.toFixed(1)} MiB in the first half of its ` +
          `life and ${second.toFixed(1)} MiB in the second`;
        return { line, grew: second - first > GROWTH_MIB_MAX };
      });
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
}
