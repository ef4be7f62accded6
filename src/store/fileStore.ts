/**
 * The store in one JSON file, for machines without Redis: the same keys, values and times, replaced as a
 * whole at each change. The operators' view only; what was written by an earlier life of the daemon stays
 * until it is written anew, as it does in Redis.
 */
import type { Logger } from 'pino';
import { BackgroundFile } from './backgroundFile';
import { listedKeys, storeEntry, type StoreEntry, type StoreKey, type StoreWriter } from './entry';
import { formatStoreFile, readStoreFile } from './storeFile';

export function openFileStore(path: string, log: Logger): StoreWriter {
  const entries = new Map<StoreKey, StoreEntry>(earlierEntries(path, log));
  const file = new BackgroundFile({
    path,
    mode: 0o644,
    durable: false,
    closeTimeoutMs: 700,
    content: () => formatStoreFile({ listed: listedKeys.filter((key) => entries.has(key)), entries }),
    log,
    words: {
      event: 'store',
      failed: 'The store file cannot be written; show will be out of date, failover is not affected',
      recovered: 'The store file can be written again',
    },
  });
  return {
    put(key, value) {
      entries.set(key, storeEntry(value, new Date()));
      file.touch();
    },
    health: () => file.health(),
    close: () => file.close(),
  };
}

function earlierEntries(path: string, log: Logger): ReadonlyMap<StoreKey, StoreEntry> {
  const reading = readStoreFile(path);
  switch (reading.outcome) {
    case 'content':
      return reading.content.entries;
    case 'missing':
      return new Map();
    case 'unreadable':
      log.warn(
        { event: 'store-unreadable', cause: reading.cause, path },
        'The store file of the last run cannot be read and is replaced',
      );
      return new Map();
  }
}
