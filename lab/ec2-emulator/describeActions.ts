/** The Describe actions of interfaces and instances. They read the model they are given, which a stale-read fault makes an old one. */
import { read } from './actionRequest';
import type { ActionTable, Answer } from './actionRequest';
import { describePage, pageAnswer, tagSet } from './describe';
import type { FilterTable } from './describe';
import { refused } from './ec2Error';
import { elasticIpsOf } from './elasticIps';
import { addressesOf, interfacesOf, ipv6AddressesOf, subnetOf } from './model';
import type {
  Ec2Model,
  Instance,
  InstanceState,
  NetworkInterface,
  ScheduledEvent,
  StatusCheck,
  Volume,
} from './model';
import {
  SOME_TIME,
  instanceInterfaceXml,
  networkInterfaceXml,
  statusOfInterface,
} from './networkInterfaceXml';
import { element, itemSet, listParam } from './queryProtocol';
import type { QueryParams, XmlElement } from './queryProtocol';
import { unknownInstances, unknownInterfaces } from './unknownIds';
import { volumesOf } from './volumes';

const pages = ['MaxResults', 'NextToken', 'IncludeManagedResources'] as const;

export const describeActions: ActionTable = {
  DescribeNetworkInterfaces: read(['NetworkInterfaceId', ...pages], describeNetworkInterfaces),
  DescribeInstances: read(['InstanceId', ...pages], describeInstances),
  DescribeInstanceStatus: read(['InstanceId', 'IncludeAllInstances', ...pages], describeInstanceStatus),
};

const interfaceFilters = (model: Ec2Model): FilterTable<NetworkInterface> => ({
  'addresses.private-ip-address': addressesOf,
  'private-ip-address': addressesOf,
  'ipv6-addresses.ipv6-address': ipv6AddressesOf,
  'association.allocation-id': (eni) => elasticIpsOf(model, eni).map(({ allocationId }) => allocationId),
  'addresses.association.public-ip': (eni) => elasticIpsOf(model, eni).map(({ publicIp }) => publicIp),
  'addresses.primary': (eni) => addressesOf(eni).map((ip) => ip === eni.primaryIp),
  'vpc-id': (eni) => [subnetOf(model, eni).vpcId],
  'subnet-id': (eni) => [eni.subnetId],
  'availability-zone': (eni) => [subnetOf(model, eni).availabilityZone],
  'network-interface-id': (eni) => [eni.networkInterfaceId],
  'mac-address': (eni) => [eni.macAddress],
  'source-dest-check': (eni) => [eni.sourceDestCheck],
  status: (eni) => [statusOfInterface(eni)],
  'attachment.attachment-id': ({ attachment }) => (attachment ? [attachment.attachmentId] : []),
  'attachment.instance-id': ({ attachment }) => (attachment ? [attachment.instanceId] : []),
  'attachment.network-card-index': ({ attachment }) => (attachment ? [attachment.networkCardIndex] : []),
  'attachment.device-index': ({ attachment }) => (attachment ? [attachment.deviceIndex] : []),
  'attachment.status': ({ attachment }) => (attachment ? [attachment.status] : []),
});

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html */
function describeNetworkInterfaces(model: Ec2Model, params: QueryParams): Answer {
  const page = describePage(params, {
    resources: model.networkInterfaces,
    filters: interfaceFilters(model),
    tagsOf: ({ tags = {} }) => tags,
    requestedIds: listParam(params, 'NetworkInterfaceId'),
    idOf: (eni) => eni.networkInterfaceId,
    unknownIds: unknownInterfaces,
  });
  return pageAnswer(page, 'networkInterfaceSet', (eni) => networkInterfaceXml(model, eni));
}

const instanceFilters = (model: Ec2Model): FilterTable<Instance> => ({
  'instance-id': (instance) => [instance.instanceId],
  'instance-state-name': (instance) => [instance.state],
  'availability-zone': (instance) => [instance.availabilityZone],
  'vpc-id': (instance) => interfacesOf(model, instance.instanceId).map((eni) => subnetOf(model, eni).vpcId),
  'network-interface.addresses.private-ip-address': (instance) =>
    interfacesOf(model, instance.instanceId).flatMap(addressesOf),
});

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html */
function describeInstances(model: Ec2Model, params: QueryParams): Answer {
  const page = describePage(params, {
    resources: model.instances,
    filters: instanceFilters(model),
    tagsOf: ({ tags = {} }) => tags,
    ...byInstanceId(params),
  });
  return pageAnswer(page, 'reservationSet', (instance) => [
    element('reservationId', `r-${instance.instanceId.slice(2)}`),
    element('ownerId', model.accountId),
    element('groupSet', []),
    itemSet('instancesSet', [instanceXml(model, instance)]),
  ]);
}

