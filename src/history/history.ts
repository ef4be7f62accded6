/**
 * What has happened, from the steps of the loop, the alarms that stand and the word about readiness: kept across
 * restarts, for `show ha_history` and for whoever is to be told. Comes after the effects of a batch, and nothing is
 * decided from it.
 */
import { inhibitWords } from '../core/rules/inhibit';
import type { Group } from '../config/settings';
import { purposeOf } from '../core/state/purposes';
import type { Attempt } from '../core/state/attempt';
import type { StandingAlarm } from '../runtime/alarms';
import type { Recorded } from '../runtime/loop';
import { transitionsOf } from '../runtime/transitions';
import { outcomeOf } from '../runtime/moveOutcome';
import { bounded, UNDER_WAY, type Entry, type EntryKind, type Kept, type SessionCount } from './entry';

/** `changed`: what is known of it has, as where one that had ended goes on. */
export type Change = 'began' | 'changed' | 'ended';

export type HistoryOptions = {
  readonly groups: readonly Group[];
  readonly router: string;
  readonly version: string;
  readonly bootId: string;
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
  /** On the clock of the cores: monotonic milliseconds. */
  readonly now: () => number;
  readonly newId: () => string;
  /** What the run before has left; null where there is none. */
  readonly kept: Kept | null;
  /** Something is to be written; `isNews` soon. */
  readonly touch: (isNews: boolean) => void;
  /** Told after it is kept. */
  readonly tell: (entry: Entry, change: Change) => void;
};

/** An entry is a line. */
const ABOUT_MAX = 20;
/** What comes again this soon after its end is the same entry. */
const SAME_WITHIN_MS = 600_000;

type Begin = Pick<Entry, 'key' | 'kind' | 'what' | 'cause'> &
  Partial<Pick<Entry, 'group' | 'about' | 'began' | 'figures'>>;
type End = {
  readonly outcome: string;
  /** Where it was measured: the clock on the wall may have been set meanwhile. */
  readonly tookMs?: number;
} & Partial<Pick<Entry, 'result' | 'ended' | 'figures'>>;

/** What may come and go often enough to push out the rest. */
const FOLDED: readonly EntryKind[] = ['alarm', 'damping', 'readiness'];

export class History {
  readonly #options: HistoryOptions;
  readonly #countedSince: number;
  #entries: readonly Entry[];
  /** By what tells them from each other: ids of those that last. */
  readonly #open = new Map<string, string>();
  /** What lasted when the run before ended, and has not been found to last on. */
  readonly #recalled: Set<string>;
  #sessions: { [session: string]: SessionCount };

