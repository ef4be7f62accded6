/**
 * One thing that has happened, from its beginning to its end: a line of `show ha_history`, and of the file that keeps
 * them. What another version has written is shown as far as it can be read. Loads next to nothing: `show` has to be quick.
 */
import { isObject } from '../config/document';

/**
 * `run`: this daemon, from its start to its end. `move`: a takeover, a switchover or what else moves targets. `role`: the
 * moment in which it changed. `readiness`: a failover would not have worked.
 */
export type EntryKind = 'run' | 'move' | 'role' | 'alarm' | 'inhibit' | 'damping' | 'readiness';

export type Entry = {
  /** The same in every word about this entry. */
  readonly id: string;
  /** What tells those that last from each other. */
  readonly key: string;
  readonly kind: EntryKind;
  /** What happened, in one word: `takeover`, the code of an alarm, `inhibit`. */
  readonly what: string;
  /** Null where it is about the whole daemon, and where there is one group. */
  readonly group: string | null;
  /** Of many the first ones. */
  readonly about: readonly string[];
  /** Milliseconds since 1970; null while it lasts, and where it is not known when it ended. */
  readonly began: number;
  readonly ended: number | null;
  /** `under way` while it lasts. */
  readonly outcome: string;
  /** One sentence each; empty where there is nothing to say. */
  readonly cause: string;
  readonly result: string;
  /** How often it has begun, where it came again soon after it had ended. */
  readonly times: number;
  /** Figures that a machine may want; none for most. */
  readonly figures: { readonly [name: string]: number | string | null };
};

/** What an entry says while it lasts. */
export const UNDER_WAY = 'under way';

/** Of one BFD session, since the history began. */
export type SessionCount = {
  readonly up: number;
  readonly down: number;
  /** Milliseconds since 1970. */
  readonly lastDownAt: number | null;
};

export type Kept = {
  readonly router: string;
  /** When the sessions were first counted, and when this was written: milliseconds since 1970. */
  readonly countedSince: number;
  readonly savedAt: number;
  readonly bootId: string;
  readonly sessions: { readonly [session: string]: SessionCount };
  /** In the order in which they began. */
  readonly entries: readonly Entry[];
};

/** Enough for years of a pair that is well. */
export const ENTRIES_MAX = 512;
/** What moved targets is not pushed out by what comes more often. */
const MOVES_MAX = 128;

/** Without what is too much: the oldest first, and moves last. */
export function bounded(entries: readonly Entry[]): readonly Entry[] {
  const isMove = ({ kind }: Entry) => kind === 'move';
  let tooMany = entries.length - ENTRIES_MAX;
  let tooManyMoves = Math.max(0, entries.filter(isMove).length - MOVES_MAX);
  if (tooMany <= 0) return entries;
  return entries.filter((entry) => {
    if (tooMany === 0 || (isMove(entry) && tooManyMoves === 0)) return true;
    if (isMove(entry)) tooManyMoves -= 1;
    tooMany -= 1;
    return false;
  });
}

/** As `show` calls it. */
export const HISTORY_KEY = 'ha_history';

const HEADER = 'xr-aws-ha';

/** The file: a header, and a line of JSON for each entry. */
export function historyText({ entries, ...header }: Kept): string {
  const first = {
    history: HEADER,
    router: header.router,
    boot_id: header.bootId,
    counted_since: isoTime(header.countedSince),
    saved_at: isoTime(header.savedAt),
    sessions: Object.fromEntries(
      Object.entries(header.sessions).map(([id, { up, down, lastDownAt }]) => [
        id,
        { up, down, last_down: lastDownAt === null ? null : isoTime(lastDownAt) },
      ]),
    ),
  };
  return [first, ...entries.map(entryJson)].map((line) => `${JSON.stringify(line)}\n`).join('');
}

export type EntryJson = ReturnType<typeof entryJson>;

export function entryJson(entry: Entry) {
  const { id, key, kind, what, group, about, began, ended, outcome, cause, result, times, figures } = entry;
  return {
    id,
    key,
    kind,
    what,
    ...(group === null ? {} : { group }),
    ...(about.length === 0 ? {} : { about }),
    began: isoTime(began),
    ended: ended === null ? null : isoTime(ended),
    duration_s: ended === null ? null : Math.max(0, ended - began) / 1000,
    outcome,
    cause,
    ...(result === '' ? {} : { result }),
    ...(times === 1 ? {} : { times }),
    ...(Object.keys(figures).length === 0 ? {} : { figures }),
  };
}

/** Null for what is no history; a line that cannot be read is left out. */
export function parseHistory(text: string): Kept | null {
  const [first, ...rest] = text.split('\n').map(jsonOf);
  if (!isObject(first) || first['history'] !== HEADER) return null;
  const savedAt = timeOf(first['saved_at']) ?? 0;
  return {
    router: textOf(first['router']),
    bootId: textOf(first['boot_id']),
    countedSince: timeOf(first['counted_since']) ?? savedAt,
    savedAt,
    sessions: sessionsOf(first['sessions']),
    entries: bounded(rest.flatMap((line) => entryOf(line) ?? [])),
  };
}

function entryOf(line: unknown): Entry | null {
  if (!isObject(line)) return null;
  const [id, kind, what, began] = [line['id'], line['kind'], line['what'], timeOf(line['began'])];
  if (typeof id !== 'string' || typeof kind !== 'string' || typeof what !== 'string' || began === null)
    return null;
  const { group, about, times, figures } = line;
  return {
    id,
    key: textOf(line['key']),
    // A newer version may have others, which are shown all the same.
    kind: kind as EntryKind,
    what,
    group: typeof group === 'string' ? group : null,
    about: Array.isArray(about) ? about.filter((each) => typeof each === 'string') : [],
    began,
    ended: timeOf(line['ended']),
    outcome: textOf(line['outcome']),
    cause: textOf(line['cause']),
    result: textOf(line['result']),
    times: typeof times === 'number' && Number.isSafeInteger(times) && times > 0 ? times : 1,
    figures: figuresOf(figures),
  };
}

function figuresOf(value: unknown): Entry['figures'] {
  const figures = Object.entries(isObject(value) ? value : {}).filter(
    (each): each is [string, number | string | null] =>
      each[1] === null || typeof each[1] === 'number' || typeof each[1] === 'string',
  );
  return Object.fromEntries(figures);
}

function sessionsOf(value: unknown): Kept['sessions'] {
  const sessions = Object.entries(isObject(value) ? value : {}).flatMap(([id, count]) => {
    if (!isObject(count)) return [];
    const { up, down } = count;
    if (!isCount(up) || !isCount(down)) return [];
    return [[id, { up, down, lastDownAt: timeOf(count['last_down']) }] as const];
  });
  return Object.fromEntries(sessions);
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function timeOf(value: unknown): number | null {
  const at = typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isNaN(at) ? null : at;
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

export const isoTime = (wallMs: number): string => new Date(wallMs).toISOString();

/** `0.152 s`, `41 s`, `12 min`, `3 h 5 min`, `2 d 4 h`. */
export function durationWords(ms: number): string {
  const s = Math.max(0, ms) / 1000;
  if (s < 10) return `${s.toFixed(3)} s`;
  if (s < 120) return `${Math.round(s)} s`;
  const min = Math.round(s / 60);
  if (min < 120) return `${min} min`;
  const h = Math.floor(min / 60);
  if (h < 48) return `${h} h ${min % 60} min`;
  return `${Math.floor(h / 24)} d ${h % 24} h`;
}
