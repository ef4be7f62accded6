/**
 * The status endpoint: probes, status and metrics over HTTP. It listens where it is told and nowhere else, answers from
 * what the loop has published, and decides nothing. Where its place cannot be had, the log says why; failover is not
 * affected. Loaded only where the configuration has `status_listen`.
 */
import { readFile } from 'node:fs/promises';
import type { SecureContextOptions } from 'node:tls';
import type { Logger } from 'pino';
import type { StatusSettings } from '../config/settings';
import { Listener } from '../control/listener';
import { together } from '../together';
import { statusRoutes } from './routes';
import { Token } from './token';
import { Snapshot, type SnapshotSources } from './snapshot';

export type Status = {
  readonly snapshot: Snapshot;
  /** Takes less than 1 s and never rejects. */
  readonly close: () => Promise<void>;
};

export function openStatus(
  { place, tokenFile, tls }: StatusSettings,
  { log, ...sources }: SnapshotSources & { readonly log: Logger },
): Status {
  const snapshot = new Snapshot(sources);
  const token = new Token(tokenFile, sources.clock.monotonicMs, log);
  const listener = new Listener({
    place: { key: 'status_listen', ...place },
    routes: statusRoutes(snapshot, token),
    ...(tls === null ? {} : { tls: () => certificateOf(tls) }),
    onOpen: () => log.info({ event: 'status-available', ...place }, 'The status endpoint answers'),
    onObstacle: ({ code, cause, advice }) =>
      log.error(
        { event: 'status-unavailable', ...place, code, cause, reason: advice },
        'The status endpoint cannot be opened; failover is not affected',
      ),
  });
  return { snapshot, close: () => listener.close() };
}

async function certificateOf({
  certFile,
  keyFile,
}: NonNullable<StatusSettings['tls']>): Promise<SecureContextOptions> {
  const [cert, key] = await together([readFile(certFile), readFile(keyFile)]);
  return { cert, key };
}
