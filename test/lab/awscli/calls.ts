/** Calls that bring every answer and every refusal of the lab's AWS, in a region that has one of everything. */
import type { GroupSpec, LifecycleHook } from '../../../lab/autoscaling-emulator/model';
import {
  EVENT_CODES,
  type Ec2Region,
  type Instance,
  type InstanceState,
  type NetworkInterface,
} from '../../../lab/ec2-emulator/model';
import {
  dataA,
  dataB,
  elasticIp,
  instanceA,
  instanceB,
  ipv6,
  mgmtA,
  otherTableId,
  prefixListId,
  routedModel,
  routeTableId,
  vip1,
} from '../ec2Lab';
import type { Call, Service } from './client';

export const TOPIC = 'arn:aws:sns:eu-central-1:123456789012:healing';
const freeElasticIp = 'eipalloc-00000000000000002';
const serviceElasticIp = 'eipalloc-00000000000000003';
const freeInterface = 'eni-000000000000000f1';
const farInterface = 'eni-000000000000000f2';
const pendingInterface = 'eni-000000000000000f3';
const fullInstance = 'i-0000000000000000f';
const pendingInstance = 'i-0000000000000000c';
const doomedInstance = 'i-0000000000000000d';
const goneInstance = 'i-0000000000000000e';
const farSubnet = 'subnet-00000000000000009';
const volume = 'vol-00000000000000001';
const freeVolume = 'vol-00000000000000002';
const farVolume = 'vol-00000000000000003';

const instance = (instanceId: string, state: InstanceState, instanceType = 'c5.large'): Instance => ({
  instanceId,
  instanceType,
  availabilityZone: 'eu-central-1a',
  state,
  instanceStatus: 'ok',
  systemStatus: 'impaired',
  events: EVENT_CODES.map((code, place) => ({
    instanceEventId: `instance-event-0000000000000000${place}`,
    code,
    // A third of them has each field, so that each is read, and an event without it, too.
    ...(place % 3 === 0 && { description: '[Completed] done', notBefore: '2026-12-04T12:00:00.000Z' }),
    ...(place % 3 === 1 && { notAfter: '2026-12-04T14:00:00.000Z' }),
    ...(place % 3 === 2 && { notBeforeDeadline: '2026-12-06T12:00:00.000Z' }),
  })),
  tags: { Name: 'one' },
});

function interfaceOf(
  networkInterfaceId: string,
  subnetId: string,
  primaryIp: string,
  on: readonly [instanceId: string, deviceIndex: number] | null,
): NetworkInterface {
  const attachment = on && {
    attachmentId: networkInterfaceId.replace('eni-', 'eni-attach-'),
    instanceId: on[0],
    deviceIndex: on[1],
    networkCardIndex: 0,
    status: 'attached' as const,
    deleteOnTermination: true,
  };
  return {
    networkInterfaceId,
    subnetId,
    macAddress: `02:00:00:00:0f:${networkInterfaceId.slice(-2)}`,
    primaryIp,
    secondaryIps: [],
    sourceDestCheck: true,
    tags: { Name: networkInterfaceId },
    attachment,
  };
}

const [management = ''] = routedModel.subnets.map(({ subnetId }) => subnetId);
const attachedVolume = {
  instanceId: instanceA,
  device: '/dev/sdf',
  status: 'attached',
  deleteOnTermination: false,
} as const;

export const region: Ec2Region = {
  ...routedModel,
  settings: { routesPerTable: 3, missingRouteCode: 'InvalidParameterValue' },
  subnets: [
    ...routedModel.subnets,
    {
      subnetId: farSubnet,
      vpcId: routedModel.subnets[0]?.vpcId ?? '',
      cidrBlock: '10.1.9.0/24',
      availabilityZone: 'eu-central-1b',
      availabilityZoneId: 'euc1-az3',
    },
  ],
  // A prefix list counts with all its places: it would leave no room in the table.
  prefixLists: [{ prefixListId, family: 'ipv4', maxEntries: 1 }],
  instances: [
    ...routedModel.instances,
    instance(pendingInstance, 'pending'),
    instance(doomedInstance, 'running'),
    instance(goneInstance, 'terminated'),
    instance(fullInstance, 'stopped'),
  ],
  networkInterfaces: [
    ...routedModel.networkInterfaces,
    interfaceOf(freeInterface, management, '10.1.0.31', null),
    interfaceOf(farInterface, farSubnet, '10.1.9.32', null),
    {
      ...interfaceOf('eni-000000000000000f4', management, '10.1.0.35', null),
      service: 'amazon-elb',
    },
    interfaceOf(pendingInterface, management, '10.1.0.33', [pendingInstance, 0]),
    interfaceOf('eni-000000000000000d0', management, '10.1.0.34', [doomedInstance, 0]),
    ...[0, 1, 2].map((index) =>
      interfaceOf(`eni-00000000000000e0${index}`, management, `10.1.0.4${index}`, [fullInstance, index]),
    ),
  ],
  elasticIps: [
    ...(routedModel.elasticIps ?? []),
    {
      allocationId: serviceElasticIp,
      publicIp: '203.0.113.30',
      tags: {},
      association: null,
      serviceManaged: 'nlb',
    },
  ],
  volumes: [
    {
      volumeId: volume,
      availabilityZone: 'eu-central-1a',
      sizeGib: 8,
      tags: { Name: 'data' },
      attachment: attachedVolume,
    },
    { volumeId: freeVolume, availabilityZone: 'eu-central-1a', sizeGib: 8, tags: {}, attachment: null },
    { volumeId: farVolume, availabilityZone: 'eu-central-1b', sizeGib: 8, tags: {}, attachment: null },
  ],
};

