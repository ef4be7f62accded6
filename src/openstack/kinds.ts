/** The one table of what this cloud's side knows of the kinds of targets: how each is moved, and where it cannot be. */
import type { Outcome } from '../cloud';
import type { Kind, OpenstackPlan, OpenstackTarget, TargetOf } from './description';
import { isRouteTo, moveExtraRoute } from './moves/extraRoute';
import { isFixedAddressAt, moveFixedAddresses } from './moves/fixedAddress';
import { isFloatingIpAt, moveFloatingIp } from './moves/floatingIp';
import type { Move, Tools } from './moves/step';
import type { Port } from './reads/answer';
import { addressesOf, primaryAddressOf } from './reads/places';

type OpenstackKind<K extends Kind> = {
  move(tools: Tools, move: Move<K>, timeoutMs: number): Promise<Outcome>;
  /** Whether Neutron shows it at that port of this router, and nowhere else. */
  isAt(tools: Tools, target: TargetOf<K>, portId: string): Promise<boolean>;
  /** What requests have in common of which Neutron does only one at a time as it should; null: nothing. */
  oneAtATime(target: TargetOf<K>): string | null;
  /** Whether it can be on that port of this router; null: it can. */
  problemOn(plan: OpenstackPlan, target: TargetOf<K>, port: Port): string | null;
};

const KINDS: { readonly [K in Kind]: OpenstackKind<K> } = {
  floatingIp: {
    move: moveFloatingIp,
    isAt: isFloatingIpAt,
    oneAtATime: () => null,
    problemOn: (plan, { privateAddress }, port) => placeProblem(plan, port, privateAddress, 'private_ip'),
  },
  extraRoute: {
    move: moveExtraRoute,
    isAt: isRouteTo,
    // A PUT of the list is a difference against what Neutron reads: two at once do not know of each other.
    oneAtATime: ({ routerId }) => routerId,
    problemOn: (plan, { nextHop }, port) => placeProblem(plan, port, nextHop, 'next_hop'),
  },
  fixedAddress: {
    move: moveFixedAddresses,
    isAt: isFixedAddressAt,
    oneAtATime: () => null,
    problemOn: () => null,
  },
};

const of = <K extends Kind>({ kind }: { readonly kind: K }): OpenstackKind<K> => KINDS[kind];

export function moveTargets(
  tools: Tools,
  first: OpenstackTarget,
  move: Move<Kind>,
  timeoutMs: number,
): Promise<Outcome> {
  return of(first).move(tools, move, timeoutMs);
}

export const isAt = (tools: Tools, target: OpenstackTarget, portId: string): Promise<boolean> =>
  of(target).isAt(tools, target, portId);

export const oneAtATime = (target: OpenstackTarget): string | null => of(target).oneAtATime(target);

export const problemOn = (plan: OpenstackPlan, target: OpenstackTarget, port: Port): string | null =>
  of(target).problemOn(plan, target, port);

/** `written`: the address that the configuration names under this key. */
function placeProblem(plan: OpenstackPlan, port: Port, written: string | null, key: string): string | null {
  const own = addressesOf(port);
  const floats = (address: string) => plan.targets.some((target) => target.address === address);
  if (written !== null)
    return own.includes(written) || floats(written)
      ? null
      : `port ${port.id} has ${own.join(', ')}, and not the ${key} ${written}.`;
  const fixed = own.filter((address) => !address.includes(':') && !floats(address));
  if (fixed.length === 1) return null;
  return primaryAddressOf(plan, port) === null
    ? `port ${port.id} has no IPv4 address.`
    : `port ${port.id} has ${fixed.join(' and ')}: name one of them as ${key}.`;
}
