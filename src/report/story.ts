/**
 * One story of both routers: from what each tells to what happened to the pair, on one axis of time. The renderers
 * (text.ts, html.ts) only draw it.
 */
import type { AlarmCode } from '../core/state/alarms';
import { laidTogether, type Clocked } from './clocks';
import { cutTo, lengthOf, type Interval } from './lanes';
import type { Part } from './moments';
import type { Router } from './pair';
import { pictureLanes, type PictureLane } from './pictureLanes';
import { viewOf, type RouterView } from './routerView';
import { targetStories, unservedByAny, type GroupStory } from './serving';
import { takeoverWords } from './words';

export type Happening = {
  readonly at: number;
  /** The name of a router. */
  readonly router: string;
  /** Null: it is about the router, or there is one group. */
  readonly group: string | null;
  /** `BFD`, `interface`, `decision`, `operator`, `daemon`, `journal`, or the name of the cloud. */
  readonly what: string;
  readonly text: string;
  readonly alarms: readonly AlarmCode[];
};

/** What belongs together in time, with a picture of its own. */
export type Episode = Interval & {
  readonly happenings: readonly Happening[];
  readonly lanes: readonly PictureLane[];
};

export type Story = Interval & {
  /** What the journals are of; the story may be asked for in part. */
  readonly whole: Interval;
  readonly routers: readonly RouterView[];
  /** As a name inside a sentence. */
  readonly cloud: string;
  readonly axis: string;
  readonly clocks: readonly string[];
  readonly groups: readonly GroupStory[];
  readonly takeovers: readonly { readonly at: number; readonly words: string }[];
  readonly alarms: number;
  readonly episodes: readonly Episode[];
  /** Episodes before these, which are not told. */
  readonly leftOut: number;
  readonly limits: readonly string[];
};

/** The part that is asked for; null: from the beginning, to the end. */
export type Range = { readonly since: number | null; readonly until: number | null };

/** So long a quiet time ends an episode. */
const QUIET_MS = 60_000;
/** More than this, one picture does not show. */
const HAPPENINGS_MAX = 60;
/** More than this, nobody reads. */
const EPISODES_MAX = 40;
/** Around an episode, so that one sees how it was before and after. */
const MARGIN_MS = 1_000;

/** `rangeOf`: asked for with what the journals are of. */
export function storyOf(
  routers: readonly Router[],
  rangeOf: (whole: Interval) => Range,
  limits: readonly string[],
): Story {
  const clocked = routers.map((router) => clockedOf(router, routers));
  const { clocks, axis } = laidTogether(clocked);
  const pairs = routers.flatMap((router, index) => {
    const clock = clocks[index];
    return clock === undefined ? [] : [{ router, clock }];
  });
  const instants = pairs.flatMap(({ router, clock }) =>
    router.groups.flatMap(({ parts }) =>
      parts.flatMap((part) => [clock.axisOf(part, part.now), clock.axisOf(part, part.until)]),
    ),
  );
  const whole = { from: min(instants), to: max(instants) };
  const asked = rangeOf(whole);
  const range = { from: asked.since ?? whole.from, to: asked.until ?? whole.to };
  const views = pairs.map(({ router, clock }) => viewOf(router, clock, whole.to));
  const groups = groupsOf(views, whole).map((group) => cutGroup(group, range));
  const happenings = happeningsOf(views, whole).filter(({ at }) => at >= range.from && at <= range.to);
  const told = episodesOf(happenings, range);
  const shown = told.slice(-EPISODES_MAX);
  return {
    ...range,
    whole,
    routers: views,
    cloud: views[0]?.cloud ?? 'the cloud',
    axis,
    clocks: clocks.map(({ words }) => words),
    groups,
    takeovers: views
      .flatMap((view) =>
        view.takeovers.map(({ at, timeline, group }) => ({
          at,
          words: takeoverWords(view, timeline, group),
        })),
      )
      .filter(({ at }) => at >= range.from && at <= range.to)
      .sort((a, b) => a.at - b.at),
    alarms: happenings.filter(({ alarms }) => alarms.length > 0).length,
    episodes: shown.map((episode) => ({ ...episode, lanes: pictureLanes(views, groups, episode) })),
    leftOut: told.length - shown.length,
    limits,
  };
}

const min = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b), Infinity);
const max = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), -Infinity);

// --- Clocks --------------------------------------------------------------------------------------

/** The last of them are enough to tell how far two clocks are apart. */
const CHANGES_MAX = 60;

/** A session is the same on both routers where it is the same interface: each names it by the other's address. */
function clockedOf({ name, groups }: Router, all: readonly Router[]): Clocked {
  const parts = groups.flatMap((group) => group.parts).sort((a, b) => a.wallNow - b.wallNow);
  const changes = groups.flatMap((group) => group.parts.flatMap(changesOf));
  return { name, parts, changes: all.length < 2 ? [] : changes.slice(-CHANGES_MAX) };
}

