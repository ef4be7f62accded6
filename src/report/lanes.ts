/** Intervals of time with a value: what a swim lane consists of, and how such are cut, joined and taken from each other. */

export type Interval = { readonly from: number; readonly to: number };
export type Span<Value> = Interval & { readonly value: Value };

/** From values that hold until the next one; equal neighbours become one. `to`: where the last one ends. */
export function spansOf<Value>(
  changes: readonly { readonly at: number; readonly value: Value }[],
  to: number,
): readonly Span<Value>[] {
  const sorted = [...changes].sort((a, b) => a.at - b.at);
  const spans: Span<Value>[] = [];
  for (const [index, { at, value }] of sorted.entries()) {
    const end = Math.min(sorted[index + 1]?.at ?? to, to);
    if (end <= at) continue;
    const last = spans.at(-1);
    if (last !== undefined && last.value === value && last.to === at)
      spans[spans.length - 1] = { ...last, to: end };
    else spans.push({ from: at, to: end, value });
  }
  return spans;
}

export function cutTo<Any extends Interval>(spans: readonly Any[], { from, to }: Interval): readonly Any[] {
  return spans
    .filter((span) => span.from < to && span.to > from)
    .map((span) => ({ ...span, from: Math.max(span.from, from), to: Math.min(span.to, to) }));
}

/** Sorted, without overlaps. */
export function union(intervals: readonly Interval[]): readonly Interval[] {
  const joined: Interval[] = [];
  for (const { from, to } of [...intervals].sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last.to)
      joined[joined.length - 1] = { from: last.from, to: Math.max(last.to, to) };
    else if (to > from) joined.push({ from, to });
  }
  return joined;
}

export function intersection(some: readonly Interval[], others: readonly Interval[]): readonly Interval[] {
  const [a, b] = [union(some), union(others)];
  return a.flatMap((each) => cutTo(b, each));
}

export function without(some: readonly Interval[], taken: readonly Interval[]): readonly Interval[] {
  let rest = union(some);
  for (const hole of union(taken)) {
    rest = rest.flatMap((each) => [
      { from: each.from, to: Math.min(each.to, hole.from) },
      { from: Math.max(each.from, hole.to), to: each.to },
    ]);
    rest = rest.filter(({ from, to }) => to > from);
  }
  return rest;
}

export const lengthOf = (intervals: readonly Interval[]): number =>
  intervals.reduce((sum, { from, to }) => sum + to - from, 0);
