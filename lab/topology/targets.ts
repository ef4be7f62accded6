/**
 * What moves between the routers of the lab, as plain data: who has it now, and how the product's
 * configuration asks for it.
 */
import type { Destination } from '../ec2-emulator/destinations';
import { findElasticIp } from '../ec2-emulator/elasticIps';
import { findRouteTable, findStaticRoute } from '../ec2-emulator/routes';
import type { Ec2World } from '../ec2-emulator/world';
import type { RouterName } from './plan';

export type SecondaryAddressPlan = {
  readonly kind: 'secondaryAddress';
  /** Of either family. */
  readonly address: string;
  readonly deviceIndex: number;
};

export type RoutePlan = {
  readonly kind: 'route';
  readonly routeTableId: string;
  /** How the configuration finds the table; null: by its id. */
  readonly tag: { readonly key: string; readonly value: string } | null;
  readonly destination: Destination;
  readonly deviceIndex: number;
  /** Lower ones first; null: not configured. */
  readonly priority: number | null;
};

export type ElasticIpPlan = {
  readonly kind: 'elasticIp';
  readonly allocationId: string;
  readonly publicIp: string;
  readonly deviceIndex: number;
  /** Null: the primary address of the interface. */
  readonly privateIp: Readonly<Record<RouterName, string>> | null;
};

export type TargetPlan = SecondaryAddressPlan | RoutePlan | ElasticIpPlan;

/** The network interface that has it; null: nobody, or something else than an interface. */
export function holderOfTarget(world: Ec2World, target: TargetPlan): string | null {
  switch (target.kind) {
    case 'secondaryAddress':
      return world.ownerOf(target.address);
    case 'route': {
      const table = findRouteTable(world.model, target.routeTableId);
      const found = table === undefined ? undefined : findStaticRoute(table, target.destination)?.target;
      return found?.kind === 'networkInterface' ? found.id : null;
    }
    case 'elasticIp':
      return findElasticIp(world.model, target.allocationId)?.association?.networkInterfaceId ?? null;
  }
}

/** As the history of the emulated EC2 calls it. */
export function targetName(target: TargetPlan): string {
  switch (target.kind) {
    case 'secondaryAddress':
      return target.address;
    case 'route':
      return `${target.routeTableId} ${target.destination.value}`;
    case 'elasticIp':
      return target.allocationId;
  }
}

/** `action` where one kind moves, as ever; `actions` where several do. */
export function actionKeys(name: RouterName, targets: readonly TargetPlan[]): object {
  const entries = targets.map((target) => actionEntry(name, target));
  const actions = methods.flatMap(([method, list]) => {
    const own = entries.filter((entry) => entry.method === method).map(({ entry }) => entry);
    return own.length === 0 ? [] : [{ method, method_params: { [list]: own } }];
  });
  return actions.length === 1 ? { action: actions[0] } : { actions };
}

const methods = [
  ['secondary_ip_shift', 'intf_list'],
  ['route_table_shift', 'route_list'],
  ['elastic_ip_shift', 'eip_list'],
] as const;

type ActionEntry = { readonly method: (typeof methods)[number][0]; readonly entry: object };

function actionEntry(name: RouterName, target: TargetPlan): ActionEntry {
  const place = { instance_intf_number: target.deviceIndex };
  switch (target.kind) {
    case 'secondaryAddress':
      return { method: 'secondary_ip_shift', entry: { secondary_ip: target.address, ...place } };
    case 'route': {
      const { routeTableId, tag, destination, priority } = target;
      const table = tag === null ? { route_table_id: routeTableId } : { route_table_tag: tag };
      return {
        method: 'route_table_shift',
        entry: {
          ...table,
          destination: destination.value,
          ...place,
          ...(priority === null ? {} : { priority }),
        },
      };
    }
    case 'elasticIp': {
      const { allocationId, privateIp } = target;
      return {
        method: 'elastic_ip_shift',
        entry: {
          allocation_id: allocationId,
          ...place,
          ...(privateIp === null ? {} : { private_ip: privateIp[name] }),
        },
      };
    }
  }
}
