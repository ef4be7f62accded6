/** The actions on route tables and their routes: parameters in, XML out. What they do is in routes.ts. */
import { dryRun, missingParameter, read } from './actionRequest';
import type { ActionRequest, ActionTable, Answer } from './actionRequest';
import type { Destination } from './destinations';
import { describePage, pageAnswer, tagSet } from './describe';
import type { FilterTable } from './describe';
import { accepted, refused } from './ec2Error';
import type { Outcome } from './ec2Error';
import { findInterface } from './model';
import type { Ec2Model, Route, RouteTable } from './model';
import { element, itemSet, listParam } from './queryProtocol';
import type { QueryParams, XmlElement } from './queryProtocol';
import { createRoute, deleteRoute, replaceRoute, routeState } from './routes';
import type { RouteRequest } from './routes';
import { unknownRouteTables } from './unknownIds';

const DESTINATIONS = {
  DestinationCidrBlock: 'ipv4',
  DestinationIpv6CidrBlock: 'ipv6',
  DestinationPrefixListId: 'prefixList',
} as const;

/** Of these the emulator routes to interfaces only; to the others an operator of the lab may point a route. */
const TARGETS = [
  'NetworkInterfaceId',
  'InstanceId',
  'GatewayId',
  'NatGatewayId',
  'TransitGatewayId',
  'LocalGatewayId',
  'CarrierGatewayId',
  'EgressOnlyInternetGatewayId',
  'VpcPeeringConnectionId',
  'VpcEndpointId',
  'CoreNetworkArn',
] as const;

const where = ['RouteTableId', 'DryRun', ...Object.keys(DESTINATIONS)];

export const routeActions: ActionTable = {
  DescribeRouteTables: read(['RouteTableId', 'MaxResults', 'NextToken'], describeRouteTables),
  CreateRoute: { parameters: [...where, ...TARGETS], run: (request) => toInterface(request, createRoute) },
  ReplaceRoute: {
    parameters: [...where, ...TARGETS, 'LocalTarget'],
    run: (request) => toInterface(request, replaceRoute),
  },
  DeleteRoute: { parameters: where, run: remove },
};

function toInterface(request: ActionRequest, change: typeof createRoute): Answer {
  const { params, world, origin, action } = request;
  const route = routeOf(params);
  if (!route.ok) return route;
  const targets = [...TARGETS, 'LocalTarget'].filter((name) => params.has(name));
  const [target] = targets;
  if (target === undefined || targets.length > 1) {
    return target === undefined
      ? refused('MissingParameter', 'The request must contain exactly one target of the route')
      : refused('InvalidParameterCombination', `A route has one target, not ${targets.join(' and ')}.`);
  }
  if (target !== 'NetworkInterfaceId') {
    return refused('UnsupportedOperation', `This emulator routes to interfaces only, not to a ${target}.`);
  }
  const dry = dryRun(params);
  if (dry !== undefined) return dry;
  const networkInterfaceId = params.get('NetworkInterfaceId') ?? '';
  const done = world.commit(change(world.model, { ...route.value, networkInterfaceId }), origin);
  if (!done.ok) return done;
  // Only the answer to CreateRoute is documented to have a `return`.
  return accepted(action === 'CreateRoute' ? [element('return', true)] : []);
}

function remove({ params, world, origin }: ActionRequest): Answer {
  const route = routeOf(params);
  if (!route.ok) return route;
  const dry = dryRun(params);
  if (dry !== undefined) return dry;
  const done = world.commit(deleteRoute(world.model, route.value), origin);
  return done.ok ? accepted([]) : done;
}

function routeOf(params: QueryParams): Outcome<RouteRequest> {
  const missing = missingParameter(params, ['RouteTableId']);
  if (missing !== undefined) return missing;
  const [destination, ...more] = Object.entries(DESTINATIONS).flatMap(([name, kind]): Destination[] => {
    const value = params.get(name);
    return value === undefined ? [] : [{ kind, value }];
  });
  if (destination === undefined) {
    return refused('MissingParameter', 'The request must contain the parameter destinationCidrBlock');
  }
  if (more.length > 0) {
    return refused('InvalidParameterCombination', 'A route has one destination, of one kind.');
  }
  return accepted({ routeTableId: params.get('RouteTableId') ?? '', destination });
}

