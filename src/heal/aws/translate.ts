/**
 * From what AWS has answered to the words of the core, field by field. A value that is missing or not of its form makes
 * the reading malformed as a whole: nothing is decided from half an answer.
 */
import {
  field,
  index,
  INSTANCE_ID,
  Malformed,
  NETWORK_INTERFACE_ID,
  optionalText,
  text,
  VPC_ID,
} from '../../aws/reads/answer';
import { FROM_ELSEWHERE, GATEWAYS } from '../../aws/reads/routeTables';
import { parseDestination } from '../../config/destinations';
import { canonicalIpv6 } from '../../config/ipv6';
import { selectorWords, type Selector } from '../core/desired';
import type {
  AssociatedAddress,
  Attachment,
  Group,
  Instance,
  NetworkInterface,
  RouteTable,
  TableEntry,
  Volume,
} from '../core/observed';
import { parseRecord } from '../core/record';

/** Of the tag that keeps the record of a group. */
export const RECORD_TAG = 'xr-aws-ha:heal';
const GROUP_TAG = 'aws:autoscaling:groupName';

const ANY = /^[^\p{C}]{1,1024}$/u;
const ZONE = /^[a-z0-9-]{1,64}$/;
const WORD = /^[A-Za-z:-]{1,64}$/;

function list(of: unknown, key: string): readonly unknown[] {
  const value = field(of, key) ?? [];
  if (!Array.isArray(value)) throw new Malformed(`${key} is no list`);
  return value;
}

function tagOf(of: unknown, key: string): string | null {
  const tag = list(of, 'Tags').find((each) => field(each, 'Key') === key);
  const value = field(tag, 'Value');
  return typeof value === 'string' ? value : null;
}

function time(of: unknown, key: string, name: string): number {
  const value = field(of, key);
  if (!(value instanceof Date) || Number.isNaN(value.getTime()))
    throw new Malformed(`${name} has no valid ${key}`);
  return value.getTime();
}

function choiceOf<Word extends string>(of: unknown, key: string, words: readonly Word[], name: string): Word {
  const value = field(of, key);
  const word = words.find((each) => each === value);
  if (word === undefined) throw new Malformed(`${name} has no valid ${key}`);
  return word;
}

/** Those of the desired state that mean this thing. */
function selectorsOf(of: unknown, id: string, selectors: readonly Selector[]): readonly string[] {
  const words = selectors
    .filter((selector) =>
      'id' in selector ? selector.id === id : tagOf(of, selector.tag.key) === selector.tag.value,
    )
    .map(selectorWords);
  return [...new Set(words)];
}

export function groupOf(member: unknown): Group {
  const name = text(member, 'AutoScalingGroupName', ANY, 'a group');
  const desiredCapacity = field(member, 'DesiredCapacity');
  if (typeof desiredCapacity !== 'number') throw new Malformed(`${name} has no valid DesiredCapacity`);
  const written = tagOf(member, RECORD_TAG);
  return {
    name,
    desiredCapacity,
    instances: list(member, 'Instances').map((each) => ({
      id: text(each, 'InstanceId', INSTANCE_ID, `an instance of ${name}`),
      lifecycle: text(each, 'LifecycleState', WORD, `an instance of ${name}`),
    })),
    record: written === null ? null : parseRecord(written),
  };
}

const STATES = ['pending', 'running', 'shutting-down', 'terminated', 'stopping', 'stopped'] as const;

export function instanceOf(member: unknown): Instance {
  const id = text(member, 'InstanceId', INSTANCE_ID, 'an instance');
  return {
    id,
    state: choiceOf(field(member, 'State'), 'Name', STATES, id),
    launchedAt: time(member, 'LaunchTime', id),
    zone: text(field(member, 'Placement'), 'AvailabilityZone', ZONE, id),
    vpcId: optionalText(member, 'VpcId', VPC_ID, id),
    group: tagOf(member, GROUP_TAG),
  };
}

export function interfaceOf(member: unknown, selectors: readonly Selector[]): NetworkInterface {
  const id = text(member, 'NetworkInterfaceId', NETWORK_INTERFACE_ID, 'a network interface');
  const ipv6 = list(member, 'Ipv6Addresses').map((each) => text(each, 'Ipv6Address', ANY, id));
  return {
    id,
    zone: text(member, 'AvailabilityZone', ZONE, id),
    attachment: attachmentOf(field(member, 'Attachment'), id),
    primaryAddress: optionalText(member, 'PrivateIpAddress', /^[\d.]+$/, id) ?? '',
    addresses: [
      ...list(member, 'PrivateIpAddresses').map((each) => text(each, 'PrivateIpAddress', /^[\d.]+$/, id)),
      ...ipv6.map((address) => canonicalIpv6(address) ?? address),
    ],
    sourceDestCheck: field(member, 'SourceDestCheck') === true,
    selectors: selectorsOf({ Tags: field(member, 'TagSet') ?? [] }, id, selectors),
  };
}

