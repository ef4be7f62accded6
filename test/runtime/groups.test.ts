/** Two cores in one loop: what they share, and what they never do. */
import type { EffectArgs, Event } from '../../src/core/state/model';
import type { Observation } from '../../src/core/state/readings';
import type { Plan } from '../../src/core/state/plan';
import { systemClock } from '../../src/runtime/clock';
import { Loop, type EffectRunners, type Recorded } from '../../src/runtime/loop';
import { nodeScheduler } from '../../src/runtime/scheduler';
import { sharedReadings, type Questions } from '../../src/runtime/readings';
import {
  observationOf,
  planOf,
  sessionEvent,
  synchronizedEvent,
  TARGETS,
  TIMING,
} from '../support/coreWorld';
import { eventually } from '../support/eventually';
import { enqueueTo } from '../support/loopEvents';

type Happened = { readonly kind: 'effect' | 'record'; readonly name: string; readonly group: string };

const whole = planOf();
const planWith = (
  index: number,
  sessions = whole.sessions,
  change: Omit<Partial<Plan>, 'targets'> = {},
): Plan => planOf({ targets: whole.targets.slice(index, index + 1), sessions, ...change });

type World = ReturnType<typeof startWorld>;

/** `north` has the first target, `south` the second; readings are answered by hand unless EC2 is given. */
/** What EC2 says of the time. */
const CLOCK = { dateMs: 1_800_000_000_000, sentAt: 190, receivedAt: 195 };

function startWorld(
  plans: Readonly<Record<'north' | 'south', Plan>>,
  questions: Partial<Questions> = {},
  offsetMs: () => number = () => 0,
) {
  const happened: Happened[] = [];
  const batches: (readonly Recorded[])[] = [];
  const run =
    (name: keyof EffectArgs) =>
    (_: unknown, group: string): void =>
      void happened.push({ kind: 'effect', name, group });
  const never = new Promise<never>(() => {});
  const shared = sharedReadings(
    [
      { name: 'north', plan: plans.north },
      { name: 'south', plan: plans.south },
    ],
    { observe: () => never, askHolders: () => never, clock: () => null, ...questions },
    (group, event) => loop.enqueueFor(group, event),
  );
  const names = [
    'sendCall',
    'prepareCall',
    'discardPrepared',
    'askInterfaces',
    'askHolders',
    'readLevels',
    'remember',
    'answerOperator',
    'reportTimeline',
    'stop',
  ] as const;
  const others = Object.fromEntries(names.map((name) => [name, run(name)])) as Omit<
    EffectRunners,
    'observeOwnership'
  >;
  const runners: EffectRunners = {
    ...others,
    observeOwnership: (args, group) => {
      run('observeOwnership')(args, group);
      shared.observeOwnership(args, group);
    },
    askHolders: (args, group) => {
      run('askHolders')(args, group);
      shared.askHolders(args, group);
    },
  };
  const loop: Loop = new Loop({
    groups: [
      { name: 'north', plan: plans.north },
      { name: 'south', plan: plans.south },
    ],
    clock: { monotonicMs: () => systemClock.monotonicMs() + offsetMs() },
    scheduler: nodeScheduler,
    runners,
    random: () => 0.5,
    beat: () => {},
    deaf: () => {},
    record: (batch) => {
      batches.push(batch);
      for (const { event, group } of batch) happened.push({ kind: 'record', name: event.type, group });
    },
  });
  return { loop, happened, batches };
}

async function feed(world: World, ...events: readonly (readonly [group: string, event: Event])[]) {
  const before = world.batches.length;
  for (const [group, event] of events) enqueueTo(world.loop, group, event);
  while (world.batches.length === before) await new Promise((resolve) => setImmediate(resolve));
}

const started: Event = { type: 'started', bootId: 'boot', memory: null, wallNow: 0 };
const toBoth = (event: Event) => [['north', event] as const, ['south', event] as const];

const observed = (world: World, group: string, observation: Observation): readonly [string, Event] => {
  const { lastNumber } = world.loop.stateOf(group).observing;
  const startedAt = systemClock.monotonicMs();
  return [group, { type: 'ownershipObserved', number: lastNumber, startedAt, observation }];
};

/** Only what a plan has: as readings arrive. */
const only = (observation: Observation, address: string): Observation => ({
  ...observation,
  holders: { [address]: observation.holders[address] ?? null },
});

async function bothStandby(plans = { north: planWith(0), south: planWith(1) }): Promise<World> {
  const world = startWorld(plans);
  await feed(world, ...toBoth(started));
  await feed(world, ['', synchronizedEvent('gen2', 'Up')]);
  const peers = observationOf('peer');
  await feed(
    world,
    observed(world, 'north', only(peers, TARGETS[0])),
    observed(world, 'south', only(peers, TARGETS[1])),
  );
  expect(world.loop.stateOf('north').role.haState).toBe('STANDBY');
  expect(world.loop.stateOf('south').role.haState).toBe('STANDBY');
  return world;
}

