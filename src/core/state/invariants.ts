/**
 * What must be true of the state after every step, in production too: a violation is a bug, and a clean
 * restart (takeovers are idempotent) is safer than going on. Returns the violated invariants as sentences.
 */
import { ALARMS_MAX, isKeyOf } from './alarms';
import type { Plan } from './plan';
import { sessionOf } from '../levels/sessions';
import type { State } from './state';

export function violations(plan: Plan, state: State): readonly string[] {
  const found: string[] = [];
  /** The sentence is made only when it is needed: this runs after every step. */
  const check = (holds: boolean, sentence: () => string): void => void (holds || found.push(sentence()));
  const { attempt, ownership, observing } = state;

  check(
    attempt === null || attempt.number === state.lastAttempt,
    () => 'the attempt in flight is the newest one: no two attempts run at a time',
  );
  check(
    attempt === null || ownership !== null,
    () => `nothing is moved before ${plan.cloud.name} has said who holds the targets`,
  );
  if (attempt !== null) {
    const planned = new Set(plan.targets.map(({ id }) => id));
    for (const { number, targets, outstanding } of attempt.calls) {
      check(targets.length > 0, () => `call ${number} moves at least one target`);
      check(outstanding.length <= 8, () => `call ${number} has a bounded number of requests in flight`);
      check(
        targets.every((id) => planned.has(id)),
        () => `call ${number} moves only targets of the plan`,
      );
    }
  }
  for (const { id } of plan.sessions) {
    const session = sessionOf(state, id);
    check(session.level !== 'Up' || session.armed, () => `session ${id} is armed while it is UP`);
    check(
      session.level !== 'Up' || session.freshSince === null,
      () => `session ${id} is not fresh while it is UP`,
    );
    check(
      session.level !== 'Unconfigured' || !session.armed,
      () => `session ${id} is not armed while unconfigured`,
    );
  }
  check(
    observing.inFlight === null || observing.inFlight === observing.lastNumber,
    () => 'one observation is in flight at a time',
  );
  check(Object.keys(state.alarms).length <= ALARMS_MAX, () => 'no more alarms stand than are kept');
  for (const [key, { code, since, lastAt }] of Object.entries(state.alarms)) {
    check(isKeyOf(code, key), () => `the key of alarm ${key} says what it is`);
    check(since <= lastAt, () => `alarm ${key} was raised before it was last found to be so`);
  }
  return found;
}
