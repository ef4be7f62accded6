/**
 * Rule 15, switchover. On an order the ACTIVE router assigns the targets to the peer's interfaces; the peer learns of
 * it by its keepalive. Only while the peer is seen to live. What becomes of it: handover.ts.
 */
import { openAttempt } from './attempt';
import { callsOf } from './grouping';
import { openHandover } from './handover';
import { hold } from '../rules/holds';
import { alarmMissed } from '../rules/schedule';
import { kindOf, restsOn } from '../kinds';
import type { Event } from '../state/model';
import type { InterfaceHolder, Observation } from '../state/readings';
import { peersBeside, roleOf } from '../levels/ownership';
import type { Plan, Target } from '../state/plan';
import { sessionOf, words } from '../levels/sessions';
import type { HandoverCause, Order, Ownership, State } from '../state/state';
import type { Call } from '../state/attempt';
import { list, note, type Turn } from '../state/turn';

export function switchoverRequested(
  turn: Turn,
  { request }: Extract<Event, { type: 'switchoverRequested' }>,
): void {
  if (turn.state.order !== null) {
    const sentence = 'no switchover: another one is being decided';
    answerSwitchover(turn, request, false, sentence);
    return note(turn, 'notable', sentence);
  }
  turn.state.order = { cause: 'operator', request };
  note(turn, 'notable', 'an operator wants the peer to have the targets');
}

/** What a switchover would ask for, and what speaks against it. */
export function previewRequested(
  turn: Turn,
  { request }: Extract<Event, { type: 'previewRequested' }>,
): void {
  const places = placesAtPeer(turn);
  const objection = objectionToSwitchover(turn, places);
  const calls = callsTo(turn, places);
  const sentence =
    objection === null
      ? `a switchover would be carried out now, with ${calls.length} ${calls.length === 1 ? 'call' : 'calls'} to ${turn.plan.cloud.name}`
      : `no switchover: ${objection}`;
  const lines = [...calls.map(callWords), ...doubtsAbout(turn.state)];
  turn.effects.push({ effect: 'answerOperator', request, accepted: objection === null, sentence, lines });
  note(turn, 'routine', `asked by an operator: ${sentence}`);
}

/** What speaks against a switchover and does not forbid it. */
function doubtsAbout(state: State): readonly string[] {
  const alarms = Object.values(state.alarms).map(({ code, text }) => `alarm ${code} stands: ${text}`);
  return [...alarms, PEER_INHIBIT];
}

/** There is no channel between the routers. */
export const PEER_INHIBIT =
  'Whether the peer is inhibited cannot be seen from here: type show ha_reason there';

export function answerSwitchover(
  turn: Turn,
  request: number | null,
  accepted: boolean,
  sentence: string,
  begun = false,
): void {
  if (request === null) return;
  const answer = { request, accepted, sentence, ...(begun ? { begun } : {}) } as const;
  turn.effects.push({ effect: 'answerOperator', ...answer });
}

/** Decides the order, if there is one: begins to move, or says why not. */
export function decideSwitchover(turn: Turn): void {
  const { order } = turn.state;
  if (order === null) return;
  turn.state.order = null;
  const places = placesAtPeer(turn);
  const objection = objectionToSwitchover(asFor(order.cause, turn), places);
  if (objection === null) return begin(turn, order, places);
  const sentence = `no switchover: ${objection}`;
  answerSwitchover(turn, order.request, false, sentence);
  // What it was for is already true.
  const isThere = turn.state.role.haState === 'STANDBY';
  const isTold = order.cause !== 'schedule' && order.cause !== 'maintenance';
  if (isTold || isThere) return note(turn, 'notable', sentence);
  alarmMissed(turn, sentence);
}

/** Why the peer could not be given the targets now; null where it could. */
export function objectionToSwitchover(situation: Situation, places = placesAtPeer(situation)): string | null {
  return situation.state.attempt === null ? objectionTo(situation, places) : 'another move is under way';
}

/** Why a command that has moved nothing yet must not go on; null if it may. */
export function reconsiderSwitchover(turn: Turn): string | null {
  return objectionTo(asFor(turn.state.handover?.cause ?? 'operator', turn), []);
}

/** The stop of this daemon does not hold back what is done because of it. */
function asFor(cause: HandoverCause, { plan, state, now }: Situation): Situation {
  return cause === 'shutdown' ? { plan, now, state: { ...state, shutdown: null } } : { plan, state, now };
}

