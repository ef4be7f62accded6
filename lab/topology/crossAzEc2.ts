/** What EC2 has of the lab across two zones at its start: the plan of crossAz.ts as a region. */
import type { DestinationKind } from '../ec2-emulator/destinations';
import type {
  Ec2Region,
  ElasticIp,
  NetworkInterface,
  Route,
  RouteTable,
  RouteTarget,
} from '../ec2-emulator/model';
import { INSIDE, MOST_ROUTES, OUTSIDE, PREFIX_LIST, movingTables, subnetNumber } from './crossAz';
import type { CrossAzInterface, CrossAzPlan } from './crossAz';
import { routerNames, type RouterName } from './plan';
import type { ElasticIpPlan } from './targets';

const zoneIds = { rtr1: 'usw2-az1', rtr2: 'usw2-az2' } as const;

/** `owner` has every route and Elastic IP; where it is null, there is no such route and they are free. */
export function crossAzRegion(plan: CrossAzPlan, owner: RouterName | null): Ec2Region {
  return {
    region: plan.region,
    accountId: '123456789012',
    subnets: plan.interfaces.flatMap((each) =>
      routerNames.map((name) => ({
        subnetId: each.subnetId[name],
        vpcId: plan.vpcId,
        cidrBlock: each.cidrBlock[name],
        ipv6CidrBlock: each.ipv6CidrBlock[name],
        availabilityZone: plan.availabilityZone[name],
        availabilityZoneId: zoneIds[name],
      })),
    ),
    instances: routerNames.map((name) => ({
      instanceId: plan.instanceId[name],
      instanceType: 'm5.24xlarge',
      availabilityZone: plan.availabilityZone[name],
      state: 'running',
      instanceStatus: 'ok',
      systemStatus: 'ok',
    })),
    networkInterfaces: routerNames.flatMap((name) =>
      plan.interfaces.map((each) => networkInterface(plan, name, each)),
    ),
    prefixLists: [PREFIX_LIST],
    routeTables: movingTables.map((table) => routeTable(plan, table, owner)),
    elasticIps: plan.elasticIps.map((eip) => elasticIp(plan, eip, owner)),
    settings: { routesPerTable: MOST_ROUTES, missingRouteCode: 'InvalidParameterValue' },
  };
}

function networkInterface(plan: CrossAzPlan, name: RouterName, each: CrossAzInterface): NetworkInterface {
  const id = each.networkInterfaceId[name];
  const { deviceIndex } = each;
  return {
    networkInterfaceId: id,
    subnetId: each.subnetId[name],
    macAddress: `02:d9:1c:3f:00:${subnetNumber(name, deviceIndex)}`,
    primaryIp: each.primaryAddress[name],
    // What the Elastic IPs beyond the first are for: both routers have an address ready for each.
    secondaryIps: plan.elasticIps.flatMap((eip) =>
      eip.deviceIndex === deviceIndex && eip.privateIp !== null ? [eip.privateIp[name]] : [],
    ),
    sourceDestCheck: false,
    attachment: {
      attachmentId: id.replace('eni-', 'eni-attach-'),
      instanceId: plan.instanceId[name],
      deviceIndex,
      networkCardIndex: 0,
      status: 'attached',
      deleteOnTermination: deviceIndex === 0,
    },
  };
}

/** What moves, among routes that do not. */
function routeTable(
  plan: CrossAzPlan,
  { routeTableId, tags }: (typeof movingTables)[number],
  owner: RouterName | null,
): RouteTable {
  const inside = plan.interfaces[INSIDE]?.networkInterfaceId;
  const moving =
    owner === null || inside === undefined
      ? []
      : plan.routes
          .filter((each) => each.routeTableId === routeTableId)
          .map(({ destination }): Route => {
            const target: RouteTarget = { kind: 'networkInterface', id: inside[owner] };
            return { destination, target, origin: 'CreateRoute' };
          });
  return {
    routeTableId,
    vpcId: plan.vpcId,
    tags,
    subnetIds: [],
    main: routeTableId === movingTables[0].routeTableId,
    routes: [
      standing('ipv4', '10.20.0.0/16', { kind: 'local' }),
      standing('ipv6', '2001:db8:20::/56', { kind: 'local' }),
      standing('ipv4', '0.0.0.0/0', { kind: 'natGateway', id: 'nat-0d91c3f7a25b84e01' }),
      standing('ipv6', '::/0', { kind: 'gateway', id: 'igw-0d91c3f7a25b84e02' }),
      standing('ipv4', '10.30.0.0/16', { kind: 'transitGateway', id: 'tgw-0d91c3f7a25b84e03' }),
      ...moving,
    ],
  };
}

const standing = (kind: DestinationKind, value: string, target: RouteTarget): Route => ({
  destination: { kind, value },
  target,
  origin: target.kind === 'local' ? 'CreateRouteTable' : 'CreateRoute',
});

function elasticIp(plan: CrossAzPlan, eip: ElasticIpPlan, owner: RouterName | null): ElasticIp {
  const outside = plan.interfaces[OUTSIDE];
  const { allocationId, publicIp, privateIp } = eip;
  const association =
    owner === null || outside === undefined
      ? null
      : {
          associationId: allocationId.replace('eipalloc-', 'eipassoc-'),
          networkInterfaceId: outside.networkInterfaceId[owner],
          privateIp: (privateIp ?? outside.primaryAddress)[owner],
        };
  return { allocationId, publicIp, tags: {}, association };
}
