/**
 * When the peer was not watched: the router's event streams were lost, another client had them, or this process
 * stood still. What went DOWN in such an interval is learnt late, and its true moment is not known.
 */
import type { LastUp } from '../state/model';
import type { Session, Unwatched } from '../state/state';
import type { Turn } from '../state/turn';

/** Intervals this close count as one, because a long stall ends with lost streams. */
const JOINED_WITHIN_MS = 1_000;

/** The peer is not watched from then on. */
export function beginUnwatched(turn: Turn, because: Unwatched['because'], since = turn.now): void {
  const last = turn.state.unwatched;
  const joins = last !== null && (last.until === null || since - last.until <= JOINED_WITHIN_MS);
  turn.state.unwatched = {
    since: joins ? Math.min(last.since, since) : since,
    until: null,
    // The cause that needs a person stays, although the router is being reconnected to meanwhile.
    because: joins && last.until === null && last.because === 'notInControl' ? last.because : because,
  };
}

/** The peer is watched again: levels are known. */
export function endUnwatched(turn: Turn): void {
  const last = turn.state.unwatched;
  if (last !== null && last.until === null) turn.state.unwatched = { ...last, until: turn.now };
}

/** The process stood still until now; without the streams nothing was watched anyway. */
export function noteUnwatchedStall(turn: Turn, forMs: number): void {
  const { unwatched: last, sessions } = turn.state;
  const lastMs = last === null ? 0 : (last.until ?? Infinity) - last.since;
  if (lastMs === Infinity) return;
  // A short interval does not explain what was lost in the longer one before it.
  if (
    forMs < lastMs &&
    Object.values(sessions).some((session) => session.level !== 'Up' && isUnseen(last, session))
  )
    return;
  beginUnwatched(turn, 'stalled', turn.now - forMs);
  endUnwatched(turn);
}

/** Whether nobody has said that it is UP since the peer was not watched. */
export function isUnseen(unwatched: Unwatched | null, { lastUpAt }: Session): boolean {
  return unwatched !== null && (unwatched.until === null || (lastUpAt ?? -Infinity) < unwatched.until);
}

const BECAUSE = {
  lost: "the router's event streams were lost",
  notInControl: "another client had the router's event streams",
  stalled: 'this router did not run this daemon',
} as const satisfies Record<Unwatched['because'], string>;

/** Why a takeover comes late; nothing in it changes with time, since it stands in a standing sentence. */
export function lateWords({ since, until, because }: Unwatched): string {
  return until === null ? '' : `late, because ${BECAUSE[because]} for ${durationWords(until - since)}`;
}

/** When the peer was last known to be UP, for a takeover whose true beginning is not known. */
export function lastUpWords({ at }: LastUp, now: number): string {
  if (at === null) return 'this daemon has not seen the peer UP: when it went DOWN is not known';
  return `the peer was last known UP ${durationWords(now - at)} ago`;
}

function durationWords(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1_000)} s`;
}
