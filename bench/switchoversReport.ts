/** The section of docs/benchmarks.md on planned switchovers. It says when and where it was measured: it is run alone. */
import type { Conditions } from './packagedReport';
import { framed, type Part } from './part';
import { countWords, highest, isRight, median, ms, quantile } from './statistics';
import { switchoverCounts, type SwitchoverRow } from './switchovers';
import { table } from './table';

export const switchoversPart: Part = { name: 'switchovers', source: 'bench/switchoversReport.ts' };

/** What a switchover may take longer than one call to EC2. */
const BEYOND_CALL_MS = 50;
/** Load average above which a process waits for its core. */
const BUSY = 1;

const beyond = ({ callMs, switchovers }: SwitchoverRow): readonly number[] =>
  switchovers.map(({ allMovedMs }) => allMovedMs - callMs);

export function switchoversSection(
  rows: readonly SwitchoverRow[],
  { machine, load }: Conditions,
): readonly string[] {
  const wrong = switchoverCounts(rows).filter((count) => !isRight(count));
  const held = rows.every((row) => quantile(beyond(row), 0.95) <= BEYOND_CALL_MS);
  return framed(switchoversPart, [
    '## Planned switchovers',
    '',
    'Milliseconds from `ha switchover` at the control socket until EC2 has made the last change, to and fro between two built',
    'daemons, gen1. Beyond one call: what is left when the time of one call to EC2 is taken off.',
    '',
    ...table(
      [
        'interfaces',
        'EC2 call',
        'switchovers',
        'all moved, p50',
        'beyond one call, p50 / p95 / worst',
        'both ACTIVE, worst',
      ],
      rows.map((row) => [
        String(row.interfaces),
        `${row.callMs} ms`,
        String(row.switchovers.length),
        `${ms(median(row.switchovers.map(({ allMovedMs }) => allMovedMs)))} ms`,
        `${[median(beyond(row)), quantile(beyond(row), 0.95), highest(beyond(row))].map(ms).join(' / ')} ms`,
        `${ms(highest(row.switchovers.map(({ bothActiveMs }) => bothActiveMs)))} ms`,
      ]),
    ),
    '',
    `To hold: one call + ${BEYOND_CALL_MS} ms at p95: ${held ? 'held' : 'MISSED'}. Both ACTIVE: as the records of the two daemons say it. Who gives is no`,
    'longer ACTIVE as soon as the first address has moved; who gets is ACTIVE when a reading shows everything there.',
    '',
    wrong.length === 0
      ? 'In every case: one write for each interface.'
      : `Counts that are off: ${wrong.map((count) => `${count.what}: ${countWords(count)}`).join('; ')}.`,
    '',
    `Machine: ${machine}; load average ${load.toFixed(1)} in the minute before${load > BUSY ? ': other processes distort the figures' : ''}.`,
  ]);
}
