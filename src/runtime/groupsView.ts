/**
 * Several groups in the words of `show`: one role and one sentence for all of them, and each by itself. With a
 * single group these are its own, to the byte, and the word group does not occur.
 */
import type { HaState, Holder, JsonObject } from '../core/model';
import type { Plan } from '../core/plan';
import type { State } from '../core/state';

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

export function shownGroup({ targets }: Plan, { role, verdict, ownership }: State): JsonObject {
  return {
    state: role.haState,
    reason: verdict,
    // Null as a whole before EC2 has ever been observed; else each target with who was last seen to hold it.
    targets:
      ownership === null
        ? null
        : Object.fromEntries(
            targets.map(({ address }) => [address, shownHolder(ownership.holders[address] ?? null)]),
          ),
  };
}

function shownHolder(holder: Holder | null): JsonObject | null {
  if (holder === null) return null;
  const { networkInterfaceId, instanceId, mine } = holder;
  return { interface: networkInterfaceId, instance: instanceId, this_router: mine };
}
