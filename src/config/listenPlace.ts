/** Where the status endpoint listens, as `status_listen` says it. */
import { ipv4Number } from './ipv4';
import { canonicalIpv6 } from './ipv6';
import { socketPathFault } from './socketPath';

export type ListenPlace = { readonly path: string } | { readonly host: string; readonly port: number };

/** Null where it says no place. */
export function parseListenPlace(text: string): ListenPlace | null {
  if (text.startsWith('/'))
    return text.includes('\0') || socketPathFault(text) !== null ? null : { path: text };
  const [, ipv6, ipv4, digits = ''] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  const isAddress = ipv6 === undefined ? ipv4Number(ipv4 ?? '') !== null : canonicalIpv6(ipv6) !== null;
  if (!isAddress || port < 1 || port > 65_535) return null;
  return { host: ipv6 ?? ipv4 ?? '', port };
}

/** Nobody outside this machine reaches it. */
export function isWithinMachine(place: ListenPlace): boolean {
  return 'path' in place || place.host.startsWith('127.') || canonicalIpv6(place.host) === '::1';
}
