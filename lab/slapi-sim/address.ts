// IPv4 addresses as the Service-Layer API carries them: the dotted quad read as one big-endian number.

export function toNumber(address: string): number {
  const octets = address.split('.').map(Number);
  const valid = octets.length === 4 && octets.every((o) => Number.isInteger(o) && o >= 0 && o <= 255);
  if (!valid) throw new Error(`not an IPv4 address: ${address}`);
  return octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

export const toDotted = (address: number): string =>
  [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');

export const isMulticast = (address: number): boolean => address >>> 28 === 0xe;
