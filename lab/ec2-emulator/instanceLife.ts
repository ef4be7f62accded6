/** The life of instances as pure functions: launched, running, booted, rebooted, terminated. */
import { leaveInterfaces } from './attachments';
import { accepted, refused } from './ec2Error';
import type { Outcome } from './ec2Error';
import { withInterfaces } from './elasticIps';
import { formatIpv4, parseCidrBlock } from './ipv4';
import { findInstance, holderOf, interfacesOf } from './model';
import type { Ec2Model, Instance, InstanceState, NetworkInterface, Subnet, Tags } from './model';
import { unknownInstances } from './unknownIds';
import { volumesAfter } from './volumes';

export interface LaunchRequest {
  readonly instanceId: string;
  readonly instanceType: string;
  readonly subnetId: string;
  readonly tags: Tags;
  /** Of the primary interface, which is made with the instance and deleted with it. */
  readonly sourceDestCheck: boolean;
  readonly launchedAt: string;
}

/** A `pending` instance with its primary interface on the first free address of the subnet. */
export function launchInstance(model: Ec2Model, request: LaunchRequest): Outcome<Ec2Model> {
  const { instanceId, instanceType, subnetId, launchedAt, tags } = request;
  const subnet = model.subnets.find((each) => each.subnetId === subnetId);
  if (subnet === undefined)
    return refused('InvalidSubnetID.NotFound', `The subnet ID '${subnetId}' does not exist`);
  const primaryIp = freeAddress(model, subnet);
  if (primaryIp === undefined)
    return refused('InsufficientFreeAddressesInSubnet', `There are no free addresses in ${subnetId}.`);
  const hex = instanceId.slice(2);
  const primary: NetworkInterface = {
    networkInterfaceId: `eni-${hex}`,
    subnetId,
    macAddress: `02:${hex.slice(-10).replace(/..(?!$)/g, '$&:')}`,
    primaryIp,
    secondaryIps: [],
    sourceDestCheck: request.sourceDestCheck,
    attachment: {
      attachmentId: `eni-attach-${hex}`,
      instanceId,
      deviceIndex: 0,
      networkCardIndex: 0,
      status: 'attaching',
      deleteOnTermination: true,
    },
  };
  const instance: Instance = {
    instanceId,
    instanceType,
    availabilityZone: subnet.availabilityZone,
    state: 'pending',
    instanceStatus: 'initializing',
    systemStatus: 'initializing',
    launchedAt,
    tags,
  };
  return accepted(
    withInterfaces({ ...model, instances: [...model.instances, instance] }, [
      ...model.networkInterfaces,
      primary,
    ]),
  );
}

function freeAddress(model: Ec2Model, subnet: Subnet): string | undefined {
  const range = parseCidrBlock(subnet.cidrBlock);
  if (range === undefined) return undefined;
  for (let each = range.first + 4; each < range.last; each += 1) {
    const ip = formatIpv4(each);
    if (holderOf(model, subnet.vpcId, ip) === undefined) return ip;
  }
  return undefined;
}

/** `pending` to `running`, with all that was attached on the way. */
export function startRunning(model: Ec2Model, instanceId: string): Outcome<Ec2Model> {
  if (findInstance(model, instanceId)?.state !== 'pending') return accepted(model);
  const networkInterfaces = model.networkInterfaces.map((eni): NetworkInterface =>
    eni.attachment?.instanceId === instanceId
      ? { ...eni, attachment: { ...eni.attachment, status: 'attached' } }
      : eni,
  );
  return accepted(patchInstance({ ...model, networkInterfaces }, instanceId, () => ({ state: 'running' })));
}

/** The guest answers: unless the instance has booted once more, or has gone, since. */
export function finishBoot(model: Ec2Model, instanceId: string, boots: number): Outcome<Ec2Model> {
  const instance = findInstance(model, instanceId);
  if (instance?.state !== 'running' || bootsOf(instance) !== boots) return accepted(model);
  return accepted(patchInstance(model, instanceId, () => ({ instanceStatus: 'ok', systemStatus: 'ok' })));
}

export const bootsOf = ({ boots = 1 }: Instance): number => boots;

/**
 * The guest boots anew; EC2 goes on saying `running`. That its check starts over is inferred.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RebootInstances.html
 */
export function rebootInstance(model: Ec2Model, instanceId: string): Outcome<Ec2Model> {
  const instance = findInstance(model, instanceId);
  if (instance === undefined) return unknownInstances([instanceId]);
  if (instance.state !== 'running') {
    return refused(
      'IncorrectInstanceState',
      `The instance '${instanceId}' is not in a state from which it can be rebooted.`,
    );
  }
  return accepted(
    patchInstance(model, instanceId, () => ({
      instanceStatus: 'initializing',
      boots: bootsOf(instance) + 1,
    })),
  );
}

/** Begins it; for one that is on this way already nothing changes. */
export function beginTermination(model: Ec2Model, instanceId: string): Outcome<Ec2Model> {
  const instance = findInstance(model, instanceId);
  if (instance === undefined) return unknownInstances([instanceId]);
  return isGone(instance.state)
    ? accepted(model)
    : accepted(patchInstance(model, instanceId, () => ({ state: 'shutting-down' })));
}

export const isGone = (state: InstanceState): boolean => state === 'shutting-down' || state === 'terminated';

/** Volumes are free at once; interfaces that stay are detaching. */
export function finishTermination(model: Ec2Model, instanceId: string): Outcome<Ec2Model> {
  if (findInstance(model, instanceId)?.state !== 'shutting-down') return accepted(model);
  const terminated = patchInstance(model, instanceId, () => ({ state: 'terminated' }));
  return accepted({
    ...leaveInterfaces(terminated, instanceId),
    volumes: volumesAfter(terminated, instanceId),
  });
}

export const attachmentsOf = (model: Ec2Model, instanceId: string): readonly string[] =>
  interfacesOf(model, instanceId).flatMap(({ attachment }) => attachment?.attachmentId ?? []);

function patchInstance(
  model: Ec2Model,
  instanceId: string,
  patch: (instance: Instance) => Partial<Instance>,
): Ec2Model {
  const instances = model.instances.map((each) =>
    each.instanceId === instanceId ? { ...each, ...patch(each) } : each,
  );
  return { ...model, instances };
}
