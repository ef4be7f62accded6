/**
 * From targets to calls: which ones go together, to which interface, and what the cloud is asked for (rule 6). When a
 * call is made, and what its answer means, is calls.ts's part.
 */
import { basesAmong, isOnAddress, kindOf, sharedCall } from '../kinds';
import type { RequestedMove, CallRequest } from '../state/model';
import type { InterfaceHolder, Observation } from '../state/readings';
import { interfaceIdOf } from '../levels/holders';
import { interfaceFor } from '../levels/ownership';
import type { Plan, Target } from '../state/plan';
import type { Ownership } from '../state/state';
import type { Attempt, Call } from '../state/attempt';
import type { Turn } from '../state/turn';

export function newCall({
  number,
  to,
  targets,
  allowReassignment,
  again,
  now,
}: Pick<Call, 'number' | 'to' | 'targets' | 'allowReassignment' | 'again'> & {
  readonly now: number;
}): Call {
  // Named one by one: to copy them with what is there costs a takeover of hundreds of calls milliseconds.
  return {
    number,
    to,
    targets,
    allowReassignment,
    again,
    outcome: 'open',
    outstanding: [],
    lastSend: 0,
    tries: 0,
    overlapAt: null,
    uncertain: false,
    nextSendAt: now,
    failed: null,
    lastFailure: null,
    disputed: null,
    refusedWith: null,
  };
}

/**
 * So many requests at most are sent by one step, those of the lowest rank first: they leave before the others are made,
 * and between two steps there is time for what the cloud and the router say.
 */
export const SENT_AT_ONCE = 8;

const LARGE = 20;

/** With this many calls or targets, a single one is no news, and the cloud's tokens are spared. */
export function isLarge({ length }: readonly unknown[]): boolean {
  return length > LARGE;
}

/**
 * Who is to hold a target, whether the cloud may take it from somebody else, and whether it is believed to be there.
 */
export type Move = {
  readonly target: Target;
  readonly to: InterfaceHolder;
  readonly allowReassignment: boolean;
  readonly again?: boolean;
};

/**
 * One call per interface with all its targets, where the cloud takes them together (rule 6). Those of the lowest rank
 * come first: if the cloud's tokens do not suffice for all, the burst is theirs. Targets that are asked for again come
 * last and by themselves, because the cloud may refuse what is there already.
 */
export function callsOf(
  plan: Pick<Plan, 'cloud'>,
  moves: readonly Move[],
  now: number,
  firstNumber = 1,
): readonly Call[] {
  type Group = Pick<Call, 'to' | 'allowReassignment' | 'again'> & { targets: string[]; rank: number };
  const groups = new Map<string, Group>();
  for (const { target, to, allowReassignment, again = false } of moves) {
    const key = `${to.networkInterfaceId} ${allowReassignment} ${again} ${sharedCall(plan, target)}`;
    const group = groups.get(key) ?? { to, allowReassignment, again, targets: [], rank: Infinity };
    group.targets.push(target.id);
    group.rank = Math.min(group.rank, target.rank);
    groups.set(key, group);
  }
  return [...groups.values()]
    .sort((a, b) => Number(a.again) - Number(b.again) || a.rank - b.rank)
    .map(({ to, allowReassignment, again, targets }, place) =>
      newCall({ to, allowReassignment, again, targets, number: firstNumber + place, now }),
    );
}

/**
 * Each call that has to wait, and the call that it waits for, which moves what one of its targets rests on. A call does
 * not wait if none of them moves what its targets rest on.
 */
export function waitsFor<Each extends Pick<Call, 'targets'>>(
  { targets: planned }: Plan,
  all: readonly Each[],
): ReadonlyMap<Each, Each> {
  const waiting = new Map<Each, Each>();
  const onAddresses = planned.filter(isOnAddress);
  if (onAddresses.length === 0) return waiting;
  const baseOf = basesAmong(planned);
  const byTarget = firstByTarget(all);
  for (const target of onAddresses) {
    const base = baseOf(target);
    const mover = base === undefined ? undefined : byTarget.get(base.id);
    const waiter = byTarget.get(target.id);
    if (mover !== undefined && waiter !== undefined) waiting.set(waiter, mover);
  }
  return waiting;
}

