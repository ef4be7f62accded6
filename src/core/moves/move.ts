/**
 * The life of an attempt: begun when a rule calls for it (judgement.ts, beginning.ts), dropped while nothing has
 * moved, driven to completion once something has (rules 5 and 7). What hands targets to the peer is in
 * switchover.ts and giveBack.ts.
 */
import { drive } from './calls';
import { currentAttempt, hasMoved, isComplete, isUnderWay, openTargets, updateAttempt } from './attempt';
import { askedOf, begin, onSeveralInterfaces } from './beginning';
import { penalize } from '../rules/damping';
import { noteTakenFromRunning } from '../rules/evidence';
import { failHandover, noteMoved, timelineOf } from './handover';
import {
  answerSwitchover,
  decideSwitchover,
  objectionToPeer,
  PEER_INHIBIT,
  reconsiderSwitchover,
} from './switchover';
import { abandonHandingOver, giveBackIfLocal, openGiveBack, rememberOut } from './giveBack';
import { alarmIfBlocked, askRules, unlessHeld, judge, reconsider } from '../rules/judgement';
import { hasAlarm } from '../state/alarms';
import type { Event } from '../state/model';
import { isTimedFromDown, purposeOf } from '../state/purposes';
import { observeNow } from '../levels/ownership';
import { noteSwitchedOver } from '../rules/preemption';
import { isLarge, waitsFor } from './grouping';
import { withdrawQueued } from './queued';
import { unrefusedTargets, waitingCalls } from './waiting';
import { extendClaim } from '../rules/repair';
import { interfaceChanged, interfaceOf } from '../levels/sessions';
import { lastUpWords } from '../levels/unwatched';
import type { Attempt, Call } from '../state/attempt';
import { keepAlarm, list, note, raiseAlarm, wakeAt, type Turn } from '../state/turn';
import { declines, type Firing, type Verdict } from '../rules/verdict';

/** How long a takeover may fail before it alarms. */
const STUCK_AFTER_MS = 3_000;
/** An attempt that has had nothing confirmed for this long is decided afresh. */
const ATTEMPT_TTL_MS = 60_000;

/** Takes the attempt one step further, or begins one; returns the standing sentence. */
export function decideMove(turn: Turn): string {
  if (giveBackIfLocal(turn)) return 'giving the targets back as soon as the requests under way are answered';
  decideSwitchover(turn);
  if (turn.state.attempt === null) return considerBeginning(turn);
  if (abandonHandingOver(turn)) return considerBeginning(turn);
  if (currentAttempt(turn).calls.every(({ outcome }) => outcome === 'lost')) return endLostClaim(turn);
  const dropped = dropIfOutdated(turn);
  if (dropped !== null) return dropped;
  alarmIfStuck(turn);
  proceed(turn);
  if (turn.state.attempt !== null) return attemptWords(turn);
  // The next move begins in a step of its own.
  const next = judge(turn);
  wakeAt(turn, next.fires ? turn.now : next.until);
  return next.sentence;
}

/** The log has already said that somebody else was first. */
function endLostClaim(turn: Turn): string {
  turn.state.attempt = null;
  return considerBeginning(turn);
}

function attemptWords(turn: Turn): string {
  const attempt = currentAttempt(turn);
  const waiting = [...waitingCalls(turn.plan, attempt).keys()].flatMap(({ targets }) => targets);
  const doing = `${purposeOf(attempt).doing}: ${progressWords(turn, attempt, waiting)}`;
  const said = lastFailureWords(attempt, openTargets(attempt));
  const later = waiting.length === 0 ? '' : `; ${list(waiting)} after that`;
  return (said === '' ? doing : `${doing}, which last said ${said}`) + later;
}

/** How far a move of many targets has come, in tenths, because each change of this sentence is news. */
function progressWords({ plan }: Turn, attempt: Attempt, waiting: readonly string[]): string {
  const open = openTargets(attempt);
  const all = attempt.calls.filter(({ outcome }) => outcome !== 'split').flatMap(({ targets }) => targets);
  if (!isLarge(all)) return `${list(open.filter((id) => !waiting.includes(id)))} asked of ${plan.cloud.name}`;
  const tenths = Math.floor((10 * (all.length - open.length)) / all.length);
  return `${tenths === 0 ? 'less than 10' : tenths * 10} % of ${all.length} targets moved`;
}

function lastFailureWords({ calls }: Attempt, of: readonly string[]): string {
  const failures = calls.flatMap(({ outcome, targets, lastFailure }) =>
    outcome === 'open' && lastFailure !== null && targets.some((id) => of.includes(id))
      ? [`${lastFailure.code} (${lastFailure.message})`]
      : [],
  );
  return list([...new Set(failures)]);
}