/** Only what went from UP to DOWN or back: how a session is found at the start is no change of it. */
function changesOf(part: Part): Clocked['changes'] {
  const interfaceOf = new Map(part.plan.sessions.map(({ id, interfaceName }) => [id, interfaceName]));
  const before = new Map<string, string>();
  return part.moments.flatMap((moment) => {
    if (moment.kind !== 'session') return [];
    const { level } = moment;
    const was = before.get(moment.session);
    before.set(moment.session, level);
    const isChange = (level === 'Up' && was === 'Down') || (level === 'Down' && was === 'Up');
    if (!isChange) return [];
    const at = part.wallNow + moment.at - part.now;
    return [{ session: interfaceOf.get(moment.session) ?? moment.session, level, at }];
  });
}

// --- Who held what -------------------------------------------------------------------------------

function groupsOf(views: readonly RouterView[], whole: Interval): readonly GroupStory[] {
  const byKey = new Map(views.flatMap(({ groups }) => groups).map((group) => [group.key, group]));
  return [...byKey.values()].map(({ name, targets }) => {
    const stories = targetStories(targets, views, whole);
    return { name, targets: stories, unserved: unservedByAny(stories) };
  });
}

function cutGroup({ name, targets, unserved }: GroupStory, range: Interval): GroupStory {
  const cut = targets.map((target) => ({
    id: target.id,
    holders: cutTo(target.holders, range),
    unserved: cutTo(target.unserved, range),
  }));
  return { name, targets: cut, unserved: cutTo(unserved, range) };
}

// --- What happened -------------------------------------------------------------------------------

function happeningsOf(views: readonly RouterView[], whole: Interval): readonly Happening[] {
  const all = views.flatMap((view) => [
    ...view.said.map(({ at, group, moment }): Happening => ({
      at,
      router: view.name,
      group: view.groups.length > 1 ? group : null,
      what: KINDS[moment.event] ?? view.cloud,
      text: moment.reason,
      alarms: moment.alarms,
    })),
    ...silences(view, whole),
  ]);
  return all.sort((a, b) => a.at - b.at);
}

/** Null: of the cloud. */
const KINDS = {
  started: 'daemon',
  inputDrained: 'decision',
  streamsSynchronized: 'BFD',
  streamsLost: 'BFD',
  controlLost: 'BFD',
  bfdSessionChanged: 'BFD',
  interfaceChanged: 'interface',
  interfacesAnswered: 'interface',
  ownershipObserved: null,
  observationFailed: null,
  observationOffered: null,
  callQueued: null,
  callReleased: null,
  callAnswered: null,
  processStalled: 'daemon',
  levelsRead: 'BFD',
  holdersAnswered: null,
  answerTimeLearnt: null,
  inhibitRequested: 'operator',
  releaseRequested: 'operator',
  switchoverRequested: 'operator',
  drillRequested: 'operator',
  maintenanceLearnt: 'daemon',
  scheduleRequested: 'operator',
  cancelRequested: 'operator',
  previewRequested: 'operator',
  shutdownRequested: 'daemon',
} as const satisfies Record<RouterView['said'][number]['moment']['event'], string | null>;

/** After so many keepalives without a line a journal has ended. */
const SILENT_KEEPALIVES = 3;

function silences({ name, runs, keepaliveIntervalMs }: RouterView, whole: Interval): readonly Happening[] {
  return runs.flatMap(({ to }, index) => {
    const next = runs[index + 1];
    if (next === undefined && whole.to - to < SILENT_KEEPALIVES * keepaliveIntervalMs) return [];
    const length = (((next?.from ?? whole.to) - to) / 1000).toFixed(1);
    const text =
      next === undefined
        ? `the journal ends here, ${length} s before that of the peer: the daemon ended, or the file was copied then`
        : `the journal has no line for ${length} s: the daemon ended and started anew`;
    return [{ at: to, router: name, group: null, what: 'journal', text, alarms: [] }];
  });
}

function episodesOf(happenings: readonly Happening[], range: Interval): readonly Omit<Episode, 'lanes'>[] {
  const episodes: Happening[][] = [];
  for (const happening of happenings) {
    const current = episodes.at(-1);
    const last = current?.at(-1);
    const goesOn =
      last !== undefined && happening.at - last.at <= QUIET_MS && (current?.length ?? 0) < HAPPENINGS_MAX;
    if (goesOn) current?.push(happening);
    else episodes.push([happening]);
  }
  return episodes.map((own) => ({
    from: Math.max(range.from, (own[0]?.at ?? range.from) - MARGIN_MS),
    to: Math.min(range.to, (own.at(-1)?.at ?? range.to) + MARGIN_MS),
    happenings: own,
  }));
}

/** Milliseconds in which at least one target was not served. */
export const unservedMs = (groups: readonly GroupStory[]): number =>
  lengthOf(unionOf(groups.map(({ unserved }) => unserved)));

function unionOf(lists: readonly (readonly Interval[])[]): readonly Interval[] {
  return lists.length === 1
    ? (lists[0] ?? [])
    : unservedByAny(lists.map((unserved) => ({ id: '', holders: [], unserved })));
}