const ATTACHMENTS = ['attaching', 'attached', 'detaching', 'detached'] as const;

function attachmentOf(written: unknown, name: string): Attachment | null {
  if (written === undefined || written === null) return null;
  const status = choiceOf(written, 'Status', ATTACHMENTS, name);
  if (status === 'detached') return null;
  return {
    id: text(written, 'AttachmentId', ANY, name),
    instanceId: optionalText(written, 'InstanceId', INSTANCE_ID, name),
    slot: {
      deviceIndex: index(written, 'DeviceIndex', name),
      networkCardIndex:
        field(written, 'NetworkCardIndex') === undefined ? 0 : index(written, 'NetworkCardIndex', name),
    },
    status,
    attachedAt: time(written, 'AttachTime', name),
    deleteOnTermination: field(written, 'DeleteOnTermination') === true,
  };
}

const VOLUME_ID = /^vol-[0-9a-f]{8,17}$/;

export function volumeOf(member: unknown, selectors: readonly Selector[]): Volume {
  const id = text(member, 'VolumeId', VOLUME_ID, 'a volume');
  const attachments = list(member, 'Attachments').filter((each) => field(each, 'State') !== 'detached');
  const [attachment, ...others] = attachments;
  if (others.length > 0) throw new Malformed(`${id} is attached to several instances`);
  return {
    id,
    zone: text(member, 'AvailabilityZone', ZONE, id),
    state: text(member, 'State', WORD, id),
    attachment:
      attachment === undefined
        ? null
        : {
            instanceId: text(attachment, 'InstanceId', INSTANCE_ID, id),
            device: text(attachment, 'Device', ANY, id),
            status: choiceOf(attachment, 'State', [...ATTACHMENTS, 'busy'] as const, id),
            deleteOnTermination: field(attachment, 'DeleteOnTermination') === true,
          },
    selectors: selectorsOf(member, id, selectors),
  };
}

export function addressOf(member: unknown): readonly [allocationId: string, AssociatedAddress] {
  const allocationId = text(member, 'AllocationId', /^eipalloc-[0-9a-f]{8,17}$/, 'an Elastic IP');
  return [
    allocationId,
    {
      interfaceId: optionalText(member, 'NetworkInterfaceId', NETWORK_INTERFACE_ID, allocationId),
      instanceId: optionalText(member, 'InstanceId', INSTANCE_ID, allocationId),
      privateAddress: optionalText(member, 'PrivateIpAddress', /^[\d.]+$/, allocationId),
    },
  ];
}

export function tableOf(member: unknown, selectors: readonly Selector[]): RouteTable {
  const id = text(member, 'RouteTableId', /^rtb-[0-9a-f]{8,17}$/, 'a route table');
  return {
    id,
    routes: list(member, 'Routes').flatMap((route) => entryOf(route, id)),
    selectors: selectorsOf(member, id, selectors),
  };
}

const DESTINATIONS = ['DestinationCidrBlock', 'DestinationIpv6CidrBlock', 'DestinationPrefixListId'] as const;

/** A static route; those that come from elsewhere cannot be replaced, and a static one stands beside them. */
function entryOf(route: unknown, tableId: string): readonly TableEntry[] {
  if (FROM_ELSEWHERE.includes(field(route, 'Origin'))) return [];
  const written = DESTINATIONS.map((key) => optionalText(route, key, ANY, tableId)).find(
    (value) => value !== null,
  );
  const destination = parseDestination(written ?? '');
  if (destination === null) return [];
  const interfaceId = optionalText(route, 'NetworkInterfaceId', NETWORK_INTERFACE_ID, tableId);
  const gateway = GATEWAYS.map((key) => optionalText(route, key, ANY, tableId)).find(
    (value) => value !== null,
  );
  return [
    {
      destination: destination.value,
      blackhole: field(route, 'State') === 'blackhole',
      interfaceId,
      instanceId: optionalText(route, 'InstanceId', INSTANCE_ID, tableId),
      other: interfaceId === null ? (gateway ?? null) : null,
    },
  ];
}
