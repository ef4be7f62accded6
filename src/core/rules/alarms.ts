/**
 * When each alarm is over. An alarm about something that lasts ends with it. One about something that has happened
 * ends when the pair is as it should be again, and stands for some minutes in any case, so that somebody sees it.
 * Nothing ends in a shutdown or right after a long stall: what is known then says little.
 */
import { isForeign } from './foreignHolder';
import { maintenanceOver } from './maintenance';
import { unrefusedTargets } from '../moves/waiting';
import { holdsAll, ownsAll } from '../levels/ownership';
import { sessionOf } from '../levels/sessions';
import type { Alarm, AlarmCode } from '../state/alarms';
import { note, type Turn } from '../state/turn';

/** An alarm about an event stands at least this long. */
const EVENT_STANDS_MS = 300_000;
/** A move that is decided afresh is refused again, or stuck again, by then. */
const QUIET_MS = 60_000;
/** Two clients that take the streams from each other in turn (rule 13: after 10 to 30 s) raise one alarm, not many. */
const SAME_DISPUTE_MS = 60_000;

type Ending = {
  /** Why it is over; null while it goes on. */
  /** `kind`: what tells it from others of its code. */
  readonly overBecause?: (turn: Turn, alarm: Alarm, kind: string) => string | null;
  /** Of an alarm about single targets, which is over when it is about none any more. */
  readonly each?: {
    readonly isSo: (turn: Turn, alarm: Alarm, id: string) => boolean;
    /** Why it is over then. */
    readonly over: string;
  };
};

const ENDINGS = {
  'control-lost': {
    overBecause: ({ state: { streams, unwatched }, now }, { lastAt }) =>
      streams.phase === 'synchronized' && now - Math.max(unwatched?.until ?? 0, lastAt) >= SAME_DISPUTE_MS
        ? `this daemon has had the router's event streams for ${SAME_DISPUTE_MS / 1000} s`
        : null,
  },
  'takeover-refused': {
    each: {
      isSo: (turn, { lastAt }, id) =>
        isAskedFor(turn, id) || (!isHere(turn, id) && turn.now - lastAt < QUIET_MS),
      over: 'its targets are here, or are no longer asked for',
    },
  },
  'takeover-stuck': {
    overBecause: (turn, { lastAt }) => {
      const { plan, state, now } = turn;
      if (state.attempt === null)
        return ownsAll(plan, state) || now - lastAt >= QUIET_MS ? 'nothing is being moved any more' : null;
      return unrefusedTargets(plan, state.attempt).length === 0 ? `${plan.cloud.name} has answered` : null;
    },
  },
  'target-lost': { overBecause: settledAgain },
  'local-failure-suspected': {
    overBecause: (turn, alarm) => {
      const isUp = Object.values(turn.state.interfaces).every(({ level }) => level === 'Up');
      return isUp ? settledAgain(turn, alarm) : null;
    },
  },
  'give-back-failed': { overBecause: settledAgain },
  'maintenance-ahead': {
    overBecause: (turn, _, kind) => maintenanceOver(turn, kind),
  },
  'switchover-missed': { overBecause: settledAgain },
  'cloud-unobserved': {
    // `answeredAt` is also when the cloud was first asked.
    overBecause: ({ plan, whole, state: { ownership, observing }, now }) =>
      ownership !== null &&
      plan === whole &&
      now - (observing.answeredAt ?? -Infinity) <= plan.timing.roleTtlMs
        ? `${plan.cloud.name} says who holds the targets`
        : null,
  },
  unprotected: {
    overBecause: (turn) =>
      sessionIsUp(turn) ?? (ownsAll(turn.whole, turn.state) ? 'all targets are on this router' : null),
  },
  'redundancy-lost': {
    overBecause: (turn) => {
      const { whole, state } = turn;
      const isNotHere = state.ownership !== null && !holdsAll(whole, state.ownership);
      return sessionIsUp(turn) ?? (isNotHere ? 'this router no longer has all targets' : null);
    },
  },
  'takeover-blocked': {
    overBecause: ({ state: { blocked, ownership, streams } }) =>
      !blocked && ownership !== null && streams.everSynchronized
        ? 'no move that is called for is held back'
        : null,
  },
  'arrived-while-inhibited': {
    overBecause: ({ state }) => (state.inhibit === null ? 'this router is no longer inhibited' : null),
    each: { isSo: (turn, _, id) => isHere(turn, id), over: 'its targets have gone again' },
  },
  'takeover-damped': {
    overBecause: ({ state: { damping }, now }) =>
      now >= (damping?.suppressedUntil ?? -Infinity) ? 'BFD may trigger takeovers again' : null,
  },
  'preempt-conflict': {
    overBecause: ({ state }) =>
      state.preemption.offBecause === null ? 'this daemon has been restarted since' : null,
  },
  'foreign-holder': {
    each: {
      isSo: ({ plan, state: { ownership } }, _, id) =>
        ownership === null ||
        plan.targets.some((target) => target.id === id && isForeign(plan, ownership, target)),
      over: 'nobody outside the pair holds its targets any more',
    },
  },
} as const satisfies Record<AlarmCode, Ending>;

export function isAlarmCode(code: string): code is AlarmCode {
  return Object.hasOwn(ENDINGS, code);
}

/** With each decision: ends what is over, and says so. */
export function endAlarms(turn: Turn): void {
  const { alarms, shutdown, reorientation } = turn.state;
  const before = Object.entries(alarms);
  if (before.length === 0 || shutdown !== null || reorientation !== null) return;
  const after = before.flatMap(([key, alarm]) => {
    const left = leftOf(turn, key, alarm);
    return left === null ? [] : [[key, left] as const];
  });
  const isSame = after.length === before.length && after.every(([key, alarm]) => alarms[key] === alarm);
  if (!isSame) turn.state.alarms = Object.fromEntries(after);
}

/** What is left of an alarm; null if it is over, which the log then says. */
function leftOf(turn: Turn, key: string, alarm: Alarm): Alarm | null {
  const { overBecause, each }: Ending = ENDINGS[alarm.code];
  const about = each === undefined ? alarm.about : alarm.about.filter((id) => each.isSo(turn, alarm, id));
  const isOverForAll = each !== undefined && about.length === 0;
  const because =
    overBecause?.(turn, alarm, key.slice(alarm.code.length + 1)) ?? (isOverForAll ? each.over : null);
  if (because === null) return about.length === alarm.about.length ? alarm : { ...alarm, about };
  note(turn, 'notable', `alarm ${alarm.code} is over: ${because}`);
  return null;
}

/** What happened has been seen by somebody, and all targets are in one hand again. */
function settledAgain({ state, now }: Turn, { since }: Alarm): string | null {
  const isSettled = state.attempt === null && state.role.haState !== 'UNKNOWN';
  return isSettled && now - since >= EVENT_STANDS_MS ? `this router is ${state.role.haState}` : null;
}

function sessionIsUp({ plan, state }: Turn): string | null {
  return plan.sessions.some(({ id }) => sessionOf(state, id).level === 'Up') ? 'a session is UP' : null;
}

function isHere({ state }: Turn, id: string): boolean {
  return state.ownership?.holders[id]?.mine === true;
}

/** The cloud is being asked to move it, or has refused it although nobody holds it. */
function isAskedFor({ state: { attempt, lostClaim } }: Turn, id: string): boolean {
  const calls = attempt?.calls ?? [];
  const isClaimed = lostClaim !== null && lostClaim.alarmedWith !== null && lostClaim.targets.includes(id);
  return isClaimed || calls.some(({ outcome, targets }) => outcome === 'open' && targets.includes(id));
}
