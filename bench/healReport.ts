/** The section of docs/benchmarks.md on the healer. It says when and where it was measured: it can be run alone. */
import { ratioOf, type HealingRow, type StartRow } from './heal';
import type { Conditions } from './packagedReport';
import { framed, type Part } from './part';
import { highest, median, ms, type Count } from './statistics';
import { table } from './table';

export const healPart: Part = { name: 'heal', source: 'bench/healReport.ts' };

/** Of what EC2 itself takes. */
const RATIO_MAX = 1.1;

const LOST: Readonly<Record<HealingRow['example'], string>> = {
  pair: 'the standby of a pair',
  nat: 'a NAT instance',
  'network-function': 'a network function with interface and volume, and a reboot',
};

/** Neither too slow nor with more calls than planned, in any case. */
export const healCounts = (rows: readonly HealingRow[]): readonly Count[] => [
  {
    what: `healings that take at most ${RATIO_MAX} of what EC2 takes`,
    expected: 1,
    seen: rows.map((row) => Number(ratioOf(row) <= RATIO_MAX)),
  },
  {
    what: 'healings with no more writes than planned',
    expected: 1,
    seen: rows.map(({ writes, planned }) => Number(writes <= planned)),
  },
];

export function healSection(
  rows: readonly HealingRow[],
  starts: readonly StartRow[],
  where: Conditions,
): readonly string[] {
  const seconds = (value: number): string => (value / 1000).toFixed(1);
  return framed(healPart, [
    '## The healer',
    '',
    'Seconds of virtual time from the launch event to the end of the lifecycle action, by the built `dist/heal.js` as a Lambda',
    'function; the same on every machine. What EC2 takes: pending 12 s, shutting down 40 s, detaching an interface 8 s,',
    'attaching it 3 s, a volume 4 s; and of the calls those that have to follow on one another, which are two readings (which',
    'instances there are, what they have) before each write. The boot of the guest takes no time here.',
    '',
    ...table(
      [
        'what was lost',
        'ms per call',
        'took',
        'EC2 takes',
        'ratio',
        `to hold`,
        'writes',
        'planned',
        'reads and heartbeats',
      ],
      rows.map((row) => [
        LOST[row.example],
        String(row.callMs),
        seconds(row.tookMs),
        seconds(row.floorMs),
        ratioOf(row).toFixed(3),
        `${RATIO_MAX} ${ratioOf(row) <= RATIO_MAX ? 'held' : 'MISSED'}`,
        String(row.writes),
        String(row.planned),
        String(row.reads),
      ]),
    ),
    '',
    '`heal --plan` printed the planned number before the loss. It supposes that nobody has the right to write; a function that',
    'sweeps has it already.',
    '',
    'The start of a process, each a process of its own, in milliseconds: loading the bundle, then the first invocation, which',
    'reads its file, looks at a NAT instance that is whole and ends.',
    '',
    ...table(
      ['Node', 'starts', 'load, p50', 'worst', 'first invocation, p50', 'worst', 'memory, worst (MiB)'],
      starts.map(({ node, loadMs, firstMs, rssMiB }) => [
        node,
        String(loadMs.length),
        ms(median(loadMs)),
        ms(highest(loadMs)),
        ms(median(firstMs)),
        ms(highest(firstMs)),
        highest(rssMiB).toFixed(0),
      ]),
    ),
    '',
    `Machine of the starts: ${where.machine}; load average ${where.load.toFixed(1)} in the minute before. Above 1 a process waits for its core.`,
  ]);
}
