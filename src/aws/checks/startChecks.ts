/**
 * Checks a plan against the router it runs on, as soon as IMDS has said who this router is: mistakes that
 * EC2 would turn down only when the peer is dead. Says all of them, each with its place and what to do.
 */
import type { Group } from '../../config/settings';
import type { AwsPlan, AwsTarget } from '../description';
import { endpointRegion } from '../transport/endpointRegion';
import { listOf } from '../../config/kinds';
import { addressBrought, awsKindOf } from '../kinds';
import { interfaceName, type InstanceIdentity, type InstanceInterface } from '../reads/instanceIdentity';

/** The places in the configuration, as `check-config` names them. */
const SESSIONS = 'config.bfd_sessions';
const PEERS = 'config.peer_private_ips';

/** One sentence per mistake; empty where there is none. `groups`: where there are several, who has which target. */
export function startMistakes(
  plan: AwsPlan,
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
        : [`${where}: ${address} is this router's own address (${interfaceName(own)}): give the peer's.`];
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
  target: AwsTarget,
  written: string,
  identity: InstanceIdentity,
  ownAddresses: ReadonlyMap<string, InstanceInterface>,
): readonly string[] {
  // A plan's targets are in an order of their own: the id finds the entry, its index would not.
  const where = `${written} (${target.id}):`;
  const own = ownAddresses.get(addressBrought(target)?.address ?? '');
  if (own !== undefined) {
    return [
      `${where} this is the primary address of ${interfaceName(own)}, which cannot move: give a secondary address.`,
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
  const problem = awsKindOf(target).problemOn(target, place);
  return problem === null ? [] : [`${where} ${problem}`];
}

function placeOf(target: AwsTarget, groups: readonly Group[]): string {
  const place = listOf(target);
  const group = groups.find(({ plan }) => plan.targets.some(({ id }) => id === target.id));
  return group === undefined ? place : `config.groups, ${group.name}: ${place.split('.').at(-1) ?? place}`;
}
