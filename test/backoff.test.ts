import { Backoff } from '../src/backoff';

const pauses = (backoff: Backoff, count: number): readonly number[] =>
  Array.from({ length: count }, () => backoff.nextMs());

test('doubles up to the limit, for ever', () => {
  const backoff = new Backoff({ firstMs: 100, lastMs: 1_000, random: () => 1 - Number.EPSILON });
  expect(pauses(backoff, 7).map(Math.round)).toEqual([100, 200, 400, 800, 1_000, 1_000, 1_000]);
  expect(pauses(backoff, 10_000).map(Math.round)).toEqual(Array(10_000).fill(1_000));
});

test('is never shorter than half of that, so that nothing spins', () => {
  const backoff = new Backoff({ firstMs: 100, lastMs: 1_000, random: () => 0 });
  expect(pauses(backoff, 6)).toEqual([50, 100, 200, 400, 500, 500]);
});

test('begins anew after a success', () => {
  const backoff = new Backoff({ firstMs: 100, lastMs: 1_000, random: () => 0 });
  pauses(backoff, 5);
  backoff.reset();
  expect(backoff.nextMs()).toBe(50);
});
