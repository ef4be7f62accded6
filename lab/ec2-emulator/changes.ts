/**
 * What an operator or AWS does to interfaces and instances, as pure functions, and the attributes of an
 * interface. All of a change happens or nothing of it.
 */
import { accepted, refused } from './ec2Error';
import type { Outcome } from './ec2Error';
import { mapInterfaces, withInterfaces } from './elasticIps';
import { findInstance, findInterface } from './model';
import type {
  Attachment,
  Ec2Model,
  Instance,
  InstanceState,
  NetworkInterface,
  ScheduledEvent,
} from './model';
import { unknownInstances, unknownInterfaces } from './unknownIds';
import { volumesAfter } from './volumes';

/** Takes effect at once; the interface keeps its addresses, as in EC2. */
export function detachInterface(model: Ec2Model, networkInterfaceId: string): Outcome<Ec2Model> {
  return changeInterface(model, networkInterfaceId, (eni) => ({ ...eni, attachment: null }));
}

export function attachInterface(
  model: Ec2Model,
  networkInterfaceId: string,
  attachment: Attachment,
): Outcome<Ec2Model> {
  if (findInstance(model, attachment.instanceId) === undefined)
    return unknownInstances([attachment.instanceId]);
  if (findInterface(model, networkInterfaceId)?.attachment) {
    return refused('InvalidNetworkInterface.InUse', `${networkInterfaceId} is attached already.`);
  }
  return changeInterface(model, networkInterfaceId, (eni) => ({ ...eni, attachment }));
}

/** It keeps its addresses and is attached to no instance any more. */
export function handToService(
  model: Ec2Model,
  networkInterfaceId: string,
  service: string,
): Outcome<Ec2Model> {
  return changeInterface(model, networkInterfaceId, (eni) => ({ ...eni, attachment: null, service }));
}

/** Another interface in its place: same subnet, index and settings, with an address and a MAC of its own. */
export function replaceInterface(
  model: Ec2Model,
  networkInterfaceId: string,
  by: Pick<NetworkInterface, 'networkInterfaceId' | 'macAddress' | 'primaryIp'>,
): Outcome<Ec2Model> {
  const before = findInterface(model, networkInterfaceId);
  if (before === undefined) return unknownInterfaces([networkInterfaceId]);
  const deleted = deleteInterface(model, networkInterfaceId);
  if (!deleted.ok) return deleted;
  const after = { ...before, ...by, secondaryIps: [], ipv6Addresses: [] };
  return accepted(withInterfaces(deleted.value, [...deleted.value.networkInterfaces, after]));
}

export function deleteInterface(model: Ec2Model, networkInterfaceId: string): Outcome<Ec2Model> {
  if (findInterface(model, networkInterfaceId) === undefined) return unknownInterfaces([networkInterfaceId]);
  const networkInterfaces = model.networkInterfaces.filter(
    (eni) => eni.networkInterfaceId !== networkInterfaceId,
  );
  return accepted(withInterfaces(model, networkInterfaces));
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyNetworkInterfaceAttribute.html */
export function setSourceDestCheck(
  model: Ec2Model,
  networkInterfaceId: string,
  sourceDestCheck: boolean,
): Outcome<Ec2Model> {
  return changeInterface(model, networkInterfaceId, (eni) => ({ ...eni, sourceDestCheck }));
}

/**
 * A terminated instance loses its interfaces and volumes: deleted where `deleteOnTermination` says so, else
 * detached, interfaces with their addresses. It never runs again.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html
 */
export function setInstanceState(
  model: Ec2Model,
  instanceId: string,
  state: InstanceState,
): Outcome<Ec2Model> {
  if (findInstance(model, instanceId)?.state === 'terminated' && state !== 'terminated') {
    return refused('IncorrectInstanceState', `The instance '${instanceId}' is terminated for good.`);
  }
  const changed = changeInstance(model, instanceId, { state });
  if (!changed.ok || state !== 'terminated') return changed;
  const networkInterfaces = model.networkInterfaces.flatMap((eni) => {
    if (eni.attachment?.instanceId !== instanceId) return [eni];
    return eni.attachment.deleteOnTermination ? [] : [{ ...eni, attachment: null }];
  });
  const volumes = volumesAfter(changed.value, instanceId);
  return accepted(withInterfaces({ ...changed.value, volumes }, networkInterfaces));
}

export function setStatusChecks(
  model: Ec2Model,
  instanceId: string,
  checks: Partial<Pick<Instance, 'instanceStatus' | 'systemStatus'>>,
): Outcome<Ec2Model> {
  return changeInstance(model, instanceId, checks);
}

export const setScheduledEvents = (
  model: Ec2Model,
  instanceId: string,
  events: readonly ScheduledEvent[],
): Outcome<Ec2Model> => changeInstance(model, instanceId, { events });

function changeInstance(model: Ec2Model, instanceId: string, patch: Partial<Instance>): Outcome<Ec2Model> {
  if (findInstance(model, instanceId) === undefined) return unknownInstances([instanceId]);
  const instances = model.instances.map((instance) =>
    instance.instanceId === instanceId ? { ...instance, ...patch } : instance,
  );
  return accepted({ ...model, instances });
}

function changeInterface(
  model: Ec2Model,
  networkInterfaceId: string,
  change: (eni: NetworkInterface) => NetworkInterface,
): Outcome<Ec2Model> {
  const eni = findInterface(model, networkInterfaceId);
  if (eni === undefined) return unknownInterfaces([networkInterfaceId]);
  return accepted(mapInterfaces(model, (other) => (other === eni ? change(eni) : other)));
}
