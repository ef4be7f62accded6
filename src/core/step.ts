/**
 * The core: one event in; state, effects and one English sentence out. Total and pure: every event has
 * an answer in every state, and the same events give the same answers.
 *
 * Events only bring the levels up to date. Decisions are taken when the input queue is empty, on
 * `inputDrained` (rule 1), so that events of the same moment are judged together and in no order.
 *
 * Where the rules stand:
 *   1 edge and level      here, rules/trigger     10 dampening            rules/damping
 *   2 armed               levels/sessions         11 preemption           rules/preemption
 *   3 trigger             rules/trigger           12 inhibit              rules/inhibit, rules/holds
 *   4 UNKNOWN is not deaf rules/trigger,          13 streams, freshness   levels/sessions
 *                         levels/ownership        14 shutdown             here, rules/holds
 *   5 local or remote     moves/beginning,        15 switchover           moves/switchover, drill
 *                         moves/giveBack          16 own stall            levels/stall
 *   6 takeover calls      moves/calls, grouping   17 decision memory      state/memory
 *   7 forward only        moves/move, review      18 foreign holder       rules/foreignHolder
 *   8 repair              rules/repair
 *   9 evidence            rules/evidence
 */
import { callAnswered, settleByObservation } from './moves/calls';
import {
  alarmIfAlone,
  alarmIfUnprotected,
  askAboutHolders,
  holdersAnswered,
  observeWhenHoldEnds,
  trackSessions,
} from './rules/evidence';
import { endAlarms } from './rules/alarms';
import { alarmIfForeign } from './rules/foreignHolder';
import { drillRequested, stopDrill, watchDrill } from './moves/drill';
import { failHandover, reviewHandover, watchHandover } from './moves/handover';
import {
  answerSwitchover,
  objectionToSwitchover,
  previewRequested,
  switchoverRequested,
} from './moves/switchover';
import { expireInhibit, inhibitRequested, noteArrived, releaseRequested } from './rules/inhibit';
import { beginScheduled, cancelRequested, scheduledWords, scheduleRequested } from './rules/schedule';
import { alarmIfMaintenance, considerMaintenance, maintenanceLearnt } from './rules/maintenance';
import { hasAlarm, type AlarmCode } from './state/alarms';
import { recall, remember } from './state/memory';
import type { Effect, Event } from './state/model';
import {
  alarmIfUnobserved,
  missingWords,
  observationFailed,
  observationOffered,
  observeClosely,
  observeNow,
  ownershipObserved,
  ownsAll,
  roleOf,
  scheduleObservation,
} from './levels/ownership';
import type { Plan } from './state/plan';
import { noteLoss, trackReadiness } from './rules/preemption';
import { answerTimeLearnt } from './moves/overlap';
import { callQueued, callReleased, withdrawUnwanted } from './moves/queued';
import { noteHolders } from './rules/repair';
import { currentIntent, reviewByObservation } from './moves/review';
import {
  bfdSessionChanged,
  forgetLevels,
  interfaceChanged,
  levelsRead,
  streamsSynchronized,
} from './levels/sessions';
import { noteLevelsKnown, noteOwnershipKnown, processStalled, reorient } from './levels/stall';
import type { Role, State } from './state/state';
import { decideMove, interfacesAnswered } from './moves/move';
import { confirmedSince, knownPlan } from './levels/unread';
import { beginUnwatched } from './levels/unwatched';
import { keepAlarm, note, raiseAlarm, reasonOf, wakeAt, type Turn, type Weight } from './state/turn';

/** Rule 14: how long a takeover in flight may go on after SIGTERM. */
const SHUTDOWN_GRACE_MS = 4_000;

export type Step = {
  readonly state: State;
  /** In the order in which they are to be started: takeover calls first. */
  readonly effects: readonly Effect[];
  readonly alarms: readonly AlarmCode[];
  readonly reason: string;
  readonly weight: Weight;
};

export function step(plan: Plan, state: State, event: Event, now: number): Step {
  const jitter = event.type === 'inputDrained' ? event.jitter : 0;
  const draft = { ...state };
  const turn: Turn = {
    plan: knownPlan(plan, state.ownership),
    whole: plan,
    now,
    jitter,
    state: draft,
    effects: [],
    notes: [],
    alarms: [],
  };
  apply(turn, state, event);
  withdrawUnwanted(turn, state.attempt);
  const { reason, weight } = reasonOf(turn);
  return { state: draft, effects: callsFirst(turn.effects), alarms: turn.alarms, reason, weight };
}

