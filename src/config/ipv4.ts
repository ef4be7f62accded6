/** IPv4 addresses and subnets as the configuration, EC2 and IMDS write them: dotted quads without leading zeros. */

/** The address as a number, or null where the text is not one; the numbers give targets their order. */
export function ipv4Number(text: string): number | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  let number = 0;
  for (const part of parts) {
    // A leading zero is refused: inet_aton reads it as octal, so 010 is 8 to one program and 10 to another.
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    number = number * 256 + Number(part);
  }
  return number;
}

/** What the address is instead of one host's own, by the registry of RFC 6890; null for a host's. */
export function notAHost(number: number): string | null {
  const first = Math.floor(number / 2 ** 24);
  const second = Math.floor(number / 2 ** 16) % 256;
  if (first === 0) return 'in 0.0.0.0/8, which names no host';
  if (first === 127) return 'a loopback address';
  if (first === 169 && second === 254) return 'a link-local address';
  if (number === 2 ** 32 - 1) return 'the broadcast address';
  if (first >= 240) return 'in the reserved range 240.0.0.0/4';
  if (first >= 224) return 'a multicast address';
  return null;
}

export type Ipv4Range = { readonly first: number; readonly last: number };

/** The range of a CIDR block such as `172.31.96.0/20`; null where it is not one or has host bits. */
export function parseCidrBlock(text: string): Ipv4Range | null {
  const match = /^([\d.]+)\/(\d|[12]\d|3[0-2])$/.exec(text);
  const first = ipv4Number(match?.[1] ?? '');
  if (match === null || first === null) return null;
  const size = 2 ** (32 - Number(match[2]));
  return first % size === 0 ? { first, last: first + size - 1 } : null;
}

export function isInRange(range: Ipv4Range, address: number): boolean {
  return address >= range.first && address <= range.last;
}

export function ipv4Text(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
