// What is said of a tag that does not name one table, and of what the configuration names and EC2 does not have.
import { ConfirmedMistakes } from '../../../src/aws/checks/confirmedMistakes';
import { TagConflicts, type TagConflict } from '../../../src/aws/reads/tagConflicts';
import type { Observation } from '../../../src/core/state/readings';
import { memoryLog } from './awsLab';

const words = 'the table tagged ha=north';
const two: TagConflict = { words, tables: ['rtb-1', 'rtb-2'], used: 'rtb-1' };

test('one alarm for each that begins or changes, and one record when it is over', () => {
  const { log, logged } = memoryLog();
  const conflicts = new TagConflicts(log);
  for (const seen of [[two], [two], null, [two], [{ ...two, tables: [] }], [], [], [two]])
    conflicts.observed(seen);
  expect(logged().map(({ event, reason }) => [event, reason])).toEqual([
    [
      'route-table-ambiguous',
      '2 route tables are the table tagged ha=north (rtb-1, rtb-2): rtb-1, which was it before, is used on; give the tag to one table, or write route_table_id',
    ],
    [
      'route-table-ambiguous',
      'no route table is the table tagged ha=north any more: rtb-1, which was it before, is used on; give the tag to one table, or write route_table_id',
    ],
    ['route-table-clear', 'the table tagged ha=north is one route table again'],
    ['route-table-ambiguous', expect.stringContaining('2 route tables')],
  ]);
});

describe('what ends the start', () => {
  const complete: Observation = { instanceId: 'i-own', interfaces: [], holders: {}, peers: {} };
  const partial: Observation = {
    ...complete,
    unread: [{ action: 'DescribeRouteTables', targets: ['r'], failure: null }],
  };
  type Seen = readonly [Observation, readonly string[]];

  test.each<[string, readonly Seen[], readonly string[] | null]>([
    ['all is there', [[complete, []]], []],
    ['nothing is said of the tables yet', [[partial, []]], null],
    ['a mistake once', [[complete, ['no table']]], null],
    [
      '... and then not',
      [
        [complete, ['no table']],
        [complete, []],
      ],
      [],
    ],
    [
      '... and then another',
      [
        [complete, ['no table']],
        [complete, ['no address']],
      ],
      null,
    ],
    [
      'the same one twice',
      [
        [complete, ['no table']],
        [complete, ['no table']],
      ],
      ['no table'],
    ],
  ])('%s', async (_what, seen, expected) => {
    const mistakes = new ConfirmedMistakes();
    for (const [observation, said] of seen) mistakes.observed({ observation, mistakes: said });
    const open = new Promise((resolve) => setImmediate(() => resolve(null)));
    expect(await Promise.race([mistakes.confirmed, open])).toEqual(expected);
  });
});
