/**
 * Rule 18, foreign holder: where the peer's instance is known, a target that a third instance holds is not
 * taken unless the configuration says so. Somebody put it there, and no failure of the peer explains it.
 */
import type { Plan, Target } from './plan';
import type { Ownership } from './state';
import { list, raiseAlarm, type Turn } from './turn';

export function isForeign(plan: Plan, ownership: Ownership, { address }: Target): boolean {
  return plan.foreignHolder === 'refuse' && isOnThirdInstance(ownership, address);
}

/** Held by an instance that is known to be neither router of the pair. */
export function isOnThirdInstance(ownership: Ownership, address: string): boolean {
  const instanceId = ownership.holders[address]?.instanceId ?? null;
  if (instanceId === null || isOnThisRouter(ownership, address)) return false;
  const peers = Object.values(ownership.observation.peers);
  return (
    peers.some((peer) => peer.instanceId !== null) && !peers.some((peer) => peer.instanceId === instanceId)
  );
}

/** Nobody holds any target, but for those that a third instance may have. */
export function nobodyHolds({ targets }: Plan, ownership: Ownership): boolean {
  return targets.every(
    ({ address }) => (ownership.holders[address] ?? null) === null || isOnThirdInstance(ownership, address),
  );
}

/** On any interface of this router, the right one or not. */
export function isOnThisRouter({ holders, observation }: Ownership, address: string): boolean {
  const holder = holders[address] ?? null;
  if (holder === null) return false;
  const own = observation.interfaces.some(
    ({ networkInterfaceId }) => networkInterfaceId === holder.networkInterfaceId,
  );
  return holder.mine || own;
}

/** After a believed observation: somebody has to know, and early rather than in a takeover. */
export function alarmIfForeign(turn: Turn): void {
  const { ownership } = turn.state;
  if (ownership === null) return;
  const targets = turn.plan.targets.filter((target) => isForeign(turn.plan, ownership, target));
  const foreign = targets.map(({ address }) => address);
  const isNew = foreign.some((address) => !turn.state.foreign.includes(address));
  if (isNew || foreign.length !== turn.state.foreign.length) turn.state = { ...turn.state, foreign };
  if (!isNew) return;
  raiseAlarm(
    turn,
    'foreign-holder',
    `${list(foreign.map((address) => `${address} is held by ${ownership.holders[address]?.instanceId ?? ''}`))}, ` +
      `which is neither router of this pair: it is not taken from there unless foreign_holder says "take"`,
  );
}
