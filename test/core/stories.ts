/** Random stories: sequences of well-formed events, some of which answer what the core is waiting for. */
import fc from '../support/properties';
import { instanceOf } from '../../src/core/levels/holders';
import type { StoredAlarm } from '../../src/core/state/alarms';
import type { Event, Memory, Maintenance } from '../../src/core/state/model';
import type { Failure, Holder, InstanceCondition, Observation } from '../../src/core/state/readings';
import type { Plan } from '../../src/core/state/plan';
import type { State } from '../../src/core/state/state';
import type { Attempt } from '../../src/core/state/attempt';
import { observationOf, planOf, sessionEvent, synchronizedEvent, type Owner } from '../support/coreWorld';
import { interfaceEvent } from './play';

/** As a file may have it: of a newer version too, and with the key of another one. */
const storedAlarm: fc.Arbitrary<StoredAlarm> = fc.record({
  key: fc.constantFrom(
    'takeover-refused',
    'takeover-refused Code',
    'unprotected',
    'foreign-holder',
    '__proto__',
  ),
  code: fc.constantFrom(
    'takeover-refused',
    'unprotected',
    'foreign-holder',
    'target-lost',
    'of-a-newer-version',
  ),
  about: fc.subarray(['172.31.101.10', '172.31.105.10', 'unplanned']),
  text: fc.constant('as before'),
  since: fc.nat(2_000),
});

/** An event that may refer to what the state is waiting for. */
export type Move = {
  readonly afterMs: number;
  readonly eventOf: (state: State, now: number, plan: Plan) => Event;
};

const session = fc.constantFrom('a', 'b');
const interfaceName = fc.constantFrom('Te1', 'Te2', 'Te99');
const sessionLevel = fc.constantFrom('Up', 'Down', 'Down', 'Unknown', 'Unconfigured' as const);
const interfaceLevel = fc.constantFrom('Up', 'Up', 'Down', 'Unknown' as const);
const owner = fc.constantFrom<Owner>(
  'mine',
  'mine',
  'peer',
  'peer',
  'peer',
  'none',
  'none',
  'third',
  'detached',
  'misplaced',
  'service',
);
const condition = fc.constantFrom<InstanceCondition>(
  'running',
  'running',
  'pending',
  'unresponsive',
  'impaired',
  'stopping',
  'stopped',
  'shutting-down',
  'terminated',
  'gone',
);
const failure: fc.Arbitrary<Failure> = fc.record({
  kind: fc.constantFrom('throttled', 'refused', 'unsent', 'uncertain' as const),
  code: fc.constant('Code'),
  message: fc.constant('why'),
});
const smallNumber = fc.integer({ min: 0, max: 4 });
/** Numbered when the story is played: each command has a number of its own. */
const request = fc.constant(0);
const readings = fc.array(fc.record({ interfaceName, level: interfaceLevel }), { maxLength: 3 });

/** What is ours is on the interface that the plan wants it on, and what is misplaced is not. */
export function observed(plan: Plan, first: Owner, second: Owner): Observation {
  const { holders, ...others } = observationOf(first, second);
  const placed = plan.targets.map(({ id, deviceIndex }): [string, Holder | null] => {
    const holder = holders[id] ?? null;
    if (holder?.kind !== 'interface' || instanceOf(holder) !== 'i-own') return [id, holder];
    const index = holder.mine ? deviceIndex : 3 - deviceIndex;
    return [id, { ...holder, networkInterfaceId: `eni-own${index}` }];
  });
  return { ...others, holders: Object.fromEntries(placed) };
}

export const outstandingOf = (attempt: Attempt | null): readonly (readonly [number, number])[] =>
  attempt?.calls.flatMap(({ number, outstanding }) =>
    outstanding.map((send) => [number, send.number] as const),
  ) ?? [];

const fixed = (event: fc.Arbitrary<Event>): fc.Arbitrary<Move['eventOf']> => event.map((one) => () => one);

