/** Keeps docs/faults.md honest: every row is complete and names tests that exist under exactly that name. */
import { isThere, namedTests, pageOf } from './support/namedTests';

const rows = pageOf('faults.md')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (what|-+) \|/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()));

test('every row says what, the state, what one sees, what recovers, and names its tests', () => {
  expect(rows.length).toBeGreaterThan(40);
  for (const row of rows) {
    expect(row.length).toBe(7);
    expect(row.slice(1, -1).every((cell) => cell !== '')).toBe(true);
  }
});

test.each(rows.flatMap((row) => namedTests(row[5] ?? '')))('$file has "$name"', (named) => {
  expect(isThere(named)).toBe(true);
});
