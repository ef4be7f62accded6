/** The section of docs/benchmarks.md on what being watched costs. It says when and where it was measured: it is run alone. */
import type { Conditions } from './packagedReport';
import { framed, type Part } from './part';
import { countWords, isRight, median, ms, quantile } from './statistics';
import { table } from './table';
import { WATCHES, watchedCounts, type AtRest, type Watch, type WatchedRows } from './watched';

export const watchedPart: Part = { name: 'watched', source: 'bench/watchedReport.ts' };

const RSS_MORE_MIB = 4;
const CPU_MORE_PERCENT = 0.1;
/** Load average above which a process waits for its core. */
const BUSY = 1;

const WORDS: Readonly<Record<Watch, string>> = {
  nobody: 'nobody watches',
  endpoint: '50 questions a second to the status endpoint',
  receivers: 'a webhook and a syslog server that hang',
};

const medianOf = (rests: readonly AtRest[], of: (rest: AtRest) => number): number => median(rests.map(of));

export function watchedSection(rows: WatchedRows, { machine, load }: Conditions): readonly string[] {
  const { takeovers, rest, restS } = rows;
  const wrong = watchedCounts(rows).filter((count) => !isRight(count));
  const [rss, cpu] = [({ rssMiB }: AtRest) => rssMiB, ({ cpuPercent }: AtRest) => cpuPercent];
  const moreMiB = medianOf(rest.on, rss) - medianOf(rest.off, rss);
  const morePercent = medianOf(rest.on, cpu) - medianOf(rest.off, cpu);
  const verdict = (isHeld: boolean) => (isHeld ? 'held' : 'MISSED');
  return framed(watchedPart, [
    '## What being watched costs',
    '',
    'Milliseconds from the BFD event to the first write, gen1, 2 interfaces: three daemons take over in turn.',
    '',
    ...table(
      ['while', 'takeovers', 'p50', 'p90', 'p99'],
      WATCHES.map((watch) => {
        const all = takeovers[watch].map(({ firstWriteMs }) => firstWriteMs);
        return [
          WORDS[watch],
          String(all.length),
          ms(median(all)),
          ms(quantile(all, 0.9)),
          ms(quantile(all, 0.99)),
        ];
      }),
    ),
    '',
    `At rest, ${restS} s after the start, the median of ${rest.on.length} daemons each at the same time; on: the status endpoint, asked`,
    'every 15 s, and both receivers.',
    '',
    ...table(
      ['', 'off', 'on', 'more', 'to hold'],
      [
        [
          'resident memory',
          `${medianOf(rest.off, rss).toFixed(1)} MiB`,
          `${medianOf(rest.on, rss).toFixed(1)} MiB`,
          `${moreMiB.toFixed(1)} MiB`,
          `${RSS_MORE_MIB} MiB ${verdict(moreMiB <= RSS_MORE_MIB)}`,
        ],
        [
          'share of one core',
          `${medianOf(rest.off, cpu).toFixed(2)} %`,
          `${medianOf(rest.on, cpu).toFixed(2)} %`,
          `${morePercent.toFixed(2)} %`,
          `${CPU_MORE_PERCENT} % ${verdict(morePercent <= CPU_MORE_PERCENT)}`,
        ],
      ],
    ),
    '',
    wrong.length === 0
      ? 'In every case: no call to EC2 between the event and the first write, one write for each interface, one attempt.'
      : `Counts that are off: ${wrong.map((count) => `${count.what}: ${countWords(count)}`).join('; ')}.`,
    '',
    `Machine: ${machine}; load average ${load.toFixed(1)} in the minute before${load > BUSY ? ': other processes distort the figures' : ''}.`,
  ]);
}
