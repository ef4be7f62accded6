/**
 * How an attempt begins: its calls, one per interface, and the question of rule 5, local or remote? Whether one is
 * to begin is judgement.ts's part, what becomes of it move.ts's.
 */
import { openAttempt } from './attempt';
import { callsOf, placeHere, requestOf, SENT_AT_ONCE, waitsFor } from './grouping';
import { sessionOf } from '../levels/sessions';
import { lastUpWords } from '../levels/unwatched';
import type { Plan } from '../state/plan';
import { purposeOf } from '../state/purposes';
import type { Ownership } from '../state/state';
import type { Attempt, Call } from '../state/attempt';
import { note, type Turn } from '../state/turn';
import type { Firing } from '../rules/verdict';

/** Rule 5: how long the getter of the old interface generation may take to say whether an interface is UP. */
const GETTER_TIMEOUT_MS = 5;

export function begin(turn: Turn, verdict: Firing): void {
  const { state, now } = turn;
  const { ownership } = state;
  if (ownership === null) throw new Error('a takeover was triggered before anything was observed');
  const { purpose, sessions } = verdict;
  const { byBfd } = purposeOf(verdict);
  const attempt = openAttempt(turn, {
    purpose,
    sessions: sessions.map(({ id }) => id),
    ...whenDown(turn, verdict),
    askingUntil: byBfd ? askingUntil(turn, verdict) : null,
    calls: callsFor(turn.plan, verdict, ownership, now),
  });
  if (!byBfd) turn.state.lastPatientAt = now;
  note(turn, 'notable', verdict.sentence);
  if (attempt.lastUp !== null) note(turn, 'notable', lastUpWords(attempt.lastUp, now));
  if (attempt.askingUntil === null) return;
  // The question goes first: the answer is under way while the requests are signed.
  if (state.streams.answersAboutInterfaces) {
    const interfaceNames = [...new Set(sessions.map(({ interfaceName }) => interfaceName))];
    const timeoutMs = attempt.askingUntil - now;
    turn.effects.push({ effect: 'askInterfaces', attempt: attempt.number, interfaceNames, timeoutMs });
  }
  const waiting = waitsFor(turn.plan, attempt.calls);
  // What is sent later is made when it is sent: the first requests must not wait for it.
  for (const call of attempt.calls.filter((each) => !waiting.has(each)).slice(0, SENT_AT_ONCE))
    turn.effects.push({ effect: 'prepareCall', ...requestOf(turn, attempt, call) });
}

/**
 * A takeover's clock starts when the first of its sessions went DOWN; where it was only found DOWN, when it is decided.
 */
function whenDown({ state, now }: Turn, { sessions }: Firing): Pick<Attempt, 'triggeredAt' | 'lastUp'> {
  const down = sessions.map(({ id }) => sessionOf(state, id));
  const triggeredAt = Math.min(now, ...down.map(({ changedAt }) => changedAt));
  if (down.every(({ changeSeen, changedAt }) => changeSeen || changedAt > triggeredAt))
    return { triggeredAt, lastUp: null };
  const known = down.flatMap(({ lastUpAt }) => (lastUpAt === null ? [] : [lastUpAt]));
  return { triggeredAt: now, lastUp: { at: known.length === 0 ? null : Math.max(...known) } };
}

/**
 * Rule 5, local or remote? The old generation has a getter. The new one has none: its interface events, or its answer
 * where it has been seen to answer a subscription, get a moment to arrive, unless two interfaces are affected: both
 * failing here at once is unlikely.
 */
function askingUntil({ plan, state, now }: Turn, verdict: Firing): number | null {
  if (state.streams.generation === 'gen1') return now + GETTER_TIMEOUT_MS;
  return onSeveralInterfaces(verdict) || plan.timing.settleMs === 0 ? null : now + plan.timing.settleMs;
}

export function onSeveralInterfaces({ sessions }: Firing): boolean {
  return new Set(sessions.map(({ interfaceName }) => interfaceName)).size > 1;
}

/**
 * To the places on this router where the targets belong. Where BFD does not say that the peer is gone, what nobody
 * holds is asked for without reassignment, so that whoever is first keeps it.
 */
export function callsFor(
  plan: Plan,
  verdict: Pick<Firing, 'targets' | 'purpose'>,
  ownership: Ownership,
  now: number,
  firstNumber = 1,
): readonly Call[] {
  const moves = verdict.targets.map((target) => {
    const { allowReassignment, again } = askedOf(verdict, ownership, target.id);
    return { target, to: placeHere(ownership, target), allowReassignment, again };
  });
  return callsOf(plan, moves, now, firstNumber);
}

/** How a target is asked for, as its holder is now. */
export function askedOf(
  verdict: Pick<Firing, 'purpose'>,
  { holders }: Pick<Ownership, 'holders'>,
  id: string,
): Pick<Call, 'allowReassignment' | 'again'> {
  const holder = holders[id] ?? null;
  return { allowReassignment: purposeOf(verdict).byBfd || holder !== null, again: holder?.mine === true };
}
