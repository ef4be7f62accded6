/** Who holds the targets of a plan, in the words of `show`. */
import { kindOf } from '../core/kinds';
import { instanceOf } from '../core/levels/holders';
import type { JsonObject } from '../core/state/json';
import type { Holder } from '../core/state/readings';
import type { Plan } from '../core/state/plan';

/** Who holds what, of every kind: `ha_interfaces` has addresses of this router only. */
export function shownHolders(plan: Plan, holders: { readonly [id: string]: Holder | null }): JsonObject {
  return Object.fromEntries(
    plan.targets.map((target) => [
      target.id,
      { kind: kindOf(plan, target).shownAs, ...shownHolder(holders[target.id] ?? null) },
    ]),
  );
}

function shownHolder(holder: Holder | null): JsonObject {
  const blackhole = holder?.blackhole === true ? { blackhole: true } : {};
  const shown = { mine: holder?.mine ?? false, holder: null, instance: instanceOf(holder), ...blackhole };
  switch (holder?.kind) {
    case 'interface': {
      const { networkInterfaceId, attachment } = holder;
      const service = attachment.to === 'service' ? { service: attachment.name } : {};
      return { ...shown, holder: networkInterfaceId, ...service };
    }
    case 'gateway':
      return { ...shown, holder: holder.gatewayId };
    case 'nowhere':
    case undefined:
      return shown;
  }
}
