/**
 * Rule 11, preemption: a preferred router takes the targets back when it has been well for a while. Off by
 * default. It gives up for good, until the daemon restarts, when somebody else wants it otherwise.
 */
import { isOnPeer } from './foreignHolder';
import { isAttached } from '../levels/holders';
import type { Holder } from '../state/readings';
import { holdsAll, isSettled, roleOf, takeableTargets } from '../levels/ownership';
import { purposeOf } from '../state/purposes';
import { sessionOf } from '../levels/sessions';
import type { Drill, HandoverCause, Ownership } from '../state/state';
import { list, note, raiseAlarm, type Turn } from '../state/turn';
import { declines, type Verdict } from './verdict';

/** With each decision: since when could this router have taken them? */
export function trackReadiness(turn: Turn): void {
  const { preemption } = turn.state;
  // A session may have gone DOWN and come UP again since the decision before.
  const changedAt = turn.plan.sessions.map(({ id }) => sessionOf(turn.state, id).changedAt);
  const since = Math.max(preemption.readySince ?? turn.now, ...changedAt);
  const readySince = isReady(turn) ? since : null;
  if (readySince !== preemption.readySince) turn.state.preemption = { ...preemption, readySince };
}

function isReady({ plan, state, now }: Turn): boolean {
  const { ownership, streams, preemption } = state;
  if (!plan.preferred || preemption.offBecause !== null || streams.phase !== 'synchronized') return false;
  if (roleOf(plan, ownership, now).haState !== 'STANDBY') return false;
  return plan.sessions.every(({ id }) => sessionOf(state, id).level === 'Up');
}

export function considerPreemption(turn: Turn): Verdict {
  const { plan, state, now } = turn;
  const { ownership, preemption, drill } = state;
  if (drill !== null && drill.ended === null) return considerDrill(turn, drill);
  if (!plan.preferred || ownership === null || holdsAll(plan, ownership)) return declines('');
  if (preemption.offBecause !== null) return declines(`preferred, but ${preemption.offBecause}`);
  if (preemption.readySince === null) return declines('');
  const delayS = plan.timing.preemptDelayMs / 1000;
  const at = preemption.readySince + plan.timing.preemptDelayMs;
  if (now < at) return declines(`preferred: it takes the targets when it has been ready for ${delayS} s`, at);
  const targets = takeableTargets(plan, ownership).filter(
    ({ id }) => isSettled(turn) || (ownership.holders[id] ?? null) !== null,
  );
  if (targets.length === 0) return declines('');
  return {
    fires: true,
    purpose: 'preemption',
    targets,
    sessions: [],
    sentence:
      `preempting: taking ${list(targets.map(({ id }) => id))}, because this router is preferred and has ` +
      `been ready with all sessions UP for ${delayS} s`,
  };
}

/** A drill takes the targets back when its time has come, and not before, whether this router is preferred or not. */
function considerDrill({ plan, state: { ownership } }: Turn, { legs }: Drill): Verdict {
  const leg = legs.at(-1)?.leg;
  if (ownership === null || holdsAll(plan, ownership) || leg !== 'back')
    return declines(leg === 'hold' ? 'a drill has given the targets to the peer for a while' : '');
  const targets = takeableTargets(plan, ownership);
  return {
    fires: true,
    purpose: 'preemption',
    targets,
    sessions: [],
    sentence: `taking ${list(targets.map(({ id }) => id))} back from the peer: the drill wants it so`,
  };
}

/** After a believed observation: if targets were lost while the sessions stayed UP, somebody wanted that. */
export function noteLoss(turn: Turn, before: Ownership | null): void {
  const { plan, state } = turn;
  const after = state.ownership;
  if (!plan.preferred || state.preemption.offBecause !== null || before === null) return;
  // Nobody has taken what this router itself hands over.
  if (state.attempt !== null && purposeOf(state.attempt).handsOver !== null) return;
  // Targets that neither router can have do not count. If the peer had a part before, rule 8 moves the rest one way or
  // the other.
  if (after === null || plan.targets.some(({ id }) => isOnPeer(before, id))) return;
  const had = plan.targets.filter(({ id }) => before.holders[id]?.mine === true);
  if (!had.some(({ id }) => isTaken(after.holders[id] ?? null))) return;
  const stayedUp = plan.sessions.every(({ id }) => {
    const { level, changedAt } = sessionOf(state, id);
    return level === 'Up' && changedAt <= before.confirmedAt;
  });
  if (!stayedUp) return;
  const because = 'the targets were taken from it while the sessions stayed UP';
  turnOff(turn, because);
  raiseAlarm(
    turn,
    'preempt-conflict',
    `preferred, but ${because}: it takes them back no more until this daemon restarts; see that only one router is preferred`,
  );
}

/** An interface of this router that was detached took its targets along, so nobody else has them. */
function isTaken(holder: Holder | null): boolean {
  return holder?.mine === false && (isAttached(holder) || holder.kind === 'gateway');
}

const SWITCHED_BY = {
  operator: 'an operator has switched over to the peer',
  schedule: 'an operator has switched over to the peer',
  maintenance: 'it has switched over to the peer ahead of maintenance',
  shutdown: 'it has switched over to the peer before its end',
  drill: 'a drill was stopped while the peer had the targets',
} as const satisfies Record<HandoverCause, string>;

/** The targets stay at the peer: somebody wants it so, or this router is about to go. */
export function noteSwitchedOver(turn: Turn, cause: HandoverCause): void {
  if (!turn.plan.preferred || turn.state.preemption.offBecause !== null) return;
  turnOff(turn, SWITCHED_BY[cause]);
  note(
    turn,
    'notable',
    'it takes them back by itself no more until this daemon restarts, although it is preferred',
  );
}

function turnOff(turn: Turn, offBecause: string): void {
  turn.state.preemption = { readySince: null, offBecause };
}
