/**
 * How each kind of target is written in the configuration, and where it stands in the order that both routers have in
 * common: one row a kind, which the compiler demands.
 */
import type { AwsResource, RouteTableName } from '../aws/description';
import type { Target } from '../core/state/plan';
import type { OpenstackResource } from '../openstack/description';
import { parseDestination } from './destinations';
import { ipv4Number } from './ipv4';
import { canonicalIpv6, ipv6Bytes } from './ipv6';

/** What moves, of any cloud. */
type Resource = AwsResource | OpenstackResource;
type Kind = Resource['kind'];
type ResourceOf<K extends Kind> = Extract<Resource, { readonly kind: K }>;
type IdentifiedOf<K extends Kind> = ResourceOf<K> & { readonly id: string };
export type AnyTarget = Target & Resource;

type WrittenKind<K extends Kind> = {
  /** The place of its entries, as reports name it. */
  readonly list: string;
  id(resource: ResourceOf<K>): string;
  /** Texts of the same length for addresses, so that they sort as numbers. */
  sortKey(target: IdentifiedOf<K>): string;
};

/** In canonical order. */
const KINDS: { readonly [K in Kind]: WrittenKind<K> } = {
  privateAddress: {
    list: 'config.action.method_params.intf_list',
    id: ({ address }) => address,
    sortKey: ({ address }) => (ipv4Number(address) ?? 0).toString(16).padStart(8, '0'),
  },
  ipv6Address: {
    list: 'config.action.method_params.intf_list',
    id: ({ address }) => address,
    sortKey: ({ address }) => ipv6Bytes(address)?.toString('hex') ?? '',
  },
  route: {
    list: 'route_list',
    id: ({ destination, routeTable }) => `${destination.value} in ${tableWords(routeTable)}`,
    sortKey: ({ id }) => id,
  },
  elasticIp: {
    list: 'eip_list',
    id: ({ allocationId }) => allocationId,
    sortKey: ({ id }) => id,
  },
  fixedAddress: {
    list: 'config.action.method_params.intf_list',
    id: ({ address }) => address,
    sortKey: ({ address }) => sortKeyOf(address),
  },
  floatingIp: {
    list: 'floating_ip_list',
    id: ({ floatingIp }) => floatingIp,
    sortKey: ({ floatingIp }) => sortKeyOf(floatingIp),
  },
  extraRoute: {
    list: 'extra_route_list',
    id: ({ destination, routerId }) => `${destination} in ${routerId}`,
    sortKey: ({ id }) => id,
  },
};

function sortKeyOf(address: string): string {
  return ipv6Bytes(address)?.toString('hex') ?? (ipv4Number(address) ?? 0).toString(16).padStart(8, '0');
}

const ORDER = Object.keys(KINDS);
const of = <K extends Kind>({ kind }: { readonly kind: K }): WrittenKind<K> => KINDS[kind];

export const listOf = (target: AnyTarget): string => of(target).list;
export const idOf = (resource: Resource): string => of(resource).id(resource);

/** By which targets are ordered (kind, then address as a number, then id), and the id. */
export function canonicalPlaceOf(resource: Resource): { readonly key: string; readonly id: string } {
  const id = idOf(resource);
  const rank = String(ORDER.indexOf(resource.kind)).padStart(2, '0');
  return { key: `${rank} ${of(resource).sortKey({ ...resource, id })}`, id };
}

export function addressOf(written: string): AwsResource {
  const ipv6 = canonicalIpv6(written);
  return ipv6 === null
    ? { kind: 'privateAddress', address: written }
    : { kind: 'ipv6Address', address: ipv6 };
}

export function routeOf(entry: {
  readonly route_table_id?: string | undefined;
  readonly route_table_tag?: { readonly key: string; readonly value: string } | undefined;
  readonly destination: string;
}): AwsResource {
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
}): AwsResource {
  return {
    kind: 'elasticIp',
    allocationId: entry.allocation_id,
    privateAddress: entry.private_ip ?? null,
  };
}

export function fixedAddressOf(written: string): OpenstackResource {
  return { kind: 'fixedAddress', address: canonicalIpv6(written) ?? written };
}

export function floatingIpOf(entry: {
  readonly floating_ip: string;
  readonly private_ip?: string | undefined;
}): OpenstackResource {
  return { kind: 'floatingIp', floatingIp: entry.floating_ip, privateAddress: entry.private_ip ?? null };
}

export function extraRouteOf(entry: {
  readonly router_id: string;
  readonly destination: string;
  readonly next_hop?: string | undefined;
}): OpenstackResource {
  const destination = parseDestination(entry.destination)?.value;
  // A configuration that was accepted has one.
  if (destination === undefined) throw new Error('a route without a destination');
  return { kind: 'extraRoute', routerId: entry.router_id, destination, nextHop: entry.next_hop ?? null };
}

export function tableWords(table: RouteTableName): string {
  return 'id' in table ? table.id : `the table tagged ${table.tag.key}=${table.tag.value}`;
}
