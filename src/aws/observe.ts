/**
 * Asks EC2 who owns what: one DescribeNetworkInterfaces for this router's interfaces, the holder of each
 * target and the peer's interfaces together.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html
 */
import { DescribeNetworkInterfacesCommand } from '@aws-sdk/client-ec2';
import type { Whole } from '../config/settings';
import type { Failure, Observation } from '../core/model';
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
  readonly plan: Whole;
  readonly identity: InstanceIdentity;
  readonly timeoutMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}): Promise<ObservationResult> {
  const startedAt = now();
  const question = observationQuestion(plan, identity);
  const remainingMs = () => startedAt + timeoutMs - now();
  const chunks = cut(question.addresses, FILTER_VALUES_MAX - question.vpcIds.length);
  const parts = await Promise.all(
    chunks.map((addresses) => describe({ ec2, addresses, vpcIds: question.vpcIds, remainingMs })),
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
  addresses,
  vpcIds,
  remainingMs,
}: {
  readonly ec2: Ec2;
  readonly addresses: readonly string[];
  readonly vpcIds: readonly string[];
  readonly remainingMs: () => number;
}): Promise<Part> {
  const Filters = [
    { Name: 'addresses.private-ip-address', Values: [...addresses] },
    { Name: 'vpc-id', Values: [...vpcIds] },
  ];
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

function cut<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
