/** What is asked of EC2 and Auto Scaling in one look, each as the members of one list. Nothing is taken on trust. */
import { DescribeAutoScalingGroupsCommand } from '@aws-sdk/client-auto-scaling';
import {
  DescribeAddressesCommand,
  DescribeInstancesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeRouteTablesCommand,
  DescribeVolumesCommand,
  type Filter,
} from '@aws-sdk/client-ec2';
import { allPages, cut, joined, type Pages } from '../../aws/reads/pages';
import type { Selector } from '../core/desired';
import type { Services } from './services';

/** EC2's limit of filter values in one call. */
const VALUES_MAX = 200;
const PAGE_SIZE = 200;
const GROUPS_MAX = 50;

export type Asking = { readonly services: Services; readonly timeoutMs: number };

type Ask = (filters: Filter[], token: { NextToken?: string }) => ReturnType<Parameters<typeof allPages>[0]>;

/** Those that have one of the values; no question at all where there are none. */
async function withAny(ask: Ask, name: string, values: readonly string[], also: Filter[]): Promise<Pages> {
  const each = cut([...new Set(values)], VALUES_MAX).map((Values) =>
    allPages((token) => ask([{ Name: name, Values }, ...also], token)),
  );
  return joined(await Promise.all(each));
}

/** By ids, and by each tag. */
async function bySelectors(
  ask: Ask,
  idFilter: string,
  selectors: readonly Selector[],
  also: Filter[],
): Promise<Pages> {
  const ids = selectors.flatMap((selector) => ('id' in selector ? [selector.id] : []));
  const keys = [...new Set(selectors.flatMap((selector) => ('tag' in selector ? [selector.tag.key] : [])))];
  const tagged = keys.map((key) =>
    withAny(
      ask,
      `tag:${key}`,
      selectors.flatMap((selector) =>
        'tag' in selector && selector.tag.key === key ? [selector.tag.value] : [],
      ),
      also,
    ),
  );
  return joined(await Promise.all([withAny(ask, idFilter, ids, also), ...tagged]));
}

export async function readGroups({ services, timeoutMs }: Asking, names: readonly string[]): Promise<Pages> {
  const parts = cut(names, GROUPS_MAX).map((AutoScalingGroupNames) =>
    allPages(async (token) => {
      const input = { AutoScalingGroupNames, ...token };
      const result = await services.autoscaling.call(
        'DescribeAutoScalingGroups',
        timeoutMs,
        (client, options) => client.send(new DescribeAutoScalingGroupsCommand(input), options),
      );
      if (!result.ok) return result;
      return { ok: true, members: result.output.AutoScalingGroups, next: result.output.NextToken };
    }),
  );
  return joined(await Promise.all(parts));
}

/** The instances themselves; EC2 lists them by reservation. */
export async function readInstances({ services, timeoutMs }: Asking, ids: readonly string[]): Promise<Pages> {
  const ask: Ask = async (Filters, token) => {
    const input = { Filters, MaxResults: PAGE_SIZE, ...token };
    const result = await services.ec2.call('DescribeInstances', timeoutMs, (client, options) =>
      client.send(new DescribeInstancesCommand(input), options),
    );
    if (!result.ok) return result;
    const members = result.output.Reservations?.flatMap(({ Instances }) => Instances ?? []);
    // EC2 leaves out an empty list.
    return { ok: true, members: members ?? [], next: result.output.NextToken };
  };
  return withAny(ask, 'instance-id', ids, []);
}

export type InterfacesWanted = {
  readonly selectors: readonly Selector[];
  readonly instanceIds: readonly string[];
  /** IPv4 and IPv6. */
  readonly addresses: readonly string[];
};

export async function readInterfaces(
  { services, timeoutMs }: Asking,
  vpcId: string,
  { selectors, instanceIds, addresses }: InterfacesWanted,
): Promise<Pages> {
  const ask: Ask = async (Filters, token) => {
    const input = { Filters, MaxResults: PAGE_SIZE, ...token };
    const result = await services.ec2.call('DescribeNetworkInterfaces', timeoutMs, (client, options) =>
      client.send(new DescribeNetworkInterfacesCommand(input), options),
    );
    if (!result.ok) return result;
    return { ok: true, members: result.output.NetworkInterfaces ?? [], next: result.output.NextToken };
  };
  const inVpc = [{ Name: 'vpc-id', Values: [vpcId] }];
  const isIpv6 = (address: string): boolean => address.includes(':');
  return joined(
    await Promise.all([
      bySelectors(ask, 'network-interface-id', selectors, inVpc),
      withAny(ask, 'attachment.instance-id', instanceIds, inVpc),
      withAny(
        ask,
        'addresses.private-ip-address',
        addresses.filter((each) => !isIpv6(each)),
        inVpc,
      ),
      withAny(ask, 'ipv6-addresses.ipv6-address', addresses.filter(isIpv6), inVpc),
    ]),
  );
}

export function readVolumes({ services, timeoutMs }: Asking, selectors: readonly Selector[]): Promise<Pages> {
  const ask: Ask = async (Filters, token) => {
    const input = { Filters, MaxResults: PAGE_SIZE, ...token };
    const result = await services.ec2.call('DescribeVolumes', timeoutMs, (client, options) =>
      client.send(new DescribeVolumesCommand(input), options),
    );
    if (!result.ok) return result;
    return { ok: true, members: result.output.Volumes ?? [], next: result.output.NextToken };
  };
  return bySelectors(ask, 'volume-id', selectors, []);
}

/** The action knows no pages. */
export function readAddresses({ services, timeoutMs }: Asking, ids: readonly string[]): Promise<Pages> {
  const ask: Ask = async (Filters) => {
    const result = await services.ec2.call('DescribeAddresses', timeoutMs, (client, options) =>
      client.send(new DescribeAddressesCommand({ Filters }), options),
    );
    return result.ok ? { ok: true, members: result.output.Addresses ?? [], next: undefined } : result;
  };
  return withAny(ask, 'allocation-id', ids, []);
}

/** A table may have a thousand routes. */
const TABLES_PER_PAGE = 10;

export function readTables(
  { services, timeoutMs }: Asking,
  vpcId: string,
  selectors: readonly Selector[],
): Promise<Pages> {
  const ask: Ask = async (Filters, token) => {
    const input = { Filters, MaxResults: TABLES_PER_PAGE, ...token };
    const result = await services.ec2.call('DescribeRouteTables', timeoutMs, (client, options) =>
      client.send(new DescribeRouteTablesCommand(input), options),
    );
    if (!result.ok) return result;
    return { ok: true, members: result.output.RouteTables ?? [], next: result.output.NextToken };
  };
  return bySelectors(ask, 'route-table-id', selectors, [{ Name: 'vpc-id', Values: [vpcId] }]);
}
