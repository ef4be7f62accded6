// Observing for as long as the daemon runs: each kind of reading has its own deadline and its own end.
import { Observer, type Observed } from '../../../src/aws/reads/observer';
import { Deadline } from '../../../src/deadline';
import { now, openAwsLab, targetOf, until, type AwsLab } from './awsLab';
import { ALLOCATION, mixedPlan, newTargetsWorld, PREFIX_LIST, TABLE, TAGGED } from './targetsLab';

let lab: AwsLab;
let late: Observed[];
beforeEach(async () => {
  late = [];
  lab = await openAwsLab({ world: newTargetsWorld() });
});
afterEach(() => lab.close());

const ROUTE = `10.9.0.0/16 in ${TABLE}`;
const TAGGED_ROUTE = `${PREFIX_LIST} in the table tagged ha=north`;
const tables = new Map<string, string>();
beforeEach(() => tables.clear());

function observer(timeoutMs = 1_000): () => ReturnType<Observer['observe']> {
  const observing = new Observer({
    ec2: lab.ec2,
    plan: mixedPlan,
    timeoutMs,
    now,
    tableOf: (id) => tables.get(id) ?? null,
  });
  const mine = late;
  return async () => {
    const result = await observing.observe(lab.identity, (each) => void mine.push(each));
    if (result.ok) for (const [id, table] of result.tables) tables.set(id, table);
    return result;
  };
}

async function holders(observe: ReturnType<typeof observer>) {
  const result = await observe();
  if (!result.ok) throw new Error(result.failure.message);
  return result.observation.holders;
}

test.each([
  ['DescribeRouteTables', ROUTE],
  ['DescribeAddresses', ALLOCATION],
  ['DescribeNetworkInterfaces', targetOf(1)],
])(
  '%s is slow: the others are handed out, and its own answer comes late',
  async (action, target) => {
    const observe = observer();
    // The latest answer sets the deadline: a slow one, of a busy machine, would leave room for what is slow from now on.
    for (let isQuick = false; !isQuick;) {
      const askedAt = now();
      const found = await holders(observe);
      isQuick = target in found && now() - askedAt < 1_000;
    }
    const slow = lab.emulator.addFault({ kind: 'latency', action, ms: 2_500 });
    expect(Object.keys(await holders(observe))).not.toContain(target);
    const hasAnswered = () => late.some(({ observation }) => target in observation.holders);
    // Each time its deadline passes, it doubles.
    const failures: (typeof late)[number]['observation']['unread'][] = [];
    while (!hasAnswered()) {
      const result = await observe();
      if (!result.ok) throw new Error(result.failure.message);
      expect(Object.keys(result.observation.holders)).not.toContain(target);
      failures.push(result.observation.unread);
    }
    // A deadline that passes while something else is waited for is told at once, else with what came late.
    const failed = [...failures, ...late.map(({ observation }) => observation.unread)]
      .flatMap((unread) => unread ?? [])
      .find(({ failure }) => failure !== null);
    expect(failed?.failure?.message).toMatch(new RegExp(`^no answer within \\d+ ms to ${action}$`));
    lab.emulator.removeFault(slow);
    await until('it is well again', () => hasAnswered());
  },
  60_000,
);

test('an answer of one kind that makes no sense leaves the others', async () => {
  const observe = observer(5_000);
  lab.emulator.addFault({
    kind: 'malformed',
    action: 'DescribeRouteTables',
    how: { as: 'withoutElements', elements: ['routeSet'] },
    count: 1,
  });
  const result = await observe();
  expect(result).toMatchObject({
    ok: true,
    observation: { unread: [{ action: 'DescribeRouteTables', failure: { code: 'MalformedAnswer' } }] },
  });
  expect(await holders(observe)).toHaveProperty([ROUTE]);
});

test.each([
  ['DescribeNetworkInterfaces', targetOf(1)],
  ['DescribeRouteTables', ROUTE],
])('%s has twelve empty pages before the data', async (action, target) => {
  lab.emulator.addFault({ kind: 'emptyPages', action, pages: 12 });
  expect(await holders(observer(5_000))).toHaveProperty([target]);
});

test('pages that lead back to one of them are no answer', async () => {
  lab.emulator.addFault({
    kind: 'malformed',
    action: 'DescribeRouteTables',
    how: { as: 'replacedText', element: 'nextToken', text: 'again' },
  });
  lab.emulator.addFault({ kind: 'emptyPages', action: 'DescribeRouteTables', pages: 3 });
  const result = await observer(5_000)();
  expect(result.ok && result.observation.unread?.[0]?.failure?.code).toMatch(
    /MalformedAnswer|InvalidNextToken/,
  );
});

describe('a tag', () => {
  const OTHER = 'rtb-00000003';

  test('that two tables have: the one known before stays', async () => {
    const observe = observer(5_000);
    const before = await holders(observe);
    lab.world.tagRouteTable(OTHER, { ha: 'north' });
    const result = await observe();
    expect(result).toMatchObject({
      ok: true,
      mistakes: [],
      conflicts: [{ tables: [TAGGED, OTHER], used: TAGGED }],
    });
    expect(result.ok && result.observation.holders).toEqual(before);
  });

  test('that two tables have from the start on: nothing is known of its routes, and all of the rest', async () => {
    lab.world.tagRouteTable(OTHER, { ha: 'north' });
    const result = await observer(5_000)();
    expect(result).toMatchObject({
      ok: true,
      mistakes: [],
      conflicts: [{ tables: [TAGGED, OTHER], used: null }],
      observation: { unread: [{ targets: [TAGGED_ROUTE], failure: { code: 'Ambiguous' } }] },
    });
    expect(result.ok && Object.keys(result.observation.holders)).not.toContain(TAGGED_ROUTE);
  });

  test('that no table has any more: the one that had it is asked about by its id', async () => {
    const observe = observer(5_000);
    const before = await holders(observe);
    lab.world.tagRouteTable(TAGGED, {});
    const result = await observe();
    expect(result).toMatchObject({ ok: true, mistakes: [], conflicts: [{ tables: [], used: TAGGED }] });
    expect(result.ok && result.observation.holders).toEqual(before);
  });

  test('that has moved to another table: that one it is', async () => {
    const observe = observer(5_000);
    await observe();
    lab.world.tagRouteTable(TAGGED, {});
    lab.world.tagRouteTable(OTHER, { ha: 'north' });
    const result = await observe();
    expect(result).toMatchObject({ ok: true, conflicts: [] });
    expect(tables.get(TAGGED_ROUTE)).toBe(OTHER);
  });
});

test('a deadline doubles while it passes, keeps room for what answers, and comes back', () => {
  const deadline = new Deadline({ firstMs: 1_000, lastMs: 8_000 });
  const passed = () => (deadline.passed(), deadline.ms);
  expect([deadline.ms, passed(), passed(), passed(), passed()]).toEqual([1_000, 2_000, 4_000, 8_000, 8_000]);
  deadline.answered(3_000);
  expect(deadline.ms).toBe(6_000);
  deadline.answered(10);
  expect(deadline.ms).toBe(1_000);
});
