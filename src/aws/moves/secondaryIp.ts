/**
 * Moves secondary private addresses: AssignPrivateIpAddresses, one call for all addresses of an interface. The call
 * is all-or-nothing and a 200 confirms it. Without `allowReassignment` EC2 refuses it when another interface holds
 * one of them, which is how a free address is claimed.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssignPrivateIpAddresses.html
 */
import {
  AssignPrivateIpAddressesCommand,
  type AssignPrivateIpAddressesCommandOutput,
} from '@aws-sdk/client-ec2';
import { aboutInterface, movesBy, type Move, type PreparedMove, type Tools } from './action';

export function movePrivateAddresses(tools: Tools, move: Move<'privateAddress'>): PreparedMove {
  const { networkInterfaceId, targets, allowReassignment } = move;
  return movesBy<AssignPrivateIpAddressesCommandOutput>(tools, {
    action: 'AssignPrivateIpAddresses',
    command: (client, options) => {
      const command = new AssignPrivateIpAddressesCommand({
        NetworkInterfaceId: networkInterfaceId,
        PrivateIpAddresses: targets.map(({ address }) => address),
        AllowReassignment: allowReassignment,
      });
      return client.send(command, options);
    },
    // Which addresses the answer lists is not documented; which interface it is about is.
    problemOf: aboutInterface(networkInterfaceId),
  });
}
