/**
 * No loop can spin: whatever EC2 answers, the number of requests in a minute is bounded. EC2 answers everything
 * after the same time; what it answers is random, and so is who it says holds the targets.
 */
import fc from '../support/properties';
import { Pacer } from '../../src/aws/moves/pacer';
import { violations } from '../../src/core/state/invariants';
import type { Effect, Event } from '../../src/core/state/model';
import type { Failure, InstanceCondition } from '../../src/core/state/readings';
import type { Plan } from '../../src/core/state/plan';
import { initialState } from '../../src/core/state/state';
import { step } from '../../src/core/step';
import { planOf, synchronizedEvent, type Owner } from '../support/coreWorld';
import { limits } from '../adapters/aws/awsLab';
import { observed } from './stories';

const MINUTE_MS = 60_000;

/** What EC2 says, turn by turn; the last answer of each kind stands. */
type Script = {
  readonly latencyMs: number;
  readonly jitter: number;
  readonly calls: readonly (Failure['kind'] | 'ok')[];
  readonly observations: readonly (readonly [Owner, Owner] | 'fails')[];
  readonly conditions: readonly (InstanceCondition | 'fails')[];
  /** Whether answers begin again at the first when they are used up. */
  readonly isRepeated: boolean;
};

type World = {
  readonly plan: Plan;
  readonly generation: 'gen1' | 'gen2';
  readonly script: Script;
  /** How the sessions are found, and what happens to them: at most once a second. */
  readonly level: 'Up' | 'Down';
  readonly before: readonly [Owner, Owner];
  readonly flaps: readonly { readonly atMs: number; readonly event: Event }[];
};

type Request = { readonly attempt: number; readonly call: number; readonly send: number };

type Count = { readonly at: number; readonly effect: Effect };

