/** IPv6 arithmetic for subnets and routes. One address has many spellings; EC2 answers with that of RFC 5952. */
import { isIPv6 } from 'node:net';

/** The one spelling of an address, or undefined for what is none. URLs are written the way RFC 5952 asks for. */
export function canonicalIpv6(text: string): string | undefined {
  if (!isIPv6(text) || text.includes('%')) return undefined;
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}

export function parseIpv6(text: string): bigint | undefined {
  const canonical = canonicalIpv6(text);
  if (canonical === undefined) return undefined;
  const [before = [], after = []] = canonical
    .split('::')
    .map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  return [...before, ...zeros, ...after].reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

export function formatIpv6(address: bigint): string {
  const digits = address.toString(16).padStart(32, '0');
  const groups = digits.match(/.{4}/g) ?? [];
  return canonicalIpv6(groups.join(':')) ?? '';
}

export interface Ipv6Range {
  readonly first: bigint;
  readonly last: bigint;
  readonly length: number;
  /** Whether the text named the first address, without bits of a host. */
  readonly exact: boolean;
}

export function parseIpv6CidrBlock(text: string): Ipv6Range | undefined {
  const [, base = '', digits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const address = parseIpv6(base);
  const length = Number(digits);
  if (address === undefined || digits === '' || length > 128) return undefined;
  const size = 1n << BigInt(128 - length);
  const first = address - (address % size);
  return { first, last: first + size - 1n, length, exact: first === address };
}
