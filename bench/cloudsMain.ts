/** `npm run bench -- clouds`: a takeover in OpenStack beside one in EC2, in one run. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cloudCounts, measureClouds } from './clouds';
import { cloudsPart, cloudsSection, ratioOfClouds } from './cloudsReport';
import { conditionsNow } from './packagedReport';
import { readPage, withPart } from './part';
import type { Count } from './statistics';

export type CloudsWishes = { readonly takeovers: number; readonly out: string };

/** A string says what is wrong. */
export function readCloudsWishes(args: readonly string[]): CloudsWishes | string {
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
  const takeovers = Number(values.samples);
  if (!Number.isInteger(takeovers) || takeovers < 3) return '--samples is a whole number, 3 or more';
  return { takeovers, out: values.out };
}

/** What is to be right in every case. */
export async function benchClouds(
  { takeovers, out }: CloudsWishes,
  say: (line: string) => unknown,
): Promise<readonly Count[]> {
  const before = conditionsNow();
  say(`${before.machine}, load ${before.load.toFixed(1)}`);
  const rows = await measureClouds(takeovers);
  say(`first write in Neutron: ${ratioOfClouds(rows).toFixed(2)} of that in EC2`);
  const page = join(out, 'benchmarks.md');
  mkdirSync(out, { recursive: true });
  writeFileSync(page, withPart(readPage(page), cloudsPart, cloudsSection(rows, before)));
  say(`written: ${page}`);
  return cloudCounts(rows);
}
