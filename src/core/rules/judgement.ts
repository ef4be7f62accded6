/**
 * Asks the rules, in their order, whether something has to be moved now, and puts the hold before what they call
 * for. Begins nothing.
 */
import { considerEvidence } from './evidence';
import { hold } from './holds';
import { hasAlarm } from '../state/alarms';
import { purposeOf } from '../state/purposes';
import { considerPreemption } from './preemption';
import { considerRepair } from './repair';
import { considerTakeover } from './trigger';
import { observeNow } from '../levels/ownership';
import { sessionOf } from '../levels/sessions';
import type { Attempt } from '../state/attempt';
import { raiseAlarm, wakeAt, type Turn } from '../state/turn';
import { declines, type Firing, type Verdict } from './verdict';

/** The rules in their order: what BFD says, what the cloud shows, what nobody has, what is preferred. */
const RULES = [considerTakeover, considerEvidence, considerRepair, considerPreemption] as const;

/** What the rules call for now: the first that fires, or all that they have to say. */
export function askRules(turn: Turn): Verdict {
  const telling: string[] = [];
  let until = Infinity;
  for (const rule of RULES) {
    const verdict = rule(turn);
    if (verdict.fires) {
      const at = patientUntil(turn, verdict);
      return at === null ? verdict : declines(`not before the next keepalive: ${verdict.sentence}`, at);
    }
    if (verdict.sentence !== '') telling.push(verdict.sentence);
    until = Math.min(until, verdict.until);
  }
  return declines(telling.join('; '), until);
}

/**
 * What the cloud shows may change with each reading, so of the moves that this calls for only one begins in a
 * keepalive. Those that BFD calls for are held back by dampening alone.
 */
function patientUntil({ plan, state, now }: Turn, verdict: Firing): number | null {
  if (state.attempt !== null || state.lastPatientAt === null || purposeOf(verdict).byBfd) return null;
  const at = state.lastPatientAt + plan.timing.keepaliveIntervalMs;
  return now < at ? at : null;
}

/** Nothing begins under a hold, whatever calls for it. The sentence mentions an inhibit in any case. */
export function unlessHeld({ state }: Turn, called: Verdict): Verdict {
  const held = hold(state);
  if (held === null) return called;
  if (called.fires) return declines(`not ${called.sentence}, but ${held}`);
  return state.inhibit === null ? called : declines(`${called.sentence}; ${held}`, called.until);
}

export function judge(turn: Turn): Verdict {
  return unlessHeld(turn, askRules(turn));
}

/** How long the alarm about a takeover that may not begin waits for the cloud to say where the targets are. */
const LOOK_MS = 5_000;

/** A forgotten inhibit would be an outage, so a person has to be told, once each time that it matters. */
export function alarmIfBlocked(turn: Turn, called: Verdict, verdict: Verdict): void {
  const { shutdown, reorientation } = turn.state;
  // A shutdown is intended, and a stall is over in a moment.
  const isPassing = shutdown !== null || reorientation !== null;
  const blocked = called.fires && !verdict.fires && purposeOf(called).isUrgent && !isPassing;
  const alarmed = hasAlarm(turn.state, 'takeover-blocked');
  // The peer may have handed the targets over just before it went DOWN.
  if (blocked && !alarmed && !isReadSinceDown(turn, called)) return;
  if (blocked && !alarmed) raiseAlarm(turn, 'takeover-blocked', verdict.sentence);
  turn.state.blocked = blocked;
}

/** Whether the cloud has been read since the sessions went DOWN, or has had its time; asks for the reading. */
function isReadSinceDown(turn: Turn, called: Firing): boolean {
  const { sessions, targets } = called;
  const { ownership, observing } = turn.state;
  if (!purposeOf(called).byBfd || ownership === null) return true;
  const downAt = Math.max(...sessions.map(({ id }) => sessionOf(turn.state, id).changedAt));
  const isRead = ownership.startedAt >= downAt && targets.every(({ id }) => !(id in ownership.lagging));
  if (isRead || turn.now >= downAt + LOOK_MS) return true;
  if (observing.inFlight === null && (observing.lastStartedAt ?? -Infinity) < downAt) observeNow(turn);
  wakeAt(turn, downAt + LOOK_MS);
  return false;
}

/** Whether the rule that called for the attempt still does. */
export function reconsider(turn: Turn, { purpose }: Attempt): Verdict {
  const verdict = judge(turn);
  // An earlier rule may fire too by now. The attempt goes on, and that rule has its turn afterwards.
  if (verdict.fires && verdict.purpose !== purpose) {
    const own = RULES.map((rule) => rule(turn)).find((each) => each.fires && each.purpose === purpose);
    return own ?? declines('another rule calls for a move now', turn.now);
  }
  return verdict;
}
