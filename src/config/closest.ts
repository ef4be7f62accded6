/**
 * "Did you mean ...?" for a mistyped word.
 *
 * Our own, 2026-11-30: fastest-levenshtein 1.0.16 counts a swap of two neighbours as two edits (`hsow`, `show`), which is
 * too many for a word of four letters; and swaps are what hands do.
 */

/** Shorter beginnings fit by chance. */
const MIN_BEGINNING_LENGTH = 3;

/**
 * The candidate that takes the fewest edits to reach, where that is few enough to be a slip; else the only
 * one that begins with the word; else null.
 */
export function closest(word: string, candidates: readonly string[]): string | null {
  const typed = normal(word.slice(0, 64));
  const ranked = candidates
    .map((candidate) => ({ candidate, edits: edits(typed, normal(candidate)) }))
    .sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  if (best !== undefined && best.edits <= Math.max(1, best.candidate.length / 3)) return best.candidate;
  if (typed.length < MIN_BEGINNING_LENGTH) return null;
  const [longer, ...others] = candidates.filter((candidate) => normal(candidate).startsWith(typed));
  return longer !== undefined && others.length === 0 ? longer : null;
}

function normal(word: string): string {
  return word.toLowerCase().replaceAll('-', '_');
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment distance). */
function edits(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const replace = (last[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      let fewest = Math.min(replace, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        fewest = Math.min(fewest, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(fewest);
    }
    beforeLast = last;
    last = row;
  }
  return last[to.length] ?? 0;
}
