/** Where on a port a target goes, and whose a port is. */
import { ipv4Number } from '../../config/ipv4';
import type { Attachment } from '../../core/state/readings';
import type { OpenstackPlan } from '../description';
import type { Port } from './answer';

/** The IPv4 address of a port that targets are put on where the configuration names none. */
export function primaryAddressOf(plan: OpenstackPlan, { fixed_ips: fixed }: Port): string | null {
  const floating = new Set(plan.targets.flatMap(({ address }) => address ?? []));
  const own = fixed
    .map(({ ip_address: address }) => address)
    .filter((address) => ipv4Number(address) !== null && !floating.has(address));
  // Neutron promises no order of the addresses.
  const [lowest] = own.sort((a, b) => (ipv4Number(a) ?? 0) - (ipv4Number(b) ?? 0));
  return own.find((address) => plan.peerAddresses.includes(address)) ?? lowest ?? null;
}

export const addressesOf = ({ fixed_ips: fixed }: Port): readonly string[] =>
  fixed.map(({ ip_address: address }) => address);

/** What has a port: a server, or a part of OpenStack itself (`network:router_interface`). */
export function attachmentOf({
  device_id: device,
  device_owner: owner,
}: Pick<Port, 'device_id' | 'device_owner'>): Attachment {
  if (owner.startsWith('network:') || owner.startsWith('neutron:')) return { to: 'service', name: owner };
  return device === '' ? { to: 'nothing' } : { to: 'instance', instanceId: device };
}
