/** What the kinds that bring an address to an interface have in common. */
import type { AwsTarget } from '../description';
import { interfaceIdOf } from '../../core/levels/holders';
import type { KnownInterface } from '../reads/shownInterface';
import type { RefusalQuestion } from './kind';

type AddressTarget = AwsTarget & { readonly address: string };

export function addressRefusal(
  target: AddressTarget,
  family: 'ipv4' | 'ipv6',
  question: RefusalQuestion,
): string | null {
  const { holder, place, shown } = question;
  const from = shown.described(interfaceIdOf(holder) ?? '');
  return managedPlace(place) ?? primaryElsewhere(target.address, from) ?? noRoom(target, family, question);
}

export function managedPlace({ networkInterfaceId, managedBy }: KnownInterface): string | null {
  if (managedBy === null) return null;
  return `${networkInterfaceId} is managed by ${managedBy}, and EC2 lets nobody else change it: use another interface`;
}

function primaryElsewhere(address: string, holder: KnownInterface | undefined): string | null {
  if (holder === undefined || !holder.primaryAddresses.includes(address)) return null;
  return `${address} is the primary address of ${holder.networkInterfaceId}, and EC2 moves only secondary ones: let another address float`;
}

const WITH_ALL = 'addresses with all that float';

/** Whether it is room that lacks, of the sentences about what EC2 would refuse. */
export const lacksRoom = (why: string): boolean => why.includes(WITH_ALL);

/** All that float may be here at once. */
function noRoom(
  { deviceIndex, networkCardIndex }: AddressTarget,
  family: 'ipv4' | 'ipv6',
  { place, isOwn, floating, shown: { limits } }: RefusalQuestion,
): string | null {
  if (limits === null || !isOwn) return null;
  const isIpv6 = family === 'ipv6';
  const present = place.addresses.filter((address) => address.includes(':') === isIpv6);
  const count = new Set([...present, ...floating()]).size;
  const most = limits[family];
  if (count <= most) return null;
  const card = networkCardIndex === 0 ? '' : `network card ${networkCardIndex}, `;
  return `${place.networkInterfaceId}, ${card}device index ${deviceIndex}, would have ${count} ${isIpv6 ? 'IPv6' : 'IPv4'} ${WITH_ALL}, and ${limits.type} allows ${most} on an interface: spread them over more interfaces, or use a larger type`;
}
