/** The actions on Elastic IPs: parameters in, XML out. What they do is in elasticIps.ts. */
import { dryRun, missingParameter, read } from './actionRequest';
import type { ActionRequest, ActionTable, Answer } from './actionRequest';
import { describePage, pageAnswer, tagSet } from './describe';
import type { FilterTable } from './describe';
import { accepted, refused } from './ec2Error';
import { associateAddress, findElasticIp } from './elasticIps';
import { findInterface } from './model';
import type { Ec2Model, ElasticIp } from './model';
import { element, listParam } from './queryProtocol';
import type { QueryParams, XmlElement } from './queryProtocol';
import { unknownAllocations } from './unknownIds';

export const elasticIpActions: ActionTable = {
  /** Without pages: it answers everything at once. */
  DescribeAddresses: read(['AllocationId', 'PublicIp'], describeAddresses),
  AssociateAddress: {
    parameters: [
      'AllocationId',
      'NetworkInterfaceId',
      'PrivateIpAddress',
      'AllowReassociation',
      'DryRun',
      'InstanceId',
      'PublicIp',
    ],
    run: associate,
  },
};

function associate({ params, world, origin }: ActionRequest): Answer {
  const unsupported = ['InstanceId', 'PublicIp'].find((name) => params.has(name));
  if (unsupported !== undefined) {
    return refused(
      'UnsupportedOperation',
      `This emulator associates allocation ids with interfaces, not by ${unsupported}.`,
    );
  }
  const missing = missingParameter(params, ['AllocationId', 'NetworkInterfaceId']);
  if (missing !== undefined) return missing;
  const allocationId = params.get('AllocationId') ?? '';
  // AuthFailure with status 400, as of whatever is not the caller's; the words are EC2's.
  if (findElasticIp(world.model, allocationId)?.serviceManaged !== undefined)
    return refused('AuthFailure', 'You do not have permission to access the specified resource.', 400);
  const dry = dryRun(params);
  if (dry !== undefined) return dry;
  const done = world.commit(
    associateAddress(world.model, {
      allocationId,
      networkInterfaceId: params.get('NetworkInterfaceId') ?? '',
      privateIp: params.get('PrivateIpAddress'),
      allowReassociation: params.get('AllowReassociation') !== 'false',
    }),
    origin,
  );
  if (!done.ok) return done;
  const associationId = findElasticIp(done.value, allocationId)?.association?.associationId ?? '';
  return accepted([element('associationId', associationId), element('return', true)]);
}

const instanceOf = (model: Ec2Model, { association }: ElasticIp): readonly string[] => {
  const instanceId = findInterface(model, association?.networkInterfaceId ?? '')?.attachment?.instanceId;
  return instanceId === undefined ? [] : [instanceId];
};

const addressFilters = (model: Ec2Model): FilterTable<ElasticIp> => ({
  'allocation-id': ({ allocationId }) => [allocationId],
  'public-ip': ({ publicIp }) => [publicIp],
  'association-id': ({ association }) => (association ? [association.associationId] : []),
  'network-interface-id': ({ association }) => (association ? [association.networkInterfaceId] : []),
  'private-ip-address': ({ association }) => (association ? [association.privateIp] : []),
  'instance-id': (eip) => instanceOf(model, eip),
});

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAddresses.html */
function describeAddresses(model: Ec2Model, params: QueryParams): Answer {
  if (listParam(params, 'PublicIp').length > 0) {
    return refused('UnsupportedOperation', 'This emulator finds Elastic IPs by AllocationId or filter only.');
  }
  const page = describePage(params, {
    resources: model.elasticIps,
    filters: addressFilters(model),
    tagsOf: ({ tags }) => tags,
    requestedIds: listParam(params, 'AllocationId'),
    idOf: ({ allocationId }) => allocationId,
    unknownIds: unknownAllocations,
  });
  return pageAnswer(page, 'addressesSet', (eip) => elasticIpXml(model, eip));
}

function elasticIpXml(model: Ec2Model, eip: ElasticIp): readonly XmlElement[] {
  const { association } = eip;
  return [
    element('publicIp', eip.publicIp),
    element('allocationId', eip.allocationId),
    element('domain', 'vpc'),
    element('publicIpv4Pool', 'amazon'),
    element('networkBorderGroup', model.region),
    ...(eip.serviceManaged === undefined ? [] : [element('serviceManaged', eip.serviceManaged)]),
    ...instanceOf(model, eip).map((id) => element('instanceId', id)),
    ...(association === null
      ? []
      : [
          element('associationId', association.associationId),
          element('networkInterfaceId', association.networkInterfaceId),
          element('networkInterfaceOwnerId', model.accountId),
          element('privateIpAddress', association.privateIp),
        ]),
    tagSet(eip.tags),
  ];
}