function instanceXml(model: Ec2Model, instance: Instance): readonly XmlElement[] {
  const interfaces = interfacesOf(model, instance.instanceId);
  const [first] = interfaces;
  return [
    element('instanceId', instance.instanceId),
    stateXml(instance.state),
    element('instanceType', instance.instanceType),
    element('launchTime', instance.launchedAt ?? SOME_TIME),
    element('placement', [
      element('availabilityZone', instance.availabilityZone),
      element('tenancy', 'default'),
    ]),
    ...(first === undefined
      ? []
      : [
          element('subnetId', first.subnetId),
          element('vpcId', subnetOf(model, first).vpcId),
          element('privateIpAddress', first.primaryIp),
          element('sourceDestCheck', first.sourceDestCheck),
        ]),
    itemSet(
      'networkInterfaceSet',
      interfaces.flatMap((eni) =>
        eni.attachment === null ? [] : [instanceInterfaceXml(model, eni, eni.attachment)],
      ),
    ),
    itemSet(
      'blockDeviceMapping',
      volumesOf(model, instance.instanceId).flatMap((volume) => blockDeviceXml(volume)),
    ),
    tagSet(instance.tags ?? {}),
  ];
}

function blockDeviceXml({ volumeId, attachment }: Volume): readonly (readonly XmlElement[])[] {
  if (attachment === null) return [];
  const { device, status, attachedAt = SOME_TIME, deleteOnTermination } = attachment;
  return [
    [
      element('deviceName', device),
      element('ebs', [
        element('volumeId', volumeId),
        element('status', status),
        element('attachTime', attachedAt),
        element('deleteOnTermination', deleteOnTermination),
      ]),
    ],
  ];
}

const statusFilters: FilterTable<Instance> = {
  'instance-state-name': (instance) => [instance.state],
  'instance-state-code': (instance) => [STATE_CODES[instance.state]],
  'availability-zone': (instance) => [instance.availabilityZone],
  'instance-status.status': (instance) => [shownChecks(instance).instanceStatus],
  'instance-status.reachability': (instance) => reachability(shownChecks(instance).instanceStatus),
  'system-status.status': (instance) => [shownChecks(instance).systemStatus],
  'system-status.reachability': (instance) => reachability(shownChecks(instance).systemStatus),
  'event.code': ({ events = [] }) => events.map(({ code }) => code),
};

const INSTANCE_IDS_MAX = 100;

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceStatus.html */
function describeInstanceStatus(model: Ec2Model, params: QueryParams): Answer {
  if (listParam(params, 'InstanceId').length > INSTANCE_IDS_MAX) {
    // The limit is documented, the error is inferred.
    return refused(
      'InvalidParameterValue',
      `At most ${INSTANCE_IDS_MAX} instance ids are taken in one call.`,
    );
  }
  const everyState = params.get('IncludeAllInstances') === 'true';
  const page = describePage(params, {
    resources: model.instances,
    filters: statusFilters,
    isShown: ({ state }) => everyState || state === 'running',
    ...byInstanceId(params),
  });
  return pageAnswer(page, 'instanceStatusSet', (instance) => [
    element('instanceId', instance.instanceId),
    element('availabilityZone', instance.availabilityZone),
    stateXml(instance.state),
    checkXml('systemStatus', shownChecks(instance).systemStatus),
    checkXml('instanceStatus', shownChecks(instance).instanceStatus),
    ...eventsXml(instance.events),
  ]);
}

/** An instance without events has no such element. */
function eventsXml(events: readonly ScheduledEvent[] = []): readonly XmlElement[] {
  if (events.length === 0) return [];
  const items = events.map(({ instanceEventId, code, ...others }) => [
    element('instanceEventId', instanceEventId),
    element('code', code),
    ...EVENT_FIELDS.flatMap((name) => (others[name] === undefined ? [] : [element(name, others[name])])),
  ]);
  return [itemSet('eventsSet', items)];
}

const EVENT_FIELDS = ['description', 'notBefore', 'notAfter', 'notBeforeDeadline'] as const;

/** Status checks exist only while an instance runs. */
function shownChecks(instance: Instance): Pick<Instance, 'instanceStatus' | 'systemStatus'> {
  return instance.state === 'running'
    ? instance
    : { instanceStatus: 'not-applicable', systemStatus: 'not-applicable' };
}

function checkXml(name: string, status: StatusCheck): XmlElement {
  const impairedSince = status === 'impaired' ? [element('impairedSince', SOME_TIME)] : [];
  return element(name, [
    element('status', status),
    itemSet(
      'details',
      reachability(status).map((result) => [
        element('name', 'reachability'),
        element('status', result),
        ...impairedSince,
      ]),
    ),
  ]);
}

/** What the only test behind a check says; there is none where no check applies. */
function reachability(status: StatusCheck): readonly string[] {
  switch (status) {
    case 'ok':
      return ['passed'];
    case 'impaired':
      return ['failed'];
    case 'initializing':
    case 'insufficient-data':
      return [status];
    case 'not-applicable':
      return [];
  }
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceState.html */
const STATE_CODES: Readonly<Record<InstanceState, number>> = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
};

export const stateXml = (state: InstanceState, name = 'instanceState'): XmlElement =>
  element(name, [element('code', STATE_CODES[state]), element('name', state)]);

const byInstanceId = (params: QueryParams) => ({
  requestedIds: listParam(params, 'InstanceId'),
  idOf: ({ instanceId }: Instance) => instanceId,
  unknownIds: unknownInstances,
});
