// What the bench of many targets compares with, and how its section gets into the page.
import { floorOf } from '../../bench/scale';
import { withSection } from '../../bench/table';

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
  const page = '# Page\n\nWords.\n\n## One\n\nold\n\n| a |\n\n## Two\n\nkept\n';
  expect(withSection(page, ['## One', '', 'new'])).toBe(
    '# Page\n\nWords.\n\n## One\n\nnew\n\n## Two\n\nkept\n',
  );
  expect(withSection(page, ['## Three', '', 'new'])).toBe(`${page}\n## Three\n\nnew\n`);
});
