/**
 * Who this router is, read from IMDS: instance, region and network interfaces. Every value is checked by
 * its form, so that an error page or half an answer is a named problem and never a value.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-categories.html
 */
import type { Imds } from '../transport/imds';
import { parseDestination } from '../../config/destinations';
import { isInRange, parseCidrBlock, ipv4Number } from '../../config/ipv4';
import type { IdentityReading } from '../../transport/identity';

export type InstanceInterface = {
  readonly networkInterfaceId: string;
  readonly deviceIndex: number;
  readonly networkCardIndex: number;
  readonly primaryAddress: string;
  readonly subnetId: string;
  readonly subnetCidr: string;
  /** In canonical form; empty where IMDS shows none. */
  readonly subnetIpv6Cidrs: readonly string[];
  readonly vpcId: string;
};

/** As reports name it. */
export const interfaceName = ({ networkInterfaceId, deviceIndex }: InstanceInterface): string =>
  `${networkInterfaceId}, device index ${deviceIndex}`;

export type InstanceIdentity = {
  readonly instanceId: string;
  readonly region: string;
  readonly availabilityZone: string;
  /** By network card, then by device index. Interfaces without an IPv4 address are left out. */
  readonly interfaces: readonly InstanceInterface[];
};

const INSTANCE_ID = /^i-[0-9a-f]{8,17}$/;
const REGION = /^[a-z]{2,5}(-[a-z]{2,}){1,3}-\d{1,2}$/;
/**
 * A region and what AWS has put behind it: a letter (`us-east-1a`), the place of a Local Zone (`us-west-2-lax-1a`), a
 * Wavelength zone, which ends in a number (`us-east-1-wl1-bos-wlz-1`). It is only shown.
 */
const AVAILABILITY_ZONE = /^[a-z]{2,5}(-[a-z]{2,}){1,3}-\d{1,2}[a-z0-9-]*[a-z0-9]$/;
const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;
const NETWORK_INTERFACE_ID = /^eni-[0-9a-f]{8,17}$/;
const SUBNET_ID = /^subnet-[0-9a-f]{8,17}$/;
const VPC_ID = /^vpc-[0-9a-f]{8,17}$/;
const INDEX = /^\d{1,3}$/;
/** No instance type has as many interfaces; a longer list is not one. */
const INTERFACES_MAX = 64;
/** Far above the longest item, and what the forms above take no time with. */
const ITEM_LENGTH_MAX = 128;

/** Never rejects. Items are read one after the other: IMDS limits simultaneous connections. */
export async function readIdentity(imds: Imds): Promise<IdentityReading<InstanceIdentity>> {
  try {
    const instanceId = await item(imds, 'instance-id', INSTANCE_ID);
    const region = await item(imds, 'placement/region', REGION);
    const availabilityZone = await item(imds, 'placement/availability-zone', AVAILABILITY_ZONE);
    if (!availabilityZone.startsWith(region) || availabilityZone === region) {
      throw new IdentityProblem(`IMDS gives zone ${availabilityZone} for region ${region}`);
    }
    const interfaces = await readInterfaces(imds);
    return { ok: true, identity: { instanceId, region, availabilityZone, interfaces } };
  } catch (error) {
    if (error instanceof IdentityProblem) return { ok: false, problem: error.message };
    throw error;
  }
}

/** Thrown and caught within this file only. */
class IdentityProblem extends Error {}

async function readInterfaces(imds: Imds): Promise<readonly InstanceInterface[]> {
  const macs = lines(await read(imds, 'network/interfaces/macs/')).map((line) => line.replace(/\/$/, ''));
  if (macs.length === 0 || macs.length > INTERFACES_MAX || !macs.every((mac) => MAC.test(mac))) {
    throw unexpected('network/interfaces/macs/', 'a list of MAC addresses');
  }
  const interfaces: InstanceInterface[] = [];
  for (const mac of macs) {
    const read = await readInterface(imds, `network/interfaces/macs/${mac}/`);
    if (read !== null) interfaces.push(read);
  }
  if (interfaces.length === 0)
    throw new IdentityProblem('IMDS shows no network interface with an IPv4 address');
  return interfaces.sort((a, b) => a.networkCardIndex - b.networkCardIndex || a.deviceIndex - b.deviceIndex);
}

async function readInterface(imds: Imds, path: string): Promise<InstanceInterface | null> {
  const addresses = await readOptional(imds, `${path}local-ipv4s`);
  if (addresses === null) return null;
  const subnetCidr = (await read(imds, `${path}subnet-ipv4-cidr-block`)).trim();
  const range = parseCidrBlock(subnetCidr);
  if (range === null) throw unexpected(`${path}subnet-ipv4-cidr-block`, 'a CIDR block');
  // The primary address comes first.
  const [primaryAddress] = lines(addresses);
  const primary = ipv4Number(primaryAddress ?? '');
  if (primaryAddress === undefined || primary === null || !isInRange(range, primary)) {
    throw unexpected(`${path}local-ipv4s`, `an address of ${subnetCidr}`);
  }
  // Older IMDS versions have no network-card-index: there is one card then.
  const card = await readOptional(imds, `${path}network-card-index`);
  if (card !== null && !INDEX.test(card.trim())) throw unexpected(`${path}network-card-index`, 'a number');
  return {
    networkInterfaceId: await item(imds, `${path}interface-id`, NETWORK_INTERFACE_ID),
    deviceIndex: Number(await item(imds, `${path}device-number`, INDEX)),
    networkCardIndex: Number(card ?? 0),
    primaryAddress,
    subnetId: await item(imds, `${path}subnet-id`, SUBNET_ID),
    subnetCidr,
    subnetIpv6Cidrs: await readIpv6Blocks(imds, `${path}subnet-ipv6-cidr-blocks`),
    vpcId: await item(imds, `${path}vpc-id`, VPC_ID),
  };
}

async function readIpv6Blocks(imds: Imds, path: string): Promise<readonly string[]> {
  return lines((await readOptional(imds, path)) ?? '').map((line) => {
    const block = line.length > ITEM_LENGTH_MAX ? null : parseDestination(line.trim());
    if (block?.kind !== 'ipv6') throw unexpected(path, 'IPv6 CIDR blocks');
    return block.value;
  });
}

async function item(imds: Imds, path: string, form: RegExp): Promise<string> {
  const text = (await read(imds, path)).trim();
  if (text.length > ITEM_LENGTH_MAX || !form.test(text)) throw unexpected(path, `the form ${form.source}`);
  return text;
}

async function read(imds: Imds, path: string): Promise<string> {
  const answer = await imds.get(path);
  if (!answer.ok) throw new IdentityProblem(answer.problem);
  return answer.text;
}

async function readOptional(imds: Imds, path: string): Promise<string | null> {
  const answer = await imds.get(path);
  if (answer.ok) return answer.text;
  if (answer.missing) return null;
  throw new IdentityProblem(answer.problem);
}

const lines = (text: string): string[] => text.split(/\r?\n/).filter((line) => line.trim() !== '');

const unexpected = (path: string, expected: string): IdentityProblem =>
  new IdentityProblem(`IMDS answers ${path} with something else than ${expected}`);
