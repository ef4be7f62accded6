/** What moves, in the demo's words: how it is called, which requests move it, and how many of them it takes. */
import type { LoggedRequest } from '../ec2-emulator/requestLog';
import { movingTables } from '../topology/crossAz';
import type { AnyLab } from '../topology/topology';
import type { LabPlan, RouterName } from '../topology/plan';
import type { TargetPlan } from '../topology/targets';

export type MovingAction = 'AssignPrivateIpAddresses' | 'ReplaceRoute' | 'AssociateAddress';

function actionFor({ kind }: TargetPlan): MovingAction {
  switch (kind) {
    case 'secondaryAddress':
      return 'AssignPrivateIpAddresses';
    case 'route':
      return 'ReplaceRoute';
    case 'elasticIp':
      return 'AssociateAddress';
  }
}

/** The action of each write that moves everything once; the addresses of an interface move in one. */
export function writesToMove({ targets }: LabPlan): readonly MovingAction[] {
  const writes = targets.map((target) =>
    target.kind === 'secondaryAddress'
      ? ([`interface ${target.deviceIndex}`, actionFor(target)] as const)
      : ([target, actionFor(target)] as const),
  );
  return [...new Map<unknown, MovingAction>(writes).values()];
}

/** `2 interfaces`, or `6 routes, 1 Elastic IP`. */
export function countWords({ targets }: LabPlan): string {
  const interfaces = targets.flatMap((each) => (each.kind === 'secondaryAddress' ? [each.deviceIndex] : []));
  return [
    counted(new Set(interfaces).size, 'interface'),
    counted(targets.filter(({ kind }) => kind === 'route').length, 'route'),
    counted(targets.filter(({ kind }) => kind === 'elasticIp').length, 'Elastic IP'),
  ]
    .filter((words) => words !== null)
    .join(', ');
}

const counted = (count: number, what: string): string | null =>
  count === 0 ? null : `${count} ${what}${count === 1 ? '' : 's'}`;

/** A table has the name of its tag here: its id is too long for the picture. */
const tableName = (routeTableId: string): string =>
  movingTables.find((table) => table.routeTableId === routeTableId)?.tags.ha ?? routeTableId;

export function targetWords(target: TargetPlan): string {
  switch (target.kind) {
    case 'secondaryAddress':
      return target.address;
    case 'route':
      return `${target.destination.value} (${tableName(target.routeTableId)})`;
    case 'elasticIp':
      return target.publicIp;
  }
}

/** How one says that the router has it now. */
export function hasItWords(target: TargetPlan, router: RouterName): string {
  return target.kind === 'route'
    ? `${targetWords(target)} leads to ${router} now`
    : `${targetWords(target)} is on ${router} now`;
}

/** What a router has: all by name where there are few, else counted. */
export function heldWords(lab: AnyLab, name: RouterName): readonly string[] {
  const held = lab.plan.targets.filter((target) => lab.ownerOfTarget(target) === name);
  const routes = held.filter(({ kind }) => kind === 'route');
  const others = held.filter(({ kind }) => kind !== 'route').map(targetWords);
  return routes.length === 0 ? others : [...others, counted(routes.length, 'route') ?? ''];
}

/** A write as it arrives at EC2. */
export function writeWords({ action, params }: LoggedRequest, { targets }: LabPlan): string {
  const eni = params['NetworkInterfaceId'];
  const addresses = Object.entries(params).flatMap(([name, value]) =>
    /^PrivateIpAddress\.\d+$/.test(name) ? [value] : [],
  );
  const destination =
    params['DestinationCidrBlock'] ??
    params['DestinationIpv6CidrBlock'] ??
    params['DestinationPrefixListId'] ??
    '';
  const asked = targets.filter(
    (target) =>
      (target.kind === 'elasticIp' && target.allocationId === params['AllocationId']) ||
      (target.kind === 'route' &&
        target.routeTableId === params['RouteTableId'] &&
        target.destination.value === destination),
  );
  return `${action} ${[...addresses, ...asked.map(targetWords)].join(', ')} ${eni}`;
}
