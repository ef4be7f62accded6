/**
 * From the answer of DescribeNetworkInterfaces to an observation. Nothing is taken on trust: an answer that
 * lacks something, or contradicts what was asked, is a problem as a whole. It must never read as "this
 * router owns the target", nor as "nobody does".
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkInterface.html
 */
import type { JsonObject, JsonValue } from '../../core/state/json';
import type { Attachment, Holder, Observation, OwnInterface, PeerInterface } from '../../core/state/readings';
import type { Slot } from '../../core/state/plan';
import type { AwsPlan, AwsTarget } from '../description';
import {
  field,
  index,
  INSTANCE_ID,
  Malformed,
  NETWORK_INTERFACE_ID,
  optionalText,
  text,
  VPC_ID,
} from './answer';
import { addressBrought } from '../kinds';
import type { Interface, KnownInterface } from './shownInterface';
import type { InstanceIdentity } from './instanceIdentity';
import { ipv4Number } from '../../config/ipv4';
import { canonicalIpv6 } from '../../config/ipv6';

/** What is asked about, and who asks. */
export type ObservationQuestion = {
  readonly instanceId: string;
  readonly ownInterfaceIds: readonly string[];
  readonly vpcIds: readonly string[];
  readonly targets: AwsPlan['targets'];
  readonly peerAddresses: readonly string[];
  /** Targets, own primary addresses and peer addresses, each once. */
  readonly addresses: readonly string[];
};

export function observationQuestion(plan: AwsPlan, identity: InstanceIdentity): ObservationQuestion {
  const { peerAddresses } = plan;
  const primaries = identity.interfaces.map(({ primaryAddress }) => primaryAddress);
  return {
    instanceId: identity.instanceId,
    ownInterfaceIds: identity.interfaces.map(({ networkInterfaceId }) => networkInterfaceId),
    vpcIds: [...new Set(identity.interfaces.map(({ vpcId }) => vpcId))],
    targets: plan.targets,
    peerAddresses,
    addresses: [
      ...new Set([
        ...plan.targets.flatMap((target) => addressBrought(target)?.address ?? []),
        ...primaries,
        ...peerAddresses,
      ]),
    ],
  };
}

/** What is known of interfaces, for those who read who holds routes and Elastic IPs. */
export type KnownInterfaces = {
  readonly vpcIds: readonly string[];
  /** Undefined for an interface that was not asked about. */
  attachmentOf(networkInterfaceId: string): Attachment | undefined;
  readonly described: (networkInterfaceId: string) => KnownInterface | undefined;
  /** The interface of this router where the target belongs. */
  placeOf(
    target: AwsTarget,
  ): { readonly networkInterfaceId: string; readonly primaryAddress: string } | undefined;
};

export type InterfacesReading = {
  /** Holders only of the targets that are addresses. */
  readonly observation: Observation;
  readonly known: KnownInterfaces;
  /** Interfaces of this router that drop what is not from or for them (the source/destination check). */
  readonly checked: readonly string[];
};

/**
 * `answered`: the members of `NetworkInterfaces` of all pages, as the SDK reads them.
 * @throws Malformed
 */
export function readInterfaces(
  question: ObservationQuestion,
  answered: readonly unknown[],
): InterfacesReading {
  const interfaces = new Map<string, Interface>();
  for (const member of answered) {
    const read = readInterface(question, member);
    // Calls that ask about different addresses may each show the same interface, but then as it is.
    const other = interfaces.get(read.networkInterfaceId);
    if (other !== undefined && contentOf(other) !== contentOf(read))
      throw new Malformed(`${read.networkInterfaceId} is there twice, and not the same`);
    interfaces.set(read.networkInterfaceId, read);
  }
  const observation = observe(question, [...interfaces.values()]);
  const isOwn = (id: string) => observation.interfaces.some((own) => own.networkInterfaceId === id);
  return {
    observation,
    checked: [...interfaces.values()].flatMap(({ networkInterfaceId: id, sourceDestCheck }) =>
      sourceDestCheck && isOwn(id) ? [id] : [],
    ),
    known: {
      vpcIds: question.vpcIds,
      attachmentOf: (id) => {
        const found = interfaces.get(id);
        return found === undefined ? undefined : attachmentOf(found);
      },
      described: (id) => interfaces.get(id),
      placeOf: (target) => {
        const own = placeFor(observation.interfaces, target);
        return own && interfaces.get(own.networkInterfaceId);
      },
    },
  };
}

/** For comparing; EC2 does not promise an order of the addresses. */
function contentOf({ subnetId, addresses, attachment }: Interface): string {
  return JSON.stringify([subnetId, [...addresses].sort(), attachment]);
}

