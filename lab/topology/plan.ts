/**
 * Who is who in the lab: two routers of one Availability Zone, joined by as many subnets as asked for, with
 * one floating address on each. Names, addresses and EC2 ids follow from the number of interfaces alone, so
 * that every run of the lab looks the same. Plain data; nothing runs here.
 */
import type { Ec2Region, Instance, NetworkInterface, Subnet } from '../ec2-emulator/model';
import { linksOf, pathOf, plannedSessions, tunnelsOf, type Sessions } from './sessions';
import type { SecondaryAddressPlan, TargetPlan } from './targets';

export type RouterName = 'rtr1' | 'rtr2';
export const routerNames: readonly RouterName[] = ['rtr1', 'rtr2'];
export const peerOf = (name: RouterName): RouterName => (name === 'rtr1' ? 'rtr2' : 'rtr1');

/** What an instance type with many interfaces allows: m5.24xlarge has 15, the first of them for management. */
export const MOST_INTERFACES = 14;

export type InterfacePlan = {
  /** Device index as EC2 counts it; 0 is the management interface. The same on both routers. */
  readonly deviceIndex: number;
  /** The same on both routers. */
  readonly name: string;
  readonly subnetId: string;
  readonly cidrBlock: string;
  readonly ipv6CidrBlock: string;
  readonly floatingAddress: string;
  /** Null where only IPv4 addresses float. */
  readonly floatingIpv6Address: string | null;
  readonly primaryAddress: Readonly<Record<RouterName, string>>;
  readonly ipv6Address: Readonly<Record<RouterName, string>>;
  /** A GRE tunnel to the peer over this interface: its name, and its ends, which EC2 does not know. */
  readonly tunnel: { readonly name: string; readonly address: Readonly<Record<RouterName, string>> };
  readonly networkInterfaceId: Readonly<Record<RouterName, string>>;
};

/** What joins the routers: the interface, the same on both, and the addresses at its ends. */
export type LinkPlan = {
  readonly name: string;
  /** The interface whose subnet carries it: itself, or that of a tunnel. */
  readonly over: string;
  readonly address: Readonly<Record<RouterName, string>>;
};

/** A way from router to router that a BFD session watches. */
export type PathPlan = {
  /** The interface that it leaves by, the same on both routers. */
  readonly name: string;
  readonly sessionType: 'SINGLE_HOP' | 'MULTI_HOP';
  readonly address: Readonly<Record<RouterName, string>>;
};

/** By device index as EC2 counts it. */
type PlannedInterface = {
  readonly deviceIndex: number;
  readonly name: string;
  readonly primaryAddress: Readonly<Record<RouterName, string>>;
};

/** What any lab has, in one zone or across two. */
export type LabPlan<Interface = PlannedInterface> = {
  readonly region: string;
  readonly vpcId: string;
  readonly instanceId: Readonly<Record<RouterName, string>>;
  /** By device index, the management interface first; then those that EC2 knows nothing of. */
  readonly routerInterfaces: readonly string[];
  readonly interfaces: readonly Interface[];
  readonly links: readonly LinkPlan[];
  /** One for each session. */
  readonly paths: readonly PathPlan[];
  readonly targets: readonly TargetPlan[];
};

/** The interfaces are in device order, without the management interface. */
export type TopologyPlan = LabPlan<InterfacePlan>;

export const MANAGEMENT_INTERFACE = 'MgmtEth0/RP0/CPU0/0';
const VPC_ID = 'vpc-0b7d41c5e92a38f60';
const AVAILABILITY_ZONE = 'us-west-2a';
export const MANAGEMENT_SUBNET_ID = 'subnet-0c3e9f5a7d1b28000';
const MANAGEMENT_SUBNET = { subnetId: MANAGEMENT_SUBNET_ID, prefix: '172.31.99' };
const instanceIds = { rtr1: 'i-0a1f93c7d25be8401', rtr2: 'i-0b2e64d8a17cf3902' } as const;
/** An instance that is neither router of the pair. */
const BYSTANDER_ID = 'i-0c3f75e9b28d04c03';
const BYSTANDER_HOST = 77;
const managementHosts = { rtr1: 11, rtr2: 12 } as const;
const dataHosts = { rtr1: 101, rtr2: 241 } as const;
const FLOATING_HOST = 10;

