/**
 * What EC2 would refuse to move, as far as a reading shows it: on this router, which would have to take it, and on the
 * peer's interfaces, for a switchover. One sentence each, with what to do. What depends on the role is asked in
 * permissions.ts; what depends on the type of the instance, in room.ts.
 */
import type { Observation } from '../../core/state/model';
import { interfaceIdOf } from '../../core/levels/holders';
import { interfaceFor, peersBeside } from '../../core/levels/ownership';
import type { Plan, Target } from '../../core/state/plan';
import type { KnownInterface } from './observation';

export type Shown = {
  /** Undefined for an interface that was not asked about. */
  readonly described: (networkInterfaceId: string) => KnownInterface | undefined;
  /** What manages an Elastic IP, by allocation id. */
  readonly services: ReadonlyMap<string, string>;
};

/** By target and interface, as an observation has it; of the targets that this reading is about. */
export function foreseeRefusals(
  plan: Plan,
  observation: Observation,
  shown: Shown,
): NonNullable<Observation['refusals']> {
  const refusals: { [id: string]: { [networkInterfaceId: string]: string } } = {};
  for (const target of plan.targets.filter(({ id }) => id in observation.holders)) {
    const own = interfaceFor(observation, target);
    const places = [
      ...(own === undefined ? [] : [{ id: own.networkInterfaceId, isOwn: true }]),
      ...peersBeside(plan, observation, target).map((peer) => ({
        id: peer.networkInterfaceId,
        isOwn: false,
      })),
    ];
    for (const { id, isOwn } of places) {
      const place = shown.described(id);
      const why = place === undefined ? null : refusalOf(plan, observation, target, place, isOwn, shown);
      if (why !== null) refusals[target.id] = { ...refusals[target.id], [id]: why };
    }
  }
  return refusals;
}

function refusalOf(
  plan: Plan,
  observation: Observation,
  target: Target,
  place: KnownInterface,
  isOwn: boolean,
  shown: Shown,
): string | null {
  const { networkInterfaceId: id, managedBy } = place;
  const holder = observation.holders[target.id] ?? null;
  // What is there already has nothing to be refused.
  if (isOwn ? holder?.mine === true : interfaceIdOf(holder) === id) return null;
  if (managedBy !== null && target.kind !== 'route')
    return `${id} is managed by ${managedBy}, and EC2 lets nobody else change it: use another interface`;
  switch (target.kind) {
    case 'privateAddress':
    case 'ipv6Address':
      return primaryElsewhere(target.address, shown.described(interfaceIdOf(holder) ?? ''));
    case 'elasticIp':
      return elasticIpRefusal(plan, target, place, isOwn ? target.privateAddress : null, shown);
    case 'route':
      return null;
  }
}

function primaryElsewhere(address: string, holder: KnownInterface | undefined): string | null {
  if (holder === undefined || !holder.primaryAddresses.includes(address)) return null;
  return `${address} is the primary address of ${holder.networkInterfaceId}, and EC2 moves only secondary ones: let another address float`;
}

/** EC2 moves an Elastic IP off any address, and puts it on none that has another one. */
function elasticIpRefusal(
  { targets }: Plan,
  { allocationId }: Extract<Target, { readonly kind: 'elasticIp' }>,
  place: KnownInterface,
  wanted: string | null,
  { services }: Shown,
): string | null {
  const service = services.get(allocationId);
  if (service !== undefined)
    return `it is managed by the AWS service ${service}, and EC2 lets nobody else associate it: take another Elastic IP`;
  const { networkInterfaceId: id } = place;
  const address = wanted ?? place.primaryAddress;
  const described = place.describedAddresses.find((each) => each['PrivateIpAddress'] === address);
  if (described === undefined) {
    // One that floats comes along.
    const floats = targets.some((target) => target.kind === 'privateAddress' && target.address === address);
    return floats ? null : `${address} is not on ${id}: assign it there, or name another private_ip`;
  }
  const association = described['Association'];
  if (typeof association !== 'object' || association === null || !('AllocationId' in association))
    return null;
  const { AllocationId: other, PublicIp: publicIp } = association;
  if (typeof other !== 'string' || other === allocationId) return null;
  return `${address} of ${id} has the Elastic IP ${typeof publicIp === 'string' ? publicIp : 'of another allocation'} (${other}), and EC2 puts no second one on an address: disassociate that one, or name another private_ip`;
}
