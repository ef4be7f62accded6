/**
 * The calls of one attempt: what is sent when, what an answer means, when to try again (rule 6). One
 * retry policy for the whole daemon lives here; the SDK's own is off.
 */
import { nextCallNumber, currentAttempt, updateAttempt, updateCall } from './attempt';
import { isLarge, newCall, requestOf, SENT_AT_ONCE } from './grouping';
import { isHeldBy } from '../levels/holders';
import { pauseMs } from '../pause';
import type { Failure } from '../state/readings';
import { confirmWrite, observeNow } from '../levels/ownership';
import type { Call, Send } from '../state/attempt';
import { keepAlarm, list, note, raiseAlarm, wakeAt, type Turn, type Weight } from '../state/turn';
import { isOvertaken, overlapAt, overlapAtOf, overlapDeadlineMs } from './overlap';
import { waitersOf, waitingCalls } from './waiting';

/** Deadline of the n-th try: 1, 2, 4, 8, 8, ... seconds. A later try does not abort an earlier one (see overlap.ts). */
const FIRST_DEADLINE_MS = 1_000;
const LAST_DEADLINE_MS = 8_000;
/** The first retry goes out at once, later ones after 50 ms doubling to a second. */
const BACKOFF = { firstMs: 50, lastMs: 1_000 } as const;
/** A target that the cloud refuses for good is tried again this seldom: an operator may have mended it. */
const REFUSED_RETRY = { firstMs: 10_000, lastMs: 10_000 } as const;

function tryIsDue(call: Call, now: number): boolean {
  return call.outcome === 'open' && call.nextSendAt !== null && now >= call.nextSendAt;
}

/** Sends what is due and says when to look again. */
export function drive(turn: Turn): void {
  for (const call of currentAttempt(turn).calls) drawRetry(turn, call);
  const waiting = waitingCalls(turn.plan, currentAttempt(turn));
  let left = SENT_AT_ONCE;
  for (const call of currentAttempt(turn).calls) {
    if (left === 0) break;
    const isDue = tryIsDue(call, turn.now);
    const isOverlapping = !isDue && turn.now >= (overlapAt(currentAttempt(turn), call) ?? Infinity);
    if (waiting.has(call) || (!isDue && !isOverlapping)) continue;
    send(turn, call, isOverlapping);
    left -= 1;
  }
  const attempt = currentAttempt(turn);
  const stillWaiting = waitingCalls(turn.plan, attempt);
  for (const call of attempt.calls) {
    // A call that waits is looked at again when the answer or the reading comes that it waits for.
    if (call.outcome !== 'open' || stillWaiting.has(call)) continue;
    if (call.nextSendAt !== null) wakeAt(turn, call.nextSendAt);
    wakeAt(turn, overlapAt(attempt, call) ?? Infinity);
  }
}

function send(turn: Turn, call: Call, hedge: boolean): void {
  const attempt = currentAttempt(turn);
  const number = call.lastSend + 1;
  // The second request of a try has the deadline of that try.
  const isSecond = hedge && call.outstanding.length === 1 && call.outstanding[0]?.hedge === false;
  const tries = isSecond ? call.tries : call.tries + 1;
  const outgoing: Send = { number, startedAt: turn.now, hedge, queued: false };
  const tryMs = Math.min(FIRST_DEADLINE_MS * 2 ** (tries - 1), LAST_DEADLINE_MS);
  const timeoutMs = overlapDeadlineMs(call, tryMs);
  turn.effects.push({ effect: 'sendCall', ...requestOf(turn, attempt, call), send: number, timeoutMs });
  const outstanding = [...call.outstanding, outgoing];
  const nextSendAt = hedge ? call.nextSendAt : null;
  updateCall(turn, call.number, {
    outstanding,
    lastSend: number,
    tries,
    overlapAt: overlapAtOf(turn, attempt, call),
    nextSendAt,
    disputed: null,
  });
  updateAttempt(turn, { firstSentAt: attempt.firstSentAt ?? turn.now });
  if (tries > 1 || hedge) {
    note(
      turn,
      isSecond || isNewsworthy(tries) ? ofOneCall(turn) : 'routine',
      hedge
        ? `${turn.plan.cloud.name} has not answered the move of ${list(call.targets)}: sending it again on another connection`
        : `moving ${list(call.targets)} again (try ${tries})`,
    );
  }
}

/** Turns a failure into the time of the next try; the jitter comes with the decision. */
function drawRetry(turn: Turn, { number, failed, tries }: Call): void {
  if (failed === null) return;
  const nextSendAt = turn.now + backoffMs(failed, tries, turn.jitter);
  updateCall(turn, number, { failed: null, nextSendAt });
}

export function backoffMs(failure: Failure, tries: number, jitter: number): number {
  switch (failure.kind) {
    case 'refused':
      return pauseMs(REFUSED_RETRY, 0, jitter);
    case 'throttled':
      // The pacer knows the time: there the request waits for the next token in the order of the ranks.
      return pauseMs(BACKOFF, 0, jitter);
    case 'unsent':
    case 'uncertain':
      return tries === 1 ? 0 : pauseMs(BACKOFF, tries - 2, jitter);
  }
}

