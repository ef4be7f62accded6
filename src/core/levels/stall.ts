/**
 * Rule 16, own stall: this process, and perhaps the whole router, did not run for a while. BFD sessions that go
 * DOWN right after it may be DOWN because of that, so they get a moment to come UP again, and levels are read
 * anew. After a long one the world has moved on, so nothing is sent before levels and ownership are known again.
 * How a stall is noticed is the loop's part.
 */
import type { PlannedSession } from '../state/plan';
import type { State } from '../state/state';
import { note, wakeAt, type Turn } from '../state/turn';
import { noteUnwatchedStall } from './unwatched';

/** A stall this long may have let the peer act meanwhile: a takeover takes it about as long. */
const LONG_MS = 1_000;

export function processStalled(turn: Turn, forMs: number): void {
  const { state, now, plan } = turn;
  const isLong = forMs >= LONG_MS;
  const until = now + plan.timing.ownStallHoldMs;
  const isSynchronized = state.streams.phase === 'synchronized';
  // What happened meanwhile may have been read before the stall was noticed; what was DOWN before a long one may
  // have been UP in it.
  const held = Object.entries(state.sessions).map(([id, session]) => {
    const isDoubtful = session.level === 'Down' && (isLong || session.changedAt >= now - forMs);
    const isLearntLate = session.changeSeen && session.level === 'Down' && session.changedAt >= now - forMs;
    const moment = isLearntLate ? { changeSeen: false, lastUpAt: now - forMs } : {};
    return [id, { ...session, ...moment, ...(isDoubtful ? { heldUntil: until } : {}) }] as const;
  });
  turn.state.stalledAt = now;
  noteUnwatchedStall(turn, forMs);
  if (isLong) {
    turn.state.longStallAt = now;
    turn.state.reorientation = { since: now, levelsKnown: !isSynchronized, ownershipKnown: false };
  }
  turn.state.sessions = Object.fromEntries(held);
  if (isSynchronized) turn.effects.push({ effect: 'readLevels' });
  note(
    turn,
    'notable',
    `this router did not run this daemon for ${Math.round(forMs)} ms: what goes DOWN right after it has ` +
      `${plan.timing.ownStallHoldMs / 1000} s to come UP again`,
  );
}

/** Until when a session that went DOWN at this time may still come UP; null where no stall explains it. */
export function heldUntil(
  turn: Turn,
  { detectionTimeMs }: PlannedSession,
  wentDownAt: number,
): number | null {
  const { stalledAt } = turn.state;
  if (stalledAt === null || wentDownAt - stalledAt > detectionTimeMs) return null;
  return turn.now + turn.plan.timing.ownStallHoldMs;
}

/** Levels have been read again, or cannot be had. */
export function noteLevelsKnown(turn: Turn): void {
  const { reorientation } = turn.state;
  if (reorientation === null) return;
  turn.state.reorientation = { ...reorientation, levelsKnown: true };
}

/** An observation that began at this time has been believed. */
export function noteOwnershipKnown(turn: Turn, startedAt: number): void {
  const { reorientation } = turn.state;
  if (reorientation === null || startedAt < reorientation.since) return;
  turn.state.reorientation = { ...reorientation, ownershipKnown: true };
}

/** With each decision: over when all is known, and after the hold in any case (the cloud may be away). */
export function reorient(turn: Turn): void {
  const { reorientation } = turn.state;
  if (reorientation === null) return;
  const until = reorientation.since + turn.plan.timing.ownStallHoldMs;
  const isOver = turn.now >= until || (reorientation.levelsKnown && reorientation.ownershipKnown);
  if (isOver) turn.state.reorientation = null;
  else wakeAt(turn, until);
}

/** Why nothing is sent now; null where it may be. */
export function reorientationWords({ reorientation }: State): string | null {
  if (reorientation === null) return null;
  return 'this router has just stalled: levels and ownership are read again first';
}
