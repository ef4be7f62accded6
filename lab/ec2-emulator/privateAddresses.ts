/** What the calls of the API do to private IPv4 addresses, with EC2's own refusals, as pure functions. */
import { accepted, refused } from './ec2Error';
import type { Outcome } from './ec2Error';
import { mapInterfaces } from './elasticIps';
import { parseIpv4 } from './ipv4';
import {
  addressLimitOf,
  addressesOf,
  findInterface,
  holderOf,
  inSubnet,
  isHeldByAnother,
  isReserved,
  subnetOf,
} from './model';
import type { Ec2Model, NetworkInterface } from './model';
import { unknownInterfaces } from './unknownIds';

export interface AssignRequest {
  readonly networkInterfaceId: string;
  readonly addresses: readonly string[];
  readonly allowReassignment: boolean;
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssignPrivateIpAddresses.html */
export function assignAddresses(model: Ec2Model, request: AssignRequest): Outcome<Ec2Model> {
  const eni = findInterface(model, request.networkInterfaceId);
  if (eni === undefined) return unknownInterfaces([request.networkInterfaceId]);
  for (const ip of request.addresses) {
    const refusal = whyNotAssignable(model, eni, ip);
    if (refusal !== undefined) return refusal;
  }
  const held = request.addresses.filter((ip) => isHeldByAnother(model, eni, ip));
  // Code and text as users of EC2 quote them; that every such address is listed is inferred.
  if (held.length > 0 && !request.allowReassignment) {
    return refused('InvalidParameterValue', `[${held.join(', ')}] assigned, but move is not allowed.`);
  }
  const added = [...new Set(request.addresses)].filter((ip) => !addressesOf(eni).includes(ip));
  const limit = addressLimitOf(model, eni, 'ipv4');
  if (addressesOf(eni).length + added.length > limit) return limitExceeded(eni, limit);
  const vpcId = subnetOf(model, eni).vpcId;
  return accepted(
    mapInterfaces(model, (other) => {
      if (other === eni) return { ...eni, secondaryIps: [...eni.secondaryIps, ...added] };
      return subnetOf(model, other).vpcId === vpcId ? withoutSecondaries(other, added) : other;
    }),
  );
}

function whyNotAssignable(model: Ec2Model, eni: NetworkInterface, ip: string) {
  const subnet = subnetOf(model, eni);
  if (parseIpv4(ip) === undefined) {
    return refused('InvalidParameterValue', `Value (${ip}) for parameter privateIpAddress is invalid.`);
  }
  if (!inSubnet(subnet, ip)) {
    return refused('InvalidParameterValue', `Address ${ip} does not fall within the subnet's address range.`);
  }
  if (isReserved(subnet, ip)) {
    return refused('InvalidParameterValue', `Address ${ip} is in subnet's reserved address range.`);
  }
  return isHeldByAnother(model, eni, ip) && holderOf(model, subnet.vpcId, ip)?.primaryIp === ip
    ? refused('InvalidParameterValue', `Address ${ip} is a primary address and cannot be moved.`)
    : undefined;
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UnassignPrivateIpAddresses.html */
export function unassignAddresses(
  model: Ec2Model,
  networkInterfaceId: string,
  addresses: readonly string[],
): Outcome<Ec2Model> {
  const eni = findInterface(model, networkInterfaceId);
  if (eni === undefined) return unknownInterfaces([networkInterfaceId]);
  if (addresses.includes(eni.primaryIp)) {
    return refused('InvalidParameterValue', `The primary address ${eni.primaryIp} cannot be unassigned.`);
  }
  const missing = addresses.filter((ip) => !eni.secondaryIps.includes(ip));
  if (missing.length > 0) {
    return refused(
      'InvalidParameterValue',
      `[${missing.join(', ')}] are not assigned to ${networkInterfaceId}.`,
    );
  }
  return accepted(
    mapInterfaces(model, (other) => (other === eni ? withoutSecondaries(eni, addresses) : other)),
  );
}

function withoutSecondaries(eni: NetworkInterface, gone: readonly string[]): NetworkInterface {
  return { ...eni, secondaryIps: eni.secondaryIps.filter((ip) => !gone.includes(ip)) };
}

export const limitExceeded = ({ networkInterfaceId }: NetworkInterface, limit: number) =>
  refused(
    'PrivateIpAddressLimitExceeded',
    `Number of private addresses will exceed limit (${limit}) of ${networkInterfaceId}.`,
  );
