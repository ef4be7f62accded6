/** docs/benchmarks.md: what was measured beside what is aimed at, how, and what was not. */
import { eightMoved, firstTakeover, firstWrite, roleKnown } from './aims';
import type { FloorSample } from './floor';
import { introduction, notMeasured } from './method';
import { countsOf, type Results } from './results';
import type { Takeover } from './standby';
import { countWords, highest, median, ms, quantile } from './statistics';
import { scaleSection } from './scaleReport';
import { table } from './table';
import type { FirstRow, LatencyRow, MovedRow } from './takeovers';

export const plotName = 'benchmarks-latency.svg';

/** `apart`: the sections of what is measured apart. */
export function report(results: Results, apart: readonly string[]): string {
  return [
    '# Benchmarks',
    '',
    '<!-- Written by `npm run bench`: change bench/report.ts, not this file. -->',
    '',
    ...introduction(results),
    '',
    '## Against the aims',
    '',
    ...aims(results),
    '',
    '## From the BFD event to the first EC2 write',
    '',
    ...latencySection(results),
    '',
    '## The first takeover of a process',
    '',
    ...firstSection(results),
    '',
    '## Until all addresses have moved',
    '',
    ...movedSection(results),
    '',
    ...scaleSection(results.scale, results),
    '',
    '## Counted',
    '',
    'These are facts, not times: the bench fails when one of them is off in a single case.',
    '',
    ...table(
      ['what', 'in every case'],
      countsOf(results).map((count) => [count.what, countWords(count)]),
    ),
    '',
    '## At rest, at the start, on the command line',
    '',
    ...restSection(results),
    '',
    ...apart,
    '',
    '## What is not measured here',
    '',
    ...notMeasured,
    '',
  ].join('\n');
}

// ---- Sections ----

function aims({ latency, first, moved, rest, show, bundle }: Results): readonly string[] {
  const path = latency.find(({ generation, interfaces }) => generation === 'gen1' && interfaces === 2);
  const eight = moved.find(({ interfaces, latencyMs }) => interfaces === 8 && latencyMs === 150);
  const gen1First = first.find(({ generation }) => generation === 'gen1');
  const starts = gen1First?.starts ?? [];
  return table(
    ['what', 'measured', 'to hold', 'to reach for'],
    [
      firstWrite('event to first write, gen1, 2 interfaces', path?.takeovers ?? []),
      firstTakeover('the same, first takeover of a process', gen1First?.takeovers ?? []),
      eightMoved(eight?.takeovers ?? []),
      ['daemon, resident memory at rest', `${rest.rssMiB.toFixed(1)} MiB`, '80 MiB', '64 MiB'],
      ['daemon, share of one core at rest', `${rest.cpuPercent.toFixed(2)} %`, '0.5 %', '0.2 %'],
      ['`show ha_state`, file store, p50', `${ms(median(show.fileMs))} ms`, '150 ms', '80 ms'],
      roleKnown('first call to the router to sessions programmed and role known, gen1, p50', starts),
      ['all JavaScript of the daemon', `${bundle.kiB.toFixed(0)} KiB`, '', ''],
    ],
  );
}

function latencySection({ latency }: Results): readonly string[] {
  const spread = (samples: readonly number[]) =>
    `${ms(median(samples))} / ${ms(quantile(samples, 0.99))} / ${ms(highest(samples))}`;
  const firsts = (samples: readonly FloorSample[]) => samples.map(({ firstWriteMs }) => firstWriteMs);
  const lasts = (samples: readonly FloorSample[]) => samples.map(({ lastWriteMs }) => lastWriteMs);
  const row = ({ generation, interfaces, takeovers, floor, floorAsking }: LatencyRow) => [
    generation,
    String(interfaces),
    String(takeovers.length),
    spread(firsts(takeovers)),
    spread(lasts(takeovers)),
    `${ms(median(firsts(floor)))}, ${ms(median(lasts(floor)))}`,
    floorAsking === null ? '' : ms(median(firsts(floorAsking))),
    (median(firsts(takeovers)) / median(firsts(floorAsking ?? floor))).toFixed(1),
  ];
  const legs = ({ generation, interfaces, takeovers }: LatencyRow) => {
    const leg = (of: (takeover: Takeover) => number) => ms(median(takeovers.map(of)));
    return [
      generation,
      String(interfaces),
      leg(({ daemon }) => daemon.decidedMs),
      leg(({ daemon }) => daemon.firstSentMs - daemon.decidedMs),
      leg(({ daemon, firstWriteMs }) => firstWriteMs - daemon.firstSentMs),
    ];
  };
  return [
    'Milliseconds, p50 / p99 / worst; the floor as p50, for the first and the last write. "With a question" is the',
    'floor with one call to the router between event and write, as the daemon has to make on gen1; the ratio is to the',
    'floor that does what the daemon has to do.',
    '',
    ...table(
      [
        'API',
        'interfaces',
        'takeovers',
        'first write',
        'last write',
        'floor',
        'floor with a question',
        'ratio of the p50s',
      ],
      latency.map(row),
    ),
    '',
    `![Share of takeovers whose first write has arrived, over time](${plotName})`,
    '',
    'Where the time goes, p50 in ms, as the daemon logs it. The last column is the rest: the event on its way in,',
    'and the request on its way out, with what of building and signing had not been done while waiting.',
    '',
    ...table(
      [
        'API',
        'interfaces',
        'event received to decided',
        'waiting for news of the local interface',
        'wire in, building, signing, wire out',
      ],
      latency.map(legs),
    ),
  ];
}

