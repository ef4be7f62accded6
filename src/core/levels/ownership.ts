/**
 * From what the cloud says to ACTIVE, STANDBY or UNKNOWN, and the schedule of asking. The cloud alone decides the
 * role; there is no election. Reads may lag writes, so a read is believed only when it can be right.
 */
import { isForeign, isOnPeer } from '../rules/foreignHolder';
import { holderWords, interfaceIdOf, isSamePlace } from './holders';
import { kindOf, restsOn } from '../kinds';
import { hasAlarm } from '../state/alarms';
import type { Failure, Holder, Observation, OwnInterface, PeerInterface } from '../state/readings';
import type { Plan, Slot, Target } from '../state/plan';
import { purposeOf } from '../state/purposes';
import { disarmAtLoss, disarmUnlessUp } from './sessions';
import type { Observing, Ownership, Role, State } from '../state/state';
import { list, note, raiseAlarm, wakeAt, type Turn } from '../state/turn';
import {
  confirmedSince,
  knownPlan,
  laggingAfter,
  noteAnswered,
  noteUnread,
  unobservedWords,
  withKnown,
} from './unread';

/** A failed or disbelieved observation is repeated after this long, whatever the keepalive. */
const RETRY_MS = 1_000;
/** Every observation has a deadline of its own, so one that is still out by then has been lost. */
const LOST_AFTER_MS = 30_000;
/** Rule 4: an ACTIVE router that sees its peer go DOWN looks this closely, for this long. */
const CLOSE_INTERVAL_MS = 1_000;
const CLOSE_DURATION_MS = 10_000;

export function missingTargets(plan: Plan, ownership: Ownership): readonly Target[] {
  return plan.targets.filter(({ id }) => ownership.holders[id]?.mine !== true);
}

/**
 * The missing targets that this router can take and may take: one that it cannot take must not hold the others back.
 */
export function takeableTargets(plan: Plan, ownership: Ownership): readonly Target[] {
  return missingTargets(plan, ownership).filter(
    (target) =>
      interfaceFor(ownership.observation, target) !== undefined && !isForeign(plan, ownership, target),
  );
}

/**
 * What rests on another target is refused for as long as that one is neither here nor among those that go here, and a move
 * of it would go on for as long.
 */
export function hasItsPlace(
  plan: Plan,
  ownership: Ownership,
  target: Target,
  going: ReadonlySet<string>,
): boolean {
  const base = restsOn(plan.targets, target);
  return base === undefined || ownership.holders[base.id]?.mine === true || going.has(base.id);
}

/** This router's interface that is to hold the target; undefined while the cloud does not show it. */
export function interfaceFor({ interfaces }: Observation, target: Target): OwnInterface | undefined {
  return interfaces.find((own) => isSameSlot(own, target));
}

function isSameSlot(one: Slot | null, other: Slot): boolean {
  return one?.deviceIndex === other.deviceIndex && one.networkCardIndex === other.networkCardIndex;
}

/**
 * Whether the cloud has shown the same holders for a keepalive. What nobody holds is asked for only then: a request
 * that the cloud turned down is not repeated sooner, and a peer that was first has been seen by then.
 */
export function isSettled({ plan, state: { unchanged } }: Turn): boolean {
  return unchanged !== null && unchanged.latest - unchanged.since >= plan.timing.keepaliveIntervalMs;
}

/** The peer's known interfaces where the target would belong there, in the order of their addresses in the plan. */
export function peersBeside(plan: Plan, observation: Observation, target: Target): readonly PeerInterface[] {
  const own = interfaceFor(observation, target);
  const { belongsToSubnet } = kindOf(plan, target);
  return plan.peerAddresses.flatMap((address) => {
    const peer = observation.peers[address];
    if (peer === undefined) return [];
    const isBeside = belongsToSubnet ? peer.subnetId === own?.subnetId : isSameSlot(peer.slot, target);
    return isBeside ? [peer] : [];
  });
}

/** True if nothing is missing; each step asks this many times. */
export function holdsAll({ targets }: Plan, { holders }: Ownership): boolean {
  return targets.every(({ id }) => holders[id]?.mine === true);
}