test('the peer fails: both take over at once, before anything else is started or recorded', async () => {
  const world = await bothStandby();
  world.happened.length = 0;
  await feed(world, ['', sessionEvent('a', 'Down')], ['', sessionEvent('b', 'Down')]);
  const sent = world.happened.flatMap(({ name, group }) => (name === 'sendCall' ? [group] : []));
  expect(sent).toEqual(['north', 'south']);
  const lastSent = world.happened.findLastIndex(({ name }) => name === 'sendCall');
  const others = world.happened.findIndex(
    ({ kind, name }) => kind === 'record' || !['prepareCall', 'sendCall'].includes(name),
  );
  expect(others).toBeGreaterThan(lastSent);
  expect(world.happened.at(others)?.kind).toBe('effect');
  world.loop.stop();
});

test('what one core has to say of an earlier event of the drain does not delay the takeover of the other', async () => {
  const world = await bothStandby();
  world.happened.length = 0;
  const release: Event = { type: 'releaseRequested', request: 1 };
  await feed(world, ['north', release], ['', sessionEvent('a', 'Down')], ['', sessionEvent('b', 'Down')]);
  const names = world.happened.map(({ kind, name }) => `${kind} ${name}`);
  expect(names.indexOf('effect answerOperator')).toBeGreaterThan(names.lastIndexOf('effect sendCall'));
  world.loop.stop();
});

test('an answer goes to the core that asked, although the other has an attempt of the same number', async () => {
  const world = await bothStandby();
  await feed(world, ['', sessionEvent('a', 'Down')], ['', sessionEvent('b', 'Down')]);
  const answer: Event = {
    type: 'callAnswered',
    attempt: 1,
    call: 1,
    send: 1,
    sentAt: systemClock.monotonicMs(),
    failure: null,
    apiRequestId: null,
  };
  await feed(world, ['south', answer]);
  expect(world.loop.stateOf('south').role.haState).toBe('ACTIVE');
  expect(world.loop.stateOf('north').role.haState).toBe('STANDBY');
  expect(world.loop.stateOf('north').attempt?.calls[0]?.outcome).toBe('open');
  world.loop.stop();
});

test('a stuck attempt of one group does not keep the other from its own', async () => {
  const [a, b] = whole.sessions;
  const world = await bothStandby({ north: planWith(0, [a!]), south: planWith(1, [b!]) });
  await feed(world, ['', sessionEvent('a', 'Down')]);
  await eventually(() => expect(world.loop.stateOf('north').attempt?.firstSentAt ?? null).not.toBeNull());
  expect(world.loop.stateOf('south').attempt).toBeNull();
  await feed(world, ['', sessionEvent('b', 'Down')]);
  await eventually(() => expect(world.loop.stateOf('south').attempt?.firstSentAt ?? null).not.toBeNull());
  expect(world.loop.stateOf('north').attempt?.number).toBe(1);
  world.loop.stop();
});

test('each core hears of its own sessions only', async () => {
  const [a, b] = whole.sessions;
  const world = await bothStandby({ north: planWith(0, [a!]), south: planWith(1, [b!]) });
  expect(Object.keys(world.loop.stateOf('north').sessions)).toEqual(['a']);
  expect(world.loop.stateOf('south').sessions).toMatchObject({ b: { level: 'Up' } });
  const before = world.batches.length;
  await feed(world, ['', sessionEvent('a', 'Down')]);
  const told = world.batches.slice(before).flat();
  expect(told.filter(({ event }) => event.type === 'bfdSessionChanged').map(({ group }) => group)).toEqual([
    'north',
  ]);
  world.loop.stop();
});

test('the process ends when the last core wants to stop', async () => {
  const world = await bothStandby();
  await feed(world, ['', sessionEvent('a', 'Down')], ['', sessionEvent('b', 'Down')]);
  const answer: Event = {
    type: 'callAnswered',
    attempt: 1,
    call: 1,
    send: 1,
    sentAt: systemClock.monotonicMs(),
    failure: null,
    apiRequestId: null,
  };
  // South has moved all it wanted; north is still waiting for EC2.
  await feed(world, ['south', answer]);
  await feed(world, observed(world, 'south', only(observationOf('mine'), TARGETS[1])));
  await feed(world, ['', { type: 'shutdownRequested', cause: 'SIGTERM' }]);
  expect(world.loop.stateOf('south').shutdown?.stopped).toBe(true);
  expect(world.loop.stateOf('north').shutdown?.stopped).toBe(false);
  expect(world.happened.map(({ name }) => name)).not.toContain('stop');
  await eventually(() => expect(world.happened.map(({ name }) => name)).toContain('stop'));
  expect(world.happened.filter(({ name }) => name === 'stop')).toHaveLength(1);
  world.loop.stop();
});

