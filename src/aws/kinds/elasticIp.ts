/** An Elastic IP that is associated with a private address of an interface. */
import { AssociateAddressCommand } from '@aws-sdk/client-ec2';
import { ipv4Number, isInRange, parseCidrBlock } from '../../config/ipv4';
import { peersBeside } from '../../core/levels/ownership';
import type { AwsTarget, TargetOf } from '../description';
import { moveElasticIp } from '../moves/elasticIp';
import { interfaceName, type InstanceInterface } from '../reads/instanceIdentity';
import { managedPlace } from './addresses';
import type { AwsKind, DryRunQuestion, DryRunTools, RefusalQuestion } from './kind';

type ElasticIpTarget = TargetOf<'elasticIp'>;

export const elasticIp: AwsKind<'elasticIp'> = {
  readBy: 'DescribeAddresses',
  // It is the router's own address.
  forwards: false,
  provenBy: null,
  addressActions: [],
  neverProven: null,
  brings: () => null,
  move: moveElasticIp,
  firstAction: () => 'AssociateAddress',
  problemOn: placeProblem,
  refusal: (target, question) => managedPlace(question.place) ?? associationRefusal(target, question),
  statements: (targets, { arns, allow, interfaces, instances }) => [
    allow(
      'MoveElasticIps',
      ['AssociateAddress'],
      [
        ...arns(
          'elastic-ip',
          targets.map(({ allocationId }) => allocationId),
        ),
        ...arns('network-interface', interfaces),
        ...arns('instance', instances),
      ],
    ),
  ],
  dryRuns: associationDryRuns,
};

export const isElasticIp = (target: AwsTarget): target is ElasticIpTarget => target.kind === 'elasticIp';

function placeProblem({ privateAddress: address }: ElasticIpTarget, place: InstanceInterface): string | null {
  const range = parseCidrBlock(place.subnetCidr);
  if (address === null || range === null || isInRange(range, ipv4Number(address) ?? -1)) return null;
  return `its private_ip ${address} is not in ${place.subnetCidr}, the subnet of ${interfaceName(place)}: give an address of that interface.`;
}

/** EC2 moves an Elastic IP off any address, and puts it on none that has another one. */
function associationRefusal(
  target: ElasticIpTarget,
  { shown, place, isOwn, restsThere, floats }: RefusalQuestion,
): string | null {
  const { allocationId } = target;
  const { service = null, borderGroup = null } = shown.elasticIps.get(allocationId) ?? {};
  if (service !== null)
    return `it is managed by the AWS service ${service}, and EC2 lets nobody else associate it: take another Elastic IP`;
  const { networkInterfaceId: id, zone } = place;
  if (borderGroup !== null && zone !== null && borderGroup !== borderGroupOf(zone))
    return `it is of the network border group ${borderGroup}, and ${id} is in ${zone}: take an Elastic IP of ${borderGroupOf(zone)}`;
  const hasAddress = isOwn || restsThere;
  const address = (hasAddress ? target.privateAddress : null) ?? place.primaryAddress;
  const described = place.describedAddresses.find((each) => each['PrivateIpAddress'] === address);
  // One that floats comes along.
  if (described === undefined)
    return floats(address) ? null : `${address} is not on ${id}: assign it there, or name another private_ip`;
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

function associationDryRuns(
  target: ElasticIpTarget,
  { networkInterfaceId, plan, observation }: DryRunTools,
): readonly DryRunQuestion[] {
  const peers = peersBeside(plan, observation, target).map((peer) => peer.networkInterfaceId);
  return [networkInterfaceId, ...peers].map((NetworkInterfaceId) => {
    const input = { AllocationId: target.allocationId, NetworkInterfaceId, DryRun: true };
    return {
      action: 'AssociateAddress',
      on: `${target.allocationId} to ${NetworkInterfaceId}`,
      command: (client, options) => client.send(new AssociateAddressCommand(input), options),
    };
  });
}
