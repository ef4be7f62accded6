/**
 * Checks a plan against the router it runs on, as soon as IMDS has said who this router is: mistakes that
 * EC2 would turn down only when the peer is dead. Says all of them, each with its place and what to do.
 */
import type { Group } from '../../config/settings';
import type { Plan, Target } from '../../core/state/plan';
import { isInIpv6Block } from '../../config/destinations';
import { endpointRegion } from '../transport/endpointRegion';
import type { InstanceIdentity, InstanceInterface } from '../reads/instanceIdentity';
import { isInRange, parseCidrBlock, ipv4Number } from '../../config/ipv4';

/** The places in the configuration, as `check-config` names them. */
const TARGETS = 'config.action.method_params.intf_list';
const SESSIONS = 'config.bfd_sessions';
const PEERS = 'config.peer_private_ips';
/** The network address, the VPC router, DNS, and one kept for the future. */
const RESERVED_AT_START = 4;

/** One sentence per mistake; empty where there is none. `groups`: where there are several, who has which target. */
export function startMistakes(
  plan: Plan,
  identity: InstanceIdentity,
  groups: readonly Group[] = [],
): readonly string[] {
  const ownAddresses = new Map(identity.interfaces.map((own) => [own.primaryAddress, own]));
  return [
    ...plan.targets.flatMap((target) =>
      targetMistakes(target, placeOf(target, groups), identity, ownAddresses),
    ),
    ...[
      ...plan.sessions.map(({ peerAddress }, index) => ({
        where: `${SESSIONS}[${index}].neigh_ip`,
        address: peerAddress,
      })),
      ...plan.peerAddresses
        .filter((address) => plan.sessions.every(({ peerAddress }) => peerAddress !== address))
        .map((address) => ({ where: PEERS, address })),
    ].flatMap(({ where, address }) => {
      const own = ownAddresses.get(address);
      return own === undefined
        ? []
        : [`${where}: ${address} is this router's own address (${name(own)}): give the peer's.`];
    }),
  ];
}

/** A request is signed for the Region that this router is in, so no other would take it. */
export function regionMistakes(endpointUrl: string, { region }: InstanceIdentity): readonly string[] {
  const named = endpointRegion(endpointUrl);
  return named === null || named === region
    ? []
    : [
        `config.ec2_private_endpoint_url: this is an endpoint of ${named}, and this router is in ${region}: give that of its own VPC.`,
      ];
}

function targetMistakes(
  target: Target,
  written: string,
  identity: InstanceIdentity,
  ownAddresses: ReadonlyMap<string, InstanceInterface>,
): readonly string[] {
  // A plan's targets are in an order of their own: the id finds the entry, its index would not.
  const where = `${written} (${target.id}):`;
  const own = target.kind === 'privateAddress' ? ownAddresses.get(target.address) : undefined;
  if (own !== undefined) {
    return [
      `${where} this is the primary address of ${name(own)}, which cannot move: give a secondary address.`,
    ];
  }
  const onCard = identity.interfaces.filter(
    ({ networkCardIndex }) => networkCardIndex === target.networkCardIndex,
  );
  const place = onCard.find((each) => each.deviceIndex === target.deviceIndex);
  if (place === undefined) {
    const have = onCard.map((each) => `${each.deviceIndex} (${each.subnetCidr})`).join(', ');
    const onWhich = target.networkCardIndex === 0 ? '' : ` on network card ${target.networkCardIndex}`;
    return [
      `${where} there is no instance_intf_number ${target.deviceIndex}${onWhich} on ${identity.instanceId}: ` +
        `give one of its device indexes, ${have}, or attach the interface.`,
    ];
  }
  const problem = problemOf(target, place);
  return problem === null ? [] : [`${where} ${problem}`];
}

function placeOf({ kind, id }: Target, groups: readonly Group[]): string {
  const place = LISTS[kind];
  const group = groups.find(({ plan }) => plan.targets.some((target) => target.id === id));
  return group === undefined ? place : `config.groups, ${group.name}: ${place.split('.').at(-1) ?? place}`;
}

const LISTS = {
  privateAddress: TARGETS,
  ipv6Address: TARGETS,
  route: 'route_list',
  elasticIp: 'eip_list',
} as const satisfies Record<Target['kind'], string>;

/** Whether the table and the allocation exist, EC2 says with the first observation. */
function problemOf(target: Target, place: InstanceInterface): string | null {
  switch (target.kind) {
    case 'privateAddress':
      return subnetProblem(target.address, place);
    case 'elasticIp': {
      const address = target.privateAddress;
      const range = parseCidrBlock(place.subnetCidr);
      if (address === null || range === null || isInRange(range, ipv4Number(address) ?? -1)) return null;
      return `its private_ip ${address} is not in ${place.subnetCidr}, the subnet of ${name(place)}: give an address of that interface.`;
    }
    case 'ipv6Address':
      return ipv6SubnetProblem(target.address, place);
    case 'route':
      return null;
  }
}

/** Where IMDS shows no IPv6 block, nothing is known. */
function ipv6SubnetProblem(address: string, target: InstanceInterface): string | null {
  const { subnetIpv6Cidrs: blocks } = target;
  if (blocks.length === 0 || blocks.some((block) => isInIpv6Block(address, block))) return null;
  return (
    `this is not in ${blocks.join(', ')}, the IPv6 of the subnet of ${name(target)}: ` +
    `give an address of that subnet, or another instance_intf_number.`
  );
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
