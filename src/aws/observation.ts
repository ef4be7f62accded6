/**
 * From the answer of DescribeNetworkInterfaces to an observation. Nothing is taken on trust: an answer that
 * lacks something, or contradicts what was asked, is a problem as a whole. It must never read as "this
 * router owns the target", nor as "nobody does".
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkInterface.html
 */
import type { Holder, JsonObject, JsonValue, Observation, OwnInterface, PeerInterface } from '../core/model';
import type { Plan } from '../core/plan';
import type { Whole } from '../config/settings';
import type { InstanceIdentity } from './instanceIdentity';
import { ipv4Number } from '../config/ipv4';

/** What is asked about, and who asks. */
export type ObservationQuestion = {
  readonly instanceId: string;
  readonly ownInterfaceIds: readonly string[];
  readonly vpcIds: readonly string[];
  readonly targets: Plan['targets'];
  readonly peerAddresses: readonly string[];
  /** Targets, own primary addresses and peer addresses, each once. */
  readonly addresses: readonly string[];
};

export function observationQuestion(plan: Whole, identity: InstanceIdentity): ObservationQuestion {
  const peerAddresses = plan.sessions.map(({ peerAddress }) => peerAddress);
  const primaries = identity.interfaces.map(({ primaryAddress }) => primaryAddress);
  return {
    instanceId: identity.instanceId,
    ownInterfaceIds: identity.interfaces.map(({ networkInterfaceId }) => networkInterfaceId),
    vpcIds: [...new Set(identity.interfaces.map(({ vpcId }) => vpcId))],
    targets: plan.targets,
    peerAddresses,
    addresses: [...new Set([...plan.targets.map(({ address }) => address), ...primaries, ...peerAddresses])],
  };
}

export type ObservationReading =
  { readonly ok: true; readonly observation: Observation } | { readonly ok: false; readonly problem: string };

/** Stands for the instance where an AWS service has the interface: it is attached, so it is not free to take. */
const SERVICE = 'an AWS service';

/** An interface whose fields have all been checked. */
type Interface = {
  readonly networkInterfaceId: string;
  readonly subnetId: string;
  readonly addresses: readonly string[];
  /** The same as EC2 describes them. */
  readonly describedAddresses: readonly JsonObject[];
  readonly attachment: {
    readonly instanceId: string | null;
    readonly deviceIndex: number;
    readonly networkCardIndex: number;
  } | null;
};

/** `answered`: the members of `NetworkInterfaces` of all pages, as the SDK reads them. Never throws. */
export function readObservation(
  question: ObservationQuestion,
  answered: readonly unknown[],
): ObservationReading {
  try {
    const interfaces = new Map<string, Interface>();
    for (const member of answered) {
      const read = readInterface(question, member);
      // Calls that ask about different addresses may each show the same interface, but then as it is.
      const other = interfaces.get(read.networkInterfaceId);
      if (other !== undefined && contentOf(other) !== contentOf(read))
        throw new Malformed(`${read.networkInterfaceId} is there twice, and not the same`);
      interfaces.set(read.networkInterfaceId, read);
    }
    return { ok: true, observation: observe(question, [...interfaces.values()]) };
  } catch (error) {
    if (error instanceof Malformed) return { ok: false, problem: error.message };
    throw error;
  }
}

/** Thrown and caught within this file only. */
class Malformed extends Error {}

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
    .sort((a, b) => a.deviceIndex - b.deviceIndex);
  if (interfaces.length === 0)
    throw new Malformed(`no interface of ${question.instanceId} is among the answers`);
  // Either IMDS or EC2 is wrong about who this router is, and it must not take the peer's interfaces for its own.
  if (!interfaces.some(({ networkInterfaceId }) => question.ownInterfaceIds.includes(networkInterfaceId))) {
    throw new Malformed(`IMDS names other interfaces for ${question.instanceId} than EC2 does`);
  }
  return {
    interfaces,
    holders: Object.fromEntries(
      question.targets.map(
        ({ address, deviceIndex }) =>
          [address, holder(interfaces, deviceIndex, holderOf.get(address))] as const,
      ),
    ),
    peers: Object.fromEntries(
      question.peerAddresses.flatMap((address) => {
        const found = holderOf.get(address);
        return found === undefined ? [] : [[address, peerInterface(found)] as const];
      }),
    ),
  };
}

function ownInterface(question: ObservationQuestion, each: Interface): readonly OwnInterface[] {
  const { networkInterfaceId, subnetId, describedAddresses, attachment } = each;
  if (attachment?.instanceId !== question.instanceId) return [];
  // A device index counts per network card; those of the configuration are of the first card.
  if (attachment.networkCardIndex !== 0) return [];
  const { deviceIndex } = attachment;
  return [{ networkInterfaceId, deviceIndex, subnetId, privateIpAddresses: describedAddresses }];
}

function holder(
  own: readonly OwnInterface[],
  deviceIndex: number,
  found: Interface | undefined,
): Holder | null {
  if (found === undefined) return null;
  const { networkInterfaceId, attachment } = found;
  const itsPlace = own.find((candidate) => candidate.deviceIndex === deviceIndex);
  return {
    networkInterfaceId,
    instanceId: attachment === null ? null : (attachment.instanceId ?? SERVICE),
    mine: networkInterfaceId === itsPlace?.networkInterfaceId,
  };
}

function peerInterface({ networkInterfaceId, subnetId, attachment }: Interface): PeerInterface {
  return { networkInterfaceId, instanceId: attachment?.instanceId ?? null, subnetId };
}

function readInterface(question: ObservationQuestion, member: unknown): Interface {
  const networkInterfaceId = text(member, 'NetworkInterfaceId', /^eni-[0-9a-f]{8,17}$/, 'an interface');
  const name = networkInterfaceId;
  const vpcId = text(member, 'VpcId', /^vpc-[0-9a-f]{8,17}$/, name);
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
    subnetId: text(member, 'SubnetId', /^subnet-[0-9a-f]{8,17}$/, name),
    addresses,
    describedAddresses: described.map(jsonObject),
    attachment: readAttachment(question, member, name),
  };
}

function readAddresses(member: unknown, described: readonly unknown[], name: string): readonly string[] {
  const primary = text(member, 'PrivateIpAddress', /^[\d.]+$/, name);
  const addresses = described.map((each) => text(each, 'PrivateIpAddress', /^[\d.]+$/, name));
  if (addresses.some((address) => ipv4Number(address) === null))
    throw new Malformed(`${name} has an address that is none`);
  if (new Set(addresses).size !== addresses.length) throw new Malformed(`${name} has an address twice`);
  if (!addresses.includes(primary)) throw new Malformed(`${name} lacks its primary address in the list`);
  return addresses;
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
      : text(attachment, 'InstanceId', /^i-[0-9a-f]{8,17}$/, name);
  const networkCardIndex =
    field(attachment, 'NetworkCardIndex') === undefined ? 0 : index(attachment, 'NetworkCardIndex', name);
  return { instanceId, deviceIndex, networkCardIndex };
}

function field(of: unknown, key: string): unknown {
  if (typeof of !== 'object' || of === null) return undefined;
  return Object.getOwnPropertyDescriptor(of, key)?.value;
}

function text(of: unknown, key: string, form: RegExp, name: string): string {
  const value = field(of, key);
  if (typeof value !== 'string' || !form.test(value)) throw new Malformed(`${name} has no valid ${key}`);
  return value;
}

function index(of: unknown, key: string, name: string): number {
  const value = field(of, key);
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 255) {
    throw new Malformed(`${name} has no valid ${key}`);
  }
  return value;
}
