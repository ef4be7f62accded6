/**
 * From the actions of the configuration to the targets of the plan: ids, canonical values, the order that both
 * routers have in common and the order in which they are moved where not all can be at once.
 */
import type { Resource, RouteTableName, Target } from '../core/state/plan';
import { parseDestination } from './destinations';
import { ipv4Number } from './ipv4';
import { canonicalIpv6, ipv6Bytes } from './ipv6';
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

/** In canonical order: kind, then address as a number, then id. */
export function targetsOf(written: Written): readonly Target[] {
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

function slotOf(entry: AnyEntry): Pick<Target, 'deviceIndex' | 'networkCardIndex'> {
  return { deviceIndex: entry.instance_intf_number, networkCardIndex: entry.instance_card_number };
}

export function addressOf(written: string): Resource {
  const ipv6 = canonicalIpv6(written);
  return ipv6 === null
    ? { kind: 'privateAddress', address: written }
    : { kind: 'ipv6Address', address: ipv6 };
}

export function routeOf(entry: {
  readonly route_table_id?: string | undefined;
  readonly route_table_tag?: { readonly key: string; readonly value: string } | undefined;
  readonly destination: string;
}): Resource {
  const { route_table_id: id, route_table_tag: tag, destination: written } = entry;
  const destination = parseDestination(written);
  const routeTable: RouteTableName | null = id !== undefined ? { id } : tag !== undefined ? { tag } : null;
  // A configuration that was accepted has both.
  if (destination === null || routeTable === null)
    throw new Error(`a route without a destination or a table`);
  return { kind: 'route', routeTable, destination };
}

export function elasticIpOf(entry: {
  readonly allocation_id: string;
  readonly private_ip?: string | undefined;
}): Resource {
  return {
    kind: 'elasticIp',
    allocationId: entry.allocation_id,
    privateAddress: entry.private_ip ?? null,
  };
}

export function idOf(resource: Resource): string {
  switch (resource.kind) {
    case 'privateAddress':
    case 'ipv6Address':
      return resource.address;
    case 'route':
      return `${resource.destination.value} in ${tableWords(resource.routeTable)}`;
    case 'elasticIp':
      return resource.allocationId;
  }
}

export function tableWords(table: RouteTableName): string {
  return 'id' in table ? table.id : `the table tagged ${table.tag.key}=${table.tag.value}`;
}

const KINDS: readonly Target['kind'][] = ['privateAddress', 'ipv6Address', 'route', 'elasticIp'];

function inCanonicalOrder(a: Target, b: Target): number {
  const byKind = KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind);
  if (byKind !== 0) return byKind;
  const [one, other] = [sortKey(a), sortKey(b)];
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Texts of the same length for addresses, so that they sort as numbers. */
function sortKey(target: Target): string {
  switch (target.kind) {
    case 'privateAddress':
      return (ipv4Number(target.address) ?? 0).toString(16).padStart(8, '0');
    case 'ipv6Address':
      return ipv6Bytes(target.address)?.toString('hex') ?? '';
    case 'route':
    case 'elasticIp':
      return target.id;
  }
}
