/** A route of a route table that leads to an interface. */
import { CreateRouteCommand, ReplaceRouteCommand } from '@aws-sdk/client-ec2';
import { tableWords } from '../../config/kinds';
import type { AwsTarget, RouteTableName, TargetOf } from '../description';
import { destinationOf, moveRoute } from '../moves/routeTable';
import type { AwsKind, DryRunQuestion, DryRunTools, RefusalQuestion, Statement } from './kind';

type RouteTarget = TargetOf<'route'>;

export const route: AwsKind<'route'> = {
  readBy: 'DescribeRouteTables',
  forwards: true,
  provenBy: null,
  addressActions: [],
  neverProven: null,
  brings: () => null,
  move: moveRoute,
  firstAction: ({ allowReassignment }) => (allowReassignment ? 'ReplaceRoute' : 'CreateRoute'),
  problemOn: () => null,
  refusal: routeRefusal,
  statements: (targets, { arns, allow }) =>
    tablesByStatement(targets).map(({ sid, ids, condition }) => ({
      ...allow(sid, ['ReplaceRoute', 'CreateRoute'], arns('route-table', ids)),
      ...(condition === null ? {} : { Condition: { StringEquals: condition } }),
    })),
  dryRuns: routeDryRuns,
};

export const isRoute = (target: AwsTarget): target is RouteTarget => target.kind === 'route';

/** What stands for the table of a route that is known by a tag, where EC2 cannot be asked. */
export function assumedTable(target: AwsTarget | undefined): string | null {
  if (target === undefined || !isRoute(target) || 'id' in target.routeTable) return null;
  return `<${tableWords(target.routeTable)}>`;
}

function routeRefusal(
  { id, destination }: RouteTarget,
  { holder, place, shown }: RefusalQuestion,
): string | null {
  const vpc = shown.vpcs.get(id);
  if (vpc !== undefined && vpc !== place.vpcId)
    return `its route table is of ${vpc}, and ${place.networkInterfaceId} of ${place.vpcId}: name a table of that VPC, or an interface of this one`;
  if (destination.kind === 'prefixList' && holder?.kind === 'gateway' && holder.gatewayId.startsWith('vpce-'))
    return `it leads to the gateway endpoint ${holder.gatewayId}, and EC2 changes such a route with the endpoint alone: take the table from the endpoint, or let another destination float`;
  return null;
}

function routeDryRuns(
  target: RouteTarget,
  { networkInterfaceId: NetworkInterfaceId, tableOf }: DryRunTools,
): readonly DryRunQuestion[] {
  const RouteTableId = tableOf(target.id);
  if (RouteTableId === null) return [];
  const input = { RouteTableId, NetworkInterfaceId, ...destinationOf(target), DryRun: true };
  return [
    {
      action: 'ReplaceRoute',
      on: RouteTableId,
      command: (client, options) => client.send(new ReplaceRouteCommand(input), options),
    },
    {
      action: 'CreateRoute',
      on: RouteTableId,
      command: (client, options) => client.send(new CreateRouteCommand(input), options),
    },
  ];
}

type TablesOfStatement = {
  readonly sid: Statement['Sid'];
  readonly ids: readonly string[];
  readonly condition: { readonly [key: string]: readonly string[] } | null;
};

/** Tables by id in one statement, and one for each key of a tag: conditions of one statement all have to hold. */
function tablesByStatement(targets: readonly RouteTarget[]): readonly TablesOfStatement[] {
  const tables = targets.map(({ routeTable }) => routeTable);
  const ids = [...new Set(tables.flatMap((table) => ('id' in table ? [table.id] : [])))];
  const values = new Map<string, Set<string>>();
  for (const table of tables.filter(isTagged)) {
    const { key, value } = table.tag;
    values.set(key, (values.get(key) ?? new Set()).add(literal(value)));
  }
  return [
    ...(ids.length === 0 ? [] : [{ sid: 'MoveRoutes', ids, condition: null }]),
    ...[...values].map(([key, tagged], place) => ({
      sid: `MoveRoutesOfTaggedTables${place === 0 ? '' : place + 1}`,
      ids: [],
      condition: { [`ec2:ResourceTag/${key}`]: [...tagged] },
    })),
  ];
}

function isTagged(table: RouteTableName): table is Extract<RouteTableName, { readonly tag: object }> {
  return 'tag' in table;
}

/** IAM would take `${...}` for a variable. */
function literal(value: string): string {
  return value.split('${').join('${$}{');
}
