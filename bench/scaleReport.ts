/** The section of docs/benchmarks.md on many targets. It says when and where it was measured: it can be run alone. */
import type { Conditions } from './packagedReport';
import { framed, type Part } from './part';
import { buckets, CALL_MS, ratioOf, scaleCounts, type ScaleRow } from './scale';
import { countWords, highest, isRight, median, ms } from './statistics';
import { table } from './table';

export const scalePart: Part = { name: 'scale', source: 'bench/scaleReport.ts' };

/** Load average above which a process waits for its core. */
const BUSY = 1;

/** For the terminal. */
export function scaleWords(row: ScaleRow): string {
  const p50 = median(row.takeovers.map(({ allMovedMs }) => allMovedMs));
  return `${row.kind}, ${row.targets}: all moved after ${ms(p50)} ms, ${ratioOf(row, p50).toFixed(3)} of the floor`;
}

/** The highest ratio of the median to the floor that is to hold; the aims say nothing between these sizes. */
const aimOf = (targets: number): number => (targets <= 20 ? 1.1 : targets < 200 ? 1.25 : 1.05);

export function scaleSection(rows: readonly ScaleRow[], where: Conditions): readonly string[] {
  const { routes, addresses } = buckets;
  const row = (each: ScaleRow) => {
    const { kind, targets, writes, floorMs, takeovers } = each;
    const moved = takeovers.map(({ allMovedMs }) => allMovedMs);
    const ratio = ratioOf(each, median(moved));
    const aim = aimOf(targets);
    return [
      kind,
      String(targets),
      String(writes),
      String(takeovers.length),
      ms(median(takeovers.map(({ firstWriteMs }) => firstWriteMs))),
      ms(median(moved)),
      ms(highest(moved)),
      ms(floorMs),
      ratio.toFixed(3),
      `${aim} ${ratio <= aim ? 'held' : 'MISSED'}`,
    ];
  };
  const counts = scaleCounts(rows);
  const wrong = counts.filter((count) => !isRight(count));
  return framed(scalePart, [
    '## Many targets at the pace of EC2',
    '',
    'Milliseconds from the event to the last change, gen1, with the token buckets that EC2 documents for an account in the',
    `emulator, full at the event: ${routes.action} ${routes.burst} at once and ${routes.refillPerS} per second, ${addresses.action} ${addresses.burst} and`,
    `${addresses.refillPerS} per second; ${CALL_MS} ms for each call. Each takeover is the first of a process. Routes are one request each, of`,
    'two tables; addresses are spread over at most 14 interfaces, one request for each.',
    '',
    '    floor = latency of a call + max(0, requests - burst) / refill per second',
    '',
    ...table(
      [
        'what',
        'how many',
        'requests',
        'takeovers',
        'first write, p50',
        'all moved, p50',
        'worst',
        'floor',
        'ratio of the p50 to the floor',
        'to hold',
      ],
      rows.map(row),
    ),
    '',
    wrong.length === 0
      ? 'In every case: no call between event and first write, as many writes as in the table, none of them throttled, one attempt.'
      : `Counts that are off: ${wrong.map((count) => `${count.what}: ${countWords(count)}`).join('; ')}.`,
    '',
    `Machine: ${where.machine}; load average ${where.load.toFixed(1)} in the minute before.`,
    'One process carries the simulator, the emulator and the bench, on the same cores as the daemon.',
    ...(where.load > BUSY ? ['The machine was busy: other processes distort the times below a second.'] : []),
  ]);
}
