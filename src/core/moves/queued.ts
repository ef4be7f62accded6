/**
 * What of an attempt waits for the cloud's tokens: requests that were decided and have not left this router. They have
 * moved nothing, are not hedged, and are withdrawn when they are not wanted any more (rules 6 and 7).
 */
import { currentAttempt, updateAttempt, updateCall } from './attempt';
import type { Attempt, Call, Send } from '../state/attempt';
import { note, type Turn } from '../state/turn';

/** The cloud's tokens do not suffice for all requests at once. */
export function callQueued(turn: Turn, sent: SentRequest): void {
  if (!updateSend(turn, sent, { queued: true })) return;
  updateAttempt(turn, { paced: true });
  note(turn, 'routine', `request ${requestWords(sent)} waits for ${turn.plan.cloud.name}'s tokens`);
}

export function callReleased(turn: Turn, sent: SentRequest): void {
  if (!updateSend(turn, sent, { queued: false, startedAt: turn.now })) return;
  note(turn, 'routine', `request ${requestWords(sent)} has its token and is sent`);
}

const requestWords = ({ attempt, call, send }: SentRequest): string => `${attempt}.${call}.${send}`;

type SentRequest = { readonly attempt: number; readonly call: number; readonly send: number };

/**
 * False if the request does not belong to the attempt in flight any more: its attempt has ended and withdrawn what
 * waited.
 */
function updateSend(turn: Turn, sent: SentRequest, change: Partial<Send>): boolean {
  const { attempt } = turn.state;
  const call = attempt?.calls.find(({ number }) => number === sent.call);
  if (attempt?.number !== sent.attempt || call === undefined) {
    note(turn, 'routine', `ignored what is told late of request ${requestWords(sent)}`);
    return false;
  }
  const outstanding = call.outstanding.map((each) =>
    each.number === sent.send ? { ...each, ...change } : each,
  );
  updateCall(turn, call.number, { outstanding });
  return true;
}

/**
 * What waits for tokens is not to be sent: the attempt is to go no further for now. Should it go on after all, what
 * was withdrawn is due.
 */
export function withdrawQueued(turn: Turn): void {
  const attempt = currentAttempt(turn);
  const calls = attempt.calls.map((call) => {
    const outstanding = call.outstanding.filter(({ queued }) => !queued);
    const hasNone = outstanding.length === 0 && call.outstanding.length > 0;
    return { ...call, outstanding, nextSendAt: hasNone ? turn.now : call.nextSendAt };
  });
  withdraw(turn, attempt, () => true);
  updateAttempt(turn, { calls });
}

/** At the end of each step: a request that waits for tokens and is not wanted any more must not be sent. */
export function withdrawUnwanted(turn: Turn, before: Attempt | null): void {
  const { attempt } = turn.state;
  if (before === null || !(before.paced || attempt?.paced === true)) return;
  if (attempt?.number !== before.number) {
    withdraw(turn, before, () => true);
    return;
  }
  const isDone = ({ outcome }: Call): boolean => outcome !== 'open';
  if (!withdraw(turn, attempt, isDone)) return;
  const calls = attempt.calls.map((call) =>
    isDone(call) ? { ...call, outstanding: call.outstanding.filter(({ queued }) => !queued) } : call,
  );
  updateAttempt(turn, { calls });
}

function withdraw(turn: Turn, { number, calls }: Attempt, isUnwanted: (call: Call) => boolean): boolean {
  const withdrawn = turn.effects.flatMap((effect) =>
    effect.effect === 'withdrawCalls' && effect.attempt === number ? effect.calls : [],
  );
  const waiting = calls.filter(
    (call) =>
      isUnwanted(call) && !withdrawn.includes(call.number) && call.outstanding.some(({ queued }) => queued),
  );
  if (waiting.length === 0) return false;
  turn.effects.push({
    effect: 'withdrawCalls',
    attempt: number,
    calls: waiting.map((call) => call.number),
  });
  return true;
}
