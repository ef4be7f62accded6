/**
 * Who holds the routes: DescribeRouteTables by id and by tag, and from its answer a holder for each route of the
 * plan. A route that is not there has none; one that leads to a gateway has a foreign one. Routes that EC2 has from
 * elsewhere (propagated, advertised) cannot be replaced and do not count: a static one stands beside them.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRouteTables.html
 */
import { DescribeRouteTablesCommand } from '@aws-sdk/client-ec2';
import { parseDestination } from '../../config/destinations';
import { tableWords } from '../../config/kinds';
import type { Holder } from '../../core/state/readings';
import type { Destination, TargetOf } from '../description';
import { field, INSTANCE_ID, Malformed, NETWORK_INTERFACE_ID, optionalText, text, VPC_ID } from './answer';
import type { Ask } from '../transport/ec2';
import { attachmentShown, type KnownInterfaces } from './observation';
import { allPages, cut, joined, type Pages } from './pages';
import type { TagConflict } from './tagConflicts';

export type RouteTarget = TargetOf<'route'>;

/** A table may have a thousand routes of 300 bytes each, and an answer 4 MB. */
const TABLES_PER_CALL = 10;
/** EC2's limit of filter values in one call. */
const TAG_VALUES_PER_CALL = 10;
const PAGE_SIZE = 100;
const ROUTE_TABLE_ID = /^rtb-[0-9a-f]{8,17}$/;
/** What a route may lead to, beside an interface. */
export const GATEWAYS = [
  'GatewayId',
  'NatGatewayId',
  'TransitGatewayId',
  'VpcPeeringConnectionId',
  'LocalGatewayId',
  'CarrierGatewayId',
  'EgressOnlyInternetGatewayId',
  'CoreNetworkArn',
  'OdbNetworkArn',
] as const;
const GATEWAY = /^[\w:./-]{1,256}$/;
/** The origins of routes that no static route replaces. */
export const FROM_ELSEWHERE: readonly unknown[] = ['EnableVgwRoutePropagation', 'Advertisement'];

/** The table in which a route was last seen, by target id. */
export type TableOf = (targetId: string) => string | null;

/** A table that has lost its tag is asked about by its id, so that what it has is still seen. */
export async function describeRouteTables({
  targets,
  vpcIds,
  call,
  tableOf,
}: {
  readonly targets: readonly RouteTarget[];
  readonly vpcIds: readonly string[];
  readonly call: Ask;
  readonly tableOf: TableOf;
}): Promise<Pages> {
  const asked = await describeBy(filtersFor(targets), vpcIds, call);
  if (!asked.ok) return asked;
  const shown = new Set(asked.members.map((member) => field(member, 'RouteTableId')));
  const remembered = targets.flatMap(({ id, routeTable }) => ('id' in routeTable ? [] : (tableOf(id) ?? [])));
  const gone = [...new Set(remembered)].filter((id) => !shown.has(id));
  if (gone.length === 0) return asked;
  return joined([asked, await describeBy(filtersOfIds(gone), vpcIds, call)]);
}

type Filter = { Name: string; Values: string[] };

async function describeBy(filters: readonly Filter[], vpcIds: readonly string[], call: Ask): Promise<Pages> {
  const inVpc = { Name: 'vpc-id', Values: [...vpcIds] };
  return joined(
    await Promise.all(
      filters.map((filter) =>
        allPages(async (token) => {
          const input = { Filters: [filter, inVpc], MaxResults: PAGE_SIZE, ...token };
          const result = await call('DescribeRouteTables', (client, options) =>
            client.send(new DescribeRouteTablesCommand(input), options),
          );
          if (!result.ok) return result;
          return { ok: true, members: result.output.RouteTables, next: result.output.NextToken };
        }),
      ),
    ),
  );
}

/** Tags of the same key can be asked for together. */
function filtersFor(targets: readonly RouteTarget[]): readonly Filter[] {
  const ids = new Set<string>();
  const valuesByKey = new Map<string, Set<string>>();
  for (const { routeTable } of targets) {
    if ('id' in routeTable) ids.add(routeTable.id);
    else {
      const { key, value } = routeTable.tag;
      valuesByKey.set(key, (valuesByKey.get(key) ?? new Set()).add(value));
    }
  }
  return [
    ...filtersOfIds([...ids]),
    ...[...valuesByKey].flatMap(([key, values]) =>
      cut([...values], TAG_VALUES_PER_CALL).map((Values) => ({ Name: `tag:${key}`, Values })),
    ),
  ];
}

const filtersOfIds = (ids: readonly string[]): readonly Filter[] =>
  cut(ids, TABLES_PER_CALL).map((Values) => ({ Name: 'route-table-id', Values }));

export type RoutesReading = {
  /** Absent: it is not known which table is meant. */
  readonly holders: { readonly [id: string]: Holder | null };
  /** The table of each target, by target id; absent where EC2 shows none, or several. */
  readonly tables: ReadonlyMap<string, string>;
  /** The VPC of that table, by target id. */
  readonly vpcs: ReadonlyMap<string, string>;
  /** What the configuration names and this VPC does not have, a sentence each. */
  readonly mistakes: readonly string[];
  readonly conflicts: readonly TagConflict[];
};

type Table = {
  readonly routeTableId: string;
  readonly vpcId: string;
  readonly tags: readonly unknown[];
  /** The static ones, by kind and destination. */
  readonly routes: ReadonlyMap<string, readonly unknown[]>;
};

