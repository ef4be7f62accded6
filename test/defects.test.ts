/** Keeps docs/predecessor-defects.md honest: 32 rows, each with tests that exist under exactly that name, or a reason. */
import { isThere, namedTests, pageOf, type NamedTest } from './support/namedTests';

const page = pageOf('predecessor-defects.md');

type Row = { readonly number: number; readonly here: string; readonly tests: string; readonly level: string };

const rows = page
  .split('\n')
  .filter((line) => /^\| \d/.test(line))
  .map((line): Row => {
    const [, number = '', , here = '', tests = '', level = ''] = line.split('|').map((cell) => cell.trim());
    return { number: Number(number), here, tests, level };
  });

type Named = NamedTest & { readonly number: number };

const named = rows.flatMap(({ number, tests }) =>
  namedTests(tests).map((each): Named => ({ number, ...each })),
);

test('every defect from 1 to 32 stands there once, in order', () => {
  expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 32 }, (_, index) => index + 1));
});

test('each has a test, or says why it cannot apply', () => {
  for (const { number, here, level } of rows) {
    const count = named.filter((each) => each.number === number).length;
    const cannotApply = here.startsWith('Cannot apply: ');
    expect({ number, tested: count > 0, level: level === 'none' }).toEqual({
      number,
      tested: !cannotApply,
      level: cannotApply,
    });
  }
});

test.each(named)('$number: $file has "$name"', (each) => {
  expect(isThere(each)).toBe(true);
});
