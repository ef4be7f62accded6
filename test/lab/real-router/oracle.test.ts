/** What the soak with packets judges by: who forwards while nothing moves, and times that are drawn. */
import { logNormal } from '../../../lab/real-router/distribution';
import { forwardingOf, type Look } from '../../../lab/real-router/forwardingLog';
import type { Move } from '../../../lab/real-router/vpc';
import { randomOf } from '../../../lab/soak/random';

const look = (atMs: number, rtr1: number, rtr2: number): Look => ({
  fromMs: atMs,
  untilMs: atMs + 10,
  forwarded: { rtr1: { seen: rtr1, passed: rtr1 }, rtr2: { seen: rtr2, passed: rtr2 } },
});

const move = (changedAtMs: number, appliedAtMs: number): Move => ({
  side: 'user',
  to: 'rtr2',
  changedAtMs,
  dueAtMs: appliedAtMs,
  appliedAtMs,
});

const alone = [look(0, 0, 0), look(1000, 100, 0)];
const both = [look(0, 0, 0), look(1000, 100, 50)];

test.each([
  ['one router forwards', alone, [], { quiet: 1, both: 0 }],
  ['both forward, and nothing has moved', both, [], { quiet: 1, both: 1 }],
  ['both forward, one before and one after a move', both, [move(500, 501)], { quiet: 0, both: 0 }],
  ['a change has been made and has no effect yet', both, [move(500, 2000)], { quiet: 0, both: 0 }],
  ['a move right before the first look', both, [move(-60, -50)], { quiet: 0, both: 0 }],
  ['a move long before the first look', both, [move(-600, -500)], { quiet: 1, both: 1 }],
  ['a move after the last look', both, [move(1100, 1101)], { quiet: 1, both: 1 }],
  ['there was one look only', [look(0, 0, 0)], [], { quiet: 0, both: 0 }],
] as const)('%s', (_name, looks, moves, expected) => {
  expect(forwardingOf(looks, moves)).toEqual(expected);
});

test('half of the draws are longer than the median, and one of twenty four times as long', () => {
  const random = randomOf(1);
  const draw = logNormal({ medianMs: 100, sigma: 0.85 }, () => random.next());
  const draws = Array.from({ length: 10_000 }, draw);
  const share = (ms: number) => draws.filter((each) => each > ms).length / draws.length;
  expect(share(100)).toBeCloseTo(0.5, 1);
  expect(share(400)).toBeCloseTo(0.05, 1);
});
