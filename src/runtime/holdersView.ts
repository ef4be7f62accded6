/** Who holds the targets of a plan, in the words of `show`. */
import type { Holder, JsonObject } from '../core/state/model';
import type { Plan, Target } from '../core/state/plan';

/** Who holds what, of every kind: `ha_interfaces` has addresses of this router only. */
export function shownHolders(
  { targets }: Plan,
  holders: { readonly [id: string]: Holder | null },
): JsonObject {
  return Object.fromEntries(
    targets.map(({ id, kind }) => {
      const holder = holders[id] ?? null;
      const { networkInterfaceId = null, instanceId = null, mine = false } = holder ?? {};
      const blackhole = holder?.blackhole === true ? { blackhole: true } : {};
      return [
        id,
        { kind: KIND_WORDS[kind], mine, holder: networkInterfaceId, instance: instanceId, ...blackhole },
      ];
    }),
  );
}

const KIND_WORDS = {
  privateAddress: 'private_ip',
  ipv6Address: 'ipv6',
  route: 'route',
  elasticIp: 'elastic_ip',
} as const satisfies Record<Target['kind'], string>;
