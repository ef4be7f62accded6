/** Each step of the core as calls to AWS. The compiler asks for one here when the core learns a new step. */
import {
  CompleteLifecycleActionCommand,
  CreateOrUpdateTagsCommand,
  RecordLifecycleActionHeartbeatCommand,
} from '@aws-sdk/client-auto-scaling';
import {
  AssignPrivateIpAddressesCommand,
  AssociateAddressCommand,
  AttachNetworkInterfaceCommand,
  AttachVolumeCommand,
  CreateRouteCommand,
  DetachNetworkInterfaceCommand,
  DetachVolumeCommand,
  ModifyInstanceAttributeCommand,
  ModifyNetworkInterfaceAttributeCommand,
  RebootInstancesCommand,
  ReplaceRouteCommand,
} from '@aws-sdk/client-ec2';
import { PublishCommand } from '@aws-sdk/client-sns';
import type { Called } from '../../aws/transport/service';
import type { Destination } from '../core/desired';
import type { StepFailure } from '../core/observed';
import { recordText, type HealRecord } from '../core/record';
import { ACTIONS, type Message, type Step, type StepArgs, type StepName } from '../core/steps';
import type { Asking } from './readings';
import { RECORD_TAG } from './translate';

export type Performing = Asking & {
  /** Null where nobody is told. */
  readonly topicArn: string | null;
  /** The id of the event that has caused this, or of the sweep. */
  readonly eventId: string;
};

type Performer<Name extends StepName> = (to: Performing, step: StepArgs[Name]) => Promise<StepFailure | null>;

/** Null where AWS has done it, or had done it before. Never rejects. */
export function perform(to: Performing, step: Step): Promise<StepFailure | null> {
  // The compiler cannot see that name and arguments belong together.
  const performer: (to: Performing, step: never) => Promise<StepFailure | null> = PERFORMERS[step.do];
  return performer(to, step as never);
}

const PERFORMERS: { readonly [Name in StepName]: Performer<Name> } = {
  attachInterface: (to, { interfaceId, instanceId, slot }) =>
    ec2(to, ACTIONS.attachInterface, (client, options) =>
      client.send(
        new AttachNetworkInterfaceCommand({
          NetworkInterfaceId: interfaceId,
          InstanceId: instanceId,
          DeviceIndex: slot.deviceIndex,
          ...(slot.networkCardIndex === 0 ? {} : { NetworkCardIndex: slot.networkCardIndex }),
        }),
        options,
      ),
    ),
  detachInterface: (to, { attachmentId }) =>
    ec2(to, ACTIONS.detachInterface, (client, options) =>
      client.send(new DetachNetworkInterfaceCommand({ AttachmentId: attachmentId }), options),
    ),
  attachVolume: (to, { volumeId, instanceId, device }) =>
    ec2(to, ACTIONS.attachVolume, (client, options) =>
      client.send(
        new AttachVolumeCommand({ VolumeId: volumeId, InstanceId: instanceId, Device: device }),
        options,
      ),
    ),
  detachVolume: (to, { volumeId, instanceId }) =>
    ec2(to, ACTIONS.detachVolume, (client, options) =>
      client.send(new DetachVolumeCommand({ VolumeId: volumeId, InstanceId: instanceId }), options),
    ),
  assignAddresses: (to, { interfaceId, addresses }) =>
    ec2(to, ACTIONS.assignAddresses, (client, options) =>
      client.send(
        new AssignPrivateIpAddressesCommand({
          NetworkInterfaceId: interfaceId,
          PrivateIpAddresses: [...addresses],
          AllowReassignment: false,
        }),
        options,
      ),
    ),
  disableSourceDestCheck: (to, { interfaceId }) =>
    ec2(to, ACTIONS.disableSourceDestCheck, (client, options) =>
      client.send(
        new ModifyNetworkInterfaceAttributeCommand({
          NetworkInterfaceId: interfaceId,
          SourceDestCheck: { Value: false },
        }),
        options,
      ),
    ),
  keepInterface: (to, { interfaceId, attachmentId }) =>
    ec2(to, ACTIONS.keepInterface, (client, options) =>
      client.send(
        new ModifyNetworkInterfaceAttributeCommand({
          NetworkInterfaceId: interfaceId,
          Attachment: { AttachmentId: attachmentId, DeleteOnTermination: false },
        }),
        options,
      ),
    ),
  keepVolume: (to, { volumeId, instanceId, device }) =>
    ec2(to, ACTIONS.keepVolume, (client, options) =>
      client.send(
        new ModifyInstanceAttributeCommand({
          InstanceId: instanceId,
          BlockDeviceMappings: [
            { DeviceName: device, Ebs: { VolumeId: volumeId, DeleteOnTermination: false } },
          ],
        }),
        options,
      ),
    ),
  reboot: async (to, { instanceId, group, record }) =>
    (await ec2(to, ACTIONS.reboot, (client, options) =>
      client.send(new RebootInstancesCommand({ InstanceIds: [instanceId] }), options),
    )) ?? write(to, group, record),
  associateAddress: (to, { allocationId, interfaceId, privateAddress, reassociate }) =>
    ec2(to, ACTIONS.associateAddress, (client, options) =>
      client.send(
        new AssociateAddressCommand({
          AllocationId: allocationId,
          NetworkInterfaceId: interfaceId,
          PrivateIpAddress: privateAddress,
          AllowReassociation: reassociate,
        }),
        options,
      ),
    ),
  replaceRoute: (to, step) =>
    ec2(to, ACTIONS.replaceRoute, (client, options) =>
      client.send(new ReplaceRouteCommand(routeInput(step)), options),
    ),
  createRoute: (to, step) =>
    ec2(to, ACTIONS.createRoute, (client, options) =>
      client.send(new CreateRouteCommand(routeInput(step)), options),
    ),
  heartbeat: async ({ services, timeoutMs }, { group, hook, instanceId }) =>
    lifecycleFailure(
      await services.autoscaling.call(ACTIONS.heartbeat, timeoutMs, (client, options) =>
        client.send(
          new RecordLifecycleActionHeartbeatCommand({
            AutoScalingGroupName: group,
            LifecycleHookName: hook,
            InstanceId: instanceId,
          }),
          options,
        ),
      ),
    ),
  complete: async ({ services, timeoutMs }, { group, hook, instanceId, result }) =>
    lifecycleFailure(
      await services.autoscaling.call(ACTIONS.complete, timeoutMs, (client, options) =>
        client.send(
          new CompleteLifecycleActionCommand({
            AutoScalingGroupName: group,
            LifecycleHookName: hook,
            InstanceId: instanceId,
            LifecycleActionResult: result,
          }),
          options,
        ),
      ),
    ),
  writeRecord: (to, { group, record }) => write(to, group, record),
  tell: async (to, { group, messages, record }) => {
    for (const message of messages) {
      const failure = await publish(to, message);
      if (failure !== null) return failure;
    }
    return write(to, group, record);
  },
};

