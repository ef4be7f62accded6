/** Elastic IPs: what associates them, and what becomes of them when addresses move. Pure functions. */
import { accepted, refused } from './ec2Error';
import type { Outcome } from './ec2Error';
import { addressesOf, findInstance, findInterface, holderOf, subnetOf } from './model';
import type { Ec2Model, ElasticIp, NetworkInterface } from './model';
import { unknownAllocations, unknownInterfaces } from './unknownIds';

export interface AssociateRequest {
  readonly allocationId: string;
  readonly networkInterfaceId: string;
  /** Undefined: the primary address. */
  readonly privateIp: string | undefined;
  readonly allowReassociation: boolean;
}

export const findElasticIp = (model: Ec2Model, id: string): ElasticIp | undefined =>
  model.elasticIps.find(({ allocationId }) => allocationId === id);

export const elasticIpsOf = (model: Ec2Model, eni: NetworkInterface): readonly ElasticIp[] =>
  model.elasticIps.filter(({ association }) => association?.networkInterfaceId === eni.networkInterfaceId);

/** The one on a private address. */
export const elasticIpOn = (model: Ec2Model, eni: NetworkInterface, ip: string): ElasticIp | undefined =>
  elasticIpsOf(model, eni).find(({ association }) => association?.privateIp === ip);

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateAddress.html */
export function associateAddress(model: Ec2Model, request: AssociateRequest): Outcome<Ec2Model> {
  const eip = findElasticIp(model, request.allocationId);
  if (eip === undefined) return unknownAllocations([request.allocationId]);
  const eni = findInterface(model, request.networkInterfaceId);
  if (eni === undefined) return unknownInterfaces([request.networkInterfaceId]);
  const { networkInterfaceId, primaryIp } = eni;
  const privateIp = request.privateIp ?? primaryIp;
  if (!addressesOf(eni).includes(privateIp)) {
    return refused(
      'InvalidParameterValue',
      `The private IP address ${privateIp} is not assigned to ${networkInterfaceId}.`,
    );
  }
  if (findInstance(model, eni.attachment?.instanceId ?? '')?.state === 'pending') {
    return refused(
      'IncorrectInstanceState',
      `The pending instance to which '${networkInterfaceId}' is attached is not in a valid state for this operation`,
    );
  }
  const { association } = eip;
  // The call is documented as idempotent; that the association keeps its id is inferred.
  if (association?.networkInterfaceId === networkInterfaceId && association.privateIp === privateIp) {
    return accepted(model);
  }
  if (association !== null && !request.allowReassociation) {
    return refused(
      'Resource.AlreadyAssociated',
      `resource ${eip.allocationId} is already associated with associate-id ${association.associationId}`,
    );
  }
  const other = elasticIpOn(model, eni, privateIp);
  if (other !== undefined) {
    return refused(
      'Resource.AlreadyAssociated',
      `resource ${networkInterfaceId} is already associated with address ${other.allocationId}`,
    );
  }
  const associationId = nextAssociationId(association?.associationId, eip.allocationId);
  return accepted(withAssociation(model, eip, { associationId, networkInterfaceId, privateIp }));
}

export function disassociateAddress(model: Ec2Model, allocationId: string): Outcome<Ec2Model> {
  const eip = findElasticIp(model, allocationId);
  if (eip === undefined) return unknownAllocations([allocationId]);
  return accepted(withAssociation(model, eip, null));
}

export function setServiceManaged(
  model: Ec2Model,
  allocationId: string,
  service: ElasticIp['serviceManaged'] | null,
): Outcome<Ec2Model> {
  const eip = findElasticIp(model, allocationId);
  if (eip === undefined) return unknownAllocations([allocationId]);
  const { serviceManaged: _before, ...rest } = eip;
  const after = service ? { ...rest, serviceManaged: service } : rest;
  return accepted({ ...model, elasticIps: model.elasticIps.map((each) => (each === eip ? after : each)) });
}

/**
 * The model with other interfaces. Elastic IPs follow their private address to the interface that has it now,
 * and are free when none in the VPC has it: so a move takes them along, and Unassign drops them.
 */
export function withInterfaces(model: Ec2Model, networkInterfaces: readonly NetworkInterface[]): Ec2Model {
  const after = { ...model, networkInterfaces };
  const elasticIps = model.elasticIps.map((eip): ElasticIp => {
    const before = findInterface(model, eip.association?.networkInterfaceId ?? '');
    if (eip.association === null || before === undefined) return eip;
    const holder = holderOf(after, subnetOf(model, before).vpcId, eip.association.privateIp);
    if (holder === undefined) return { ...eip, association: null };
    const { networkInterfaceId } = holder;
    return networkInterfaceId === before.networkInterfaceId
      ? eip
      : { ...eip, association: { ...eip.association, networkInterfaceId } };
  });
  return { ...after, elasticIps };
}

export const mapInterfaces = (
  model: Ec2Model,
  change: (eni: NetworkInterface) => NetworkInterface,
): Ec2Model => withInterfaces(model, model.networkInterfaces.map(change));

function withAssociation(model: Ec2Model, eip: ElasticIp, association: ElasticIp['association']): Ec2Model {
  const elasticIps = model.elasticIps.map((each) => (each === eip ? { ...eip, association } : each));
  return { ...model, elasticIps };
}

/** A new id for each association, and the same ones in each run of the lab. */
function nextAssociationId(last: string | undefined, allocationId: string): string {
  const seed = last ?? allocationId.replace('eipalloc-', 'eipassoc-');
  const number = BigInt(`0x${seed.replace('eipassoc-', '')}`) + 1n;
  return `eipassoc-${number.toString(16).padStart(17, '0').slice(-17)}`;
}
