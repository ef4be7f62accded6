/**
 * The limits of the instance types that the lab knows. The numbers are those of "Elastic network interfaces"
 * in the EC2 user guide; the IPv6 limit follows the IPv4 one.
 */

export interface InstanceTypeLimits {
  readonly maximumNetworkInterfaces: number;
  readonly ipv4AddressesPerInterface: number;
  readonly ipv6AddressesPerInterface: number;
}

const limits = (interfaces: number, addresses: number): InstanceTypeLimits => ({
  maximumNetworkInterfaces: interfaces,
  ipv4AddressesPerInterface: addresses,
  ipv6AddressesPerInterface: addresses,
});

const LIMITS: Readonly<Record<string, InstanceTypeLimits>> = {
  'c5.large': limits(3, 10),
  'c5.xlarge': limits(4, 15),
  'c5.2xlarge': limits(4, 15),
  'c5.4xlarge': limits(8, 30),
  'c5.9xlarge': limits(8, 30),
  'c5.18xlarge': limits(15, 50),
  'c5.24xlarge': limits(15, 50),
  'm5.24xlarge': limits(15, 50),
};

export const knownInstanceTypes: readonly string[] = Object.keys(LIMITS);

/** @throws Error for a type that the lab does not know: add it to the table. */
export function limitsOf(instanceType: string): InstanceTypeLimits {
  const found = Object.hasOwn(LIMITS, instanceType) ? LIMITS[instanceType] : undefined;
  if (found === undefined) throw new Error(`the lab knows no instance type ${instanceType}`);
  return found;
}
