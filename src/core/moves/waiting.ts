/**
 * The order of an attempt's calls where the cloud wants one: what rests on another target is not asked for before that
 * one has been moved (rule 6). It is kept by not sending: no time is set for a call that waits.
 */
import { waitsFor } from './grouping';
import type { Plan } from '../state/plan';
import type { Attempt, Call } from '../state/attempt';

/** The calls that must not be sent yet, each with the open call that moves what it rests on. */
export function waitingCalls(plan: Plan, { calls }: Attempt): ReadonlyMap<Call, Call> {
  return waitsFor(
    plan,
    calls.filter(({ outcome }) => outcome === 'open'),
  );
}

/**
 * What has not been moved yet, without what the cloud refuses, which has an alarm of its own, and what waits for that.
 */
export function unrefusedTargets(plan: Plan, attempt: Attempt): readonly string[] {
  const isRefused = ({ refusedWith, lastFailure }: Call): boolean =>
    refusedWith !== null && lastFailure?.kind === 'refused';
  const waiting = waitingCalls(plan, attempt);
  return attempt.calls
    .filter((call) => call.outcome === 'open' && !isRefused(waiting.get(call) ?? call))
    .flatMap(({ targets }) => targets);
}

/** The calls that wait for this one. */
export function waitersOf(plan: Plan, attempt: Attempt, { number }: Call): readonly Call[] {
  return [...waitingCalls(plan, attempt)].flatMap(([waiter, mover]) =>
    mover.number === number ? [waiter] : [],
  );
}
