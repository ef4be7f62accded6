/**
 * Checks a plan against the router it runs on, as soon as IMDS has said who this router is: mistakes that
 * EC2 would turn down only when the peer is dead. Says all of them, each with its place and what to do.
 */
import type { Whole } from '../config/settings';
import type { Target } from '../core/plan';
import type { InstanceIdentity, InstanceInterface } from './instanceIdentity';
import { isInRange, parseCidrBlock, ipv4Number } from '../config/ipv4';

/** The places in the configuration, as `check-config` names them. */
const SESSIONS = 'config.bfd_sessions';
/** The network address, the VPC router, DNS, and one kept for the future. */
const RESERVED_AT_START = 4;

/** One sentence per mistake; empty where there is none. `targetPlaces`: by address. */
export function startMistakes(
  plan: Whole,
  identity: InstanceIdentity,
  targetPlaces: ReadonlyMap<string, string>,
): readonly string[] {
  const ownAddresses = new Map(identity.interfaces.map((own) => [own.primaryAddress, own]));
  return [
    ...plan.targets.flatMap((target) =>
      targetMistakes(target, identity, ownAddresses, targetPlaces.get(target.address) ?? ''),
    ),
    ...plan.sessions.flatMap(({ peerAddress }, index) => {
      const own = ownAddresses.get(peerAddress);
      return own === undefined
        ? []
        : [
            `${SESSIONS}[${index}].neigh_ip: ${peerAddress} is this router's own address (${name(own)}): give the peer's.`,
          ];
    }),
  ];
}

function targetMistakes(
  { address, deviceIndex }: Target,
  identity: InstanceIdentity,
  ownAddresses: ReadonlyMap<string, InstanceInterface>,
  place: string,
): readonly string[] {
  // A plan's targets are in an order of their own: the address finds the entry, its index would not.
  const where = `${place} (${address}):`;
  const own = ownAddresses.get(address);
  if (own !== undefined) {
    return [
      `${where} this is the primary address of ${name(own)}, which cannot move: give a secondary address.`,
    ];
  }
  const onFirstCard = identity.interfaces.filter(({ networkCardIndex }) => networkCardIndex === 0);
  const target = onFirstCard.find((each) => each.deviceIndex === deviceIndex);
  if (target === undefined) {
    const have = onFirstCard.map((each) => `${each.deviceIndex} (${each.subnetCidr})`).join(', ');
    return [
      `${where} there is no instance_intf_number ${deviceIndex} on ${identity.instanceId}: ` +
        `give one of its device indexes, ${have}, or attach the interface.`,
    ];
  }
  const problem = subnetProblem(address, target);
  return problem === null ? [] : [`${where} ${problem}`];
}

function subnetProblem(address: string, target: InstanceInterface): string | null {
  const range = parseCidrBlock(target.subnetCidr);
  const value = ipv4Number(address);
  if (range === null || value === null || !isInRange(range, value)) {
    return (
      `this is not in ${target.subnetCidr}, the subnet of ${name(target)}: ` +
      `give an address of that subnet, or another instance_intf_number.`
    );
  }
  if (value < range.first + RESERVED_AT_START || value === range.last) {
    return `this is one of those that AWS keeps for itself in ${target.subnetCidr} (the first four and the last): give another.`;
  }
  return null;
}

const name = ({ networkInterfaceId, deviceIndex }: InstanceInterface): string =>
  `${networkInterfaceId}, device index ${deviceIndex}`;
