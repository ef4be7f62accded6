/** The section of docs/benchmarks.md on this build against another one. */
import type { Conditions } from './packagedReport';
import { framed, type Part } from './part';
import { ms, quantile } from './statistics';
import { table } from './table';
import type { Compared } from './versus';

export const versusPart: Part = { name: '--versus DIR', source: 'bench/versusReport.ts' };

export type Between = {
  /** As `git describe` names them. */
  readonly here: string;
  readonly there: string;
  /** What has been typed, to be typed again. */
  readonly command: string;
};

export function versusSection(
  compared: readonly Compared[],
  { here, there, command }: Between,
  where: Conditions,
): readonly string[] {
  return framed(versusPart, [
    '## Against another build',
    '',
    `\`${command}\`: this build (${here}) and ${there}, in turn, each as a process of its own`,
    'against the lab of this one. A ratio below 1 is for this build. The spread of a ratio is what nine of ten runs like this',
    'one would say (bootstrap of the samples): where it holds 1, nothing is proved. A takeover is the first of its process,',
    'but with a heavy tail, for gen1 and gen2, where two processes take over in turn.',
    '',
    ...table(
      ['what', 'samples of each', 'this build', 'the other', 'ratio', 'spread', 'to hold'],
      compared.map(rowOf),
    ),
    '',
    'Tried, and not kept:',
    '',
    ...tried.map((line) => `- ${line}`),
    '',
    `Machine: ${where.machine}; load average ${where.load.toFixed(1)} in the minute before: the ratios count, not the times.`,
  ]);
}

export function ratioWords({ figure, here, there }: Compared): string {
  const [low, ratio, high] = ratioOf(here, there, figure.quantile ?? 0.5);
  const { hold } = figure;
  const verdict = hold === null ? '' : `, to hold ${hold}: ${ratio <= hold ? 'held' : 'MISSED'}`;
  return `ratio ${ratio.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})${verdict}`;
}

function rowOf({ figure, here, there }: Compared): readonly string[] {
  const share = figure.quantile ?? 0.5;
  const [low, ratio, high] = ratioOf(here, there, share);
  const said = (value: number) =>
    [figure.unit === 'ms' ? ms(value) : value.toFixed(2), figure.unit].join(' ').trim();
  const { hold } = figure;
  return [
    figure.what,
    String(here.length),
    said(valueOf(here, share)),
    said(valueOf(there, share)),
    ratio.toFixed(2),
    here.length < 3 ? '' : `${low.toFixed(2)} to ${high.toFixed(2)}`,
    hold === null ? '' : `${hold} ${ratio <= hold ? 'held' : 'MISSED'}`,
  ];
}

/** Each with its figure. */
const tried: readonly string[] = [
  "V8's code of a recorded run beside the bundle: the start took 0.88 of the processor time and no less time by the clock, with 6 MiB more after it; an image has another Node and other flags, so it would start as before.",
  "A third and a fourth request at once where the tail is heavy: by the emulator's distribution the best times for them reach 0.57 of the p99 with 1.3 times the writes, and 0.5 only with 1.5 times: the two aims exclude each other.",
  'An ever slower pace while EC2 is silent, with two calls in step: a ratio of 0.30 instead of 0.10.',
  'A digest of each object of the state for the journal, remembered as long as the object lives: 3.8 s of 13 for 1,000 routes, where a digest once a second takes 0.3.',
  'Throttled requests ask again up to 15 % later than the next token instead of 10 %: two routes on a contended bucket were moved at a ratio of 0.53 instead of 0.35.',
  'A silent EC2 asked again after an eighth of the time that it has been silent: a ratio of 0.15 instead of 0.03, and more than eight requests of one call out when answers take seconds.',
];

/** What stands for the samples of a figure. */
export const valueOf = (samples: readonly number[], share: number | 'mean'): number =>
  share === 'mean' ? samples.reduce((sum, each) => sum + each, 0) / samples.length : quantile(samples, share);

const RESAMPLED = 1_000;

/** The ratio of the quantiles, between the bounds that nine of ten resamplings keep to. */
export function ratioOf(
  here: readonly number[],
  there: readonly number[],
  share: number | 'mean',
): readonly [low: number, ratio: number, high: number] {
  const ratios = Array.from(
    { length: RESAMPLED },
    () => valueOf(resampled(here), share) / valueOf(resampled(there), share),
  );
  return [quantile(ratios, 0.05), valueOf(here, share) / valueOf(there, share), quantile(ratios, 0.95)];
}

const resampled = (samples: readonly number[]): readonly number[] =>
  samples.map(() => samples[Math.floor(Math.random() * samples.length)] ?? Number.NaN);
