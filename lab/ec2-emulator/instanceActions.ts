/** The actions that change instances and what is attached to them: parameters in, XML out. */
import { dryRun, missingParameter } from './actionRequest';
import type { ActionRequest, ActionTable, Answer } from './actionRequest';
import { setSourceDestCheck } from './changes';
import { stateXml } from './describeActions';
import { accepted, refused } from './ec2Error';
import type { Outcome } from './ec2Error';
import { findInstance, interfacesOf } from './model';
import type { Ec2Model } from './model';
import { booleanIn, element, itemSet, listParam } from './queryProtocol';
import { unknownInstances } from './unknownIds';
import { setVolumeDeleteOnTermination } from './volumes';

export const instanceActions: ActionTable = {
  AttachNetworkInterface: {
    parameters: [
      'NetworkInterfaceId',
      'InstanceId',
      'DeviceIndex',
      'NetworkCardIndex',
      'EnaSrdSpecification',
      'EnaQueueCount',
      'DryRun',
    ],
    run: attachInterface,
  },
  DetachNetworkInterface: { parameters: ['AttachmentId', 'Force', 'DryRun'], run: detachInterface },
  RebootInstances: { parameters: ['InstanceId', 'DryRun'], run: reboot },
  TerminateInstances: { parameters: ['InstanceId', 'Force', 'SkipOsShutdown', 'DryRun'], run: terminate },
  ModifyInstanceAttribute: {
    parameters: ['InstanceId', 'SourceDestCheck', 'BlockDeviceMapping', 'DryRun', ...otherAttributes()],
    run: modifyAttribute,
  },
};

function attachInterface({ params, world, origin }: ActionRequest): Answer {
  const refusal =
    missingParameter(params, ['NetworkInterfaceId', 'InstanceId', 'DeviceIndex']) ?? dryRun(params);
  if (refusal !== undefined) return refusal;
  const indexes = ['DeviceIndex', 'NetworkCardIndex'].map((name) => Number(params.get(name) ?? 0));
  if (!indexes.every((each) => Number.isInteger(each) && each >= 0)) {
    return refused(
      'InvalidParameterValue',
      `Value (${indexes.join()}) for parameter deviceIndex is invalid.`,
    );
  }
  const [deviceIndex = 0, networkCardIndex = 0] = indexes;
  const networkInterfaceId = params.get('NetworkInterfaceId') ?? '';
  const attachmentId = world.nextId('eni-attach-');
  const done = world.slow.attachInterface(
    {
      networkInterfaceId,
      instanceId: params.get('InstanceId') ?? '',
      deviceIndex,
      networkCardIndex,
      attachmentId,
    },
    origin,
  );
  return done.ok
    ? accepted([element('attachmentId', attachmentId), element('networkCardIndex', networkCardIndex)])
    : done;
}

function detachInterface({ params, world, origin }: ActionRequest): Answer {
  const refusal = missingParameter(params, ['AttachmentId']) ?? dryRun(params);
  if (refusal !== undefined) return refusal;
  const done = world.slow.detachInterface(params.get('AttachmentId') ?? '', origin);
  return done.ok ? accepted([element('return', true)]) : done;
}

/** One that is unknown spoils the whole call. */
function reboot({ params, world, origin }: ActionRequest): Answer {
  const ids = listParam(params, 'InstanceId');
  const refusal = missingInstance(ids) ?? dryRun(params);
  if (refusal !== undefined) return refusal;
  const unknown = ids.filter((id) => findInstance(world.model, id) === undefined);
  if (unknown.length > 0) return unknownInstances(unknown);
  for (const id of ids) {
    const done = world.slow.reboot(id, origin);
    if (!done.ok) return done;
  }
  return accepted([element('return', true)]);
}

function terminate({ params, world, origin }: ActionRequest): Answer {
  const ids = listParam(params, 'InstanceId');
  const refusal = missingInstance(ids) ?? dryRun(params);
  if (refusal !== undefined) return refusal;
  const unknown = ids.filter((id) => findInstance(world.model, id) === undefined);
  if (unknown.length > 0) return unknownInstances(unknown);
  const before = world.model;
  for (const id of ids) world.slow.terminate(id, origin);
  return accepted([
    itemSet(
      'instancesSet',
      ids.map((id) => [
        element('instanceId', id),
        stateXml(findInstance(world.model, id)?.state ?? 'terminated', 'currentState'),
        stateXml(findInstance(before, id)?.state ?? 'terminated', 'previousState'),
      ]),
    ),
  ]);
}

const missingInstance = (ids: readonly string[]) =>
  ids.length === 0
    ? refused('MissingParameter', 'The request must contain the parameter InstanceId')
    : undefined;

function otherAttributes(): readonly string[] {
  return [
    'DisableApiStop',
    'DisableApiTermination',
    'EbsOptimized',
    'EnaSupport',
    'GroupId',
    'InstanceInitiatedShutdownBehavior',
    'InstanceType',
    'Kernel',
    'Ramdisk',
    'SriovNetSupport',
    'UserData',
  ];
}

function modifyAttribute({ params, world, origin }: ActionRequest): Answer {
  const missing = missingParameter(params, ['InstanceId']);
  if (missing !== undefined) return missing;
  const check = booleanIn(params, 'SourceDestCheck.Value');
  const on = booleanIn(params, 'BlockDeviceMapping.1.Ebs.DeleteOnTermination');
  const device = params.get('BlockDeviceMapping.1.DeviceName') ?? '';
  if (check === undefined && on === undefined) {
    return refused(
      'UnsupportedOperation',
      'This emulator changes SourceDestCheck, and DeleteOnTermination of one device, only.',
    );
  }
  const dry = dryRun(params);
  if (dry !== undefined) return dry;
  const instanceId = params.get('InstanceId') ?? '';
  if (findInstance(world.model, instanceId) === undefined) return unknownInstances([instanceId]);
  const changed =
    on === undefined
      ? setOnlyCheck(world.model, instanceId, check === true)
      : setVolumeDeleteOnTermination(world.model, instanceId, { device, on });
  const done = world.commit(changed, origin);
  return done.ok ? accepted([element('return', true)]) : done;
}

/** Of an instance with several interfaces EC2 wants to be told which: by ModifyNetworkInterfaceAttribute. */
function setOnlyCheck(model: Ec2Model, instanceId: string, on: boolean): Outcome<Ec2Model> {
  const [first, ...more] = interfacesOf(model, instanceId);
  if (first !== undefined && more.length === 0)
    return setSourceDestCheck(model, first.networkInterfaceId, on);
  return refused(
    'InvalidInstanceID',
    `There are multiple interfaces attached to instance '${instanceId}'. ` +
      'Please specify an interface ID for the operation instead.',
  );
}
