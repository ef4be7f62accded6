/**
 * The rules about what is moved: which list belongs to which method, and that nothing is named twice. As all
 * rules (rules.ts) they look at whatever part of a document is valid by itself.
 */
import { isObject, member } from './document';
import type { Finding, Rule } from './parts';
import { actionHint, listHints } from './actionSchema';
import { place, type Path } from './words';
import { listOfMethod, lists, type WrittenAction } from './writtenActions';

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
      '`intf_list` belongs to `secondary_ip_shift`, `route_list` to `route_table_shift`, `eip_list` to `elastic_ip_shift`, `floating_ip_list` to `floating_ip_shift`, `extra_route_list` to `extra_route_shift`; each method has its list and no other.',
    find: ({ actions }) => actions.flatMap(listFindings),
  },
  {
    severity: 'mistake',
    sentence:
      '`route_table_shift` and `elastic_ip_shift` are of AWS, `floating_ip_shift` and `extra_route_shift` of OpenStack; `secondary_ip_shift` is of both.',
    find: ({ actions, isWritten }) => {
      const strange = METHODS_OF[isWritten('cloud') ? 'aws' : 'openstack'];
      const [here, mend] = isWritten('cloud')
        ? ['OpenStack', 'write "floating_ip_shift", "extra_route_shift" or "secondary_ip_shift"']
        : ['AWS', 'write "cloud" for OpenStack, or a method of AWS'];
      return actions.flatMap(({ path, method }) =>
        strange.some((each) => each === method)
          ? [{ path: [...path, 'method'], message: `"${method}" is not there in ${here}; ${mend}` }]
          : [],
      );
    },
  },
  {
    severity: 'mistake',
    sentence: 'A route names its table by either `route_table_id` or `route_table_tag`.',
    find: ({ actions }) =>
      actions.flatMap((action) =>
        action.entries.flatMap(({ path, key, entry }) => {
          if (action.method !== 'route_table_shift' || key !== 'destination' || !isObject(entry)) return [];
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
    sentence: 'Each address, each route, each Elastic IP and each floating IP is named once.',
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

/** Of one cloud alone. */
const METHODS_OF = {
  aws: ['route_table_shift', 'elastic_ip_shift'],
  openstack: ['floating_ip_shift', 'extra_route_shift'],
} as const;

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
