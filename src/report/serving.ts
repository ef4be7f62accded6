/**
 * Who held what when, by all that the cloud told either router; and when nobody served it: the cloud showed no holder,
 * or the holder was gone, which its peer saw (no session UP) and its own journal does not contradict.
 */
import { intersection, spansOf, union, without, type Interval, type Span } from './lanes';
import type { RouterView } from './routerView';

export type TargetStory = {
  readonly id: string;
  /** The name of a router, `nobody`, or what else the cloud named. */
  readonly holders: readonly Span<string>[];
  readonly unserved: readonly Interval[];
};

export type GroupStory = {
  readonly name: string | null;
  readonly targets: readonly TargetStory[];
  /** When at least one of its targets was not served. */
  readonly unserved: readonly Interval[];
};

export const NOBODY = 'nobody';

export function targetStories(
  ids: readonly string[],
  routers: readonly RouterView[],
  range: Interval,
): readonly TargetStory[] {
  const nameOf = (instanceId: string): string =>
    routers.find(({ instanceIds }) => instanceIds.includes(instanceId))?.name ?? instanceId;
  const changes = new Map(ids.map((id) => [id, [] as { at: number; value: string }[]]));
  for (const { at, target, held } of routers.flatMap(({ statements }) => statements)) {
    const value =
      held.on === 'instance' ? nameOf(held.instanceId) : held.on === 'nobody' ? NOBODY : held.words;
    changes.get(target)?.push({ at, value });
  }
  const gone = new Map<string, readonly Interval[]>();
  return ids.map((id) => {
    const holders = spansOf(changes.get(id) ?? [], range.to);
    const unserved = holders.flatMap((span): readonly Interval[] => {
      if (span.value === NOBODY) return [span];
      const known = gone.get(span.value) ?? goneAsSeen(span.value, routers, range);
      gone.set(span.value, known);
      return intersection([span], known);
    });
    return { id, holders, unserved: union(unserved) };
  });
}

/** When the router of this name did not serve, as far as that can be told. */
function goneAsSeen(name: string, routers: readonly RouterView[], range: Interval): readonly Interval[] {
  const self = routers.find((router) => router.name === name);
  const peers = routers.filter((router) => router.name !== name);
  // What holds it is neither router of the pair, and nobody watches it.
  if (self === undefined && routers.length > 1) return [];
  const seen = union(peers.flatMap((peer) => unseen(peer, self === undefined)));
  if (self === undefined) return intersection(seen, [range]);
  const broken = self.interfaces.flatMap(({ spans }) => spans.filter(({ value }) => value === 'Down'));
  return intersection(without(seen, without(livesThrough(self, seen), broken)), [range]);
}

/**
 * When a router ran while it was not seen. A journal that ends in the midst of such a time was copied then, as far as one
 * can tell; one that had ended before it began is that of a router that is gone.
 */
function livesThrough({ runs }: RouterView, seen: readonly Interval[]): readonly Interval[] {
  const last = runs.at(-1);
  const within = seen.find(({ from, to }) => last !== undefined && from < last.to && last.to < to);
  return last === undefined || within === undefined ? runs : [...runs, { from: last.to, to: within.to }];
}

/** When this router saw no session UP; `afterUp`: and had seen one UP before, with its own interfaces not DOWN. */
function unseen({ sessions, interfaces }: RouterView, afterUp: boolean): readonly Interval[] {
  const spans = sessions.flatMap((lane) => lane.spans);
  const up = spans.filter(({ value }) => value === 'Up');
  const dark = without(
    spans.filter(({ value }) => value !== null),
    up,
  );
  if (!afterUp) return dark;
  const firstUp = Math.min(Infinity, ...up.map(({ from }) => from));
  const broken = interfaces.flatMap((lane) => lane.spans.filter(({ value }) => value === 'Down'));
  return without(
    dark.filter(({ from }) => from >= firstUp),
    broken,
  );
}

/** How many targets each has, for one lane of all. */
export function holdersTogether(targets: readonly TargetStory[], to: number): readonly Span<string>[] {
  const starts = targets
    .flatMap(({ holders }) =>
      holders.map(({ from, value }, index) => ({ at: from, value, before: holders[index - 1]?.value })),
    )
    .sort((a, b) => a.at - b.at);
  const counts = new Map<string, number>();
  const add = (value: string, by: number): void => {
    const count = (counts.get(value) ?? 0) + by;
    if (count === 0) counts.delete(value);
    else counts.set(value, count);
  };
  const changes = starts.map(({ at, value, before }) => {
    if (before !== undefined) add(before, -1);
    add(value, 1);
    const [only, ...others] = [...counts.keys()];
    const together =
      others.length === 0
        ? (only ?? NOBODY)
        : [...counts]
            .map(([name, count]) => `${name} ${count}`)
            .sort()
            .join(', ');
    return { at, value: together };
  });
  return spansOf(changes, to);
}

export const unservedByAny = (targets: readonly TargetStory[]): readonly Interval[] =>
  union(targets.flatMap(({ unserved }) => unserved));
