/** The one table of what AWS's side knows of the kinds of targets; each has a file in [kinds](kinds). */
import type { AwsTarget, Kind } from './description';
import { elasticIp } from './kinds/elasticIp';
import { ipv6Address } from './kinds/ipv6Address';
import type { AwsKind, Brought, ReadingAction } from './kinds/kind';
import { privateAddress } from './kinds/privateAddress';
import { route } from './kinds/route';

/** In the order in which policies and reports name them. */
const KINDS: { readonly [K in Kind]: AwsKind<K> } = { privateAddress, ipv6Address, route, elasticIp };

export const awsKindOf = <K extends Kind>({ kind }: { readonly kind: K }): AwsKind<K> => KINDS[kind];

const NAMES = Object.keys(KINDS);

/** Each kind that these targets have, once, with its targets. */
export function awsKindsOf(
  targets: readonly AwsTarget[],
): readonly { readonly kind: AwsKind<Kind>; readonly targets: readonly AwsTarget[] }[] {
  return NAMES.flatMap((name) => {
    const [first, ...others] = targets.filter(({ kind }) => kind === name);
    return first === undefined ? [] : [{ kind: awsKindOf(first), targets: [first, ...others] }];
  });
}

export const addressBrought = (target: AwsTarget): Brought | null => awsKindOf(target).brings(target);

/**
 * The calls that show who holds these targets, each with the targets that its answer is about; that of the interfaces
 * first and always, since the others are read by what it shows.
 */
export function readingsFor(
  targets: readonly AwsTarget[],
): readonly { readonly action: ReadingAction; readonly targets: readonly AwsTarget[] }[] {
  return READINGS.map((action) => ({
    action,
    targets: targets.filter((target) => awsKindOf(target).readBy === action),
  })).filter((reading) => reading.targets.length > 0 || reading.action === 'DescribeNetworkInterfaces');
}

const READINGS: readonly ReadingAction[] = [
  'DescribeNetworkInterfaces',
  'DescribeRouteTables',
  'DescribeAddresses',
];
