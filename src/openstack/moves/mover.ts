/**
 * Moves targets as the core asks for it. Nothing has to be signed, so what can be done ahead is to have connections; the
 * requests of a move are made of what the last reading has shown. When and how often to try is decided by the rules, but a
 * move that is asked for again while Neutron is at it joins what is under way: Neutron takes a second or more for each PUT,
 * and would do the same work twice. It is looked at instead: others see a change half way through the PUT.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Mover, Outcome, SendNews, SendRequest } from '../../cloud';
import type { RequestedMove } from '../../core/state/model';
import type { OpenstackPlan } from '../description';
import { isAt, moveTargets, oneAtATime } from '../kinds';
import type { Tools } from './step';
import type { Turns } from './turns';

/** A read may be made beside the moves. */
const BESIDE = 1;
/** More at once would be turned away by the limits of whatever stands before Neutron. */
const CONNECTIONS_MAX = 50;
/** Of all requests of a move together. Under load a PUT has taken 31 s (seen). */
const MOVE_MS_MAX = 40_000;
/** What has no answer for so long is asked for once more, on another connection. */
const HOPELESS_AFTER_MS = 10_000;

/** Of one move; `outcome` is null where it was withdrawn before it was sent. */
type UnderWay = { readonly startedAt: number; readonly outcome: Promise<Outcome | null> };

/** `turns`: of all groups together. */
export function openMover(tools: Tools, plan: OpenstackPlan, turns: Turns): Mover {
  const { now, neutron } = tools;
  const byId = new Map(plan.targets.map((target) => [target.id, target]));
  const underWay = new Map<string, UnderWay>();
  const warmFor = (count: number) => neutron.warm(Math.min(count + BESIDE, CONNECTIONS_MAX));

  const start = (key: string, request: SendRequest, news: SendNews | undefined): UnderWay => {
    const of = request.targets.flatMap((id) => byId.get(id) ?? []);
    const [first] = of;
    if (first === undefined) throw new Error('a move of nothing');
    const move = () => moveTargets(tools, first, { ...request, of }, MOVE_MS_MAX);
    const queue = oneAtATime(first);
    const outcome = queue === null ? move() : turns.take(queue, callOf(request), move, news);
    const begun = { startedAt: now(), outcome };
    underWay.set(key, begun);
    void outcome.then(() => underWay.get(key) === begun && underWay.delete(key));
    return begun;
  };

  /** Fulfilled only where all of it is seen where it is to be. */
  const look = async (request: SendRequest, sentAt: number): Promise<Outcome> => {
    const of = request.targets.flatMap((id) => byId.get(id) ?? []);
    const areThere = await Promise.all(of.map((target) => isAt(tools, target, request.networkInterfaceId)));
    return areThere.every((each) => each) ? { failure: null, sentAt, apiRequestId: null } : NEVER;
  };

  return {
    prepare: () => warmFor(1),
    send: async (request, news) => {
      const key = `${request.targets.join()} ${request.networkInterfaceId} ${request.allowReassignment}`;
      const running = underWay.get(key);
      const isHopeful = running !== undefined && now() - running.startedAt < HOPELESS_AFTER_MS;
      const { startedAt, outcome } = isHopeful ? running : start(key, request, news);
      const seen = isHopeful ? look(request, startedAt) : NEVER;
      const patience = new AbortController();
      const late = delay(request.timeoutMs, 'late' as const, { signal: patience.signal }).catch(
        () => 'late' as const,
      );
      const result = await Promise.race([outcome, seen, late]);
      patience.abort();
      if (result === 'late') return unanswered(request, startedAt);
      // What is withdrawn is never answered.
      return result ?? new Promise(() => {});
    },
    discard: () => {},
    withdraw: (attempt, calls) => {
      for (const call of calls) turns.withdraw(callOf({ attempt, call }));
    },
    rehearse: (moves: readonly RequestedMove[]) => {
      warmFor(moves.length);
      return Promise.resolve();
    },
  };
}

const NEVER = new Promise<never>(() => {});

const callOf = ({ attempt, call }: Pick<SendRequest, 'attempt' | 'call'>): string => `${attempt}/${call}`;

function unanswered({ timeoutMs }: SendRequest, sentAt: number): Outcome {
  const message = `no answer within ${Math.round(timeoutMs)} ms`;
  return { failure: { kind: 'uncertain', code: 'Timeout', message }, sentAt, apiRequestId: null };
}
