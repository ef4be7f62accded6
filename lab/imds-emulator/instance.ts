/** What the metadata service knows of its instance, read from the EC2 emulator's model. */
import { elasticIpsOf } from '../ec2-emulator/elasticIps';
import { addressesOf, findInstance, interfacesOf, ipv6AddressesOf, subnetOf } from '../ec2-emulator/model';
import type { Instance, Subnet } from '../ec2-emulator/model';
import type { Ec2World } from '../ec2-emulator/world';

export interface ImdsInterface {
  readonly macAddress: string;
  readonly networkInterfaceId: string;
  readonly deviceNumber: number;
  readonly networkCardIndex: number;
  /** The primary first. */
  readonly localIpv4s: readonly string[];
  readonly ipv6s: readonly string[];
  /** Elastic IPs, each with the private address that it is on. */
  readonly ipv4Associations: readonly { readonly publicIp: string; readonly privateIp: string }[];
  readonly subnetId: string;
  readonly subnetIpv4CidrBlock: string;
  /** Undefined: the subnet has no IPv6. */
  readonly subnetIpv6CidrBlock: string | undefined;
  readonly vpcId: string;
}

export interface ImdsInstance {
  readonly instanceId: string;
  readonly instanceType: string;
  readonly accountId: string;
  readonly region: string;
  readonly availabilityZone: string;
  readonly availabilityZoneId: string;
  /** In device order; the first one is the primary interface. */
  readonly interfaces: readonly ImdsInterface[];
}

/** The instance as it was `ageMs` ago. @throws Error when the world has no such instance. */
export function imdsInstance(world: Ec2World, instanceId: string, ageMs = 0): ImdsInstance {
  const model = ageMs > 0 ? world.modelAgo(ageMs) : world.model;
  const instance = findInstance(model, instanceId);
  if (instance === undefined) throw new Error(`no instance ${instanceId} in the EC2 model`);
  return {
    instanceId,
    instanceType: instance.instanceType,
    accountId: model.accountId,
    region: model.region,
    availabilityZone: instance.availabilityZone,
    availabilityZoneId: model.subnets.find(isIn(instance))?.availabilityZoneId ?? '',
    interfaces: interfacesOf(model, instanceId).map((eni) => ({
      macAddress: eni.macAddress,
      networkInterfaceId: eni.networkInterfaceId,
      deviceNumber: eni.attachment?.deviceIndex ?? 0,
      networkCardIndex: eni.attachment?.networkCardIndex ?? 0,
      localIpv4s: addressesOf(eni),
      ipv6s: ipv6AddressesOf(eni),
      ipv4Associations: elasticIpsOf(model, eni).map(({ publicIp, association }) => ({
        publicIp,
        privateIp: association?.privateIp ?? '',
      })),
      subnetId: eni.subnetId,
      subnetIpv4CidrBlock: subnetOf(model, eni).cidrBlock,
      subnetIpv6CidrBlock: subnetOf(model, eni).ipv6CidrBlock,
      vpcId: subnetOf(model, eni).vpcId,
    })),
  };
}

const isIn =
  ({ availabilityZone }: Instance) =>
  (subnet: Subnet): boolean =>
    subnet.availabilityZone === availabilityZone;
