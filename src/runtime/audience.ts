/**
 * Which events are for one core and which for all, and what of the latter a core gets to hear: what concerns
 * sessions of its own plan. Answers go to the core that asked, because each counts its questions for itself.
 */
import type { Event } from '../core/state/model';
import type { Observation } from '../core/state/readings';
import type { Plan } from '../core/state/plan';

/** For the core of one group. */
export type AddressedEvent = Extract<
  Event,
  {
    type:
      | 'started'
      | 'interfacesAnswered'
      | 'ownershipObserved'
      | 'observationFailed'
      | 'callQueued'
      | 'callReleased'
      | 'callAnswered'
      | 'holdersAnswered'
      | 'inhibitRequested'
      | 'releaseRequested'
      | 'switchoverRequested'
      | 'drillRequested'
      | 'scheduleRequested'
      | 'cancelRequested'
      | 'previewRequested';
  }
>;

/** For every core. */
export type SharedEvent = Exclude<
  Event,
  AddressedEvent | { type: 'inputDrained' | 'processStalled' | 'observationOffered' }
>;

/** What this core hears of it; null where it is about sessions of others. */
export function heardBy({ sessions }: Plan, event: SharedEvent): SharedEvent | null {
  const isOwn = ({ session }: { readonly session: string }): boolean =>
    sessions.some(({ id }) => id === session);
  switch (event.type) {
    case 'bfdSessionChanged':
      return isOwn(event) ? event : null;
    case 'streamsSynchronized':
      return { ...event, sessions: event.sessions.filter(isOwn) };
    case 'levelsRead':
      return { ...event, sessions: event.sessions.filter(isOwn) };
    // A core knows which interfaces its sessions are on, and ignores the others.
    case 'interfaceChanged':
    case 'answerTimeLearnt':
    case 'maintenanceLearnt':
    case 'streamsLost':
    case 'controlLost':
    case 'shutdownRequested':
      return event;
  }
}

/** What a reading of the cloud that others have asked for too says about the targets and the peers of this plan. */
export function observationFor({ targets, peerAddresses }: Plan, observation: Observation): Observation {
  const ids = new Set(targets.map(({ id }) => id));
  const unread = (observation.unread ?? []).flatMap((each) => {
    const own = each.targets.filter((id) => ids.has(id));
    return own.length === 0 ? [] : [{ ...each, targets: own }];
  });
  const refusals = picked(observation.refusals ?? {}, [...ids]);
  return {
    instanceId: observation.instanceId,
    interfaces: observation.interfaces,
    holders: picked(observation.holders, [...ids]),
    peers: picked(observation.peers, peerAddresses),
    ...(unread.length === 0 ? {} : { unread }),
    ...(Object.keys(refusals).length === 0 ? {} : { refusals }),
  };
}

function picked<Value>(
  from: { readonly [key: string]: Value },
  keys: readonly string[],
): { readonly [key: string]: Value } {
  return Object.fromEntries(Object.entries(from).filter(([key]) => keys.includes(key)));
}