function observe(question: ObservationQuestion, all: readonly Interface[]): Observation {
  const holderOf = new Map<string, Interface>();
  for (const each of all) {
    for (const address of each.addresses) {
      const other = holderOf.get(address)?.networkInterfaceId;
      if (other !== undefined && question.addresses.includes(address)) {
        throw new Malformed(`${address} is on ${other} and on ${each.networkInterfaceId} at once`);
      }
      holderOf.set(address, each);
    }
  }
  const interfaces = all
    .flatMap((each) => ownInterface(question, each))
    .sort((a, b) => a.networkCardIndex - b.networkCardIndex || a.deviceIndex - b.deviceIndex);
  if (interfaces.length === 0)
    throw new Malformed(`no interface of ${question.instanceId} is among the answers`);
  // Either IMDS or EC2 is wrong about who this router is, and it must not take the peer's interfaces for its own.
  if (!interfaces.some(({ networkInterfaceId }) => question.ownInterfaceIds.includes(networkInterfaceId))) {
    throw new Malformed(`IMDS names other interfaces for ${question.instanceId} than EC2 does`);
  }
  return {
    instanceId: question.instanceId,
    interfaces,
    holders: Object.fromEntries(
      question.targets.flatMap((target) => {
        const brought = addressBrought(target);
        return brought === null
          ? []
          : [[target.id, holder(interfaces, target, holderOf.get(brought.address))]];
      }),
    ),
    peers: Object.fromEntries(
      question.peerAddresses.flatMap((address) => {
        const found = holderOf.get(address);
        // An address of this router is nobody's peer: the peer's instance would then count as a third one.
        if (found === undefined || found.attachment?.instanceId === question.instanceId) return [];
        return [[address, peerInterface(found)] as const];
      }),
    ),
  };
}

function ownInterface(question: ObservationQuestion, each: Interface): readonly OwnInterface[] {
  const { networkInterfaceId, subnetId, describedAddresses, attachment } = each;
  if (attachment?.instanceId !== question.instanceId) return [];
  const { deviceIndex, networkCardIndex } = attachment;
  return [
    {
      networkInterfaceId,
      deviceIndex,
      networkCardIndex,
      subnetId,
      privateIpAddresses: describedAddresses,
    },
  ];
}

function placeFor(own: readonly OwnInterface[], target: AwsTarget): OwnInterface | undefined {
  return own.find(
    ({ deviceIndex, networkCardIndex }) =>
      deviceIndex === target.deviceIndex && networkCardIndex === target.networkCardIndex,
  );
}

function holder(
  own: readonly OwnInterface[],
  target: AwsTarget,
  found: Interface | undefined,
): Holder | null {
  if (found === undefined) return null;
  const { networkInterfaceId } = found;
  return {
    kind: 'interface',
    networkInterfaceId,
    attachment: attachmentOf(found),
    mine: networkInterfaceId === placeFor(own, target)?.networkInterfaceId,
  };
}

function attachmentOf({ attachment, service }: Interface): Attachment {
  if (attachment === null) return { to: 'nothing' };
  const { instanceId } = attachment;
  // One that a service has is attached, so it is not free to take.
  return instanceId === null ? { to: 'service', name: service } : { to: 'instance', instanceId };
}

/** Of an interface that serves and was not asked about, by the instance that is shown beside it. */
export function attachmentShown(instanceId: string | null): Attachment {
  return instanceId === null ? { to: 'service', name: null } : { to: 'instance', instanceId };
}

function peerInterface({ networkInterfaceId, subnetId, attachment }: Interface): PeerInterface {
  return {
    networkInterfaceId,
    instanceId: attachment?.instanceId ?? null,
    subnetId,
    slot: slotOf(attachment),
  };
}

function slotOf(attachment: Interface['attachment']): Slot | null {
  if (attachment === null) return null;
  const { deviceIndex, networkCardIndex } = attachment;
  return { deviceIndex, networkCardIndex };
}

function readInterface(question: ObservationQuestion, member: unknown): Interface {
  const networkInterfaceId = text(member, 'NetworkInterfaceId', NETWORK_INTERFACE_ID, 'an interface');
  const name = networkInterfaceId;
  const vpcId = text(member, 'VpcId', VPC_ID, name);
  if (!question.vpcIds.includes(vpcId)) throw new Malformed(`${name} of ${vpcId} was not asked about`);
  const described = field(member, 'PrivateIpAddresses');
  if (!Array.isArray(described) || described.length === 0)
    throw new Malformed(`${name} has no list of addresses`);
  const addresses = readAddresses(member, described, name);
  if (!addresses.some((address) => question.addresses.includes(address))) {
    throw new Malformed(`${name} has none of the addresses that were asked about`);
  }
  return {
    networkInterfaceId,
    vpcId,
    zone: optionalText(member, 'AvailabilityZone', /^[a-z0-9-]{1,60}$/, name),
    subnetId: text(member, 'SubnetId', /^subnet-[0-9a-f]{8,17}$/, name),
    primaryAddress: text(member, 'PrivateIpAddress', /^[\d.]+$/, name),
    primaryAddresses: readPrimaryAddresses(member),
    managedBy: readManager(member),
    // What EC2 does not say is not on.
    sourceDestCheck: field(member, 'SourceDestCheck') === true,
    addresses,
    describedAddresses: described.map(jsonObject),
    attachment: readAttachment(question, member, name),
    service: readService(member),
  };
}

