/**
 * What the calls of the API do to IPv6 addresses. None is ever taken from another interface: there is no
 * reassignment in this family.
 */
import { accepted, refused } from './ec2Error';
import type { Outcome } from './ec2Error';
import { mapInterfaces } from './elasticIps';
import { canonicalIpv6 } from './ipv6';
import {
  addressLimitOf,
  findInterface,
  inIpv6Subnet,
  ipv6AddressesOf,
  isHeldByAnother,
  isReservedIpv6,
  subnetOf,
} from './model';
import type { Ec2Model, NetworkInterface } from './model';
import { limitExceeded } from './privateAddresses';
import { unknownInterfaces } from './unknownIds';

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssignIpv6Addresses.html */
export function assignIpv6Addresses(
  model: Ec2Model,
  networkInterfaceId: string,
  asked: readonly string[],
): Outcome<Ec2Model> {
  const eni = findInterface(model, networkInterfaceId);
  if (eni === undefined) return unknownInterfaces([networkInterfaceId]);
  const addresses = canonicalAddresses(asked);
  if (!addresses.ok) return addresses;
  for (const ip of addresses.value) {
    const refusal = whyNotAssignable(model, eni, ip);
    if (refusal !== undefined) return refusal;
  }
  // That an address which is there already is a success is inferred.
  const added = [...new Set(addresses.value)].filter((ip) => !ipv6AddressesOf(eni).includes(ip));
  const limit = addressLimitOf(model, eni, 'ipv6');
  if (ipv6AddressesOf(eni).length + added.length > limit) return limitExceeded(eni, limit);
  return accepted(changed(model, eni, [...ipv6AddressesOf(eni), ...added]));
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UnassignIpv6Addresses.html */
export function unassignIpv6Addresses(
  model: Ec2Model,
  networkInterfaceId: string,
  asked: readonly string[],
): Outcome<Ec2Model> {
  const eni = findInterface(model, networkInterfaceId);
  if (eni === undefined) return unknownInterfaces([networkInterfaceId]);
  const addresses = canonicalAddresses(asked);
  if (!addresses.ok) return addresses;
  const missing = addresses.value.filter((ip) => !ipv6AddressesOf(eni).includes(ip));
  if (missing.length > 0) {
    return refused(
      'InvalidParameterValue',
      `[${missing.join(', ')}] are not assigned to ${networkInterfaceId}.`,
    );
  }
  const left = ipv6AddressesOf(eni).filter((ip) => !addresses.value.includes(ip));
  return accepted(changed(model, eni, left));
}

function canonicalAddresses(asked: readonly string[]): Outcome<readonly string[]> {
  const bad = asked.find((ip) => canonicalIpv6(ip) === undefined);
  return bad === undefined
    ? accepted(asked.map((ip) => canonicalIpv6(ip) ?? ip))
    : refused('InvalidParameterValue', `Value (${bad}) for parameter ipv6Addresses is invalid.`);
}

/** The codes of all these are inferred: EC2 documents none for this call. */
function whyNotAssignable(model: Ec2Model, eni: NetworkInterface, ip: string) {
  const subnet = subnetOf(model, eni);
  if (!inIpv6Subnet(subnet, ip)) {
    return refused('InvalidParameterValue', `Address ${ip} does not fall within the subnet's address range.`);
  }
  if (isReservedIpv6(subnet, ip)) {
    return refused('InvalidParameterValue', `Address ${ip} is in subnet's reserved address range.`);
  }
  return isHeldByAnother(model, eni, ip)
    ? refused('InvalidParameterValue', `Address ${ip} is assigned to another network interface.`)
    : undefined;
}

const changed = (model: Ec2Model, eni: NetworkInterface, ipv6Addresses: readonly string[]): Ec2Model =>
  mapInterfaces(model, (other) => (other === eni ? { ...eni, ipv6Addresses } : other));
