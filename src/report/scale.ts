/**
 * The axis of a picture. A failover of 300 ms and the quiet minute after it are to be seen together, so the axis is not
 * to scale: between two things that happen it is as long as the logarithm of the time. Its ends and its order are true.
 */
import type { Interval } from './lanes';

/** Shorter gaps than this look alike. */
const UNIT_MS = 10;
/** What no gap is narrower than, as a share of one that takes ten units. */
const LEAST = 0.06;

/** From a time to its place between 0 and 1. */
export type Scale = (at: number) => number;

export function stretched({ from, to }: Interval, instants: readonly number[]): Scale {
  const stops = [...new Set([from, ...instants.filter((at) => at > from && at < to), to])].sort(
    (a, b) => a - b,
  );
  let sum = 0;
  const places = stops.map((at, index) => {
    const gap = at - (stops[index - 1] ?? at);
    if (index > 0) sum += Math.max(LEAST, Math.log10(1 + gap / UNIT_MS));
    return sum;
  });
  return (at) => {
    if (at <= from || sum === 0) return 0;
    const next = stops.findIndex((stop) => stop >= at);
    const [after, before] = [stops[next], stops[next - 1]];
    if (after === undefined || before === undefined) return 1;
    const [left = 0, right = 0] = [places[next - 1], places[next]];
    return (left + ((at - before) / (after - before)) * (right - left)) / sum;
  };
}
