/**
 * A drill: a switchover to the peer, a while there, and back, each half verified. The way back is this router's own
 * taking, as a preferred router does it (rule 11): so it needs no word from the peer, and asks the cloud for what a
 * takeover asks for. At the first thing that is not as it should be the drill stops, and the targets stay with whoever
 * serves them. Only the cloud and BFD are believed.
 */
import { purposeOf } from '../state/purposes';
import { timelineOf } from './handover';
import { answerSwitchover, objectionToPeer, objectionToSwitchover } from './switchover';
import { dampedUntil } from '../rules/damping';
import { isOnPeer } from '../rules/foreignHolder';
import { hold } from '../rules/holds';
import { announcedFor, maintenanceWords, WHOSE } from '../rules/maintenance';
import { noteSwitchedOver } from '../rules/preemption';
import { scheduledWords } from '../rules/schedule';
import { holderWords } from '../levels/holders';
import { holdsAll, interfaceFor, observeNow, ownsAll } from '../levels/ownership';
import type { Event } from '../state/model';
import type { Drill, DrillLeg } from '../state/state';
import { list, note, wakeAt, type Turn } from '../state/turn';

/** Maintenance that begins so soon after its end forbids a drill. */
const CLEAR_OF_MAINTENANCE_MS = 600_000;
/** The way back begins by then, a keepalive for its turn included. */
const BACK_TTL_MS = 30_000;

export function drillRequested(turn: Turn, event: Extract<Event, { type: 'drillRequested' }>): void {
  const { request, holdMs, unready } = event;
  const objection = objectionToDrill(turn, holdMs, unready);
  if (objection !== null) {
    answerSwitchover(turn, request, false, `no drill: ${objection}`);
    return note(turn, 'notable', `no drill: ${objection}`);
  }
  const { ownership } = turn.state;
  const evidence = `${turn.plan.cloud.name} shows all targets here, every session is UP, no alarm stands, and the peer's interfaces are known`;
  turn.state.order = { cause: 'drill', request: null };
  turn.state.drill = {
    request,
    holdMs,
    begunAt: turn.now,
    lastAttempt: turn.state.lastAttempt,
    legs: [
      legOf('checks', ownership?.startedAt ?? turn.now, { to: turn.now, evidence }),
      legOf('over', turn.now),
    ],
    ended: null,
  };
  const sentence = `a drill begins: the targets go to the peer for ${Math.round(holdMs / 1000)} s and come back`;
  answerSwitchover(turn, request, true, sentence);
  note(turn, 'notable', sentence);
}

function legOf(leg: DrillLeg['leg'], from: number, told: Partial<DrillLeg> = {}): DrillLeg {
  return { leg, from, to: null, requests: 0, timeline: null, evidence: '', ...told };
}

function objectionToDrill(turn: Turn, holdMs: number, unready: readonly string[]): string | null {
  const { state, now, plan } = turn;
  const { scheduled, drill, order } = state;
  if (order !== null || (drill !== null && drill.ended === null)) return 'another one is under way';
  const objection = objectionToSwitchover(turn);
  if (objection !== null) return objection;
  if (unready.length > 0) return `this router is not ready: ${list(unready)}`;
  if (scheduled !== null) return scheduledWords(scheduled);
  if (dampedUntil(turn) !== null) return 'too many takeovers in short order';
  const alarms = Object.values(state.alarms).map(({ code }) => code);
  if (alarms.length > 0) return `alarm ${list([...new Set(alarms)])} stands`;
  const by = now + holdMs + CLEAR_OF_MAINTENANCE_MS;
  for (const whose of WHOSE) {
    const near = announcedFor(state, whose).find(({ at }) => at === null || at < by);
    if (near !== undefined) return `${maintenanceWords(near)} of ${whose} is announced`;
  }
  const refused = plan.targets.flatMap((target) => {
    const observation = state.ownership?.observation;
    const own = observation === undefined ? undefined : interfaceFor(observation, target);
    const why = observation?.refusals?.[target.id]?.[own?.networkInterfaceId ?? ''];
    return why === undefined
      ? []
      : [`${plan.cloud.name} would refuse to move ${target.id} back here: ${why}`];
  });
  return refused.length === 0 ? null : list(refused);
}

/** With each decision: takes it one leg further, or stops it. */
export function watchDrill(turn: Turn): void {
  const { drill } = turn.state;
  const leg = drill?.legs.at(-1);
  if (drill === null || drill.ended !== null || leg === undefined) return;
  if (turn.state.shutdown !== null) return stopDrill(turn, 'this daemon is shutting down');
  switch (leg.leg) {
    case 'checks':
    case 'over':
      return watchOver(turn, drill);
    case 'hold':
      return watchHold(turn, leg);
    case 'back':
      return watchBack(turn, leg);
    case 'after':
      return watchAfter(turn, leg);
  }
}

function watchOver(turn: Turn, drill: Drill): void {
  const { handover, order } = turn.state;
  if (order !== null) return;
  if (handover === null || handover.attempt <= drill.lastAttempt)
    return stopDrill(turn, `the switchover could not begin: ${turn.state.verdict}`);
  const { ended, requests, timeline } = handover;
  amend(turn, { requests, timeline });
  if (ended === null) return;
  if (ended.outcome !== 'done') return stopDrill(turn, ended.sentence);
  next(turn, ended.sentence, 'hold');
}