function readAddresses(member: unknown, described: readonly unknown[], name: string): readonly string[] {
  const primary = text(member, 'PrivateIpAddress', /^[\d.]+$/, name);
  const addresses = described.map((each) => text(each, 'PrivateIpAddress', /^[\d.]+$/, name));
  if (addresses.some((address) => ipv4Number(address) === null))
    throw new Malformed(`${name} has an address that is none`);
  if (new Set(addresses).size !== addresses.length) throw new Malformed(`${name} has an address twice`);
  if (!addresses.includes(primary)) throw new Malformed(`${name} lacks its primary address in the list`);
  return [...addresses, ...readIpv6Addresses(member, name)];
}

function readPrimaryAddresses(member: unknown): readonly string[] {
  const ipv6 = field(member, 'Ipv6Addresses') ?? [];
  const isPrimary = (each: unknown) => field(each, 'IsPrimaryIpv6') === true;
  const primaryIpv6 = Array.isArray(ipv6)
    ? ipv6.filter(isPrimary).map((each) => field(each, 'Ipv6Address'))
    : [];
  return [field(member, 'PrivateIpAddress'), ...primaryIpv6].flatMap((address) =>
    typeof address === 'string' ? [canonicalIpv6(address) ?? address] : [],
  );
}

/** Short enough for a sentence, and no text that could be anything. */
const SERVICE_NAME = /^[\w.:/-]{1,100}$/;

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_OperatorResponse.html */
function readManager(member: unknown): string | null {
  const operator = field(member, 'Operator');
  const named = field(operator, 'Principal') ?? field(member, 'RequesterId');
  if (field(operator, 'Managed') !== true && field(member, 'RequesterManaged') !== true) return null;
  return typeof named === 'string' && SERVICE_NAME.test(named) ? named : 'an AWS service';
}

/** `amazon-elb`, `amazon-aws`: who has attached it, else who has asked for it. */
function readService(member: unknown): string | null {
  const words = [
    field(field(member, 'Operator'), 'Principal'),
    field(field(member, 'Attachment'), 'InstanceOwnerId'),
    field(member, 'RequesterId'),
  ];
  return words.find((said): said is string => typeof said === 'string' && SERVICE_NAME.test(said)) ?? null;
}

/** In their canonical form. An interface without any has an empty list, or none. */
function readIpv6Addresses(member: unknown, name: string): readonly string[] {
  const described = field(member, 'Ipv6Addresses') ?? [];
  if (!Array.isArray(described)) throw new Malformed(`${name} has no valid list of IPv6 addresses`);
  return described.map((each) => {
    const address = canonicalIpv6(text(each, 'Ipv6Address', /^[\da-f:.]+$/i, name));
    if (address === null) throw new Malformed(`${name} has an IPv6 address that is none`);
    return address;
  });
}

/** The members that are plain values, and those of the objects among them (an Elastic IP's `Association`). */
function jsonObject(described: unknown): JsonObject {
  return Object.fromEntries(
    Object.entries(described ?? {}).flatMap(([key, value]: [string, unknown]) => {
      const json = jsonValue(value);
      return json === undefined ? [] : [[key, json] as const];
    }),
  );
}

function jsonValue(value: unknown): JsonValue | undefined {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? jsonObject(value) : undefined;
}

function readAttachment(
  question: ObservationQuestion,
  member: unknown,
  name: string,
): Interface['attachment'] {
  const attachment = field(member, 'Attachment');
  const status = text(member, 'Status', /^[a-z-]+$/, name);
  if (attachment === undefined || attachment === null) {
    if (status === 'in-use') throw new Malformed(`${name} is in use and has no attachment`);
    return null;
  }
  const deviceIndex = index(attachment, 'DeviceIndex', name);
  // Interfaces of AWS's own services are attached to no instance of ours; one of this instance has to be.
  const instanceId =
    field(attachment, 'InstanceId') === undefined && !question.ownInterfaceIds.includes(name)
      ? null
      : text(attachment, 'InstanceId', INSTANCE_ID, name);
  const networkCardIndex =
    field(attachment, 'NetworkCardIndex') === undefined ? 0 : index(attachment, 'NetworkCardIndex', name);
  return { instanceId, deviceIndex, networkCardIndex };
}