const launching: LifecycleHook = {
  name: 'heal-launch',
  transition: 'autoscaling:EC2_INSTANCE_LAUNCHING',
  heartbeatTimeoutS: 60,
  defaultResult: 'ABANDON',
};
/** One that has its instance, and one whose instance waits in the hook. */
export const groups: readonly GroupSpec[] = [
  { name: 'rtr1', instanceIds: [instanceA] },
  { name: 'rtr2', hooks: [launching], tags: { part: 'lab' } },
].map((each) => ({
  subnetIds: [management],
  launch: { instanceType: 'c5.large', sourceDestCheck: true, tags: {} },
  ...each,
}));
export const WAITING = 'the instance that waits in its hook';

const of =
  (service: Service) =>
  (operation: string, parameters: object = {}, extra: Readonly<Record<string, string>> = {}): Call => ({
    service,
    operation,
    parameters,
    extra,
  });
const ec2 = of('ec2');
const scaling = of('autoscaling');
const sns = of('sns');
const hookKey = { AutoScalingGroupName: 'rtr2', LifecycleHookName: 'heal-launch' };
const attributes = (NetworkInterfaceId: string, more: object) => ({ NetworkInterfaceId, ...more });

/** In this order: some change what a later one is about. Each action at least once. */
export const answered: readonly Call[] = [
  ec2('DescribeNetworkInterfaces'),
  ec2('DescribeNetworkInterfaces', { MaxResults: 5 }),
  ec2('DescribeInstances'),
  ec2('DescribeInstanceStatus', { IncludeAllInstances: true }),
  ec2('DescribeInstanceTypes', { InstanceTypes: ['c5.large'] }),
  ec2('DescribeRouteTables'),
  ec2('DescribeAddresses'),
  ec2('DescribeVolumes'),
  ec2('AssignPrivateIpAddresses', {
    NetworkInterfaceId: dataB,
    PrivateIpAddresses: [vip1],
    AllowReassignment: true,
  }),
  ec2('UnassignPrivateIpAddresses', { NetworkInterfaceId: dataB, PrivateIpAddresses: [vip1] }),
  ec2('UnassignIpv6Addresses', { NetworkInterfaceId: dataA, Ipv6Addresses: [ipv6] }),
  ec2('AssignIpv6Addresses', { NetworkInterfaceId: dataB, Ipv6Addresses: [ipv6] }),
  ec2('ModifyNetworkInterfaceAttribute', attributes(dataA, { SourceDestCheck: { Value: false } })),
  ec2('CreateRoute', {
    RouteTableId: otherTableId,
    DestinationCidrBlock: '10.5.0.0/16',
    NetworkInterfaceId: dataA,
  }),
  ec2('ReplaceRoute', {
    RouteTableId: routeTableId,
    DestinationCidrBlock: '10.9.0.0/16',
    NetworkInterfaceId: dataB,
  }),
  ec2('DeleteRoute', { RouteTableId: otherTableId, DestinationCidrBlock: '10.5.0.0/16' }),
  ec2('AssociateAddress', { AllocationId: freeElasticIp, NetworkInterfaceId: dataB }),
  ec2('AttachNetworkInterface', {
    NetworkInterfaceId: freeInterface,
    InstanceId: instanceB,
    DeviceIndex: 2,
  }),
  ec2('DetachNetworkInterface', { AttachmentId: dataA.replace('eni-', 'eni-attach-') }),
  ec2('ModifyInstanceAttribute', {
    InstanceId: instanceA,
    BlockDeviceMappings: [{ DeviceName: '/dev/sdf', Ebs: { DeleteOnTermination: true } }],
  }),
  ec2('AttachVolume', { VolumeId: freeVolume, InstanceId: instanceB, Device: '/dev/sdg' }),
  ec2('DetachVolume', { VolumeId: volume }),
  ec2('RebootInstances', { InstanceIds: [instanceB] }),
  ec2('TerminateInstances', { InstanceIds: [doomedInstance] }),
  // Once more, with what is on its way.
  ec2('DescribeNetworkInterfaces'),
  ec2('DescribeInstances'),
  ec2('DescribeVolumes'),
  ec2('DescribeAddresses'),
  ec2('DescribeRouteTables'),
  scaling('DescribeAutoScalingGroups'),
  scaling('DescribeAutoScalingInstances'),
  scaling('DescribeLifecycleHooks', { AutoScalingGroupName: 'rtr2' }),
  scaling('DescribeScalingActivities', { AutoScalingGroupName: 'rtr2' }),
  scaling('PutLifecycleHook', {
    ...hookKey,
    LifecycleHookName: 'heal-terminate',
    LifecycleTransition: 'autoscaling:EC2_INSTANCE_TERMINATING',
    HeartbeatTimeout: 60,
  }),
  scaling('DeleteLifecycleHook', { ...hookKey, LifecycleHookName: 'heal-terminate' }),
  scaling('RecordLifecycleActionHeartbeat', { ...hookKey, InstanceId: WAITING }),
  scaling('CompleteLifecycleAction', {
    ...hookKey,
    InstanceId: WAITING,
    LifecycleActionResult: 'CONTINUE',
  }),
  scaling('UpdateAutoScalingGroup', { AutoScalingGroupName: 'rtr1', MinSize: 0, MaxSize: 1 }),
  scaling('SetDesiredCapacity', { AutoScalingGroupName: 'rtr1', DesiredCapacity: 1 }),
  scaling('SetInstanceHealth', { InstanceId: instanceA, HealthStatus: 'Healthy' }),
  scaling('CreateOrUpdateTags', { Tags: [tagOf({ Value: 'lab', PropagateAtLaunch: false })] }),
  scaling('DescribeAutoScalingGroups', { AutoScalingGroupNames: ['rtr1'] }),
  scaling('DeleteTags', { Tags: [tagOf({})] }),
  scaling('TerminateInstanceInAutoScalingGroup', {
    InstanceId: WAITING,
    ShouldDecrementDesiredCapacity: true,
  }),
  scaling('DescribeScalingActivities'),
  sns('Publish', { TopicArn: TOPIC, Subject: 'healing began', Message: '{}' }),
];

