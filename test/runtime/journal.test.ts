import fc from '../support/properties';
import type { Event } from '../../src/core/state/model';
import type { Plan } from '../../src/core/state/plan';
import { initialState, type State } from '../../src/core/state/state';
import { step } from '../../src/core/step';
import { UNDIGESTED, type JournalEntry, type JournalHeader } from '../../src/runtime/journal';
import { readLine, replay, type Replayed } from '../../src/runtime/replay';
import { story, type Move } from '../core/stories';
import { answer, started, synchronizedWith } from '../core/play';
import { heldOn, observationOf, planOf, routeTarget, sessionEvent } from '../support/coreWorld';
import { journalOf, journalTo, MemorySink, recordedOf, type Moment } from '../support/journals';

const decided = (now: number): Moment => [now, { type: 'inputDrained', jitter: 0.123456789 }];

const observed = (number: number, startedAt: number, observation = observationOf('peer')): Event => ({
  type: 'ownershipObserved',
  number,
  startedAt,
  observation,
});

/** Until both sessions go DOWN and the takeover is on its way. */
const failover: readonly Moment[] = [
  [0.1, started()],
  decided(0.1),
  [100.25, synchronizedWith({})],
  decided(100.25),
  [200.5, observed(1, 150)],
  decided(200.5),
  decided(10_200.625),
  [10_300, observed(2, 10_250)],
  decided(10_300),
  [12_000.000001, sessionEvent('a', 'Down', 12_000)],
  [12_000.000002, sessionEvent('b', 'Down', 12_000)],
  decided(12_000.000003),
];

const kinds = (text: string): readonly Replayed['kind'][] => [...replay(text)].map(({ kind }) => kind);
const lastOf = (text: string): Replayed | undefined => [...replay(text)].at(-1);

function momentsOf(plan: Plan, moves: readonly Move[]): readonly Moment[] {
  let state = initialState(plan);
  let now = 1_000;
  return moves.map(({ afterMs, eventOf }) => {
    now += afterMs;
    const event = eventOf(state, now, plan);
    ({ state } = step(plan, state, event, now));
    return [now, event];
  });
}

test('a failover replays with every effect, alarm and reason', () => {
  const plan = planOf();
  const replayed = [...replay(journalOf(plan, failover))];
  expect(replayed.map(({ kind }) => kind)).toEqual(['header', ...failover.map(() => 'step')]);
  const steps = replayed.flatMap((each) => (each.kind === 'step' ? [each.step] : []));
  expect(steps).toEqual(recordedOf(plan, failover).map((each) => each.step));
  expect(steps.flatMap(({ effects }) => effects.map(({ effect }) => effect))).toContain('prepareCall');
});

test('any sequence of events replays the same, from any step on', () => {
  fc.assert(
    fc.property(story, fc.nat(40), ([plan, moves], cut) => {
      const moments = momentsOf(plan, moves);
      const sink = new MemorySink();
      const journal = journalTo(sink, plan);
      const recorded = recordedOf(plan, moments);
      journal.record(recorded.slice(0, cut));
      sink.needsHeader = true;
      journal.record(recorded.slice(cut));
      const replayed = [...replay(sink.text)];
      const steps = replayed.filter(({ kind }) => kind === 'step');
      if (steps.length !== moments.length) throw new Error(JSON.stringify(replayed.at(-1)));
    }),
    { numRuns: 100 },
  );
});

test('a line of a journal is a story for a test: it can be fed to `step`', () => {
  const [first = '', ...others] = journalOf(planOf(), failover).trimEnd().split('\n');
  const { plan, state } = JSON.parse(first) as JournalHeader;
  const line = JSON.parse(others[0] ?? '') as { readonly now: number; readonly event: Event };
  const { reason } = step(plan, state, line.event, line.now);
  expect(reason).toBe('starting without earlier decisions: none are stored');
});

test('what a keepalive brings again is not written again', () => {
  const lines = journalOf(planOf(), failover).split('\n');
  const observations = lines.filter((line) => line.includes('"event":{"type":"ownershipObserved"'));
  expect(observations.map((line) => line.includes('"observation":{'))).toEqual([true, false]);
  const quiet = lines.find((line) => line.startsWith('{"now":10200.625'));
  expect(quiet?.length).toBeLessThan(500);
});

