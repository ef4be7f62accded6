/**
 * What the emulated region holds, as immutable plain data: a change makes a new model, so that an old one can
 * be kept and shown to a stale reader. Names are those of the EC2 API. No behaviour beyond look-ups.
 */
import type { ApplicationCheck } from './applicationChecks';
import type { Destination } from './destinations';
import { limitsOf } from './instanceTypes';
import { parseCidrBlock, parseIpv4 } from './ipv4';
import { parseIpv6, parseIpv6CidrBlock } from './ipv6';

export interface Subnet {
  readonly subnetId: string;
  readonly vpcId: string;
  readonly cidrBlock: string;
  /** Absent: IPv4 only. */
  readonly ipv6CidrBlock?: string;
  readonly availabilityZone: string;
  readonly availabilityZoneId: string;
}

export type InstanceState = 'pending' | 'running' | 'stopping' | 'stopped' | 'shutting-down' | 'terminated';

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceStatusSummary.html */
export type StatusCheck = 'ok' | 'impaired' | 'insufficient-data' | 'not-applicable' | 'initializing';

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceStatusEvent.html */
export const EVENT_CODES = [
  'instance-reboot',
  'system-reboot',
  'system-maintenance',
  'instance-retirement',
  'instance-stop',
] as const;

/** Maintenance that AWS announces. Only the id and the code are there in every one. Times in ISO 8601. */
export interface ScheduledEvent {
  readonly instanceEventId: string;
  readonly code: (typeof EVENT_CODES)[number];
  /** For a week after an event that is over it begins with `[Completed]` or `[Canceled]`. */
  readonly description?: string;
  readonly notBefore?: string;
  readonly notAfter?: string;
  readonly notBeforeDeadline?: string;
}

export interface Instance {
  readonly instanceId: string;
  readonly instanceType: string;
  readonly availabilityZone: string;
  readonly state: InstanceState;
  readonly instanceStatus: StatusCheck;
  readonly systemStatus: StatusCheck;
  /** Absent: none. */
  readonly events?: readonly ScheduledEvent[];
  /** How often its guest was told to boot: each reboot counts one more. Absent: once. */
  readonly boots?: number;
  /** ISO 8601. Absent: some time ago. */
  readonly launchedAt?: string;
  readonly tags?: Tags;
}

export interface Attachment {
  readonly attachmentId: string;
  readonly instanceId: string;
  readonly deviceIndex: number;
  readonly networkCardIndex: number;
  readonly status: 'attaching' | 'attached' | 'detaching' | 'detached';
  /** ISO 8601. Absent: some time ago. */
  readonly attachedAt?: string;
  readonly deleteOnTermination: boolean;
}

export interface NetworkInterface {
  readonly networkInterfaceId: string;
  readonly subnetId: string;
  readonly macAddress: string;
  readonly primaryIp: string;
  readonly secondaryIps: readonly string[];
  /** In the spelling of RFC 5952. Absent: none. */
  readonly ipv6Addresses?: readonly string[];
  /**
   * Addresses of either family that EC2 allows on it, where that is to be another number than that of its
   * instance's type; the primary counts.
   */
  readonly addressLimit?: number;
  readonly sourceDestCheck: boolean;
  readonly attachment: Attachment | null;
  /** The service of AWS that has it (`amazon-elb`): in use, and attached to no instance. Absent: none. */
  readonly service?: string;
  readonly tags?: Tags;
}

export type Tags = Readonly<Record<string, string>>;

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VolumeAttachment.html */
export interface VolumeAttachment {
  readonly instanceId: string;
  readonly device: string;
  readonly status: 'attaching' | 'attached' | 'detaching';
  /** ISO 8601. Absent: some time ago. */
  readonly attachedAt?: string;
  readonly deleteOnTermination: boolean;
}

