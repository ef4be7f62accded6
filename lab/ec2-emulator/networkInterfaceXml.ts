/** A network interface as DescribeNetworkInterfaces and DescribeInstances write it. */
import { tagSet } from './describe';
import { elasticIpOn } from './elasticIps';
import { addressesOf, ipv6AddressesOf, subnetOf } from './model';
import type { Attachment, Ec2Model, ElasticIp, NetworkInterface } from './model';
import { element, itemSet } from './queryProtocol';
import type { XmlElement } from './queryProtocol';

/** For what the model has no time of: one constant is what readers need to parse. */
export const SOME_TIME = '2026-01-01T00:00:00.000Z';

export const statusOfInterface = ({ attachment, service }: NetworkInterface): string => {
  if (service !== undefined) return 'in-use';
  if (attachment === null || attachment.status === 'detached') return 'available';
  return attachment.status === 'attached' ? 'in-use' : attachment.status;
};

const dnsName = (ip: string, region: string): string =>
  `ip-${ip.replaceAll('.', '-')}.${region}.compute.internal`;

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkInterface.html */
export function networkInterfaceXml(model: Ec2Model, eni: NetworkInterface): readonly XmlElement[] {
  const subnet = subnetOf(model, eni);
  return [
    ...commonXml(model, eni, associationXml),
    element('availabilityZone', subnet.availabilityZone),
    element('availabilityZoneId', subnet.availabilityZoneId),
    ...serviceXml(eni),
    tagSet(eni.tags ?? {}),
    ...(eni.attachment === null ? [] : [element('attachment', attachmentXml(model, eni.attachment))]),
  ];
}

/** As a load balancer's: it is attached, by the service and to no instance. */
function serviceXml({ networkInterfaceId, service }: NetworkInterface): readonly XmlElement[] {
  if (service === undefined) return [element('requesterManaged', false)];
  return [
    element('requesterId', service),
    element('requesterManaged', true),
    element('attachment', [
      element('attachmentId', networkInterfaceId.replace('eni-', 'ela-attach-')),
      element('deviceIndex', 1),
      element('instanceOwnerId', service),
      element('status', 'attached'),
      element('attachTime', SOME_TIME),
      element('deleteOnTermination', false),
    ]),
  ];
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceNetworkInterface.html */
export function instanceInterfaceXml(
  model: Ec2Model,
  eni: NetworkInterface,
  attachment: Attachment,
): readonly XmlElement[] {
  return [
    ...commonXml(model, eni, instanceAssociationXml),
    element('attachment', attachmentTermsXml(attachment)),
  ];
}

function commonXml(
  model: Ec2Model,
  eni: NetworkInterface,
  termsOf: (model: Ec2Model, eip: ElasticIp) => readonly XmlElement[],
): readonly XmlElement[] {
  /** The Elastic IP of a private address, where it has one. */
  const associationOn = (ip: string): readonly XmlElement[] => {
    const eip = elasticIpOn(model, eni, ip);
    return eip === undefined ? [] : [element('association', termsOf(model, eip))];
  };
  return [
    element('networkInterfaceId', eni.networkInterfaceId),
    element('subnetId', eni.subnetId),
    element('vpcId', subnetOf(model, eni).vpcId),
    element('description', ''),
    element('ownerId', model.accountId),
    element('status', statusOfInterface(eni)),
    element('macAddress', eni.macAddress),
    element('privateIpAddress', eni.primaryIp),
    element('privateDnsName', dnsName(eni.primaryIp, model.region)),
    element('sourceDestCheck', eni.sourceDestCheck),
    element('interfaceType', 'interface'),
    element('groupSet', []),
    ...associationOn(eni.primaryIp),
    itemSet(
      'ipv6AddressesSet',
      ipv6AddressesOf(eni).map((ip) => [element('ipv6Address', ip), element('isPrimaryIpv6', false)]),
    ),
    itemSet(
      'privateIpAddressesSet',
      addressesOf(eni).map((ip) => [
        element('privateIpAddress', ip),
        element('privateDnsName', dnsName(ip, model.region)),
        element('primary', ip === eni.primaryIp),
        ...associationOn(ip),
      ]),
    ),
  ];
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkInterfaceAssociation.html */
function associationXml(model: Ec2Model, eip: ElasticIp): readonly XmlElement[] {
  return [
    element('allocationId', eip.allocationId),
    element('associationId', eip.association?.associationId ?? ''),
    ...instanceAssociationXml(model, eip),
  ];
}

/** An instance's says less. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceNetworkInterfaceAssociation.html */
function instanceAssociationXml(model: Ec2Model, { publicIp }: ElasticIp): readonly XmlElement[] {
  return [element('ipOwnerId', model.accountId), element('publicDnsName', ''), element('publicIp', publicIp)];
}

function attachmentXml(model: Ec2Model, attachment: Attachment): readonly XmlElement[] {
  return [
    ...attachmentTermsXml(attachment),
    element('instanceId', attachment.instanceId),
    element('instanceOwnerId', model.accountId),
  ];
}

function attachmentTermsXml(attachment: Attachment): readonly XmlElement[] {
  return [
    element('attachmentId', attachment.attachmentId),
    element('deviceIndex', attachment.deviceIndex),
    element('networkCardIndex', attachment.networkCardIndex),
    element('status', attachment.status),
    element('attachTime', attachment.attachedAt ?? SOME_TIME),
    element('deleteOnTermination', attachment.deleteOnTermination),
  ];
}