function watchHold(turn: Turn, leg: DrillLeg): void {
  const trouble = troubleAtPeer(turn);
  if (trouble !== null) return stopDrill(turn, trouble);
  const until = leg.from + (turn.state.drill?.holdMs ?? 0);
  if (turn.now < until) return wakeAt(turn, until);
  const evidence = `${turn.plan.cloud.name} has shown the targets at the peer all the time, and every session was UP`;
  next(turn, evidence, 'back');
  wakeAt(turn, turn.now);
}

function watchBack(turn: Turn, leg: DrillLeg): void {
  const { attempt, unconfirmed } = turn.state;
  if (attempt !== null) {
    if (!purposeOf(attempt).takesBack) return stopDrill(turn, 'this router takes over');
    const requests = attempt.calls.reduce((sum, { lastSend }) => sum + lastSend, 0);
    amend(turn, { requests, timeline: timelineOf(attempt) });
    const trouble = alarmsWords(turn);
    return trouble === null ? undefined : stopDrill(turn, trouble);
  }
  if (ownsAll(turn.whole, turn.state)) {
    if (unconfirmed !== null) amend(turn, { timeline: unconfirmed });
    return next(turn, `${turn.plan.cloud.name} has moved all targets back here`, 'after');
  }
  if (leg.timeline !== null) return stopDrill(turn, 'the way back has ended, and not all targets are here');
  const trouble = troubleAtPeer(turn);
  if (trouble !== null) return stopDrill(turn, trouble);
  const until = leg.from + Math.max(BACK_TTL_MS, 2 * turn.plan.timing.keepaliveIntervalMs);
  if (turn.now >= until) return stopDrill(turn, `the way back could not begin: ${turn.state.verdict}`);
  wakeAt(turn, until);
}

function watchAfter(turn: Turn, leg: DrillLeg): void {
  const { ownership, observing } = turn.state;
  if (ownership === null || !holdsAll(turn.whole, ownership))
    return stopDrill(turn, 'the targets did not stay here');
  const trouble = turn.state.attempt === null ? alarmsWords(turn) : 'this router moves targets again';
  if (trouble !== null) return stopDrill(turn, trouble);
  const at = leg.from + turn.plan.timing.keepaliveIntervalMs;
  if (turn.now < at) return wakeAt(turn, at);
  if (ownership.startedAt >= at) {
    const unwell = objectionToPeer(turn);
    if (unwell !== null) return stopDrill(turn, unwell);
    const evidence = `${turn.plan.cloud.name} has shown all targets here for a keepalive, and every session is UP`;
    amend(turn, { to: turn.now, evidence });
    return end(turn, 'done', 'the drill is done: the targets were at the peer, and are here again');
  }
  const until = at + turn.plan.timing.roleTtlMs;
  if (turn.now >= until) return stopDrill(turn, `${turn.plan.cloud.name} does not say who holds the targets`);
  wakeAt(turn, until);
  if (observing.inFlight === null && (observing.lastStartedAt ?? -Infinity) < at) observeNow(turn);
}

/** While the targets are to be at the peer: what is not as it should be; null where all is. */
function troubleAtPeer(turn: Turn): string | null {
  const { plan, state } = turn;
  const { ownership } = state;
  if (state.attempt !== null) return 'this router moves targets again';
  const held = hold(state);
  if (held !== null) return held;
  if (state.streams.phase !== 'synchronized') return "the router's event streams are lost";
  const unwell = objectionToPeer(turn) ?? alarmsWords(turn);
  if (unwell !== null) return unwell;
  const away = plan.targets.filter(({ id }) => ownership === null || !isOnPeer(ownership, id));
  if (away.length === 0) return null;
  const where = away.map(({ id }) => `${id} is ${holderWords(plan.cloud, ownership?.holders[id] ?? null)}`);
  return `the targets are not all at the peer: ${list(where)}`;
}

function alarmsWords({ state }: Turn): string | null {
  const [first] = Object.values(state.alarms);
  return first === undefined ? null : `alarm ${first.code}: ${first.text}`;
}

function amend(turn: Turn, change: Partial<DrillLeg>): void {
  const { drill } = turn.state;
  if (drill === null) return;
  const legs = drill.legs.map((leg, place) =>
    place === drill.legs.length - 1 ? { ...leg, ...change } : leg,
  );
  turn.state.drill = { ...drill, legs };
}

function next(turn: Turn, evidence: string, leg: DrillLeg['leg']): void {
  amend(turn, { to: turn.now, evidence });
  const { drill } = turn.state;
  if (drill !== null) turn.state.drill = { ...drill, legs: [...drill.legs, legOf(leg, turn.now)] };
  note(turn, 'notable', `drill: ${evidence}`);
}

/** The targets stay where they are, or go where a rule other than the drill wants them. */
export function stopDrill(turn: Turn, why: string): void {
  const { drill } = turn.state;
  if (drill === null || drill.ended !== null) return;
  amend(turn, { to: turn.now, evidence: why });
  const isHere = ownsAll(turn.whole, turn.state);
  if (!isHere) noteSwitchedOver(turn, 'drill');
  const at = isHere ? 'this router' : 'whoever serves them';
  end(turn, 'stopped', `the drill is stopped: ${why}; the targets stay with ${at}`);
}

function end(turn: Turn, outcome: NonNullable<Drill['ended']>['outcome'], sentence: string): void {
  const { drill } = turn.state;
  if (drill === null) return;
  turn.state.drill = { ...drill, ended: { at: turn.now, outcome, sentence } };
  note(turn, 'notable', sentence);
}
