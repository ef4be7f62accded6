/**
 * What can go wrong with the metadata service, as rules that are plain JSON, shaped as those of the EC2
 * emulator. The `action` of a rule is the path below /latest/: `api/token`, `meta-data/iam/*`, ... A service
 * that refuses connections is a stopped emulator.
 */
import { z } from 'zod';
import { faultScope } from '../faultRules';

/** Everybody who asks is the same instance. */
const { source: _source, ...scope } = faultScope;

export const imdsFaultSchema = z.discriminatedUnion('kind', [
  /** Waits before the answer, `ms` plus a random part of `jitterMs`. */
  z.strictObject({
    kind: z.literal('latency'),
    ms: z.number().nonnegative(),
    jitterMs: z.number().nonnegative().default(0),
    ...scope,
  }),
  /** The connection is reset instead of an answer. */
  z.strictObject({ kind: z.literal('reset'), ...scope }),
  /** Never an answer: what a hop limit that is too low, or a lost link-local route, looks like. */
  z.strictObject({ kind: z.literal('blackHole'), ...scope }),
  /** An error of IMDS, with the HTML page it comes with. 404 on `meta-data/iam/*`: no role is attached. */
  z.strictObject({ kind: z.literal('error'), status: z.int().min(400).max(599), ...scope }),
  /** An HTML page of something in between. */
  z.strictObject({
    kind: z.literal('garbagePage'),
    status: z.int().min(200).max(599).default(502),
    ...scope,
  }),
  /** The right answer, cut in half or empty. */
  z.strictObject({ kind: z.literal('malformed'), as: z.enum(['truncated', 'empty']), ...scope }),
  /** Status 200 with another text. */
  z.strictObject({ kind: z.literal('wrongContent'), text: z.string(), ...scope }),
  /** The instance's interfaces and addresses as they were `ageMs` ago. */
  z.strictObject({ kind: z.literal('stale'), ageMs: z.number().positive(), ...scope }),
  /** Role credentials whose Expiration has passed (and that EC2 refuses), the same ones for ever. */
  z.strictObject({ kind: z.literal('expiredCredentials'), ...scope }),
]);

/** A rule as one writes it; defaults may be left out. */
export type ImdsFaultInput = z.input<typeof imdsFaultSchema>;
/** A rule with its defaults filled in. */
export type ImdsFault = z.output<typeof imdsFaultSchema>;

export function findImdsFault<Kind extends ImdsFault['kind']>(faults: readonly ImdsFault[], kind: Kind) {
  return faults.find((fault): fault is Extract<ImdsFault, { readonly kind: Kind }> => fault.kind === kind);
}
