/** `npm run bench -- clouds`: a takeover in OpenStack beside one in EC2, in one run. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cloudCounts, measureClouds } from './clouds';
import { cloudsPart, cloudsSection, ratioOfClouds } from './cloudsReport';
import { conditionsNow } from './packagedReport';
import { readPage, withPart } from './part';
import type { Count } from './statistics';
import type { Wishes } from './wishes';

/** What is to be right in every case. */
export async function benchClouds(
  { samples, out }: Wishes,
  say: (line: string) => unknown,
): Promise<readonly Count[]> {
  const before = conditionsNow();
  say(`${before.machine}, load ${before.load.toFixed(1)}`);
  const rows = await measureClouds(samples);
  say(`first write in Neutron: ${ratioOfClouds(rows).toFixed(2)} of that in EC2`);
  const page = join(out, 'benchmarks.md');
  mkdirSync(out, { recursive: true });
  writeFileSync(page, withPart(readPage(page), cloudsPart, cloudsSection(rows, before)));
  say(`written: ${page}`);
  return cloudCounts(rows);
}
