/**
 * How each kind of target is written in the configuration, and where it stands in the order that both routers have in
 * common: one row a kind, which the compiler demands.
 */
import type { AwsResource, AwsTarget, Kind, RouteTableName, TargetOf } from '../aws/description';
import { parseDestination } from './destinations';
import { ipv4Number } from './ipv4';
import { canonicalIpv6, ipv6Bytes } from './ipv6';

type ResourceOf<K extends Kind> = Extract<AwsResource, { readonly kind: K }>;

type WrittenKind<K extends Kind> = {
  /** The place of its entries, as reports name it. */
  readonly list: string;
  id(resource: ResourceOf<K>): string;
  /** Texts of the same length for addresses, so that they sort as numbers. */
  sortKey(target: TargetOf<K>): string;
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
};

const ORDER = Object.keys(KINDS);
const of = <K extends Kind>({ kind }: { readonly kind: K }): WrittenKind<K> => KINDS[kind];

export const listOf = (target: AwsTarget): string => of(target).list;
export const idOf = (resource: AwsResource): string => of(resource).id(resource);

/** Kind, then address as a number, then id. */
export function inCanonicalOrder(a: AwsTarget, b: AwsTarget): number {
  const byKind = ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind);
  if (byKind !== 0) return byKind;
  const [one, other] = [of(a).sortKey(a), of(b).sortKey(b)];
  return one < other ? -1 : one > other ? 1 : 0;
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

export function tableWords(table: RouteTableName): string {
  return 'id' in table ? table.id : `the table tagged ${table.tag.key}=${table.tag.value}`;
}