test('of a large takeover a field is digested once a second, and it replays; one that did not change is missed', () => {
  const targets = Array.from({ length: 100 }, (_, place) => routeTarget(`10.${place}.0.0/16`));
  const plan = planOf({ targets });
  const holders = Object.fromEntries(targets.map(({ id }) => [id, heldOn('eni-peer1', 'i-peer')]));
  const answered = (now: number, call: number): Moment => [now, answer(`1.${call}.1`)];
  const text = journalOf(plan, [
    [0.5, started()],
    decided(0.5),
    [100, synchronizedWith({})],
    decided(100),
    [200, observed(1, 150, { ...observationOf('peer'), holders })],
    decided(200),
    [12_000, sessionEvent('a', 'Down', 12_000)],
    [12_000, sessionEvent('b', 'Down', 12_000)],
    decided(12_000),
    decided(12_006),
    answered(12_010, 1),
    answered(12_020, 2),
    answered(13_100, 3),
  ]);
  const lines = text.trimEnd().split('\n');
  const changed = lines.slice(-3).map((line) => (JSON.parse(line) as JournalEntry).changes['ownership']);
  expect(changed).toEqual([expect.stringMatching(/^#/), UNDIGESTED, expect.stringMatching(/^#/)]);
  expect(kinds(text).slice(1)).toEqual(lines.slice(1).map(() => 'step'));
  const wrong = text.replace(
    `"ownership":"${UNDIGESTED}"`,
    `"ownership":"${UNDIGESTED}","streams":"${UNDIGESTED}"`,
  );
  expect(lastOf(wrong)).toMatchObject({ differences: [{ what: 'state.streams', replayed: 'unchanged' }] });
});

test('a header in the middle needs nothing of what is before it', () => {
  const sink = new MemorySink();
  const journal = journalTo(sink, planOf());
  const recorded = recordedOf(planOf(), failover);
  journal.record(recorded.slice(0, 7));
  sink.needsHeader = true;
  sink.lostLines = 5;
  sink.lines = [];
  journal.record(recorded.slice(7));
  const replayed = [...replay(sink.text)];
  expect(replayed[0]).toMatchObject({ kind: 'header', header: { lostLines: 5, now: 10_300 } });
  expect(replayed.slice(1).map(({ kind }) => kind)).toEqual(failover.slice(7).map(() => 'step'));
});

describe('a difference is found where it is', () => {
  const whole = journalOf(planOf(), failover);
  const changed = (from: string | RegExp, to: string): Replayed | undefined => {
    const text = whole.replace(from, to);
    expect(text).not.toBe(whole);
    return lastOf(text);
  };
  const differs = (line: number, what: string, written: string, replayed: unknown = expect.any(String)) => ({
    kind: 'difference',
    line,
    differences: expect.arrayContaining([{ what, written, replayed }]) as unknown,
  });

  test.each([
    ['reason', /"reason":"starting without/, '"reason":"starting with', 2, /^"starting with earlier/],
    ['effects', '"effects":[{"effect":"observeOwnership","number":1}]', '"effects":[]', 3, /^\[\]$/],
    ['weight', /"weight":"notable"/, '"weight":"alarm"', 2, /^"alarm"$/],
    ['state.wakeAt', /(?<="changes":\{[^}]*"wakeAt":)\d/, '9', 3, /^9/],
    ['state.bootId', '"changes":{"bootId":"boot"', '"changes":{"bootId":"boots"', 2, /^"boots"$/],
  ])('in %s', (what, from, to, line, written) => {
    expect(changed(from, to)).toMatchObject(
      differs(line, what, expect.stringMatching(written) as unknown as string),
    );
  });

  test('in what a digest stands for, and where the core sets more or less than was written', () => {
    expect(changed(/"streams":"#[0-9a-f]{12}"/, '"streams":"#000000000000"')).toMatchObject(
      differs(4, 'state.streams', '"#000000000000"'),
    );
    expect(changed(/"streams":"#[0-9a-f]{12}",?/, '')).toMatchObject(
      differs(4, 'state.streams', 'unchanged'),
    );
    expect(changed(/"streams":"#[0-9a-f]{12}"/, '$&,"inhibit":null')).toMatchObject(
      differs(4, 'state.inhibit', 'null', 'unchanged'),
    );
  });

  test('in an event', () => {
    expect(changed('"level":"Down"', '"level":"Up"')).toMatchObject({ kind: 'difference', line: 11 });
  });

  test('in the clock, to the last bit', () => {
    expect(changed('"now":12000.000003', '"now":12000.000003000002')).toMatchObject({
      kind: 'difference',
      line: 13,
    });
  });
});

describe('what is no whole journal', () => {
  const whole = journalOf(planOf(), failover);
  const lines = whole.trimEnd().split('\n');
  const steps = (count: number) => Array.from({ length: count }, () => 'step');

  test('a last line that is cut off is normal', () => {
    expect(kinds(whole.slice(0, -20))).toEqual(['header', ...steps(11), 'cutOff']);
  });

  test('so is one before the next run of the daemon', () => {
    const torn = `${whole.slice(0, -20)}\n${whole}`;
    expect(kinds(torn)).toEqual(['header', ...steps(11), 'cutOff', 'header', ...steps(12)]);
  });

  test.each([
    ['nothing', '', 1, 'it is empty'],
    ['empty lines', '\n\n', 1, 'it is empty'],
    ['another text', 'hello', 1, 'the line is damaged: it is no JSON'],
    ['a log', '{"level":"info"}\n', 1, 'the line is no step of a journal'],
    ['a list', '[]\n', 1, 'the line is no part of a journal'],
    ['no header', `${lines.slice(1).join('\n')}\n`, 1, 'it does not begin with a header'],
    [
      'a line cut off in the middle',
      [...lines.slice(0, 3), '{"now":', ...lines.slice(3)].join('\n'),
      4,
      'the line is damaged: it is no JSON',
    ],
    [
      'an older format',
      whole.replace('"format":7', '"format":5'),
      1,
      'its format is 5, and this version reads 7',
    ],
    ['no format', whole.replace('"format":7,', ''), 1, 'its format is none, and this version reads 7'],
    [
      'another program',
      whole.replace('"journal":"xr-aws-ha"', '"journal":"x"'),
      1,
      'the line is no header of a journal of xr-aws-ha',
    ],
    ['half a header', whole.replace('"version"', '"revision"'), 1, 'the header is damaged'],
    [
      'an unknown event',
      whole.replace('"type":"started"', '"type":"toString"'),
      2,
      'the line is no step of a journal',
    ],
    [
      'a plan without times',
      whole.replace('"timing"', '"timings"'),
      2,
      expect.stringMatching(/^the core cannot take this started \(/) as unknown as string,
    ],
  ])('%s', (_name, text, line, problem) => {
    expect(lastOf(text)).toEqual({ kind: 'fault', line, problem });
  });
});

test('readLine gives the state of a header as it was', () => {
  const read = readLine(journalOf(planOf(), failover).split('\n')[0] ?? '');
  const state: State | null = read.kind === 'header' ? read.header.state : null;
  expect(state).toEqual(initialState(planOf()));
});
