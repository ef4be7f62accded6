/** The section of docs/benchmarks.md on how cost grows. It says when and where it was measured: it can be run alone. */
import type { GrowthRow } from './growth';
import type { Conditions } from './packagedReport';
import { framed, type Part } from './part';
import { ms } from './statistics';
import { table } from './table';

export const growthPart: Part = { name: 'growth', source: 'bench/growthReport.ts' };

export function growthSection(rows: readonly GrowthRow[], where: Conditions): readonly string[] {
  return framed(growthPart, [
    '## How cost grows',
    '',
    'One takeover of routes for each row, the first of its process, gen1, with EC2 at 0 ms and tokens for all at once, so that',
    'all that grows is the work of the daemon and of the bench, which plays the router and EC2 on the same cores. Two sessions',
    'go DOWN; the others stay UP. A turn is the time in which nothing else is done: an answer or a BFD event that comes',
    'meanwhile waits for its end. The longest one is of a keepalive at rest, and from the event until 2 s after the last write.',
    '',
    ...table(
      [
        'groups',
        'sessions',
        'targets',
        'first write, ms',
        'last write, ms',
        'memory at rest, MiB',
        'share of a core at rest',
        'calls of a keepalive',
        'longest turn at rest, ms',
        'longest turn of a takeover, ms',
      ],
      rows.map((row) => [
        String(row.groups),
        String(row.sessions),
        String(row.targets),
        ms(row.firstWriteMs),
        ms(row.lastWriteMs),
        row.memoryMiB.toFixed(1),
        `${row.cpuPercent.toFixed(2)} %`,
        row.readsPerKeepalive.toFixed(1),
        ms(row.longestTurnMs.atRest),
        ms(row.longestTurnMs.moving),
      ]),
    ),
    '',
    'What grew faster than the work and was mended, with 500 routes: who holds what was found out by reading each route once',
    'for each target (150 ms of every keepalive); the journal digested the whole attempt at each step (0.6 s after the event,',
    'in which BFD was not heard); each call that was sent copied all calls; 500 requests were made before the first one left.',
    'What still grows with the square of the targets is small: an answer to one call looks at all of them once.',
    '',
    `Machine: ${where.machine}; load average ${where.load.toFixed(1)} in the minute before.`,
  ]);
}
