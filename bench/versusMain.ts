/** `npm run bench -- --versus DIR`: this build against that in another checkout. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { conditionsNow } from './packagedReport';
import { readPage, withPart } from './part';
import { ms } from './statistics';
import { buildIn, compareRest, compareRow, type Compared } from './versus';
import { ratioWords, valueOf, versusPart, versusSection } from './versusReport';
import { rows } from './versusRows';

const home = join(__dirname, '..');

export type VersusWishes = {
  readonly directory: string;
  readonly names: readonly string[];
  /** Null: as each row has it. */
  readonly pairs: number | null;
  readonly restS: number;
  readonly out: string | null;
  readonly args: readonly string[];
};

const REST = 'rest';
export const rowNames: readonly string[] = [...rows.map(({ name }) => name), REST];

/** A string says what is wrong. */
export function readVersusWishes(args: readonly string[]): VersusWishes | string {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        versus: { type: 'string' },
        rows: { type: 'string', default: rowNames.join(',') },
        pairs: { type: 'string' },
        rest: { type: 'string', default: '60' },
        out: { type: 'string' },
      },
    }));
  } catch (error: unknown) {
    return error instanceof Error ? error.message : String(error);
  }
  const { versus: directory, out = null } = values;
  if (directory === undefined) return '--versus needs the directory of the other checkout';
  const names = values.rows.split(',');
  const unknown = names.filter((name) => !rowNames.includes(name));
  if (unknown.length > 0) return `there is no row ${unknown.join(', ')}, only ${rowNames.join(', ')}`;
  const pairs = values.pairs === undefined ? null : Number(values.pairs);
  if (pairs !== null && !(Number.isInteger(pairs) && pairs >= 1))
    return '--pairs is a whole number, 1 or more';
  const restS = Number(values.rest);
  if (!Number.isInteger(restS) || restS < 10) return '--rest is a whole number, 10 or more';
  return { directory, names, pairs, restS, out, args };
}

export async function versus(wishes: VersusWishes, say: (line: string) => unknown): Promise<number> {
  const { directory, names, pairs, restS, out, args } = wishes;
  const builds = { here: buildIn(home), there: buildIn(directory) };
  const before = conditionsNow();
  const between = {
    here: nameOf(home),
    there: nameOf(directory),
    command: `npm run bench -- ${args.map((arg) => (arg === directory ? 'DIR' : arg)).join(' ')}`,
  };
  say(`${between.here} versus ${between.there}: ${before.machine}, load ${before.load.toFixed(1)}`);
  const compared: Compared[] = [];
  const take = (figures: readonly Compared[]) => {
    for (const each of figures) {
      const share = each.figure.quantile ?? 0.5;
      say(
        `${each.figure.what}: ${ms(valueOf(each.here, share))} and ${ms(valueOf(each.there, share))}: ${ratioWords(each)}`,
      );
      compared.push(each);
    }
  };
  for (const row of rows)
    if (names.includes(row.name)) take(await compareRow(row, builds, pairs ?? row.pairs));
  const restingRow = rows.find(({ name }) => name === 'first');
  if (names.includes(REST) && restingRow !== undefined) take(await compareRest(restingRow, builds, restS));
  if (out === null) return 0;
  mkdirSync(out, { recursive: true });
  const page = join(out, 'benchmarks.md');
  writeFileSync(page, withPart(readPage(page), versusPart, versusSection(compared, between, before)));
  say(`written: ${page}`);
  return 0;
}

/** The commit that is checked out there. */
function nameOf(directory: string): string {
  try {
    return execFileSync('git', ['-C', directory, 'describe', '--always', '--dirty'], {
      encoding: 'utf8',
    }).trim();
  } catch {
    return 'a build without a commit';
  }
}
