/**
 * One step under way: the state as it stands, the effects so far and what there is to say. Local to a
 * single call of `step`; nothing keeps a turn beyond it.
 */
import { alarmKey, ALARMS_MAX, type AlarmCode } from './alarms';
import type { Effect } from './model';
import type { Plan } from './plan';
import type { State } from './state';

/** A copy of the state that is this step's own: what is at its top is replaced in place, and nothing deeper is touched. */
export type Draft = { -readonly [Key in keyof State]: State[Key] };

/**
 * How much a reason matters to an operator: `routine` happens all the time, `notable` is a transition,
 * `alarm` wants a person.
 */
export type Weight = 'routine' | 'notable' | 'alarm';

export type Turn = {
  /** With the targets that the cloud has shown so far: no rule decides about a target that is not known yet. */
  plan: Plan;
  /** With all targets. */
  readonly whole: Plan;
  readonly now: number;
  /** In [0, 1), drawn by the loop. */
  readonly jitter: number;
  readonly state: Draft;
  effects: Effect[];
  notes: { readonly weight: Weight; readonly text: string }[];
  alarms: AlarmCode[];
};

export function note(turn: Turn, weight: Weight, text: string): void {
  turn.notes.push({ weight, text });
}

/**
 * Says what a person has to look at, under a code that a machine can watch for. It stands until rules/alarms.ts ends
 * it; raised again, it stands since the first time. `about`: ids of targets, all of those raised under one key.
 * `kind`: tells alarms of the same code from each other.
 */
export function raiseAlarm(
  turn: Turn,
  code: AlarmCode,
  text: string,
  { about = [], kind = '' }: { readonly about?: readonly string[]; readonly kind?: string } = {},
): void {
  turn.alarms.push(code);
  note(turn, 'alarm', text);
  const { alarms } = turn.state;
  const key = alarmKey(code, kind);
  const before = alarms[key];
  if (before === undefined && Object.keys(alarms).length >= ALARMS_MAX) return;
  const all = [...new Set([...(before?.about ?? []), ...about])];
  const alarm = { code, about: all, text, since: before?.since ?? turn.now, lastAt: turn.now };
  turn.state.alarms = { ...alarms, [key]: alarm };
}

/** What the alarm was raised for is still the case. */
export function keepAlarm(turn: Turn, code: AlarmCode, kind = ''): void {
  const { alarms } = turn.state;
  const key = alarmKey(code, kind);
  const alarm = alarms[key];
  if (alarm !== undefined) turn.state.alarms = { ...alarms, [key]: { ...alarm, lastAt: turn.now } };
}

/** Asks the loop to decide again at this time at the latest. */
export function wakeAt(turn: Turn, at: number): void {
  turn.state.wakeAt = Math.min(turn.state.wakeAt, at);
}

const ORDER: readonly Weight[] = ['routine', 'notable', 'alarm'];

/** What a step has to say, in the order in which it was found: all that is news, else what is routine. */
export function reasonOf(turn: Turn): { readonly reason: string; readonly weight: Weight } {
  const [only] = turn.notes;
  if (only !== undefined && turn.notes.length === 1) return { reason: only.text, weight: only.weight };
  const heaviest = Math.max(0, ...turn.notes.map(({ weight }) => ORDER.indexOf(weight)));
  const told = turn.notes.filter(({ weight }) => weight !== 'routine' || heaviest === 0);
  const [first = '', ...others] = new Set(told.map(({ text }) => text));
  return { reason: [first, ...others.map(capitalized)].join('. '), weight: ORDER[heaviest] ?? 'routine' };
}

function capitalized(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

/** Nobody reads more than this. */
const LISTED_MAX = 20;
const LISTED_OF_MORE = 10;

/** `a`, `a and b`, `a, b and c`; of many the first ones and how many more there are. */
export function list(items: readonly string[]): string {
  if (items.length > LISTED_MAX)
    return `${items.slice(0, LISTED_OF_MORE).join(', ')} and ${items.length - LISTED_OF_MORE} more`;
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`;
}
