/**
 * Moves targets as the core asks for it: the action of their kind, signed ahead where that has been possible, at
 * the pace that EC2 allows. When and how often to try is decided by the rules; this sends what it is told to.
 */
import type { RequestedMove, CallRequest } from '../../core/state/model';
import type { AwsPlan, AwsTarget } from '../description';
import type { Mover } from '../../cloud';
import type { Move, PreparedMove, Tools } from './action';
import { awsKindOf } from '../kinds';
import type { Ec2 } from '../transport/ec2';
import type { Pacer } from './pacer';

/** A signature is good for 5 minutes. */
const PREPARED_AGE_MS_MAX = 240_000;
/**
 * So many requests are signed ahead at most, which is EC2's burst of the routes: what is beyond waits for tokens
 * much longer than signing takes, and each costs memory while it is kept.
 */
export const AHEAD_MAX = 50;
/** So many of them are signed anew at each rehearsal, the oldest first: all of a small configuration. */
const RENEWED_AT_ONCE = 8;

type Prepared = { readonly key: string; readonly preparedAt: number; readonly move: PreparedMove };

export function openMover({
  ec2,
  plan,
  pacer,
  now,
  tableOf = () => null,
  group = '',
}: {
  readonly ec2: Ec2;
  readonly plan: AwsPlan;
  readonly pacer: Pacer;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly tableOf?: Tools['tableOf'];
  /** Groups share EC2's limits fairly. */
  readonly group?: string;
}): Mover {
  const targets = new Map(plan.targets.map((target) => [target.id, target]));
  /** Signed for a call of an attempt, by `keyOf`. */
  const prepared = new Map<string, Prepared>();
  /** Signed at a rehearsal, for no attempt yet; the oldest first. */
  let ahead: readonly Prepared[] = [];
  /** What takes a request that waits for tokens out of the queue, by attempt, call and send. */
  const waiting = new Map<string, () => void>();

  const toolsFor = (rank: number): Tools => ({
    ec2,
    tableOf,
    answered: (action, failure) => pacer.answered(action, failure),
    token: (action) => new Promise((resolve) => void pacer.enter({ action, group, rank }, resolve)),
  });

  const build = (request: RequestedMove): Prepared => ({
    key: moveKey(request),
    preparedAt: now(),
    move: prepareMove(toolsFor(request.rank), request, targets),
  });

  const isUsable = ({ preparedAt, move }: Prepared): boolean =>
    now() - preparedAt < PREPARED_AGE_MS_MAX && !move.hasFailed();

  const takeAhead = (request: RequestedMove): Prepared | null => {
    // Once, and not for each candidate: with fifty requests that alone would take milliseconds.
    const key = moveKey(request);
    // The newest one is the last to become too old.
    const found = ahead.findLast((candidate) => candidate.key === key && isUsable(candidate)) ?? null;
    if (found !== null) ahead = ahead.filter((candidate) => candidate !== found);
    return found;
  };

  /** The prepared move, once; a new one where there is none that is still good. */
  const take = (request: CallRequest): PreparedMove => {
    const found = prepared.get(keyOf(request));
    prepared.delete(keyOf(request));
    if (found?.key === moveKey(request) && isUsable(found)) return found.move;
    found?.move.discard();
    return (takeAhead(request) ?? build(request)).move;
  };

  /**
   * One in each turn of the event loop: what the request waits for, rule 5's question and its answer, goes before.
   * Where that is there first, release takes the connection.
   */
  const unreserved: PreparedMove[] = [];
  const reserveNext = (): void => {
    unreserved.shift()?.reserve();
    if (unreserved.length > 0) setImmediate(reserveNext);
  };
  const reserveSoon = (move: PreparedMove): void => {
    if (unreserved.push(move) === 1) setImmediate(reserveNext);
  };

  return {
    prepare: (request) => {
      const ready = takeAhead(request);
      // What is beyond the first burst is signed when its turn comes, and not while others could be sent.
      if (ready === null && prepared.size + ahead.length >= AHEAD_MAX) return;
      prepared.get(keyOf(request))?.move.discard();
      const taken = ready ?? build(request);
      prepared.set(keyOf(request), taken);
      ec2.warm(prepared.size);
      reserveSoon(taken.move);
    },
    send: (request, news) =>
      new Promise((resolve) => {
        const key = `${keyOf(request)}/${request.send}`;
        const action = firstAction(request, targets);
        const isQueued = () => waiting.has(key);
        const leave = pacer.enter({ action, group, rank: request.rank }, () => {
          if (isQueued()) news?.released();
          waiting.delete(key);
          const release = take(request).release(request.timeoutMs);
          void release.then(resolve);
        });
        if (leave === null) return;
        waiting.set(key, leave);
        news?.queued();
      }),
    discard: (attempt) => {
      for (const [key, { move }] of prepared) {
        if (!key.startsWith(`${attempt}/`)) continue;
        prepared.delete(key);
        move.discard();
      }
    },
    withdraw: (attempt, calls) => {
      for (const [key, leave] of waiting) {
        const [ofAttempt, ofCall] = key.split('/').map(Number);
        if (ofAttempt !== attempt || ofCall === undefined || !calls.includes(ofCall)) continue;
        waiting.delete(key);
        leave();
      }
    },
    rehearse: async (moves) => {
      const wanted = [...moves].sort((a, b) => a.rank - b.rank).slice(0, AHEAD_MAX);
      const keys = new Set(wanted.map(moveKey));
      const kept = ahead.filter((each) => keys.has(each.key) && isUsable(each));
      const renewed = kept.slice(0, RENEWED_AT_ONCE);
      const rest = kept.slice(renewed.length);
      for (const each of ahead) if (!rest.includes(each)) each.move.discard();
      for (const { key } of rest) keys.delete(key);
      const missing = wanted.filter((move) => keys.has(moveKey(move)));
      ahead = [...rest, ...missing.map(build)];
      ec2.warm(wanted.length + 1);
      await Promise.all(ahead.map(({ move }) => move.built));
    },
  };
}

