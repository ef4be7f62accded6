/** The lanes of one picture: first what one router tells, then who held the targets, then the other router in mirror. */
import { cutTo, type Interval, type Span } from './lanes';
import type { Call, Lane, RouterView } from './routerView';
import { holdersTogether, NOBODY, type GroupStory } from './serving';

/**
 * What a span means, whatever it is drawn like. `first` and `second`: the router has the targets; `serving`: a router is
 * ACTIVE.
 */
export type Tone =
  | 'up'
  | 'down'
  | 'unknown'
  | 'serving'
  | 'standby'
  | 'first'
  | 'second'
  | 'mixed'
  | 'nobody'
  | 'call'
  | 'failed';

export type DrawnSpan = Interval & { readonly tone: Tone; readonly text: string };

export type PictureLane = {
  /** Null: of the pair. */
  readonly router: string | null;
  readonly title: string;
  readonly spans: readonly DrawnSpan[];
};

export function pictureLanes(
  views: readonly RouterView[],
  groups: readonly GroupStory[],
  range: Interval,
): readonly PictureLane[] {
  const [first, second] = views;
  const names = views.map(({ name }) => name);
  return [
    ...(first === undefined ? [] : routerLanes(first, range)),
    ...groups.map((group) => holderLane(group, names, first?.cloud ?? 'the cloud', range)),
    ...(second === undefined ? [] : [...routerLanes(second, range)].reverse()),
  ];
}

function routerLanes(view: RouterView, range: Interval): readonly PictureLane[] {
  const { name, sessions, interfaces, groups, calls } = view;
  const router = name;
  const levels = (lane: Lane, kind: string): PictureLane => ({
    router,
    // Which interface it is on says the lane of that.
    title: `${kind}${lane.id.replace(/ on .*/, '')}`,
    spans: drawn(lane.spans, range, levelOf, (level) => level.toUpperCase()),
  });
  const called = together(cutTo(calls, range));
  return [
    ...sessions.map((lane) => levels(lane, 'BFD ')),
    ...interfaces.map((lane) => levels(lane, '')),
    ...(called.length === 0
      ? []
      : [{ router, title: `calls to ${view.cloud}`, spans: called.map(callSpan) }]),
    ...groups.map(({ name: group, roles }) => ({
      router,
      title: group === null ? 'role' : `role in ${group}`,
      spans: drawn(roles, range, roleOf),
    })),
  ];
}

const SILENT = 'no line';

function drawn(
  spans: readonly Span<string | null>[],
  range: Interval,
  toneOf: (value: string) => Tone,
  wordsOf: (value: string) => string = (value) => value,
): readonly DrawnSpan[] {
  return cutTo(spans, range).map(({ from, to, value }) => ({
    from,
    to,
    tone: value === null ? 'unknown' : toneOf(value),
    text: value === null ? SILENT : wordsOf(value),
  }));
}

function levelOf(value: string): Tone {
  return value === 'Up' ? 'up' : value === 'Down' ? 'down' : 'unknown';
}

function roleOf(value: string): Tone {
  return value === 'ACTIVE' ? 'serving' : value === 'STANDBY' ? 'standby' : 'unknown';
}

/** Calls that were under way at the same time are one span. */
function together(calls: readonly Call[]): readonly (readonly Call[])[] {
  const groups: Call[][] = [];
  let until = -Infinity;
  for (const call of [...calls].sort((a, b) => a.from - b.from)) {
    const current = groups.at(-1);
    if (current !== undefined && call.from < until) current.push(call);
    else groups.push([call]);
    until = Math.max(until, call.to);
  }
  return groups;
}

function callSpan(calls: readonly Call[]): DrawnSpan {
  const from = Math.min(...calls.map((call) => call.from));
  const to = Math.max(...calls.map((call) => call.to));
  const failed = calls.filter(({ outcome }) => outcome !== 'moved');
  const [first] = calls;
  const count = new Set(calls.flatMap(({ targets }) => targets)).size;
  const what =
    calls.length === 1 && count === 1
      ? first?.targets[0]
      : `${calls.length} call${calls.length === 1 ? '' : 's'}, ${count} targets`;
  if (failed.length === 0) return { from, to, tone: 'call', text: what ?? '' };
  const codes = [...new Set(failed.map(({ outcome, code }) => (outcome === null ? 'no answer' : code)))];
  return { from, to, tone: 'failed', text: `${what}, ${failed.length} failed: ${codes.join(', ')}` };
}

function holderLane(
  group: GroupStory,
  names: readonly string[],
  cloud: string,
  range: Interval,
): PictureLane {
  const spans = cutTo(holdersTogether(group.targets, range.to), range).map(({ from, to, value }) => ({
    from,
    to,
    tone: holderTone(value, names),
    text: value,
  }));
  return {
    router: null,
    title: group.name === null ? `holder in ${cloud}` : `holder of ${group.name}`,
    spans,
  };
}

function holderTone(value: string, names: readonly string[]): Tone {
  if (value === names[0]) return 'first';
  if (value === names[1]) return 'second';
  return value === NOBODY ? 'nobody' : 'mixed';
}
