/** The attempt in flight as the other files of this room read and change it. Decides nothing. */
import { purposeOf } from '../state/purposes';
import type { Attempt, Call } from '../state/attempt';
import type { Turn } from '../state/turn';

/**
 * Makes an attempt the one in flight, under the next number. What is not said is as for a move that is decided now
 * and for its own sake.
 */
export function openAttempt(
  turn: Turn,
  told: Pick<Attempt, 'purpose' | 'calls'> &
    Partial<
      Pick<
        Attempt,
        'request' | 'sessions' | 'resumed' | 'triggeredAt' | 'lastUp' | 'decidedAt' | 'askingUntil'
      >
    >,
): Attempt {
  const attempt: Attempt = {
    number: turn.state.lastAttempt + 1,
    request: null,
    sessions: [],
    resumed: false,
    triggeredAt: turn.now,
    lastUp: null,
    decidedAt: turn.now,
    askingUntil: null,
    firstSentAt: null,
    firstOnWireAt: null,
    lastAnsweredAt: null,
    lastMovedAt: null,
    paced: false,
    ...told,
  };
  turn.state.lastAttempt = attempt.number;
  turn.state.attempt = attempt;
  return attempt;
}

/** For calls that are added to those of an attempt. */
export function nextCallNumber({ calls }: Attempt): number {
  return Math.max(...calls.map(({ number }) => number)) + 1;
}

export function currentAttempt(turn: Turn): Attempt {
  const { attempt } = turn.state;
  if (attempt === null) throw new Error('there is no attempt');
  return attempt;
}

export function updateAttempt(turn: Turn, change: Partial<Attempt>): void {
  turn.state.attempt = { ...currentAttempt(turn), ...change };
}

export function updateCall(turn: Turn, number: number, change: Partial<Call>): void {
  const { calls } = currentAttempt(turn);
  const place = calls.findIndex((call) => call.number === number);
  const call = calls[place];
  if (call !== undefined) updateAttempt(turn, { calls: calls.with(place, { ...call, ...change }) });
}

/** Rule 7: *moved* means sent and not definitely refused. */
export function hasMoved(attempt: Attempt): boolean {
  // A give-back, or a move that an earlier run began, is the second half of something that has moved.
  return attempt.resumed || purposeOf(attempt).undoes || attempt.calls.some(callHasMoved);
}

export function callHasMoved(call: Call): boolean {
  // A reading may show a target at its place although nothing was sent; and a target that was here already commits to
  // nothing.
  if (call.lastSend === 0 || call.again) return false;
  return call.outcome === 'moved' || call.uncertain || isUnderWay(call);
}

/** A request is out that the cloud may carry out; what still waits for tokens can be withdrawn. */
export function isUnderWay({ outstanding }: Call): boolean {
  return outstanding.some(({ queued }) => !queued);
}

/** What the cloud has not moved yet. */
export function openTargets(attempt: Attempt): readonly string[] {
  return attempt.calls.filter(({ outcome }) => outcome === 'open').flatMap(({ targets }) => targets);
}

export function isComplete(attempt: Attempt): boolean {
  return attempt.calls.every(({ outcome }) => outcome !== 'open');
}