function tagOf(more: object): object {
  return { ResourceId: 'rtr1', ResourceType: 'auto-scaling-group', Key: 'part', ...more };
}

const route = (more: object) => ({
  RouteTableId: routeTableId,
  DestinationCidrBlock: '10.9.0.0/16',
  NetworkInterfaceId: dataA,
  ...more,
});
const attach = (more: object) => ({
  NetworkInterfaceId: freeInterface,
  InstanceId: instanceA,
  DeviceIndex: 2,
  ...more,
});
const onVolume = (more: object) => ({
  VolumeId: freeVolume,
  InstanceId: instanceA,
  Device: '/dev/sdx',
  ...more,
});
const associate = (more: object) => ({ AllocationId: freeElasticIp, NetworkInterfaceId: dataB, ...more });

/** Each on the region as it was at the start. */
export const refused: readonly (readonly [code: string, call: Call])[] = [
  ['InvalidAction', ec2('DescribeAddresses', {}, { Action: 'DescribeMoons' })],
  ['UnknownParameter', ec2('DescribeAddresses', {}, { Moon: 'full' })],
  ['MissingParameter', ec2('AssociateAddress', { AllocationId: freeElasticIp })],
  ['InvalidParameterValue', ec2('DescribeAddresses', { Filters: [{ Name: 'moon', Values: ['full'] }] })],
  [
    'InvalidParameterCombination',
    ec2('DescribeNetworkInterfaces', { NetworkInterfaceIds: [dataA], MaxResults: 5 }),
  ],
  ['FilterLimitExceeded', ec2('DescribeInstances', { Filters: [manyIds()] })],
  ['InvalidNextToken', ec2('DescribeNetworkInterfaces', { NextToken: 'none' })],
  ['DryRunOperation', ec2('ReplaceRoute', route({ DryRun: true }))],
  [
    'InvalidNetworkInterfaceID.NotFound',
    ec2('DescribeNetworkInterfaces', { NetworkInterfaceIds: ['eni-00000000'] }),
  ],
  [
    'InvalidNetworkInterfaceId.Malformed',
    ec2('DescribeNetworkInterfaces', { NetworkInterfaceIds: ['eth0'] }),
  ],
  ['InvalidInstanceID.NotFound', ec2('RebootInstances', { InstanceIds: ['i-00000000'] })],
  ['InvalidInstanceID.Malformed', ec2('RebootInstances', { InstanceIds: ['rtr1'] })],
  [
    'InvalidInstanceID',
    ec2('ModifyInstanceAttribute', { InstanceId: instanceA, SourceDestCheck: { Value: true } }),
  ],
  ['IncorrectInstanceState', ec2('RebootInstances', { InstanceIds: [goneInstance] })],
  ['IncorrectInstanceState', ec2('AssociateAddress', associate({ NetworkInterfaceId: pendingInterface }))],
  [
    'InvalidInstanceAttributeValue',
    ec2('ModifyInstanceAttribute', {
      InstanceId: instanceA,
      BlockDeviceMappings: [{ DeviceName: '/dev/sdz', Ebs: { DeleteOnTermination: true } }],
    }),
  ],
  [
    'UnsupportedOperation',
    ec2('ModifyInstanceAttribute', { InstanceId: instanceA, EbsOptimized: { Value: true } }),
  ],
  ['InvalidInstanceType', ec2('DescribeInstanceTypes', { InstanceTypes: ['x99.huge'] })],
  ['InvalidRouteTableID.NotFound', ec2('ReplaceRoute', route({ RouteTableId: 'rtb-00000000' }))],
  ['InvalidRouteTableId.Malformed', ec2('ReplaceRoute', route({ RouteTableId: 'table' }))],
  [
    'InvalidPrefixListID.NotFound',
    ec2('DeleteRoute', { RouteTableId: routeTableId, DestinationPrefixListId: 'pl-00000000' }),
  ],
  ['RouteAlreadyExists', ec2('CreateRoute', route({}))],
  ['RouteLimitExceeded', ec2('CreateRoute', route({ DestinationCidrBlock: '10.4.0.0/16' }))],
  ['InvalidAllocationID.NotFound', ec2('AssociateAddress', associate({ AllocationId: 'eipalloc-00000000' }))],
  [
    'Resource.AlreadyAssociated',
    ec2('AssociateAddress', associate({ AllocationId: elasticIp, AllowReassociation: false })),
  ],
  ['AuthFailure', ec2('AssociateAddress', associate({ AllocationId: serviceElasticIp }))],
  [
    'PrivateIpAddressLimitExceeded',
    ec2('AssignPrivateIpAddresses', {
      NetworkInterfaceId: dataB,
      PrivateIpAddresses: ['10.1.1.31', '10.1.1.32', '10.1.1.33', '10.1.1.34'],
    }),
  ],
  ['InvalidNetworkInterface.InUse', ec2('AttachNetworkInterface', attach({ NetworkInterfaceId: dataB }))],
  ['IncorrectState', ec2('AttachNetworkInterface', attach({ InstanceId: goneInstance }))],
  [
    'InvalidParameterCombination',
    ec2('AttachNetworkInterface', attach({ NetworkInterfaceId: farInterface })),
  ],
  [
    'AttachmentLimitExceeded',
    ec2('AttachNetworkInterface', attach({ InstanceId: fullInstance, DeviceIndex: 5 })),
  ],
  [
    'OperationNotPermitted',
    ec2('DetachNetworkInterface', { AttachmentId: mgmtA.replace('eni-', 'eni-attach-') }),
  ],
  ['InvalidAttachmentID.NotFound', ec2('DetachNetworkInterface', { AttachmentId: 'eni-attach-00000000' })],
  ['InvalidAttachmentID.Malformed', ec2('DetachNetworkInterface', { AttachmentId: 'first' })],
  ['InvalidVolume.NotFound', ec2('AttachVolume', onVolume({ VolumeId: 'vol-00000000' }))],
  ['InvalidVolume.ZoneMismatch', ec2('AttachVolume', onVolume({ VolumeId: farVolume }))],
  ['VolumeInUse', ec2('AttachVolume', onVolume({ VolumeId: volume }))],
  ['IncorrectState', ec2('DetachVolume', { VolumeId: freeVolume })],
  ['InvalidAttachment.NotFound', ec2('DetachVolume', { VolumeId: volume, InstanceId: instanceB })],
  ['ValidationError', scaling('SetDesiredCapacity', { AutoScalingGroupName: 'rtr9', DesiredCapacity: 1 })],
  [
    'ValidationError',
    scaling('CompleteLifecycleAction', {
      ...hookKey,
      InstanceId: instanceB,
      LifecycleActionResult: 'CONTINUE',
    }),
  ],
  ['InvalidAction', scaling('DescribeAutoScalingGroups', {}, { Action: 'DescribeMoons' })],
  ['InvalidParameter', sns('Publish', { TopicArn: TOPIC, Message: '' })],
  ['NotFound', sns('Publish', { TopicArn: `${TOPIC}-of-nobody`, Message: 'x' })],
];

function manyIds(): object {
  return {
    Name: 'instance-id',
    Values: Array.from({ length: 201 }, (_, index) => `i-${String(index).padStart(8, '0')}`),
  };
}