const keyOf = ({ attempt, call }: CallRequest): string => `${attempt}/${call}`;

/** Two requests with the same one ask EC2 for the same. */
function moveKey({
  networkInterfaceId,
  targets,
  allowReassignment,
  privateAddress = '',
  releases = [],
}: RequestedMove): string {
  return JSON.stringify([networkInterfaceId, targets, allowReassignment, privateAddress, releases]);
}

type Targets = ReadonlyMap<string, AwsTarget>;

function firstTarget({ targets: [first] }: RequestedMove, targets: Targets): AwsTarget {
  const target = targets.get(first ?? '');
  if (target === undefined) throw new Error(`${first ?? 'nothing'} is no target of the plan`);
  return target;
}

/** By the kind of what is moved, which all targets of a request have in common. */
export function prepareMove(tools: Tools, request: RequestedMove, targets: Targets): PreparedMove {
  return awsKindOf(firstTarget(request, targets)).move(tools, moveOf(request, targets));
}

/** The action that the first call of the move is. */
function firstAction(request: RequestedMove, targets: Targets): PreparedMove['action'] {
  return awsKindOf(firstTarget(request, targets)).firstAction(request);
}

function moveOf(request: RequestedMove, targets: Targets): Move {
  const { kind } = firstTarget(request, targets);
  const named = (ids: readonly string[]): readonly AwsTarget[] =>
    ids.flatMap((id) => targets.get(id) ?? []).filter((target) => target.kind === kind);
  const { networkInterfaceId, allowReassignment, privateAddress = null, releases = [] } = request;
  return {
    targets: named(request.targets),
    networkInterfaceId,
    allowReassignment,
    privateAddress,
    releases: releases.map((release) => ({ ...release, targets: named(release.targets) })),
  };
}
