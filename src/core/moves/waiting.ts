/**
 * The order of an attempt's calls where EC2 wants one: what rests on another target is not asked for before that one
 * has been moved (rule 6). It is kept by not sending: no time is set for a call that waits.
 */
import { waitsFor } from './grouping';
import type { Plan } from '../state/plan';
import type { Attempt, Call } from '../state/state';

/** The calls that are not to be sent yet, each with the open one that moves what it rests on. */
export function waitingCalls(plan: Plan, { calls }: Attempt): ReadonlyMap<Call, Call> {
  return waitsFor(
    plan,
    calls.filter(({ outcome }) => outcome === 'open'),
  );
}

/** The calls that wait for this one. */
export function waitersOf(plan: Plan, attempt: Attempt, { number }: Call): readonly Call[] {
  return [...waitingCalls(plan, attempt)].flatMap(([waiter, mover]) =>
    mover.number === number ? [waiter] : [],
  );
}
