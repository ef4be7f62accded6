/**
 * Rule 5, the second half: when the interface of every triggering session goes DOWN right after the first
 * write, the failure was here and not at the peer, and the targets go back to whoever held them, once.
 */
import { callHasMoved, currentAttempt, isUnderWay, openAttempt, openTargets } from './attempt';
import { callsOf, plannedTargets } from './grouping';
import { failHandover } from './handover';
import { answerSwitchover } from './switchover';
import { observeNow } from '../levels/ownership';
import { withdrawQueued } from './queued';
import { disarmUnlessUp, interfaceOf } from '../levels/sessions';
import { purposeOf } from '../state/purposes';
import type { GiveBack } from '../state/state';
import type { Attempt } from '../state/attempt';
import { list, raiseAlarm, wakeAt, type Turn } from '../state/turn';

/** An interface that goes DOWN this soon after the first write explains the BFD failure. */
const GIVE_BACK_WINDOW_MS = 1_000;
/** The cloud takes a target from anybody, so what has not gone back by then will not go. */
const GIVE_BACK_TTL_MS = 10_000;

/** For one second after the first write that was not definitely refused, the failure may turn out to be ours. */
export function openGiveBack(turn: Turn): void {
  const { attempt, ownership } = turn.state;
  if (attempt === null || !purposeOf(attempt).byBfd || attempt.sessions.length === 0) return;
  if (ownership === null) return;
  const { number, sessions } = attempt;
  const targets = attempt.calls.flatMap((call) => call.targets);
  const holdersBefore = Object.fromEntries(targets.map((id) => [id, ownership.holders[id] ?? null]));
  turn.state.giveBack = {
    attempt: number,
    sessions,
    firstSentAt: turn.now,
    holdersBefore,
    isDue: false,
    out: [],
  };
}

/** The takeover has ended and some of its requests have not: the cloud may still carry them out. */
export function rememberOut(turn: Turn, attempt: Attempt): void {
  const { giveBack } = turn.state;
  if (giveBack === null || giveBack.attempt !== attempt.number) return;
  const out = attempt.calls.flatMap(({ number, outstanding }) =>
    outstanding.filter(({ queued }) => !queued).map((send) => `${number}/${send.number}`),
  );
  turn.state.giveBack = { ...giveBack, out };
}

/** Returns whether it has to wait: a request under way might reach the cloud after the one that undoes it. */
export function giveBackIfLocal(turn: Turn): boolean {
  const { giveBack, streams, attempt } = turn.state;
  if (giveBack === null) return false;
  if (!giveBack.isDue && turn.now - giveBack.firstSentAt > GIVE_BACK_WINDOW_MS) {
    turn.state.giveBack = null;
    return false;
  }
  const names = new Set(
    turn.plan.sessions
      .filter(({ id }) => giveBack.sessions.includes(id))
      .map(({ interfaceName }) => interfaceName),
  );
  const allDown = [...names].every((name) => interfaceOf(turn.state, name).level === 'Down');
  if (!giveBack.isDue && (streams.phase !== 'synchronized' || !allDown)) return false;
  turn.state.giveBack = { ...giveBack, isDue: true };
  if (attempt !== null) withdrawQueued(turn);
  if (attempt?.calls.some(isUnderWay) || giveBack.out.length > 0) return true;
  beginGiveBack(turn, giveBack, [...names]);
  return false;
}

/** To hand targets over is a courtesy to a peer that may be dead by now, so unlike a takeover it does not go on for ever. */
export function abandonHandingOver(turn: Turn): boolean {
  const attempt = currentAttempt(turn);
  const { handsOver } = purposeOf(attempt);
  if (handsOver === null) return false;
  const since = attempt.paced ? (attempt.lastMovedAt ?? attempt.decidedAt) : attempt.decidedAt;
  const until = since + GIVE_BACK_TTL_MS;
  wakeAt(turn, until);
  if (turn.now < until) return false;
  const left = openTargets(attempt);
  turn.state.attempt = null;
  observeNow(turn);
  const sentence =
    `gave up ${handsOver(list(left))} after ${GIVE_BACK_TTL_MS / 1000} s: see that this router may write to the ` +
    `peer's interfaces, and move them by hand if the peer is well`;
  raiseAlarm(turn, 'give-back-failed', sentence, { about: left });
  answerSwitchover(turn, attempt.request, false, sentence, failHandover(turn, attempt, sentence));
  return true;
}

/** Once per takeover: the targets go back to whoever held them before the first write. */
function beginGiveBack(turn: Turn, giveBack: GiveBack, interfaceNames: readonly string[]): void {
  const { plan, state, now } = turn;
  const moved =
    state.attempt?.number === giveBack.attempt
      ? state.attempt.calls.filter(callHasMoved).flatMap(({ targets }) => targets)
      : Object.keys(giveBack.holdersBefore);
  const moves = plannedTargets(plan, moved).flatMap((target) => {
    const to = giveBack.holdersBefore[target.id] ?? null;
    // Nobody is at the end of a blackhole, and a gateway cannot be given anything.
    if (to?.kind !== 'interface' || to.blackhole === true) return [];
    return [{ target, to, allowReassignment: true }];
  });
  const calls = callsOf(plan, moves, now);
  turn.state.giveBack = null;
  if (calls.length === 0) return;
  openAttempt(turn, { purpose: 'giveBack', sessions: giveBack.sessions, calls });
  turn.state.unconfirmed = null;
  // The interface that comes back must not take over again on the strength of the same failure.
  disarmUnlessUp(turn);
  const reason =
    `giving ${list(calls.flatMap(({ targets }) => targets))} back: ${list(interfaceNames)} went DOWN within ` +
    `${GIVE_BACK_WINDOW_MS / 1000} s of the first write, so the failure was here and not at the peer`;
  raiseAlarm(turn, 'local-failure-suspected', reason);
}