/** A person has to be told of a takeover that goes on failing, whatever the reason. */
function alarmIfStuck(turn: Turn): void {
  const attempt = currentAttempt(turn);
  const open = unrefusedTargets(turn.plan, attempt);
  if (attempt.firstSentAt === null || open.length === 0) return;
  // A call that waits for tokens, or for what it rests on, is not stuck as long as others move.
  const hasWaited = attempt.paced || waitsFor(turn.plan, attempt.calls).size > 0;
  const since = hasWaited ? (attempt.lastMovedAt ?? attempt.firstSentAt) : attempt.firstSentAt;
  const at = since + STUCK_AFTER_MS;
  if (turn.now < at) return wakeAt(turn, at);
  if (hasAlarm(turn.state, 'takeover-stuck')) return keepAlarm(turn, 'takeover-stuck');
  const said = lastFailureWords(attempt, open);
  raiseAlarm(
    turn,
    'takeover-stuck',
    `${list(open)} not moved for ${STUCK_AFTER_MS / 1000} s: ${turn.plan.cloud.name} ${said === '' ? 'has not answered' : `last said ${said}`}; ` +
      `trying on`,
    { about: open },
  );
}

function considerBeginning(turn: Turn): string {
  const called = askRules(turn);
  const verdict = unlessHeld(turn, called);
  alarmIfBlocked(turn, called, verdict);
  if (!verdict.fires) {
    wakeAt(turn, verdict.until);
    return verdict.sentence;
  }
  begin(turn, verdict);
  noteTakenFromRunning(turn, verdict);
  proceed(turn);
  return verdict.sentence;
}

/** The router has answered rule 5's question: nothing is left to wait for. */
export function interfacesAnswered(turn: Turn, event: Extract<Event, { type: 'interfacesAnswered' }>): void {
  const { attempt } = turn.state;
  if (attempt === null || attempt.number !== event.attempt) {
    return note(turn, 'routine', `ignored a late answer about the interfaces of attempt ${event.attempt}`);
  }
  if (event.interfaces.length === 0)
    note(turn, 'routine', 'the router did not say whether the interface is UP');
  for (const { interfaceName, level } of event.interfaces) {
    // A notification that came after the question is newer than the answer.
    if (interfaceOf(turn.state, interfaceName).changedAt > attempt.decidedAt)
      note(turn, 'routine', `ignored the answer about ${interfaceName}: a notification has overtaken it`);
    else interfaceChanged(turn, interfaceName, level);
  }
  if (attempt.askingUntil !== null) updateAttempt(turn, { askingUntil: turn.now });
}

/**
 * Checks trigger and age before every send. An attempt whose trigger is gone is dropped while nothing has moved. An
 * attempt that has had nothing confirmed for a minute acts on old news and is decided afresh: by what the cloud has
 * said since, or by the levels alone if it has said nothing (rule 4). Returns the sentence of an attempt that does not
 * go on.
 */
function dropIfOutdated(turn: Turn): string | null {
  const attempt = currentAttempt(turn);
  if (purposeOf(attempt).handsOver !== null) return dropSwitchover(turn);
  const verdict = reconsider(turn, attempt);
  const outdated = outdatedBecause(turn, attempt, verdict);
  if (outdated !== null && !attempt.calls.some(isUnderWay)) return drop(turn, verdict, outdated);
  if (outdated !== null && !verdict.fires) {
    // The requests under way may still be carried out, but nothing more is asked for on the strength of old news.
    withdrawQueued(turn);
    return `${attemptWords(turn)}; not asked again, because ${outdated}: ${verdict.sentence}`;
  }
  if (hasMoved(attempt)) return null;
  if (!verdict.fires) return drop(turn, verdict, 'nothing had moved');
  if (!isStillAsked(turn, verdict)) return drop(turn, verdict, 'who holds the targets has changed');
  // The sessions that said DOWN when the first write went out decide whether the failure was local.
  updateAttempt(turn, { sessions: verdict.sessions.map(({ id }) => id) });
  if (
    turn.state.streams.generation === 'gen2' &&
    attempt.askingUntil !== null &&
    onSeveralInterfaces(verdict)
  ) {
    updateAttempt(turn, { askingUntil: turn.now });
  }
  return null;
}

/** Whether every open request of the attempt is still called for, and one of them for what is not here. */
function isStillAsked(turn: Turn, verdict: Firing): boolean {
  const { ownership } = turn.state;
  if (ownership === null) return false;
  const wanted = new Map(verdict.targets.map(({ id }) => [id, askedOf(verdict, ownership, id)]));
  const open = currentAttempt(turn).calls.filter(({ outcome }) => outcome === 'open');
  const isCalledFor = ({ targets, allowReassignment }: Call): boolean =>
    targets.every((id) => wanted.get(id)?.allowReassignment === allowReassignment);
  const isMissing = ({ targets }: Call): boolean => targets.some((id) => wanted.get(id)?.again === false);
  return open.every(isCalledFor) && open.some(isMissing);
}

/**
 * While nothing has moved, an operator's command is declined if the peer is no longer seen to be well. Once something
 * has moved, a peer that fails gets nothing more: what it has got has to be taken over from it.
 */
