/**
 * The journal of one core: each step as it happened, as a line of JSON that `replay` feeds to the core again.
 * A header says from which plan and state on; an entry has the event and all that the core made of it. Comes
 * after the effects of a batch, and nothing in it is ever read back for a decision.
 */
import { createHash } from 'node:crypto';
import type { AlarmCode } from '../core/state/alarms';
import type { Effect, Event } from '../core/state/model';
import type { JsonValue } from '../core/state/json';
import type { Plan } from '../core/state/plan';
import type { State } from '../core/state/state';
import type { Weight } from '../core/state/turn';
import type { Recorded } from './loop';

/** Raised when a reader of the format before would misread a line. */
export const JOURNAL_FORMAT = 7;

export type JournalHeader = {
  readonly journal: 'xr-aws-ha';
  readonly format: typeof JOURNAL_FORMAT;
  /** Of the product: another one may decide otherwise. */
  readonly version: string;
  readonly bootId: string;
  /** The same moment on the clock of the core and in milliseconds since 1970, to be compared with a log. */
  readonly now: number;
  readonly wallNow: number;
  /** Lines before this one that could not be written. */
  readonly lostLines: number;
  readonly plan: Plan;
  /** Before the next entry; one that begins a run of the daemon has no `bootId` yet. */
  readonly state: State;
};

/** What an entry leaves out is empty, or `routine`, or as in the last event of its type (see `REPEATED`). */
export type JournalEntry = {
  readonly now: number;
  readonly event: Event;
  readonly reason: string;
  readonly weight: Weight;
  readonly effects: readonly Effect[];
  readonly alarms: readonly AlarmCode[];
  readonly changes: Changes;
};

/**
 * A large field is digested once a second at most: in a takeover of hundreds of calls each answer changes it, and
 * digesting it took longer than deciding. In between, an entry says only that it has changed.
 */
export const UNDIGESTED = '~';
const LARGE_CHARACTERS = 16_384;
const LARGE_EVERY_MS = 1_000;

/** The fields of the state that this step has set: plain values as they are, all others as a digest, or `UNDIGESTED`. */
export type Changes = { readonly [field: string]: JsonValue };

/** Where the lines go. */
export type JournalSink = {
  readonly needsHeader: boolean;
  readonly lostLines: number;
  begin(header: string): void;
  append(line: string, isNews: boolean): void;
};

/** What every keepalive brings, large and seldom new: written when it differs from the one before. */
export const REPEATED: { readonly [type in Event['type']]?: readonly string[] } = {
  ownershipObserved: ['observation'],
  levelsRead: ['sessions', 'interfaces'],
};

export type JournalOptions = {
  readonly plan: Plan;
  readonly version: string;
  readonly bootId: string;
  /** The wall clock: milliseconds since 1970. */
  readonly wallNow: () => number;
  readonly sink: JournalSink;
};

export class Journal {
  readonly #options: JournalOptions;
  /** By type and field of the event: what was last written since the header. */
  readonly #written = new Map<string, string>();
  /** When each field that was large at that time was last digested. */
  readonly #digestedAt = new Map<string, number>();

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  record(batch: readonly Recorded[]): void {
    const { sink } = this.#options;
    for (const recorded of batch) {
      if (sink.needsHeader) {
        this.#written.clear();
        sink.begin(JSON.stringify(this.#header(recorded)));
      }
      sink.append(JSON.stringify(this.#entry(recorded)), recorded.step.weight !== 'routine');
    }
  }

  #header({ now, before }: Recorded): JournalHeader {
    const { plan, version, bootId, wallNow, sink } = this.#options;
    return {
      journal: 'xr-aws-ha',
      format: JOURNAL_FORMAT,
      version,
      bootId,
      now,
      wallNow: wallNow(),
      lostLines: sink.lostLines,
      plan,
      state: before,
    };
  }

  #entry({ now, event, before, step }: Recorded): Partial<JournalEntry> {
    const { reason, weight, effects, alarms } = step;
    return {
      now,
      event: this.#withoutRepeated(event),
      reason,
      ...(weight === 'routine' ? {} : { weight }),
      ...(effects.length === 0 ? {} : { effects }),
      ...(alarms.length === 0 ? {} : { alarms }),
      changes: this.#changes(before, step.state, now),
    };
  }

  #changes(before: State, after: State, now: number): Changes {
    return changesOf(before, after, (value, field) => {
      if (now - (this.#digestedAt.get(field) ?? -Infinity) < LARGE_EVERY_MS) return UNDIGESTED;
      const text = JSON.stringify(value);
      if (text.length > LARGE_CHARACTERS) this.#digestedAt.set(field, now);
      else this.#digestedAt.delete(field);
      return digestOf(text);
    });
  }

  #withoutRepeated(event: Event): Event {
    const fields = REPEATED[event.type] ?? [];
    const repeated = fields.filter((field) => {
      const key = `${event.type}.${field}`;
      const value = JSON.stringify(event[field as keyof Event]);
      const isRepeated = this.#written.get(key) === value;
      this.#written.set(key, value);
      return isRepeated;
    });
    if (repeated.length === 0) return event;
    const rest = Object.entries(event).filter(([field]) => !repeated.includes(field));
    return Object.fromEntries(rest) as Event;
  }
}

export function changesOf(
  before: State,
  after: State,
  inShort: (value: object, field: string) => string = (value) => digestOf(JSON.stringify(value)),
): Changes {
  const was: { readonly [field: string]: unknown } = before;
  const now: { readonly [field: string]: JsonValue | object } = after;
  const changed = Object.entries(now).filter(([field, value]) => was[field] !== value);
  return Object.fromEntries(
    changed.map(([field, value]) => [
      field,
      typeof value === 'object' && value !== null ? inShort(value, field) : value,
    ]),
  );
}

/** Enough to tell two values of a field from each other, in the order of their keys too. */
function digestOf(text: string): string {
  return `#${createHash('sha256').update(text).digest('hex').slice(0, 12)}`;
}
