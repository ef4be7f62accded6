/**
 * What a route is for: an IPv4 block, an IPv6 block or a prefix list. The kind is always explicit, because a
 * table may have `0.0.0.0/0` and `::/0` side by side.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html
 */
import { parseIpv4 } from './ipv4';
import { canonicalIpv6, formatIpv6, parseIpv6CidrBlock } from './ipv6';

export type DestinationKind = 'ipv4' | 'ipv6' | 'prefixList';
export interface Destination {
  readonly kind: DestinationKind;
  readonly value: string;
}

export const sameDestination = (a: Destination, b: Destination): boolean =>
  a.kind === b.kind && a.value === b.value;

/** Without the bits of a host, as CreateRoute stores it: 100.68.0.18/18 is 100.68.0.0/18. */
export function canonicalDestination({ kind, value }: Destination): Destination | undefined {
  const canonical = canonicalOf(kind, value);
  return canonical === undefined ? undefined : { kind, value: canonical };
}

function canonicalOf(kind: DestinationKind, value: string): string | undefined {
  switch (kind) {
    case 'ipv4':
      return canonicalIpv4Block(value);
    case 'ipv6': {
      const range = parseIpv6CidrBlock(value);
      return range === undefined ? undefined : `${formatIpv6(range.first)}/${range.length}`;
    }
    case 'prefixList':
      return /^pl-[0-9a-f]{8,17}$/.test(value) ? value : undefined;
  }
}

function canonicalIpv4Block(value: string): string | undefined {
  const [, base = '', digits = ''] = /^([^/]+)\/(\d{1,2})$/.exec(value) ?? [];
  const address = parseIpv4(base);
  const length = Number(digits);
  if (address === undefined || digits === '' || length > 32) return undefined;
  const first = address - (address % 2 ** (32 - length));
  const octets = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256);
  return `${octets.join('.')}/${length}`;
}

/**
 * As ReplaceRoute and DeleteRoute read it: another spelling of an IPv6 block is the same block, but a block
 * with the bits of a host equals no route. That AWS clears them in CreateRoute alone is inferred.
 */
export function literalDestination({ kind, value }: Destination): Destination {
  if (kind !== 'ipv6') return { kind, value };
  const [base = '', ...rest] = value.split('/');
  return { kind, value: [canonicalIpv6(base) ?? base, ...rest].join('/') };
}