export interface Volume {
  readonly volumeId: string;
  readonly availabilityZone: string;
  readonly sizeGib: number;
  readonly tags: Tags;
  readonly attachment: VolumeAttachment | null;
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html */
export type RouteTarget =
  | { readonly kind: 'local' }
  | {
      readonly kind: 'networkInterface' | 'gateway' | 'natGateway' | 'transitGateway';
      readonly id: string;
    };

export type RouteOrigin = 'CreateRouteTable' | 'CreateRoute' | 'EnableVgwRoutePropagation' | 'Advertisement';

/** Whether it is a black hole follows from its target: routes.ts. */
export interface Route {
  readonly destination: Destination;
  readonly target: RouteTarget;
  readonly origin: RouteOrigin;
}

export interface RouteTable {
  readonly routeTableId: string;
  readonly vpcId: string;
  readonly tags: Tags;
  /** Subnets that are associated by name; the main table has all others, which EC2 does not list. */
  readonly subnetIds: readonly string[];
  readonly main: boolean;
  readonly routes: readonly Route[];
}

export interface PrefixList {
  readonly prefixListId: string;
  readonly family: 'ipv4' | 'ipv6';
  /** What a route to the list counts in its table. */
  readonly maxEntries: number;
}

export interface ElasticIp {
  readonly allocationId: string;
  readonly publicIp: string;
  /** The service of AWS that manages it, and nobody else may associate it. Absent: none. */
  readonly serviceManaged?: 'alb' | 'nlb' | 'rds' | 'rnat';
  readonly tags: Tags;
  readonly association: {
    readonly associationId: string;
    readonly networkInterfaceId: string;
    readonly privateIp: string;
  } | null;
}

/** What one account may have, and where EC2 does otherwise than its documentation says. */
export interface AccountSettings {
  /** Static routes of a table, counted for each address family. */
  readonly routesPerTable: number;
  /** What ReplaceRoute says of a route that is not there: seen in AWS, or documented (InvalidRoute.NotFound). */
  readonly missingRouteCode: 'InvalidParameterValue' | 'InvalidRoute.NotFound';
}

export interface Ec2Model {
  readonly region: string;
  readonly accountId: string;
  readonly subnets: readonly Subnet[];
  readonly instances: readonly Instance[];
  readonly networkInterfaces: readonly NetworkInterface[];
  readonly routeTables: readonly RouteTable[];
  readonly prefixLists: readonly PrefixList[];
  readonly elasticIps: readonly ElasticIp[];
  readonly volumes: readonly Volume[];
  readonly applicationChecks: readonly ApplicationCheck[];
  readonly settings: AccountSettings;
}

type Optional = 'routeTables' | 'prefixLists' | 'elasticIps' | 'volumes' | 'applicationChecks' | 'settings';
/** A model as one writes it: what a region without routes, Elastic IPs and volumes does not need may be left out. */
export type Ec2Region = Omit<Ec2Model, Optional> & Partial<Pick<Ec2Model, Optional>>;

export const defaultSettings: AccountSettings = {
  routesPerTable: 50,
  missingRouteCode: 'InvalidParameterValue',
};

export const completeModel = (region: Ec2Region): Ec2Model => ({
  routeTables: [],
  prefixLists: [],
  elasticIps: [],
  volumes: [],
  applicationChecks: [],
  settings: defaultSettings,
  ...region,
});

export const addressesOf = (eni: NetworkInterface): readonly string[] => [eni.primaryIp, ...eni.secondaryIps];

export const ipv6AddressesOf = (eni: NetworkInterface): readonly string[] => eni.ipv6Addresses ?? [];

export function findInterface(model: Ec2Model, networkInterfaceId: string): NetworkInterface | undefined {
  return model.networkInterfaces.find((eni) => eni.networkInterfaceId === networkInterfaceId);
}

export function findInstance(model: Ec2Model, instanceId: string): Instance | undefined {
  return model.instances.find((instance) => instance.instanceId === instanceId);
}

/** The interfaces of an instance in device order, as IMDS and DescribeInstances list them. */
export function interfacesOf(model: Ec2Model, instanceId: string): readonly NetworkInterface[] {
  return model.networkInterfaces
    .filter((eni) => eni.attachment?.instanceId === instanceId)
    .sort((a, b) => (a.attachment?.deviceIndex ?? 0) - (b.attachment?.deviceIndex ?? 0));
}

/** @throws Error when the interface names a subnet that the model does not have: a checked model has it. */
export function subnetOf(model: Ec2Model, eni: NetworkInterface): Subnet {
  const subnet = model.subnets.find(({ subnetId }) => subnetId === eni.subnetId);
  if (subnet === undefined)
    throw new Error(`${eni.networkInterfaceId} is in an unknown subnet ${eni.subnetId}`);
  return subnet;
}

/** The interface that holds an address of either family in a VPC, as primary or secondary. */
export function holderOf(model: Ec2Model, vpcId: string, ip: string): NetworkInterface | undefined {
  return model.networkInterfaces.find(
    (eni) =>
      (addressesOf(eni).includes(ip) || ipv6AddressesOf(eni).includes(ip)) &&
      subnetOf(model, eni).vpcId === vpcId,
  );
}

/** Whether another interface of its VPC holds the address. */
export function isHeldByAnother(model: Ec2Model, eni: NetworkInterface, ip: string): boolean {
  const holder = holderOf(model, subnetOf(model, eni).vpcId, ip);
  return holder !== undefined && holder !== eni;
}

/** How many addresses of one family fit on an interface: the instance type decides, also of a detached one. */
export function addressLimitOf(model: Ec2Model, eni: NetworkInterface, family: 'ipv4' | 'ipv6'): number {
  if (eni.addressLimit !== undefined) return eni.addressLimit;
  const type = findInstance(model, eni.attachment?.instanceId ?? '')?.instanceType;
  // EC2 lets a detached interface have more than any type allows; nobody here needs to know where that ends.
  if (type === undefined) return Infinity;
  const limits = limitsOf(type);
  return family === 'ipv4' ? limits.ipv4AddressesPerInterface : limits.ipv6AddressesPerInterface;
}

export function inSubnet(subnet: Subnet, ip: string): boolean {
  const address = parseIpv4(ip);
  const range = parseCidrBlock(subnet.cidrBlock);
  return address !== undefined && range !== undefined && address >= range.first && address <= range.last;
}

/** The first four addresses and the last one of a subnet are AWS's own. */
export function isReserved(subnet: Subnet, ip: string): boolean {
  const address = parseIpv4(ip);
  const range = parseCidrBlock(subnet.cidrBlock);
  if (address === undefined || range === undefined) return false;
  return address < range.first + 4 || address === range.last;
}

export function inIpv6Subnet(subnet: Subnet, ip: string): boolean {
  const address = parseIpv6(ip);
  const range = parseIpv6CidrBlock(subnet.ipv6CidrBlock ?? '');
  return address !== undefined && range !== undefined && address >= range.first && address <= range.last;
}

/** The first four addresses and the last one here, too. */
export function isReservedIpv6(subnet: Subnet, ip: string): boolean {
  const address = parseIpv6(ip);
  const range = parseIpv6CidrBlock(subnet.ipv6CidrBlock ?? '');
  if (address === undefined || range === undefined) return false;
  return address < range.first + 4n || address === range.last;
}
