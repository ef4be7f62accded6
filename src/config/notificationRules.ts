/** Rules about the receivers of notifications. */
import type { Rule } from './parts';
import { repeated } from './repeated';
import { place } from './words';

export const notificationRules: readonly Rule[] = [
  {
    severity: 'mistake',
    sentence: 'No two receivers of `notifications` have the same `name`.',
    find: ({ receivers }) => {
      const pathOf = (index: number) => {
        const receiver = receivers[index];
        return ['config', 'notifications', receiver?.list ?? '', receiver?.index ?? 0, 'name'];
      };
      return repeated(receivers.map(({ name }) => name)).map(({ index, first }) => ({
        path: pathOf(index),
        message: `the name of ${place(pathOf(first).slice(0, -1))} too; give each receiver its own`,
      }));
    },
  },
  {
    severity: 'mistake',
    sentence:
      'An SNMP manager has the file of its version: `community_file` for `v2c`, `user_file` for `v3`.',
    find: ({ snmpManagers }) =>
      snmpManagers.flatMap(({ version, has }, index) => {
        const [needed, other] =
          version === 'v2c' ? ['community_file', 'user_file'] : ['user_file', 'community_file'];
        if (version !== 'v2c' && version !== 'v3') return [];
        const path = (key: string) => ['config', 'notifications', 'snmp', index, key];
        return [
          ...(has(needed) ? [] : [{ path: path(needed), message: `missing; ${version} needs it` }]),
          ...(has(other) ? [{ path: path(other), message: `not used with ${version}; remove it` }] : []),
        ];
      }),
  },
];
