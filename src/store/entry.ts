/**
 * What the store holds, for writers and readers of both back ends: the keys that `show` knows and how a
 * value and its time are written. Must stay free of heavy imports: `show` loads it and has to be quick.
 */
import type { JsonObject } from '../core/state/json';
import type { Reading } from '../wellness';

/** The six keys of the predecessor's command line, in the order in which `show redundancy` prints them. */
export const listedKeys = [
  'last_bfd_down_event',
  'config',
  'last_intf_event',
  'ha_state',
  'bfd_neighbors',
  'ha_interfaces',
] as const;

/** The others can be shown but are not listed: tools of the predecessor expect exactly the six. */
export const storeKeys = [
  ...listedKeys,
  'ha_reason',
  'ha_health',
  'ha_alarms',
  'ha_ready',
  'ha_peer',
  'ha_targets',
  'ha_planned',
  'ha_groups',
] as const;

export type StoreKey = (typeof storeKeys)[number];

/** Plain text, or an object that is shown as JSON with two spaces. */
export type StoreValue = string | JsonObject;

/** A value as it lies in the store. JSON is kept as text, as the predecessor kept it in Redis. */
export type StoreEntry = { readonly value: string; readonly timestamp: string };

/** The Redis set, and the member of the file, that names the listed keys which have been written. */
export const indexName = 'redundancy';

export function isStoreKey(name: string): name is StoreKey {
  return storeKeys.some((key) => key === name);
}

export function isListed(key: StoreKey): boolean {
  return listedKeys.some((listed) => listed === key);
}

export function storeEntry(value: StoreValue, at: Date): StoreEntry {
  return { value: typeof value === 'string' ? value : JSON.stringify(value), timestamp: storeTimestamp(at) };
}

/**
 * `YYYY/MM/DD HH:MM:SS.ffffff` in the local time zone, as the predecessor wrote it (UTC in the container,
 * unless TZ says otherwise). The clock gives milliseconds, so the last three digits are always 0.
 */
export function storeTimestamp(at: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const date = `${String(at.getFullYear()).padStart(4, '0')}/${two(at.getMonth() + 1)}/${two(at.getDate())}`;
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return `${date} ${time}.${String(at.getMilliseconds()).padStart(3, '0')}000`;
}

export type StoreWriter = {
  /** The latest value of a key wins. Never blocks, waits or throws; a store that is away gets it later. */
  put(key: StoreKey, value: StoreValue): void;
  health(): Reading;
  /** Writes what is outstanding if that is possible in well under a second, then lets go of the store. */
  close(): Promise<void>;
};
