/**
 * What holds for any sequence of well-formed events: sessions and interfaces of the plan, answers to what was
 * asked and to what was not, in any order and at any time. Which events may change places is in order.test.ts.
 */
import fc from '../support/properties';
import { instanceOf, isOfNoInstance } from '../../src/core/levels/holders';
import { violations } from '../../src/core/state/invariants';
import type { Effect, Event } from '../../src/core/state/model';
import type { Holder } from '../../src/core/state/readings';
import { missingTargets } from '../../src/core/levels/ownership';
import type { Plan } from '../../src/core/state/plan';
import { initialState, type State } from '../../src/core/state/state';
import { step, type Step } from '../../src/core/step';
import { deepFreeze, equals } from './equality';
import { moves, outstandingOf, plan, story, type Move } from './stories';

type Taken = { readonly before: State; readonly event: Event; readonly now: number; readonly step: Step };

function play(plan: Plan, moves: readonly Move[]): readonly Taken[] {
  let state = initialState(plan);
  let now = 1_000;
  return moves.map((one, index) => {
    now += one.afterMs;
    const before = deepFreeze(state);
    const event = deepFreeze(numbered(one.eventOf(state, now, plan), index));
    const taken = { before, event, now, step: step(plan, before, event, now) };
    state = taken.step.state;
    return taken;
  });
}

/** An operator's command carries a number of its own. */
function numbered(event: Event, index: number): Event {
  return 'request' in event ? { ...event, request: index } : event;
}

const runs = { numRuns: 150 };

const hasMovedBefore = ({ attempt }: State): boolean =>
  attempt !== null &&
  (attempt.resumed ||
    attempt.calls.some(
      ({ outcome, uncertain, outstanding }) => outcome === 'moved' || uncertain || outstanding.length > 0,
    ));

const COUNTS_ONCE: readonly Event['type'][] = [
  'bfdSessionChanged',
  'interfaceChanged',
  'streamsSynchronized',
  'streamsLost',
  'controlLost',
  'levelsRead',
  'interfacesAnswered',
  'ownershipObserved',
  'observationFailed',
  'holdersAnswered',
  'callAnswered',
  'callQueued',
  'callReleased',
  'shutdownRequested',
];

/** Two levels for one session or interface: the last one is true, but the one before it has been. */
function contradictsItself(event: Event): boolean {
  const names = [
    ...('sessions' in event ? event.sessions.map(({ session }) => session) : []),
    ...('interfaces' in event ? event.interfaces.map(({ interfaceName }) => interfaceName) : []),
  ];
  return new Set(names).size < names.length;
}

type Sent = Extract<Effect, { effect: 'sendCall' }>;

