/**
 * Rules 1, 3 and 4: whether the levels, as they are now, call for a takeover, and the sentence that says
 * why or why not. Looks at the state only; begins nothing.
 */
import { dampedUntil } from './damping';
import { isForeign } from './foreignHolder';
import { ownerName } from '../levels/holders';
import { holdsAll, isKnownSince, missingTargets, takeableTargets } from '../levels/ownership';
import type { Plan, PlannedSession, Target } from '../state/plan';
import { canTestify, interfaceOf, sessionOf, testimonyOf, words, type Testimony } from '../levels/sessions';
import type { Ownership, State } from '../state/state';
import { list, type Turn } from '../state/turn';
import { confirmedSince, unknownWords } from '../levels/unread';
import { isUnseen, lateWords } from '../levels/unwatched';
import { declines, type Verdict } from './verdict';

type Statement = { readonly session: PlannedSession; readonly testimony: Testimony };

export function considerTakeover(turn: Turn): Verdict {
  const { plan, state, now } = turn;
  const { ownership } = state;
  if (ownership !== null && holdsAll(plan, ownership)) return declines(activeSentence(turn, ownership));
  const statements = plan.sessions.map((session) => ({
    session,
    testimony: testimonyOf(plan, state, session, now),
  }));

  // Levels come first and the role second: a DOWN is kept until the cloud says who owns the targets (rule 4).
  if (ownership === null)
    return declines(`waiting for ${turn.plan.cloud.name} to say who holds the targets${latched(statements)}`);
  if (state.streams.phase !== 'synchronized') {
    return declines(`${standingWords(turn, ownership)}, but not watching: ${streamWords(state)}`);
  }
  const down = statements.filter(({ testimony }) => testimony.says === 'down').map(({ session }) => session);
  const until = Math.min(...statements.map(({ testimony }) => untilOf(testimony)));
  if (down.length === 0) return declines(watchingSentence(turn, ownership, statements), until);

  const undecided = needsAll(turn) ? witnesses(turn).filter((session) => !down.includes(session)) : [];
  const downWords = sessionWords(down, 'DOWN');
  if (undecided.length > 0) {
    return declines(
      `${standingWords(turn, ownership)}: ${downWords}, but ${allBecause(turn)}, and ` +
        `${list(undecided.map(({ id }) => `${id} is ${words(sessionOf(state, id).level)}`))}`,
      until,
    );
  }
  const takeable = takeableTargets(plan, ownership);
  if (takeable.length === 0) {
    const why = untakeableWords(plan, ownership, missingTargets(plan, ownership));
    return declines(`${standingWords(turn, ownership)}: ${downWords}, but ${why}`);
  }
  const damped = dampedUntil(turn);
  if (damped !== null) {
    const because = 'there have been too many takeovers in short order';
    return declines(`${standingWords(turn, ownership)}: ${downWords}, but ${because}`, damped);
  }
  const names = list(takeable.map(({ id }) => id));
  const uncertain = uncertainTargets(turn, ownership, down);
  const again =
    uncertain.length === 0
      ? ''
      : `; ${list(uncertain.map(({ id }) => id))} also asked for again, because the peer may have taken ` +
        `${uncertain.length === 1 ? 'it' : 'them'} before it went DOWN`;
  const late = lateBecause(state, down);
  return {
    fires: true,
    purpose: 'takeover',
    targets: [...takeable, ...uncertain],
    sessions: down,
    sentence: `taking over ${names}: ${downWords} and ${standingWords(turn, ownership)}${late}${again}`,
  };
}

/** Why a takeover comes late: the sessions were found DOWN after a time in which the peer was not watched. */
function lateBecause(state: State, down: readonly PlannedSession[]): string {
  const { unwatched } = state;
  const isLate = down.some(({ id }) => {
    const session = sessionOf(state, id);
    return !session.changeSeen && isUnseen(unwatched, session);
  });
  return unwatched === null || !isLate ? '' : `; ${lateWords(unwatched)}`;
}

/**
 * Rule 3, partial: what was here when the cloud last said so, and may be on the peer by now, which repairs and preempts
 * as this router does. Only what the cloud has said since the peer went DOWN is certain.
 */
function uncertainTargets(
  { plan, state }: Turn,
  ownership: Ownership,
  down: readonly PlannedSession[],
): readonly Target[] {
  const downAt = Math.max(...down.map(({ id }) => sessionOf(state, id).changedAt));
  return plan.targets.filter(
    ({ id }) => ownership.holders[id]?.mine === true && !isKnownSince(plan, ownership, id, downAt),
  );
}

function untakeableWords(plan: Plan, ownership: Ownership, missing: readonly Target[]): string {
  const foreign = missing.filter((target) => isForeign(plan, ownership, target));
  if (foreign.length > 0) {
    const held = foreign.map(({ id }) => `${id} is held by ${ownerName(plan.cloud, ownership.holders[id])}`);
    return `${list(held)}, which is neither router of this pair`;
  }
  const indexes = list([...new Set(missing.map(({ deviceIndex }) => String(deviceIndex)))]);
  return (
    `${plan.cloud.name} shows no interface of this router with device index ${indexes} to take ` +
    `${list(missing.map(({ id }) => id))} to`
  );
}

