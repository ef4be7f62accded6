/**
 * What is known of the levels of sessions or interfaces during one attachment to the router: readings that
 * were asked for and events from the stream, merged. Both carry the router's event counter (`SeqNum`),
 * which restarts with the process that counts, so it orders things but never outlives an attachment.
 */
import type { JsonObject } from '../core/state/json';

export type Known<Level> = {
  readonly level: Level;
  /** 0 where the router gave none. */
  readonly seqNum: bigint;
  readonly diag: string;
  readonly notification: JsonObject;
};

type Entry<Level> = Known<Level> & {
  /** How many readings had been asked for when this was heard on the stream; null for a reading. */
  readonly heardDuring: number | null;
};

export class Levels<Level> {
  readonly #entries = new Map<string, Entry<Level>>();
  #asked = 0;

  get(name: string): Known<Level> | null {
    return this.#entries.get(name) ?? null;
  }

  /** To be called when a reading is asked for; its number goes to `read`. */
  ask(): number {
    this.#asked += 1;
    return this.#asked;
  }

  /**
   * A reading is the truth, except for what the stream has said since it was asked for, with a higher
   * number. Returns whether the level is another one than was known.
   */
  read(name: string, known: Known<Level>, asked: number): boolean {
    const before = this.#entries.get(name);
    if (before !== undefined && heardSince(before, asked) && before.seqNum > known.seqNum) return false;
    this.#entries.set(name, { ...known, heardDuring: null });
    return before?.level !== known.level;
  }

  /** The reading did not hold it: nothing is known but what the stream has said since. */
  absent(name: string, asked: number): void {
    const before = this.#entries.get(name);
    if (before !== undefined && !heardSince(before, asked)) this.#entries.delete(name);
  }

  /**
   * An event. `outdated`: its number is lower than what is known, so it is an old event that comes late, or
   * the router's counter has restarted; a new reading tells which. `repeated`: it says what is known.
   */
  heard(name: string, known: Known<Level>): 'news' | 'repeated' | 'outdated' {
    const before = this.#entries.get(name);
    if (before !== undefined && known.seqNum < before.seqNum) return 'outdated';
    const repeated = known.seqNum === before?.seqNum && known.level === before.level;
    this.#entries.set(name, { ...known, heardDuring: this.#asked });
    return repeated && known.seqNum > 0n ? 'repeated' : 'news';
  }
}

function heardSince({ heardDuring }: { readonly heardDuring: number | null }, asked: number): boolean {
  return heardDuring !== null && heardDuring >= asked;
}