/** In the order in which they were asked for, so that withdrawing a request does not withdraw one that is sent anew. */
const BEFORE_ALL_OTHERS: readonly Effect['effect'][] = [
  'sendCall',
  'prepareCall',
  'askInterfaces',
  'withdrawCalls',
];

/** What a takeover waits for: nothing else that is asked for at the same time may delay it. */
export function isUrgent({ effect }: Effect): boolean {
  return BEFORE_ALL_OTHERS.includes(effect);
}

function callsFirst(effects: readonly Effect[]): readonly Effect[] {
  return [...effects.filter(isUrgent), ...effects.filter((effect) => !isUrgent(effect))];
}

function apply(turn: Turn, before: State, event: Event): void {
  switch (event.type) {
    case 'started':
      return recall(turn, event);
    case 'inputDrained':
      return decide(turn);
    case 'streamsSynchronized':
      streamsSynchronized(turn, event);
      return lookCloselyIfPeerWentDown(turn, before);
    case 'streamsLost':
      return streamsGone(
        turn,
        'lost',
        `${before.streams.everSynchronized ? "the router's event streams are lost" : 'not attached to the router yet'}: ${event.cause}`,
      );
    case 'controlLost':
      return controlLost(turn, event.cause);
    case 'bfdSessionChanged':
      bfdSessionChanged(turn, event);
      return lookCloselyIfPeerWentDown(turn, before);
    case 'interfaceChanged':
      return interfaceChanged(turn, event.interfaceName, event.level);
    case 'interfacesAnswered':
      return interfacesAnswered(turn, event);
    case 'ownershipObserved':
      if (!ownershipObserved(turn, event)) return;
      noteOwnershipKnown(turn, event.startedAt);
      if (turn.state.attempt !== null) settleByObservation(turn, event.startedAt);
      noteHolders(turn, event.number === null ? event.startedAt : null);
      noteLoss(turn, before.ownership);
      noteArrived(turn, before.ownership);
      alarmIfForeign(turn);
      reviewByObservation(turn);
      reviewHandover(turn, event.startedAt);
      return askAboutHolders(turn);
    case 'observationFailed':
      return observationFailed(turn, event.number, event.failure);
    case 'observationOffered':
      return observationOffered(turn);
    case 'callQueued':
      return callQueued(turn, event);
    case 'callReleased':
      return callReleased(turn, event);
    case 'callAnswered':
      return callAnswered(turn, event);
    case 'processStalled':
      processStalled(turn, event.forMs);
      // The peer may have taken over meanwhile.
      return observeNow(turn);
    case 'levelsRead':
      levelsRead(turn, event);
      noteLevelsKnown(turn);
      return lookCloselyIfPeerWentDown(turn, before);
    case 'answerTimeLearnt':
      return answerTimeLearnt(turn, event.slowAfterMs);
    case 'holdersAnswered':
      return holdersAnswered(turn, event);
    case 'inhibitRequested':
      return inhibitRequested(turn, event);
    case 'releaseRequested':
      return releaseRequested(turn, event);
    case 'switchoverRequested':
      return switchoverRequested(turn, event);
    case 'scheduleRequested':
      return scheduleRequested(turn, event, objectionToSwitchover(turn));
    case 'cancelRequested':
      stopDrill(turn, 'an operator wants it so');
      return cancelRequested(turn, event);
    case 'previewRequested':
      return previewRequested(turn, event);
    case 'drillRequested':
      return drillRequested(turn, event);
    case 'maintenanceLearnt':
      return maintenanceLearnt(turn, event);
    case 'shutdownRequested':
      return shutdownRequested(turn, event.cause);
  }
}

/** Rule 4: the peer may be taking over, and this router should know as soon as possible. */
function lookCloselyIfPeerWentDown(turn: Turn, before: State): void {
  const wentDown = Object.entries(turn.state.sessions).some(
    ([id, { level }]) => level === 'Down' && before.sessions[id]?.level !== 'Down',
  );
  if (wentDown && ownsAll(turn.plan, turn.state)) observeClosely(turn);
}

/** A failure of the peer would go unseen, so a person has to be told, once however often the streams are taken. */
function controlLost(turn: Turn, cause: string): void {
  const text = `not in control of the router's event streams: ${cause}`;
  if (hasAlarm(turn.state, 'control-lost')) keepAlarm(turn, 'control-lost');
  else
    raiseAlarm(turn, 'control-lost', `${text}; a failure of the peer is not seen until they are taken back`);
  streamsGone(turn, 'notInControl', text);
}

