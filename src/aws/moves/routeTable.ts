/**
 * Moves a route: ReplaceRoute, and CreateRoute where there is none. EC2 has no call that does both, and says of a
 * missing route InvalidParameterValue (seen) or InvalidRoute.NotFound (documented). A claim is CreateRoute alone:
 * who is second hears RouteAlreadyExists.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceRoute.html
 */
import { CreateRouteCommand, ReplaceRouteCommand, type EC2Client } from '@aws-sdk/client-ec2';
import type { SendOptions } from '../../transport/connections';
import type { TargetOf } from '../description';
import { movesBy, type Move, type PreparedMove, type Tools } from './action';

const MISSING = ['InvalidParameterValue', 'InvalidRoute.NotFound'];
const THERE_ALREADY = 'RouteAlreadyExists';

export function moveRoute(tools: Tools, move: Move<'route'>): PreparedMove {
  const { networkInterfaceId, targets, allowReassignment } = move;
  const [target] = targets;
  if (target === undefined || targets.length > 1) throw new Error('a call moves one route');
  const input = {
    RouteTableId: tools.tableOf(target.id) ?? tableIdOf(target),
    NetworkInterfaceId: networkInterfaceId,
    ...destinationOf(target),
  };
  const replaces = {
    action: 'ReplaceRoute',
    command: (client: EC2Client, options: SendOptions) =>
      client.send(new ReplaceRouteCommand(input), options),
    problemOf: () => null,
  } as const;
  const creates = {
    action: 'CreateRoute',
    command: (client: EC2Client, options: SendOptions) => client.send(new CreateRouteCommand(input), options),
    problemOf: ({ Return: done }: { Return?: boolean | undefined }) =>
      done === true ? null : 'the answer does not say that there is a route now',
  } as const;
  if (!allowReassignment) return movesBy(tools, creates);
  return movesBy(tools, replaces, async (replaced, call) => {
    if (replaced?.kind !== 'refused' || !MISSING.includes(replaced.code)) return replaced;
    const created = await call(creates.action, creates.command, creates.problemOf);
    if (created?.code !== THERE_ALREADY) return created;
    // Somebody has created it since: now there is one to replace.
    return call(replaces.action, replaces.command, replaces.problemOf);
  });
}

/** A table that is known by a tag is known from the observation, which comes before every move. */
function tableIdOf({ routeTable, id }: TargetOf<'route'>): string {
  if ('id' in routeTable) return routeTable.id;
  // EC2 refuses it, which names the target in an alarm.
  return `no table for ${id}`;
}

export function destinationOf({ destination: { kind, value } }: TargetOf<'route'>) {
  switch (kind) {
    case 'ipv4':
      return { DestinationCidrBlock: value };
    case 'ipv6':
      return { DestinationIpv6CidrBlock: value };
    case 'prefixList':
      return { DestinationPrefixListId: value };
  }
}