const valuesOf = (table: RouteTable, kind: Destination['kind']): readonly string[] =>
  table.routes.flatMap(({ destination }) => (destination.kind === kind ? [destination.value] : []));

/** There is none for the interface that a route leads to. */
const tableFilters = (model: Ec2Model): FilterTable<RouteTable> => ({
  'route-table-id': (table) => [table.routeTableId],
  'vpc-id': (table) => [table.vpcId],
  'owner-id': () => [model.accountId],
  'association.subnet-id': (table) => table.subnetIds,
  'association.main': (table) => [table.main],
  'route.destination-cidr-block': (table) => valuesOf(table, 'ipv4'),
  'route.destination-ipv6-cidr-block': (table) => valuesOf(table, 'ipv6'),
  'route.destination-prefix-list-id': (table) => valuesOf(table, 'prefixList'),
  'route.state': (table) => table.routes.map((route) => routeState(model, route)),
  'route.origin': (table) => table.routes.map(({ origin }) => origin),
  'route.instance-id': (table) => table.routes.flatMap((route) => instanceOf(model, route) ?? []),
});

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRouteTables.html */
function describeRouteTables(model: Ec2Model, params: QueryParams): Answer {
  const page = describePage(params, {
    resources: model.routeTables,
    filters: tableFilters(model),
    tagsOf: ({ tags }) => tags,
    maxPage: 100,
    requestedIds: listParam(params, 'RouteTableId'),
    idOf: ({ routeTableId }) => routeTableId,
    unknownIds: unknownRouteTables,
  });
  return pageAnswer(page, 'routeTableSet', (table) => [
    element('routeTableId', table.routeTableId),
    element('vpcId', table.vpcId),
    element('ownerId', model.accountId),
    itemSet(
      'routeSet',
      table.routes.map((route) => routeXml(model, route)),
    ),
    itemSet('associationSet', associationsXml(table)),
    element('propagatingVgwSet', []),
    tagSet(table.tags),
  ]);
}

function associationsXml({ routeTableId, subnetIds, main }: RouteTable): readonly (readonly XmlElement[])[] {
  const association = (id: string, more: readonly XmlElement[]) => [
    element('routeTableAssociationId', id.replace(/^[a-z]+-/, 'rtbassoc-')),
    element('routeTableId', routeTableId),
    ...more,
    element('associationState', [element('state', 'associated')]),
  ];
  return [
    ...(main ? [association(routeTableId, [element('main', true)])] : []),
    ...subnetIds.map((id) => association(id, [element('subnetId', id), element('main', false)])),
  ];
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html */
const routeXml = (model: Ec2Model, route: Route): readonly XmlElement[] => [
  destinationXml(route.destination),
  ...targetXml(model, route),
  element('origin', route.origin),
  element('state', routeState(model, route)),
];

function destinationXml({ kind, value }: Destination): XmlElement {
  switch (kind) {
    case 'ipv4':
      return element('destinationCidrBlock', value);
    case 'ipv6':
      return element('destinationIpv6CidrBlock', value);
    case 'prefixList':
      return element('destinationPrefixListId', value);
  }
}

/** A route to an interface names its instance, too; while the interface has one, that is (inferred). */
function targetXml(model: Ec2Model, route: Route): readonly XmlElement[] {
  const { target } = route;
  switch (target.kind) {
    case 'local':
      return [element('gatewayId', 'local')];
    case 'gateway':
    case 'natGateway':
    case 'transitGateway':
      return [element(`${target.kind}Id`, target.id)];
    case 'networkInterface': {
      const instanceId = instanceOf(model, route);
      return [
        element('networkInterfaceId', target.id),
        ...(instanceId === undefined
          ? []
          : [element('instanceId', instanceId), element('instanceOwnerId', model.accountId)]),
      ];
    }
  }
}

const instanceOf = (model: Ec2Model, { target }: Route): string | undefined =>
  target.kind === 'networkInterface' ? findInterface(model, target.id)?.attachment?.instanceId : undefined;