/** `plan` has all targets; nobody knows yet who has those that the cloud has not shown. */
export function roleOf(plan: Plan, ownership: Ownership | null, now: number): Role {
  if (
    ownership === null ||
    now - confirmedSince(ownership) > plan.timing.roleTtlMs ||
    knownPlan(plan, ownership) !== plan
  ) {
    return { haState: 'UNKNOWN', why: 'unobserved' };
  }
  if (holdsAll(plan, ownership)) return { haState: 'ACTIVE', why: null };
  if (missingTargets(plan, ownership).length === plan.targets.length)
    return { haState: 'STANDBY', why: null };
  return { haState: 'UNKNOWN', why: 'partial' };
}

/** Whether the last confirmed ownership says that every target is ours, however old it is. */
export function ownsAll(plan: Plan, state: State): boolean {
  return state.ownership !== null && holdsAll(plan, state.ownership);
}

/** Asks for an observation now. One that is in flight may have begun too early, so another follows it. */
export function observeNow(turn: Turn): void {
  const { observing } = turn.state;
  turn.state.observing = { ...observing, nextAt: Math.min(observing.nextAt, turn.now) };
}

/** Rule 4: limits the time in which both routers believe that they are ACTIVE to about a second. */
export function observeClosely(turn: Turn): void {
  observeNow(turn);
  const closelyUntil = turn.now + CLOSE_DURATION_MS;
  turn.state.observing = { ...turn.state.observing, closelyUntil };
}

/** In about a second, whatever the keepalive. */
export function observeAgainSoon(turn: Turn): void {
  turn.state.observing = { ...turn.state.observing, retry: true };
}

/** Slow enough to be no burden, but never slower, because a takeover may be waiting for just this answer. */
function retryAt({ now, jitter }: Turn): number {
  return now + RETRY_MS * (1 + jitter / 4);
}

export function observationFailed(turn: Turn, number: number, failure: Failure): void {
  const { observing } = turn.state;
  if (observing.inFlight !== number) return note(turn, 'routine', 'ignored a late answer to an observation');
  const failures = observing.failures + 1;
  turn.state.observing = { ...observing, inFlight: null, failures, unread: [] };
  observeAgainSoon(turn);
  // Only the first of several failures in a row is news.
  note(
    turn,
    failures === 1 ? 'notable' : 'routine',
    `${turn.plan.cloud.name} could not be observed (${failure.code}: ${failure.message}): asking again every second`,
  );
}

/** Whether this observation can be right, given what the cloud has confirmed to us; null, or why not. */
function disbelief(turn: Turn, startedAt: number, observation: Observation): string | null {
  const writes = turn.state.ownership?.writes ?? {};
  const latestWrite = Math.max(...Object.values(writes), -Infinity);
  if (startedAt < latestWrite) return 'discarded an observation that began before our last confirmed write';
  if (mayBeOverturned(turn, observation))
    return `${turn.plan.cloud.name} shows targets elsewhere, right after this router has stalled: reading again when levels are known`;
  for (const [id, writtenAt] of Object.entries(writes)) {
    if (!(id in observation.holders)) continue;
    const expected = turn.state.ownership?.holders[id] ?? null;
    const holder = observation.holders[id] ?? null;
    const agrees = isSamePlace(holder, expected);
    // What counts is when it was asked, not when the answer came: a slow answer may be as old as its question.
    if (agrees || startedAt - writtenAt >= turn.plan.timing.stalenessMs) continue;
    return (
      `${turn.plan.cloud.name} shows ${id} ${holderWords(turn.plan.cloud, holder)} although it has confirmed our write: ` +
      `reading again, since reads may lag writes`
    );
  }
  return null;
}

/**
 * Rules 2 and 16: a session that is UP when this router stops being ACTIVE stays armed. So this router does not believe
 * that it has stopped as long as the levels are those from before a long stall.
 */
function mayBeOverturned({ plan, state }: Turn, { holders }: Observation): boolean {
  if (state.reorientation === null || state.reorientation.levelsKnown || !ownsAll(plan, state)) return false;
  return plan.targets.some(({ id }) => id in holders && holders[id]?.mine !== true);
}