const eventOf: fc.Arbitrary<Move['eventOf']> = fc.oneof(
  {
    weight: 60,
    arbitrary: fixed(
      fc.record({
        type: fc.constant('bfdSessionChanged' as const),
        session,
        level: sessionLevel,
        diag: fc.constant(''),
        receivedAt: fc.nat(),
        notification: fc.constant({}),
      }),
    ),
  },
  {
    weight: 20,
    arbitrary: fixed(
      fc.record({
        type: fc.constant('interfaceChanged' as const),
        interfaceName,
        level: interfaceLevel,
        receivedAt: fc.nat(),
        notification: fc.constant({}),
      }),
    ),
  },
  {
    weight: 20,
    arbitrary: fixed(
      fc
        .record({
          type: fc.constant('streamsSynchronized' as const),
          generation: fc.constantFrom('gen1', 'gen2' as const),
          answersAboutInterfaces: fc.boolean(),
          sessions: fc.array(
            fc.record({
              session,
              level: sessionLevel,
              survived: fc.boolean(),
              refused: fc.boolean(),
              notification: fc.constant(null),
            }),
            { maxLength: 3 },
          ),
          interfaces: readings,
        })
        .map((event) => ({
          ...event,
          answersAboutInterfaces: event.generation === 'gen1' || event.answersAboutInterfaces,
        })),
    ),
  },
  {
    weight: 3,
    arbitrary: fixed(
      fc.record({ type: fc.constantFrom('streamsLost', 'controlLost' as const), cause: fc.constant('why') }),
    ),
  },
  {
    weight: 3,
    arbitrary: fixed(
      fc.record({
        type: fc.constant('started' as const),
        bootId: fc.constant('boot'),
        memory: fc.option<Memory>(
          fc.record({
            bootId: fc.constantFrom('boot', 'boot', 'another'),
            savedAt: fc.nat(2_000),
            wasActive: fc.boolean(),
            armedSessions: fc.subarray(['a', 'b']),
            intent: fc.option(
              fc.record({
                startedAt: fc.nat(2_000),
                targets: fc.subarray(['172.31.101.10', '172.31.105.10']),
              }),
            ),
            beenActive: fc.boolean(),
            inhibit: fc.option(
              fc.record({
                until: fc.nat(100_000),
                untilWall: fc.nat(100_000),
                forMs: fc.nat(100_000),
                why: fc.constant('why'),
              }),
            ),
            scheduled: fc.option(fc.record({ at: fc.nat(100_000), atWall: fc.nat(100_000) })),
            damping: fc.option(
              fc.record({
                penalty: fc.nat(5_000),
                at: fc.nat(2_000),
                suppressedUntil: fc.option(fc.nat(100_000)),
              }),
            ),
            alarms: fc.array(storedAlarm, { maxLength: 3 }),
          }),
        ),
        wallNow: fc.nat(100_000),
      }),
    ),
  },
  {
    weight: 60,
    arbitrary: fc
      .record({ first: owner, second: owner, ageMs: fc.constantFrom(0, 50, 2_000), late: smallNumber })
      .map(({ first, second, ageMs, late }) => (state: State, now: number, plan: Plan): Event => ({
        type: 'ownershipObserved',
        number: state.observing.inFlight ?? late,
        startedAt: now - ageMs,
        observation: observed(plan, first, second),
      })),
  },
  {
    weight: 15,
    arbitrary: fc.tuple(failure, smallNumber).map(([why, late]) => (state: State): Event => ({
      type: 'observationFailed',
      number: state.observing.inFlight ?? late,
      failure: why,
    })),
  },
  {
    weight: 80,
    arbitrary: fc.tuple(fc.option(failure), smallNumber).map(([why, pick]) => (state: State): Event => {
      const waiting = outstandingOf(state.attempt);
      const [call, send] = waiting[pick % Math.max(waiting.length, 1)] ?? [1, pick];
      const attempt = state.lastAttempt;
      return {
        type: 'callAnswered',
        attempt,
        call,
        send,
        sentAt: 0,
        failure: why,
        apiRequestId: null,
      };
    }),
  },
  {
    weight: 3,
    arbitrary: fixed(
      fc.record({
        type: fc.constant('callAnswered' as const),
        attempt: smallNumber,
        call: smallNumber,
        send: smallNumber,
        sentAt: fc.constant(0),
        failure: fc.option(failure, { nil: null }),
        apiRequestId: fc.constant(null),
      }),
    ),
  },
  {
    weight: 10,
    arbitrary: fc
      .tuple(fc.constantFrom('callQueued', 'callReleased' as const), smallNumber)
      .map(([type, pick]) => (state: State): Event => {
        const waiting = outstandingOf(state.attempt);
        const [call, send] = waiting[pick % Math.max(waiting.length, 1)] ?? [1, pick];
        return { type, attempt: state.lastAttempt, call, send };
      }),
  },
  { weight: 3, arbitrary: fixed(fc.constant({ type: 'observationOffered' })) },
  {
    weight: 15,
    arbitrary: fc.tuple(readings, smallNumber).map(([interfaces, late]) => (state: State): Event => ({
      type: 'interfacesAnswered',
      attempt: state.attempt?.number ?? late,
      interfaces,
    })),
  },
  {
    weight: 25,
    arbitrary: fc
      .tuple(fc.option(fc.tuple(condition, condition), { freq: 5 }), failure, smallNumber)
      .map(([conditions, why, late]) => (state: State): Event => ({
        type: 'holdersAnswered',
        number: state.evidence.inFlight ?? late,
        result:
          conditions === null
            ? { ok: false, failure: why }
            : { ok: true, conditions: { 'i-peer': conditions[0], 'i-third': conditions[1] } },
      })),
  },
  {
    weight: 6,
    arbitrary: fixed(
      fc.record({ type: fc.constant('processStalled' as const), forMs: fc.constantFrom(150, 1_000, 10_000) }),
    ),
  },
  {
    weight: 6,
    arbitrary: fixed(
      fc.record({
        type: fc.constant('levelsRead' as const),
        sessions: fc.array(fc.record({ session, level: sessionLevel }), { maxLength: 2 }),
        interfaces: readings,
      }),
    ),
  },
  {
    weight: 6,
    arbitrary: fixed(
      fc.record({
        type: fc.constant('inhibitRequested' as const),
        request,
        forMs: fc.constantFrom(0, 1_000, 60_000),
        why: fc.constant('why'),
        wallNow: fc.nat(100_000),
      }),
    ),
  },
  {
    weight: 6,
    arbitrary: fixed(fc.record({ type: fc.constant('releaseRequested' as const), request })),
  },
  {
    weight: 15,
    arbitrary: fixed(fc.record({ type: fc.constant('switchoverRequested' as const), request })),
  },
  {
    weight: 5,
    arbitrary: fixed(
      fc.record({
        type: fc.constant('maintenanceLearnt' as const),
        instanceId: fc.constantFrom(null, 'i-peer', 'i-gone'),
        announced: fc.option<Maintenance[]>(
          fc.array(
            fc.record({
              code: fc.constantFrom('system-reboot', 'instance-stop'),
              at: fc.option(fc.nat(100_000)),
              atWall: fc.option(fc.nat(100_000)),
            }),
            { maxLength: 3 },
          ),
        ),
      }),
    ),
  },
  {
    weight: 8,
    arbitrary: fixed(
      fc.record({
        type: fc.constant('drillRequested' as const),
        request,
        holdMs: fc.constantFrom(1_000, 10_000),
        unready: fc.constantFrom([], [], ['a permission lacks']),
      }),
    ),
  },
  {
    weight: 5,
    arbitrary: fixed(
      fc.record({
        type: fc.constant('scheduleRequested' as const),
        request,
        atWall: fc.nat(100_000),
        wallNow: fc.nat(100_000),
      }),
    ),
  },
  {
    weight: 3,
    arbitrary: fixed(
      fc.record({ type: fc.constantFrom('cancelRequested', 'previewRequested' as const), request }),
    ),
  },
  {
    weight: 20,
    arbitrary: fixed(
      fc.record({
        type: fc.constant('inputDrained' as const),
        jitter: fc.double({ min: 0, max: 0.999, noNaN: true }),
      }),
    ),
  },
  {
    weight: 3,
    arbitrary: fixed(fc.constant({ type: 'shutdownRequested', cause: 'SIGTERM' })),
  },
);