function routeInput({
  tableId,
  destination,
  interfaceId,
}: {
  readonly tableId: string;
  readonly destination: Destination;
  readonly interfaceId: string;
}) {
  const key = {
    ipv4: 'DestinationCidrBlock',
    ipv6: 'DestinationIpv6CidrBlock',
    prefixList: 'DestinationPrefixListId',
  } as const;
  return {
    RouteTableId: tableId,
    [key[destination.kind]]: destination.value,
    NetworkInterfaceId: interfaceId,
  };
}

type Ec2Call = Parameters<Asking['services']['ec2']['call']>[2];

async function ec2(
  { services, timeoutMs }: Asking,
  action: string,
  command: Ec2Call,
): Promise<StepFailure | null> {
  return failureOf(await services.ec2.call(action, timeoutMs, command));
}

function failureOf(result: Called<unknown>): StepFailure | null {
  if (result.ok) return null;
  const { kind, code, message } = result.failure;
  return { kind, code, message };
}

/** `No active Lifecycle Action` is the end of it, not an error: somebody has completed it, or its time is over. */
function lifecycleFailure(result: Called<unknown>): StepFailure | null {
  const failure = failureOf(result);
  return failure !== null && /No active Lifecycle Action/i.test(failure.message) ? null : failure;
}

async function write(
  { services, timeoutMs }: Asking,
  group: string,
  record: HealRecord,
): Promise<StepFailure | null> {
  const tag = {
    ResourceId: group,
    ResourceType: 'auto-scaling-group',
    Key: RECORD_TAG,
    Value: recordText(record),
    PropagateAtLaunch: false,
  };
  return failureOf(
    await services.autoscaling.call(ACTIONS.writeRecord, timeoutMs, (client, options) =>
      client.send(new CreateOrUpdateTagsCommand({ Tags: [tag] }), options),
    ),
  );
}

/** SNS takes at most 100 characters of ASCII for a subject. */
const SUBJECT_MAX = 100;

async function publish(
  { services, timeoutMs, topicArn, eventId }: Performing,
  message: Message,
): Promise<StepFailure | null> {
  if (topicArn === null) return null;
  const { identity, kind, code } = message;
  const input = {
    TopicArn: topicArn,
    Subject: `${identity}: ${kind}${code === null ? '' : ` ${code}`}`.slice(0, SUBJECT_MAX),
    Message: JSON.stringify({ ...message, event: eventId }, null, 2),
  };
  return failureOf(
    await services.sns.call(ACTIONS.tell, timeoutMs, (client, options) =>
      client.send(new PublishCommand(input), options),
    ),
  );
}