export type PlanOptions = {
  /** Whether every interface has a floating IPv6 address, too. Default: no. */
  readonly ipv6?: boolean;
  /**
   * BFD sessions, on the first interfaces: how many, of the kind IPv4, or the kind of each. Default: two. A router
   * accepts multi-hop only where it is told to.
   */
  readonly sessions?: Sessions;
};

/** @throws RangeError for a number of interfaces that no instance has. */
export function planTopology(count: number, { ipv6 = false, sessions = 2 }: PlanOptions = {}): TopologyPlan {
  if (!Number.isInteger(count) || count < 1 || count > MOST_INTERFACES) {
    throw new RangeError(`a router of the lab has 1 to ${MOST_INTERFACES} target interfaces, not ${count}`);
  }
  const interfaces = Array.from({ length: count }, (_, place) => planInterface(place + 1, ipv6));
  const planned = plannedSessions(sessions, interfaces);
  return {
    region: 'us-west-2',
    vpcId: VPC_ID,
    instanceId: instanceIds,
    routerInterfaces: [
      MANAGEMENT_INTERFACE,
      ...interfaces.map(({ name }) => name),
      ...tunnelsOf(planned).map(({ name }) => name),
    ],
    links: interfaces.flatMap((on) => linksOf(on, planned)),
    paths: planned.map(pathOf),
    targets: interfaces.flatMap(floatingAddresses),
    interfaces,
  };
}

function floatingAddresses(plan: InterfacePlan): readonly SecondaryAddressPlan[] {
  const { deviceIndex, floatingAddress, floatingIpv6Address } = plan;
  const addresses = [floatingAddress, ...(floatingIpv6Address === null ? [] : [floatingIpv6Address])];
  return addresses.map((address) => ({ kind: 'secondaryAddress', address, deviceIndex }));
}

/** The first two subnets are those of the product's sample configuration, the others follow them. */
function planInterface(deviceIndex: number, ipv6: boolean): InterfacePlan {
  const prefix = `172.31.${deviceIndex === 1 ? 101 : 103 + deviceIndex}`;
  const ipv6Prefix = `2001:db8:31:${hex(deviceIndex, 1)}::`;
  return {
    deviceIndex,
    name: `TenGigE0/0/0/${deviceIndex}`,
    subnetId: `subnet-0c3e9f5a7d1b28${hex(deviceIndex, 3)}`,
    cidrBlock: `${prefix}.0/24`,
    ipv6CidrBlock: `${ipv6Prefix}/64`,
    floatingAddress: `${prefix}.${FLOATING_HOST}`,
    floatingIpv6Address: ipv6 ? `${ipv6Prefix}${FLOATING_HOST}` : null,
    primaryAddress: { rtr1: `${prefix}.${dataHosts.rtr1}`, rtr2: `${prefix}.${dataHosts.rtr2}` },
    ipv6Address: {
      rtr1: `${ipv6Prefix}${dataHosts.rtr1}`,
      rtr2: `${ipv6Prefix}${dataHosts.rtr2}`,
    },
    tunnel: {
      name: `tunnel-ip${deviceIndex}`,
      address: { rtr1: `10.255.${deviceIndex}.1`, rtr2: `10.255.${deviceIndex}.2` },
    },
    networkInterfaceId: {
      rtr1: networkInterfaceId('rtr1', deviceIndex),
      rtr2: networkInterfaceId('rtr2', deviceIndex),
    },
  };
}

/** The interface of the bystander on the subnet of this one. */
export const bystanderInterfaceId = ({ deviceIndex }: InterfacePlan): string =>
  `eni-0c35e9d47c3f86${hex(deviceIndex, 3)}`;

