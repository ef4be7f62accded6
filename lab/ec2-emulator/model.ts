/**
 * What the emulated region holds, as immutable plain data: a change makes a new model, so that an old one can
 * be kept and shown to a stale reader. Names are those of the EC2 API. No behaviour beyond look-ups and the
 * check of a model that a test or a topology wrote by hand.
 */
import { parseCidrBlock, parseIpv4 } from './ipv4';

export interface Subnet {
  readonly subnetId: string;
  readonly vpcId: string;
  readonly cidrBlock: string;
  readonly availabilityZone: string;
  readonly availabilityZoneId: string;
}

export type InstanceState = 'pending' | 'running' | 'stopping' | 'stopped' | 'shutting-down' | 'terminated';

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceStatusSummary.html */
export type StatusCheck = 'ok' | 'impaired' | 'insufficient-data' | 'not-applicable' | 'initializing';

export interface Instance {
  readonly instanceId: string;
  readonly instanceType: string;
  readonly availabilityZone: string;
  readonly state: InstanceState;
  readonly instanceStatus: StatusCheck;
  readonly systemStatus: StatusCheck;
}

export interface Attachment {
  readonly attachmentId: string;
  readonly instanceId: string;
  readonly deviceIndex: number;
  readonly networkCardIndex: number;
  readonly status: 'attaching' | 'attached' | 'detaching' | 'detached';
  readonly deleteOnTermination: boolean;
}

export interface NetworkInterface {
  readonly networkInterfaceId: string;
  readonly subnetId: string;
  readonly macAddress: string;
  readonly primaryIp: string;
  readonly secondaryIps: readonly string[];
  /** In their canonical form; none unless given. */
  readonly ipv6Addresses?: readonly string[];
  /** Addresses the instance type allows on one interface; the primary counts. */
  readonly addressLimit: number;
  readonly sourceDestCheck: boolean;
  readonly attachment: Attachment | null;
}

export interface Ec2Model {
  readonly region: string;
  readonly accountId: string;
  readonly subnets: readonly Subnet[];
  readonly instances: readonly Instance[];
  readonly networkInterfaces: readonly NetworkInterface[];
}

export const addressesOf = (eni: NetworkInterface): readonly string[] => [eni.primaryIp, ...eni.secondaryIps];

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

/** The interface that holds an address in a VPC, as primary or secondary. */
export function holderOf(model: Ec2Model, vpcId: string, ip: string): NetworkInterface | undefined {
  return model.networkInterfaces.find(
    (eni) => addressesOf(eni).includes(ip) && subnetOf(model, eni).vpcId === vpcId,
  );
}

/** @throws Error naming every mistake of a model that could not exist in EC2. */
export function checkModel(model: Ec2Model): void {
  const mistakes = [
    ...repeated(
      'subnet',
      model.subnets.map(({ subnetId }) => subnetId),
    ),
    ...repeated(
      'instance',
      model.instances.map(({ instanceId }) => instanceId),
    ),
    ...repeated(
      'interface',
      model.networkInterfaces.map(({ networkInterfaceId }) => networkInterfaceId),
    ),
    ...model.subnets.flatMap(({ subnetId, cidrBlock }) =>
      parseCidrBlock(cidrBlock) === undefined ? [`${subnetId}: ${cidrBlock} is no CIDR block`] : [],
    ),
    ...model.networkInterfaces.flatMap((eni) => interfaceMistakes(model, eni)),
  ];
  if (mistakes.length > 0) throw new Error(`impossible EC2 model: ${mistakes.join('; ')}`);
}

function interfaceMistakes(model: Ec2Model, eni: NetworkInterface): readonly string[] {
  const name = eni.networkInterfaceId;
  const subnet = model.subnets.find(({ subnetId }) => subnetId === eni.subnetId);
  if (subnet === undefined) return [`${name}: no subnet ${eni.subnetId}`];
  const instanceId = eni.attachment?.instanceId;
  return [
    ...(instanceId !== undefined && findInstance(model, instanceId) === undefined
      ? [`${name}: no instance ${instanceId}`]
      : []),
    ...addressesOf(eni).flatMap((ip) =>
      inSubnet(subnet, ip) ? [] : [`${name}: ${ip} is not in ${subnet.cidrBlock}`],
    ),
    ...addressesOf(eni).flatMap((ip) => {
      const holder = holderOf(model, subnet.vpcId, ip)?.networkInterfaceId;
      return holder === name ? [] : [`${name}: ${ip} is on ${holder ?? 'nothing'}, too`];
    }),
    ...repeated(`${name}: address`, addressesOf(eni)),
    ...(addressesOf(eni).length > eni.addressLimit
      ? [`${name}: more than ${eni.addressLimit} addresses`]
      : []),
  ];
}

function repeated(what: string, ids: readonly string[]): readonly string[] {
  return ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `${what} ${id} appears twice`);
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
