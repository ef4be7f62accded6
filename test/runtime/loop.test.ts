import { type EffectArgs, type Event } from '../../src/core/model';
import { Loop, type EffectRunners, type Recorded } from '../../src/runtime/loop';
import { systemClock } from '../../src/runtime/clock';
import { observationOf, planOf, sessionEvent, synchronizedEvent } from '../support/coreWorld';

type Happened = { readonly kind: 'effect' | 'record'; readonly name: string };

function startLoop(): { loop: Loop; happened: Happened[]; batches: (readonly Recorded[])[] } {
  const happened: Happened[] = [];
  const batches: (readonly Recorded[])[] = [];
  const run = (name: keyof EffectArgs) => (): void => void happened.push({ kind: 'effect', name });
  const runners: EffectRunners = {
    sendTakeover: run('sendTakeover'),
    prepareTakeover: run('prepareTakeover'),
    discardPrepared: run('discardPrepared'),
    askInterfaces: run('askInterfaces'),
    observeOwnership: run('observeOwnership'),
    remember: run('remember'),
    reportTimeline: run('reportTimeline'),
    stop: run('stop'),
  };
  const loop = new Loop({
    plan: planOf(),
    clock: systemClock,
    runners,
    random: () => 0.5,
    record: (batch) => {
      batches.push(batch);
      for (const { event } of batch) happened.push({ kind: 'record', name: event.type });
    },
  });
  return { loop, happened, batches };
}

async function drained(batches: readonly unknown[], before: number): Promise<void> {
  while (batches.length === before) await new Promise((resolve) => setImmediate(resolve));
}

async function feed(world: ReturnType<typeof startLoop>, ...events: readonly Event[]): Promise<void> {
  const before = world.batches.length;
  for (const event of events) world.loop.enqueue(event);
  await drained(world.batches, before);
}

async function standby(): Promise<ReturnType<typeof startLoop>> {
  const world = startLoop();
  await feed(world, { type: 'started', bootId: 'boot', memory: null });
  await feed(world, synchronizedEvent('gen2', 'Up'));
  const startedAt = systemClock.monotonicMs();
  await feed(world, { type: 'ownershipObserved', number: 1, startedAt, observation: observationOf('peer') });
  expect(world.loop.state.role.haState).toBe('STANDBY');
  return world;
}

describe('the loop', () => {
  test('drains its input before anything is decided: two sessions DOWN together are one attempt', async () => {
    const world = await standby();
    await feed(world, sessionEvent('a', 'Down'), sessionEvent('b', 'Down'));
    expect(world.loop.state.lastAttempt).toBe(1);
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
    expect(world.loop.state.attempt).toBeNull();
    world.loop.stop();
  });

  test('starts the takeover before it records anything of the same batch', async () => {
    const world = await standby();
    world.happened.length = 0;
    await feed(world, sessionEvent('a', 'Down'), sessionEvent('b', 'Down'));
    const kinds = world.happened.map(({ kind, name }) => `${kind} ${name}`);
    expect(kinds.indexOf('effect sendTakeover')).toBe(0);
    expect(kinds.findIndex((line) => line.startsWith('record'))).toBeGreaterThan(
      kinds.lastIndexOf('effect sendTakeover'),
    );
    world.loop.stop();
  });

  test('wakes itself at the deadline that the core names', async () => {
    const world = await standby();
    // New generation, one interface: the settle time of rule 5 has to pass before anything is sent.
    await feed(world, sessionEvent('a', 'Down'));
    expect(world.happened.some(({ name }) => name === 'sendTakeover')).toBe(false);
    await drained(world.batches, world.batches.length);
    while (!world.happened.some(({ name }) => name === 'sendTakeover'))
      await drained(world.batches, world.batches.length);
    expect(world.loop.state.attempt?.firstSentAt).not.toBeNull();
    world.loop.stop();
  });

  test('records what has happened before it stops', async () => {
    const world = await standby();
    world.happened.length = 0;
    world.loop.enqueue(sessionEvent('a', 'Down'));
    await new Promise((resolve) => setImmediate(resolve));
    world.loop.stop();
    expect(world.happened.map(({ name }) => name)).toContain('bfdSessionChanged');
  });

  test('takes nothing in once it is stopped', async () => {
    const world = await standby();
    const batches = world.batches.length;
    world.loop.stop();
    world.loop.enqueue(sessionEvent('a', 'Down'));
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(world.batches.length).toBe(batches);
  });
});