function firstByTarget<Each extends Pick<Call, 'targets'>>(all: readonly Each[]): ReadonlyMap<string, Each> {
  const found = new Map<string, Each>();
  for (const each of all) for (const id of each.targets) if (!found.has(id)) found.set(id, each);
  return found;
}

/** The place on this router where the target belongs; an observation has shown the interface. */
export function placeHere({ observation }: Pick<Ownership, 'observation'>, target: Target): InterfaceHolder {
  const own = interfaceFor(observation, target);
  if (own === undefined)
    throw new Error(`an observation without the interface of device index ${target.deviceIndex}`);
  const { privateAddress = null } = target;
  const place = privateAddress === null ? {} : { privateAddress };
  const { networkInterfaceId } = own;
  const attachment = { to: 'instance', instanceId: observation.instanceId } as const;
  return { kind: 'interface', networkInterfaceId, attachment, mine: true, ...place };
}

/** What the cloud is asked for, as the holders are now. */
export function requestOf({ plan, state }: Turn, attempt: Attempt, call: Call): CallRequest {
  const holders = state.ownership?.holders ?? {};
  return { attempt: attempt.number, call: call.number, ...moveOf(plan, holders, call) };
}

export function moveOf(plan: Plan, holders: Holders, call: Call): RequestedMove {
  return requestedMove(plan, plannedTargets(plan, call.targets), holders, call);
}

/** What a takeover would ask the cloud for now, so that it can be made ready ahead. */
export function takeoverRequests(plan: Plan, observation: Observation): readonly RequestedMove[] {
  const present = plan.targets.filter((target) => interfaceFor(observation, target) !== undefined);
  const moves = present.map((target) => ({
    target,
    to: placeHere({ observation }, target),
    allowReassignment: true,
  }));
  const byId = new Map(plan.targets.map((target) => [target.id, target]));
  return callsOf(plan, moves, 0).map((call) =>
    requestedMove(
      plan,
      call.targets.flatMap((id) => byId.get(id) ?? []),
      observation.holders,
      call,
    ),
  );
}

type Holders = Observation['holders'];

/** More than any rank in a plan. */
const AFTER_ALL_OTHERS = 1_000_000;

function requestedMove(
  plan: Pick<Plan, 'cloud'>,
  planned: readonly Target[],
  holders: Holders,
  call: Pick<Call, 'to' | 'targets' | 'allowReassignment' | 'again'>,
): RequestedMove {
  const { to, targets, allowReassignment, again } = call;
  const releases = allowReassignment ? releasesOf(plan, planned, holders, to) : [];
  return {
    networkInterfaceId: to.networkInterfaceId,
    targets,
    allowReassignment,
    rank: Math.min(...planned.map(({ rank }) => rank)) + (again ? AFTER_ALL_OTHERS : 0),
    ...(to.privateAddress === undefined ? {} : { privateAddress: to.privateAddress }),
    ...(releases.length === 0 ? {} : { releases }),
  };
}

function releasesOf(
  plan: Pick<Plan, 'cloud'>,
  planned: readonly Target[],
  holders: Holders,
  to: InterfaceHolder,
): NonNullable<RequestedMove['releases']> {
  const releases = new Map<string, string[]>();
  for (const target of planned) {
    const from = interfaceIdOf(holders[target.id]);
    if (!kindOf(plan, target).movesFromNobodyOnly || from === undefined || from === to.networkInterfaceId)
      continue;
    releases.set(from, [...(releases.get(from) ?? []), target.id]);
  }
  return [...releases].map(([networkInterfaceId, targets]) => ({ networkInterfaceId, targets }));
}

export function plannedTargets(plan: Plan, ids: readonly string[]): readonly Target[] {
  // In an attempt of hundreds of calls most have one target each.
  const [only] = ids;
  if (ids.length === 1) return plan.targets.filter(({ id }) => id === only);
  const wanted = new Set(ids);
  return plan.targets.filter(({ id }) => wanted.has(id));
}
