/** Who holds the targets of a plan, in the words of `show`. */
import { instanceOf } from '../core/levels/holders';
import type { Holder, JsonObject } from '../core/state/model';
import type { Plan, Target } from '../core/state/plan';

/** Who holds what, of every kind: `ha_interfaces` has addresses of this router only. */
export function shownHolders(
  { targets }: Plan,
  holders: { readonly [id: string]: Holder | null },
): JsonObject {
  return Object.fromEntries(
    targets.map(({ id, kind }) => [id, { kind: KIND_WORDS[kind], ...shownHolder(holders[id] ?? null) }]),
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

const KIND_WORDS = {
  privateAddress: 'private_ip',
  ipv6Address: 'ipv6',
  route: 'route',
  elasticIp: 'elastic_ip',
} as const satisfies Record<Target['kind'], string>;