/** In an attempt of many calls a single call is no news: the standing sentence says how far the attempt has come. */
function ofOneCall(turn: Turn): Weight {
  return isLarge(currentAttempt(turn).calls) ? 'routine' : 'notable';
}

/** Of many tries, only the first, second, fourth, eighth and so on are told. */
function isNewsworthy(tries: number): boolean {
  return Math.log2(tries) % 1 === 0;
}

export type Answer = {
  readonly attempt: number;
  readonly call: number;
  readonly send: number;
  readonly sentAt: number;
  readonly failure: Failure | null;
};

export function callAnswered(turn: Turn, answer: Answer): void {
  const { attempt } = turn.state;
  const call = attempt?.calls.find(({ number }) => number === answer.call);
  if (attempt === null || attempt.number !== answer.attempt || call === undefined) {
    answeredLate(turn, answer);
    // It changes no state of a move, but if it moved something, the cloud has to be asked what is true now.
    if (answer.failure === null) observeNow(turn);
    return note(turn, 'routine', `ignored a late answer of attempt ${answer.attempt}`);
  }
  const sent = call.outstanding.find(({ number }) => number === answer.send);
  if (sent === undefined)
    return note(turn, 'routine', `ignored a second answer to one request of ${list(call.targets)}`);
  const outstanding = call.outstanding.filter(({ number }) => number !== answer.send);
  updateCall(turn, call.number, { outstanding });
  updateAttempt(turn, { lastAnsweredAt: turn.now });
  if (answer.send === 1) {
    updateAttempt(turn, { firstOnWireAt: Math.min(attempt.firstOnWireAt ?? Infinity, answer.sentAt) });
  }
  if (answer.failure?.kind !== 'uncertain' && answer.failure?.kind !== 'unsent') hasten(turn, sent);
  if (answer.failure === null) return succeeded(turn, call);
  if (call.outcome !== 'open')
    return note(turn, 'routine', `a further request for ${list(call.targets)} failed`);
  // What was disputed while this request was under way can now be settled by a read.
  if (call.disputed !== null && outstanding.length === 0) observeNow(turn);
  failed(turn, { ...call, outstanding }, sent.hedge, answer.failure);
}

/** The cloud has answered this request. */
function hasten(turn: Turn, { startedAt }: Send): void {
  for (const call of currentAttempt(turn).calls)
    if (isOvertaken(call, startedAt)) updateCall(turn, call.number, { overlapAt: turn.now });
}

/** Rule 5: a give-back waits for what was still out when the takeover ended. */
function answeredLate(turn: Turn, answer: Answer): void {
  const { giveBack } = turn.state;
  if (giveBack === null || giveBack.attempt !== answer.attempt) return;
  const out = giveBack.out.filter((request) => request !== `${answer.call}/${answer.send}`);
  turn.state.giveBack = { ...giveBack, out };
}

function succeeded(turn: Turn, call: Call): void {
  if (call.outcome === 'moved') return note(turn, 'routine', `${list(call.targets)} had been moved already`);
  confirmWrite(turn, call.targets, call.to);
  setMoved(turn, call);
  note(
    turn,
    ofOneCall(turn),
    `${turn.plan.cloud.name} has moved ${list(call.targets)} to ${call.to.networkInterfaceId}`,
  );
}

function setMoved(turn: Turn, { number }: Call): void {
  updateCall(turn, number, {
    outcome: 'moved',
    nextSendAt: null,
    overlapAt: null,
    failed: null,
    disputed: null,
  });
  updateAttempt(turn, { lastMovedAt: turn.now });
}

function failed(turn: Turn, call: Call, hedge: boolean, failure: Failure): void {
  const weight = weightOfFailure(turn, call, failure);
  updateCall(turn, call.number, { lastFailure: failure });
  // While other requests of the call are under way, it waits for them; a new try follows when the last of them has
  // failed.
  const isFollowed = hedge
    ? call.outstanding.length === 0 && call.nextSendAt === null && call.failed === null
    : failure.kind !== 'uncertain' || call.outstanding.length === 0;
  const retry = isFollowed ? { failed: failure } : {};
  const what = `${list(call.targets)} not moved: ${failure.code}: ${failure.message}`;
  switch (failure.kind) {
    case 'refused':
      if (call.uncertain || call.again || call.outstanding.length > 0) return disputed(turn, call, failure);
      return refused(turn, call, failure);
    case 'uncertain':
      updateCall(turn, call.number, {
        uncertain: true,
        overlapAt: (hedge ? call.overlapAt : null) ?? turn.now,
        ...retry,
      });
      return note(turn, weight, `${what}; the outcome is not known`);
    case 'throttled':
    case 'unsent':
      updateCall(turn, call.number, retry);
      return note(turn, weight, what);
  }
}

/**
 * The same word of the cloud again is no news; in an attempt of many calls, neither is the same word to another one.
 */
