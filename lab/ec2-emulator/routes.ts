/**
 * Routes: what the calls of the API do to them, with EC2's own refusals, as pure functions; and whether a
 * route is a black hole, which follows from its target at every look.
 */
import { canonicalDestination, literalDestination, sameDestination } from './destinations';
import type { Destination } from './destinations';
import { accepted, refused } from './ec2Error';
import type { Outcome } from './ec2Error';
import { findInstance, findInterface, subnetOf } from './model';
import type { Ec2Model, PrefixList, Route, RouteTable, RouteTarget, Tags } from './model';
import { unknownInterfaces, unknownRouteTables } from './unknownIds';

export interface RouteRequest {
  readonly routeTableId: string;
  readonly destination: Destination;
}
export interface InterfaceRouteRequest extends RouteRequest {
  readonly networkInterfaceId: string;
}

export const findRouteTable = (model: Ec2Model, id: string): RouteTable | undefined =>
  model.routeTables.find(({ routeTableId }) => routeTableId === id);

export const findPrefixList = (model: Ec2Model, id: string): PrefixList | undefined =>
  model.prefixLists.find(({ prefixListId }) => prefixListId === id);

/** Propagated routes are not the user's: they are neither replaced nor in the way of a static one. */
export const isStatic = ({ origin }: Route): boolean =>
  origin === 'CreateRoute' || origin === 'CreateRouteTable';

export const findStaticRoute = (table: RouteTable, destination: Destination): Route | undefined =>
  table.routes.find((route) => isStatic(route) && sameDestination(route.destination, destination));

/**
 * `blackhole` while the target is not available. Documented for a terminated instance and a deleted interface,
 * reported for a stopped instance; that one which is still stopping has not come to that is inferred.
 */
