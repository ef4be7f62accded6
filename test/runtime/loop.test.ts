import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { type EffectArgs, type Event } from '../../src/core/state/model';
import { Loop, type EffectRunners, type Recorded } from '../../src/runtime/loop';
import { nodeScheduler, type Scheduler } from '../../src/runtime/scheduler';
import { systemClock, type Clock } from '../../src/runtime/clock';
import type { Plan } from '../../src/core/state/plan';
import {
  heldOn,
  observationOf,
  planOf,
  routeTarget,
  sessionEvent,
  synchronizedEvent,
} from '../support/coreWorld';
import { eventually } from '../support/eventually';
import { enqueueTo } from '../support/loopEvents';

type Happened = { readonly kind: 'effect' | 'record'; readonly name: string };

type LoopWorld = {
  readonly loop: Loop;
  readonly happened: Happened[];
  readonly batches: (readonly Recorded[])[];
  readonly beats: number[];
  readonly deaf: string[];
};

function startLoop({
  plan = planOf(),
  clock = systemClock,
  scheduler = nodeScheduler,
}: { plan?: Plan; clock?: Clock; scheduler?: Scheduler } = {}): LoopWorld {
  const happened: Happened[] = [];
  const batches: (readonly Recorded[])[] = [];
  const beats: number[] = [];
  const deaf: string[] = [];
  const run = (name: keyof EffectArgs) => (): void => void happened.push({ kind: 'effect', name });
  const runners: EffectRunners = {
    sendCall: run('sendCall'),
    prepareCall: run('prepareCall'),
    discardPrepared: run('discardPrepared'),
    withdrawCalls: run('withdrawCalls'),
    askInterfaces: run('askInterfaces'),
    observeOwnership: run('observeOwnership'),
    askHolders: run('askHolders'),
    readLevels: run('readLevels'),
    remember: run('remember'),
    answerOperator: run('answerOperator'),
    reportTimeline: run('reportTimeline'),
    stop: run('stop'),
  };
  const loop = new Loop({
    groups: [{ name: 'default', plan }],
    clock,
    scheduler,
    runners,
    random: () => 0.5,
    beat: () => void beats.push(clock.monotonicMs()),
    deaf: (reason) => void deaf.push(reason),
    record: (batch) => {
      batches.push(batch);
      for (const { event } of batch) happened.push({ kind: 'record', name: event.type });
    },
  });
  return { loop, happened, batches, beats, deaf };
}

async function drained(batches: readonly unknown[], before: number): Promise<void> {
  while (batches.length === before) await new Promise((resolve) => setImmediate(resolve));
}

async function feed(world: LoopWorld, ...events: readonly Event[]): Promise<void> {
  const before = world.batches.length;
  for (const event of events) enqueueTo(world.loop, 'default', event);
  await drained(world.batches, before);
}

async function standby(): Promise<LoopWorld> {
  const world = startLoop();
  await feed(world, { type: 'started', bootId: 'boot', memory: null, wallNow: 0 });
  await feed(world, synchronizedEvent('gen2', 'Up'));
  const startedAt = systemClock.monotonicMs();
  await feed(world, { type: 'ownershipObserved', number: 1, startedAt, observation: observationOf('peer') });
  expect(world.loop.stateOf('default').role.haState).toBe('STANDBY');
  return world;
}

