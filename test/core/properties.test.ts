/**
 * What holds for any sequence of well-formed events: sessions and interfaces of the plan, answers to what was
 * asked and to what was not, in any order and at any time.
 */
import fc from 'fast-check';
import { violations } from '../../src/core/invariants';
import type { Event } from '../../src/core/model';
import { missingTargets } from '../../src/core/ownership';
import type { Plan } from '../../src/core/plan';
import { initialState, type State } from '../../src/core/state';
import { step, type Step } from '../../src/core/step';
import { moves, plan, story, type Move } from './stories';

/** Quicker than Jest's, and stricter: it tells undefined, NaN, Infinity and -0 from what JSON can hold. */
function equals(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  const entries = Object.entries(one);
  if (entries.length !== Object.keys(other).length) return false;
  return entries.every(
    ([key, value]) => key in other && equals(value, (other as Record<string, unknown>)[key]),
  );
}

type Taken = { readonly before: State; readonly event: Event; readonly now: number; readonly step: Step };

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

function play(plan: Plan, moves: readonly Move[]): readonly Taken[] {
  let state = initialState(plan);
  let now = 1_000;
  return moves.map((one) => {
    now += one.afterMs;
    const before = deepFreeze(state);
    const event = deepFreeze(one.eventOf(state, now, plan));
    const taken = { before, event, now, step: step(plan, before, event, now) };
    state = taken.step.state;
    return taken;
  });
}

const runs = { numRuns: 150 };

const hasMovedBefore = ({ attempt }: State): boolean =>
  attempt !== null &&
  (attempt.resumed ||
    attempt.calls.some(
      ({ outcome, uncertain, outstanding }) => outcome === 'moved' || uncertain || outstanding.length > 0,
    ));

describe('for any sequence of events', () => {
  test('step is total and pure, every step has a reason, and the invariants hold', () => {
    fc.assert(
      fc.property(story, ([plan, moves]) => {
        for (const { event, step: result } of play(plan, moves)) {
          const broken = violations(plan, result.state);
          if (broken.length > 0) throw new Error(broken.join('; '));
          if (result.reason === '') throw new Error(`${event.type} gave no reason`);
        }
      }),
      runs,
    );
  });

  test('replaying the journal gives the same states, effects and reasons, through JSON too', () => {
    fc.assert(
      fc.property(story, ([plan, moves]) => {
        for (const { before, event, now, step: result } of play(plan, moves)) {
          const journal = JSON.stringify({ before, event });
          const read = JSON.parse(journal) as { before: State; event: Event };
          expect(equals(read, { before, event })).toBe(true);
          expect(equals(step(plan, read.before, read.event, now), result)).toBe(true);
        }
      }),
      runs,
    );
  });

  test('a repeated BFD notification changes nothing', () => {
    fc.assert(
      fc.property(story, ([plan, moves]) => {
        for (const { event, now, step: result } of play(plan, moves)) {
          if (event.type !== 'bfdSessionChanged') continue;
          const again = step(plan, result.state, { ...event, receivedAt: event.receivedAt + 5 }, now + 5);
          expect(equals(again.state, result.state)).toBe(true);
          expect(again.effects).toEqual([]);
        }
      }),
      runs,
    );
  });

  test('a takeover is sent only where the rules allow it', () => {
    fc.assert(
      fc.property(story, ([plan, moves]) => {
        for (const { before, step: result } of play(plan, moves)) {
          if (!result.effects.some(({ effect }) => effect === 'sendTakeover')) continue;
          const { attempt, streams, shutdown, ownership, sessions, interfaces } = result.state;
          if (attempt === null) throw new Error('sent without an attempt');
          // Rule 5's give-back and rule 7's forward-only go on whatever the levels say.
          const { ownership: known } = before;
          if (known === null) throw new Error('sent before any observation');
          if (attempt.purpose === 'giveBack') continue;
          expect(missingTargets(plan, known)).not.toEqual([]);
          if (hasMovedBefore(before)) continue;
          expect(ownership).not.toBeNull();
          expect(streams.phase).toBe('synchronized');
          // Rule 14: one that has begun may finish.
          if (shutdown !== null) expect(before.attempt).not.toBeNull();
          expect(attempt.sessions.length).toBeGreaterThan(0);
          for (const { id, interfaceName } of plan.sessions) {
            if (!attempt.sessions.includes(id)) continue;
            expect(sessions[id]).toMatchObject({ armed: true });
            expect(sessions[id]?.level).not.toBe('Up');
            expect(interfaces[interfaceName]?.level).not.toBe('Down');
          }
        }
      }),
      runs,
    );
  });

  test('no attempt begins after the request to shut down', () => {
    fc.assert(
      fc.property(story, ([plan, moves]) => {
        for (const { before, step: result } of play(plan, moves)) {
          if (before.shutdown === null) continue;
          const began = result.state.lastAttempt > before.lastAttempt;
          expect(began && result.state.attempt?.purpose !== 'giveBack').toBe(false);
        }
      }),
      runs,
    );
  });

  test('a decision leaves nothing to decide at the same moment, and a deadline ahead', () => {
    fc.assert(
      fc.property(story, fc.double({ min: 0, max: 0.999, noNaN: true }), ([plan, moves], jitter) => {
        for (const { now, step: result } of play(plan, moves)) {
          let { state } = result;
          // Dropping an attempt that is too old and deciding afresh takes one decision more.
          for (let decisions = 0; decisions < 3; decisions += 1) {
            ({ state } = step(plan, state, { type: 'inputDrained', jitter }, now));
          }
          expect(state.wakeAt).toBeGreaterThan(now);
          expect(state.wakeAt).toBeLessThanOrEqual(now + plan.timing.keepaliveIntervalMs);
          const again = step(plan, state, { type: 'inputDrained', jitter }, now);
          expect(again.effects).toEqual([]);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('the state does not grow', () => {
    fc.assert(
      fc.property(plan, moves(400), (plan, moves) => {
        for (const { step: result } of play(plan, moves)) {
          const { attempt, ownership, interfaces } = result.state;
          const counts = {
            outstanding: Math.max(0, ...(attempt?.calls ?? []).map((call) => call.outstanding.length)),
            calls: attempt?.calls.length ?? 0,
            writes: Object.keys(ownership?.writes ?? {}).length,
            interfaces: Object.keys(interfaces).length,
          };
          if (counts.outstanding > 4 || counts.calls > 3 || counts.writes > 2 || counts.interfaces > 2)
            throw new Error(`the state grows: ${JSON.stringify(counts)}`);
        }
        expect(JSON.stringify(play(plan, moves).at(-1)?.step.state).length).toBeLessThan(8_000);
      }),
      { numRuns: 20 },
    );
  });
});
