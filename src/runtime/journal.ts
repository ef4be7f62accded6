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

/** The fields of the state that this step has set: plain values as they are, all others as a digest. */
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
  readonly #digests = new Digests();

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
      changes: changesOf(before, step.state, this.#digests),
    };
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

export function changesOf(before: State, after: State, digests: Digests): Changes {
  const was: { readonly [field: string]: unknown } = before;
  const changed = Object.entries(after).filter(([field, value]) => was[field] !== value);
  return Object.fromEntries(changed.map(([field, value]) => [field, digests.inShort(value)]));
}

/** A longer text stands for itself as a digest. */
const IN_FULL_MAX = 200;

/**
 * Values of the state in short. What is in the state never changes, and most of it is the same after a step: each
 * object is read once, so that a step of a takeover with hundreds of calls is written as fast as it was taken.
 */
export class Digests {
  readonly #texts = new WeakMap<object, string>();

  /** Enough to tell two values of a field from each other, in the order of their keys too. */
  inShort(value: State[keyof State]): JsonValue {
    return typeof value !== 'object' || value === null ? value : digestOf(this.#text(value));
  }

  #text(value: unknown): string {
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    const known = this.#texts.get(value);
    if (known !== undefined) return known;
    const whole = Array.isArray(value)
      ? `[${value.map((each) => this.#text(each)).join()}]`
      : `{${Object.entries(value)
          .map(([key, each]) => `${JSON.stringify(key)}:${this.#text(each)}`)
          .join()}}`;
    const text = whole.length > IN_FULL_MAX ? digestOf(whole) : whole;
    this.#texts.set(value, text);
    return text;
  }
}

const digestOf = (text: string): string => `#${createHash('sha256').update(text).digest('hex').slice(0, 12)}`;
