// IP addresses as text, and as the Service-Layer API carries them: IPv4 is the dotted quad read as one big-endian
// number, IPv6 is 16 bytes in network order.
import { isIPv4, isIPv6, SocketAddress } from 'node:net';

export type AddressFamily = 'IPv4' | 'IPv6';
export type WireAddress = number | Buffer;

export const familyOf = (address: string): AddressFamily => (address.includes(':') ? 'IPv6' : 'IPv4');

export function toNumber(address: string): number {
  if (!isIPv4(address)) throw new Error(`not an IPv4 address: ${address}`);
  return toBytes(address).readUInt32BE();
}

/** @throws Error for what is no address. */
export function toWire(address: string): WireAddress {
  if (familyOf(address) === 'IPv4') return toNumber(address);
  if (!isIPv6(address)) throw new Error(`not an IPv6 address: ${address}`);
  return toBytes(address);
}

/** Bytes of another number than 16 are no address: they stay readable, and nothing equals them. */
export function fromWire(address: WireAddress): string {
  if (typeof address === 'number') return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
  if (address.length !== 16) return `${address.length} bytes: ${address.toString('hex')}`;
  const groups = [0, 2, 4, 6, 8, 10, 12, 14].map((at) => address.readUInt16BE(at).toString(16));
  return canonical(groups.join(':'));
}

/** One text for each address, whatever form it is written in. */
export const canonical = (address: string): string =>
  new SocketAddress({ address, family: familyOf(address) === 'IPv6' ? 'ipv6' : 'ipv4' }).address;

export const isUnspecified = (address: string): boolean => toBytes(address).every((byte) => byte === 0);

export function isMulticast(address: string): boolean {
  const [first = 0] = toBytes(address);
  return familyOf(address) === 'IPv6' ? first === 0xff : first >>> 4 === 0xe;
}

/** Ascending as numbers. */
export const compareAddresses = (a: string, b: string): number => Buffer.compare(toBytes(a), toBytes(b));

/** For an address in canonical form. */
function toBytes(address: string): Buffer {
  if (familyOf(address) === 'IPv4') return Buffer.from(address.split('.').map(Number));
  const [left = '', right = ''] = address.split('::');
  const words = (part: string) => (part === '' ? [] : part.split(':'));
  const zeros = Array<string>(8 - words(left).length - words(right).length).fill('0');
  const bytes = Buffer.alloc(16);
  [...words(left), ...zeros, ...words(right)].forEach((word, at) => {
    bytes.writeUInt16BE(parseInt(word, 16), 2 * at);
  });
  return bytes;
}
