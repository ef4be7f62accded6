/**
 * What a believed observation means for moves: a finished one is confirmed, one that was overruled ends, and one
 * that an earlier process life has left half done is resumed (rule 7).
 */
import { hasMoved, openAttempt } from './attempt';
import { callsFor } from './beginning';
import { failHandover } from './handover';
import { answerSwitchover } from './switchover';
import { holderWords, isHeldBy } from '../levels/holders';
import { takeIntent } from '../state/memory';
import type { Intent } from '../state/model';
import { missingTargets, takeableTargets } from '../levels/ownership';
import type { Target } from '../state/plan';
import { disarmUnlessUp } from '../levels/sessions';
import { purposeOf } from '../state/purposes';
import type { Attempt } from '../state/attempt';
import { list, note, raiseAlarm, type Turn } from '../state/turn';

/** After a believed observation: confirm a finished takeover, end one that was overruled, resume one. */
export function reviewByObservation(turn: Turn): void {
  const missing = turn.state.ownership === null ? [] : missingTargets(turn.plan, turn.state.ownership);
  const { unconfirmed, attempt } = turn.state;
  if (unconfirmed !== null) {
    turn.state.unconfirmed = null;
    const confirmed = missing.length === 0;
    const timeline = { ...unconfirmed, confirmedAt: confirmed ? turn.now : null };
    turn.effects.push({ effect: 'reportTimeline', timeline });
    if (confirmed)
      note(
        turn,
        'notable',
        `${turn.plan.cloud.name} confirms attempt ${timeline.attempt}: all targets are on this router`,
      );
  }
  const intent = takeIntent(turn);
  if (attempt !== null) return endIfOverruled(turn, attempt);
  if (intent !== null) resume(turn, intent, missing);
}

/** Rule 7: a target that this router had moved has another owner, and lagging reads do not explain it. */
function endIfOverruled(turn: Turn, attempt: Attempt): void {
  const lost = attempt.calls
    .filter(({ outcome }) => outcome === 'moved')
    .flatMap(({ targets, to }) => targets.filter((id) => !isHeldBy(turn, id, to)));
  if (lost.length === 0) return;
  turn.state.attempt = null;
  // The new owner is alive, or an operator wants it so. Rule 2 holds as it does after being ACTIVE.
  disarmUnlessUp(turn);
  const where = lost.map(
    (id) => `${id} is ${holderWords(turn.plan.cloud, turn.state.ownership?.holders[id] ?? null)}`,
  );
  const reason = `ended attempt ${attempt.number}: ${list(where)} although this router had moved it`;
  answerSwitchover(turn, attempt.request, false, reason, failHandover(turn, attempt, reason));
  raiseAlarm(turn, 'target-lost', reason, { about: lost });
}

/** Rule 7 across a restart: some but not all targets are ours, so an earlier process life was at it. */
function resume(turn: Turn, intent: Intent, missing: readonly Target[]): void {
  const { plan, state, now } = turn;
  if (state.shutdown !== null)
    return note(turn, 'notable', 'did not resume the stored takeover: this daemon is shutting down');
  if (state.ownership === null || missing.length === plan.targets.length) {
    return note(
      turn,
      'notable',
      `did not resume the stored takeover: ${turn.plan.cloud.name} shows none of its targets here`,
    );
  }
  const targets = takeableTargets(plan, state.ownership).filter(({ id }) => intent.targets.includes(id));
  if (targets.length === 0) return note(turn, 'notable', 'the stored takeover is complete');
  const { startedAt } = intent;
  openAttempt(turn, {
    purpose: 'takeover',
    resumed: true,
    triggeredAt: startedAt,
    decidedAt: startedAt,
    calls: callsFor(turn.plan, { targets, purpose: 'takeover' }, state.ownership, now),
  });
  note(
    turn,
    'notable',
    `resuming the takeover of ${list(targets.map(({ id }) => id))} that the last run of this daemon had begun`,
  );
}

/** What is being moved and must be remembered should this process die now. */
export function currentIntent(turn: Turn): Intent | null {
  const { attempt } = turn.state;
  if (attempt === null || !purposeOf(attempt).isResumed || !hasMoved(attempt)) return null;
  // A split call's targets are those of the calls that have replaced it.
  const targets = attempt.calls.filter(({ outcome }) => outcome !== 'split').flatMap((call) => call.targets);
  return { startedAt: attempt.decidedAt, targets };
}
