/**
 * A journal through the core again: are the decisions those that it has? Reads what anything may have happened
 * to since it was written, so every line is either understood or named; never throws. Pure.
 */
import { isNativeError } from 'node:util/types';
import type { Event } from '../core/state/model';
import { step, type Step } from '../core/step';
import type { State } from '../core/state/state';
import {
  changesOf,
  JOURNAL_FORMAT,
  REPEATED,
  UNDIGESTED,
  type Changes,
  type JournalEntry,
  type JournalHeader,
} from './journal';

/** `line` counts from 1. */
export type Replayed = { readonly line: number } & (
  | { readonly kind: 'header'; readonly header: JournalHeader }
  /** The end of the process or of the disk's space came in the middle of the line. */
  | { readonly kind: 'cutOff' }
  | Taken
);

type Taken =
  | { readonly kind: 'step'; readonly entry: JournalEntry; readonly before: State; readonly step: Step }
  | {
      readonly kind: 'difference';
      readonly entry: JournalEntry;
      readonly header: JournalHeader;
      readonly differences: readonly Difference[];
    }
  /** The text is no journal, or none that can be read from here on. */
  | Fault;

export type Difference = {
  readonly what: string;
  readonly written: string;
  readonly replayed: string;
};

/** Ends at the first difference or fault. */
export function* replay(text: string): Generator<Replayed> {
  const lines = text.split('\n');
  let header: JournalHeader | null = null;
  let state: State | null = null;
  const last = new Map<Event['type'], Event>();
  for (const [index, content] of lines.entries()) {
    if (content === '') continue;
    const line = index + 1;
    const read = readLine(content);
    if (read.kind === 'header') {
      ({ header } = read);
      ({ state } = header);
      last.clear();
      yield { ...read, line };
      continue;
    }
    if (read.kind === 'fault' && isCutOff(lines, index, header !== null)) {
      yield { kind: 'cutOff', line };
      continue;
    }
    if (read.kind === 'fault' || header === null || state === null) {
      yield { ...(read.kind === 'fault' ? read : fault('it does not begin with a header')), line };
      return;
    }
    const entry = { ...read.entry, event: complete(read.entry.event, last) };
    last.set(entry.event.type, entry.event);
    const taken = take(header, state, entry);
    yield { ...taken, line };
    if (taken.kind !== 'step') return;
    state = taken.step.state;
  }
  if (header === null) yield { kind: 'fault', line: 1, problem: 'it is empty' };
}

type Fault = { readonly kind: 'fault'; readonly problem: string };

function take(header: JournalHeader, before: State, entry: JournalEntry): Taken {
  try {
    const result = step(header.plan, before, entry.event, entry.now);
    const differences = differencesOf(entry, before, result);
    if (differences.length > 0) return { kind: 'difference', entry, header, differences };
    return { kind: 'step', entry, before, step: result };
  } catch (error: unknown) {
    const cause = isNativeError(error) ? error.message : String(error);
    return fault(`the core cannot take this ${entry.event.type} (${cause})`);
  }
}

function differencesOf(entry: JournalEntry, before: State, step: Step): readonly Difference[] {
  const changes = changesOf(before, step.state);
  const fields = [...new Set([...Object.keys(entry.changes), ...Object.keys(changes)])];
  /** Of the others it is only written that they have changed. */
  const isTold = (field: string): boolean =>
    own(entry.changes, field) !== UNDIGESTED || own(changes, field) === undefined;
  const compared: readonly (readonly [string, unknown, unknown])[] = [
    ['reason', entry.reason, step.reason],
    ['weight', entry.weight, step.weight],
    ['effects', entry.effects, step.effects],
    ['alarms', entry.alarms, step.alarms],
    ...fields
      .filter(isTold)
      .map((field) => [`state.${field}`, own(entry.changes, field), own(changes, field)] as const),
  ];
  return compared
    .map(([what, written, replayed]) => ({ what, written: inWords(written), replayed: inWords(replayed) }))
    .filter(({ written, replayed }) => written !== replayed);
}

/** A damaged line may name what every object has, as `constructor`. */
const own = (changes: Changes, field: string): unknown =>
  Object.hasOwn(changes, field) ? changes[field] : undefined;

