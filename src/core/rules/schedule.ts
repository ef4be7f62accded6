/**
 * Rule 15, a switchover for later: one order at a time, remembered like an inhibit. It is tried once, at its time;
 * one that cannot be carried out then, or whose time has passed meanwhile, ends with an alarm.
 */
import type { Event, Scheduled } from '../state/model';
import { note, raiseAlarm, wakeAt, type Turn } from '../state/turn';
import { utc } from './inhibit';

type EventOf<Type extends Event['type']> = Extract<Event, { type: Type }>;

/** A daemon that starts so soon after its time still carries it out. */
const LATE_MS = 60_000;

/** `objection`: why it could not be done now; null where it could. */
export function scheduleRequested(
  turn: Turn,
  { request, atWall, wallNow }: EventOf<'scheduleRequested'>,
  objection: string | null,
): void {
  const { scheduled: before, role } = turn.state;
  if (role.haState === 'STANDBY')
    return answer(turn, request, false, `no switchover: ${objection ?? ''}: order it on the router that is`);
  const scheduled: Scheduled = { at: turn.now + Math.max(0, atWall - wallNow), atWall };
  turn.state.scheduled = scheduled;
  const instead = before === null ? '' : `, in place of the one at ${utc(before.atWall)}`;
  const doubt = objection === null ? '' : `; now it would be declined: ${objection}`;
  answer(turn, request, true, `${scheduledWords(scheduled)}${instead}${doubt}`);
}

export function cancelRequested(turn: Turn, { request }: EventOf<'cancelRequested'>): void {
  const { scheduled } = turn.state;
  turn.state.scheduled = null;
  const what = scheduled === null ? 'none was ordered' : `none at ${utc(scheduled.atWall)} any more`;
  answer(turn, request, true, `no switchover later: ${what}`);
}

function answer(turn: Turn, request: number, accepted: boolean, sentence: string): void {
  turn.effects.push({ effect: 'answerOperator', request, accepted, sentence });
  note(turn, 'notable', sentence);
}

/** With each decision: is it time? */
export function beginScheduled(turn: Turn): void {
  const { scheduled, order, shutdown } = turn.state;
  if (scheduled === null || shutdown !== null) return;
  if (turn.now < scheduled.at) return wakeAt(turn, scheduled.at);
  // Right after a start little is known yet, so the order waits a moment.
  const isKnown = turn.state.ownership !== null && turn.state.streams.phase === 'synchronized';
  const lateMs = turn.now - scheduled.at;
  if (!isKnown && lateMs <= LATE_MS) return wakeAt(turn, scheduled.at + LATE_MS + 1);
  if (order !== null || turn.state.attempt !== null) return;
  turn.state.scheduled = null;
  if (lateMs <= LATE_MS) {
    turn.state.order = { cause: 'schedule', request: null };
    return note(turn, 'notable', `the switchover that was ordered for ${utc(scheduled.atWall)} is due`);
  }
  alarmMissed(
    turn,
    `the switchover that was ordered for ${utc(scheduled.atWall)} was missed by ${lateWords(lateMs)}`,
  );
}

/** Nobody is waiting for an answer, so a person has to be told. */
export function alarmMissed(turn: Turn, sentence: string): void {
  raiseAlarm(turn, 'switchover-missed', `${sentence}: order it again where it is still wanted`);
}

function lateWords(ms: number): string {
  return ms >= 120_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 1000)} s`;
}

/** After another boot only the wall clock tells. */
export function recalledSchedule(
  stored: Scheduled | null,
  sameBoot: boolean,
  now: number,
  wallNow: number,
): Scheduled | null {
  if (stored === null) return null;
  return sameBoot ? stored : { ...stored, at: now + stored.atWall - wallNow };
}

export function scheduledWords({ atWall }: Scheduled): string {
  return `a switchover is ordered for ${utc(atWall)}`;
}