export const move: fc.Arbitrary<Move> = fc.record({
  afterMs: fc.constantFrom(0, 0, 1, 4, 20, 100, 700, 1_000, 5_000, 10_000, 60_000),
  eventOf,
});
export const plan: fc.Arbitrary<Plan> = fc
  .record({
    trigger: fc.constantFrom('any', 'all' as const),
    oneInterface: fc.boolean(),
    preferred: fc.boolean(),
    foreignHolder: fc.constantFrom('refuse', 'take' as const),
    onPeerWithdrawn: fc.constantFrom('stay', 'take' as const),
    handsOver: fc.record({
      beforeMaintenanceMs: fc.constantFrom(null, 60_000),
      atShutdown: fc.boolean(),
    }),
    takeFromRunningAfterMs: fc.constantFrom(null, 60_000),
    settleMs: fc.constantFrom(20, 20, 0),
  })
  .map(({ oneInterface, takeFromRunningAfterMs, settleMs, ...choices }) => {
    const { targets, timing } = planOf();
    return planOf({
      ...choices,
      targets: oneInterface ? targets.map((target) => ({ ...target, deviceIndex: 1 })) : targets,
      timing: { ...timing, takeFromRunningAfterMs, settleMs },
    });
  });

const drained: Move = { afterMs: 0, eventOf: () => ({ type: 'inputDrained', jitter: 0.5 }) };
const just = (eventOf: Move['eventOf']): Move => ({ afterMs: 10, eventOf });

