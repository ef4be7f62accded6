/**
 * Rule 15, switchover. On an operator's command the ACTIVE router assigns the targets to the
 * peer's interfaces; the peer learns of it by its keepalive. Only while the peer is seen to live.
 */
import { openAttempt } from './calls';
import { callsOf } from './grouping';
import { hold } from '../rules/holds';
import { kindOf, restsOn } from '../kinds';
import type { Event, InterfaceHolder, Observation } from '../state/model';
import { peersBeside, roleOf } from '../levels/ownership';
import type { Plan, Target } from '../state/plan';
import { sessionOf, words } from '../levels/sessions';
import type { Ownership, State } from '../state/state';
import { list, note, type Turn } from '../state/turn';

export function switchoverRequested(
  turn: Turn,
  { request }: Extract<Event, { type: 'switchoverRequested' }>,
): void {
  if (turn.state.switchoverRequest !== null) {
    const sentence = 'no switchover: another one is being decided';
    answerSwitchover(turn, request, false, sentence);
    return note(turn, 'notable', sentence);
  }
  turn.state.switchoverRequest = request;
  note(turn, 'notable', 'an operator wants the peer to have the targets');
}

export function answerSwitchover(
  turn: Turn,
  request: number | null,
  accepted: boolean,
  sentence: string,
): void {
  if (request === null) return;
  turn.effects.push({ effect: 'answerOperator', request, accepted, sentence });
}

/** Decides the command, if there is one: begins to move, or says why not. */
export function decideSwitchover(turn: Turn): void {
  const { switchoverRequest: request } = turn.state;
  if (request === null) return;
  turn.state.switchoverRequest = null;
  const places = placesAtPeer(turn);
  const objection = objectionToSwitchover(turn, places);
  if (objection !== null) {
    const sentence = `no switchover: ${objection}`;
    answerSwitchover(turn, request, false, sentence);
    return note(turn, 'notable', sentence);
  }
  begin(turn, request, places);
}

/** Why the peer could not be given the targets now; null where it could. */
export function objectionToSwitchover(situation: Situation, places = placesAtPeer(situation)): string | null {
  return situation.state.attempt === null ? objectionTo(situation, places) : 'another move is under way';
}

/** Why a command that has moved nothing yet is not to go on; null where it is. */
export function reconsiderSwitchover(turn: Turn): string | null {
  return objectionTo(turn, []);
}

/** Why a peer that has got some targets is not to get the others; null where it is. */
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

function begin(turn: Turn, request: number, places: readonly Place[]): void {
  const moves = places.flatMap(({ target, to }) =>
    to === null ? [] : [{ target, to, allowReassignment: true }],
  );
  const calls = callsOf(turn.plan, moves, turn.now);
  openAttempt(turn, { purpose: 'switchover', request, calls });
  // An operator's word, given while all is well, ends the doubt about the takeover before.
  turn.state.giveBack = null;
  const where = calls.map(({ targets, to }) => `${list(targets)} to ${to.networkInterfaceId}`);
  note(turn, 'notable', `switching over ${list(where)} of the peer: an operator wants it so`);
}
