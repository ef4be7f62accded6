/**
 * The rules about what is moved: which list belongs to which method, and that nothing is named twice. As all
 * rules (rules.ts) they look at whatever part of a document is valid by itself.
 */
import { entries, isObject, member } from './document';
import {
  actionHint,
  elasticIpEntrySchema,
  interfaceEntrySchema,
  listHints,
  methods,
  routeEntrySchema,
} from './schema';
import { addressOf, idOf, routeOf } from './kinds';
import { place, type Path } from './words';
import type { Finding, Rule } from './rules';

type Method = (typeof methods)[number];
type List = keyof typeof listHints;

const listOfMethod = {
  secondary_ip_shift: 'intf_list',
  route_table_shift: 'route_list',
  elastic_ip_shift: 'eip_list',
} as const satisfies Record<Method, List>;

const lists = Object.values(listOfMethod);

type WrittenAction = {
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
  }
}

export const actionRules: readonly Rule[] = [
  {
    severity: 'mistake',
    sentence: 'The configuration has either `action`, `actions` or `groups`.',
    find: ({ isWritten, hasConfig }) => {
      if (isWritten('action') && isWritten('actions')) {
        return [
          {
            path: ['config', 'actions'],
            message: 'there is an "action" too; put that one into this list and remove it',
          },
        ];
      }
      if (isWritten('action') || isWritten('actions') || isWritten('groups') || !hasConfig) return [];
      return [{ path: ['config', 'action'], message: `missing; ${actionHint}` }];
    },
  },
  {
    severity: 'mistake',
    sentence:
      '`intf_list` belongs to `secondary_ip_shift`, `route_list` to `route_table_shift`, `eip_list` to `elastic_ip_shift`; each method has its list and no other.',
    find: ({ actions }) => actions.flatMap(listFindings),
  },
  {
    severity: 'mistake',
    sentence: 'A route names its table by either `route_table_id` or `route_table_tag`.',
    find: ({ actions }) =>
      actions.flatMap((action) =>
        action.entries.flatMap(({ path, key, entry }) => {
          if (key !== 'destination' || !isObject(entry)) return [];
          const [byId, byTag] = [member(entry, 'route_table_id'), member(entry, 'route_table_tag')];
          if ((byId === undefined) !== (byTag === undefined)) return [];
          return byId === undefined
            ? [
                {
                  path: [...path, 'route_table_id'],
                  message:
                    'missing; write the id of the route table, or the tag that it has (route_table_tag)',
                },
              ]
            : [
                {
                  path: [...path, 'route_table_tag'],
                  message: 'there is a route_table_id too; keep one of the two',
                },
              ];
        }),
      ),
  },
  {
    severity: 'mistake',
    sentence: 'Each address, each route and each Elastic IP is named once.',
    find: ({ actions }) => {
      const seen = new Map<string, Path>();
      return actions
        .flatMap((action) => action.entries)
        .flatMap(({ path, key, id }): readonly Finding[] => {
          if (id === undefined) return [];
          const first = seen.get(id);
          if (first === undefined) {
            seen.set(id, path);
            return [];
          }
          const message = `${id} is in the list already, at ${place(first)}; remove one of the two`;
          return [{ path: [...path, key], message }];
        });
    },
  },
];

function listFindings({ path, method, params }: WrittenAction): readonly Finding[] {
  if (method === undefined || !isObject(params)) return [];
  const own = listOfMethod[method];
  const others = lists.filter((list) => list !== own && member(params, list) !== undefined);
  const missing = member(params, own) === undefined;
  return [
    ...(missing ? [{ path: [...path, 'method_params', own], message: `missing; ${listHints[own]}` }] : []),
    ...others.map((list) => ({
      path: [...path, 'method_params', list],
      message: `does not belong to the method "${method}"; write an action of its own for it, in "actions"`,
    })),
  ];
}
