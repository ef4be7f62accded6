/**
 * Moves IPv6 addresses. EC2 gives one only to an interface when no other has it, so it is unassigned from its holder
 * first: between the two calls nobody has it, which is told as an outcome that is not known, so that the rules try
 * again at once. A claim unassigns nothing.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssignIpv6Addresses.html
 */
import {
  AssignIpv6AddressesCommand,
  UnassignIpv6AddressesCommand,
  type AssignIpv6AddressesCommandOutput,
  type UnassignIpv6AddressesCommandOutput,
} from '@aws-sdk/client-ec2';
import type { Command } from '../transport/ec2';
import type { Failure } from '../../core/state/readings';
import { aboutInterface, movesBy, type Calls, type Move, type PreparedMove, type Tools } from './action';

type Ipv6Move = Move<'ipv6Address'>;
type Release = Ipv6Move['releases'][number];

export function moveIpv6Addresses(tools: Tools, move: Ipv6Move): PreparedMove {
  const assigns = {
    action: 'AssignIpv6Addresses',
    command: assign(move),
    problemOf: aboutInterface(move.networkInterfaceId),
  } as const;
  const [first, ...others] = move.allowReassignment ? move.releases : [];
  if (first === undefined) return movesBy(tools, assigns);
  return movesBy(
    tools,
    {
      action: 'UnassignIpv6Addresses',
      command: unassign(first),
      problemOf: aboutInterface(first.networkInterfaceId),
    },
    async (answer, call) => {
      const failures = [answer];
      for (const release of others) failures.push(await unassignBy(call, release));
      const failed = failures.find((failure) => failure !== null) ?? null;
      const hasReleased = failures.some((failure) => failure === null);
      // Nothing has been taken off anybody, and would not be now.
      if (!hasReleased && (failed?.kind === 'throttled' || failed?.kind === 'unsent')) return failed;
      const assigned = await call(assigns.action, assigns.command, assigns.problemOf);
      if (assigned === null) return null;
      // Refused twice: the holder still has them, or had them no more and EC2 minds something else.
      if (failed?.kind === 'refused' && assigned.kind === 'refused' && !hasReleased) {
        const message = `${assigned.message} (unassigning before: ${failed.code}: ${failed.message})`;
        return { ...assigned, message };
      }
      return { ...assigned, kind: 'uncertain' };
    },
  );
}

function unassignBy(call: Calls, release: Release): Promise<Failure | null> {
  return call('UnassignIpv6Addresses', unassign(release), aboutInterface(release.networkInterfaceId));
}

const assign =
  ({ networkInterfaceId, targets }: Ipv6Move): Command<AssignIpv6AddressesCommandOutput> =>
  (client, options) =>
    client.send(
      new AssignIpv6AddressesCommand({
        NetworkInterfaceId: networkInterfaceId,
        Ipv6Addresses: targets.map(({ address }) => address),
      }),
      options,
    );

const unassign =
  ({ networkInterfaceId, targets }: Release): Command<UnassignIpv6AddressesCommandOutput> =>
  (client, options) =>
    client.send(
      new UnassignIpv6AddressesCommand({
        NetworkInterfaceId: networkInterfaceId,
        Ipv6Addresses: targets.map(({ address }) => address),
      }),
      options,
    );
