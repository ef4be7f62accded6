/**
 * When a request that has no answer yet is sent once more, on another connection (rule 6): the first time when it is
 * slow by what the cloud has shown here, then at a bounded, jittered pace for as long as the cloud is silent, so that
 * nothing waits for a deadline once it is back. Deadlines do not end with it, and any success wins.
 */
import { isLarge } from './grouping';
import type { Attempt, Call } from '../state/attempt';
import { note, type Turn } from '../state/turn';

/** While the cloud is silent, it is asked again so often: for two calls about as often as an account gets tokens. */
const PACE_MS = 450;
/** Where answers are only late at times, the third request and the fourth meet such a time seldom: they come sooner. */
const SOON_OUT = 3;
const SOON_SHARE = 0.6;
/** At most this many requests of one call are out; when one ends, the next follows. */
const MOST_OUT = 8;
/**
 * So many of them have the deadline of a try, for a cloud that answers after seconds. The others find out whether it is
 * back and make room for the next one soon.
 */
const PATIENT_OUT = 4;
const IMPATIENT_DEADLINE_MS = 1_500;
/** Up to this many waiting calls are asked for at that pace; more of them share it. */
const AT_THAT_PACE = 2;

export function answerTimeLearnt(turn: Turn, slowAfterMs: number): void {
  turn.state.slowAfterMs = slowAfterMs;
  note(
    turn,
    'routine',
    `${turn.plan.cloud.name} answers so fast here that a move without an answer for ${slowBy(turn)} ms is sent again on another connection`,
  );
}

/** In ms: the value of the configuration until enough answers are known, and within its bounds from then on. */
function slowBy({ plan: { timing }, state }: Turn): number {
  return Math.min(timing.hedgeMs, Math.max(timing.hedgeLeastMs, state.slowAfterMs ?? timing.hedgeMs));
}

/** When the request that is being sent now is to be followed by one more if it has no answer; null: never. */
export function overlapAtOf(turn: Turn, { calls }: Attempt, { number, outstanding }: Call): number | null {
  const slowMs = slowBy(turn);
  const out = outstanding.length + 1;
  if (out === 1) return turn.now + slowMs;
  // With many calls, the cloud's limits have no room for more than two requests of each.
  if (isLarge(calls) || out >= MOST_OUT) return null;
  const waiting = calls.filter(({ outcome }) => outcome === 'open').length;
  const paceMs = Math.max(slowMs * SOON_SHARE, out <= SOON_OUT ? 0 : PACE_MS);
  // Calls that were sent together draw apart: the first answer is news for all of them.
  const jitter = (turn.jitter + number / calls.length) % 1;
  return turn.now + paceMs * Math.max(1, waiting / AT_THAT_PACE) * (0.75 + jitter / 4);
}

/** Of the next request, in ms; `tryMs` is that of its try. */
export function overlapDeadlineMs({ outstanding }: Call, tryMs: number): number {
  return outstanding.length < PATIENT_OUT ? tryMs : Math.min(tryMs, IMPATIENT_DEADLINE_MS);
}

/** When one more request for this call is due; null: not before something else has happened. */
export function overlapAt({ paced }: Attempt, call: Call): number | null {
  const { outcome, outstanding, disputed } = call;
  // A refusal has to wait for the requests that are out, and for a reading.
  if (paced || outcome !== 'open' || disputed !== null) return null;
  return outstanding.length === 0 || outstanding.length >= MOST_OUT ? null : call.overlapAt;
}

/**
 * The cloud answers again. A call that it was asked for twice in vain, both times before the request that it has
 * answered now, need not wait for its turn.
 */
export function isOvertaken({ outcome, outstanding }: Call, answeredStartedAt: number): boolean {
  return (
    outcome === 'open' &&
    outstanding.length > 1 &&
    outstanding.every(({ startedAt }) => startedAt < answeredStartedAt)
  );
}
