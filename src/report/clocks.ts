/**
 * One time for both routers. The best is the cloud's: each answer says what time it is there, to the second, and many
 * answers together say it to some hundredths of one. Where a journal has none of it, BFD says how far the clocks are
 * apart, since both ends of a session see its end and its beginning at nearly the same time; where that cannot be told
 * either, the clocks are taken as they are, and the report says so.
 */
import type { CloudClock } from '../core/state/readings';
import { cloudOf, type Part } from './moments';

/** A time on the clock of a boot, and the cloud's at that time (milliseconds since 1970). */
type Fix = { readonly at: number; readonly offset: number; readonly halfMs: number };

/** `Date` of HTTP has whole seconds. */
const DATE_STEP_MS = 1_000;
/** So long a clock that nobody corrects stays true enough to make one fix of its answers. */
const WINDOW_MS = 15 * 60_000;

/** Fixes of one boot, in their order. Pure. */
export function fixesOf(clocks: readonly CloudClock[]): readonly Fix[] {
  const windows: Window[] = [];
  for (const { dateMs, sentAt, receivedAt } of [...clocks].sort((a, b) => a.sentAt - b.sentAt)) {
    const [lo, hi] = [sentAt - dateMs - DATE_STEP_MS, receivedAt - dateMs];
    if (!(lo < hi)) continue;
    const last = windows.at(-1);
    const both = { lo: Math.max(last?.lo ?? lo, lo), hi: Math.min(last?.hi ?? hi, hi) };
    const agrees = last !== undefined && both.lo < both.hi && receivedAt - last.first <= WINDOW_MS;
    if (agrees) windows[windows.length - 1] = { first: last.first, last: receivedAt, ...both };
    else windows.push({ first: sentAt, last: receivedAt, lo, hi });
  }
  return windows.map(({ first, last, lo, hi }) => ({
    at: (first + last) / 2,
    offset: (lo + hi) / 2,
    halfMs: (hi - lo) / 2,
  }));
}

/** Answers that agree: between which times, and between which bounds the offset is by all of them. */
type Window = { readonly first: number; readonly last: number; readonly lo: number; readonly hi: number };

/** Between two fixes it goes in a straight line from the one to the other. */
function offsetAt(fixes: readonly Fix[], at: number): number {
  const after = fixes.findIndex((fix) => fix.at >= at);
  const next = fixes[after];
  const before = after === -1 ? fixes.at(-1) : fixes[after - 1];
  if (next === undefined) return before?.offset ?? 0;
  if (before === undefined) return next.offset;
  const share = (at - before.at) / (next.at - before.at);
  return before.offset + share * (next.offset - before.offset);
}

/** Of one router. */
export type RouterClock = {
  /** Milliseconds since 1970 on the axis of the report. */
  readonly axisOf: (part: Part, at: number) => number;
  readonly words: string;
};

type Change = { readonly session: string; readonly level: 'Up' | 'Down'; readonly at: number };

/** Of one router: all its parts, and its changes of BFD by its own wall clock, by the session as both name it. */
export type Clocked = {
  readonly name: string;
  readonly parts: readonly Part[];
  readonly changes: readonly Change[];
};

/** Of all routers, on one axis. */
export function laidTogether(routers: readonly Clocked[]): {
  readonly clocks: readonly RouterClock[];
  /** Whose time the axis is. */
  readonly axis: string;
} {
  const known = routers.map(({ parts }) => fixesByBoot(parts));
  if (known.every((fixes) => fixes.size > 0)) {
    const cloud = cloudOf(routers.flatMap(({ parts }) => parts));
    const clocks = routers.map((router, index) => byCloud(router, known[index] ?? new Map<string, Fix[]>()));
    return { clocks, axis: `Times are ${cloud}'s, in UTC, by what its answers say of the time.` };
  }
  const [first, ...others] = routers;
  if (first === undefined) return { clocks: [], axis: '' };
  const clocks = [
    byWall(first, 0, `${first.name}: by its own clock`),
    ...others.map((other) => byBfd(first, other)),
  ];
  return {
    clocks,
    axis: `Times are those of ${first.name}'s clock, in UTC: ${cloudOf(first.parts)}'s is not in all journals.`,
  };
}

