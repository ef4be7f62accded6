/**
 * Rule 8, repair: targets without a proper owner although nothing fails. A lasting partial ownership is
 * completed by the router with the lowest owned target; targets that nobody holds are claimed, and the cloud says who
 * was first. Both routers find the same answer, because the order of targets is canonical.
 */
import { currentAttempt, nextCallNumber, updateAttempt } from '../moves/attempt';
import { callsFor } from '../moves/beginning';
import { isOnThirdParty, isOnThisRouter, nobodyHolds } from './foreignHolder';
import { isAttached, isSameHolder } from '../levels/holders';
import type { Observation } from '../state/readings';
import { holdsAll, interfaceFor, isSettled, peersBeside, takeableTargets } from '../levels/ownership';
import type { Plan, Target } from '../state/plan';
import { purposeOf } from '../state/purposes';
import { canTestify, sessionOf } from '../levels/sessions';
import type { Ownership, Unchanged } from '../state/state';
import { list, raiseAlarm, type Turn } from '../state/turn';
import { isRecent } from '../levels/unread';
import { declines, type Verdict } from './verdict';

/** A partial ownership counts as lasting when this many observations have shown it. */
const OBSERVATIONS_MIN = 3;
/** Questions of one observation are put within this. */
const APART_MS = 500;

/**
 * After a believed observation: for how long have the holders been the same? `lateSince`: when the observation was
 * started, if it came when nobody waited for it any more; null if not.
 */
export function noteHolders(turn: Turn, lateSince: number | null): void {
  const { ownership, unchanged, observing } = turn.state;
  if (ownership === null) return;
  const { holders } = ownership.observation;
  const latest = observing.lastStartedAt ?? turn.now;
  const startedAt = lateSince ?? latest;
  reviewLostClaim(turn, holders, startedAt);
  const same =
    unchanged !== null &&
    // An interface that has been detached, or attached elsewhere, is another holder.
    turn.plan.targets.every(({ id }) => isSameHolder(unchanged.holders[id] ?? null, holders[id] ?? null));
  if (!same) {
    // When it was so for the first time, an answer that took its time does not say.
    const since = lateSince === null ? startedAt : turn.now;
    turn.state.unchanged = { holders, since, latest: since, observations: 1 };
    return;
  }
  // The others of the same moment have been counted when they came.
  if (lateSince !== null && startedAt < unchanged.latest + APART_MS) return;
  const observations = unchanged.observations + 1;
  turn.state.unchanged = { ...unchanged, holders, latest: startedAt, observations };
}

/**
 * A claim that is refused although nobody holds the target was not lost to anybody: the cloud minds something else.
 * Reads may lag writes, so only one that began long enough after the refusal says that nobody does.
 */
function reviewLostClaim(turn: Turn, holders: Observation['holders'], startedAt: number): void {
  const { lostClaim } = turn.state;
  if (lostClaim === null) return;
  const { targets, failure, alarmedWith } = lostClaim;
  const ownerless = targets.filter((id) => (holders[id] ?? null) === null);
  if (ownerless.length === 0) {
    turn.state.lostClaim = null;
    return;
  }
  if (alarmedWith === failure.code || startedAt < lostClaim.since + turn.plan.timing.stalenessMs) return;
  turn.state.lostClaim = { ...lostClaim, alarmedWith: failure.code };
  raiseAlarm(
    turn,
    'takeover-refused',
    `${turn.plan.cloud.name} refuses ${list(ownerless)} (${failure.code}: ${failure.message}) although nobody holds it: trying again slowly`,
    { about: ownerless, kind: failure.code },
  );
}

/** This rule waits for observations, which the keepalive brings; only the partial hold has a time of its own. */
export function considerRepair(turn: Turn): Verdict {
  const { plan, state, now } = turn;
  const { ownership, unchanged } = state;
  if (ownership === null || unchanged === null || holdsAll(plan, ownership)) return declines('');
  if (now - ownership.confirmedAt > plan.timing.roleTtlMs) return declines('');
  // Writes of our own since the last observation have changed what it showed.
  const written = Object.values(ownership.writes).some((at) => at > unchanged.since);
  if (written) return declines('');
  if (nobodyHolds(plan, ownership)) return considerClaim(turn, ownership);
  return lowestOwned(plan, ownership) === undefined
    ? considerAbandoned(turn, ownership, unchanged)
    : considerPartial(turn, ownership, unchanged);
}

function considerClaim(turn: Turn, ownership: Ownership): Verdict {
  const { plan } = turn;
  const first = firstToClaim(turn, ownership);
  if (first === undefined) return declines('');
  if (!isSettled(turn))
    return declines('nobody holds the targets; they are claimed when the next observation says so too');
  return {
    fires: true,
    purpose: 'claim',
    targets: [first],
    sessions: [],
    sentence: `claiming ${first.id}, and then the rest: ${unownedWords(plan, ownership)}`,
  };
}

/**
 * The lowest one that nobody holds, so that both routers ask for the same. What the cloud refuses although nobody holds
 * it must not keep the others waiting: then it is the turn of the next one.
 */
