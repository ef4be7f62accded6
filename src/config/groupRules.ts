/** Rules across keys that are about groups: what rules.ts is for all others. */
import { closest } from './closest';
import { repeated } from './repeated';
import type { Finding, Rule } from './parts';
import { actionHint } from './actionSchema';
import { listed, place } from './words';

const groupPath = (index: number) => ['config', 'groups', index] as const;
const sessionPath = (index: number) => ['config', 'bfd_sessions', index] as const;

export const groupRules: readonly Rule[] = [
  {
    severity: 'mistake',
    sentence: 'Beside `groups` there is no `action` and no `actions`; each group has one of them.',
    find: ({ isWritten, groups }) => [
      ...(['action', 'actions'] as const).flatMap((key): readonly Finding[] =>
        isWritten('groups') && isWritten(key)
          ? [
              {
                path: ['config', key],
                message: 'beside "groups"; move it into one of the groups, or write no groups',
              },
            ]
          : [],
      ),
      ...groups.flatMap(({ isObject, has }, index): readonly Finding[] => {
        if (has('action') && has('actions'))
          return [
            {
              path: [...groupPath(index), 'actions'],
              message: 'there is an "action" too; put that one into this list and remove it',
            },
          ];
        return has('action') || has('actions') || !isObject
          ? []
          : [{ path: [...groupPath(index), 'action'], message: `missing; ${actionHint}` }];
      }),
    ],
  },
  {
    severity: 'mistake',
    sentence: 'No two groups have the same `name`, and no two sessions.',
    find: ({ groups, sessions }) => [
      ...repeated(groups.map(({ name }) => name)).map(({ index, first }) => ({
        path: [...groupPath(index), 'name'],
        message: `the same name as ${place(groupPath(first))}; give each group its own`,
      })),
      ...repeated(sessions.map(({ name }) => name)).map(({ index, first }) => ({
        path: [...sessionPath(index), 'name'],
        message: `the same name as ${place(sessionPath(first))}; give each session its own`,
      })),
    ],
  },
  {
    severity: 'mistake',
    sentence: 'The `bfd_sessions` of a group are names of sessions, each once.',
    find: ({ groups, sessions }) => {
      const known = sessions.flatMap(({ name }) => name ?? []);
      return groups.flatMap((group, index) => {
        const names = group.sessions ?? [];
        const path = (at: number) => [...groupPath(index), 'bfd_sessions', at];
        const unknown = names.flatMap((name, at): readonly Finding[] =>
          name === undefined || known.includes(name)
            ? []
            : [{ path: path(at), message: `no session is named "${name}"; ${advice(name, known)}` }],
        );
        const twice = repeated(names).map(({ index: at }) => ({
          path: path(at),
          message: `"${names[at] ?? ''}" is in the list already; remove one of the two`,
        }));
        return [...unknown, ...twice];
      });
    },
  },
  {
    severity: 'mistake',
    sentence: 'Where there are groups, each session is in at least one of them.',
    find: ({ groups, sessions }) => {
      if (groups.length === 0 || groups.some((group) => group.sessions === undefined)) return [];
      const used = groups.flatMap((group) => group.sessions ?? []);
      return sessions.flatMap(({ name }, index) =>
        name !== undefined && used.includes(name)
          ? []
          : [
              {
                path: sessionPath(index),
                message:
                  name === undefined
                    ? 'in no group, because it has no name; give it one and write it into the "bfd_sessions" of a group'
                    : `"${name}" is in no group; write it into the "bfd_sessions" of one, or remove the session`,
              },
            ],
      );
    },
  },
];

function advice(name: string, known: readonly string[]): string {
  const suggestion = closest(name, known);
  if (suggestion !== null) return `did you mean "${suggestion}"?`;
  return known.length === 0
    ? 'give the session a "name"'
    : `the names of the sessions are ${listed(known, 'and')}`;
}