/** Everything that is asked for in this time. */
function run({ plan, generation, script, level, before, flaps }: World, forMs: number): readonly Count[] {
  let state = initialState(plan);
  let now = 0;
  const queue: { at: number; event: Event }[] = [
    { at: 0, event: { type: 'started', bootId: 'boot', memory: null, wallNow: 0 } },
    { at: 0, event: synchronizedEvent(generation, 'Up') },
    { at: 60, event: level === 'Up' ? synchronizedEvent(generation, 'Up') : down('a') },
    ...(level === 'Up' ? [] : [{ at: 60, event: down('b') }]),
    ...flaps.map(({ atMs, event }) => ({ at: atMs, event })),
  ];
  const counts: Count[] = [];
  const turns = { calls: 0, observations: 0, conditions: 0 };
  const next = <Answer>(kind: keyof typeof turns, answers: readonly Answer[]): Answer => {
    const index = turns[kind]++;
    const answer = answers[script.isRepeated ? index % answers.length : Math.min(index, answers.length - 1)];
    if (answer === undefined) throw new Error('a script without an answer');
    return answer;
  };
  const failure = (kind: Failure['kind']): Failure => ({ kind, code: kind, message: 'why' });
  /** What EC2 throttles asks again at the pace of the production pacer. */
  let timers: { readonly at: number; readonly run: () => void }[] = [];
  const pacer = new Pacer(limits, () => now, {
    after: (delayMs, run) => {
      const timer = { at: now + delayMs, run };
      timers.push(timer);
      return () => (timers = timers.filter((each) => each !== timer));
    },
    random: () => script.jitter,
  });
  let waiting: { readonly request: Request; readonly leave: () => void }[] = [];
  const enter = (effect: Extract<Effect, { effect: 'sendCall' }>): void => {
    const { attempt, call, send, rank } = effect;
    const request = { attempt, call, send };
    let isQueued = false;
    const leave = pacer.enter({ action: 'AssignPrivateIpAddresses', group: '', rank }, () => {
      if (isQueued) queue.push({ at: now, event: { type: 'callReleased', ...request } });
      waiting = waiting.filter((each) => each.request !== request);
      counts.push({ at: now, effect });
      const answer = next('calls', script.calls);
      const kind = answer === 'ok' ? null : failure(answer);
      const event: Event = {
        type: 'callAnswered',
        ...request,
        sentAt: now,
        apiRequestId: null,
        failure: kind,
      };
      queue.push({ at: now + script.latencyMs, event });
    });
    if (leave === null) return;
    isQueued = true;
    waiting.push({ request, leave });
    queue.push({ at: now, event: { type: 'callQueued', ...request } });
  };
  const answerTo = (effect: Effect): Event | null => {
    switch (effect.effect) {
      case 'observeOwnership': {
        const answer = effect.number === 1 ? before : next('observations', script.observations);
        const { number } = effect;
        if (answer === 'fails') return { type: 'observationFailed', number, failure: failure('uncertain') };
        return { type: 'ownershipObserved', number, startedAt: now, observation: observed(plan, ...answer) };
      }
      case 'sendCall':
        enter(effect);
        return null;
      case 'withdrawCalls':
        for (const { request, leave } of waiting.filter(
          ({ request: { attempt, call } }) => attempt === effect.attempt && effect.calls.includes(call),
        )) {
          leave();
          waiting = waiting.filter((each) => each.request !== request);
        }
        return null;
      case 'askHolders': {
        const { number, instanceIds } = effect;
        const answer = next('conditions', script.conditions);
        if (answer === 'fails')
          return { type: 'holdersAnswered', number, result: { ok: false, failure: failure('uncertain') } };
        const conditions = Object.fromEntries(instanceIds.map((id) => [id, answer] as const));
        return { type: 'holdersAnswered', number, result: { ok: true, conditions } };
      }
      case 'askInterfaces':
        return { type: 'interfacesAnswered', attempt: effect.attempt, interfaces: [] };
      case 'readLevels':
        return { type: 'levelsRead', sessions: [], interfaces: [] };
      case 'prepareCall':
      case 'discardPrepared':
      case 'answerOperator':
      case 'remember':
      case 'reportTimeline':
      case 'stop':
        return null;
    }
  };
  const take = (event: Event): void => {
    const result = step(plan, state, event, now);
    const broken = violations(plan, result.state);
    if (broken.length > 0) throw new Error(broken.join('; '));
    ({ state } = result);
    for (const effect of result.effects) {
      if (effect.effect !== 'sendCall') counts.push({ at: now, effect });
      const event = answerTo(effect);
      if (event !== null) queue.push({ at: now + script.latencyMs, event });
    }
  };
  for (let steps = 0; ; steps += 1) {
    if (steps > 20_000) throw new Error(`the core spins at ${now} ms`);
    now = Math.max(now, Math.min(state.wakeAt, ...queue.map(({ at }) => at), ...timers.map(({ at }) => at)));
    if (now > forMs) return counts;
    for (const timer of timers.filter(({ at }) => at <= now)) {
      timers = timers.filter((each) => each !== timer);
      timer.run();
    }
    const due = queue.filter(({ at }) => at <= now);
    queue.splice(0, queue.length, ...queue.filter(({ at }) => at > now));
    for (const { event } of due) {
      if (event.type === 'callAnswered') pacer.answered('AssignPrivateIpAddresses', event.failure);
      take(event);
    }
    take({ type: 'inputDrained', jitter: script.jitter });
  }
}

const down = (session: string): Event => ({
  type: 'bfdSessionChanged',
  ...{ session, level: 'Down', diag: '', receivedAt: 60, notification: {} },
});

const owner = fc.constantFrom<Owner>(
  'mine',
  'peer',
  'peer',
  'none',
  'none',
  'third',
  'detached',
  'misplaced',
  'service',
);
const owners = fc.oneof(
  fc.tuple(owner, owner),
  fc.constantFrom<readonly [Owner, Owner]>(['none', 'none'], ['peer', 'peer'], ['mine', 'peer']),
);
const someOf = <Value>(value: fc.Arbitrary<Value>) => fc.array(value, { minLength: 1, maxLength: 4 });

const script: fc.Arbitrary<Script> = fc.record({
  latencyMs: fc.constantFrom(0, 1, 20, 150, 800, 1_500),
  jitter: fc.constantFrom(0, 0.5, 0.999),
  calls: someOf(fc.constantFrom('throttled', 'refused', 'unsent', 'uncertain', 'ok' as const)),
  observations: someOf(
    fc.oneof({ weight: 9, arbitrary: owners }, { weight: 1, arbitrary: fc.constant('fails' as const) }),
  ),
  conditions: someOf(
    fc.constantFrom('running', 'unresponsive', 'stopped', 'impaired', 'gone', 'pending', 'fails' as const),
  ),
  isRepeated: fc.boolean(),
});

