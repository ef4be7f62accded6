/**
 * The operators' view of the daemon: the latest value of each key, in Redis or in a file. It only shows.
 * No decision may read it, and nothing on the takeover path waits for it: put() stores a reference and
 * returns, one background writer per store does the rest.
 */
import type { Logger } from 'pino';
import type { StoreSettings } from '../config/settings';
import type { StoreWriter } from './entry';
import { openFileStore } from './fileStore';
import { openRedisStore } from './redisStore';

export function openStore(settings: StoreSettings, log: Logger): StoreWriter {
  switch (settings.type) {
    case 'redis':
      return openRedisStore(settings, log);
    case 'file':
      return openFileStore(settings.path, log);
  }
}
