/**
 * All alarms of the daemon that stand now. Those of the cores come from their states; those of the other parts from the
 * records of the log, which are how a part tells people of its troubles anyway: so nothing has to be told twice, and
 * nothing that is in the table can be missed. Nothing is decided from them.
 */
import type { Alarms as CoreAlarms } from '../core/state/alarms';
import type { PartAlarm, Severity } from '../cloud';
import type { AlarmTable } from './alarmTable';
import type { Recorded } from './loop';

export type StandingAlarm = {
  /** What tells it from the others that stand; the same across a restart. */
  readonly key: string;
  readonly code: string;
  readonly severity: Severity;
  /** The group of a core's; null for a part of the whole daemon, and where there is one group. */
  readonly group: string | null;
  readonly about: readonly string[];
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly since: number;
};

export type AlarmRegistryOptions = {
  readonly table: AlarmTable;
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
  /** There are several groups. */
  readonly isNamed: boolean;
};

const SEVERITIES: readonly Severity[] = ['critical', 'major', 'minor', 'warning'];

export class AlarmRegistry {
  readonly #options: AlarmRegistryOptions;
  /** By code and what it concerns. */
  readonly #ofParts = new Map<string, StandingAlarm>();
  /** By group and key of the state. */
  readonly #ofCores = new Map<string, ReadonlyMap<string, StandingAlarm>>();
  readonly #known = new Map<string, CoreAlarms>();
  readonly #listeners: (() => void)[] = [];

  constructor(options: AlarmRegistryOptions) {
    this.#options = options;
  }

  /** Called at once and whenever the list changes. */
  onChange(changed: () => void): void {
    this.#listeners.push(changed);
    changed();
  }

  /** The worst first, and of as bad ones the oldest. */
  standing(): readonly StandingAlarm[] {
    const ofCores = [...this.#ofCores.values()].flatMap((alarms) => [...alarms.values()]);
    const all = [...ofCores, ...this.#ofParts.values()];
    return all.sort(
      (one, other) =>
        SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity) || one.since - other.since,
    );
  }

  /** A record of the log; `msg` is its constant sentence. */
  heard(record: { readonly [field: string]: unknown }, msg: string): void {
    const { event } = record;
    if (typeof event !== 'string') return;
    const { parts } = this.#options.table;
    const raised = Object.hasOwn(parts, event) ? parts[event] : undefined;
    if (raised !== undefined) return this.#raise(event, raised, record, msg);
    const isOver = Object.entries(parts).filter(([, { over }]) => over.includes(event));
    for (const [code, { about }] of isOver) {
      const concerned = fieldsOf(record, about);
      for (const [key, alarm] of this.#ofParts)
        if (alarm.code === code && concerned.every((each) => alarm.about.includes(each))) this.#end(key);
    }
  }

  /** Comes after the effects of a batch. */
  update(batch: readonly Recorded[]): void {
    const changed = batch.filter((recorded) => this.#take(recorded));
    if (changed.length > 0) this.#changed();
  }

  /** Whether anything is to be shown otherwise. */
  #take({ group, now, step: { state } }: Recorded): boolean {
    if (this.#known.get(group) === state.alarms) return false;
    this.#known.set(group, state.alarms);
    const before = this.#ofCores.get(group) ?? new Map<string, StandingAlarm>();
    const toWall = this.#options.wallNow() - now;
    const after = Object.entries(state.alarms).map(([key, { code, about, text, since }]) => {
      const { severity } = this.#options.table.core[code];
      const named = this.#options.isNamed ? group : null;
      // The clock on the wall may be set meanwhile: what is shown of one alarm stays.
      const sinceWall = before.get(key)?.since ?? Math.round(since + toWall);
      const alarm = { key: `${group} ${key}`, code, severity, group: named, about, text, since: sinceWall };
      return [key, alarm] as const;
    });
    this.#ofCores.set(group, new Map(after));
    return JSON.stringify([...before]) !== JSON.stringify(after);
  }

  #raise(
    code: string,
    { severity, about: fields }: PartAlarm,
    record: { readonly [field: string]: unknown },
    msg: string,
  ): void {
    const about = fieldsOf(record, fields);
    const key = [code, ...about].join(' ');
    const since = this.#ofParts.get(key)?.since ?? this.#options.wallNow();
    this.#ofParts.set(key, { key, code, severity, group: null, about, text: textOf(record, msg), since });
    this.#changed();
  }

  #end(key: string): void {
    this.#ofParts.delete(key);
    this.#changed();
  }

  #changed(): void {
    for (const changed of this.#listeners) changed();
  }
}

/** Most records have a sentence; the others a constant one and its cause. */
function textOf(
  { reason, cause, problem, code, advice }: { readonly [field: string]: unknown },
  msg: string,
): string {
  if (typeof reason === 'string' && cause === undefined) return reason;
  const why = [cause ?? problem ?? code, advice ?? reason].filter((each) => each !== undefined).map(inWords);
  return [msg, ...why].join(': ');
}

function fieldsOf(
  record: { readonly [field: string]: unknown },
  names: readonly string[],
): readonly string[] {
  return names.flatMap((name) => (record[name] === undefined ? [] : [inWords(record[name])]));
}

const inWords = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
