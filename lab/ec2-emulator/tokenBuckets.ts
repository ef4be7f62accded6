/**
 * EC2's throttle: a bucket of tokens for each action that refills evenly, shared by everybody in the account.
 * The numbers are the documented defaults, ec2-api-throttling.html of the developer guide. Off unless asked
 * for: most tests are about something else.
 */
import { z } from 'zod';
import type { QueryParams } from './queryProtocol';
import { nowMs } from './world';

export const bucketSchema = z.strictObject({
  burst: z.int().nonnegative(),
  refillPerS: z.number().nonnegative(),
  /** Also a refused request takes what there is of a token; EC2 does not document whether it does. */
  refusedTakes: z.boolean().optional(),
});
export type BucketSize = z.infer<typeof bucketSchema>;

/** Buckets by name of action, `DescribeX unfiltered` for the smaller ones; for others than EC2's defaults. */
export type BucketSizes = Readonly<Record<string, BucketSize>>;

export interface BucketState extends BucketSize {
  readonly tokens: number;
  /** Requests that found a token, and those that did not, since the buckets were switched on. */
  readonly taken: number;
  readonly refused: number;
}

const MUTATING: BucketSize = { burst: 50, refillPerS: 5 };
const MUTATING_LARGE: BucketSize = { burst: 100, refillPerS: 5 };
const READING: BucketSize = { burst: 100, refillPerS: 20 };
const READING_UNFILTERED: BucketSize = { burst: 50, refillPerS: 10 };

/** "Listed individually"; every other action that writes has the bucket of its category. */
const LARGE = [
  'AssignPrivateIpAddresses',
  'UnassignPrivateIpAddresses',
  'AssignIpv6Addresses',
  'ModifyNetworkInterfaceAttribute',
];

/** Without a filter and without pages these draw from a smaller bucket. Ids are taken for no filter: inferred. */
const SMALLER_WHEN_UNFILTERED = [
  'DescribeNetworkInterfaces',
  'DescribeInstances',
  'DescribeInstanceStatus',
  'DescribeVolumes',
];

const UNFILTERED = ' unfiltered';

export function bucketOf(action: string, params: QueryParams): string {
  const selective = [...params.keys()].some((name) => /^(Filter\.|MaxResults$|NextToken$)/.test(name));
  return SMALLER_WHEN_UNFILTERED.includes(action) && !selective ? `${action}${UNFILTERED}` : action;
}

function defaultSize(bucket: string): BucketSize {
  if (bucket.endsWith(UNFILTERED)) return READING_UNFILTERED;
  if (bucket.startsWith('Describe')) return READING;
  return LARGE.includes(bucket) ? MUTATING_LARGE : MUTATING;
}

interface Bucket {
  readonly size: BucketSize;
  tokens: number;
  atMs: number;
  taken: number;
  refused: number;
}

export class TokenBuckets {
  readonly #buckets = new Map<string, Bucket>();

  /** Full at first. */
  add(name: string, size: BucketSize): void {
    this.#buckets.set(name, { size, tokens: size.burst, atMs: nowMs(), taken: 0, refused: 0 });
  }

  has(name: string): boolean {
    return this.#buckets.has(name);
  }

  /** False when the bucket of that name is empty. @throws Error when there is none. */
  take(name: string): boolean {
    const bucket = this.#bucket(name);
    const taken = takeFrom(bucket);
    if (taken) bucket.taken += 1;
    else bucket.refused += 1;
    return taken;
  }

  /** Somebody else in the account asks for so many at once, and gets what there is. @throws Error when there is no such bucket. */
  spend(name: string, count: number): void {
    const bucket = this.#bucket(name);
    for (let left = count; left > 0 && takeFrom(bucket); left -= 1);
  }

  states(): Readonly<Record<string, BucketState>> {
    return Object.fromEntries(
      [...this.#buckets].map(([name, bucket]) => {
        refill(bucket);
        const { size, tokens, taken, refused } = bucket;
        return [name, { ...size, tokens, taken, refused }];
      }),
    );
  }

  #bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) throw new Error(`no bucket ${name}`);
    return bucket;
  }
}

function takeFrom(bucket: Bucket): boolean {
  refill(bucket);
  const isThere = bucket.tokens >= 1;
  if (isThere) bucket.tokens -= 1;
  else if (bucket.size.refusedTakes === true) bucket.tokens = 0;
  return isThere;
}

function refill(bucket: Bucket): void {
  const now = nowMs();
  const { burst, refillPerS } = bucket.size;
  bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.atMs) / 1000) * refillPerS);
  bucket.atMs = now;
}

/** The buckets of the account for these actions. @throws Error for a size of a bucket that it does not have. */
export function accountBuckets(actions: readonly string[], sizes: BucketSizes): TokenBuckets {
  const names = [...actions, ...SMALLER_WHEN_UNFILTERED.map((action) => `${action}${UNFILTERED}`)];
  const unknown = Object.keys(sizes).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`no bucket ${unknown}, only ${names.join(', ')}`);
  const buckets = new TokenBuckets();
  for (const name of names) buckets.add(name, sizes[name] ?? defaultSize(name));
  return buckets;
}