/** A router that has watched for a while: few random stories get that far by themselves. */
function watched(
  owners: readonly [Owner, Owner],
  generation: 'gen1' | 'gen2',
  level: 'Up' | 'Down' = 'Up',
  keepalives = 1,
): readonly Move[] {
  const keepalive = (afterMs: number): readonly Move[] => [
    { ...drained, afterMs },
    just((state, now, plan) => ({
      type: 'ownershipObserved',
      number: state.observing.inFlight ?? 0,
      startedAt: now,
      observation: observed(plan, ...owners),
    })),
    drained,
  ];
  return [
    just(() => ({ type: 'started', bootId: 'boot', memory: null, wallNow: 0 })),
    drained,
    just(() => synchronizedEvent(generation, level)),
    ...Array.from({ length: keepalives }, (_, index) => keepalive(index === 0 ? 0 : 10_000)).flat(),
  ];
}

const beginning: fc.Arbitrary<readonly Move[]> = fc.oneof(
  fc.constant([]),
  fc.constantFrom('gen1', 'gen2' as const).map((generation) => watched(['peer', 'peer'], generation)),
  fc.constantFrom('gen1', 'gen2' as const).map((generation) => watched(['peer', 'peer'], generation)),
  fc.constant(watched(['mine', 'mine'], 'gen2')),
  // A takeover of which the first requests are under way, and the failure may turn out to be here.
  fc.constant([
    ...watched(['peer', 'peer'], 'gen2'),
    just(() => sessionEvent('a', 'Down')),
    drained,
    { ...drained, afterMs: 20 },
    just(() => interfaceEvent('Te1', 'Down')),
    drained,
  ]),
  // Just before a repair, a claim, a preemption, and the question about the holder.
  fc.constant(watched(['mine', 'peer'], 'gen1', 'Up', 4)),
  fc.constant(watched(['none', 'none'], 'gen1', 'Up', 2)),
  fc.constant(watched(['peer', 'peer'], 'gen1', 'Up', 7)),
  fc.constant(watched(['peer', 'peer'], 'gen1', 'Down', 4)),
);

/** Most moments are decided on, as the loop does; in some of them several events come first. */
const moment = fc
  .record({ move, isDecided: fc.integer({ min: 0, max: 9 }) })
  .map(({ move, isDecided }) => (isDecided < 7 ? [move, drained] : [move]));

export const moves = (length: number): fc.Arbitrary<readonly Move[]> =>
  fc
    .tuple(beginning, fc.array(moment, { minLength: 1, maxLength: length, size: 'max' }))
    .map(([first, others]) => [...first, ...others.flat()]);

export const story = fc.tuple(plan, moves(50));