function dropSwitchover(turn: Turn): string | null {
  const attempt = currentAttempt(turn);
  if (hasMoved(attempt)) return purposeOf(attempt).isOrdered ? endSwitchover(turn) : null;
  const objection = reconsiderSwitchover(turn);
  if (objection === null) return null;
  const sentence = `no switchover: ${objection}`;
  answerSwitchover(turn, attempt.request, false, sentence);
  failHandover(turn, attempt, sentence);
  return drop(turn, declines(sentence, turn.now), 'nothing had moved');
}

function endSwitchover(turn: Turn): string | null {
  const attempt = currentAttempt(turn);
  const objection = objectionToPeer(turn);
  if (objection === null || isComplete(attempt)) return null;
  const sentence = `not all targets switched over: ${objection}`;
  withdrawQueued(turn);
  if (attempt.calls.some(isUnderWay)) return sentence;
  turn.state.attempt = null;
  observeNow(turn);
  wakeAt(turn, turn.now);
  answerSwitchover(turn, attempt.request, false, sentence, failHandover(turn, attempt, sentence));
  note(turn, 'notable', sentence);
  return sentence;
}

/** Why an attempt that has moved nothing for certain is too old to go on with; null where it is not. */
function outdatedBecause({ state, now }: Turn, attempt: Attempt, verdict: Verdict): string | null {
  if (attempt.resumed) return null;
  if (attempt.calls.some(({ outcome, again }) => outcome === 'moved' && !again)) return null;
  // Its requests may have been done or undone meanwhile. All has been read again, so it goes on only if it would begin
  // again.
  const { longStallAt, reorientation } = state;
  const hasStalled = longStallAt !== null && attempt.decidedAt < longStallAt && reorientation === null;
  if (hasStalled && !verdict.fires) return 'this router has stalled since';
  return now - attempt.decidedAt > ATTEMPT_TTL_MS ? 'nothing has been confirmed for a minute' : null;
}

function drop(turn: Turn, verdict: Verdict, why: string): string {
  const attempt = currentAttempt(turn);
  if (attempt.askingUntil !== null) turn.effects.push({ effect: 'discardPrepared', attempt: attempt.number });
  turn.state.attempt = null;
  turn.state.giveBack = null;
  note(turn, 'notable', `dropped attempt ${attempt.number}: ${why}`);
  // The next decision comes in a step of its own, so that each attempt begins with its sentence.
  wakeAt(turn, verdict.fires ? turn.now : verdict.until);
  return verdict.fires ? `deciding afresh: ${verdict.sentence}` : verdict.sentence;
}

function proceed(turn: Turn): void {
  const { now } = turn;
  const { askingUntil } = currentAttempt(turn);
  if (askingUntil !== null && now < askingUntil) return wakeAt(turn, askingUntil);
  // Rule 16: a retry, too, waits until it is known what has changed.
  if (turn.state.reorientation !== null) return finishIfComplete(turn);
  if (askingUntil !== null) updateAttempt(turn, { askingUntil: null });
  const before = currentAttempt(turn);
  drive(turn);
  const after = currentAttempt(turn);
  const isFirstSend = before.firstSentAt === null && after.firstSentAt !== null;
  // A resumed takeover was counted when the earlier run began it.
  if (isFirstSend && purposeOf(after).byBfd && !after.resumed) penalize(turn);
  if (!hasMoved(before) && hasMoved(after)) openGiveBack(turn);
  if (isComplete(after) && extendClaim(turn)) return proceed(turn);
  finishIfComplete(turn);
}

function finishIfComplete(turn: Turn): void {
  const attempt = currentAttempt(turn);
  if (!isComplete(attempt)) return;
  const timeline = timelineOf(attempt);
  turn.state.attempt = null;
  rememberOut(turn, attempt);
  observeNow(turn);
  const targets = attempt.calls.filter(({ outcome }) => outcome === 'moved').flatMap((call) => call.targets);
  // The log has already said that somebody else was first.
  if (targets.length === 0) return;
  const moved = `${purposeOf(attempt).done} ${list(targets)}`;
  if (purposeOf(attempt).handsOver !== null) return finishHandingOver(turn, attempt, moved);
  turn.state.unconfirmed = timeline;
  const elapsedMs = Math.round(turn.now - attempt.triggeredAt);
  const after = `${moved}, ${elapsedMs} ms after ${sinceWords(attempt)}`;
  note(turn, 'notable', `${after}: ${turn.plan.cloud.name} is asked to confirm it`);
  if (attempt.lastUp !== null) note(turn, 'notable', lastUpWords(attempt.lastUp, turn.now));
}

function sinceWords(attempt: Attempt): string {
  if (attempt.resumed) return 'it had begun';
  return isTimedFromDown(attempt) ? 'the peer went DOWN' : 'it was decided';
}

function finishHandingOver(turn: Turn, attempt: Attempt, moved: string): void {
  note(turn, 'notable', moved);
  if (!purposeOf(attempt).isOrdered) return;
  noteMoved(turn, attempt);
  answerSwitchover(
    turn,
    attempt.request,
    true,
    `${moved} to the peer; it knows with its next keepalive. ${PEER_INHIBIT}`,
  );
  const { cause } = turn.state.handover ?? { cause: 'operator' };
  if (cause !== 'drill') noteSwitchedOver(turn, cause);
}