/** Takes an observation in; returns whether it was believed. */
export function ownershipObserved(
  turn: Turn,
  event: { readonly number: number | null; readonly startedAt: number; readonly observation: Observation },
): boolean {
  const { observing } = turn.state;
  const isLate = event.number === null;
  if (!isLate && observing.inFlight !== event.number) {
    note(turn, 'routine', 'ignored a late answer to an observation');
    return false;
  }
  const answered = isLate ? observing : { ...observing, inFlight: null, failures: 0 };
  if (Object.keys(event.observation.holders).length === 0) {
    turn.state.observing = answered;
    noteUnread(turn, event.observation);
    return false;
  }
  const problem = disbelief(turn, event.startedAt, event.observation);
  if (problem !== null) {
    turn.state.observing = { ...answered, retry: true };
    note(turn, 'routine', problem);
    return false;
  }
  believe(turn, event, answered);
  noteUnread(turn, event.observation);
  noteAnswered(turn);
  if (!isLate && observing.failures > 0)
    note(turn, 'notable', `${turn.plan.cloud.name} answers again after ${observing.failures} failures`);
  return true;
}

function believe(
  turn: Turn,
  { observation: said, startedAt }: { readonly observation: Observation; readonly startedAt: number },
  observing: Observing,
): void {
  const { plan, now } = turn;
  const before = turn.state.ownership;
  const observation = withKnown(before, said);
  const lagging = laggingAfter(before, said);
  const wasActive = before === null ? recalledActive(turn.state) : ownsAll(plan, turn.state);
  const writes = Object.fromEntries(
    Object.entries(before?.writes ?? {}).filter(([, writtenAt]) => now - writtenAt < plan.timing.stalenessMs),
  );
  const holders = { ...before?.holders, ...said.holders };
  const ownership = { observation, holders, confirmedAt: now, startedAt, lagging, writes };
  turn.state.ownership = ownership;
  turn.state.observing = observing;
  turn.plan = knownPlan(turn.whole, ownership);
  noteActive(turn);
  // Nobody lost or took what the cloud shows for the first time, so only the targets that were known before count.
  const isActive = ownsAll(before === null ? turn.plan : plan, turn.state);
  // Rule 4: the peer may be taking over what this router finds only now to be its own.
  if (isActive && !(before !== null && wasActive) && someSessionWentDown(turn)) observeClosely(turn);
  const hasLost = wasActive && !isActive;
  if (hasLost && !isGiving(turn)) disarmAtLoss(turn);
  else if (!isGiving(turn)) disarmByPeer(turn, before, ownership);
  const held = turn.plan.targets
    .filter(({ id }) => id in said.holders)
    .map(({ id }) => `${id} ${holderWords(turn.plan.cloud, observation.holders[id] ?? null)}`);
  note(turn, 'routine', `${turn.plan.cloud.name} shows ${list(held)}`);
}

function someSessionWentDown({ state, now }: Turn): boolean {
  return Object.values(state.sessions).some(
    ({ level, changedAt }) => level === 'Down' && now - changedAt < CLOSE_DURATION_MS,
  );
}

/**
 * Rule 2: the peer has come to hold a target since the last word of the cloud. Whoever took it is alive, so a session
 * that was DOWN by then does not say that the peer is gone. A session that went DOWN after the peer may have taken it
 * does.
 */
function disarmByPeer(turn: Turn, before: Ownership | null, after: Ownership): void {
  if (before === null) return;
  const taken = turn.plan.targets.filter(
    ({ id }) =>
      // What is shown for the first time may always have been there.
      id in before.holders &&
      isOnPeer(after, id) &&
      interfaceIdOf(after.holders[id]) !== interfaceIdOf(before.holders[id]),
  );
  if (taken.length === 0) return;
  const isTakingOver = [turn.state.attempt, turn.state.unconfirmed].some(
    (move) => move !== null && purposeOf(move).byBfd,
  );
  // The first reading after a DOWN does not say whether the peer acted before or after it. What a takeover has asked for
  // in between does.
  const wasAfter = (downAt: number): boolean =>
    isTakingOver
      ? taken.some(({ id }) => isKnownSince(turn.plan, before, id, downAt))
      : after.startedAt >= downAt;
  disarmUnlessUp(turn, ({ level, changedAt }) => level === 'Down' && !wasAfter(changedAt));
}

/** Whether the cloud has said since then who holds the target; reads may lag. */
export function isKnownSince({ timing }: Plan, ownership: Ownership, id: string, since: number): boolean {
  const isRead = ownership.lagging[id] === undefined;
  return (
    (ownership.writes[id] ?? -Infinity) >= since ||
    (isRead && ownership.startedAt - timing.stalenessMs >= since)
  );
}

/** Rule 15: this router does not lose what it gives away itself. */
function isGiving({ state }: Turn): boolean {
  return state.attempt !== null && purposeOf(state.attempt).isOrdered;
}

