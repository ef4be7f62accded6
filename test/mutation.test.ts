/** The pages that say what the tests of the core catch: complete, above their thresholds, and about this code. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NO_REASON, reasons } from '../scripts/mutate/page';
import { NO_REASON as NO_REASON_TO_MISS, reasons as reasonsToMiss } from '../scripts/coverage';
import { pageOf } from './support/namedTests';

const lines = (file: string): readonly string[] =>
  readFileSync(join(__dirname, '../src/core', file), 'utf8')
    .split('\n')
    .map((line) => line.trim());

const percentIn = (page: string): number => Number(/\*\*([\d.]+) %\*\*/.exec(page)?.[1]);

test('the mutation check catches at least 90 %, and each survivor is named with a reason', () => {
  const page = pageOf('mutation.md');
  expect(percentIn(page)).toBeGreaterThanOrEqual(90);
  expect(page).not.toContain(NO_REASON);
});

test('at least 98 % of the branches are taken, and each other one is named with a reason', () => {
  const page = pageOf('coverage.md');
  expect(percentIn(page)).toBeGreaterThanOrEqual(98);
  expect(page).not.toContain(NO_REASON_TO_MISS);
});

test('the reasons are about lines that are there', () => {
  const gone = [...reasons(), ...reasonsToMiss()].filter(({ file, code }) => !lines(file).includes(code));
  expect(gone.map(({ file, code }) => `${file}: ${code}`)).toEqual([]);
});
