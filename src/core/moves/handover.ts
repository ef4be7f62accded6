/**
 * Rule 15, what becomes of a switchover: from its first request until the cloud has shown the targets at the peer for a
 * keepalive, in which the peer has seen them too, with every session UP. Moves nothing.
 */
import { hasMoved } from './attempt';
import { isOnPeer } from '../rules/foreignHolder';
import { alarmMissed } from '../rules/schedule';
import { holderWords } from '../levels/holders';
import { observeNow } from '../levels/ownership';
import { sessionOf, words } from '../levels/sessions';
import type { Timeline } from '../state/model';
import type { Handover, Order } from '../state/state';
import type { Attempt } from '../state/attempt';
import { list, note, wakeAt, type Turn } from '../state/turn';

export function openHandover(turn: Turn, order: Order, attempt: Attempt, sentence: string): void {
  turn.state.handover = {
    ...order,
    attempt: attempt.number,
    targets: attempt.calls.flatMap(({ targets }) => targets),
    sentence,
    timeline: timelineOf(attempt),
    requests: 0,
    ended: null,
  };
}

export function timelineOf(attempt: Attempt): Timeline {
  return {
    attempt: attempt.number,
    purpose: attempt.purpose,
    triggeredAt: attempt.triggeredAt,
    lastUp: attempt.lastUp,
    decidedAt: attempt.decidedAt,
    firstSentAt: attempt.firstOnWireAt ?? attempt.firstSentAt,
    lastAnsweredAt: attempt.lastAnsweredAt,
    confirmedAt: null,
    resumed: attempt.resumed,
  };
}

/** That of this attempt, while it is not over. */
function openHandoverOf(turn: Turn, attempt: Attempt): Handover | null {
  const { handover } = turn.state;
  return handover !== null && handover.attempt === attempt.number && handover.ended === null
    ? handover
    : null;
}

/** The cloud has moved all of it. */
export function noteMoved(turn: Turn, attempt: Attempt): void {
  const handover = openHandoverOf(turn, attempt);
  if (handover !== null) turn.state.handover = { ...handover, ...legsOf(attempt) };
}

function legsOf(attempt: Attempt): Pick<Handover, 'timeline' | 'requests'> {
  const requests = attempt.calls.reduce((sum, { lastSend }) => sum + lastSend, 0);
  return { timeline: timelineOf(attempt), requests };
}

/** Its attempt has ended without having moved everything; `sentence` says why. Returns whether something has moved. */
export function failHandover(turn: Turn, attempt: Attempt, sentence: string): boolean {
  const begun = hasMoved(attempt);
  const handover = openHandoverOf(turn, attempt);
  if (handover === null) return begun;
  turn.state.handover = { ...handover, ...legsOf(attempt) };
  end(turn, begun ? 'undone' : 'declined', sentence);
  if (isUnattended(handover)) alarmMissed(turn, sentence);
  return begun;
}

/** Nobody waits for its answer, and this daemon lives on to raise an alarm. */
function isUnattended({ cause }: Handover): boolean {
  return cause === 'schedule' || cause === 'maintenance';
}

function end(turn: Turn, outcome: NonNullable<Handover['ended']>['outcome'], sentence: string): void {
  const { handover } = turn.state;
  if (handover === null) return;
  turn.state.handover = { ...handover, ended: { at: turn.now, outcome, sentence } };
}

/** The one whose targets have moved and are not seen yet to be well there. */
function unseen({ state }: Turn): { readonly handover: Handover; readonly movedAt: number } | null {
  const { handover, attempt } = state;
  if (handover === null || handover.ended !== null || attempt?.number === handover.attempt) return null;
  const movedAt = handover.timeline.lastAnsweredAt;
  return movedAt === null ? null : { handover, movedAt };
}

/** After a believed observation: the cloud shows the targets at the peer, or not any more. */
export function reviewHandover(turn: Turn, startedAt: number): void {
  const { ownership } = turn.state;
  const open = unseen(turn);
  if (open === null || ownership === null || startedAt < open.movedAt) return;
  const { handover, movedAt } = open;
  const away = handover.targets.filter((id) => !isOnPeer(ownership, id));
  if (away.length > 0) {
    const where = away.map((id) => `${id} is ${holderWords(turn.plan.cloud, ownership.holders[id] ?? null)}`);
    return undo(
      turn,
      handover,
      `${turn.plan.cloud.name} shows the targets no longer at the peer: ${list(where)}`,
    );
  }
  if (handover.timeline.confirmedAt === null) {
    const timeline = { ...handover.timeline, confirmedAt: turn.now };
    turn.state.handover = { ...handover, timeline };
    turn.effects.push({ effect: 'reportTimeline', timeline });
    note(turn, 'notable', `${turn.plan.cloud.name} shows all of them at the peer`);
  }
  if (startedAt >= keptAt(turn, movedAt)) conclude(turn, handover);
}

/** By then the peer has seen with a keepalive of its own what it has. */
function keptAt({ plan }: Turn, movedAt: number): number {
  return movedAt + plan.timing.keepaliveIntervalMs;
}

function conclude(turn: Turn, handover: Handover): void {
  const notUp = turn.plan.sessions.filter(({ id }) => sessionOf(turn.state, id).level !== 'Up');
  const levels = notUp.map(({ id }) => `${id} is ${words(sessionOf(turn.state, id).level)}`);
  if (levels.length > 0) return undo(turn, handover, `the peer is not seen to be well: ${list(levels)}`);
  const sentence = `switched over ${list(handover.targets)}: ${turn.plan.cloud.name} has shown them at the peer for a keepalive, and every session is UP`;
  end(turn, 'done', sentence);
  note(turn, 'notable', sentence);
}

function undo(turn: Turn, handover: Handover, why: string): void {
  const sentence = `the switchover of ${list(handover.targets)} is undone: ${why}`;
  end(turn, 'undone', sentence);
  if (isUnattended(handover)) return alarmMissed(turn, sentence);
  note(turn, 'notable', sentence);
}

/** With each decision: asks for the readings that it needs, and ends it where it is overtaken. */
export function watchHandover(turn: Turn): void {
  const open = unseen(turn);
  if (open === null) return;
  const { handover, movedAt } = open;
  const { attempt, observing, shutdown } = turn.state;
  if (attempt !== null) return undo(turn, handover, 'this router moves targets again');
  if (shutdown !== null) return;
  const at = keptAt(turn, movedAt);
  const until = at + turn.plan.timing.roleTtlMs;
  if (turn.now >= until) return undo(turn, handover, `${turn.plan.cloud.name} does not say who holds them`);
  if (turn.now < at) return wakeAt(turn, at);
  wakeAt(turn, until);
  if (observing.inFlight === null && (observing.lastStartedAt ?? -Infinity) < at) observeNow(turn);
}