/** Rule 17: what an earlier process life of this boot last knew. */
function recalledActive(state: State): boolean {
  return state.recalled?.wasActive === true;
}

/** A 200 to a write confirms it at once; later reads only verify. */
export function confirmWrite(turn: Turn, targets: readonly string[], to: Holder): void {
  const { ownership } = turn.state;
  if (ownership === null) throw new Error('a write was confirmed before anything was observed');
  const wasActive = ownsAll(turn.plan, turn.state);
  const holders = { ...ownership.holders };
  const writes = { ...ownership.writes };
  for (const id of targets) {
    holders[id] = to;
    writes[id] = turn.now;
  }
  const lagging = Object.fromEntries(
    Object.entries(ownership.lagging).filter(([id]) => !targets.includes(id)),
  );
  turn.state.ownership = { ...ownership, holders, writes, lagging, confirmedAt: turn.now };
  noteActive(turn);
  // What an operator gives away is not lost. If the peer fails meanwhile, the sessions, which were UP when the switchover
  // began, have to bring it back.
  if (wasActive && !ownsAll(turn.plan, turn.state) && !isGiving(turn)) disarmUnlessUp(turn);
}

function noteActive(turn: Turn): void {
  if (ownsAll(turn.plan, turn.state)) turn.state.beenActive = true;
}

/** An UNKNOWN router still acts (rule 4), but a person has to be told. */
export function alarmIfUnobserved(turn: Turn): void {
  const { answeredAt } = turn.state.observing;
  if (answeredAt === null || hasAlarm(turn.state, 'cloud-unobserved')) return;
  const at = answeredAt + turn.plan.timing.roleTtlMs;
  if (turn.now <= at) return wakeAt(turn, at + 1);
  raiseAlarm(turn, 'cloud-unobserved', unobservedWords(turn));
}

/** The targets that are not here and who holds them, in words. */
export function missingWords({ plan, state }: Turn): string {
  const { ownership } = state;
  if (ownership === null) return '';
  const missing = missingTargets(plan, ownership);
  return list(missing.map(({ id }) => `${id} is ${holderWords(plan.cloud, ownership.holders[id] ?? null)}`));
}

/** Starts the observation that is due, if any, and says when the next one is. */
export function scheduleObservation(turn: Turn): void {
  const { plan, now } = turn;
  let { observing } = turn.state;
  if (observing.retry) {
    observing = { ...observing, retry: false, nextAt: Math.min(observing.nextAt, retryAt(turn)) };
  }
  if (observing.inFlight !== null && now - (observing.lastStartedAt ?? now) > LOST_AFTER_MS) {
    observing = { ...observing, inFlight: null };
    note(turn, 'notable', 'an observation was never answered: asking again');
  }
  if (now < observing.closelyUntil && observing.lastStartedAt !== null) {
    const nextAt = observing.lastStartedAt + CLOSE_INTERVAL_MS;
    if (nextAt < observing.nextAt) observing = { ...observing, nextAt };
  }
  if (observing.inFlight === null && now >= observing.nextAt) {
    observing = start(observing, now, plan.timing.keepaliveIntervalMs);
    turn.effects.push({ effect: 'observeOwnership', number: observing.lastNumber });
  }
  turn.state.observing = observing;
  if (observing.inFlight === null) wakeAt(turn, observing.nextAt);
  else if (now < observing.closelyUntil) wakeAt(turn, now + CLOSE_INTERVAL_MS);
}

/** A reading that is made anyway costs nothing, and the next keepalive then comes an interval after it. */
export function observationOffered(turn: Turn): void {
  const { observing } = turn.state;
  if (observing.inFlight !== null) return note(turn, 'routine', 'an observation is under way already');
  const started = start(observing, turn.now, turn.plan.timing.keepaliveIntervalMs);
  turn.state.observing = started;
  turn.effects.push({ effect: 'observeOwnership', number: started.lastNumber });
  note(turn, 'routine', `${turn.plan.cloud.name} is observed now, because it is read anyway`);
}

function start(observing: Observing, now: number, intervalMs: number): Observing {
  const lastNumber = observing.lastNumber + 1;
  const answeredAt = observing.answeredAt ?? now;
  return {
    ...observing,
    lastNumber,
    inFlight: lastNumber,
    lastStartedAt: now,
    nextAt: now + intervalMs,
    answeredAt,
  };
}
