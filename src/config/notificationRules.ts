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
];
