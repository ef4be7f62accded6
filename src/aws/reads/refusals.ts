/**
 * What EC2 would refuse to move, as far as a reading shows it: on this router, which would have to take it, and on the
 * peer's interfaces, for a switchover. One sentence each, with what to do. What depends on the role is asked in
 * permissions.ts.
 */
import type { Holder, Observation } from '../../core/state/model';
import { restsOn } from '../../core/kinds';
import { interfaceIdOf } from '../../core/levels/holders';
import { interfaceFor, peersBeside } from '../../core/levels/ownership';
import type { Plan, Target } from '../../core/state/plan';
import type { ShownElasticIp } from './elasticIps';
import type { KnownInterface } from './observation';

/** Of each interface of an instance of this type. */
export type AddressLimits = { readonly type: string; readonly ipv4: number; readonly ipv6: number };

export type Shown = {
  /** Undefined for an interface that was not asked about. */
  readonly described: (networkInterfaceId: string) => KnownInterface | undefined;
  /** By allocation id. */
  readonly elasticIps: ReadonlyMap<string, ShownElasticIp>;
  /** The VPC of the route table, by target id. */
  readonly vpcs: ReadonlyMap<string, string>;
  /** Of this router's interfaces; null: not known. The peer may be of another type. */
  readonly limits: AddressLimits | null;
};

/** Where a target would go. */
type Question = {
  readonly plan: Plan;
  readonly observation: Observation;
  readonly shown: Shown;
  readonly holder: Holder | null;
  readonly place: KnownInterface;
  readonly isOwn: boolean;
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
      // As a switchover does it (moves/switchover.ts): what rests on another target goes where that one goes.
      ...peersBeside(plan, observation, restsOn(plan.targets, target) ?? target).map((peer) => ({
        id: peer.networkInterfaceId,
        isOwn: false,
      })),
    ];
    const holder = observation.holders[target.id] ?? null;
    for (const { id, isOwn } of places) {
      const place = shown.described(id);
      if (place === undefined) continue;
      const why = refusalOf(target, { plan, observation, shown, holder, place, isOwn });
      if (why !== null) refusals[target.id] = { ...refusals[target.id], [id]: why };
    }
  }
  return refusals;
}

function refusalOf(target: Target, question: Question): string | null {
  const { holder, place, isOwn, shown } = question;
  // What is there already has nothing to be refused.
  if (isOwn ? holder?.mine === true : interfaceIdOf(holder) === place.networkInterfaceId) return null;
  switch (target.kind) {
    case 'privateAddress':
    case 'ipv6Address': {
      const from = shown.described(interfaceIdOf(holder) ?? '');
      return managedPlace(place) ?? primaryElsewhere(target.address, from) ?? noRoom(target, question);
    }
    case 'elasticIp':
      return managedPlace(place) ?? elasticIpRefusal(target, question);
    case 'route':
      return routeRefusal(target, question);
  }
}

function managedPlace({ networkInterfaceId, managedBy }: KnownInterface): string | null {
  if (managedBy === null) return null;
  return `${networkInterfaceId} is managed by ${managedBy}, and EC2 lets nobody else change it: use another interface`;
}

function primaryElsewhere(address: string, holder: KnownInterface | undefined): string | null {
  if (holder === undefined || !holder.primaryAddresses.includes(address)) return null;
  return `${address} is the primary address of ${holder.networkInterfaceId}, and EC2 moves only secondary ones: let another address float`;
}

/** All that float may be here at once. */
function noRoom(
  { kind, deviceIndex, networkCardIndex }: Target,
  { plan, observation, place, isOwn, shown: { limits } }: Question,
): string | null {
  if (limits === null || !isOwn) return null;
  const isIpv6 = kind === 'ipv6Address';
  const floating = plan.targets.flatMap((each) => {
    const isHere = interfaceFor(observation, each)?.networkInterfaceId === place.networkInterfaceId;
    return isHere && each.kind === kind && 'address' in each ? [each.address] : [];
  });
  const present = place.addresses.filter((address) => address.includes(':') === isIpv6);
  const count = new Set([...present, ...floating]).size;
  const most = isIpv6 ? limits.ipv6 : limits.ipv4;
  if (count <= most) return null;
  const card = networkCardIndex === 0 ? '' : `network card ${networkCardIndex}, `;
  return `${place.networkInterfaceId}, ${card}device index ${deviceIndex}, would have ${count} ${isIpv6 ? 'IPv6' : 'IPv4'} addresses with all that float, and ${limits.type} allows ${most} on an interface: spread them over more interfaces, or use a larger type`;
}

/** EC2 moves an Elastic IP off any address, and puts it on none that has another one. */
function elasticIpRefusal(
  target: Extract<Target, { readonly kind: 'elasticIp' }>,
  { plan: { targets }, shown, place, isOwn }: Question,
): string | null {
  const { allocationId } = target;
  const { service = null, borderGroup = null } = shown.elasticIps.get(allocationId) ?? {};
  if (service !== null)
    return `it is managed by the AWS service ${service}, and EC2 lets nobody else associate it: take another Elastic IP`;
  const { networkInterfaceId: id, zone } = place;
  if (borderGroup !== null && zone !== null && borderGroup !== borderGroupOf(zone))
    return `it is of the network border group ${borderGroup}, and ${id} is in ${zone}: take an Elastic IP of ${borderGroupOf(zone)}`;
  const hasAddress = isOwn || restsOn(targets, target) !== undefined;
  const address = (hasAddress ? target.privateAddress : null) ?? place.primaryAddress;
  const described = place.describedAddresses.find((each) => each['PrivateIpAddress'] === address);
  if (described === undefined) {
    // One that floats comes along.
    const floats = targets.some((each) => each.kind === 'privateAddress' && each.address === address);
    return floats ? null : `${address} is not on ${id}: assign it there, or name another private_ip`;
  }
  const association = described['Association'];
  if (typeof association !== 'object' || association === null || !('AllocationId' in association))
    return null;
  const { AllocationId: other, PublicIp: publicIp } = association;
  if (typeof other !== 'string' || other === allocationId) return null;
  return `${address} of ${id} has the Elastic IP ${typeof publicIp === 'string' ? publicIp : 'of another allocation'} (${other}), and EC2 puts no second one on an address: disassociate that one, or name another private_ip`;
}

/**
 * us-east-1a is of us-east-1, us-west-2-lax-1a of us-west-2-lax-1; a Wavelength Zone has no letter.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html
 */
const borderGroupOf = (zone: string): string => zone.replace(/(\d)[a-z]$/, '$1');

function routeRefusal(
  { id, destination }: Extract<Target, { readonly kind: 'route' }>,
  { holder, place, shown }: Question,
): string | null {
  const vpc = shown.vpcs.get(id);
  if (vpc !== undefined && vpc !== place.vpcId)
    return `its route table is of ${vpc}, and ${place.networkInterfaceId} of ${place.vpcId}: name a table of that VPC, or an interface of this one`;
  if (destination.kind === 'prefixList' && holder?.kind === 'gateway' && holder.gatewayId.startsWith('vpce-'))
    return `it leads to the gateway endpoint ${holder.gatewayId}, and EC2 changes such a route with the endpoint alone: take the table from the endpoint, or let another destination float`;
  return null;
}
