// What the bench of many targets compares with, and how its section gets into the page.
import { floorOf } from '../../bench/scale';
import { framed, partOf, withPart } from '../../bench/part';

test.each([
  ['routes', 1, 150],
  ['routes', 50, 150],
  ['routes', 51, 350],
  ['routes', 200, 30_150],
  ['routes', 500, 90_150],
  ['addresses', 100, 150],
  ['addresses', 110, 2_150],
] as const)(
  'the floor of %s in %d requests is %d ms: one call, and the refill beyond the burst',
  (kind, writes, ms) => {
    expect(floorOf(kind, writes)).toBe(ms);
  },
);

test('a part of the bench replaces its own section and leaves the others as they are', () => {
  const own = { name: 'scale', source: 'bench/scaleReport.ts' };
  const other = framed({ name: 'package', source: 'bench/packagedReport.ts' }, ['## Two', '', 'kept']);
  const pageOf = (words: string) =>
    ['# Page', '', ...framed(own, ['## One', '', words]), '', ...other, ''].join('\n');
  const section = framed(own, ['## One', '', 'new']);
  expect(withPart(pageOf('old'), own, section)).toBe(pageOf('new'));
  expect(partOf(pageOf('new'), own)).toEqual(section);
  expect(withPart('# Page\n', own, section)).toBe(`# Page\n\n${section.join('\n')}\n`);
});