function firstSection({ first }: Results): readonly string[] {
  const row = ({ generation, interfaces, takeovers }: FirstRow) => {
    const samples = takeovers.map(({ firstWriteMs }) => firstWriteMs);
    const last = takeovers.map(({ lastWriteMs }) => lastWriteMs);
    return [
      generation,
      String(interfaces),
      String(takeovers.length),
      ms(median(samples)),
      ms(highest(samples)),
      ms(highest(last)),
    ];
  };
  return [
    'Each process is started anew and takes over once, some seconds later, with everything as delivered. Milliseconds',
    'from the event.',
    '',
    ...table(
      ['API', 'interfaces', 'processes', 'first write, p50', 'first write, worst', 'last write, worst'],
      first.map(row),
    ),
  ];
}

function movedSection({ moved }: Results): readonly string[] {
  const row = ({ interfaces, latencyMs, takeovers }: MovedRow) => {
    const samples = takeovers.map(({ allMovedMs }) => allMovedMs);
    const p50 = median(samples);
    return [
      String(interfaces),
      String(latencyMs),
      String(takeovers.length),
      ms(p50),
      ms(highest(samples)),
      ms(p50 - latencyMs),
    ];
  };
  return [
    'The emulator waits before it makes each change, and with every other call. Milliseconds from the event to the',
    'last change, gen1.',
    '',
    ...table(
      ['interfaces', 'latency of a call', 'takeovers', 'all moved, p50', 'worst', 'p50 beyond one call'],
      moved.map(row),
    ),
  ];
}

function restSection({ rest, show, first, bundle }: Results): readonly string[] {
  const starts = (row: FirstRow, of: 'sinceSpawnMs' | 'sinceFirstCallMs') =>
    ms(median(row.starts.map((each) => each[of])));
  const { redisMs } = show;
  return table(
    ['what', 'measured'],
    [
      [
        `resident memory after ${rest.seconds} s at rest (highest so far)`,
        `${rest.rssMiB.toFixed(1)} (${rest.highestRssMiB.toFixed(1)}) MiB`,
      ],
      ['a Node process that does nothing', `${rest.bareRssMiB.toFixed(1)} MiB`],
      [`share of one core over ${rest.seconds} s at rest`, `${rest.cpuPercent.toFixed(2)} %`],
      ...first.map((row) => [
        `process start to sessions programmed and role known, ${row.generation}, p50 of ${row.starts.length}`,
        `${starts(row, 'sinceSpawnMs')} ms, ${starts(row, 'sinceFirstCallMs')} ms of it since the first call to the router`,
      ]),
      [`\`show ha_state\`, file store, p50 of ${show.fileMs.length}`, `${ms(median(show.fileMs))} ms`],
      typeof redisMs === 'string'
        ? ['`show ha_state`, Redis', `not measured: ${redisMs.split('\n')[0]}`]
        : [`\`show ha_state\`, Redis, p50 of ${redisMs.length}`, `${ms(median(redisMs))} ms`],
      [`\`node -e 0\`, p50 of ${show.bareMs.length}`, `${ms(median(show.bareMs))} ms`],
      [
        'all JavaScript of the daemon',
        `${bundle.kiB.toFixed(0)} KiB in ${bundle.files} files, ${bundle.gzipKiB.toFixed(0)} KiB compressed`,
      ],
    ],
  );
}
