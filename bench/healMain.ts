/** `npm run bench -- heal`: how long a healing takes beside what EC2 takes, its calls, and the start of the function. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureHealings, measureStarts, type StartRow } from './heal';
import { healCounts, healPart, healSection } from './healReport';
import { conditionsNow } from './packagedReport';
import { readPage, withPart } from './part';
import { median, ms, type Count } from './statistics';

export type HealWishes = {
  /** Programs that start the bundle. */
  readonly nodes: readonly string[];
  readonly starts: number;
  readonly out: string;
};

/** A string says what is wrong. */
export function readHealWishes(args: readonly string[]): HealWishes | string {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        node: { type: 'string', multiple: true, default: [] },
        starts: { type: 'string', default: '20' },
        out: { type: 'string', default: join(__dirname, '..', 'docs') },
      },
    }));
  } catch (error: unknown) {
    return error instanceof Error ? error.message : String(error);
  }
  const starts = Number(values.starts);
  if (!Number.isInteger(starts) || starts < 1) return '--starts is a whole number, 1 or more';
  return { nodes: [process.execPath, ...values.node], starts, out: values.out };
}

/** What is to be right in every case. */
export async function benchHeal(
  { nodes, starts, out }: HealWishes,
  say: (line: string) => unknown,
): Promise<readonly Count[]> {
  const before = conditionsNow();
  say(`${before.machine}, load ${before.load.toFixed(1)}`);
  const rows = await measureHealings(say);
  const started: StartRow[] = [];
  for (const node of nodes) {
    const row = await measureStarts(node, starts);
    say(
      `Node ${row.node}: load ${ms(median(row.loadMs))} ms, first invocation ${ms(median(row.firstMs))} ms`,
    );
    started.push(row);
  }
  const page = join(out, 'benchmarks.md');
  mkdirSync(out, { recursive: true });
  writeFileSync(page, withPart(readPage(page), healPart, healSection(rows, started, before)));
  say(`written: ${page}`);
  return healCounts(rows);
}
