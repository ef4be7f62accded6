// The pace of calls: EC2's buckets, priorities, fairness, being throttled, and taking back what waits.
import { Pacer, type Ticket } from '../../../src/aws/moves/pacer';
import { openMover } from '../../../src/aws/moves/moves';
import type { CallRequest } from '../../../src/core/state/model';
import { eniOf, limits, now, openAwsLab, plan, moverOf, until, type AwsLab } from './awsLab';
import { newTargetsWorld, routeTarget, TABLE } from './targetsLab';

const slow = { ...limits, ReplaceRoute: { burst: 2, refillPerS: 20 } };
const ticket = (change: Partial<Ticket> = {}): Ticket => ({
  action: 'ReplaceRoute',
  group: 'a',
  rank: 0,
  ...change,
});

describe('tickets', () => {
  let pacer: Pacer;
  let gone: string[];
  const enter = (name: string, change: Partial<Ticket> = {}) =>
    pacer.enter(ticket(change), () => gone.push(name));
  beforeEach(() => {
    pacer = new Pacer(slow, now);
    gone = [];
  });
  afterEach(() => pacer.stop());

  test('the burst goes at once, the rest as tokens come', async () => {
    const before = now();
    expect([enter('1'), enter('2')]).toEqual([null, null]);
    expect(gone).toEqual(['1', '2']);
    for (const name of ['3', '4', '5']) expect(enter(name)).not.toBeNull();
    expect(gone).toEqual(['1', '2']);
    await until('all are gone', () => gone.length === 5);
    expect(gone).toEqual(['1', '2', '3', '4', '5']);
    // Three tokens at 20 a second; a timer may be late, and never early.
    expect(now() - before).toBeGreaterThanOrEqual(145);
  });

  test('each action has a bucket of its own', () => {
    for (const name of ['1', '2', '3']) enter(name);
    enter('created', { action: 'CreateRoute' });
    expect(gone).toEqual(['1', '2', 'created']);
  });

  test('the lowest rank goes first, and whoever asked first among equals', async () => {
    for (const name of ['1', '2']) enter(name);
    enter('late', { rank: 9 });
    enter('first', { rank: 1 });
    enter('second', { rank: 1 });
    await until('all are gone', () => gone.length === 5);
    expect(gone.slice(2)).toEqual(['first', 'second', 'late']);
  });

  test('groups take turns, however many one of them sends', async () => {
    for (const name of ['1', '2']) enter(name);
    for (const name of ['a1', 'a2', 'a3', 'a4']) enter(name, { group: 'a' });
    for (const name of ['b1', 'b2']) enter(name, { group: 'b', rank: 50 });
    await until('all are gone', () => gone.length === 8);
    expect(gone.slice(2)).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'a4']);
  });

  test('what is taken back is not sent and costs no token', async () => {
    for (const name of ['1', '2']) enter(name);
    const leave = enter('3');
    enter('4');
    leave?.();
    await until('the last one is gone', () => gone.length === 3);
    expect(gone).toEqual(['1', '2', '4']);
  });
});

