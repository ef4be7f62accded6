/** An IPv6 address of an interface. */
import { isInIpv6Block } from '../../config/destinations';
import { moveIpv6Addresses } from '../moves/ipv6';
import { interfaceName, type InstanceInterface } from '../reads/instanceIdentity';
import { addressRefusal } from './addresses';
import type { AwsKind } from './kind';

export const ipv6Address: AwsKind<'ipv6Address'> = {
  readBy: 'DescribeNetworkInterfaces',
  forwards: true,
  provenBy: 'AssignIpv6Addresses',
  addressActions: ['AssignIpv6Addresses', 'UnassignIpv6Addresses'],
  neverProven: 'UnassignIpv6Addresses, which has no DryRun and would take the address away',
  brings: ({ address }) => ({ family: 'ipv6', address }),
  move: moveIpv6Addresses,
  firstAction: ({ releases }) => (releases === undefined ? 'AssignIpv6Addresses' : 'UnassignIpv6Addresses'),
  problemOn: ({ address }, place) => subnetProblem(address, place),
  refusal: (target, question) => addressRefusal(target, 'ipv6', question),
  // What a third instance holds is unassigned from its interface, whichever that is.
  statements: (_targets, { foreignHolder, interfaces, arns, allow }) =>
    foreignHolder === 'take' && interfaces.length > 0
      ? [allow('TakeIpv6AddressesFromOthers', ['UnassignIpv6Addresses'], arns('network-interface', []))]
      : [],
  dryRuns: () => [],
};

/** Where IMDS shows no IPv6 block, nothing is known. */
function subnetProblem(address: string, target: InstanceInterface): string | null {
  const { subnetIpv6Cidrs: blocks } = target;
  if (blocks.length === 0 || blocks.some((block) => isInIpv6Block(address, block))) return null;
  return (
    `this is not in ${blocks.join(', ')}, the IPv6 of the subnet of ${interfaceName(target)}: ` +
    `give an address of that subnet, or another instance_intf_number.`
  );
}
