/** A stream of random numbers that a seed makes again, so that a soak that failed can be run once more. */

export type Random = {
  /** In [0, 1). */
  next(): number;
  /** One of them, each with the weight that is its share of all. */
  weighted<T extends { readonly weight: number }>(items: readonly T[]): T;
  /** A whole number, both ends included. */
  between(from: number, to: number): number;
};

/** Mulberry32: 32 bits of state, plenty to choose what breaks next. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    weighted: (items) => {
      let left = next() * items.reduce((sum, { weight }) => sum + weight, 0);
      const found = items.find(({ weight }) => (left -= weight) < 0) ?? items.at(-1);
      if (found === undefined) throw new Error('nothing to choose from');
      return found;
    },
    between: (from, to) => from + Math.floor(next() * (to - from + 1)),
  };
}
