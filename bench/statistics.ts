/** Samples and what is said of them. Quantiles are nearest-rank: each figure printed has been measured. */

/** @throws Error without samples: a row that measured nothing must not look like one that did. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const found = sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)];
  if (found === undefined) throw new Error('no samples');
  return found;
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);
export const highest = (samples: readonly number[]): number => quantile(samples, 1);

/** Something that was counted, and what it has to be in every single case. */
export type Count = {
  readonly what: string;
  readonly expected: number;
  readonly seen: readonly number[];
};

export const isRight = ({ expected, seen }: Count): boolean =>
  seen.length > 0 && seen.every((number) => number === expected);

export function countWords(count: Count): string {
  const cases = `in all of ${count.seen.length}`;
  if (isRight(count)) return `${count.expected} ${cases}`;
  return `NOT ${count.expected} ${cases}: ${[...new Set(count.seen)].join(', ') || 'never seen'}`;
}

/** Milliseconds as printed: two digits below 100, none above. */
export const ms = (value: number): string => (value < 100 ? value.toFixed(2) : value.toFixed(0));
