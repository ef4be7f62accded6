/** `npm run bench -- switchovers`: planned switchovers between two healthy routers. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { conditionsNow } from './packagedReport';
import { readPage, withPart } from './part';
import { median, ms, type Count } from './statistics';
import { measureSwitchovers, switchoverCounts } from './switchovers';
import { switchoversPart, switchoversSection } from './switchoversReport';
import type { Wishes } from './wishes';

const SUBJECTS = [
  { interfaces: 2, callMs: 0 },
  { interfaces: 2, callMs: 150 },
  { interfaces: 2, callMs: 600 },
];

/** What is to be right in every case. */
export async function benchSwitchovers(
  { samples, out }: Wishes,
  say: (line: string) => unknown,
): Promise<readonly Count[]> {
  const before = conditionsNow();
  say(`${before.machine}, load ${before.load.toFixed(1)}`);
  const rows = [];
  for (const each of SUBJECTS) {
    const row = await measureSwitchovers(each, samples);
    const p50 = median(row.switchovers.map(({ allMovedMs }) => allMovedMs));
    say(`${each.interfaces} interfaces at ${each.callMs} ms per call: all moved after ${ms(p50)} ms`);
    rows.push(row);
  }
  const page = join(out, 'benchmarks.md');
  mkdirSync(out, { recursive: true });
  writeFileSync(page, withPart(readPage(page), switchoversPart, switchoversSection(rows, before)));
  say(`written: ${page}`);
  return switchoverCounts(rows);
}
