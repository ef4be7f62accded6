/**
 * Asks EC2 who owns what: one DescribeNetworkInterfaces for this router's interfaces, the holder of each
 * target and the peer's interfaces together, and another one where the peer is known by IPv6 addresses.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html
 */
import { DescribeNetworkInterfacesCommand } from '@aws-sdk/client-ec2';
import type { Failure, Observation } from '../core/model';
import type { Plan } from '../core/plan';
import { malformed, type Ec2 } from './ec2';
import type { InstanceIdentity } from './instanceIdentity';
import { observationQuestion, readObservation } from './observation';

/** `startedAt`: monotonic ms, before the first byte was sent. */
export type ObservationResult = { readonly startedAt: number } & (
  { readonly ok: true; readonly observation: Observation } | { readonly ok: false; readonly failure: Failure }
);

/** EC2's limit of filter values in one call. */
const FILTER_VALUES_MAX = 200;
/** The largest page. Reads that ask for pages draw on the larger of EC2's token buckets. */
const PAGE_SIZE = 1000;
/** Each interface holds an address that was asked for, so more pages than this are not an answer. */
const PAGES_MAX = 10;

/** `timeoutMs` bounds the whole, however many calls and pages it takes. Never rejects. */
export async function observeOwnership({
  ec2,
  plan,
  identity,
  timeoutMs,
  now,
}: {
  readonly ec2: Ec2;
  readonly plan: Plan;
  readonly identity: InstanceIdentity;
  readonly timeoutMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}): Promise<ObservationResult> {
  const startedAt = now();
  const question = observationQuestion(plan, identity);
  const remainingMs = () => startedAt + timeoutMs - now();
  const size = FILTER_VALUES_MAX - question.vpcIds.length;
  const isIpv6 = (address: string) => address.includes(':');
  // Filters of two names have to match both, so each family is asked for by itself.
  const filters = [
    ...cut(
      question.addresses.filter((address) => !isIpv6(address)),
      size,
    ).map((Values) => ({
      Name: 'addresses.private-ip-address',
      Values,
    })),
    ...cut(question.addresses.filter(isIpv6), size).map((Values) => ({
      Name: 'ipv6-addresses.ipv6-address',
      Values,
    })),
  ];
  const parts = await Promise.all(
    filters.map((filter) => describe({ ec2, filter, vpcIds: question.vpcIds, remainingMs })),
  );
  const answered: unknown[] = [];
  for (const part of parts) {
    if (!part.ok) return { ok: false, failure: part.failure, startedAt };
    answered.push(...part.interfaces);
  }
  const reading = readObservation(question, answered);
  return reading.ok
    ? { ok: true, observation: reading.observation, startedAt }
    : { ok: false, failure: malformed(reading.problem), startedAt };
}

type Part =
  | { readonly ok: true; readonly interfaces: readonly unknown[] }
  | { readonly ok: false; readonly failure: Failure };

async function describe({
  ec2,
  filter,
  vpcIds,
  remainingMs,
}: {
  readonly ec2: Ec2;
  readonly filter: { readonly Name: string; readonly Values: string[] };
  readonly vpcIds: readonly string[];
  readonly remainingMs: () => number;
}): Promise<Part> {
  const Filters = [filter, { Name: 'vpc-id', Values: [...vpcIds] }];
  const interfaces: unknown[] = [];
  let NextToken: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const input = { Filters, MaxResults: PAGE_SIZE, ...(NextToken === undefined ? {} : { NextToken }) };
    const result = await ec2.call(
      'DescribeNetworkInterfaces',
      Math.max(1, remainingMs()),
      (client, options) => client.send(new DescribeNetworkInterfacesCommand(input), options),
    );
    if (!result.ok) return result;
    if (result.output.NetworkInterfaces === undefined) {
      return { ok: false, failure: malformed('the answer has no list of interfaces') };
    }
    interfaces.push(...result.output.NetworkInterfaces);
    // EC2 writes an empty token on the last page, or none.
    NextToken = result.output.NextToken || undefined;
    if (NextToken === undefined) return { ok: true, interfaces };
  }
  return { ok: false, failure: malformed(`more than ${PAGES_MAX} pages`) };
}

function cut<Item>(items: readonly Item[], size: number): readonly Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