const flap = fc.record({
  atMs: fc.integer({ min: 1, max: 120 }).map((s) => s * 1_000),
  event: fc.record({
    type: fc.constant('bfdSessionChanged' as const),
    session: fc.constantFrom('a', 'b'),
    level: fc.constantFrom('Up', 'Down' as const),
    diag: fc.constant(''),
    receivedAt: fc.constant(0),
    notification: fc.constant({}),
  }),
});

const world: fc.Arbitrary<World> = fc.record({
  plan: fc
    .record({
      preferred: fc.boolean(),
      foreignHolder: fc.constantFrom('refuse', 'take' as const),
      oneInterface: fc.boolean(),
      takeFromRunningAfterMs: fc.constantFrom(null, 40_000),
    })
    .map(({ oneInterface, takeFromRunningAfterMs, ...change }) => {
      const { targets, timing } = planOf();
      return planOf({
        ...change,
        targets: oneInterface ? targets.map((target) => ({ ...target, deviceIndex: 1 })) : targets,
        timing: { ...timing, takeFromRunningAfterMs },
      });
    }),
  generation: fc.constantFrom('gen1', 'gen2' as const),
  script,
  level: fc.constantFrom('Up', 'Down' as const),
  before: owners,
  flaps: fc.oneof(fc.constant([]), fc.array(flap, { maxLength: 40 })),
});

/** The most in any minute. */
function mostInAMinute(counts: readonly Count[]): number {
  return Math.max(
    0,
    ...counts.map(({ at }) => counts.filter((other) => other.at >= at && other.at < at + MINUTE_MS).length),
  );
}

/**
 * A call is tried at most every half second once it has failed a few times; each new attempt, of which a minute sees
 * few, begins with some quick tries. One that has no answer is sent again after 300 ms at least.
 */
const SENDS_MAX = 2 * 220;
/** One a second where something has to be watched closely, and one after each move. */
const OBSERVATIONS_MAX = 90;
/** One before each takeover, of which dampening allows few. */
const QUESTIONS_MAX = 10;

describe('nothing spins', () => {
  test('whatever EC2 answers', () => {
    fc.assert(
      fc.property(world, (world) => {
        const counts = run(world, 3 * MINUTE_MS);
        const most = (...names: readonly Effect['effect'][]): number =>
          mostInAMinute(counts.filter(({ effect }) => names.includes(effect.effect)));
        expect(most('sendCall')).toBeLessThanOrEqual(SENDS_MAX);
        expect(most('observeOwnership')).toBeLessThanOrEqual(OBSERVATIONS_MAX);
        // An observation is followed by at most one question about the holder.
        expect(most('askHolders')).toBeLessThanOrEqual(most('observeOwnership') + 1);
        expect(most('askInterfaces')).toBeLessThanOrEqual(QUESTIONS_MAX);
        // What is stored changes at most when a request goes out and when it is answered.
        expect(most('remember')).toBeLessThanOrEqual(2 * SENDS_MAX);
      }),
      { numRuns: 150 },
    );
  });

  test.each(['refused', 'throttled', 'unsent', 'uncertain'] as const)(
    'EC2 that only ever answers %s, with and without an owner, every session UP or DOWN',
    (kind) => {
      for (const level of ['Up', 'Down'] as const) {
        for (const before of [
          ['none', 'none'],
          ['mine', 'peer'],
          ['peer', 'none'],
          ['detached', 'none'],
        ] as const) {
          const script: Script = {
            latencyMs: 20,
            jitter: 0,
            calls: [kind],
            observations: [before],
            conditions: ['stopped'],
            isRepeated: true,
          };
          const plan = planOf({ preferred: true });
          const counts = run({ plan, generation: 'gen2', script, level, before, flaps: [] }, 3 * MINUTE_MS);
          const most = (name: Effect['effect']): number =>
            mostInAMinute(counts.filter(({ effect }) => effect.effect === name));
          expect(most('sendCall')).toBeLessThanOrEqual(kind === 'refused' ? 40 : SENDS_MAX);
          expect(most('observeOwnership')).toBeLessThanOrEqual(40);
        }
      }
    },
  );
});