/** Rule 3: while a target's own interface is DOWN here, one session is not enough. */
function needsAll(turn: Turn): boolean {
  return turn.plan.trigger === 'all' || ownTargetInterfaceDown(turn) !== null;
}

function allBecause(turn: Turn): string {
  const down = ownTargetInterfaceDown(turn);
  const every = 'a takeover needs every session that can testify to be DOWN';
  return down === null ? every : `${every} while this router's own interface ${down} is DOWN`;
}

function witnesses(turn: Turn): readonly PlannedSession[] {
  return turn.plan.sessions.filter((session) => canTestify(turn.state, session));
}

/** A local interface that is DOWN and on whose subnet a target lives, by name. Where the cloud has not shown
 * the subnet of the session's peer, the interface is taken for one: the careful reading. */
function ownTargetInterfaceDown({ plan, state }: Turn): string | null {
  const own = state.ownership?.observation;
  if (own === undefined) return null;
  const deviceIndexes = new Set(plan.targets.map(({ deviceIndex }) => deviceIndex));
  const targetSubnets = new Set(
    own.interfaces
      .filter(({ deviceIndex }) => deviceIndexes.has(deviceIndex))
      .map(({ subnetId }) => subnetId),
  );
  const found = plan.sessions.find(({ interfaceName, peerAddress }) => {
    if (interfaceOf(state, interfaceName).level !== 'Down') return false;
    const peer = own.peers[peerAddress];
    return peer === undefined || targetSubnets.has(peer.subnetId);
  });
  return found?.interfaceName ?? null;
}

function untilOf(testimony: Testimony): number {
  return testimony.says === 'nothing' ? (testimony.until ?? Infinity) : Infinity;
}

export function sessionWords(sessions: readonly PlannedSession[], level: string): string {
  const ids = list(sessions.map(({ id }) => id));
  return sessions.length === 1 ? `the session ${ids} is ${level}` : `the sessions ${ids} are ${level}`;
}

function standingWords(turn: Turn, ownership: Ownership): string {
  const { plan, now } = turn;
  const stale = now - confirmedSince(ownership) > plan.timing.roleTtlMs;
  const missing = missingTargets(plan, ownership);
  if (missing.length === plan.targets.length) {
    return stale
      ? `this router was STANDBY when ${turn.plan.cloud.name} last answered`
      : 'this router is STANDBY';
  }
  const held = plan.targets.length - missing.length;
  return `this router ${stale ? 'held' : 'holds'} only ${held} of ${plan.targets.length} targets`;
}

function streamWords(state: State): string {
  switch (state.streams.phase) {
    case 'connecting':
      return 'the router has not answered yet';
    case 'lost':
      return state.streams.everSynchronized
        ? "the router's event streams are lost"
        : 'it is not attached to the router yet';
    case 'notInControl':
      return "another client has taken the router's event streams";
    case 'synchronized':
      return 'levels are known';
  }
}

function activeSentence(turn: Turn, ownership: Ownership): string {
  const { plan, state, now } = turn;
  if (plan.targets.length < turn.whole.targets.length)
    return `all targets that ${turn.plan.cloud.name} has shown are on this router; it has said nothing yet of ${unknownWords(turn)}`;
  if (now - confirmedSince(ownership) > plan.timing.roleTtlMs)
    return `all targets were on this router when ${turn.plan.cloud.name} last answered, so there is nothing to take`;
  const down = plan.sessions.filter(({ id }) => sessionOf(state, id).level === 'Down');
  if (state.streams.phase !== 'synchronized') {
    return `ACTIVE: all targets are on this router; not watching the peer: ${streamWords(state)}`;
  }
  if (down.length === 0) return 'ACTIVE: all targets are on this router';
  return `staying ACTIVE: ${sessionWords(down, 'DOWN')}, but all targets are on this router, so there is nothing to take`;
}

function watchingSentence(turn: Turn, ownership: Ownership, statements: readonly Statement[]): string {
  const silent = statements.flatMap(({ session, testimony }) =>
    testimony.says === 'nothing'
      ? [`${session.id} is ${words(sessionOf(turn.state, session.id).level)}, ignored: ${testimony.because}`]
      : [],
  );
  const standing = standingWords(turn, ownership);
  if (silent.length === 0) return `${standing} and watches: all sessions are UP`;
  return `${standing} and takes nothing over: ${silent.join('; ')}`;
}

function latched(statements: readonly Statement[]): string {
  const down = statements.filter(({ testimony }) => testimony.says === 'down').map(({ session }) => session);
  return down.length === 0 ? '' : `; ${sessionWords(down, 'DOWN')}, to be decided at its first answer`;
}
