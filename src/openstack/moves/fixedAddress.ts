/**
 * Moves fixed addresses. A fixed address is unique on its network, so it is taken off its port before another can have it:
 * between the two requests nobody has it, which is told as an outcome that is not known, so that the rules try again at
 * once. A claim takes it off nobody, and of two at the same moment Neutron refuses one (409 IpAddressAlreadyAllocated).
 * A PUT replaces the whole list, so it names the revision that the list was read at.
 * https://docs.openstack.org/api-ref/network/v2/#update-port
 */
import type { Outcome } from '../../cloud';
import type { Failure } from '../../core/state/readings';
import type { TargetOf } from '../description';
import { Malformed, oneOf } from '../reads/answer';
import { addressesOf } from '../reads/places';
import { malformed } from '../transport/failure';
import {
  ifRevision,
  isOutdated,
  LOOK_MS,
  portOf,
  readOne,
  Steps,
  unknown,
  type Move,
  type Tools,
} from './step';

export async function moveFixedAddresses(
  tools: Tools,
  { of, networkInterfaceId, allowReassignment, releases = [] }: Move<'fixedAddress'>,
  timeoutMs: number,
): Promise<Outcome> {
  const steps = new Steps(tools, timeoutMs);
  const addresses = of.map(({ address }) => address);
  const failures: (Failure | null)[] = [];
  for (const { networkInterfaceId: from } of allowReassignment ? releases : [])
    failures.push(await putList(tools, steps, from, (fixed) => without(fixed, addresses)));
  const failed = failures.find((failure) => failure !== null) ?? null;
  const hasReleased = failures.some((failure) => failure === null);
  // Nothing has been taken off anybody, and would not be now.
  if (!hasReleased && (failed?.kind === 'throttled' || failed?.kind === 'unsent'))
    return steps.outcome(failed);
  const added = await putList(tools, steps, networkInterfaceId, (fixed) => [
    ...without(fixed, addresses),
    ...addresses.map((address) => ({ ip_address: address })),
  ]);
  return steps.outcome(added === null || !hasReleased ? added : { ...added, kind: 'uncertain' });
}

type Fixed = readonly { readonly ip_address: string; readonly subnet_id?: string }[];

const without = (fixed: Fixed, addresses: readonly string[]): Fixed =>
  fixed.filter(({ ip_address: address }) => !addresses.includes(address));

const TRIES = 3;

/** Null: done. Where somebody has changed the port meanwhile, it is read and asked again. */
async function putList(
  tools: Tools,
  steps: Steps,
  portId: string,
  change: (fixed: Fixed) => Fixed,
): Promise<Failure | null> {
  let port = portOf(tools, portId);
  let failure: Failure = unknown(`port ${portId}`);
  for (let tries = 1; tries <= TRIES && port !== undefined; tries += 1) {
    const answer = await steps.call({
      action: 'PUT ports',
      method: 'PUT',
      path: `/v2.0/ports/${portId}`,
      headers: ifRevision(port.revision_number),
      body: { port: { fixed_ips: change(port.fixed_ips) } },
    });
    if (answer.ok) return takePort(tools, answer.body);
    ({ failure } = answer);
    if (!isOutdated(answer) || steps.isOver) return failure;
    port = await readOne(steps, 'ports', portId);
  }
  return failure;
}

function takePort(tools: Tools, body: unknown): Failure | null {
  try {
    tools.known.takePort(oneOf('ports', body));
    return null;
  } catch (error) {
    if (error instanceof Malformed) return malformed(error.message);
    throw error;
  }
}

export async function isFixedAddressAt(
  tools: Tools,
  { address }: TargetOf<'fixedAddress'>,
  portId: string,
): Promise<boolean> {
  const port = await readOne(new Steps(tools, LOOK_MS), 'ports', portId);
  return port !== undefined && addressesOf(port).includes(address);
}