/** @throws Malformed */
export function readRoutes(
  targets: readonly RouteTarget[],
  answered: readonly unknown[],
  known: KnownInterfaces,
  tableOf: TableOf = () => null,
): RoutesReading {
  const all = new Map(answered.map((member) => readTable(member, known)).map((t) => [t.routeTableId, t]));
  const asked = new Map<string, readonly Table[]>();
  const holders: { [id: string]: Holder | null } = {};
  const tables = new Map<string, string>();
  const vpcs = new Map<string, string>();
  const mistakes = new Set<string>();
  const conflicts = new Map<string, TagConflict>();
  for (const target of targets) {
    const words = tableWords(target.routeTable);
    const found = asked.get(words) ?? tablesOf(target, [...all.values()]);
    asked.set(words, found);
    // Where the tag does not name one table, the one that it has named before stays.
    const remembered = 'id' in target.routeTable ? undefined : all.get(tableOf(target.id) ?? '');
    const table = found.length === 1 ? found[0] : remembered;
    if (found.length > 1 || (found.length === 0 && remembered !== undefined))
      conflicts.set(words, {
        words,
        tables: found.map(({ routeTableId }) => routeTableId),
        used: remembered?.routeTableId ?? null,
      });
    if (found.length === 0 && remembered === undefined) {
      holders[target.id] = null;
      mistakes.add(`route_list (${target.id}): this VPC has no ${nounOf(words)}.`);
    }
    if (table === undefined) continue;
    tables.set(target.id, table.routeTableId);
    vpcs.set(target.id, table.vpcId);
    holders[target.id] = holderIn(target, table, known);
  }
  return { holders, tables, vpcs, mistakes: [...mistakes], conflicts: [...conflicts.values()] };
}

const nounOf = (words: string): string =>
  words.startsWith('the ') ? words.slice('the '.length) : `route table ${words}`;

function tablesOf({ routeTable }: RouteTarget, all: readonly Table[]): readonly Table[] {
  return all.filter(({ routeTableId, tags }) =>
    'id' in routeTable
      ? routeTableId === routeTable.id
      : tags.some(
          (tag) => field(tag, 'Key') === routeTable.tag.key && field(tag, 'Value') === routeTable.tag.value,
        ),
  );
}

function readTable(member: unknown, { vpcIds }: KnownInterfaces): Table {
  const routeTableId = text(member, 'RouteTableId', ROUTE_TABLE_ID, 'a route table');
  const vpcId = text(member, 'VpcId', VPC_ID, routeTableId);
  if (!vpcIds.includes(vpcId)) throw new Malformed(`${routeTableId} of ${vpcId} was not asked about`);
  const routes = field(member, 'Routes');
  if (!Array.isArray(routes)) throw new Malformed(`${routeTableId} has no list of routes`);
  const tags: unknown = field(member, 'Tags') ?? [];
  if (!Array.isArray(tags)) throw new Malformed(`${routeTableId} has no list of tags`);
  return { routeTableId, vpcId, tags, routes: byDestination(routes) };
}

/** The route of exactly this destination, of exactly its kind. */
function holderIn(
  target: RouteTarget,
  { routeTableId, routes }: Table,
  known: KnownInterfaces,
): Holder | null {
  const name = `${target.destination.value} in ${routeTableId}`;
  const [route, ...others] = routes.get(keyOf(target.destination)) ?? [];
  if (others.length > 0) throw new Malformed(`${name} is there twice`);
  return route === undefined ? null : readHolder(target, route, name, known);
}

const KEYS = {
  ipv4: 'DestinationCidrBlock',
  ipv6: 'DestinationIpv6CidrBlock',
  prefixList: 'DestinationPrefixListId',
} as const;

const keyOf = ({ kind, value }: Destination): string => `${kind} ${value}`;

/** Each is read once: a table may have a thousand, and so may the plan. */
function byDestination(routes: readonly unknown[]): ReadonlyMap<string, readonly unknown[]> {
  const found = new Map<string, unknown[]>();
  for (const route of routes) {
    if (FROM_ELSEWHERE.includes(field(route, 'Origin'))) continue;
    for (const [kind, key] of Object.entries(KEYS)) {
      const written = field(route, key);
      const destination = typeof written === 'string' ? parseDestination(written) : null;
      if (destination?.kind !== kind) continue;
      found.set(keyOf(destination), [...(found.get(keyOf(destination)) ?? []), route]);
    }
  }
  return found;
}

function readHolder(target: RouteTarget, route: unknown, name: string, known: KnownInterfaces): Holder {
  const blackhole = text(route, 'State', /^[a-z-]{1,40}$/, name) === 'blackhole';
  const state = blackhole ? { blackhole: true as const } : {};
  const networkInterfaceId = optionalText(route, 'NetworkInterfaceId', NETWORK_INTERFACE_ID, name);
  if (networkInterfaceId === null) {
    const gateway = GATEWAYS.map((key) => optionalText(route, key, GATEWAY, name)).find((id) => id !== null);
    if (gateway !== undefined) return { kind: 'gateway', gatewayId: gateway, mine: false, ...state };
    // EC2 shows a route whose interface is gone with its id; should it not, this says as much.
    if (blackhole) return { kind: 'nowhere', mine: false, blackhole };
    throw new Malformed(`${name} leads to nothing that is known`);
  }
  const shown = optionalText(route, 'InstanceId', INSTANCE_ID, name);
  return {
    kind: 'interface',
    networkInterfaceId,
    attachment:
      known.attachmentOf(networkInterfaceId) ??
      (blackhole && shown === null ? { to: 'nothing' } : attachmentShown(shown)),
    mine: known.placeOf(target)?.networkInterfaceId === networkInterfaceId,
    ...state,
  };
}
