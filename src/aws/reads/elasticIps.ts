/**
 * Who holds the Elastic IPs: DescribeAddresses by allocation, and from its answer a holder for each. An Elastic IP
 * is where it belongs when it is on the right private address of the right interface.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAddresses.html
 */
import { DescribeAddressesCommand } from '@aws-sdk/client-ec2';
import { ipv4Number } from '../../config/ipv4';
import type { Holder } from '../../core/state/readings';
import type { TargetOf } from '../description';
import { INSTANCE_ID, Malformed, NETWORK_INTERFACE_ID, optionalText, text } from './answer';
import type { Ask } from '../transport/ec2';
import { attachmentShown, type KnownInterfaces } from './observation';
import type { ShownElasticIp } from '../kinds/kind';
import { allPages, cut, joined, type Pages } from './pages';

export type ElasticIpTarget = TargetOf<'elasticIp'>;

/** EC2's limit of filter values in one call. */
const FILTER_VALUES_MAX = 200;
const ALLOCATION_ID = /^eipalloc-[0-9a-f]{8,17}$/;

/** The action knows no pages. */
export async function describeElasticIps({
  targets,
  call,
}: {
  readonly targets: readonly ElasticIpTarget[];
  readonly call: Ask;
}): Promise<Pages> {
  const ids = targets.map(({ allocationId }) => allocationId);
  return joined(
    await Promise.all(
      cut(ids, FILTER_VALUES_MAX).map((Values) =>
        allPages(async () => {
          const input = { Filters: [{ Name: 'allocation-id', Values }] };
          const result = await call('DescribeAddresses', (client, options) =>
            client.send(new DescribeAddressesCommand(input), options),
          );
          return result.ok ? { ok: true, members: result.output.Addresses, next: undefined } : result;
        }),
      ),
    ),
  );
}

export type ElasticIpsReading = {
  readonly holders: { readonly [id: string]: Holder | null };
  readonly mistakes: readonly string[];
  /** By allocation id. */
  readonly shown: ReadonlyMap<string, ShownElasticIp>;
};

/** @throws Malformed */
export function readElasticIps(
  targets: readonly ElasticIpTarget[],
  answered: readonly unknown[],
  known: KnownInterfaces,
): ElasticIpsReading {
  const byAllocation = new Map<string, unknown>();
  for (const member of answered) {
    const allocationId = text(member, 'AllocationId', ALLOCATION_ID, 'an Elastic IP');
    if (byAllocation.has(allocationId)) throw new Malformed(`${allocationId} is there twice`);
    byAllocation.set(allocationId, member);
  }
  const holders = targets.map((target) => [
    target.id,
    byAllocation.has(target.allocationId)
      ? readHolder(target, byAllocation.get(target.allocationId), known)
      : null,
  ]);
  const shown = [...byAllocation].map(([allocationId, member]) => {
    const service = optionalText(member, 'ServiceManaged', /^[\w.-]{1,40}$/, allocationId);
    const borderGroup = optionalText(member, 'NetworkBorderGroup', /^[a-z0-9-]{1,60}$/, allocationId);
    return [allocationId, { service, borderGroup }] as const;
  });
  const missing = targets.filter(({ allocationId }) => !byAllocation.has(allocationId));
  return {
    holders: Object.fromEntries(holders) as { [id: string]: Holder | null },
    shown: new Map(shown),
    mistakes: missing.map(
      ({ id }) => `eip_list (${id}): this account has no such Elastic IP in this Region.`,
    ),
  };
}

function readHolder(target: ElasticIpTarget, member: unknown, known: KnownInterfaces): Holder | null {
  const name = target.allocationId;
  const networkInterfaceId = optionalText(member, 'NetworkInterfaceId', NETWORK_INTERFACE_ID, name);
  if (networkInterfaceId === null) {
    if (optionalText(member, 'AssociationId', /^eipassoc-/, name) === null) return null;
    throw new Malformed(`${name} is associated with no interface`);
  }
  const privateAddress = text(member, 'PrivateIpAddress', /^[\d.]+$/, name);
  if (ipv4Number(privateAddress) === null) throw new Malformed(`${name} is on an address that is none`);
  const shown = optionalText(member, 'InstanceId', INSTANCE_ID, name);
  const place = known.placeOf(target);
  return {
    kind: 'interface',
    networkInterfaceId,
    attachment: known.attachmentOf(networkInterfaceId) ?? attachmentShown(shown),
    mine:
      place?.networkInterfaceId === networkInterfaceId &&
      privateAddress === (target.privateAddress ?? place.primaryAddress),
    privateAddress,
  };
}