/** Why a peer that has got some targets must not get the others; null if it may. */
export function objectionToPeer({ plan, state }: Pick<Situation, 'plan' | 'state'>): string | null {
  const notUp = plan.sessions.filter(({ id }) => sessionOf(state, id).level !== 'Up');
  if (notUp.length === 0) return null;
  const levels = notUp.map(({ id }) => `${id} is ${words(sessionOf(state, id).level)}`);
  return `the peer is not seen to be well: ${list(levels)}`;
}

/** What there is to judge by; `plan` has the targets that the cloud has shown so far. */
type Situation = { readonly plan: Plan; readonly state: State; readonly now: number };

type Place = { readonly target: Target; readonly to: InterfaceHolder | null };

/**
 * The peer's interface where the target belongs there. What rests on another target goes where that one goes; an
 * Elastic IP that rests on none goes to the primary address: the peer's other one is not known.
 */
function placeAtPeer({ plan }: Situation, { observation }: Ownership, target: Target): Place {
  const base = restsOn(plan.targets, target);
  const [peer] = peersBeside(plan, observation, base ?? target);
  if (peer === undefined || peer.instanceId === null) return { target, to: null };
  const { networkInterfaceId, instanceId } = peer;
  const privateAddress = base === undefined ? null : (target.privateAddress ?? null);
  const place = privateAddress === null ? {} : { privateAddress };
  const attachment = { to: 'instance', instanceId } as const;
  return { target, to: { kind: 'interface', networkInterfaceId, attachment, mine: false, ...place } };
}

function placesAtPeer(situation: Situation): readonly Place[] {
  const { plan, state } = situation;
  const { ownership } = state;
  return ownership === null ? [] : plan.targets.map((target) => placeAtPeer(situation, ownership, target));
}

function objectionTo(situation: Situation, places: readonly Place[]): string | null {
  const { plan, state, now } = situation;
  const held = hold(state);
  if (held !== null) return held;
  if (roleOf(plan, state.ownership, now).haState !== 'ACTIVE') return 'this router is not ACTIVE';
  if (state.streams.phase !== 'synchronized') return "the router's event streams are lost";
  const unwell = objectionToPeer(situation);
  if (unwell !== null) return unwell;
  const homeless = places.filter(({ to }) => to === null).map(({ target }) => target.id);
  if (homeless.length === 0) return refusalAtPeer(plan, state.ownership?.observation, places);
  const [first] = places.filter(({ to }) => to === null).map(({ target }) => target);
  const where =
    first === undefined || kindOf(plan, first).belongsToSubnet
      ? 'on the subnet of'
      : `with device index ${first.deviceIndex} for`;
  return `${plan.cloud.name} shows no interface of the peer ${where} ${list(homeless)} that the configuration names (neigh_ip or peer_private_ips)`;
}

/** What the cloud would refuse there, and a reading has shown. */
function refusalAtPeer(
  plan: Plan,
  observation: Observation | undefined,
  places: readonly Place[],
): string | null {
  const refused = places.flatMap(({ target, to }) => {
    const why = observation?.refusals?.[target.id]?.[to?.networkInterfaceId ?? ''];
    return why === undefined ? [] : [`${plan.cloud.name} would refuse ${target.id}: ${why}`];
  });
  return refused.length === 0 ? null : list(refused);
}

const WANTED_BY = {
  operator: 'an operator wants it so',
  schedule: 'an operator has ordered it for now',
  maintenance: 'maintenance of this router is announced',
  shutdown: 'this daemon is told to stop',
  drill: 'a drill wants it so',
} as const satisfies Record<HandoverCause, string>;

function callsTo({ plan, now }: Situation, places: readonly Place[]): readonly Call[] {
  const moves = places.flatMap(({ target, to }) =>
    to === null ? [] : [{ target, to, allowReassignment: true }],
  );
  return callsOf(plan, moves, now);
}

const callWords = ({ targets, to }: Call): string => `${list(targets)} to ${to.networkInterfaceId}`;

function begin(turn: Turn, order: Order, places: readonly Place[]): void {
  const calls = callsTo(turn, places);
  const { request, cause } = order;
  const attempt = openAttempt(turn, { purpose: 'switchover', request, calls });
  // An order that is given while all is well ends the doubt about the takeover before.
  turn.state.giveBack = null;
  const sentence = `switching over ${list(calls.map(callWords))} of the peer: ${WANTED_BY[cause]}`;
  openHandover(turn, order, attempt, sentence);
  note(turn, 'notable', sentence);
}
