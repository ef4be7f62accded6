/**
 * Rule 18, foreign holder: where the peer's instance is known, a target that a third instance or a service holds
 * is not taken unless the configuration says so; nor is a route that leads to a gateway. Somebody put it there, and no
 * failure of the peer explains it.
 */
import { instanceOf, isAttached, ownerName } from '../levels/holders';
import { alarmsOf } from '../state/alarms';
import type { Plan, Target } from '../state/plan';
import type { Ownership } from '../state/state';
import { list, raiseAlarm, type Turn } from '../state/turn';

export function isForeign(plan: Plan, ownership: Ownership, { id }: Target): boolean {
  return plan.foreignHolder === 'refuse' && isOnThirdParty(ownership, id);
}

/** The holder is known to be neither router of the pair. Nobody holds a blackhole: whoever had that route is gone. */
export function isOnThirdParty(ownership: Ownership, id: string): boolean {
  const holder = ownership.holders[id] ?? null;
  if (holder?.kind === 'gateway') return true;
  if (!isAttached(holder) || holder?.blackhole === true || isOnThisRouter(ownership, id)) return false;
  const instanceId = instanceOf(holder);
  let isPeerKnown = false;
  for (const peer of Object.values(ownership.observation.peers)) {
    if (peer.instanceId === null) continue;
    if (peer.instanceId === instanceId) return false;
    isPeerKnown = true;
  }
  return isPeerKnown;
}

/** The holder is not this router, and is not known to be outside the pair. */
export function isOnPeer(ownership: Ownership, id: string): boolean {
  return (
    isAttached(ownership.holders[id]) && !isOnThisRouter(ownership, id) && !isOnThirdParty(ownership, id)
  );
}

/** Nobody holds any target, except for those that a third instance may have. */
export function nobodyHolds({ targets }: Plan, ownership: Ownership): boolean {
  return targets.every(({ id }) => (ownership.holders[id] ?? null) === null || isOnThirdParty(ownership, id));
}

/** On any interface of this router, the right one or not. */
export function isOnThisRouter({ holders, observation }: Ownership, id: string): boolean {
  const holder = holders[id] ?? null;
  if (holder?.kind !== 'interface') return false;
  const own = observation.interfaces.some(
    ({ networkInterfaceId }) => networkInterfaceId === holder.networkInterfaceId,
  );
  return holder.mine || own;
}

/** After a believed observation: somebody has to be told early, rather than in a takeover. */
export function alarmIfForeign(turn: Turn): void {
  const { ownership } = turn.state;
  if (ownership === null) return;
  const targets = turn.plan.targets.filter((target) => isForeign(turn.plan, ownership, target));
  const foreign = targets.map(({ id }) => id);
  const known = alarmsOf(turn.state, 'foreign-holder').flatMap(({ about }) => about);
  if (foreign.every((id) => known.includes(id))) return;
  raiseAlarm(
    turn,
    'foreign-holder',
    `${list(foreign.map((id) => `${id} is held by ${ownerName(turn.plan.cloud, ownership.holders[id])}`))}, ` +
      `which is neither router of this pair: it is not taken from there unless foreign_holder says "take"`,
    { about: foreign },
  );
}
