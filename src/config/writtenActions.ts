/** The actions of a document as they are written, wherever they stand, with what of them is valid by itself. */
import { entries, member } from './document';
import { addressOf, extraRouteOf, idOf, routeOf } from './kinds';
import { extraRouteEntrySchema, floatingIpEntrySchema } from './openstackSchema';
import {
  elasticIpEntrySchema,
  interfaceEntrySchema,
  type listHints,
  methods,
  routeEntrySchema,
} from './actionSchema';
import type { Path } from './words';

export type Method = (typeof methods)[number];
type List = keyof typeof listHints;

export const listOfMethod = {
  secondary_ip_shift: 'intf_list',
  route_table_shift: 'route_list',
  elastic_ip_shift: 'eip_list',
  floating_ip_shift: 'floating_ip_list',
  extra_route_shift: 'extra_route_list',
} as const satisfies Record<Method, List>;

export const lists = Object.values(listOfMethod);

export type WrittenAction = {
  readonly path: Path;
  readonly method: Method | undefined;
  /** Undefined where it is no object: then nothing can be said of its lists. */
  readonly params: unknown;
  readonly entries: readonly WrittenEntry[];
};

type WrittenEntry = {
  readonly path: Path;
  /** The key that a finding is about. */
  readonly key: string;
  readonly entry: unknown;
  /** As in the plan; undefined where the entry is not valid. */
  readonly id: string | undefined;
};

/** Those outside of groups, and those of each group. */
export function writtenActions(config: unknown): readonly WrittenAction[] {
  return [
    ...actionsIn(config, ['config']),
    ...entries(member(config, 'groups')).flatMap((group, index) =>
      actionsIn(group, ['config', 'groups', index]),
    ),
  ];
}

function actionsIn(of: unknown, path: Path): readonly WrittenAction[] {
  const single = member(of, 'action');
  const several = member(of, 'actions');
  return [
    ...(single === undefined ? [] : [writtenAction(single, [...path, 'action'])]),
    ...entries(several).map((action, index) => writtenAction(action, [...path, 'actions', index])),
  ];
}

function writtenAction(action: unknown, path: Path): WrittenAction {
  const params = member(action, 'method_params');
  const method = member(action, 'method');
  return {
    path,
    method: methods.find((each) => each === method),
    params,
    entries: lists.flatMap((list) =>
      entries(member(params, list)).map((entry, index) => ({
        path: [...path, 'method_params', list, index],
        key: keyOf[list],
        entry,
        id: writtenId(list, entry),
      })),
    ),
  };
}

const keyOf = {
  intf_list: 'secondary_ip',
  route_list: 'destination',
  eip_list: 'allocation_id',
  floating_ip_list: 'floating_ip',
  extra_route_list: 'destination',
} as const satisfies Record<List, string>;

function writtenId(list: List, entry: unknown): string | undefined {
  switch (list) {
    case 'intf_list': {
      const address = interfaceEntrySchema.shape.secondary_ip.safeParse(member(entry, 'secondary_ip'));
      return address.success ? idOf(addressOf(address.data)) : undefined;
    }
    case 'route_list': {
      const { shape } = routeEntrySchema;
      const destination = shape.destination.safeParse(member(entry, 'destination'));
      const table = shape.route_table_id.safeParse(member(entry, 'route_table_id'));
      const tag = shape.route_table_tag.safeParse(member(entry, 'route_table_tag'));
      if (!destination.success || !table.success || !tag.success) return undefined;
      if ((table.data === undefined) === (tag.data === undefined)) return undefined;
      return idOf(
        routeOf({ route_table_id: table.data, route_table_tag: tag.data, destination: destination.data }),
      );
    }
    case 'eip_list': {
      const allocation = elasticIpEntrySchema.shape.allocation_id.safeParse(member(entry, 'allocation_id'));
      return allocation.success ? allocation.data : undefined;
    }
    case 'floating_ip_list': {
      const address = floatingIpEntrySchema.shape.floating_ip.safeParse(member(entry, 'floating_ip'));
      return address.success ? address.data : undefined;
    }
    case 'extra_route_list': {
      const { shape } = extraRouteEntrySchema;
      const destination = shape.destination.safeParse(member(entry, 'destination'));
      const router = shape.router_id.safeParse(member(entry, 'router_id'));
      if (!destination.success || !router.success) return undefined;
      return idOf(extraRouteOf({ router_id: router.data, destination: destination.data }));
    }
  }
}
