/** IPv4 arithmetic for subnets. Dotted quads without leading zeros, as EC2 and IMDS write them. */

/** The address as a number, or null where the text is not one. */
export function parseIpv4(text: string): number | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  let value = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    value = value * 256 + Number(part);
  }
  return value;
}

export type Ipv4Range = { readonly first: number; readonly last: number };

/** The range of a CIDR block such as `172.31.96.0/20`; null where it is not one or has host bits. */
export function parseCidrBlock(text: string): Ipv4Range | null {
  const match = /^([\d.]+)\/(\d|[12]\d|3[0-2])$/.exec(text);
  const first = parseIpv4(match?.[1] ?? '');
  if (match === null || first === null) return null;
  const size = 2 ** (32 - Number(match[2]));
  return first % size === 0 ? { first, last: first + size - 1 } : null;
}

export function isInRange(range: Ipv4Range, address: number): boolean {
  return address >= range.first && address <= range.last;
}