export function routeState(model: Ec2Model, { target }: Route): 'active' | 'blackhole' {
  if (target.kind !== 'networkInterface') return 'active';
  const attachment = findInterface(model, target.id)?.attachment;
  if (attachment?.status !== 'attached') return 'blackhole';
  switch (findInstance(model, attachment.instanceId)?.state) {
    case 'running':
    case 'stopping':
    case 'shutting-down':
      return 'active';
    case 'pending':
    case 'stopped':
    case 'terminated':
    case undefined:
      return 'blackhole';
  }
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html */
export function createRoute(model: Ec2Model, request: InterfaceRouteRequest): Outcome<Ec2Model> {
  const place = placeOf(model, request, canonicalDestination(request.destination));
  if (!place.ok) return place;
  const { table, destination } = place.value;
  const target = interfaceTarget(model, table, request.networkInterfaceId);
  if (!target.ok) return target;
  if (findStaticRoute(table, destination) !== undefined) {
    return refused('RouteAlreadyExists', `The route identified by ${destination.value} already exists.`);
  }
  const family = familyOf(model, destination);
  const used = table.routes
    .filter(({ origin }) => origin === 'CreateRoute')
    .filter((route) => familyOf(model, route.destination) === family)
    .reduce((sum, route) => sum + weightOf(model, route.destination), 0);
  const quota = model.settings.routesPerTable;
  if (used + weightOf(model, destination) > quota) {
    return refused(
      'RouteLimitExceeded',
      `The maximum number of routes of ${table.routeTableId} is ${quota}.`,
    );
  }
  return accepted(
    withRoutes(model, table, [...table.routes, { destination, target: target.value, origin: 'CreateRoute' }]),
  );
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceRoute.html */
export function replaceRoute(model: Ec2Model, request: InterfaceRouteRequest): Outcome<Ec2Model> {
  const place = placeOf(model, request, literalDestination(request.destination));
  if (!place.ok) return place;
  const { table, destination } = place.value;
  const target = interfaceTarget(model, table, request.networkInterfaceId);
  if (!target.ok) return target;
  const route = findStaticRoute(table, destination);
  if (route === undefined) return missingRoute(table, destination, model.settings.missingRouteCode);
  return accepted(
    withRoutes(
      model,
      table,
      table.routes.map((each) => (each === route ? { ...route, target: target.value } : each)),
    ),
  );
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteRoute.html */
export function deleteRoute(model: Ec2Model, request: RouteRequest): Outcome<Ec2Model> {
  const place = placeOf(model, request, literalDestination(request.destination));
  if (!place.ok) return place;
  const { table, destination } = place.value;
  const route = findStaticRoute(table, destination);
  if (route === undefined) return missingRoute(table, destination, 'InvalidRoute.NotFound');
  return accepted(
    withRoutes(
      model,
      table,
      table.routes.filter((each) => each !== route),
    ),
  );
}

/** An operator's hand: the route leads to any target from now on, whether it was there or not. */
export function setRoute(model: Ec2Model, request: RouteRequest, target: RouteTarget): Outcome<Ec2Model> {
  const place = placeOf(model, request, canonicalDestination(request.destination));
  if (!place.ok) return place;
  const { table, destination } = place.value;
  const existing = findStaticRoute(table, destination);
  const route: Route = { destination, target, origin: existing?.origin ?? 'CreateRoute' };
  return accepted(
    withRoutes(
      model,
      table,
      existing === undefined
        ? [...table.routes, route]
        : table.routes.map((each) => (each === existing ? route : each)),
    ),
  );
}

function placeOf(
  model: Ec2Model,
  { routeTableId, destination: asked }: RouteRequest,
  destination: Destination | undefined,
): Outcome<{ readonly table: RouteTable; readonly destination: Destination }> {
  const table = findRouteTable(model, routeTableId);
  if (table === undefined) return unknownRouteTables([routeTableId]);
  if (destination === undefined) {
    return refused('InvalidParameterValue', `Value (${asked.value}) for the destination is invalid.`);
  }
  if (destination.kind === 'prefixList' && findPrefixList(model, destination.value) === undefined) {
    return refused(
      'InvalidPrefixListID.NotFound',
      `The prefix list ID '${destination.value}' does not exist`,
    );
  }
  return accepted({ table, destination });
}

function interfaceTarget(
  model: Ec2Model,
  { routeTableId, vpcId }: RouteTable,
  networkInterfaceId: string,
): Outcome<RouteTarget> {
  const eni = findInterface(model, networkInterfaceId);
  if (eni === undefined) return unknownInterfaces([networkInterfaceId]);
  return subnetOf(model, eni).vpcId === vpcId
    ? accepted({ kind: 'networkInterface', id: networkInterfaceId })
    : refused(
        'InvalidParameterValue',
        `route table ${routeTableId} and interface ${networkInterfaceId} belong to different networks`,
      );
}

/** EC2's words for ReplaceRoute are those that users of it quote. */
const missingRoute = (
  { routeTableId }: RouteTable,
  { value }: Destination,
  code: Ec2Model['settings']['missingRouteCode'],
) =>
  refused(
    code,
    code === 'InvalidParameterValue'
      ? `There is no route defined for '${value}' in the route table. Use CreateRoute instead.`
      : `no route with destination ${value} in route table ${routeTableId}`,
  );

const familyOf = (model: Ec2Model, { kind, value }: Destination): 'ipv4' | 'ipv6' =>
  kind === 'prefixList' ? (findPrefixList(model, value)?.family ?? 'ipv4') : kind;

const weightOf = (model: Ec2Model, { kind, value }: Destination): number =>
  kind === 'prefixList' ? (findPrefixList(model, value)?.maxEntries ?? 1) : 1;

function withRoutes(model: Ec2Model, table: RouteTable, routes: readonly Route[]): Ec2Model {
  const routeTables = model.routeTables.map((each) => (each === table ? { ...table, routes } : each));
  return { ...model, routeTables };
}

/** Tags of an operator; a table that is not there is made in the region's first VPC, with the local route alone. */
export function tagRouteTable(model: Ec2Model, routeTableId: string, tags: Tags): Outcome<Ec2Model> {
  const [subnet] = model.subnets;
  if (findRouteTable(model, routeTableId) !== undefined) {
    const routeTables = model.routeTables.map((table) =>
      table.routeTableId === routeTableId ? { ...table, tags } : table,
    );
    return accepted({ ...model, routeTables });
  }
  if (subnet === undefined) return refused('InvalidVpcID.NotFound', 'There is no VPC.');
  const made = { routeTableId, vpcId: subnet.vpcId, tags, subnetIds: [], main: false, routes: [] };
  return accepted({ ...model, routeTables: [...model.routeTables, made] });
}