describe('throttled', () => {
  const throttled = { kind: 'throttled', code: 'RequestLimitExceeded', message: '' } as const;
  /** Timers in virtual time; jitter at its longest. */
  const virtual = () => {
    let time = 0;
    let timers: { readonly at: number; readonly run: () => void }[] = [];
    const pacer = new Pacer(limits, () => time, {
      after: (delayMs, run) => {
        const timer = { at: time + delayMs, run };
        timers.push(timer);
        return () => (timers = timers.filter((each) => each !== timer));
      },
      random: () => 0.999,
    });
    const pass = (ms: number) => {
      const until = time + ms;
      for (;;) {
        const [next] = timers.filter(({ at }) => at <= until).sort((one, other) => one.at - other.at);
        if (next === undefined) break;
        time = Math.max(time, next.at);
        timers = timers.filter((each) => each !== next);
        next.run();
      }
      time = until;
    };
    return { pacer, pass, now: () => time };
  };

  test('few ask again one by one, as often as a token comes, the lowest rank first', () => {
    const { pacer, pass, now } = virtual();
    const asked: (readonly [rank: number, at: number])[] = [];
    const ask = (rank: number): unknown => pacer.enter(ticket({ rank }), () => asked.push([rank, now()]));
    ask(1);
    ask(2);
    const refuse = (rank: number) => {
      pacer.answered('ReplaceRoute', throttled);
      ask(rank);
    };
    refuse(2);
    refuse(1);
    for (let count = 0; count < 3; count += 1) {
      pass(225);
      refuse(1);
    }
    expect(asked).toEqual([
      [1, 0],
      [2, 0],
      [1, 220],
      [1, 440],
      [1, 660],
    ]);
  });

  test('where there is no token for long, it asks less often', () => {
    const { pacer, pass } = virtual();
    let asked = 0;
    const ask = (): unknown =>
      pacer.enter(ticket(), () => {
        asked += 1;
        pacer.answered('ReplaceRoute', throttled);
        ask();
      });
    ask();
    pass(10_000);
    expect(asked).toBe(46);
    asked = 0;
    pass(60_000);
    expect(asked).toBe(69);
  });

  test.each([
    ['at a time in which there is one', 0],
    ['at the last moment before the next one', 229],
  ])('once EC2 has a token again, the others follow: answered %s', (_, afterMs) => {
    const { pacer, pass } = virtual();
    let gone = 0;
    for (let count = 0; count < 10; count += 1) pacer.enter(ticket(), () => (gone += 1));
    pacer.answered('ReplaceRoute', throttled);
    for (let count = 0; count < 10; count += 1) pacer.enter(ticket(), () => (gone += 1));
    gone = 0;
    pass(230);
    expect(gone).toBe(1);
    const counts = [];
    while (gone < 10) {
      const before = gone;
      pass(afterMs);
      for (let answers = before; answers > 0; answers -= 1) pacer.answered('ReplaceRoute', null);
      counts.push(gone - before);
    }
    expect(counts.length).toBeLessThan(6);
  });

  test('of many it believes that there are no tokens, halves its rate and recovers', () => {
    const { pacer, pass } = virtual();
    let gone = 0;
    const enter = () => pacer.enter(ticket(), () => (gone += 1));
    enter();
    expect(gone).toBe(1);
    pacer.answered('ReplaceRoute', throttled);
    // Those that were under way beside it are no further news.
    for (let others = 0; others < 20; others += 1) pacer.answered('ReplaceRoute', throttled);
    for (let calls = 0; calls < 100; calls += 1) enter();
    gone = 0;
    // At 5 a second there would be five tokens, at half of that there are two.
    pass(1_000);
    expect(gone).toBe(2);
    // 25 in the ten slow seconds, and five in the second after them.
    pass(9_000);
    gone = 0;
    pass(1_000);
    expect(gone).toBe(5);
  });
});

test('what can wait gets a token out of a full bucket alone, which then begins to refill', () => {
  let time = 0;
  const pacer = new Pacer(limits, () => time);
  expect(pacer.takeSpare('ReplaceRoute')).toBe(true);
  expect(pacer.takeSpare('ReplaceRoute')).toBe(false);
  expect(pacer.takeSpare('CreateRoute')).toBe(true);
  let gone = 0;
  for (let calls = 0; calls < 50; calls += 1) pacer.enter(ticket(), () => (gone += 1));
  expect(gone).toBe(49);
  pacer.stop();
  time += 60_000;
  expect(pacer.takeSpare('ReplaceRoute')).toBe(true);
});

