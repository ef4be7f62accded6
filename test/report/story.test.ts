import { momentsOf } from '../../src/report/moments';
import { pairOf, type Source } from '../../src/report/pair';
import { storyOf, unservedMs, type Story } from '../../src/report/story';
import { textOf } from '../../src/report/text';
import { htmlOf } from '../../src/report/html';
import { planOf, TARGETS } from '../support/coreWorld';
import {
  BEGIN_MS,
  DOWN_MS,
  journalOfRouter,
  MOVED_MS,
  rtr1Dies,
  rtr1LosesBfd,
  rtr2TakesOver,
  type Clocking,
} from './pairJournals';

const source = (name: string, text: string, group: string | null = null, path = `${name}.jsonl`): Source => ({
  path,
  name,
  group,
  ...momentsOf(text),
});

const whole = () => ({ since: null, until: null });

function told(...sources: readonly Source[]): Story {
  const pair = pairOf(sources);
  if (!pair.ok) throw new Error(pair.problem);
  return storyOf(pair.routers, whole, pair.limits);
}

const died = (clocking: Clocking = {}) => source('rtr1', journalOfRouter('rtr1', rtr1Dies, clocking));
const lost = (clocking: Clocking = {}) => source('rtr1', journalOfRouter('rtr1', rtr1LosesBfd, clocking));
const tookOver = (clocking: Clocking = {}) =>
  source('rtr2', journalOfRouter('rtr2', rtr2TakesOver, clocking));

const problemOf = (...sources: readonly Source[]): string => {
  const pair = pairOf(sources);
  return pair.ok ? 'a pair' : pair.problem;
};

/** How far the axis is from EC2's time, by when rtr2 said that it takes over. */
const errorMs = (story: Story): number =>
  (story.episodes.flatMap(({ happenings }) => happenings).find(({ text }) => /^taking over /.test(text))
    ?.at ?? NaN) -
  (BEGIN_MS + DOWN_MS);

describe('who held what, and how long nobody did', () => {
  test('a router dies: from DOWN at its peer until EC2 has moved each', () => {
    const story = told(died(), tookOver());
    const targets = story.groups[0]?.targets ?? [];
    expect(targets.map(({ id, holders }) => [id, holders.map(({ value }) => value)])).toEqual(
      TARGETS.map((id) => [id, ['rtr1', 'rtr2']]),
    );
    const lengths = targets.map(({ unserved }) => unserved.map(({ from, to }) => Math.round(to - from)));
    expect(lengths).toEqual(MOVED_MS.map((at) => [at - DOWN_MS]));
    expect(unservedMs(story.groups)).toBeCloseTo(MOVED_MS[1] - DOWN_MS, 1);
    expect(story.takeovers).toHaveLength(1);
    expect(story.takeovers[0]?.words).toMatch(
      /^rtr2 took over: .*all moved after 160 ms, counted from BFD DOWN$/,
    );
  });

  test('only the path between them breaks: the holder lived on, so nothing was without one', () => {
    const story = told(lost(), tookOver());
    expect(unservedMs(story.groups)).toBe(0);
    expect(story.groups[0]?.targets[0]?.holders.map(({ value }) => value)).toEqual(['rtr1', 'rtr2']);
  });

  test('a holder whose last line comes before its peer sees it for the first time, and who dies later', () => {
    const late = rtr2TakesOver.map((each, index) => (index === 2 ? ([150, each[1]] as const) : each));
    const soon = rtr1Dies.filter(([at]) => at < 250).map(([at, what]) => [at / 2, what] as const);
    const story = told(
      source('rtr1', journalOfRouter('rtr1', soon)),
      source('rtr2', journalOfRouter('rtr2', late)),
    );
    expect(unservedMs(story.groups)).toBeCloseTo(MOVED_MS[1] - DOWN_MS, 1);
  });

  test('of the survivor alone it is the same story, and says what it cannot know', () => {
    const story = told(tookOver());
    expect(unservedMs(story.groups)).toBeCloseTo(MOVED_MS[1] - DOWN_MS, 1);
    expect(story.groups[0]?.targets[0]?.holders.map(({ value }) => value)).toEqual(['i-peer', 'rtr2']);
    expect(story.limits).toEqual([
      'only rtr2 has told: what its peer saw and did, and whether it still served, is not known',
    ]);
  });
});