describe('readings of EC2', () => {
  const timing = { ...TIMING, keepaliveIntervalMs: 200 };
  const plans = {
    north: planWith(0, whole.sessions, { timing }),
    south: planWith(1, whole.sessions, { timing }),
  };

  /** Answers each reading at once with what the peer holds. */
  function answering() {
    const startedAt: number[] = [];
    const observe: Questions['observe'] = async () => {
      startedAt.push(systemClock.monotonicMs());
      return { ok: true, startedAt: startedAt.at(-1)!, observation: observationOf('peer') };
    };
    return { world: startWorld(plans, { observe }), startedAt };
  }

  test('at rest there is one for each keepalive, also after the cores got out of step', async () => {
    const begun: (() => void)[] = [];
    let atOnce = false;
    const observe: Questions['observe'] = () =>
      new Promise((resolve) => {
        const startedAt = systemClock.monotonicMs();
        begun.push(() => resolve({ ok: true, startedAt, observation: observationOf('peer') }));
        if (atOnce) begun.at(-1)?.();
      });
    const world = startWorld(plans, { observe });
    await feed(world, ...toBoth(started));
    await feed(world, ['', synchronizedEvent('gen2', 'Up')]);
    expect(begun).toHaveLength(1);
    // North has its answer before south does, so that it asks alone the next time, and south after that.
    await feed(world, observed(world, 'north', only(observationOf('peer'), TARGETS[0])));
    await eventually(() => expect(begun).toHaveLength(2));
    const half = systemClock.monotonicMs() + timing.keepaliveIntervalMs / 2;
    await eventually(() => expect(systemClock.monotonicMs()).toBeGreaterThan(half));
    begun[0]?.();
    await eventually(() => expect(begun).toHaveLength(3));
    const asked = () => world.happened.filter(({ name }) => name === 'observeOwnership').length;
    atOnce = true;
    begun[1]?.();
    await new Promise((resolve) => setImmediate(resolve));
    begun[2]?.();
    const before = { begun: begun.length, asked: asked() };
    expect(before.asked).toBe(4);
    await eventually(() => expect(begun.length).toBeGreaterThan(before.begun + 10));
    world.loop.stop();
    expect(asked() - before.asked).toBe(2 * (begun.length - before.begun));
  });

  test('each core gets what is about its own targets, from one and the same reading', async () => {
    const { world, startedAt } = answering();
    await feed(world, ...toBoth(started));
    await eventually(() => expect(world.loop.stateOf('south').ownership).not.toBeNull());
    world.loop.stop();
    const answers = world.batches
      .flat()
      .flatMap(({ group, event }) => (event.type === 'ownershipObserved' ? [{ group, ...event }] : []));
    const [north, south] = answers;
    expect([north?.group, south?.group]).toEqual(['north', 'south']);
    expect([north?.startedAt, south?.startedAt]).toEqual([startedAt[0], startedAt[0]]);
    expect(Object.keys(north?.observation.holders ?? {})).toEqual([TARGETS[0]]);
    expect(Object.keys(south?.observation.holders ?? {})).toEqual([TARGETS[1]]);
  });

  test('one that was started before a core asked is not given to it', async () => {
    const begun: ((startedAt: number) => void)[] = [];
    const observe: Questions['observe'] = () =>
      new Promise((resolve) =>
        begun.push((startedAt) => resolve({ ok: true, startedAt, observation: observationOf('peer') })),
      );
    const answers: (readonly [string, Event])[] = [];
    const shared = sharedReadings(
      [
        { name: 'north', plan: plans.north },
        { name: 'south', plan: plans.south },
      ],
      { observe, askHolders: () => new Promise<never>(() => {}), clock: () => CLOCK },
      (group, event) => void answers.push([group, event]),
    );
    shared.observeOwnership({ number: 1 }, 'north');
    await new Promise((resolve) => setImmediate(resolve));
    shared.observeOwnership({ number: 7 }, 'south');
    await new Promise((resolve) => setImmediate(resolve));
    expect(begun).toHaveLength(2);
    begun[0]?.(100);
    await new Promise((resolve) => setImmediate(resolve));
    expect(answers.map(([group]) => group)).toEqual(['north']);
    begun[1]?.(200);
    await new Promise((resolve) => setImmediate(resolve));
    expect(answers.at(-1)).toMatchObject(['south', { number: 7, startedAt: 200, clock: CLOCK }]);
  });

  test('how the holders are is asked once for all, and each core hears of those it asked about', async () => {
    const asked: (readonly string[])[] = [];
    const answers: (readonly [string, Event])[] = [];
    const shared = sharedReadings(
      [],
      {
        observe: () => new Promise<never>(() => {}),
        clock: () => null,
        askHolders: async (instanceIds) => {
          asked.push(instanceIds);
          return { ok: true, conditions: Object.fromEntries(instanceIds.map((id) => [id, 'running'])) };
        },
      },
      (group, event) => void answers.push([group, event]),
    );
    shared.askHolders({ number: 1, instanceIds: ['i-1', 'i-2'] }, 'north');
    shared.askHolders({ number: 4, instanceIds: ['i-2', 'i-3'] }, 'south');
    await eventually(() => expect(answers).toHaveLength(2));
    expect(asked).toEqual([['i-1', 'i-2', 'i-3']]);
    expect(answers).toMatchObject([
      ['north', { number: 1, result: { conditions: { 'i-1': 'running', 'i-2': 'running' } } }],
      ['south', { number: 4, result: { conditions: { 'i-2': 'running', 'i-3': 'running' } } }],
    ]);
  });
});
