/**
 * Route tables are found by a tag, which an operator may give to a second one, or take away, while the pair runs. What
 * was known then stays, and this says so: once when it begins, and once when it is over.
 */
import type { Logger } from 'pino';

/** A tag that does not name exactly one table. */
export type TagConflict = {
  /** `the table tagged ha=north` */
  readonly words: string;
  /** Those that have the tag. */
  readonly tables: readonly string[];
  /** The one that had it, and is used on; null where none is known. */
  readonly used: string | null;
};

export class TagConflicts {
  readonly #log: Logger;
  readonly #told = new Map<string, string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Null: the tables have not been read this time. */
  observed(conflicts: readonly TagConflict[] | null): void {
    if (conflicts === null) return;
    for (const [words] of this.#told) {
      if (conflicts.some((conflict) => conflict.words === words)) continue;
      this.#told.delete(words);
      const reason = `${words} is one route table again`;
      this.#log.info({ event: 'route-table-clear', table: words, reason }, 'A tag names one route table');
    }
    for (const conflict of conflicts) {
      const reason = conflictWords(conflict);
      if (this.#told.get(conflict.words) === reason) continue;
      this.#told.set(conflict.words, reason);
      this.#log.error(
        { event: 'route-table-ambiguous', table: conflict.words, reason },
        'A tag does not name one route table',
      );
    }
  }
}

export function conflictWords({ words, tables, used }: TagConflict): string {
  const what =
    tables.length === 0
      ? `no route table is ${words} any more`
      : `${tables.length} route tables are ${words} (${tables.join(', ')})`;
  const kept =
    used === null
      ? 'it is not known which one is meant, so its routes are left alone'
      : `${used}, which was it before, is used on`;
  return `${what}: ${kept}; give the tag to one table, or write route_table_id`;
}