function firstToClaim(turn: Turn, ownership: Ownership): Target | undefined {
  const { plan, state } = turn;
  const unowned = takeableTargets(plan, ownership).filter(
    ({ id }) => ownership.holders[id] === null && isRecent(turn, id),
  );
  const { lostClaim } = state;
  const refused = lostClaim === null || lostClaim.alarmedWith === null ? [] : lostClaim.targets;
  const place = unowned.findLastIndex(({ id }) => refused.includes(id));
  return unowned[(place + 1) % unowned.length];
}

function unownedWords(plan: Plan, ownership: Ownership): string {
  const foreign = plan.targets.some(({ id }) => ownership.holders[id] !== null);
  return `${plan.cloud.name} shows no owner of any ${foreign ? 'other ' : ''}target`;
}

/** The targets that a claim goes on to when it has got the lowest one; none when it was not the first. */
export function extendClaim(turn: Turn): boolean {
  const attempt = currentAttempt(turn);
  const { ownership } = turn.state;
  if (!purposeOf(attempt).isContest || ownership === null) return false;
  if (attempt.calls.some(({ outcome }) => outcome === 'lost')) return false;
  const asked = new Set(attempt.calls.flatMap(({ targets }) => targets));
  const rest = takeableTargets(turn.plan, ownership).filter(
    ({ id }) => ownership.holders[id] === null && !asked.has(id) && isRecent(turn, id),
  );
  if (rest.length === 0) return false;
  const calls = callsFor(
    turn.plan,
    { targets: rest, purpose: 'claim' },
    ownership,
    turn.now,
    nextCallNumber(attempt),
  );
  updateAttempt(turn, { calls: [...attempt.calls, ...calls] });
  return true;
}

function considerPartial(turn: Turn, ownership: Ownership, { since, observations }: Unchanged): Verdict {
  const { plan, state, now } = turn;
  const lowest = lowestOwned(plan, ownership);
  if (lowest === undefined || !isOnThisRouter(ownership, lowest.id)) return declines('');
  const targets = takeableTargets(plan, ownership).filter(({ id }) => isRecent(turn, id));
  if (targets.length === 0 || !allWitnessesUp(turn)) return declines('');
  const until = since + plan.timing.partialHoldMs;
  const waits = `the rest is taken when ${turn.plan.cloud.name} has shown the same for ${plan.timing.partialHoldMs / 1000} s`;
  if (now < until || observations < OBSERVATIONS_MIN) return declines(waits, now < until ? until : Infinity);
  const from = list(targets.map(({ id }) => id));
  return {
    fires: true,
    purpose: 'repair',
    targets,
    sessions: [],
    sentence:
      `repairing: taking ${from}, because this router holds ${lowest.id}, the lowest that either router holds, ` +
      `and nothing has changed for ${Math.round((now - since) / 1000)} s while the sessions are UP`,
  };

  function allWitnessesUp({ plan }: Turn): boolean {
    const witnesses = plan.sessions.filter((session) => canTestify(state, session));
    return witnesses.length > 0 && witnesses.every(({ id }) => sessionOf(state, id).level === 'Up');
  }
}

/**
 * No router has anything, and interfaces that are attached to no instance have kept some: the instance was
 * terminated and they were not. The cloud cannot arbitrate here, so the routers go one after the other.
 */
function considerAbandoned(turn: Turn, ownership: Ownership, { since, observations }: Unchanged): Verdict {
  const { plan, now } = turn;
  // A target of an instance outside the pair is not abandoned, even if `foreign_holder` allows this router to take it.
  const targets = takeableTargets(plan, ownership).filter(({ id }) => !isOnThirdParty(ownership, id));
  const [lowest] = targets;
  if (lowest === undefined) return declines('');
  const holdMs = plan.timing.partialHoldMs * (goesFirst(plan, ownership, lowest) ? 1 : 2);
  const until = since + holdMs;
  const names = list(targets.map(({ id }) => id));
  if (now < until || observations < OBSERVATIONS_MIN) {
    const waits = `no instance holds ${names}; this router takes them when ${turn.plan.cloud.name} has shown that for ${holdMs / 1000} s`;
    return declines(waits, now < until ? until : Infinity);
  }
  return {
    fires: true,
    purpose: 'repair',
    targets,
    sessions: [],
    sentence: `repairing: taking ${names}, because ${turn.plan.cloud.name} has shown for ${Math.round((now - since) / 1000)} s that no instance holds them`,
  };
}

/** Both routers know both interfaces where the target belongs, so the lower id tells them the same one. */
function goesFirst(plan: Plan, { observation }: Ownership, target: Target): boolean {
  const own = interfaceFor(observation, target);
  const peer = peersBeside(plan, observation, target).find(({ instanceId }) => instanceId !== null);
  return own === undefined || peer === undefined || own.networkInterfaceId < peer.networkInterfaceId;
}

/** The first target, in the canonical order, that a router of the pair holds. */
export function lowestOwned({ targets }: Plan, ownership: Ownership): Target | undefined {
  return targets.find((target) => isOwnedByThePair(ownership, target));
}

/** An instance outside the pair repairs nothing, whatever `foreign_holder` says. */
function isOwnedByThePair(ownership: Ownership, { id }: Target): boolean {
  const holder = ownership.holders[id] ?? null;
  if (isOnThisRouter(ownership, id)) return true;
  const isServed = isAttached(holder) && holder?.blackhole !== true;
  return isServed && !isOnThirdParty(ownership, id);
}
