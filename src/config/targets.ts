/**
 * From the actions of the configuration to the targets of the plan, in the order that both routers have in common, each
 * with its place where not all can be moved at once.
 */
import type { AwsTarget } from '../aws/description';
import { addressOf, elasticIpOf, idOf, inCanonicalOrder, routeOf } from './kinds';
import type { Config } from './schema';

type Action = NonNullable<Config['action']>;
type Entries = Action['method_params'];
type AnyEntry =
  NonNullable<Entries['intf_list' | 'route_list' | 'eip_list']> extends readonly (infer Entry)[]
    ? Entry
    : never;

/** The configuration, or one of its groups. */
type Written = Pick<Config, 'action' | 'actions'>;

function actionsOf({ action, actions }: Written): readonly Action[] {
  return actions ?? (action === undefined ? [] : [action]);
}

/** In canonical order. */
export function targetsOf(written: Written): readonly AwsTarget[] {
  const named = actionsOf(written).flatMap(({ method_params: { intf_list, route_list, eip_list } }) => [
    ...(intf_list ?? []).map((entry) => ({ entry, resource: addressOf(entry.secondary_ip) })),
    ...(route_list ?? []).map((entry) => ({ entry, resource: routeOf(entry) })),
    ...(eip_list ?? []).map((entry) => ({ entry, resource: elasticIpOf(entry) })),
  ]);
  // The sort is stable, so entries of the same priority stay in the order of the configuration.
  const inOrder = [...named].sort((a, b) => a.entry.priority - b.entry.priority);
  return inOrder
    .map(({ entry, resource }, rank) => ({ ...resource, ...slotOf(entry), id: idOf(resource), rank }))
    .sort(inCanonicalOrder);
}

function slotOf(entry: AnyEntry): Pick<AwsTarget, 'deviceIndex' | 'networkCardIndex'> {
  return { deviceIndex: entry.instance_intf_number, networkCardIndex: entry.instance_card_number };
}
