/**
 * From the actions of the configuration to the targets of the plan, in the order that both routers have in common, each
 * with its place where not all can be moved at once.
 */
import type { AwsResource, AwsTarget } from '../aws/description';
import type { Slot } from '../core/state/plan';
import type { OpenstackResource, OpenstackTarget } from '../openstack/description';
import {
  addressOf,
  canonicalPlaceOf,
  elasticIpOf,
  extraRouteOf,
  fixedAddressOf,
  floatingIpOf,
  routeOf,
} from './kinds';
import type { Config } from './schema';

type Action = NonNullable<Config['action']>;
type Entries = Action['method_params'];
type AnyEntry = NonNullable<Entries[keyof Entries]> extends readonly (infer Entry)[] ? Entry : never;

/** The configuration, or one of its groups. */
type Written = Pick<Config, 'action' | 'actions'>;

function actionsOf({ action, actions }: Written): readonly Action[] {
  return actions ?? (action === undefined ? [] : [action]);
}

type Params = Action['method_params'];
type Named<R> = { readonly entry: AnyEntry; readonly resource: R };

/** In canonical order. */
export const awsTargetsOf = (written: Written): readonly AwsTarget[] =>
  placed(written, ({ intf_list, route_list, eip_list }): readonly Named<AwsResource>[] => [
    ...(intf_list ?? []).map((entry) => ({ entry, resource: addressOf(entry.secondary_ip) })),
    ...(route_list ?? []).map((entry) => ({ entry, resource: routeOf(entry) })),
    ...(eip_list ?? []).map((entry) => ({ entry, resource: elasticIpOf(entry) })),
  ]);

/** In canonical order. */
export const openstackTargetsOf = (written: Written): readonly OpenstackTarget[] =>
  placed(
    written,
    ({ intf_list, floating_ip_list, extra_route_list }): readonly Named<OpenstackResource>[] => [
      ...(intf_list ?? []).map((entry) => ({ entry, resource: fixedAddressOf(entry.secondary_ip) })),
      ...(floating_ip_list ?? []).map((entry) => ({ entry, resource: floatingIpOf(entry) })),
      ...(extra_route_list ?? []).map((entry) => ({ entry, resource: extraRouteOf(entry) })),
    ],
  );

function placed<R extends AwsResource | OpenstackResource>(
  written: Written,
  namedIn: (params: Params) => readonly Named<R>[],
) {
  const named = actionsOf(written).flatMap(({ method_params: params }) => namedIn(params));
  // The sort is stable, so entries of the same priority stay in the order of the configuration.
  const inOrder = [...named].sort((a, b) => a.entry.priority - b.entry.priority);
  return inOrder
    .map(({ entry, resource }, rank) => {
      const { key, id } = canonicalPlaceOf(resource);
      return { key, target: { ...resource, ...slotOf(entry), id, rank } };
    })
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ target }) => target);
}

function slotOf(entry: AnyEntry): Slot {
  const networkCardIndex = 'instance_card_number' in entry ? entry.instance_card_number : 0;
  return { deviceIndex: entry.instance_intf_number, networkCardIndex };
}
