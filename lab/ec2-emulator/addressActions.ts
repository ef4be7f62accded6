/** The actions that change the addresses of an interface, of both families, and its other attributes. */
import { dryRun, missingParameter } from './actionRequest';
import type { ActionRequest, ActionTable, Answer } from './actionRequest';
import { setDeleteOnTermination } from './attachments';
import { setSourceDestCheck } from './changes';
import { accepted, refused } from './ec2Error';
import type { Outcome } from './ec2Error';
import { assignIpv6Addresses, unassignIpv6Addresses } from './ipv6Addresses';
import { assignAddresses, unassignAddresses } from './privateAddresses';
import type { Ec2Model } from './model';
import { booleanIn, element, itemSet, listParam } from './queryProtocol';
import type { QueryParams } from './queryProtocol';

/** None of the first four has a DryRun. */
export const addressActions: ActionTable = {
  AssignPrivateIpAddresses: {
    parameters: [
      'NetworkInterfaceId',
      'PrivateIpAddress',
      'AllowReassignment',
      'SecondaryPrivateIpAddressCount',
      'Ipv4Prefix',
      'Ipv4PrefixCount',
    ],
    run: assignPrivate,
  },
  UnassignPrivateIpAddresses: {
    parameters: ['NetworkInterfaceId', 'PrivateIpAddress', 'Ipv4Prefix'],
    run: unassignPrivate,
  },
  AssignIpv6Addresses: {
    parameters: ['NetworkInterfaceId', 'Ipv6Addresses', 'Ipv6AddressCount', 'Ipv6Prefix', 'Ipv6PrefixCount'],
    run: assignIpv6,
  },
  UnassignIpv6Addresses: {
    parameters: ['NetworkInterfaceId', 'Ipv6Addresses', 'Ipv6Prefix'],
    run: unassignIpv6,
  },
  ModifyNetworkInterfaceAttribute: {
    parameters: ['NetworkInterfaceId', 'DryRun', ...attributes()],
    run: modifyAttribute,
  },
};

function assignPrivate({ params, world, origin }: ActionRequest): Answer {
  const target = targetOf(params, 'PrivateIpAddress');
  if (!target.ok) return target;
  const { networkInterfaceId, addresses } = target.value;
  const allowReassignment = params.get('AllowReassignment') === 'true';
  const done = world.commit(
    assignAddresses(world.model, { networkInterfaceId, addresses, allowReassignment }),
    origin,
  );
  if (!done.ok) return done;
  return accepted([
    element('networkInterfaceId', networkInterfaceId),
    itemSet(
      'assignedPrivateIpAddressesSet',
      addresses.map((ip) => [element('privateIpAddress', ip)]),
    ),
    element('return', true),
  ]);
}

function unassignPrivate({ params, world, origin }: ActionRequest): Answer {
  const target = targetOf(params, 'PrivateIpAddress');
  if (!target.ok) return target;
  const { networkInterfaceId, addresses } = target.value;
  const done = world.commit(unassignAddresses(world.model, networkInterfaceId, addresses), origin);
  return done.ok ? accepted([element('return', true)]) : done;
}

function assignIpv6({ params, world, origin }: ActionRequest): Answer {
  const target = targetOf(params, 'Ipv6Addresses');
  if (!target.ok) return target;
  const { networkInterfaceId, addresses } = target.value;
  const done = world.commit(assignIpv6Addresses(world.model, networkInterfaceId, addresses), origin);
  if (!done.ok) return done;
  return accepted([
    element('networkInterfaceId', networkInterfaceId),
    element(
      'assignedIpv6Addresses',
      addresses.map((ip) => element('item', ip)),
    ),
  ]);
}

function unassignIpv6({ params, world, origin }: ActionRequest): Answer {
  const target = targetOf(params, 'Ipv6Addresses');
  if (!target.ok) return target;
  const { networkInterfaceId, addresses } = target.value;
  const done = world.commit(unassignIpv6Addresses(world.model, networkInterfaceId, addresses), origin);
  if (!done.ok) return done;
  return accepted([
    element('networkInterfaceId', networkInterfaceId),
    element(
      'unassignedIpv6Addresses',
      addresses.map((ip) => element('item', ip)),
    ),
  ]);
}

function attributes(): readonly string[] {
  return ['SourceDestCheck', 'Description', 'SecurityGroupId', 'Attachment', 'EnaSrdSpecification'];
}

/** One attribute in a call, as documented; the lab has two. */
function modifyAttribute({ params, world, origin }: ActionRequest): Answer {
  const missing = missingParameter(params, ['NetworkInterfaceId']);
  if (missing !== undefined) return missing;
  const named = attributes().filter((name) => [...params.keys()].some((key) => key.split('.')[0] === name));
  if (named.length !== 1) {
    return refused('InvalidParameterCombination', `One attribute in a call, not ${named.length}.`);
  }
  const change = attributeChange(params);
  if (change === undefined) {
    return refused(
      'UnsupportedOperation',
      `This emulator changes SourceDestCheck and DeleteOnTermination only, not ${named.join()}.`,
    );
  }
  const dry = dryRun(params);
  if (dry !== undefined) return dry;
  const done = world.commit(change(world.model, params.get('NetworkInterfaceId') ?? ''), origin);
  return done.ok ? accepted([element('return', true)]) : done;
}

type AttributeChange = (model: Ec2Model, networkInterfaceId: string) => Outcome<Ec2Model>;

function attributeChange(params: QueryParams): AttributeChange | undefined {
  const check = booleanIn(params, 'SourceDestCheck.Value');
  if (check !== undefined) return (model, id) => setSourceDestCheck(model, id, check);
  const on = booleanIn(params, 'Attachment.DeleteOnTermination');
  const attachmentId = params.get('Attachment.AttachmentId') ?? '';
  return on === undefined
    ? undefined
    : (model, id) => setDeleteOnTermination(model, id, { attachmentId, on });
}

interface Target {
  readonly networkInterfaceId: string;
  readonly addresses: readonly string[];
}

function targetOf(params: QueryParams, list: 'PrivateIpAddress' | 'Ipv6Addresses'): Outcome<Target> {
  const unsupported = [...params.keys()].find((name) =>
    /^(SecondaryPrivateIpAddressCount|Ipv4Prefix|Ipv6AddressCount|Ipv6Prefix)/.test(name),
  );
  if (unsupported !== undefined) {
    return refused('UnsupportedOperation', `This emulator moves named addresses only, not ${unsupported}.`);
  }
  const addresses = listParam(params, list);
  const missing =
    missingParameter(params, ['NetworkInterfaceId']) ??
    (addresses.length === 0 ? missingParameter(params, [list]) : undefined);
  if (missing !== undefined) return missing;
  return accepted({ networkInterfaceId: params.get('NetworkInterfaceId') ?? '', addresses });
}
