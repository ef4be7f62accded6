/**
 * Rule 10, dampening, in the manner of RFC 2439: each takeover that BFD has triggered adds a penalty, which fades;
 * above a limit no further one begins until it has faded. The first takeover is never delayed, and what the cloud
 * itself shows (rule 9) is not held back by it.
 */
import type { Damping } from '../state/model';
import type { State } from '../state/state';
import { raiseAlarm, type Turn } from '../state/turn';

const PENALTY = 1_000;
const SUPPRESS_ABOVE = 3_000;
const REUSE_BELOW = 1_500;

function penaltyAt(damping: Damping | null, now: number, halfLifeMs: number): number {
  if (damping === null) return 0;
  return damping.penalty * 2 ** -(Math.max(0, now - damping.at) / halfLifeMs);
}

/** What was stored, as far as it can be right: no file, however damaged, holds takeovers back for ever. */
export function recalledDamping(stored: Damping | null, now: number, halfLifeMs: number): Damping | null {
  if (stored === null || stored.at > now) return null;
  const { suppressedUntil } = stored;
  if (suppressedUntil === null) return stored;
  const latest = Math.ceil(stored.at + fadingMs(stored.penalty, halfLifeMs));
  return { ...stored, suppressedUntil: Math.min(suppressedUntil, latest) };
}

/** How long a penalty takes until it is below the limit again. */
function fadingMs(penalty: number, halfLifeMs: number): number {
  return halfLifeMs * Math.log2(Math.max(penalty, REUSE_BELOW) / REUSE_BELOW);
}

/** Counts a takeover, when its first request goes out. */
export function penalize(turn: Turn): void {
  const { dampingHalfLifeMs } = turn.plan.timing;
  const { damping } = turn.state;
  const penalty = penaltyAt(damping, turn.now, dampingHalfLifeMs) + PENALTY;
  const heldMs = penalty > SUPPRESS_ABOVE ? fadingMs(penalty, dampingHalfLifeMs) : 0;
  const suppressedUntil = heldMs > 0 ? Math.ceil(turn.now + heldMs) : null;
  turn.state.damping = { penalty, at: turn.now, suppressedUntil };
  if (suppressedUntil === null) return;
  raiseAlarm(
    turn,
    'takeover-damped',
    `too many takeovers in short order: after this one BFD triggers none for ${Math.round(heldMs / 1000)} s; ` +
      `see why the peer or its links go up and down`,
  );
}

/** Until when no takeover may be triggered; null where one may. One that has begun is not held back by itself. */
export function dampedUntil({ state, now }: { readonly state: State; readonly now: number }): number | null {
  if (state.attempt !== null) return null;
  const until = state.damping?.suppressedUntil ?? null;
  return until !== null && now < until ? until : null;
}