describe('the loop', () => {
  test('drains its input before anything is decided: two sessions DOWN together are one attempt', async () => {
    const world = await standby();
    await feed(world, sessionEvent('a', 'Down'), sessionEvent('b', 'Down'));
    expect(world.loop.stateOf('default').lastAttempt).toBe(1);
    expect(world.batches.at(-1)?.map(({ event }) => event.type)).toEqual([
      'bfdSessionChanged',
      'bfdSessionChanged',
      'inputDrained',
    ]);
    world.loop.stop();
  });

  test('a DOWN that is UP again before the queue is empty takes nothing over', async () => {
    const world = await standby();
    await feed(world, sessionEvent('a', 'Down'), sessionEvent('a', 'Up'));
    expect(world.loop.stateOf('default').attempt).toBeNull();
    world.loop.stop();
  });

  test('starts the takeover before it records anything of the same batch', async () => {
    const world = await standby();
    world.happened.length = 0;
    await feed(world, sessionEvent('a', 'Down'), sessionEvent('b', 'Down'));
    const kinds = world.happened.map(({ kind, name }) => `${kind} ${name}`);
    expect(kinds.indexOf('effect sendCall')).toBe(0);
    expect(kinds.findIndex((line) => line.startsWith('record'))).toBeGreaterThan(
      kinds.lastIndexOf('effect sendCall'),
    );
    world.loop.stop();
  });

  test('sends what a large takeover asks for in several steps, and records none of them before the last', async () => {
    const targets = Array.from({ length: 20 }, (_, place) => routeTarget(`10.${place}.0.0/16`));
    // Time stands still, so that it is not for want of time that nothing is recorded.
    const world = startLoop({
      plan: planOf({ targets }),
      clock: { ...systemClock, monotonicMs: () => 1_000 },
    });
    await feed(world, { type: 'started', bootId: 'boot', memory: null, wallNow: 0 });
    await feed(world, synchronizedEvent('gen2', 'Up'));
    const holder = heldOn('eni-peer1', 'i-peer');
    const holders = Object.fromEntries(targets.map(({ id }) => [id, holder]));
    const observation = { ...observationOf('peer'), holders };
    await feed(world, { type: 'ownershipObserved', number: 1, startedAt: 1_000, observation });
    world.happened.length = 0;
    await feed(world, sessionEvent('a', 'Down'), sessionEvent('b', 'Down'));
    const sent = world.happened.filter(({ name }) => name === 'sendCall');
    expect(sent).toHaveLength(20);
    const names = world.happened.map(({ kind, name }) => `${kind} ${name}`);
    expect(names.findIndex((name) => name.startsWith('record'))).toBeGreaterThan(
      names.lastIndexOf('effect sendCall'),
    );
    const steps = world.batches.at(-1)?.map(({ step: { effects } }) => effects) ?? [];
    const sentBy = steps.map((effects) => effects.filter(({ effect }) => effect === 'sendCall').length);
    expect(sentBy.filter((count) => count > 0)).toEqual([8, 8, 4]);
    world.loop.stop();
  });

  test('wakes itself at the deadline that the core names, and records nothing before it has sent', async () => {
    const world = await standby();
    world.happened.length = 0;
    // New generation, one interface: the settle time of rule 5 has to pass before anything is sent.
    await feed(world, sessionEvent('a', 'Down'));
    const names = world.happened.map(({ kind, name }) => `${kind} ${name}`);
    const sent = names.indexOf('effect sendCall');
    expect(sent).toBeGreaterThan(names.indexOf('effect prepareCall'));
    expect(names.findIndex((name) => name.startsWith('record'))).toBeGreaterThan(sent);
    expect(world.loop.stateOf('default').attempt?.firstSentAt).not.toBeNull();
    world.loop.stop();
  });

  test('records what has happened before it stops', async () => {
    const world = await standby();
    world.happened.length = 0;
    enqueueTo(world.loop, 'default', sessionEvent('a', 'Down'));
    // Two turns until it is decided; recording would take a third.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    world.loop.stop();
    expect(world.happened.map(({ name }) => name)).toContain('bfdSessionChanged');
  });

  test('takes nothing in once it is stopped', async () => {
    const world = await standby();
    const batches = world.batches.length;
    world.loop.stop();
    enqueueTo(world.loop, 'default', sessionEvent('a', 'Down'));
    await new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));
    expect(world.batches.length).toBe(batches);
  });
});

