/**
 * Moves a floating IP: one PUT, from whoever has it. Neutron does not arbitrate between two requests at the same moment: both
 * are answered 200, and the later one stands; the next reading shows whose it is. A claim names the revision at which
 * nobody had it, which Neutron refuses (412) once somebody else's request has been done.
 * https://docs.openstack.org/api-ref/network/v2/#update-floating-ip
 */
import type { Outcome } from '../../cloud';
import { Malformed, oneOf } from '../reads/answer';
import { primaryAddressOf } from '../reads/places';
import { malformed } from '../transport/failure';
import type { TargetOf } from '../description';
import { ifRevision, inUse, LOOK_MS, portOf, readOne, Steps, unknown, type Move, type Tools } from './step';

export async function moveFloatingIp(
  tools: Tools,
  { of: [target], networkInterfaceId: portId, allowReassignment, privateAddress }: Move<'floatingIp'>,
  timeoutMs: number,
): Promise<Outcome> {
  const steps = new Steps(tools, timeoutMs);
  if (target === undefined) throw new Error('a call moves one floating IP');
  const { floatingIp: address } = target;
  const shown = tools.known.floatingIps.get(address);
  if (shown === undefined) return steps.outcome(unknown(`the floating IP ${address}`));
  if (!allowReassignment && shown.port_id !== null && shown.port_id !== portId)
    return steps.outcome(inUse(address, `at port ${shown.port_id}`));
  const port = portOf(tools, portId);
  const fixed = privateAddress ?? (port === undefined ? null : primaryAddressOf(tools.plan, port));
  const answer = await steps.call({
    action: 'PUT floatingips',
    method: 'PUT',
    path: `/v2.0/floatingips/${shown.id}`,
    headers: allowReassignment ? {} : ifRevision(shown.revision_number),
    body: { floatingip: { port_id: portId, ...(fixed === null ? {} : { fixed_ip_address: fixed }) } },
  });
  if (!answer.ok) return steps.outcome(answer.failure);
  try {
    const now = oneOf('floatingips', answer.body);
    if (now.port_id !== portId)
      return steps.outcome(malformed(`the answer has ${address} at ${now.port_id ?? 'no port'}`));
    tools.known.takeFloatingIp(now);
    return steps.outcome(null);
  } catch (error) {
    if (error instanceof Malformed) return steps.outcome(malformed(error.message));
    throw error;
  }
}

export async function isFloatingIpAt(
  tools: Tools,
  { floatingIp: address, privateAddress }: TargetOf<'floatingIp'>,
  portId: string,
): Promise<boolean> {
  const id = tools.known.floatingIps.get(address)?.id;
  const shown = id === undefined ? undefined : await readOne(new Steps(tools, LOOK_MS), 'floatingips', id);
  return shown?.port_id === portId && (privateAddress ?? shown.fixed_ip_address) === shown.fixed_ip_address;
}
