/** The section of docs/benchmarks.md about the package, which `npm run bench -- package` writes and others keep. */
import { eightMoved, firstTakeover, firstWrite, roleKnown, spread } from './aims';
import { load, machineLine } from './machine';
import type { MemorySample, Packaged } from './packaged';
import { framed, type Part } from './part';
import { highest, median, ms } from './statistics';
import { table } from './table';

export const packagedPart: Part = { name: 'package', source: 'bench/packagedReport.ts' };

export type Conditions = { readonly machine: string; readonly load: number };
export const conditionsNow = (): Conditions => ({ machine: machineLine(), load: load() });

export function packagedSection(results: Packaged, { machine, load: before }: Conditions): readonly string[] {
  const { weights, startsMs, restPercent, restSeconds, memory, takeovers, node } = results;
  const { latency, apart, first, moved, showMs, bareMs } = results.failover;
  const last = memory.at(-1);
  const of = (pick: (sample: MemorySample) => number) => memory.map(pick);
  const worst = (pick: (sample: MemorySample) => number) => `${highest(of(pick)).toFixed(1)} MiB`;
  return framed(packagedPart, [
    '## In its container',
    '',
    'The image as it is delivered, with the options that appmgr is given, run by a Docker of the bench against the lab',
    `on the same host network. Node ${node} with the flags of the image. Failovers and \`show\` are measured as above;`,
    `then, with the configuration as delivered (keepalive 10 s), the peer died ${last?.failovers ?? 0} times in ${last?.minute.toFixed(0) ?? '0'} minutes,`,
    'evenly spread, and memory was read after each. Left to itself, Linux likes to wake the daemon on the core on which',
    'the bench, which plays the router and EC2, is at work, with the next one idle: hence the rows with cores of their own.',
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
        firstWrite('event to first write, gen1, 2 interfaces', latency.takeovers),
        ['the floor of that, with a question, p50 / p99', spread(latency.floorAsking ?? []), '', ''],
        firstWrite('the same with the container on other cores than the bench', apart.takeovers),
        ['the floor of that, with a question, p50 / p99', spread(apart.floorAsking ?? []), '', ''],
        firstTakeover('the first takeover of a process', first.takeovers),
        [`the ${takeovers.length} of the long time, p50 / p99`, spread(takeovers), '', ''],
        eightMoved(moved.takeovers),
        roleKnown('first call to the router to sessions programmed and role known, p50', first.starts),
        [
          `\`docker exec ... show ha_state\`, p50; of it a program that does nothing`,
          `${ms(median(showMs))}; ${ms(median(bareMs))} ms`,
          '150 ms',
          '80 ms',
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
  ]);
}

/** A dozen at most, the last one among them. */
function some(memory: readonly MemorySample[]): readonly MemorySample[] {
  const step = Math.max(1, Math.ceil((memory.length - 1) / 10));
  return memory.filter((_, index) => index % step === 0 || index === memory.length - 1);
}
