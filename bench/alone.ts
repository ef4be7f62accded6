/** The parts of the bench that are run alone, each with a section of its own in docs/benchmarks.md. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cloudCounts, measureClouds } from './clouds';
import { cloudsPart, cloudsSection, ratioOfClouds } from './cloudsReport';
import { measureGrowth } from './growth';
import { growthPart, growthSection } from './growthReport';
import { conditionsNow, type Conditions } from './packagedReport';
import { readPage, withPart, type Part } from './part';
import { measureScale, scaleCounts } from './scale';
import { scalePart, scaleSection, scaleWords } from './scaleReport';
import { median, ms, type Count } from './statistics';
import { measureSwitchovers, switchoverCounts, type SwitchoverRow } from './switchovers';
import { switchoversPart, switchoversSection } from './switchoversReport';
import { measureWatched, WATCHES, watchedCounts } from './watched';
import { watchedPart, watchedSection } from './watchedReport';

type Say = (line: string) => unknown;

type Measured = {
  readonly section: (where: Conditions) => readonly string[];
  /** What is to be right in every case. */
  readonly counts: readonly Count[];
};

type Alone = { readonly part: Part; readonly measure: (samples: number, say: Say) => Promise<Measured> };

/** Interfaces, and what a call to EC2 takes. */
const SWITCHOVERS = [
  { interfaces: 2, callMs: 0 },
  { interfaces: 2, callMs: 150 },
  { interfaces: 2, callMs: 600 },
];

const scale: Alone = {
  part: scalePart,
  measure: async (_samples, say) => {
    const rows = await measureScale((row) => say(scaleWords(row)));
    return { section: (where) => scaleSection(rows, where), counts: scaleCounts(rows) };
  },
};

const growth: Alone = {
  part: growthPart,
  measure: async (_samples, say) => {
    const rows = await measureGrowth(({ groups, sessions, targets, firstWriteMs, lastWriteMs, ...row }) => {
      const size = `${groups} groups, ${sessions} sessions, ${targets} targets`;
      const turns = `longest turn ${ms(row.longestTurnMs.atRest)} and ${ms(row.longestTurnMs.moving)} ms`;
      say(
        `${size}: first write ${ms(firstWriteMs)} ms, last ${ms(lastWriteMs)} ms, ${row.memoryMiB.toFixed(1)} MiB, ${turns}`,
      );
    });
    return { section: (where) => growthSection(rows, where), counts: [] };
  },
};

const clouds: Alone = {
  part: cloudsPart,
  measure: async (samples, say) => {
    const rows = await measureClouds(samples);
    say(`first write in Neutron: ${ratioOfClouds(rows).toFixed(2)} of that in EC2`);
    return { section: (where) => cloudsSection(rows, where), counts: cloudCounts(rows) };
  },
};

const switchovers: Alone = {
  part: switchoversPart,
  measure: async (samples, say) => {
    const rows: SwitchoverRow[] = [];
    for (const each of SWITCHOVERS) {
      const row = await measureSwitchovers(each, samples);
      const p50 = median(row.switchovers.map(({ allMovedMs }) => allMovedMs));
      say(`${each.interfaces} interfaces at ${each.callMs} ms per call: all moved after ${ms(p50)} ms`);
      rows.push(row);
    }
    return { section: (where) => switchoversSection(rows, where), counts: switchoverCounts(rows) };
  },
};

const watched: Alone = {
  part: watchedPart,
  measure: async (samples, say) => {
    const rows = await measureWatched(samples);
    for (const watch of WATCHES) {
      const all = rows.takeovers[watch].map(({ firstWriteMs }) => firstWriteMs);
      say(`${watch}: first write ${ms(median(all))} ms`);
    }
    return { section: (where) => watchedSection(rows, where), counts: watchedCounts(rows) };
  },
};

/** By the word on the command line. */
export const ALONE: Readonly<Record<string, Alone | undefined>> = {
  scale,
  growth,
  clouds,
  switchovers,
  watched,
};
/** Those that only this way has; the page has them last. */
export const aloneParts: readonly Part[] = [clouds, switchovers, watched].map(({ part }) => part);

export type AloneWishes = { readonly samples: number; readonly out: string };

/** A string says what is wrong. */
export function readAloneWishes(args: readonly string[]): AloneWishes | string {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        samples: { type: 'string', default: '40' },
        out: { type: 'string', default: join(__dirname, '..', 'docs') },
      },
    }));
  } catch (error: unknown) {
    return error instanceof Error ? error.message : String(error);
  }
  const samples = Number(values.samples);
  if (!Number.isInteger(samples) || samples < 3) return '--samples is a whole number, 3 or more';
  return { samples, out: values.out };
}

export async function benchAlone(
  { part, measure }: Alone,
  { samples, out }: AloneWishes,
  say: Say,
): Promise<readonly Count[]> {
  const before = conditionsNow();
  say(`${before.machine}, load ${before.load.toFixed(1)}`);
  const { section, counts } = await measure(samples, say);
  const page = join(out, 'benchmarks.md');
  mkdirSync(out, { recursive: true });
  writeFileSync(page, withPart(readPage(page), part, section(before)));
  say(`written: ${page}`);
  return counts;
}
