/** A secondary private IPv4 address of an interface. */
import { ipv4Number, isInRange, parseCidrBlock } from '../../config/ipv4';
import { movePrivateAddresses } from '../moves/secondaryIp';
import { interfaceName, type InstanceInterface } from '../reads/instanceIdentity';
import { addressRefusal } from './addresses';
import type { AwsKind } from './kind';

/** The network address, the VPC router, DNS, and one kept for the future. */
const RESERVED_AT_START = 4;

export const privateAddress: AwsKind<'privateAddress'> = {
  readBy: 'DescribeNetworkInterfaces',
  forwards: true,
  provenBy: 'AssignPrivateIpAddresses',
  addressActions: ['AssignPrivateIpAddresses'],
  neverProven: null,
  brings: ({ address }) => ({ family: 'ipv4', address }),
  move: movePrivateAddresses,
  firstAction: () => 'AssignPrivateIpAddresses',
  problemOn: ({ address }, place) => subnetProblem(address, place),
  refusal: (target, question) => addressRefusal(target, 'ipv4', question),
  statements: () => [],
  dryRuns: () => [],
};

function subnetProblem(address: string, target: InstanceInterface): string | null {
  const range = parseCidrBlock(target.subnetCidr);
  const value = ipv4Number(address);
  if (range === null || value === null || !isInRange(range, value)) {
    return (
      `this is not in ${target.subnetCidr}, the subnet of ${interfaceName(target)}: ` +
      `give an address of that subnet, or another instance_intf_number.`
    );
  }
  if (value < range.first + RESERVED_AT_START || value === range.last) {
    return `this is one of those that AWS keeps for itself in ${target.subnetCidr} (the first four and the last): give another.`;
  }
  return null;
}
