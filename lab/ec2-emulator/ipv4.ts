/** IPv4 arithmetic for subnets. Dotted quads only, without leading zeros: that is all EC2 accepts. */

export function parseIpv4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes.reduce((sum, byte) => sum * 256 + byte, 0) : undefined;
}

export interface Ipv4Range {
  readonly first: number;
  readonly last: number;
}

export function parseCidrBlock(text: string): Ipv4Range | undefined {
  const [base, length, ...rest] = text.split('/');
  if (base === undefined || length === undefined || rest.length > 0 || !/^\d{1,2}$/.test(length))
    return undefined;
  const address = parseIpv4(base);
  if (address === undefined || Number(length) > 32) return undefined;
  const size = 2 ** (32 - Number(length));
  return address % size === 0 ? { first: address, last: address + size - 1 } : undefined;
}

export const formatIpv4 = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
