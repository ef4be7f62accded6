/** The section of docs/benchmarks.md about the package, which `npm run bench -- package` writes and others keep. */
import { readFileSync } from 'node:fs';
import { load, machineLine } from './machine';
import type { MemorySample, Packaged } from './packaged';
import { highest, median, ms, quantile } from './statistics';
import { table } from './table';

const BEGIN =
  '<!-- Written by `npm run bench -- package`: change bench/packagedReport.ts, not this section. -->';
const END = '<!-- End of what `npm run bench -- package` has written. -->';

/** The section that a page holds; a word in its place where it holds none. */
export function packagedSectionOf(page: string): readonly string[] {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from === -1 || to === -1) return [BEGIN, '', 'Not measured yet: `npm run bench -- package`.', '', END];
  return page.slice(from, to + END.length).split('\n');
}

export function withPackagedSection(page: string, section: readonly string[]): string {
  const before = packagedSectionOf(page).join('\n');
  return page.includes(before)
    ? page.replace(before, () => section.join('\n'))
    : `${page}\n${section.join('\n')}\n`;
}

export function readPage(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

export type Conditions = { readonly machine: string; readonly load: number };
export const conditionsNow = (): Conditions => ({ machine: machineLine(), load: load() });

export function packagedSection(results: Packaged, { machine, load: before }: Conditions): readonly string[] {
  const { weights, startsMs, restPercent, restSeconds, memory, takeovers, floor, node } = results;
  const first = takeovers.map(({ firstWriteMs }) => firstWriteMs);
  const floors = floor.map(({ firstWriteMs }) => firstWriteMs);
  const last = memory.at(-1);
  const of = (pick: (sample: MemorySample) => number) => memory.map(pick);
  const worst = (pick: (sample: MemorySample) => number) => `${highest(of(pick)).toFixed(1)} MiB`;
  return [
    BEGIN,
    '',
    '## In its container',
    '',
    'The image as it is delivered, with the options that appmgr is given, run by a Docker of the bench against the lab',
    `on the same host network. Node ${node} with the flags of the image; the configuration is as delivered (keepalive`,
    `10 s). Over ${last?.minute.toFixed(0) ?? '0'} minutes the peer died ${last?.failovers ?? 0} times, evenly spread; memory was read after each.`,
    `Machine: ${machine}; load average ${before.toFixed(1)} in the minute before the run.`,
    '',
    ...table(
      ['what', 'measured', 'to hold', 'to reach for'],
      [
        ['image, unpacked', `${weights.imageMb.toFixed(1)} MB`, '200 MB', '130 MB'],
        ...weights.rpms.map(({ name, mb }) => [`\`${name}\``, `${mb.toFixed(1)} MB`, '70 MB', '45 MB']),
        [
          `container start to sessions programmed and role known, p50 / worst of ${startsMs.length}`,
          `${ms(median(startsMs))} / ${ms(highest(startsMs))} ms`,
          '3000 ms',
          '',
        ],
        [
          `container at rest for ${restSeconds} s, share of one core`,
          `${restPercent.toFixed(2)} %`,
          '0.5 %',
          '0.2 %',
        ],
        [
          'daemon, resident memory, highest of all readings',
          worst(({ daemon }) => daemon),
          '80 MiB',
          '64 MiB',
        ],
        [
          'container, sum of the resident memory of all its processes, highest',
          worst(({ container }) => container),
          '96 MiB',
          '76 MiB',
        ],
        [
          'container, as `docker stats` counts it, highest',
          worst(({ charged }) => charged),
          '96 MiB',
          '76 MiB',
        ],
        [
          'event to first write, gen1, 2 interfaces, p50 / p99',
          `${ms(median(first))} / ${ms(quantile(first, 0.99))} ms`,
          '4 / 10 ms',
          '2 / 5 ms',
        ],
        ['the first of them', `${ms(first[0] ?? Number.NaN)} ms`, '15 ms', ''],
        [
          'the floor of the bench with a question, p50 / p99',
          `${ms(median(floors))} / ${ms(quantile(floors, 0.99))} ms`,
          '',
          '',
        ],
      ],
    ),
    '',
    'Memory over time, MiB:',
    '',
    ...table(
      ['minute', 'failovers', 'daemon', 'Redis', 'all processes', '`docker stats`'],
      some(memory).map((sample) => [
        sample.minute.toFixed(0),
        String(sample.failovers),
        ...[sample.daemon, sample.redis, sample.container, sample.charged].map((mib) => mib.toFixed(1)),
      ]),
    ),
    '',
    END,
  ];
}

/** A dozen at most, the last one among them. */
function some(memory: readonly MemorySample[]): readonly MemorySample[] {
  const step = Math.max(1, Math.ceil((memory.length - 1) / 10));
  return memory.filter((_, index) => index % step === 0 || index === memory.length - 1);
}