/** What has to be true of the levels, by what the move is for. */
function checkReason(plan: Plan, { before, now, step: { state } }: Taken, sent: readonly Sent[]): void {
  const { attempt, ownership, sessions, interfaces } = state;
  const known = before.ownership;
  if (attempt === null || ownership === null || known === null) throw new Error('sent without an attempt');
  const levels = plan.sessions.map(({ id }) => sessions[id]?.level);
  const holderOf = (id: string): Holder | null => known.holders[id] ?? null;
  for (const { targets, allowReassignment, networkInterfaceId } of sent) {
    // Only what nobody holds is asked for without reassignment, and BFD's word alone needs none.
    if (attempt.purpose === 'claim') expect(allowReassignment).toBe(false);
    if (!['switchover', 'giveBack'].includes(attempt.purpose)) {
      const own = ownership.observation.interfaces.find(
        (own) => own.networkInterfaceId === networkInterfaceId,
      );
      const wanted = plan.targets.filter(({ id }) => targets.includes(id));
      expect(wanted.map(({ deviceIndex }) => deviceIndex)).toEqual(targets.map(() => own?.deviceIndex));
    }
    const isForward = before.attempt?.number === attempt.number && hasMovedBefore(before);
    if (!isForward && plan.foreignHolder === 'refuse') {
      const foreign = targets.filter((id) => instanceOf(holderOf(id)) === 'i-third');
      expect(attempt.purpose === 'giveBack' ? [] : foreign).toEqual([]);
    }
  }
  // Rule 7: what has begun to move goes on whatever the levels say.
  if (before.attempt?.number === attempt.number && hasMovedBefore(before)) return;
  const missing = missingTargets(plan, known).map(({ id }) => id);
  const targets = sent.flatMap((each) => each.targets);
  switch (attempt.purpose) {
    case 'takeover':
      // What is here is asked for again, never alone and never without need.
      expect(attempt.calls.flatMap((call) => call.targets).some((id) => missing.includes(id))).toBe(true);
      if (attempt.resumed) return;
      expect(state.streams.phase).toBe('synchronized');
      expect(attempt.sessions.length).toBeGreaterThan(0);
      for (const { id, interfaceName } of plan.sessions) {
        if (!attempt.sessions.includes(id)) continue;
        expect(sessions[id]).toMatchObject({ armed: true });
        expect(sessions[id]?.level).not.toBe('Up');
        expect(interfaces[interfaceName]?.level).not.toBe('Down');
      }
      return;
    case 'evidence': {
      expect(levels).not.toContain('Up');
      const { noneUpSince, withdrawnSince } = state.evidence;
      const silentMs = now - (noneUpSince ?? now);
      const withdrawnMs = now - (withdrawnSince ?? now);
      expect(silentMs >= plan.timing.evidenceHoldMs || withdrawnMs >= 5_000).toBe(true);
      const conditions = targets.map((id) => {
        const holder = holderOf(id);
        if (holder === null) return 'nobody';
        const isFree = holder.kind === 'interface' && holder.attachment.to === 'nothing';
        if (isFree || instanceOf(holder) === 'i-own') return 'gone';
        return state.evidence.conditions[instanceOf(holder) ?? 'none'];
      });
      expect(conditions).not.toContain(undefined);
      expect(conditions).not.toContain('pending');
      return;
    }
    case 'repair': {
      const owned = plan.targets.filter(({ id }) => {
        const instanceId = instanceOf(holderOf(id));
        return instanceId !== null && instanceId !== 'i-third';
      });
      expect(state.unchanged?.observations).toBeGreaterThanOrEqual(3);
      if (owned.length === 0) {
        // Abandoned: on interfaces of no instance.
        const holders = targets.map((id) => instanceOf(holderOf(id)));
        expect(holders.filter((instanceId) => instanceId !== null && instanceId !== 'i-third')).toEqual([]);
        expect(targets.filter((id) => isOfNoInstance(holderOf(id)))).toEqual([]);
        return;
      }
      expect(instanceOf(holderOf(owned[0]?.id ?? ''))).toBe('i-own');
      const witnesses = plan.sessions.filter(
        ({ id, interfaceName }) =>
          sessions[id]?.armed === true && interfaces[interfaceName]?.level !== 'Down',
      );
      expect(new Set(witnesses.map(({ id }) => sessions[id]?.level))).toEqual(new Set(['Up']));
      return;
    }
    case 'claim':
      // What a third instance or a service holds is not the pair's.
      expect(
        plan.targets.filter(({ id }) => {
          const holder = holderOf(id);
          return holder !== null && instanceOf(holder) !== 'i-third' && !isOfNoInstance(holder);
        }),
      ).toEqual([]);
      return;
    case 'preemption':
      expect(plan.preferred).toBe(true);
      expect(new Set(levels)).toEqual(new Set(['Up']));
      expect(missing.length).toBe(plan.targets.length);
      return;
    case 'switchover':
      expect(new Set(levels)).toEqual(new Set(['Up']));
      expect(missing).toEqual([]);
      return;
    case 'giveBack':
      if (before.attempt?.number !== attempt.number) expect(before.giveBack).not.toBeNull();
  }
}