function fixesByBoot(parts: readonly Part[]): ReadonlyMap<string, readonly Fix[]> {
  const byBoot = new Map<string, CloudClock[]>();
  for (const { bootId, clocks } of parts) {
    const known = byBoot.get(bootId) ?? [];
    byBoot.set(bootId, known);
    for (const clock of clocks) known.push(clock);
  }
  const fixes = [...byBoot].map(([bootId, clocks]) => [bootId, fixesOf(clocks)] as const);
  return new Map(fixes.filter(([, each]) => each.length > 0));
}

function byCloud({ name, parts }: Clocked, fixes: ReadonlyMap<string, readonly Fix[]>): RouterClock {
  // A run that the cloud never answered is laid by its own clock, as far as that was off when the cloud last said so.
  let ahead = 0;
  const aheadOf = new Map<Part, number>();
  for (const part of parts) {
    const own = fixes.get(part.bootId);
    if (own !== undefined) ahead = part.wallNow - (part.now - offsetAt(own, part.now));
    aheadOf.set(part, ahead);
  }
  const halfMs = Math.max(...[...fixes.values()].flat().map((fix) => fix.halfMs));
  const last = parts.at(-1);
  const off = last === undefined ? 0 : (aheadOf.get(last) ?? 0);
  return {
    axisOf: (part, at) => {
      const own = fixes.get(part.bootId);
      if (own !== undefined) return at - offsetAt(own, at);
      return part.wallNow + (at - part.now) - (aheadOf.get(part) ?? 0);
    },
    words: `${name}: right to ${spread(halfMs)}; its own clock was ${apart(off, 'ahead of', 'behind')} ${cloudOf(parts)}'s`,
  };
}

const byWall = ({ name: _name }: Clocked, shiftMs: number, words: string): RouterClock => ({
  axisOf: (part, at) => part.wallNow + (at - part.now) + shiftMs,
  words,
});

/** Further apart than this, two changes of a session have nothing to do with each other. */
const APART_MAX_MS = 10 * 60_000;
/** RFC 5880, 6.8.3: while a session is not UP, its packets are a second apart or more, so its ends see it UP as far apart. */
const UP_SPREAD_MS = 1_000;

type Guess = { readonly lo: number; readonly hi: number };

function byBfd(first: Clocked, other: Clocked): RouterClock {
  const detection = new Map(
    [...first.parts, ...other.parts].flatMap(({ plan }) =>
      plan.sessions.map(({ interfaceName, detectionTimeMs }) => [interfaceName, detectionTimeMs] as const),
    ),
  );
  const downSpread = Math.max(0, ...detection.values());
  const guesses = first.changes.flatMap((a): readonly Guess[] =>
    other.changes
      .filter((b) => b.session === a.session && b.level === a.level && Math.abs(b.at - a.at) <= APART_MAX_MS)
      .map((b) => {
        const spread = a.level === 'Down' ? downSpread : UP_SPREAD_MS;
        return { lo: b.at - a.at - spread, hi: b.at - a.at + spread };
      }),
  );
  const best = mostAgreed(guesses);
  if (best === null)
    return byWall(
      other,
      0,
      `${other.name}: by its own clock. How far the two are apart is not known: the journals have neither ${cloudOf(first.parts)}'s time nor a change of BFD in common`,
    );
  const ahead = (best.lo + best.hi) / 2;
  return byWall(
    other,
    -ahead,
    `${other.name}: its clock is ${apart(ahead, 'ahead of', 'behind')} ${first.name}'s, right to ${spread((best.hi - best.lo) / 2)}, by ${best.count} change${best.count === 1 ? '' : 's'} of BFD that both saw`,
  );
}

/** Where the most of them agree; of several such places the one that is nearest to clocks that are right. */
function mostAgreed(guesses: readonly Guess[]): (Guess & { readonly count: number }) | null {
  const places = guesses.map(({ lo }) => {
    const agreeing = guesses.filter((each) => each.lo <= lo && lo < each.hi);
    return { lo, hi: Math.min(...agreeing.map(({ hi }) => hi)), count: agreeing.length };
  });
  const off = ({ lo, hi }: Guess): number => Math.abs(lo + hi);
  return places.sort((a, b) => b.count - a.count || off(a) - off(b))[0] ?? null;
}

const spread = (ms: number): string => `± ${seconds(Math.max(ms, 1))} s`;
const apart = (ms: number, ahead: string, behind: string): string =>
  `${seconds(Math.abs(ms))} s ${ms >= 0 ? ahead : behind}`;
const seconds = (ms: number): string => (ms / 1000).toFixed(ms < 10 ? 3 : 2);
