/**
 * Destinations of routes as the configuration writes them: IPv4 and IPv6 CIDR blocks and prefix lists, each in the
 * form in which EC2 shows it. EC2 clears host bits (100.68.0.18/18 becomes 100.68.0.0/18), so the configuration may
 * have them too.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html
 */
import type { Destination } from '../aws/description';
import { ipv4Number, ipv4Text } from './ipv4';
import { ipv6Bytes, ipv6Text } from './ipv6';

const PREFIX_LIST_ID = /^pl-[0-9a-f]{8,17}$/;
const IPV4_BLOCK = /^([\d.]+)\/(\d|[12]\d|3[0-2])$/;
const IPV6_BLOCK = /^([\da-f:.]+)\/(\d|[1-9]\d|1[01]\d|12[0-8])$/i;

/** Null where the text is none. */
export function parseDestination(text: string): Destination | null {
  if (PREFIX_LIST_ID.test(text)) return { kind: 'prefixList', value: text };
  return ipv4Destination(text) ?? ipv6Destination(text);
}

function ipv4Destination(text: string): Destination | null {
  const [, address = '', length = ''] = IPV4_BLOCK.exec(text) ?? [];
  const number = ipv4Number(address);
  if (number === null) return null;
  const size = 2 ** (32 - Number(length));
  return { kind: 'ipv4', value: `${ipv4Text(number - (number % size))}/${length}` };
}

function ipv6Destination(text: string): Destination | null {
  const [, address = '', length = ''] = IPV6_BLOCK.exec(text) ?? [];
  const bytes = ipv6Bytes(address);
  if (bytes === null) return null;
  const masked = bytes.map((byte, index) => byte & maskOf(Number(length) - 8 * index));
  const network = ipv6Text(Buffer.from(masked));
  return network === null ? null : { kind: 'ipv6', value: `${network}/${length}` };
}

/** `block`: as `parseDestination` gives it. */
export function isInIpv6Block(address: string, block: string): boolean {
  const [, length = ''] = block.split('/');
  return ipv6Destination(`${address}/${length}`)?.value === block;
}

/** Of one byte, as many leading ones as there are bits left. */
function maskOf(bits: number): number {
  return 0xff & (0xff00 >> Math.min(Math.max(bits, 0), 8));
}
