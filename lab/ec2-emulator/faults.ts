/**
 * What can go wrong between a router and EC2, as rules that are plain JSON: a control API parses the same
 * shapes that tests write. The order in which faults act on one request is in emulator.ts.
 */
import { z } from 'zod';
import { faultScope as sharedScope } from '../faultRules';
import { listParam } from './queryProtocol';
import type { QueryParams } from './queryProtocol';
import { bucketSchema } from './tokenBuckets';

const faultScope = {
  ...sharedScope,
  /** True hits DryRuns only, false only what is meant: a `count` is then not spent on the other. Absent: both. */
  dryRun: z.boolean().optional(),
};

/** Whether the change of the request has been made by the time the fault strikes. */
const when = z.enum(['before', 'after']).default('before');

export const ec2FaultSchema = z.discriminatedUnion('kind', [
  /**
   * Waits, `ms` plus a random part of `jitterMs`: before the change is made, or between it and the answer. With
   * `p99Ms` as answers of a busy service do: `ms` in the median, one in a hundred longer than that (lognormal).
   */
  z.strictObject({
    kind: z.literal('latency'),
    ms: z.number().nonnegative(),
    jitterMs: z.number().nonnegative().default(0),
    p99Ms: z.number().positive().optional(),
    when,
    ...faultScope,
  }),
  /** RequestLimitExceeded: for every request, or with `bucket` for those that find the action's bucket empty. */
  z.strictObject({
    kind: z.literal('throttle'),
    bucket: bucketSchema.optional(),
    ...faultScope,
  }),
  /**
   * An error of EC2; with `addresses` only for requests that would move one of them, with `naming` only for those
   * that have one of these texts as a parameter (a destination, an id). `status` follows the code.
   */
  z.strictObject({
    kind: z.literal('error'),
    code: z.string().min(1),
    message: z.string().default('Made by a fault rule.'),
    status: z.int().min(400).max(599).optional(),
    addresses: z.array(z.string()).min(1).optional(),
    naming: z.array(z.string()).min(1).optional(),
    when,
    ...faultScope,
  }),
  /** The connection is reset: instead of an answer, or after the first half of it has been sent. */
  z.strictObject({
    kind: z.literal('reset'),
    when: z.enum(['before', 'after', 'midAnswer']).default('before'),
    ...faultScope,
  }),
  /** Never an answer, and the connection stays open. */
  z.strictObject({ kind: z.literal('blackHole'), when, ...faultScope }),
  /** Headers at once, then the body in `pieces` spread over `ms`; two pieces make one long stall. */
  z.strictObject({
    kind: z.literal('slowBody'),
    ms: z.number().positive(),
    pieces: z.int().min(2).default(2),
    ...faultScope,
  }),
  /** A success answer that lacks elements, has another text in one, ends half-way or is empty. */
  z.strictObject({
    kind: z.literal('malformed'),
    how: z.discriminatedUnion('as', [
      z.strictObject({ as: z.literal('withoutElements'), elements: z.array(z.string()).min(1) }),
      z.strictObject({ as: z.literal('replacedText'), element: z.string(), text: z.string() }),
      z.strictObject({ as: z.literal('truncated') }),
      z.strictObject({ as: z.literal('empty') }),
    ]),
    ...faultScope,
  }),
  /** So many empty pages before the first one with data; each costs what a `latency` beside it says. */
  z.strictObject({ kind: z.literal('emptyPages'), pages: z.int().positive(), ...faultScope }),
  /** Describe actions show the model as it was `ageMs` ago. */
  z.strictObject({ kind: z.literal('stale'), ageMs: z.number().positive(), ...faultScope }),
  /** An HTML page of something in between instead of EC2's answer; the change is not made. */
  z.strictObject({
    kind: z.literal('garbagePage'),
    status: z.int().min(200).max(599).default(502),
    ...faultScope,
  }),
]);

/** A rule as one writes it; defaults may be left out. */
export type Ec2FaultInput = z.input<typeof ec2FaultSchema>;
/** A rule with its defaults filled in. */
export type Ec2Fault = z.output<typeof ec2FaultSchema>;
export type Ec2FaultOf<Kind extends Ec2Fault['kind']> = Extract<Ec2Fault, { readonly kind: Kind }>;
type When = 'before' | 'after' | 'midAnswer';

export const GARBAGE_PAGE =
  '<!DOCTYPE html>\n<html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n';

/** Two faults of one slot never hit the same request; one before and one after the change may. */
export const slotOf = (fault: Ec2Fault): string =>
  'when' in fault ? `${fault.kind} ${fault.when}` : fault.kind;

export function findFault<Kind extends Ec2Fault['kind']>(
  faults: readonly Ec2Fault[],
  kind: Kind,
  at?: When,
): Ec2FaultOf<Kind> | undefined {
  return faults.find(
    (fault): fault is Ec2FaultOf<Kind> =>
      fault.kind === kind && (at === undefined || ('when' in fault && fault.when === at)),
  );
}

export function latencyMs(faults: readonly Ec2Fault[], at: When): number {
  const fault = findFault(faults, 'latency', at);
  if (fault === undefined) return 0;
  const { ms, jitterMs, p99Ms } = fault;
  const tail = p99Ms === undefined ? 1 : (p99Ms / ms) ** (standardNormal() / NORMAL_P99);
  return ms * tail + Math.random() * jitterMs;
}

/** One in a hundred is above it. */
const NORMAL_P99 = 2.326;

/** Box and Muller's. */
function standardNormal(): number {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

/** Whether a rule that is for some requests only is for this one. */
export function concerns(rule: Ec2Fault, params: QueryParams): boolean {
  if (rule.dryRun !== undefined && rule.dryRun !== (params.get('DryRun') === 'true')) return false;
  if (rule.kind !== 'error') return true;
  const { addresses, naming } = rule;
  const moved = [...listParam(params, 'PrivateIpAddress'), ...listParam(params, 'Ipv6Addresses')];
  const named = [...params.values()];
  return (
    (addresses === undefined || addresses.some((ip) => moved.includes(ip))) &&
    (naming === undefined || naming.some((text) => named.includes(text)))
  );
}