describe('for any sequence of events', () => {
  // Total: no event throws in any state. Pure: every state and event is frozen before it is handed over, so a core
  // that changed its arguments would throw. The invariants are those of production, src/core/invariants.ts.
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

  // What a daemon has written down, (time, event) by (time, event), tells all that it did: replayed from the initial
  // state, each step gives the same state, effects, alarms, reason and weight. Nothing of it gets lost in JSON, so a
  // journal may also begin anywhere, with the state that was true there.
  test('replaying the journal gives the same states, effects and reasons, through JSON too', () => {
    fc.assert(
      fc.property(story, ([plan, moves]) => {
        const taken = play(plan, moves);
        const written = JSON.stringify(taken.map(({ event, now }) => ({ event, now })));
        let state = initialState(plan);
        for (const [index, { event, now }] of (JSON.parse(written) as Taken[]).entries()) {
          const again = step(plan, state, event, now);
          expect(equals(again, taken[index]?.step)).toBe(true);
          ({ state } = again);
        }
      }),
      runs,
    );
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

  // A stream that is opened again repeats what it has said, some time later: a notification of the level that is known
  // changes no state and starts nothing, whatever its time.
  test('a repeated BFD or interface notification changes nothing', () => {
    fc.assert(
      fc.property(story, ([plan, moves]) => {
        for (const { event, now, step: result } of play(plan, moves)) {
          if (event.type !== 'bfdSessionChanged' && event.type !== 'interfaceChanged') continue;
          const again = step(plan, result.state, { ...event, receivedAt: event.receivedAt + 5 }, now + 5);
          expect(equals(again.state, result.state)).toBe(true);
          expect(again.effects).toEqual([]);
        }
      }),
      runs,
    );
  });

  // An answer that comes twice counts once: the second one is told to be late and changes no state. So does the loss of
  // the streams, levels that are read twice, and a signal. Not claimed for a stall and for operators' commands, each of
  // which asks for something and gets it, nor for readings that contradict themselves.
  test('what is delivered twice in a moment changes nothing the second time', () => {
    fc.assert(
      fc.property(story, ([plan, moves]) => {
        for (const { event, now, step: result } of play(plan, moves)) {
          if (!COUNTS_ONCE.includes(event.type) || contradictsItself(event)) continue;
          const again = step(plan, result.state, event, now);
          expect(equals(again.state, result.state)).toBe(true);
          expect(again.effects).toEqual([]);
          expect(again.alarms).toEqual([]);
        }
      }),
      runs,
    );
  });

  // Else what is claimed of an event might be claimed of nothing.
  test('the stories have every event that counts once', () => {
    const told = fc
      .sample(story, { numRuns: 60, seed: 1 })
      .flatMap(([plan, moves]) => play(plan, moves))
      .filter(({ event }) => !contradictsItself(event))
      .map(({ event }) => event.type);
    expect(COUNTS_ONCE.filter((type) => !told.includes(type))).toEqual([]);
  });

  // At the moment of each send the levels call for it, each purpose by its own rule (checkReason): judged by this file's
  // own reading of the rules. What has begun to move is excepted, as rule 7 has it.
  test('nothing is sent without a reason that lives', () => {
    fc.assert(
      fc.property(story, ([plan, moves]) => {
        for (const taken of play(plan, moves)) {
          const sent = taken.step.effects.filter((effect) => effect.effect === 'sendCall');
          if (sent.length > 0) checkReason(plan, taken, sent);
        }
      }),
      runs,
    );
  });

  // Else what the properties claim of a purpose might be claimed of nothing.
  test('the stories reach moves of every purpose', () => {
    const reached = fc
      .sample(story, { numRuns: 400, seed: 1 })
      .flatMap(([plan, moves]) => play(plan, moves))
      .filter(({ step: result }) => result.effects.some(({ effect }) => effect === 'sendCall'))
      .map(({ step: result }) => result.state.attempt?.purpose ?? 'none');
    expect([...new Set(reached)].sort()).toEqual([
      'claim',
      'evidence',
      'giveBack',
      'preemption',
      'repair',
      'switchover',
      'takeover',
    ]);
  });

  // Rules 12, 13, 14 and 16 keep every attempt from beginning; a give-back and what is resumed are second halves.
  test('nothing begins while this router is inhibited, shutting down, not in control or finding its way after a stall', () => {
    fc.assert(
      fc.property(story, ([plan, moves]) => {
        for (const { before, step: result } of play(plan, moves)) {
          const { attempt, lastAttempt, inhibit, shutdown, streams, reorientation } = result.state;
          // The second half of a takeover: it goes on, or goes back.
          const isNew = attempt?.purpose !== 'giveBack' && attempt?.resumed !== true;
          if (lastAttempt === before.lastAttempt || attempt === null || !isNew) continue;
          expect([inhibit, shutdown, reorientation]).toEqual([null, null, null]);
          expect(streams.phase).not.toBe('notInControl');
        }
      }),
      runs,
    );
  });

  // Rule 10 holds back what BFD triggers, and nothing else.
  test('no takeover begins while damped', () => {
    fc.assert(
      fc.property(story, ([plan, moves]) => {
        for (const { before, now, step: result } of play(plan, moves)) {
          const { attempt, lastAttempt } = result.state;
          if (lastAttempt === before.lastAttempt || attempt?.purpose !== 'takeover' || attempt.resumed)
            continue;
          expect(now).toBeGreaterThanOrEqual(before.damping?.suppressedUntil ?? 0);
        }
      }),
      runs,
    );
  });

  // Rule 9: its daemon alone may have failed.
  test('from a holder that does not answer nothing is taken before evidence_hold_s, nor by a router that could hear nothing', () => {
    fc.assert(
      fc.property(story, ([plan, moves]) => {
        for (const { before, now, step: result } of play(plan, moves)) {
          const { attempt, lastAttempt, ownership, evidence, streams } = result.state;
          if (lastAttempt === before.lastAttempt || attempt?.purpose !== 'evidence') continue;
          const fromUnresponsive = attempt.calls
            .flatMap(({ targets }) => targets)
            .some((id) => evidence.conditions[instanceOf(ownership?.holders[id]) ?? ''] === 'unresponsive');
          if (!fromUnresponsive) continue;
          const silentMs = now - (evidence.noneUpSince ?? now);
          const { takeFromRunningAfterMs, evidenceHoldMs } = plan.timing;
          expect(silentMs).toBeGreaterThanOrEqual(
            Math.min(evidenceHoldMs, takeFromRunningAfterMs ?? Infinity),
          );
          if (plan.onPeerWithdrawn === 'stay') expect(streams.phase).toBe('synchronized');
        }
      }),
      runs,
    );
  });

  // Rule 9: at most once in a process life, only where the configuration says so, never after having been ACTIVE; and
  // where it says so of a peer that has withdrawn all its sessions.
  test('nothing is taken from a running holder that BFD has not called dead, but for the opt-ins', () => {
    fc.assert(
      fc.property(story, ([plan, moves]) => {
        const spent = play(plan, moves).filter(({ before, now, step: result }) => {
          const { attempt, lastAttempt, ownership, evidence } = result.state;
          if (lastAttempt === before.lastAttempt || attempt?.purpose !== 'evidence') return false;
          const withdrawnMs = now - (evidence.withdrawnSince ?? now);
          if (plan.onPeerWithdrawn === 'take' && withdrawnMs >= plan.timing.evidenceHoldMs) return false;
          return attempt.calls
            .flatMap(({ targets }) => targets)
            .some((id) => evidence.conditions[instanceOf(ownership?.holders[id]) ?? ''] === 'running');
        });
        expect(spent.length).toBeLessThanOrEqual(plan.timing.takeFromRunningAfterMs === null ? 0 : 1);
        for (const { before } of spent) expect(before.beenActive).toBe(false);
      }),
      runs,
    );
  });

  // Within 30 s in which nothing else happens than requests that time out; no answer comes twice.
  test('every command of an operator is answered exactly once, and soon', () => {
    fc.assert(
      fc.property(story, ([plan, moves]) => {
        const taken = play(plan, moves);
        const asked = new Map<number, number>();
        const answered: number[] = [];
        for (const { event, now, step: result } of taken) {
          if ('request' in event) asked.set(event.request, now);
          for (const effect of result.effects)
            if (effect.effect === 'answerOperator') answered.push(effect.request);
        }
        const last = taken.at(-1);
        if (last === undefined) return;
        let { state } = last.step;
        // Nothing more happens: EC2 gives no answer at all, and deadlines go by.
        for (let now = last.now; now <= last.now + 30_000; now = Math.max(state.wakeAt, now + 1)) {
          const decided = step(plan, state, { type: 'inputDrained', jitter: 0.5 }, now);
          ({ state } = decided);
          for (const effect of decided.effects)
            if (effect.effect === 'answerOperator') answered.push(effect.request);
          // Requests that are under way are answered or time out: their deadline is at most 8 s.
          for (const [call, send] of outstandingOf(state.attempt)) {
            const failure = { kind: 'uncertain', code: 'Timeout', message: 'no answer' } as const;
            const attempt = state.lastAttempt;
            const event = {
              type: 'callAnswered',
              attempt,
              call,
              send,
              sentAt: 0,
              failure,
              apiRequestId: null,
            } as const;
            ({ state } = step(plan, state, event, now));
          }
        }
        expect([...answered].sort((a, b) => a - b)).toEqual([...asked.keys()]);
      }),
      runs,
    );
  });

  // The loop sleeps until `wakeAt`: were it not ahead, the daemon would spin, and were it infinite, it would sleep for good.
  // At most three decisions bring a moment to rest, and the next one then starts nothing.
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

  // Over 400 moments: nothing in the state is a list that only gets longer.
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
          if (counts.outstanding > 8 || counts.calls > 3 || counts.writes > 2 || counts.interfaces > 2)
            throw new Error(`the state grows: ${JSON.stringify(counts)}`);
        }
        expect(JSON.stringify(play(plan, moves).at(-1)?.step.state).length).toBeLessThan(10_000);
      }),
      { numRuns: 20 },
    );
  });
});
