/**
 * Rule 17, the decision memory: what of it may still be used after a restart, and what of the state is
 * worth keeping. Times are monotonic since boot, so another boot voids them all.
 */
import { recalledDamping } from '../rules/damping';
import { inhibitWords, recalledInhibit } from '../rules/inhibit';
import { recalledSchedule, scheduledWords } from '../rules/schedule';
import { isAlarmCode } from '../rules/alarms';
import { isKeyOf, type Alarms, type StoredAlarm } from './alarms';
import type { Event, Intent, Memory } from './model';
import { ownsAll } from '../levels/ownership';
import type { PlannedSession } from './plan';
import { sameFailureMs, sessionOf, testimonyOf } from '../levels/sessions';
import type { State } from './state';
import { list, note, type Turn } from './turn';

/** Rule 7: an older intent is not resumed. */
const INTENT_TTL_MS = 60_000;
/** The age of the memory says how far its arming may be trusted, so an unchanged memory is saved again. */
const REFRESH_MS = 60_000;

export function recall(turn: Turn, { bootId, memory, wallNow }: Extract<Event, { type: 'started' }>): void {
  const inhibit = recalledInhibit(memory?.inhibit ?? null, memory?.bootId === bootId, turn.now, wallNow);
  const scheduled = recalledSchedule(memory?.scheduled ?? null, memory?.bootId === bootId, turn.now, wallNow);
  const recalled = usable(turn, bootId, memory);
  const beenActive = recalled?.beenActive ?? false;
  const { dampingHalfLifeMs } = turn.plan.timing;
  const damping = recalledDamping(recalled?.damping ?? null, turn.now, dampingHalfLifeMs);
  turn.state.bootId = bootId;
  turn.state.recalled = recalled;
  turn.state.beenActive = beenActive;
  turn.state.damping = damping;
  turn.state.inhibit = inhibit;
  turn.state.scheduled = scheduled;
  turn.state.alarms = recalledAlarms(recalled?.alarms ?? [], turn.now);
  const standing = [...new Set(Object.values(turn.state.alarms).map(({ code }) => code))];
  if (standing.length > 0) note(turn, 'notable', `still standing: alarm ${list(standing)}`);
  if (inhibit !== null) note(turn, 'notable', `still ${inhibitWords(inhibit)}`);
  if (scheduled !== null) note(turn, 'notable', scheduledWords(scheduled));
}

function usable(turn: Turn, bootId: string, memory: Memory | null): Memory | null {
  const nothing = (why: string): null => {
    note(turn, 'notable', `starting without earlier decisions: ${why}`);
    return null;
  };
  if (memory === null) return nothing('none are stored');
  if (memory.bootId !== bootId) return nothing('the stored ones are of another boot');
  const ageMs = turn.now - memory.savedAt;
  if (ageMs < 0) return nothing('the stored ones are from the future');
  const intent = memory.intent !== null && intentIsYoung(memory.intent, turn.now) ? memory.intent : null;
  note(turn, 'notable', `starting with the decisions stored ${Math.round(ageMs / 1000)} s ago`);
  return { ...memory, intent };
}

function intentIsYoung(intent: Intent, now: number): boolean {
  return now >= intent.startedAt && now - intent.startedAt < INTENT_TTL_MS;
}

/** The stored intent, once: whoever reads it either resumes it or lets it go for good. */
export function takeIntent(turn: Turn): Intent | null {
  const { recalled } = turn.state;
  if (recalled === null) return null;
  turn.state.recalled = { ...recalled, intent: null };
  return recalled.intent !== null && intentIsYoung(recalled.intent, turn.now) ? recalled.intent : null;
}

/** Hands the memory over when it has changed. */
export function remember(turn: Turn, intent: Intent | null): void {
  const { state, now } = turn;
  const isKnown = state.ownership !== null && state.streams.everSynchronized;
  const isOrdered = state.inhibit !== null || state.scheduled !== null;
  if (!isKnown && !isOrdered && state.remembered === null) return;
  const memory = isKnown ? memoryOf(turn, state, intent) : notKnownYet(turn);
  const last = state.remembered;
  if (last !== null && same(last, memory) && (!isKnown || now - last.savedAt < REFRESH_MS)) return;
  turn.state.remembered = memory;
  turn.effects.push({ effect: 'remember', memory });
}

function memoryOf(turn: Turn, state: State, intent: Intent | null): Memory {
  return {
    bootId: state.bootId,
    savedAt: turn.now,
    wasActive: ownsAll(turn.plan, state),
    armedSessions: turn.plan.sessions.filter((session) => isWorthArming(turn, session)).map(({ id }) => id),
    intent,
    beenActive: state.beenActive,
    inhibit: state.inhibit,
    scheduled: state.scheduled,
    damping: state.damping,
    alarms: storedAlarms(state.alarms),
  };
}

/** One small file holds them for all groups. */
const ALARMS_STORED_MAX = 16;
const ABOUT_STORED_MAX = 16;
const TEXT_STORED_MAX = 400;

function storedAlarms(alarms: Alarms): readonly StoredAlarm[] {
  const first = Object.entries(alarms).slice(0, ALARMS_STORED_MAX);
  return first.map(([key, { code, about, text, since }]) => ({
    key,
    code,
    about: about.slice(0, ABOUT_STORED_MAX),
    text: text.slice(0, TEXT_STORED_MAX),
    since,
  }));
}

/** They stand as before; this run finds out anew whether they are still true. */
function recalledAlarms(stored: readonly StoredAlarm[], now: number): Alarms {
  const known = stored.slice(0, ALARMS_STORED_MAX).flatMap(({ key, code, ...alarm }) => {
    if (!isAlarmCode(code) || !isKeyOf(code, key)) return [];
    return [[key, { code, ...alarm, since: Math.min(alarm.since, now), lastAt: now }] as const];
  });
  return Object.fromEntries(known);
}

/**
 * The next life takes what it finds DOWN at its word, so what has its reason here is not worth arming it: a session
 * that was programmed anew and had no time to come UP, or whose own interface is DOWN or has only just come UP; or one
 * that may still show the failure for which the peer has just taken the targets (rule 2).
 */
function isWorthArming({ plan, state, now }: Turn, planned: PlannedSession): boolean {
  const { armed, freshSince, level, upAtLoss } = sessionOf(state, planned.id);
  if (!armed || freshSince !== null) return false;
  if (upAtLoss !== null && now - upAtLoss <= sameFailureMs(planned)) return false;
  return level !== 'Down' || testimonyOf(plan, state, planned, now).says === 'down';
}

/** Before levels and ownership are known, what an earlier process life has stored of them stays as it is. */
function notKnownYet({ state, now }: Turn): Memory {
  const { bootId, recalled, beenActive, inhibit, scheduled, damping, alarms } = state;
  const levels = recalled ?? { savedAt: now, wasActive: false, armedSessions: [], intent: null };
  return { ...levels, bootId, beenActive, inhibit, scheduled, damping, alarms: storedAlarms(alarms) };
}

function same(one: Memory, other: Memory): boolean {
  return equal(one, other, 'savedAt');
}

/** For plain JSON. What has not changed is mostly the same object, which makes this cheap. */
function equal(one: unknown, other: unknown, except = ''): boolean {
  if (one === other) return true;
  if (!isObject(one) || !isObject(other)) return false;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => key === except || equal(one[key], other[key]))
  );
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null;
}