function streamsGone(turn: Turn, phase: 'lost' | 'notInControl', text: string): void {
  const { streams } = turn.state;
  turn.state.streams = { ...streams, phase };
  // Before it has watched for the first time, it can have missed nothing.
  if (streams.everSynchronized || phase === 'notInControl') beginUnwatched(turn, phase);
  forgetLevels(turn);
  noteLevelsKnown(turn);
  if (turn.notes.length === 0) note(turn, streams.phase === phase ? 'routine' : 'notable', text);
}

function shutdownRequested(turn: Turn, cause: string): void {
  if (turn.state.shutdown !== null) return note(turn, 'routine', `${cause}: already shutting down`);
  turn.state.shutdown = { requestedAt: turn.now, stopped: false };
  note(turn, 'notable', `${cause}: shutting down; no new takeover begins`);
  if (turn.plan.handsOver.atShutdown && turn.state.order === null && turn.state.role.haState === 'ACTIVE')
    turn.state.order = { cause: 'shutdown', request: null };
}

/** The one place where something is begun. Takeover effects come before all others (see runtime/loop.ts). */
function decide(turn: Turn): void {
  // A deadline that is always finite keeps the state plain JSON, and keeps the daemon from sleeping for good.
  turn.state.wakeAt = turn.now + turn.plan.timing.keepaliveIntervalMs;
  expireInhibit(turn);
  reorient(turn);
  trackSessions(turn);
  trackReadiness(turn);
  beginScheduled(turn);
  const waiting = considerMaintenance(turn, () => objectionToSwitchover(turn));
  const verdict = standing(turn, decideMove(turn), waiting);
  watchHandover(turn);
  watchDrill(turn);
  updateRole(turn);
  observeWhenHoldEnds(turn);
  scheduleObservation(turn);
  alarmIfUnobserved(turn);
  alarmIfUnprotected(turn);
  alarmIfAlone(turn);
  alarmIfMaintenance(turn);
  endAlarms(turn);
  remember(turn, currentIntent(turn));
  decideShutdown(turn);
  const isNews = verdict !== turn.state.verdict;
  note(turn, isNews ? 'notable' : 'routine', verdict);
  turn.state.verdict = verdict;
}

/** The standing sentence: what is ordered for later belongs to it, and what is not done for a reason. */
function standing({ state: { scheduled } }: Turn, ...sentences: readonly string[]): string {
  const all = [...sentences, scheduled === null ? '' : scheduledWords(scheduled)];
  return all.filter((sentence) => sentence !== '').join('; ');
}

function updateRole(turn: Turn): void {
  const { whole, now } = turn;
  const before = turn.state.role;
  const role = roleOf(whole, turn.state.ownership, now);
  const { ownership } = turn.state;
  if (ownership !== null && role.why !== 'unobserved')
    wakeAt(turn, confirmedSince(ownership) + whole.timing.roleTtlMs + 1);
  if (role.haState === before.haState && role.why === before.why) return;
  turn.state.role = role;
  if (role.why === 'unobserved') observeNow(turn);
  const where = role.why === 'unobserved' ? '' : missingWords(turn);
  note(
    turn,
    'notable',
    `now ${roleWords(role)}, before ${roleWords(before)}${where === '' ? '' : `: ${where}`}`,
  );
}

export function roleWords({ haState, why }: Role): string {
  return why === null ? haState : `${haState} (${why})`;
}

function decideShutdown(turn: Turn): void {
  const { shutdown, attempt } = turn.state;
  if (shutdown === null || shutdown.stopped) return;
  const deadline = shutdown.requestedAt + SHUTDOWN_GRACE_MS;
  if (attempt !== null && turn.now < deadline) return wakeAt(turn, deadline);
  turn.state.shutdown = { ...shutdown, stopped: true };
  const reason =
    attempt === null ? 'stopped: nothing is in flight' : 'stopped: the takeover in flight took too long';
  // Later on nobody will be there to answer an operator.
  const begun = attempt !== null && failHandover(turn, attempt, reason);
  answerSwitchover(turn, attempt?.request ?? null, false, reason, begun);
  answerSwitchover(turn, turn.state.order?.request ?? null, false, reason);
  turn.state.order = null;
  turn.state.attempt = attempt === null ? null : { ...attempt, request: null };
  turn.effects.push({ effect: 'stop', reason });
  note(turn, 'notable', reason);
}