/** Keeps the loop of this very process from running. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

const kindsOf = (batch: readonly Recorded[] | undefined): readonly string[] =>
  (batch ?? []).map(({ event }) => event.type);

const stallsIn = ({ batches }: LoopWorld): readonly number[] =>
  batches.flat().flatMap(({ event }) => (event.type === 'processStalled' ? [event.forMs] : []));

describe('a process that did not run', () => {
  // Far longer than a loaded machine keeps a process waiting by itself.
  const sessions = planOf().sessions.map((session) => ({ ...session, detectionTimeMs: 2_000 }));

  /** Returns once the tick runs, and what makes an event of bytes that lie in a socket. */
  async function watching() {
    const world = startLoop({ plan: planOf({ sessions }) });
    await feed(world, { type: 'started', bootId: 'boot', memory: null, wallNow: 0 });
    await eventually(() => expect(world.beats).not.toEqual([]));
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const writer = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [reader] = (await once(server, 'connection')) as [NodeJS.ReadableStream];
    reader.on('data', () => enqueueTo(world.loop, 'default', sessionEvent('a', 'Down')));
    const close = () => {
      world.loop.stop();
      writer.destroy();
      server.close();
    };
    return { world, writer, close };
  }

  test.each([
    ['a timer', (pause: () => void) => setTimeout(pause, 20)],
    ['a turn of the loop', (pause: () => void) => setImmediate(pause)],
  ])('is told of before what the sockets held meanwhile, once; paused in %s', async (_, within) => {
    const { world, writer, close } = await watching();
    const before = world.batches.length;
    within(() => {
      writer.write('DOWN');
      block(2_500);
    });
    await eventually(() => expect(world.batches.flatMap(kindsOf)).toContain('bfdSessionChanged'));
    const kinds = world.batches.slice(before).flatMap(kindsOf);
    expect(kinds.indexOf('processStalled')).toBeGreaterThanOrEqual(0);
    expect(kinds.indexOf('processStalled')).toBeLessThan(kinds.indexOf('bfdSessionChanged'));
    const beats = world.beats.length;
    await eventually(() => expect(world.beats.length).toBeGreaterThan(beats + 1));
    expect(stallsIn(world)).toHaveLength(1);
    expect(stallsIn(world)[0]).toBeGreaterThanOrEqual(2_400);
    close();
  });

  test('is told of although nothing else happens', async () => {
    const { world, close } = await watching();
    block(2_500);
    await eventually(() => expect(stallsIn(world)).toHaveLength(1));
    expect(world.deaf).toEqual([]);
    close();
  });

  test('is none where it was shorter than the shortest detection time', async () => {
    const { world, writer, close } = await watching();
    writer.write('DOWN');
    block(300);
    await eventually(() => expect(world.batches.flatMap(kindsOf)).toContain('bfdSessionChanged'));
    expect(stallsIn(world)).toEqual([]);
    close();
  });
});

test('a loop that does not decide although it is due says so and beats no more', () => {
  let now = 0;
  let beat = (): void => undefined;
  const turns: (() => void)[] = [];
  const never = () => () => undefined;
  const world = startLoop({
    clock: { monotonicMs: () => now },
    scheduler: {
      afterInput: (run) => void turns.push(run),
      afterOutput: (run) => void turns.push(run),
      after: never,
      every: (_, run) => ((beat = run), never()),
      pulse: () => ({ start: () => undefined, stop: () => undefined, takePauseMs: () => 0, pauseMs: 0 }),
    },
  });
  enqueueTo(world.loop, 'default', { type: 'started', bootId: 'boot', memory: null, wallNow: 0 });
  while (turns.length > 0) turns.shift()?.();
  // The timer of its next deadline never fires.
  for (let second = 1; second <= 60 && world.deaf.length === 0; second += 1) {
    now = second * 1_000;
    beat();
  }
  expect(world.deaf[0]).toMatch(/nothing has been decided for \d+ s although it was due/);
  const beats = world.beats.length;
  expect(beats).toBeGreaterThan(0);
  beat();
  expect(world.beats).toHaveLength(beats);
  world.loop.stop();
});
