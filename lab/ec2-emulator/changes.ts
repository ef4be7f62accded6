/**
 * The changes a model can go through, as pure functions: the calls of the API with EC2's own refusals, and
 * what an operator or AWS does to interfaces and instances. All of a change happens or nothing of it.
 */
import { accepted, refused } from './ec2Error';
import type { Outcome } from './ec2Error';
import { parseIpv4 } from './ipv4';
import { addressesOf, findInstance, findInterface, holderOf, inSubnet, isReserved, subnetOf } from './model';
import type { Attachment, Ec2Model, Instance, InstanceState, NetworkInterface } from './model';

export interface AssignRequest {
  readonly networkInterfaceId: string;
  readonly addresses: readonly string[];
  readonly allowReassignment: boolean;
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssignPrivateIpAddresses.html */
export function assignAddresses(model: Ec2Model, request: AssignRequest): Outcome<Ec2Model> {
  const eni = findInterface(model, request.networkInterfaceId);
  if (eni === undefined) return unknownInterfaces([request.networkInterfaceId]);
  for (const ip of request.addresses) {
    const refusal = whyNotAssignable(model, eni, ip);
    if (refusal !== undefined) return refusal;
  }
  const held = request.addresses.filter((ip) => isHeldByAnother(model, eni, ip));
  // Code and text as users of EC2 quote them; that every such address is listed is inferred.
  if (held.length > 0 && !request.allowReassignment) {
    return refused('InvalidParameterValue', `[${held.join(', ')}] assigned, but move is not allowed.`);
  }
  const added = [...new Set(request.addresses)].filter((ip) => !addressesOf(eni).includes(ip));
  if (addressesOf(eni).length + added.length > eni.addressLimit) {
    return refused(
      'PrivateIpAddressLimitExceeded',
      `Number of private addresses will exceed limit (${eni.addressLimit}) of ${eni.networkInterfaceId}.`,
    );
  }
  const vpcId = subnetOf(model, eni).vpcId;
  return accepted(
    mapInterfaces(model, (other) => {
      if (other === eni) return { ...eni, secondaryIps: [...eni.secondaryIps, ...added] };
      return subnetOf(model, other).vpcId === vpcId ? withoutSecondaries(other, added) : other;
    }),
  );
}

function whyNotAssignable(model: Ec2Model, eni: NetworkInterface, ip: string) {
  const subnet = subnetOf(model, eni);
  if (parseIpv4(ip) === undefined) {
    return refused('InvalidParameterValue', `Value (${ip}) for parameter privateIpAddress is invalid.`);
  }
  if (!inSubnet(subnet, ip)) {
    return refused('InvalidParameterValue', `Address ${ip} does not fall within the subnet's address range.`);
  }
  if (isReserved(subnet, ip)) {
    return refused('InvalidParameterValue', `Address ${ip} is in subnet's reserved address range.`);
  }
  return isHeldByAnother(model, eni, ip) && holderOf(model, subnet.vpcId, ip)?.primaryIp === ip
    ? refused('InvalidParameterValue', `Address ${ip} is a primary address and cannot be moved.`)
    : undefined;
}

function isHeldByAnother(model: Ec2Model, eni: NetworkInterface, ip: string): boolean {
  const holder = holderOf(model, subnetOf(model, eni).vpcId, ip);
  return holder !== undefined && holder !== eni;
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UnassignPrivateIpAddresses.html */
export function unassignAddresses(
  model: Ec2Model,
  networkInterfaceId: string,
  addresses: readonly string[],
): Outcome<Ec2Model> {
  const eni = findInterface(model, networkInterfaceId);
  if (eni === undefined) return unknownInterfaces([networkInterfaceId]);
  if (addresses.includes(eni.primaryIp)) {
    return refused('InvalidParameterValue', `The primary address ${eni.primaryIp} cannot be unassigned.`);
  }
  const missing = addresses.filter((ip) => !eni.secondaryIps.includes(ip));
  if (missing.length > 0) {
    return refused(
      'InvalidParameterValue',
      `[${missing.join(', ')}] are not assigned to ${networkInterfaceId}.`,
    );
  }
  return accepted(
    mapInterfaces(model, (other) => (other === eni ? withoutSecondaries(eni, addresses) : other)),
  );
}

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

export function deleteInterface(model: Ec2Model, networkInterfaceId: string): Outcome<Ec2Model> {
  if (findInterface(model, networkInterfaceId) === undefined) return unknownInterfaces([networkInterfaceId]);
  const networkInterfaces = model.networkInterfaces.filter(
    (eni) => eni.networkInterfaceId !== networkInterfaceId,
  );
  return accepted({ ...model, networkInterfaces });
}

/**
 * A terminated instance loses its interfaces: deleted where `deleteOnTermination` says so, else detached, with
 * their addresses. It never runs again.
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
  return accepted({ ...changed.value, networkInterfaces });
}

export function setStatusChecks(
  model: Ec2Model,
  instanceId: string,
  checks: Partial<Pick<Instance, 'instanceStatus' | 'systemStatus'>>,
): Outcome<Ec2Model> {
  return changeInstance(model, instanceId, checks);
}

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

function mapInterfaces(model: Ec2Model, change: (eni: NetworkInterface) => NetworkInterface): Ec2Model {
  return { ...model, networkInterfaces: model.networkInterfaces.map(change) };
}

function withoutSecondaries(eni: NetworkInterface, gone: readonly string[]): NetworkInterface {
  return { ...eni, secondaryIps: eni.secondaryIps.filter((ip) => !gone.includes(ip)) };
}

/** EC2 tells an id that could exist from one that could not. */
export function unknownInterfaces([id = '']: readonly string[]) {
  return /^eni-[0-9a-f]{8,17}$/.test(id)
    ? refused('InvalidNetworkInterfaceID.NotFound', `The networkInterface ID '${id}' does not exist`)
    : refused('InvalidNetworkInterfaceId.Malformed', `Invalid id: "${id}" (expecting "eni-...")`);
}

export function unknownInstances(ids: readonly string[]) {
  const malformed = ids.find((id) => !/^i-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id));
  if (malformed !== undefined)
    return refused('InvalidInstanceID.Malformed', `Invalid id: "${malformed}" (expecting "i-...")`);
  return refused(
    'InvalidInstanceID.NotFound',
    ids.length === 1
      ? `The instance ID '${ids.join()}' does not exist`
      : `The instance IDs '${ids.join(', ')}' do not exist`,
  );
}
