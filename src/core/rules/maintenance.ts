/**
 * Rule 15, ahead of maintenance: what the cloud has announced for the routers of the pair is shown and alarmed, and the
 * ACTIVE router hands over before its own begins, where the configuration says so. Only to a peer that is known to have
 * none that begins as soon, and again only a while after one that did not work.
 */
import type { Event, Maintenance } from '../state/model';
import type { State } from '../state/state';
import { keepAlarm, list, note, raiseAlarm, wakeAt, type Turn } from '../state/turn';
import { utc } from './inhibit';

/** More than these nobody reads. */
const KEPT_MAX = 8;
/** A switchover that did not work is not tried again sooner. */
const AGAIN_MS = 60_000;

export function maintenanceLearnt(
  turn: Turn,
  { instanceId, announced }: Extract<Event, { type: 'maintenanceLearnt' }>,
): void {
  const { maintenance } = turn.state;
  const kept = announced === null ? null : announced.slice(0, KEPT_MAX);
  turn.state.maintenance =
    instanceId === null
      ? { ...maintenance, own: kept ?? maintenance.own }
      : { ...maintenance, peer: { instanceId, announced: kept } };
  note(turn, 'routine', `learnt of maintenance of ${instanceId === null ? 'this router' : instanceId}`);
}

/** By time; what has no time comes first, since it may begin at any. */
export function inOrder(announced: readonly Maintenance[]): readonly Maintenance[] {
  return [...announced].sort((one, other) => (one.at ?? -Infinity) - (other.at ?? -Infinity));
}

/** Of the peer, as far as it is known; null where it is not. */
export function peersMaintenance({ maintenance: { peer }, ownership }: State): readonly Maintenance[] | null {
  const peers = Object.values(ownership?.observation.peers ?? {});
  const isPeer = peer !== null && peers.some(({ instanceId }) => instanceId === peer.instanceId);
  return isPeer ? peer.announced : null;
}

export function maintenanceWords({ code, atWall }: Maintenance): string {
  return `${code}${atWall === null ? '' : ` from ${utc(atWall)}`}`;
}

export const WHOSE = ['this router', 'the peer'] as const;

/** With each decision: a person has to know, and the alarm is over with it. */
export function alarmIfMaintenance(turn: Turn): void {
  for (const whose of WHOSE) {
    const announced = announcedFor(turn.state, whose);
    if (announced.length === 0) continue;
    const text = `maintenance of ${whose} is announced: ${list(inOrder(announced).map(maintenanceWords))}`;
    const standing = Object.values(turn.state.alarms).some((alarm) => alarm.text === text);
    if (standing) keepAlarm(turn, 'maintenance-ahead', whose);
    else raiseAlarm(turn, 'maintenance-ahead', text, { kind: whose });
  }
}

export function announcedFor(state: State, whose: string): readonly Maintenance[] {
  return whose === 'this router' ? state.maintenance.own : (peersMaintenance(state) ?? []);
}

/**
 * With each decision: orders a switchover where maintenance is near; returns why not, where it is near and something
 * speaks against it. `objection`: of a switchover as such.
 */
export function considerMaintenance(turn: Turn, objection: () => string | null): string {
  const { plan, state, now } = turn;
  const { beforeMaintenanceMs } = plan.handsOver;
  const [first] = inOrder(state.maintenance.own.filter(({ at }) => at !== null));
  if (beforeMaintenanceMs === null || first === undefined || first.at === null) return '';
  if (state.role.haState !== 'ACTIVE' || state.shutdown !== null || state.order !== null) return '';
  if (state.attempt !== null) return '';
  const from = first.at - beforeMaintenanceMs;
  if (now < from) {
    wakeAt(turn, from);
    return '';
  }
  const what = `ahead of ${maintenanceWords(first)} of this router`;
  const against = againstPeer(state, first.at) ?? waitsAfterFailure(turn) ?? objection();
  if (against !== null) return `not switching over ${what}: ${against}`;
  state.order = { cause: 'maintenance', request: null };
  note(turn, 'notable', `switching over ${what}`);
  return '';
}

/** Why the peer is no better place; null where it is. */
function againstPeer(state: State, ownAt: number): string | null {
  const announced = peersMaintenance(state);
  if (announced === null) return 'it is not known whether the peer has maintenance ahead';
  const sooner = announced.find(({ at }) => at === null || at <= ownAt);
  return sooner === undefined ? null : `the peer has ${maintenanceWords(sooner)}, which begins no later`;
}

function waitsAfterFailure(turn: Turn): string | null {
  const { handover } = turn.state;
  if (handover?.cause !== 'maintenance' || handover.ended === null) return null;
  const again = handover.ended.at + AGAIN_MS;
  if (turn.now >= again) return null;
  wakeAt(turn, again);
  return `the last one did not work: ${handover.ended.sentence}`;
}

/** Why the alarm is over; null while it stands. */
export function maintenanceOver(turn: Turn, kind: string): string | null {
  return announcedFor(turn.state, kind).length === 0
    ? `no maintenance of ${kind} is announced any more`
    : null;
}
