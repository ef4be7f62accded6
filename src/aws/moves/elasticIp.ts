/**
 * Moves an Elastic IP: AssociateAddress, to a given private address of the interface or to its primary one. EC2 does
 * nothing where it is there already; a claim is refused while it is associated with anything.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateAddress.html
 */
import { AssociateAddressCommand } from '@aws-sdk/client-ec2';
import { movesBy, type Move, type PreparedMove, type Tools } from './action';

export function moveElasticIp(tools: Tools, move: Move<'elasticIp'>): PreparedMove {
  const { networkInterfaceId, targets, allowReassignment, privateAddress } = move;
  const [target] = targets;
  if (target === undefined || targets.length > 1) throw new Error('a call moves one Elastic IP');
  return movesBy(tools, {
    action: 'AssociateAddress',
    command: (client, options) => {
      const command = new AssociateAddressCommand({
        AllocationId: target.allocationId,
        NetworkInterfaceId: networkInterfaceId,
        AllowReassociation: allowReassignment,
        ...(privateAddress === null ? {} : { PrivateIpAddress: privateAddress }),
      });
      return client.send(command, options);
    },
    problemOf: ({ AssociationId: id }) =>
      id === undefined ? 'the answer does not say that it is associated now' : null,
  });
}