const inWords = (value: unknown): string => (value === undefined ? 'unchanged' : JSON.stringify(value));

/** With what it leaves out because it was the same the last time. */
function complete(event: Event, last: ReadonlyMap<Event['type'], Event>): Event {
  if (REPEATED[event.type] === undefined) return event;
  return { ...last.get(event.type), ...event };
}

// --- Lines ---------------------------------------------------------------------------------------

type Line =
  | { readonly kind: 'header'; readonly header: JournalHeader }
  | { readonly kind: 'entry'; readonly entry: JournalEntry }
  | Fault;

/**
 * Only what makes a line a line of a journal is checked: that its parts are what the core expects shows when the
 * core takes them, and whether it decides as written is what a replay finds out.
 */
export function readLine(content: string): Line {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    return fault('the line is damaged: it is no JSON');
  }
  if (!isRecord(value)) return fault('the line is no part of a journal');
  return 'journal' in value ? readHeader(value) : readEntry(value);
}

function readHeader(value: { readonly [key: string]: unknown }): Line {
  if (value['journal'] !== 'xr-aws-ha') return fault('the line is no header of a journal of xr-aws-ha');
  if (value['format'] !== JOURNAL_FORMAT) {
    const written = JSON.stringify(value['format']) ?? 'none';
    return fault(`its format is ${written}, and this version reads ${JOURNAL_FORMAT}`);
  }
  const { version, bootId, now, wallNow, lostLines, plan, state } = value;
  const isWhole =
    [version, bootId].every((each) => typeof each === 'string') &&
    [now, wallNow, lostLines].every((each) => typeof each === 'number') &&
    isRecord(plan) &&
    Array.isArray(plan['targets']) &&
    Array.isArray(plan['sessions']) &&
    isRecord(plan['cloud']) &&
    isRecord(plan['cloud']['kinds']) &&
    typeof plan['cloud']['name'] === 'string' &&
    typeof plan['cloud']['service'] === 'string' &&
    isRecord(state) &&
    isRecord(state['role']) &&
    typeof state['role']['haState'] === 'string';
  if (!isWhole) return fault('the header is damaged');
  return { kind: 'header', header: value as JournalHeader };
}

function readEntry(value: { readonly [key: string]: unknown }): Line {
  const { now, event, reason, weight = 'routine', effects = [], alarms = [], changes } = value;
  const isEntry =
    typeof now === 'number' &&
    isRecord(event) &&
    typeof event['type'] === 'string' &&
    Object.hasOwn(EVENT_TYPES, event['type']) &&
    typeof reason === 'string' &&
    (weight === 'routine' || weight === 'notable' || weight === 'alarm') &&
    Array.isArray(effects) &&
    Array.isArray(alarms) &&
    isRecord(changes);
  if (!isEntry) return fault('the line is no step of a journal');
  return {
    kind: 'entry',
    entry: { now, event, reason, weight, effects, alarms, changes } as unknown as JournalEntry,
  };
}

/** The compiler asks for every event here, and the core for no other. */
const EVENT_TYPES = {
  started: true,
  inputDrained: true,
  streamsSynchronized: true,
  streamsLost: true,
  controlLost: true,
  bfdSessionChanged: true,
  interfaceChanged: true,
  interfacesAnswered: true,
  ownershipObserved: true,
  observationFailed: true,
  observationOffered: true,
  callQueued: true,
  callReleased: true,
  callAnswered: true,
  processStalled: true,
  levelsRead: true,
  holdersAnswered: true,
  answerTimeLearnt: true,
  inhibitRequested: true,
  releaseRequested: true,
  switchoverRequested: true,
  drillRequested: true,
  maintenanceLearnt: true,
  scheduleRequested: true,
  cancelRequested: true,
  previewRequested: true,
  shutdownRequested: true,
} as const satisfies Record<Event['type'], true>;

/** The text ends within the line, or the next run of the daemon has begun a line of its own. */
function isCutOff(lines: readonly string[], index: number, isJournal: boolean): boolean {
  if (index === lines.length - 1) return isJournal;
  const next = lines.find((content, other) => other > index && content !== '');
  return next !== undefined && readLine(next).kind === 'header';
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fault(problem: string): Fault {
  return { kind: 'fault', problem };
}
