/** What the calls of the API do to volumes, with EC2's own refusals, as pure functions. */
import { accepted, refused } from './ec2Error';
import type { Outcome } from './ec2Error';
import { findInstance } from './model';
import type { Ec2Model, Volume, VolumeAttachment } from './model';
import { unknownInstances, unknownVolumes } from './unknownIds';

export interface AttachVolumeRequest {
  readonly volumeId: string;
  readonly instanceId: string;
  readonly device: string;
  readonly attachedAt: string;
}

export const findVolume = (model: Ec2Model, id: string): Volume | undefined =>
  model.volumes.find(({ volumeId }) => volumeId === id);

export const volumesOf = (model: Ec2Model, instanceId: string): readonly Volume[] =>
  model.volumes.filter(({ attachment }) => attachment?.instanceId === instanceId);

/** `creating` and `deleting` are states of volumes that the lab does not have. */
export const stateOfVolume = ({ attachment }: Volume): 'available' | 'in-use' =>
  attachment === null ? 'available' : 'in-use';

/** Begins it: `attaching`. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachVolume.html */
export function attachVolume(model: Ec2Model, request: AttachVolumeRequest): Outcome<Ec2Model> {
  const { volumeId, instanceId, device, attachedAt } = request;
  const volume = findVolume(model, volumeId);
  if (volume === undefined) return unknownVolumes([volumeId]);
  const instance = findInstance(model, instanceId);
  if (instance === undefined) return unknownInstances([instanceId]);
  if (volume.attachment !== null)
    return refused('VolumeInUse', `${volumeId} is already attached to an instance`);
  if (instance.availabilityZone !== volume.availabilityZone) {
    return refused(
      'InvalidVolume.ZoneMismatch',
      `The volume '${volumeId}' is not in the same availability zone as instance '${instanceId}'`,
    );
  }
  if (instance.state !== 'running' && instance.state !== 'stopped')
    return refused('IncorrectState', `Instance '${instanceId}' is not 'running'.`);
  if (volumesOf(model, instanceId).some(({ attachment }) => attachment?.device === device)) {
    return refused(
      'InvalidParameterValue',
      `Invalid value '${device}' for unixDevice. Attachment point ${device} is already in use`,
    );
  }
  return withAttachment(model, volumeId, {
    instanceId,
    device,
    status: 'attaching',
    attachedAt,
    deleteOnTermination: false,
  });
}

/** Begins it: `detaching`. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachVolume.html */
export function detachVolume(
  model: Ec2Model,
  { volumeId, instanceId, device }: { volumeId: string; instanceId?: string; device?: string },
): Outcome<Ec2Model> {
  const volume = findVolume(model, volumeId);
  if (volume === undefined) return unknownVolumes([volumeId]);
  const { attachment } = volume;
  if (attachment === null)
    return refused('IncorrectState', `Volume '${volumeId}' is in the 'available' state.`);
  const isOther =
    (instanceId !== undefined && instanceId !== attachment.instanceId) ||
    (device !== undefined && device !== attachment.device);
  if (isOther) {
    return refused(
      'InvalidAttachment.NotFound',
      `Volume '${volumeId}' is not attached to instance '${instanceId ?? attachment.instanceId}' as device ${device ?? attachment.device}`,
    );
  }
  return withAttachment(model, volumeId, { ...attachment, status: 'detaching' });
}

/** The end of what `attachVolume` and `detachVolume` have begun. */
export function settleVolume(model: Ec2Model, volumeId: string): Outcome<Ec2Model> {
  const attachment = findVolume(model, volumeId)?.attachment ?? null;
  if (attachment?.status === 'attaching')
    return withAttachment(model, volumeId, { ...attachment, status: 'attached' });
  return attachment?.status === 'detaching' ? withAttachment(model, volumeId, null) : accepted(model);
}

/** By the device of the instance. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html */
export function setVolumeDeleteOnTermination(
  model: Ec2Model,
  instanceId: string,
  { device, on }: { readonly device: string; readonly on: boolean },
): Outcome<Ec2Model> {
  const volume = volumesOf(model, instanceId).find(({ attachment }) => attachment?.device === device);
  if (!volume?.attachment)
    return refused('InvalidInstanceAttributeValue', `No device is currently mapped at ${device}`);
  return withAttachment(model, volume.volumeId, { ...volume.attachment, deleteOnTermination: on });
}

/** What becomes of the volumes of an instance that is terminated. */
export const volumesAfter = (model: Ec2Model, instanceId: string): readonly Volume[] =>
  model.volumes.flatMap((volume) => {
    if (volume.attachment?.instanceId !== instanceId) return [volume];
    return volume.attachment.deleteOnTermination ? [] : [{ ...volume, attachment: null }];
  });

function withAttachment(
  model: Ec2Model,
  volumeId: string,
  attachment: VolumeAttachment | null,
): Outcome<Ec2Model> {
  const volumes = model.volumes.map((each) => (each.volumeId === volumeId ? { ...each, attachment } : each));
  return accepted({ ...model, volumes });
}
