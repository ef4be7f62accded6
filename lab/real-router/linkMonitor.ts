/** The state of a namespace's interfaces as the kernel tells it (netlink, by `ip monitor`), as it changes. */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { killed } from './commands';
import type { Namespace } from './namespace';

export type LinkState = 'up' | 'down';

export type LinkMonitor = { readonly stop: () => Promise<void> };

/** `changed` hears of each interface first, then of each change. */
export function watchLinks(
  namespace: Namespace,
  changed: (device: string, state: LinkState) => void,
): LinkMonitor {
  const child: ChildProcess = namespace.spawn(['ip', '-o', 'monitor', 'link'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const known = new Map<string, LinkState>();
  const take = (line: string): void => {
    const link = readLink(line);
    if (link === null || known.get(link.device) === link.state) return;
    known.set(link.device, link.state);
    changed(link.device, link.state);
  };
  if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', take);
  for (const line of namespace.run('ip', ['-o', 'link', 'show']).split('\n')) take(line);
  return { stop: () => killed(child) };
}

/** `LOWER_UP` is the carrier, `UP` what an operator has set: packets pass with both. */
export function readLink(line: string): { readonly device: string; readonly state: LinkState } | null {
  const found = /^(Deleted )?\d+: ([^:@\s]+)[^<]*<([^>]*)>/.exec(line);
  if (found === null) return null;
  const [, deleted, device = '', flags = ''] = found;
  const all = flags.split(',');
  const passes = deleted === undefined && all.includes('UP') && all.includes('LOWER_UP');
  return { device, state: passes ? 'up' : 'down' };
}
