/** What the daemon opens only where the configuration asks for it: where it does not, not even its code is loaded. */
import type { Logger } from 'pino';
import type { Settings } from './config/settings';
import type { Notifications } from './notify/notifications';
import type { PeerStatus, PeerStatusOptions } from './peer/peerStatus';
import type { Status } from './status/endpoint';
import type { SnapshotSources } from './status/snapshot';

export async function openStatusIfAsked(
  { status }: Settings,
  sources: SnapshotSources & { readonly log: Logger },
): Promise<Status | null> {
  return status === null ? null : (await import('./status/endpoint')).openStatus(status, sources);
}

export async function openNotificationsIfAsked(
  { notifications: receivers, log: { router }, stateDir }: Settings,
  log: Logger,
): Promise<Notifications | null> {
  if (receivers.length === 0) return null;
  return (await import('./notify/notifications')).openNotifications({ receivers, router, stateDir, log });
}

export async function openPeerStatusIfAsked(
  settings: Settings['peerStatus'],
  options: Omit<PeerStatusOptions, 'settings'>,
): Promise<PeerStatus | null> {
  if (settings === null) return null;
  const { PeerStatus: Opened } = await import('./peer/peerStatus');
  return new Opened({ settings, ...options });
}
