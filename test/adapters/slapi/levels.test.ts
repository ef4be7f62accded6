// Merging what was asked for with what the stream said, by the router's event counter.
import { Levels, type Known } from '../../../src/slapi/levels';

type Level = 'Up' | 'Down';

const known = (level: Level, seqNum: bigint): Known<Level> => ({
  level,
  seqNum,
  diag: '',
  notification: {},
});

test('the first event is news, the same one again is repeated', () => {
  const levels = new Levels<Level>();
  expect(levels.heard('a', known('Up', 5n))).toBe('news');
  expect(levels.heard('a', known('Up', 5n))).toBe('repeated');
  expect(levels.heard('a', known('Down', 6n))).toBe('news');
});

test('without numbers every event is news', () => {
  const levels = new Levels<Level>();
  expect(levels.heard('a', known('Up', 0n))).toBe('news');
  expect(levels.heard('a', known('Up', 0n))).toBe('news');
});

test('an event older than the reading changes nothing', () => {
  const levels = new Levels<Level>();
  levels.read('a', known('Up', 9n), levels.ask());
  expect(levels.heard('a', known('Down', 8n))).toBe('outdated');
  expect(levels.get('a')?.level).toBe('Up');
});

test('an event heard while the reading was under way counts, when its number is higher', () => {
  const levels = new Levels<Level>();
  const asked = levels.ask();
  levels.heard('a', known('Down', 9n));
  expect(levels.read('a', known('Up', 8n), asked)).toBe(false);
  expect(levels.get('a')?.level).toBe('Down');
});

test('a reading asked for after the event counts, whatever its number: the counter has restarted', () => {
  const levels = new Levels<Level>();
  levels.heard('a', known('Up', 900n));
  expect(levels.read('a', known('Down', 3n), levels.ask())).toBe(true);
  expect(levels.get('a')?.level).toBe('Down');
  expect(levels.heard('a', known('Up', 4n))).toBe('news');
});

test('what a reading does not hold is not known any more, unless the stream has said it since', () => {
  const levels = new Levels<Level>();
  levels.heard('gone', known('Up', 1n));
  const asked = levels.ask();
  levels.heard('new', known('Up', 2n));
  levels.absent('gone', asked);
  levels.absent('new', asked);
  expect(levels.get('gone')).toBeNull();
  expect(levels.get('new')?.level).toBe('Up');
});
