/** What the calls of the API do to attachments of interfaces, with EC2's own refusals, as pure functions. */
import { accepted, refused } from './ec2Error';
import type { Outcome } from './ec2Error';
import { mapInterfaces, withInterfaces } from './elasticIps';
import { limitsOf } from './instanceTypes';
import { findInstance, findInterface, interfacesOf, subnetOf } from './model';
import type { Attachment, Ec2Model, NetworkInterface } from './model';
import { unknownAttachments, unknownInstances, unknownInterfaces } from './unknownIds';

export interface AttachInterfaceRequest {
  readonly networkInterfaceId: string;
  readonly instanceId: string;
  readonly deviceIndex: number;
  readonly networkCardIndex: number;
  readonly attachmentId: string;
  readonly attachedAt: string;
}

/**
 * Begins it: `attaching`. An interface of another VPC of the same zone may be attached, as EC2 has it since 2023.
 * Texts as users of EC2 quote them; that of a pending instance is inferred from the one for volumes.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachNetworkInterface.html
 */
export function beginAttach(model: Ec2Model, request: AttachInterfaceRequest): Outcome<Ec2Model> {
  const { networkInterfaceId, instanceId, ...place } = request;
  const eni = findInterface(model, networkInterfaceId);
  if (eni === undefined) return unknownInterfaces([networkInterfaceId]);
  const instance = findInstance(model, instanceId);
  if (instance === undefined) return unknownInstances([instanceId]);
  if (eni.attachment !== null)
    return refused('InvalidNetworkInterface.InUse', `Interface: [${networkInterfaceId}] in use.`);
  if (instance.state !== 'running' && instance.state !== 'stopped')
    return refused('IncorrectState', `Instance '${instanceId}' is not 'running'.`);
  if (subnetOf(model, eni).availabilityZone !== instance.availabilityZone) {
    return refused(
      'InvalidParameterCombination',
      'You may not attach a network interface to an instance if they are not in the same availability zone',
    );
  }
  const others = interfacesOf(model, instanceId);
  if (others.some(({ attachment }) => isAt(attachment, place))) {
    return refused(
      'InvalidParameterValue',
      `Instance '${instanceId}' already has an interface attached at device index '${place.deviceIndex}'.`,
    );
  }
  if (others.length >= limitsOf(instance.instanceType).maximumNetworkInterfaces) {
    return refused(
      'AttachmentLimitExceeded',
      `Interface count ${others.length + 1} exceeds the limit for ${instance.instanceType}`,
    );
  }
  const attachment: Attachment = { ...place, instanceId, status: 'attaching', deleteOnTermination: false };
  return accepted(withAttachment(model, networkInterfaceId, attachment));
}

const isAt = (attachment: Attachment | null, place: Pick<Attachment, 'deviceIndex' | 'networkCardIndex'>) =>
  attachment?.deviceIndex === place.deviceIndex && attachment.networkCardIndex === place.networkCardIndex;

/**
 * Begins it: `detaching`. That a second call changes nothing and succeeds is inferred.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachNetworkInterface.html
 */
export function beginDetach(model: Ec2Model, attachmentId: string): Outcome<Ec2Model> {
  const eni = findAttached(model, attachmentId);
  if (!eni?.attachment) return unknownAttachments(attachmentId);
  const { deviceIndex, networkCardIndex, instanceId } = eni.attachment;
  if (deviceIndex === 0 && findInstance(model, instanceId)?.state !== 'terminated') {
    return refused(
      'OperationNotPermitted',
      `The network interface at device index 0 and networkCard index ${networkCardIndex} cannot be detached.`,
    );
  }
  return accepted(withAttachment(model, eni.networkInterfaceId, { ...eni.attachment, status: 'detaching' }));
}

export const findAttached = (model: Ec2Model, id: string): NetworkInterface | undefined =>
  model.networkInterfaces.find(({ attachment }) => attachment?.attachmentId === id);

/** The end of what `beginAttach` and `beginDetach` have begun; nothing where that was of another attachment. */
export function settleAttachment(model: Ec2Model, attachmentId: string): Outcome<Ec2Model> {
  const eni = findAttached(model, attachmentId);
  if (eni?.attachment?.status === 'attaching')
    return accepted(withAttachment(model, eni.networkInterfaceId, { ...eni.attachment, status: 'attached' }));
  return eni?.attachment?.status === 'detaching'
    ? accepted(withAttachment(model, eni.networkInterfaceId, null))
    : accepted(model);
}

/** The interfaces of an instance that is terminated: deleted, or on their way off it. */
export function leaveInterfaces(model: Ec2Model, instanceId: string): Ec2Model {
  const networkInterfaces = model.networkInterfaces.flatMap((eni): readonly NetworkInterface[] => {
    if (eni.attachment?.instanceId !== instanceId) return [eni];
    if (eni.attachment.deleteOnTermination) return [];
    return [{ ...eni, attachment: { ...eni.attachment, status: 'detaching' } }];
  });
  return withInterfaces(model, networkInterfaces);
}

/** Whether EC2 deletes it with its instance. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkInterfaceAttachmentChanges.html */
export function setDeleteOnTermination(
  model: Ec2Model,
  networkInterfaceId: string,
  { attachmentId, on }: { readonly attachmentId: string; readonly on: boolean },
): Outcome<Ec2Model> {
  const eni = findInterface(model, networkInterfaceId);
  if (eni === undefined) return unknownInterfaces([networkInterfaceId]);
  if (eni.attachment?.attachmentId !== attachmentId) return unknownAttachments(attachmentId);
  return accepted(withAttachment(model, networkInterfaceId, { ...eni.attachment, deleteOnTermination: on }));
}

const withAttachment = (
  model: Ec2Model,
  networkInterfaceId: string,
  attachment: Attachment | null,
): Ec2Model =>
  mapInterfaces(model, (eni) =>
    eni.networkInterfaceId === networkInterfaceId ? { ...eni, attachment } : eni,
  );