describe('takeovers at the pace of EC2', () => {
  let lab: AwsLab;
  beforeEach(async () => {
    lab = await openAwsLab({ world: newTargetsWorld() });
  });
  afterEach(() => lab.close());

  const many = Array.from({ length: 8 }, (_, index) =>
    routeTarget(`10.20.${index}.0/24`, 'ipv4', TABLE, 7 - index),
  );
  const wide = { ...plan, targets: many };
  const request = (index: number): CallRequest => ({
    attempt: 1,
    call: index + 1,
    networkInterfaceId: eniOf(1, 1),
    targets: [many[index]!.id],
    allowReassignment: true,
    rank: many[index]!.rank,
  });

  test('beyond the burst they wait, tell so, and go by rank; all arrive', async () => {
    lab.emulator.throttleAccount({ ReplaceRoute: { burst: 3, refillPerS: 20 } });
    const pacer = new Pacer({ ...limits, ReplaceRoute: { burst: 3, refillPerS: 20 } }, now);
    const mover = moverOf(lab.ec2, { plan: wide, pacer });
    const news: string[] = [];
    const outcomes = await Promise.all(
      many.map((_, index) =>
        mover.send(
          { ...request(index), send: 1, timeoutMs: 1_000 },
          { queued: () => news.push(`${index} waits`), released: () => news.push(`${index} goes`) },
        ),
      ),
    );
    expect(outcomes.map(({ failure }) => failure)).toEqual(many.map(() => null));
    const waits = [3, 4, 5, 6, 7];
    expect(news).toEqual([
      ...waits.map((index) => `${index} waits`),
      ...waits.toReversed().map((index) => `${index} goes`),
    ]);
  });

  test('what is withdrawn is never sent', async () => {
    const pacer = new Pacer({ ...limits, ReplaceRoute: { burst: 1, refillPerS: 50 } }, now);
    const mover = moverOf(lab.ec2, { plan: wide, pacer });
    const send = (index: number) => mover.send({ ...request(index), send: 1, timeoutMs: 1_000 });
    const first = send(0);
    void send(1);
    const third = send(2);
    mover.withdraw(1, [2]);
    await Promise.all([first, third]);
    const named = lab.emulator.requests().map(({ params }) => params['DestinationCidrBlock']);
    expect(named).not.toContain('10.20.1.0/24');
    expect(named).toContain('10.20.2.0/24');
  });

  test('a deadline starts when the request is sent, not while it waits', async () => {
    const pacer = new Pacer({ ...limits, ReplaceRoute: { burst: 1, refillPerS: 5 } }, now);
    const mover = moverOf(lab.ec2, { plan: wide, pacer });
    const send = (index: number) => mover.send({ ...request(index), send: 1, timeoutMs: 150 });
    expect(await Promise.all([send(0), send(1)])).toMatchObject([{ failure: null }, { failure: null }]);
  });

  test('of many only the first burst is signed ahead, and a few of them anew each time', async () => {
    const targets = Array.from({ length: 120 }, (_, index) =>
      routeTarget(`10.30.${index}.0/24`, 'ipv4', TABLE, index),
    );
    let built = 0;
    const counting = {
      ...lab.ec2,
      prepare: (...args: Parameters<typeof lab.ec2.prepare>) => {
        built += 1;
        return lab.ec2.prepare(...args);
      },
    } as typeof lab.ec2;
    const pacer = new Pacer(limits, now);
    const mover = openMover({ ec2: counting, plan: { ...plan, targets }, pacer, now });
    const moves = targets.map(({ id, rank }) => ({
      networkInterfaceId: eniOf(1, 1),
      targets: [id],
      allowReassignment: true,
      rank,
    }));
    await mover.rehearse(moves);
    expect(built).toBe(50);
    await mover.rehearse(moves);
    expect(built).toBe(58);
    const outcome = await mover.send({ ...request(0), ...moves[0]!, send: 1, timeoutMs: 1_000 });
    expect(outcome.failure).toBeNull();
    // The signed one was used: only CreateRoute, which follows it, was built.
    expect(built).toBe(58);
  });
});