/** The model with a third instance, which has an interface on each subnet of the floating addresses. */
export function withBystander(model: Ec2Region, plan: TopologyPlan): Ec2Region {
  const [router] = model.instances;
  if (router === undefined) throw new Error('a lab without routers');
  const networkInterfaces = plan.interfaces.map((each): NetworkInterface => {
    const id = bystanderInterfaceId(each);
    return {
      networkInterfaceId: id,
      subnetId: each.subnetId,
      macAddress: `02:5e:9d:c3:00:${hex(each.deviceIndex, 2)}`,
      primaryIp: each.cidrBlock.replace(/0\/24$/, `${BYSTANDER_HOST}`),
      secondaryIps: [],
      addressLimit: 50,
      sourceDestCheck: false,
      attachment: {
        attachmentId: id.replace('eni-', 'eni-attach-'),
        instanceId: BYSTANDER_ID,
        deviceIndex: each.deviceIndex - 1,
        networkCardIndex: 0,
        status: 'attached',
        deleteOnTermination: false,
      },
    };
  });
  return {
    ...model,
    instances: [...model.instances, { ...router, instanceId: BYSTANDER_ID }],
    networkInterfaces: [...model.networkInterfaces, ...networkInterfaces],
  };
}

/** `owner` holds every floating address; nobody does where it is null. */
export function ec2Model(plan: TopologyPlan, owner: RouterName | null): Ec2Region {
  return {
    region: plan.region,
    accountId: '123456789012',
    subnets: [
      subnet(MANAGEMENT_SUBNET.subnetId, `${MANAGEMENT_SUBNET.prefix}.0/24`),
      ...plan.interfaces.map(({ subnetId, cidrBlock, ipv6CidrBlock }) => ({
        ...subnet(subnetId, cidrBlock),
        ipv6CidrBlock,
      })),
    ],
    instances: routerNames.map(instance),
    networkInterfaces: routerNames.flatMap((name) => [
      networkInterface(name, 0, {
        subnetId: MANAGEMENT_SUBNET.subnetId,
        primaryIp: `${MANAGEMENT_SUBNET.prefix}.${managementHosts[name]}`,
        secondaryIps: [],
      }),
      ...plan.interfaces.map((each) =>
        networkInterface(name, each.deviceIndex, {
          subnetId: each.subnetId,
          primaryIp: each.primaryAddress[name],
          secondaryIps: owner === name ? [each.floatingAddress] : [],
          ipv6Addresses: [
            each.ipv6Address[name],
            ...(owner === name && each.floatingIpv6Address !== null ? [each.floatingIpv6Address] : []),
          ],
        }),
      ),
    ]),
  };
}

const subnet = (subnetId: string, cidrBlock: string): Subnet => ({
  subnetId,
  vpcId: VPC_ID,
  cidrBlock,
  availabilityZone: AVAILABILITY_ZONE,
  availabilityZoneId: 'usw2-az1',
});

const instance = (name: RouterName): Instance => ({
  instanceId: instanceIds[name],
  instanceType: 'm5.24xlarge',
  availabilityZone: AVAILABILITY_ZONE,
  state: 'running',
  instanceStatus: 'ok',
  systemStatus: 'ok',
});

function networkInterface(
  name: RouterName,
  deviceIndex: number,
  addresses: Pick<NetworkInterface, 'subnetId' | 'primaryIp' | 'secondaryIps' | 'ipv6Addresses'>,
): NetworkInterface {
  const id = networkInterfaceId(name, deviceIndex);
  return {
    networkInterfaceId: id,
    macAddress: `02:5e:9d:${name === 'rtr1' ? 'a1' : 'b2'}:00:${hex(deviceIndex, 2)}`,
    addressLimit: 50,
    sourceDestCheck: false,
    attachment: {
      attachmentId: id.replace('eni-', 'eni-attach-'),
      instanceId: instanceIds[name],
      deviceIndex,
      networkCardIndex: 0,
      status: 'attached',
      deleteOnTermination: deviceIndex === 0,
    },
    ...addresses,
  };
}

const networkInterfaceId = (name: RouterName, deviceIndex: number): string =>
  `eni-0${name === 'rtr1' ? 'a1' : 'b2'}5e9d47c3f86${hex(deviceIndex, 3)}`;

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
