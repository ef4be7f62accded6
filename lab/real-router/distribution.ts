/** Times that are always the same, or drawn anew each time: what a call takes, or a change in the VPC. */

/** Milliseconds of the next one. */
export type DrawMs = () => number;

export type LogNormal = {
  /** Half of the draws are longer. */
  readonly medianMs: number;
  /** Of the logarithm: with 0.85, one of twenty is four times as long as the median and more. */
  readonly sigma: number;
};

export const always =
  (ms: number): DrawMs =>
  () =>
    ms;

/** `next` is a random number in [0, 1): with the same seed behind it, the draws are the same. */
export const logNormal =
  ({ medianMs, sigma }: LogNormal, next: () => number): DrawMs =>
  () =>
    medianMs * Math.exp(sigma * normal(next));

/** Box and Muller. */
const normal = (next: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
