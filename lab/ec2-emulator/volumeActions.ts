/** The actions on EBS volumes: parameters in, XML out. What they do is in volumes.ts. */
import { dryRun, missingParameter, read } from './actionRequest';
import type { ActionRequest, ActionTable, Answer } from './actionRequest';
import { describePage, pageAnswer, tagSet } from './describe';
import type { FilterTable } from './describe';
import { accepted } from './ec2Error';
import type { Ec2Model, Volume, VolumeAttachment } from './model';
import { SOME_TIME } from './networkInterfaceXml';
import { element, itemSet, listParam } from './queryProtocol';
import type { QueryParams, XmlElement } from './queryProtocol';
import { unknownVolumes } from './unknownIds';
import { findVolume, stateOfVolume } from './volumes';

export const volumeActions: ActionTable = {
  DescribeVolumes: read(['VolumeId', 'MaxResults', 'NextToken', 'IncludeManagedResources'], describeVolumes),
  AttachVolume: {
    parameters: ['VolumeId', 'InstanceId', 'Device', 'EbsCardIndex', 'DryRun'],
    run: attach,
  },
  DetachVolume: { parameters: ['VolumeId', 'InstanceId', 'Device', 'Force', 'DryRun'], run: detach },
};

const attachmentFilter =
  (of: (attachment: VolumeAttachment) => string | boolean) =>
  ({ attachment }: Volume) =>
    attachment === null ? [] : [of(attachment)];

const volumeFilters: FilterTable<Volume> = {
  'volume-id': ({ volumeId }) => [volumeId],
  'availability-zone': ({ availabilityZone }) => [availabilityZone],
  size: ({ sizeGib }) => [sizeGib],
  status: (volume) => [stateOfVolume(volume)],
  'attachment.instance-id': attachmentFilter(({ instanceId }) => instanceId),
  'attachment.device': attachmentFilter(({ device }) => device),
  'attachment.status': attachmentFilter(({ status }) => status),
  'attachment.delete-on-termination': attachmentFilter(({ deleteOnTermination }) => deleteOnTermination),
};

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVolumes.html */
function describeVolumes(model: Ec2Model, params: QueryParams): Answer {
  const page = describePage(params, {
    resources: model.volumes,
    filters: volumeFilters,
    tagsOf: ({ tags }) => tags,
    requestedIds: listParam(params, 'VolumeId'),
    idOf: ({ volumeId }) => volumeId,
    unknownIds: unknownVolumes,
  });
  return pageAnswer(page, 'volumeSet', volumeXml);
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Volume.html */
function volumeXml(volume: Volume): readonly XmlElement[] {
  const { volumeId, sizeGib, availabilityZone, tags, attachment } = volume;
  return [
    element('volumeId', volumeId),
    element('size', sizeGib),
    element('snapshotId', ''),
    element('availabilityZone', availabilityZone),
    element('status', stateOfVolume(volume)),
    element('createTime', SOME_TIME),
    itemSet('attachmentSet', attachment === null ? [] : [attachmentXml(volumeId, attachment)]),
    tagSet(tags),
    element('volumeType', 'gp3'),
    element('iops', 3000),
    element('throughput', 125),
    element('encrypted', true),
    element('multiAttachEnabled', false),
  ];
}

const attachmentXml = (volumeId: string, attachment: VolumeAttachment): readonly XmlElement[] => [
  element('volumeId', volumeId),
  element('instanceId', attachment.instanceId),
  element('device', attachment.device),
  element('status', attachment.status),
  element('attachTime', attachment.attachedAt ?? SOME_TIME),
  element('deleteOnTermination', attachment.deleteOnTermination),
];

function attach({ params, world, origin }: ActionRequest): Answer {
  const refusal = missingParameter(params, ['VolumeId', 'InstanceId', 'Device']) ?? dryRun(params);
  if (refusal !== undefined) return refusal;
  const volumeId = params.get('VolumeId') ?? '';
  const request = {
    volumeId,
    instanceId: params.get('InstanceId') ?? '',
    device: params.get('Device') ?? '',
  };
  const done = world.slow.attachVolume(request, origin);
  return done.ok
    ? accepted(attachmentXml(volumeId, { ...request, status: 'attaching', deleteOnTermination: false }))
    : done;
}

function detach({ params, world, origin }: ActionRequest): Answer {
  const refusal = missingParameter(params, ['VolumeId']) ?? dryRun(params);
  if (refusal !== undefined) return refusal;
  const volumeId = params.get('VolumeId') ?? '';
  const before = findVolume(world.model, volumeId)?.attachment;
  const instanceId = params.get('InstanceId');
  const device = params.get('Device');
  const done = world.slow.detachVolume(
    {
      volumeId,
      ...(instanceId === undefined ? {} : { instanceId }),
      ...(device === undefined ? {} : { device }),
    },
    origin,
  );
  if (!done.ok || !before) return done.ok ? accepted([]) : done;
  return accepted(attachmentXml(volumeId, { ...before, status: 'detaching' }));
}
