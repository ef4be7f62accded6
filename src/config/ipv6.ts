/**
 * IPv6 addresses as the configuration, EC2 and the router write them: text of any valid form, one canonical
 * text (RFC 5952), and 16 bytes in network order.
 *
 * Our own, 2026-11-30: ipaddr.js 2.5.0 reads `::1.2.3.4` as `::ffff:1.2.3.4`, which is another address, and `010.0.0.1` as
 * 8.0.0.1; Node itself reads both forms right.
 */
import { isIPv6 } from 'node:net';

/** The canonical text; null where the text is no IPv6 address, or has a zone (`fe80::1%eth0`). */
export function canonicalIpv6(text: string): string | null {
  // The host of a URL is written as RFC 5952 wants it.
  return isIPv6(text) && !text.includes('%') ? new URL(`http://[${text}]`).hostname.slice(1, -1) : null;
}

/** Null where the text is no IPv6 address. */
export function ipv6Bytes(text: string): Buffer | null {
  const canonical = canonicalIpv6(text);
  if (canonical === null) return null;
  const [head = [], tail = []] = canonical.split('::').map((part) => part.split(':').filter(Boolean));
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** The canonical text; null for another number of bytes. */
export function ipv6Text(bytes: Buffer): string | null {
  if (bytes.length !== 16) return null;
  return canonicalIpv6((bytes.toString('hex').match(/.{4}/g) ?? []).join(':'));
}

/** fe80::/10 (RFC 4291 section 2.5.6): says nothing without the interface, and EC2 does not know it. */
export function isLinkLocal(address: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(address);
}

/** What the address is instead of one host's own, by RFC 4291; null for a host's. */
export function notAnIpv6Host(canonical: string): string | null {
  if (canonical === '::') return 'the unspecified address';
  if (canonical === '::1') return 'the loopback address';
  if (/^ff[0-9a-f]{2}:/.test(canonical)) return 'a multicast address';
  if (/^::ffff:[^:]+:[^:]+$/.test(canonical)) return 'an IPv4 address in the form of IPv6';
  return null;
}