  constructor(options: HistoryOptions) {
    this.#options = options;
    const { kept, wallNow } = options;
    this.#countedSince = kept?.countedSince ?? wallNow();
    this.#entries = kept?.entries ?? [];
    this.#sessions = { ...kept?.sessions };
    for (const { key, id, outcome } of this.#entries) if (outcome === UNDER_WAY) this.#open.set(key, id);
    this.#recalled = new Set(this.#open.keys());
    this.#beginRun();
  }

  kept(): Kept {
    const { router, bootId, wallNow } = this.#options;
    return {
      router,
      bootId,
      countedSince: this.#countedSince,
      savedAt: wallNow(),
      sessions: this.#sessions,
      entries: this.#entries,
    };
  }

  /** Comes after the effects of a batch. */
  update(batch: readonly Recorded[]): void {
    for (const recorded of batch) {
      this.#count(recorded);
      this.#takeMove(recorded);
      this.#takeRole(recorded);
      this.#takeInhibit(recorded);
      this.#takeDamping(recorded);
    }
    if (batch.length === 0) return;
    // The cores know now what they remember.
    for (const key of this.#recalled)
      this.#end(key, { outcome: 'unknown', result: 'the daemon was restarted' });
    this.#recalled.clear();
  }

  alarms(standing: readonly StandingAlarm[]): void {
    for (const { key, code, group, about, text, since, severity } of standing)
      this.#begin({
        key: `alarm ${key}`,
        kind: 'alarm',
        what: code,
        group,
        about,
        began: since,
        cause: text,
        figures: { severity },
      });
    const keys = new Set(standing.map(({ key }) => `alarm ${key}`));
    for (const key of this.#open.keys())
      if (key.startsWith('alarm ') && !keys.has(key) && !this.#recalled.has(key))
        this.#end(key, { outcome: 'over' });
  }

  /** `reason`: the sentence of the record. Of a router that has once been ready. */
  readiness(isReady: boolean, reason: string): void {
    const key = 'readiness';
    if (isReady) this.#end(key, { outcome: 'ready again' });
    else this.#begin({ key, kind: 'readiness', what: 'not-ready', cause: reason });
  }

  stopped(): void {
    this.#end('run', { outcome: 'stopped', result: 'the daemon was told to stop' });
  }

  #beginRun(): void {
    const { version, bootId, kept } = this.#options;
    const key = 'run';
    if (kept !== null) {
      const result =
        kept.bootId === bootId
          ? 'the daemon ended without a word: it crashed or was killed'
          : 'this router was started again';
      // When that was, nobody knows: at this time it still wrote.
      this.#end(key, { outcome: 'ended', result, ended: kept.savedAt });
    }
    this.#begin({ key, kind: 'run', what: 'start', cause: `xr-aws-ha ${version} started` });
  }

  #takeMove({ now, group, before, step }: Recorded): void {
    const [was, is] = [before.attempt, step.state.attempt];
    if (was?.number === is?.number) return;
    if (was !== null)
      this.#end(moveKey(group, was), {
        outcome: outcomeOf(was),
        tookMs: Math.round((was.lastAnsweredAt ?? now) - was.triggeredAt),
        result: firstSentence(step.reason),
        figures: legsOf(was),
      });
    if (is === null) return;
    // What is recorded is recorded some time after it was so.
    const toWall = this.#options.wallNow() - this.#options.now();
    this.#begin({
      key: moveKey(group, is),
      kind: 'move',
      what: purposeOf(is).called,
      group: this.#named(group),
      about: is.calls.flatMap(({ targets }) => targets),
      began: Math.round(is.triggeredAt + toWall),
      cause: step.reason,
    });
  }

  #takeRole({ group, before, step: { state, reason } }: Recorded): void {
    const [from, to] = [before.role.haState, state.role.haState];
    if (from === to) return;
    const at = this.#options.wallNow();
    const role = this.#fresh({
      key: `role ${group}`,
      kind: 'role',
      what: 'role',
      group: this.#named(group),
      began: at,
      cause: firstSentence(reason),
      figures: { from },
    });
    this.#keep({ ...role, ended: at, outcome: to }, 'ended');
  }

  #takeInhibit({ group, event, before, step: { state } }: Recorded): void {
    const key = `inhibit ${group}`;
    const { inhibit } = state;
    if (inhibit !== null) {
      const cause = inhibitWords(inhibit);
      return this.#begin({ key, kind: 'inhibit', what: 'inhibit', group: this.#named(group), cause });
    }
    if (before.inhibit === null) return;
    this.#end(key, { outcome: event.type === 'releaseRequested' ? 'released' : 'its time was over' });
  }

  #takeDamping({ now, group, step: { state } }: Recorded): void {
    const key = `damping ${group}`;
    const leftMs = (state.damping?.suppressedUntil ?? now) - now;
    if (leftMs <= 0) return this.#end(key, { outcome: 'over' });
    const cause = `too many takeovers in short order: BFD triggers none for ${Math.ceil(leftMs / 1000)} s`;
    this.#begin({ key, kind: 'damping', what: 'damping', group: this.#named(group), cause });
  }

  #count(recorded: Recorded): void {
    for (const { session, from, to } of transitionsOf(recorded, this.#options.groups)) {
      const { up, down, lastDownAt } = this.#sessions[session] ?? { up: 0, down: 0, lastDownAt: null };
      // A level that was not known has not changed where it is known again.
      const cameUp = to === 'Up' && from !== 'Unknown';
      if (to !== 'Down' && !cameUp) continue;
      const count = cameUp
        ? { up: up + 1, down, lastDownAt }
        : { up, down: down + 1, lastDownAt: this.#options.wallNow() };
      this.#sessions = { ...this.#sessions, [session]: count };
      this.#options.touch(false);
    }
  }

  /** What lasts already goes on. */
  #begin(begin: Begin): void {
    const { key, kind, cause } = begin;
    this.#recalled.delete(key);
    if (this.#open.has(key)) return;
    const began = begin.began ?? this.#options.wallNow();
    const before = FOLDED.includes(kind) ? this.#entries.findLast((entry) => entry.key === key) : undefined;
    const isSame = before !== undefined && before.ended !== null && began - before.ended < SAME_WITHIN_MS;
    const entry = isSame
      ? { ...before, ended: null, outcome: UNDER_WAY, result: '', cause, times: before.times + 1 }
      : this.#fresh(begin);
    this.#open.set(key, entry.id);
    this.#keep(entry, isSame ? 'changed' : 'began');
  }

  #end(key: string, { tookMs, ...end }: End): void {
    const id = this.#open.get(key);
    if (id === undefined) return;
    this.#open.delete(key);
    this.#recalled.delete(key);
    const entry = this.#entries.find((each) => each.id === id);
    if (entry === undefined) return;
    const at = tookMs === undefined ? (end.ended ?? this.#options.wallNow()) : entry.began + tookMs;
    const ended = Math.max(entry.began, at);
    this.#keep({ ...entry, ...end, ended, figures: { ...entry.figures, ...end.figures } }, 'ended');
  }

  #fresh({ key, kind, what, cause, group = null, about = [], began, figures = {} }: Begin): Entry {
    const { newId, wallNow } = this.#options;
    const rest = { ended: null, outcome: UNDER_WAY, result: '', times: 1 };
    const isMuch = about.length > ABOUT_MAX;
    return {
      ...rest,
      id: newId(),
      key,
      kind,
      what,
      group,
      about: isMuch ? about.slice(0, ABOUT_MAX) : about,
      began: began ?? wallNow(),
      cause,
      figures: isMuch ? { ...figures, targets: about.length } : figures,
    };
  }

  #keep(entry: Entry, change: Change): void {
    const isKnown = this.#entries.some(({ id }) => id === entry.id);
    this.#entries = isKnown
      ? this.#entries.map((each) => (each.id === entry.id ? entry : each))
      : bounded([...this.#entries, entry]);
    this.#options.touch(true);
    this.#options.tell(entry, change);
  }

  #named(group: string): string | null {
    return this.#options.groups.length > 1 ? group : null;
  }
}

/** What a step has to say is several of them; the log has all. */
const firstSentence = (reason: string): string => reason.split('. ')[0] ?? '';

const moveKey = (group: string, { number }: Attempt): string => `move ${group} ${number}`;

/** Of a takeover in milliseconds since the peer went DOWN; of another move, or where that is not known, since the decision. */
function legsOf({
  triggeredAt,
  decidedAt,
  firstOnWireAt,
  firstSentAt,
  lastAnsweredAt,
  resumed,
}: Attempt): Entry['figures'] {
  const since = (at: number | null) => (at === null ? null : Math.round(at - triggeredAt));
  return {
    decided_ms: since(decidedAt),
    first_write_ms: since(firstOnWireAt ?? firstSentAt),
    all_moved_ms: since(lastAnsweredAt),
    ...(resumed ? { resumed: 'begun by the run before' } : {}),
  };
}
