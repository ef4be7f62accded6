/** The check of a model that a test or a topology wrote by hand: nothing in it that EC2 could not have. */
import { canonicalDestination } from './destinations';
import { parseCidrBlock } from './ipv4';
import { canonicalIpv6 } from './ipv6';
import {
  addressLimitOf,
  addressesOf,
  findInstance,
  findInterface,
  holderOf,
  inIpv6Subnet,
  inSubnet,
  ipv6AddressesOf,
} from './model';
import type { Ec2Model, ElasticIp, NetworkInterface, RouteTable, Volume } from './model';
import { findPrefixList, isStatic } from './routes';

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
    ...repeated(
      'route table',
      model.routeTables.map(({ routeTableId }) => routeTableId),
    ),
    ...repeated(
      'Elastic IP',
      model.elasticIps.map(({ allocationId }) => allocationId),
    ),
    ...repeated(
      'volume',
      model.volumes.map(({ volumeId }) => volumeId),
    ),
    ...model.volumes.flatMap((volume) => volumeMistakes(model, volume)),
    ...model.routeTables.flatMap((table) => tableMistakes(model, table)),
    ...model.elasticIps.flatMap((eip) => elasticIpMistakes(model, eip)),
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
    ...ipv6AddressesOf(eni).flatMap((ip) =>
      inIpv6Subnet(subnet, ip) && canonicalIpv6(ip) === ip
        ? []
        : [
            `${name}: ${ip} is not in ${subnet.ipv6CidrBlock ?? 'any IPv6 block'}, or not as RFC 5952 spells it`,
          ],
    ),
    ...[...addressesOf(eni), ...ipv6AddressesOf(eni)].flatMap((ip) => {
      const holder = holderOf(model, subnet.vpcId, ip)?.networkInterfaceId;
      return holder === name ? [] : [`${name}: ${ip} is on ${holder ?? 'nothing'}, too`];
    }),
    ...repeated(`${name}: address`, [...addressesOf(eni), ...ipv6AddressesOf(eni)]),
    ...(
      [
        ['ipv4', addressesOf(eni)],
        ['ipv6', ipv6AddressesOf(eni)],
      ] as const
    ).flatMap(([family, ips]) =>
      ips.length > addressLimitOf(model, eni, family)
        ? [`${name}: more than ${addressLimitOf(model, eni, family)} addresses of ${family}`]
        : [],
    ),
  ];
}

function volumeMistakes(
  model: Ec2Model,
  { volumeId, availabilityZone, attachment }: Volume,
): readonly string[] {
  if (!/^vol-([0-9a-f]{8}|[0-9a-f]{17})$/.test(volumeId)) return [`${volumeId} is no volume id`];
  if (attachment === null) return [];
  const instance = findInstance(model, attachment.instanceId);
  if (instance === undefined) return [`${volumeId}: no instance ${attachment.instanceId}`];
  return instance.availabilityZone === availabilityZone
    ? []
    : [`${volumeId}: is in ${availabilityZone}, its instance in ${instance.availabilityZone}`];
}

function tableMistakes(model: Ec2Model, table: RouteTable): readonly string[] {
  const name = table.routeTableId;
  return [
    ...repeated(
      `${name}: route`,
      table.routes.filter(isStatic).map(({ destination }) => `${destination.kind} ${destination.value}`),
    ),
    ...table.subnetIds.flatMap((id) =>
      model.subnets.some(({ subnetId }) => subnetId === id) ? [] : [`${name}: no subnet ${id}`],
    ),
    ...table.routes.flatMap(({ destination: { kind, value } }) => {
      const canonical = canonicalDestination({ kind, value })?.value;
      if (canonical !== value) return [`${name}: ${value} is no ${kind} destination as EC2 stores it`];
      const known = kind !== 'prefixList' || findPrefixList(model, value) !== undefined;
      return known ? [] : [`${name}: no prefix list ${value}`];
    }),
  ];
}

function elasticIpMistakes(model: Ec2Model, { allocationId, association }: ElasticIp): readonly string[] {
  if (!/^eipalloc-[0-9a-f]{8,17}$/.test(allocationId)) return [`${allocationId} is no allocation id`];
  if (association === null) return [];
  const { networkInterfaceId, privateIp } = association;
  const eni = findInterface(model, networkInterfaceId);
  return eni !== undefined && addressesOf(eni).includes(privateIp)
    ? []
    : [`${allocationId}: ${privateIp} is not on ${networkInterfaceId}`];
}

function repeated(what: string, ids: readonly string[]): readonly string[] {
  return ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `${what} ${id} appears twice`);
}