function weightOfFailure(turn: Turn, call: Call, { code }: Failure): Weight {
  const { calls } = currentAttempt(turn);
  const heard = isLarge(calls) ? calls : [call];
  const isNew = heard.every(({ lastFailure }) => lastFailure?.code !== code);
  return isNew || (heard.length === 1 && isNewsworthy(call.tries)) ? 'notable' : 'routine';
}

/** Perhaps another of several identical requests has done the work already, or it was done before the first. */
function disputed(turn: Turn, call: Call, failure: Failure): void {
  updateCall(turn, call.number, { disputed: { failure, at: turn.now }, failed: failure });
  observeNow(turn);
  note(
    turn,
    'notable',
    `${list(call.targets)} refused (${failure.code}) ${call.again ? 'and perhaps here already' : 'to one of several requests'}: asking ${turn.plan.cloud.name}`,
  );
}

function refused(turn: Turn, call: Call, failure: Failure): void {
  if (call.targets.length > 1) return split(turn, call, failure);
  if (!call.allowReassignment) return lost(turn, call, failure);
  updateCall(turn, call.number, { failed: failure, uncertain: false, refusedWith: failure.code });
  // The cloud may refuse what has already been done.
  observeNow(turn);
  const waiting = waitersOf(turn.plan, currentAttempt(turn), call).flatMap(({ targets }) => targets);
  const reason =
    `${turn.plan.cloud.name} refuses to move ${list(call.targets)} to ${call.to.networkInterfaceId} ` +
    `(${failure.code}: ${failure.message}): trying again slowly` +
    (waiting.length === 0 ? '' : `; ${list(waiting)} is not asked for before that`);
  if (call.refusedWith === failure.code) {
    keepAlarm(turn, 'takeover-refused', failure.code);
    note(turn, 'routine', reason);
  } else raiseAlarm(turn, 'takeover-refused', reason, { about: call.targets, kind: failure.code });
}

/** Rule 8: without reassignment a refusal means that somebody else was first. The cloud is asked who. */
function lost(turn: Turn, call: Call, failure: Failure): void {
  // The targets that rest on it belong where it is.
  for (const { number } of [call, ...waitersOf(turn.plan, currentAttempt(turn), call)])
    updateCall(turn, number, { outcome: 'lost', nextSendAt: null, failed: null, uncertain: false });
  const before = turn.state.lostClaim;
  const lostClaim = {
    since: before?.since ?? turn.now,
    targets: [...new Set([...(before?.targets ?? []), ...call.targets])],
    failure,
    alarmedWith: before?.alarmedWith ?? null,
  };
  turn.state.lostClaim = lostClaim;
  turn.state.unchanged = null;
  observeNow(turn);
  note(
    turn,
    'notable',
    `${list(call.targets)} not claimed (${failure.code}: ${failure.message}): asking ${turn.plan.cloud.name} who holds them now`,
  );
}

/** The call is all-or-nothing, so one bad target must not hold back the others. */
function split(turn: Turn, call: Call, failure: Failure): void {
  updateCall(turn, call.number, { outcome: 'split', nextSendAt: null, failed: null, uncertain: false });
  const attempt = currentAttempt(turn);
  const next = nextCallNumber(attempt);
  const singles = call.targets.map((id, index) =>
    newCall({
      number: next + index,
      to: call.to,
      targets: [id],
      allowReassignment: call.allowReassignment,
      again: call.again,
      now: turn.now,
    }),
  );
  updateAttempt(turn, { calls: [...attempt.calls, ...singles] });
  note(
    turn,
    'notable',
    `${turn.plan.cloud.name} refuses to move ${list(call.targets)} together (${failure.code}: ${failure.message}): moving them one by one`,
  );
}

/** A believed observation settles what answers left open: done elsewhere, or refused after all. */
/** The latest word of the cloud was about what this call is to move. */
function isRead({ state: { ownership } }: Turn, { targets }: Call): boolean {
  return targets.every((id) => ownership?.lagging[id] === undefined);
}

export function settleByObservation(turn: Turn, startedAt: number): void {
  // Whatever the cloud shows, an attempt that has asked for nothing has not done it.
  if (currentAttempt(turn).firstSentAt === null) return;
  for (const call of currentAttempt(turn).calls) {
    if (call.outcome !== 'open') continue;
    // It was known to be here; only a later reading says that it still is.
    if (call.again && startedAt < currentAttempt(turn).decidedAt) continue;
    if (call.targets.every((id) => isHeldBy(turn, id, call.to))) {
      // This reading is as good as a 200 that is still under way; a later reading may lag behind it.
      if (call.lastSend > 0) confirmWrite(turn, call.targets, call.to);
      setMoved(turn, call);
      note(
        turn,
        ofOneCall(turn),
        `${turn.plan.cloud.name} shows ${list(call.targets)} on ${call.to.networkInterfaceId}: moved`,
      );
    } else if (
      call.disputed !== null &&
      call.outstanding.length === 0 &&
      startedAt >= call.disputed.at &&
      isRead(turn, call)
    ) {
      const { failure } = call.disputed;
      updateCall(turn, call.number, { disputed: null });
      refused(turn, call, failure);
    }
  }
}
