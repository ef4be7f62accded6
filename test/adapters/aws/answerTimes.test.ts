// How long EC2 takes here: what is learnt of its answers, and when it is news.
import { AnswerTimes } from '../../../src/transport/answerTimes';

function learning(): { readonly times: AnswerTimes; readonly told: number[] } {
  const told: number[] = [];
  return { times: new AnswerTimes((slowAfterMs) => told.push(slowAfterMs)), told };
}

const read = (times: AnswerTimes, ...answers: readonly number[]): void => {
  for (const afterMs of answers) times.answered('read', afterMs);
};

test('nothing is said of a few answers', () => {
  const { times, told } = learning();
  read(times, 100, 100, 100, 100, 100, 100, 100);
  expect(told).toEqual([]);
});

test('where all take as long, half as much again is slow; a write takes twice as long as a read until one is known', () => {
  const { times, told } = learning();
  read(times, ...Array<number>(8).fill(100));
  expect(told).toEqual([300]);
  times.answered('write', 400);
  expect(told).toEqual([300, 600]);
});

test('of a long tail it is what seven of ten do not exceed', () => {
  const { times, told } = learning();
  times.answered('write', 100);
  read(times, 80, 80, 100, 100, 100, 400, 500, 900, 2_000);
  expect(told.at(-1)).toBe(400);
});

test('a small change is no news, and old answers are forgotten', () => {
  const { times, told } = learning();
  read(times, ...Array<number>(8).fill(100), 110, 110, 110, 110, 110, 110, 110, 110, 110, 110);
  expect(told).toEqual([300]);
  read(times, ...Array<number>(40).fill(20));
  expect(told.at(-1)).toBe(60);
});