describe('one time for both', () => {
  test.each([
    [0, 0],
    [3_210, -450],
    [-7_200_000, 86_400_000],
  ])("EC2's time makes one of clocks that are %d and %d ms ahead", (first, second) => {
    const story = told(
      died({ wallAheadMs: first, monotonicMs: 9_876_543.21 }),
      tookOver({ wallAheadMs: second, monotonicMs: 12.34 }),
    );
    expect(Math.abs(errorMs(story))).toBeLessThan(60);
    expect(story.axis).toMatch(/^Times are EC2's/);
    const said = story.clocks.map((words) => /was ([\d.]+) s (ahead of|behind)/.exec(words) ?? []);
    for (const [index, ahead] of [first, second].entries()) {
      const [, seconds = '', side] = said[index] ?? [];
      expect(Math.abs((side === 'behind' ? -1 : 1) * Number(seconds) * 1000 - ahead)).toBeLessThan(100);
    }
    // The two that happened at once in truth are not far apart here.
    expect(story.clocks.every((words) => /right to ± 0\.0\d s/.test(words))).toBe(true);
  });

  test('without it, what both saw of BFD says how far they are apart', () => {
    const story = told(lost({ ec2: false }), tookOver({ ec2: false, wallAheadMs: 90_000 }));
    expect(story.axis).toMatch(/^Times are those of rtr1's clock/);
    expect(story.clocks[1]).toMatch(
      /^rtr2: its clock is (89\.98|90\.\d+) s ahead of rtr1's, right to ± 0\.1\d s, by \d changes? of BFD/,
    );
    expect(Math.abs(errorMs(story))).toBeLessThan(150);
  });

  test('without anything in common it is not known, and said', () => {
    const story = told(died({ ec2: false }), tookOver({ ec2: false }));
    expect(story.clocks[1]).toMatch(/How far the two are apart is not known/);
  });
});

describe('journals that are not whole', () => {
  const text = journalOfRouter('rtr2', rtr2TakesOver);
  const damaged = (line: number, to: string) => {
    const lines = text.split('\n');
    lines[line - 1] = to;
    return source('rtr2', lines.join('\n'));
  };

  test('a damaged line: what follows is told in the words of the journal, without roles', () => {
    const story = told(died(), damaged(4, '{"now":'));
    expect(story.limits).toEqual([
      'rtr2.jsonl: line 4: the line is damaged: it is no JSON: up to the next header the role is not known',
    ]);
    const texts = story.episodes.flatMap(({ happenings }) => happenings).map((each) => each.text);
    expect(texts.some((each) => /^taking over /.test(each))).toBe(true);
  });

  test('a last line that is cut off costs nothing', () => {
    expect(told(died(), source('rtr2', text.slice(0, -9))).limits).toEqual([]);
  });

  test('another version decided otherwise: its own words are told', () => {
    const other = text
      .replaceAll('is STANDBY and watches', 'is STANDBY and sleeps')
      .replace(/"version":"[^"]*"/, '"version":"0.9.0"');
    const story = told(died(), source('rtr2', other));
    expect(story.limits[0]).toMatch(/this version decides otherwise than 0\.9\.0, which wrote it/);
    expect(JSON.stringify(story.episodes)).toContain('is STANDBY and sleeps');
  });

  test('a run of another format is left out, the next one is told', () => {
    const old = text.replace(/"format":\d+/, '"format":1');
    const read = momentsOf(`${old}\n${text}`);
    expect(read.parts).toHaveLength(1);
    expect(read.limits).toEqual([
      expect.stringMatching(
        /^line 1: its format is 1, and this version reads \d+: nothing up to the next header can be told$/,
      ),
    ]);
  });

  test.each(['', '\n\n', 'no journal\n', '{"level":"info"}\n', '[]', '{"journal":"xr-aws-ha"}'])(
    'what is no journal is none: %j',
    (content) => {
      const read = momentsOf(content);
      expect(read.parts).toEqual([]);
      expect(problemOf(source('rtr1', content))).not.toBe('a pair');
    },
  );
});

describe('journals that are not of a pair', () => {
  test('the same router twice', () => {
    expect(problemOf(tookOver(), source('again', journalOfRouter('rtr2', rtr2TakesOver)))).toMatch(
      /^rtr2\.jsonl and again\.jsonl are both of i-own, at the same time: /,
    );
  });

  test('routers of two pairs, by their targets and by their peers', () => {
    const others = planOf({
      targets: planOf().targets.map((target) => ({ ...target, id: `10.0.0.${target.rank}` })),
    });
    const other = source('rtr9', journalOfRouter('rtr1', rtr1Dies, {}, others));
    expect(problemOf(other, tookOver())).toMatch(
      /^rtr9 .* and rtr2 \(i-own\) are no pair: rtr9 moves 10\.0\.0\.0, and rtr2 172/,
    );
    const stranger = source('rtr7', journalOfRouter('rtr1', rtr1Dies).replaceAll('i-peer', 'i-stranger'));
    expect(problemOf({ ...stranger, instanceId: 'i-stranger' }, tookOver())).toMatch(
      /are no pair: the peer of rtr2 is i-peer$/,
    );
  });

  test('three routers', () => {
    const third = { ...died(), name: 'rtr3', instanceId: 'i-third' };
    expect(problemOf(died(), tookOver(), third)).toMatch(
      /^a pair has two routers, and these are journals of 3: /,
    );
  });

  test('two instances at one time under one name', () => {
    expect(problemOf({ ...died(), name: 'rtr' }, { ...tookOver(), name: 'rtr' })).toMatch(
      /both called rtr, and are of two instances \(i-peer, i-own\)/,
    );
  });
});

test('two generations of a journal are one, whichever is named first', () => {
  const before = journalOfRouter('rtr2', rtr2TakesOver, { ec2: false });
  const later = journalOfRouter('rtr2', rtr2TakesOver, {
    wallAheadMs: 2_000_000,
    monotonicMs: 2_005_000,
    ec2: false,
  });
  const story = told(source('rtr2', later), source('rtr2', before, null, 'rtr2.jsonl.1'), died());
  expect(story.routers[0]?.runs).toHaveLength(2);
  expect(story.groups).toHaveLength(1);
});

test('groups: each has its holder and its roles, and what is about the router is said once', () => {
  const only = (index: number) => planOf({ targets: planOf().targets.slice(index, index + 1) });
  const of = (router: 'rtr1' | 'rtr2', index: number, group: string) =>
    source(
      router,
      journalOfRouter(router, router === 'rtr1' ? rtr1Dies : rtr2TakesOver, {}, only(index)),
      group,
      `${router}-${group}`,
    );
  const story = told(
    of('rtr1', 0, 'north'),
    of('rtr1', 1, 'south'),
    of('rtr2', 0, 'north'),
    of('rtr2', 1, 'south'),
  );
  expect(story.groups.map(({ name, targets }) => [name, targets.map(({ id }) => id)])).toEqual([
    ['north', [TARGETS[0]]],
    ['south', [TARGETS[1]]],
  ]);
  const texts = story.episodes.flatMap(({ happenings }) => happenings);
  const downs = texts.filter(({ text }) => /^the session a went from UP to DOWN/.test(text));
  expect(downs.map(({ router, group }) => [router, group])).toEqual([['rtr2', null]]);
  expect(texts.filter(({ text, group }) => /^taking over /.test(text) && group !== null)).not.toEqual([]);
});

test('what stands in a journal can neither steer a terminal nor become a part of the page', () => {
  const hostile = `</td><script>alert(1)</script>&"'\u001b[31m\u202e`;
  const text = journalOfRouter('rtr2', [
    ...rtr2TakesOver,
    [DOWN_MS + 500, { type: 'inhibitRequested', request: 1, forMs: 60_000, why: hostile, wallNow: BEGIN_MS }],
  ]);
  const story = told(died(), source(`rtr2<b>`, text));
  const html = htmlOf(story, '1.0.0');
  expect(html).not.toMatch(/<script|<b>|\u001b|\u202e/);
  expect(html).toContain('&#60;script&#62;');
  const terminal = [...textOf(story, '1.0.0', (each) => each.replace(/\p{C}/gu, '?'))].join('');
  expect(terminal).toContain('<script>alert(1)');
  expect(terminal).not.toMatch(/\u001b|\u202e/);
});

test('a part of the time can be asked for, and quiet times are no episodes', () => {
  const pair = pairOf([died(), tookOver()]);
  if (!pair.ok) throw new Error(pair.problem);
  const story = storyOf(pair.routers, ({ to }) => ({ since: to - 10_000, until: null }), []);
  expect(story.episodes).toHaveLength(1);
  expect(story.episodes[0]?.happenings[0]?.text).toMatch(/^the session a went from UP to DOWN/);
  expect(told(died(), tookOver()).episodes).toHaveLength(2);
});
