/**
 * Several groups in the words of `show`: one role and one sentence for all of them, and each by itself. With a
 * single group these are its own, to the byte, and the word group does not occur.
 */
import type { HaState } from '../core/state/model';
import type { JsonObject } from '../core/state/json';
import type { Plan } from '../core/state/plan';
import type { State } from '../core/state/state';
import { shownHolders } from './holdersView';

/** ACTIVE or STANDBY where every group is; a mixture, which is how an active-active pair looks, is UNKNOWN. */
export function groupsSummary(states: ReadonlyMap<string, State>): {
  readonly haState: HaState;
  readonly reason: string;
} {
  const all = [...states];
  const roles = new Set(all.map(([, { role }]) => role.haState));
  const [haState = 'UNKNOWN'] = roles.size === 1 ? roles : [];
  const reason = all.map(([name, { role, verdict }]) =>
    all.length === 1 ? verdict : `${name} is ${role.haState}: ${verdict}`,
  );
  return { haState, reason: reason.join('. ') };
}

export function shownGroup(plan: Plan, { role, verdict, ownership }: State): JsonObject {
  return {
    state: role.haState,
    reason: verdict,
    // Null before the cloud has ever been observed; else as in ha_targets, with the writes that the cloud has confirmed since.
    targets: ownership === null ? null : shownHolders(plan, ownership.holders),
  };
}
