/** What receivers are told: each change of an entry of the history, as one sentence and as figures. */
import { durationWords, entryJson, type Entry, type EntryJson, type EntryKind } from '../history/entry';
import type { Change } from '../history/history';

export type Severity = 'critical' | 'major' | 'minor' | 'warning' | 'info';

export type Notification = {
  /** The same however often it is sent, so that a receiver can tell doubles. */
  readonly id: string;
  /** `alarm.raised`, `move.ended`. */
  readonly type: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly router: string;
  readonly severity: Severity;
  /** One sentence. */
  readonly text: string;
  /** How many of the same kind before it were left out, because there were too many. */
  readonly folded: number;
  /** Null for what is about the notifications themselves. */
  readonly entry: EntryJson | null;
};

const TYPES = {
  run: ['run.began', 'run.ended'],
  move: ['move.began', 'move.ended'],
  role: ['role.changed', 'role.changed'],
  alarm: ['alarm.raised', 'alarm.cleared'],
  inhibit: ['inhibit.began', 'inhibit.ended'],
  damping: ['damping.began', 'damping.ended'],
  readiness: ['readiness.lost', 'readiness.regained'],
} as const satisfies Record<EntryKind, readonly [began: string, ended: string]>;

/** In the order of TYPES: what a person who has the service of a router would be woken by is `critical`. */
const ALARM_SEVERITIES: readonly string[] = ['critical', 'major', 'minor', 'warning'] satisfies Severity[];

/** What is told of a change; `id` is new for each. */
export function notificationOf(
  entry: Entry,
  change: Change,
  { id, at, router }: Pick<Notification, 'id' | 'at' | 'router'>,
): Notification {
  const isOver = change === 'ended';
  const type = TYPES[entry.kind][isOver ? 1 : 0];
  const rest = { id, at, router, type, folded: 0, entry: entryJson(entry) };
  return { ...rest, severity: severityOf(entry, isOver), text: sentenceOf(entry, isOver) };
}

function severityOf({ kind, outcome, figures }: Entry, isOver: boolean): Severity {
  const { severity } = figures;
  switch (kind) {
    case 'alarm':
      return isOver || !isSeverity(severity) ? 'info' : severity;
    case 'readiness':
    case 'damping':
      return isOver ? 'info' : 'major';
    case 'move':
      return isOver && outcome === 'partial' ? 'major' : 'warning';
    case 'role':
      return 'warning';
    case 'run':
    case 'inhibit':
      return 'info';
  }
}

const isSeverity = (value: unknown): value is Severity =>
  typeof value === 'string' && ALARM_SEVERITIES.includes(value);

function sentenceOf(entry: Entry, isOver: boolean): string {
  const { kind, what, cause, result, outcome, group, figures, began, ended } = entry;
  const of = group === null ? '' : ` (group ${group})`;
  const after = ended === null ? '' : ` after ${durationWords(ended - began)}`;
  switch (kind) {
    case 'alarm':
      return isOver ? `alarm ${what}${of} is over${after}: ${cause}` : `alarm ${what}${of}: ${cause}`;
    case 'role':
      return `now ${outcome}${of}, before ${figures['from'] ?? 'UNKNOWN'}: ${cause}`;
    case 'move':
      return isOver ? `${what}${of} ${outcome}${after}: ${result}` : `${what}${of} begins: ${cause}`;
    case 'readiness':
      return isOver ? `ready again${after}` : cause;
    case 'inhibit':
    case 'damping':
      return isOver ? `${what}${of} has ended${after}: ${outcome}` : `${what}${of}: ${cause}`;
    case 'run':
      return isOver ? `the daemon has ended${after}: ${result}` : cause;
  }
}

/** Of the same kind, about the same thing: what a storm of them is folded by. */
export function kindOf({ type, entry }: Notification): string {
  if (entry === null) return type;
  return JSON.stringify([
    entry.kind,
    entry.what,
    entry.group ?? '',
    entry.kind === 'move' ? [] : (entry.about ?? []),
  ]);
}
