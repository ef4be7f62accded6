/**
 * Reading the store, for `show`: what is under a key, or why that cannot be said. Loads no client library:
 * loading ioredis alone would take as long as all the rest of `show`.
 */
import type { StoreSettings } from '../config/settings';
import { indexName, type StoreEntry, type StoreKey } from './entry';
import { askRedis, type RedisReply } from './redisQuestion';
import { readStoreFile, type StoreFileContent } from './storeFile';

/** `away`: there is no answer. `refused`: there is one, but it is an error. */
export type Unreadable = { readonly outcome: 'away' | 'refused'; readonly cause: string };

export type EntryReading =
  { readonly outcome: 'entry'; readonly entry: StoreEntry } | { readonly outcome: 'missing' } | Unreadable;

export type IndexReading = { readonly outcome: 'index'; readonly names: readonly string[] } | Unreadable;

export async function readEntry(settings: StoreSettings, key: StoreKey): Promise<EntryReading> {
  switch (settings.type) {
    case 'file': {
      const reading = contentOf(settings.path);
      if (reading.outcome !== 'content') return reading;
      const entry = reading.content.entries.get(key);
      return entry === undefined ? { outcome: 'missing' } : { outcome: 'entry', entry };
    }
    case 'redis': {
      const answer = await askRedis(settings, ['HMGET', key, 'value', 'timestamp']);
      if (answer.outcome !== 'reply') return answer;
      const [value, timestamp] = textsOf(answer.reply);
      if (value === undefined || timestamp === undefined) return { outcome: 'missing' };
      return { outcome: 'entry', entry: { value, timestamp } };
    }
  }
}

/** The names of the listed keys that have been written, in no particular order; none is an empty list. */
export async function readIndex(settings: StoreSettings): Promise<IndexReading> {
  switch (settings.type) {
    case 'file': {
      const reading = contentOf(settings.path);
      if (reading.outcome !== 'content') return reading;
      return { outcome: 'index', names: reading.content.listed };
    }
    case 'redis': {
      const answer = await askRedis(settings, ['SMEMBERS', indexName]);
      if (answer.outcome !== 'reply') return answer;
      return { outcome: 'index', names: textsOf(answer.reply) };
    }
  }
}

type ContentReading = { readonly outcome: 'content'; readonly content: StoreFileContent } | Unreadable;

/** A file that is not there yet is a store that nothing has been written to. */
function contentOf(path: string): ContentReading {
  const reading = readStoreFile(path);
  switch (reading.outcome) {
    case 'content':
      return reading;
    case 'missing':
      return { outcome: 'content', content: { listed: [], entries: new Map() } };
    case 'unreadable':
      return { outcome: 'away', cause: reading.cause };
  }
}

/** The texts of an array reply; absent fields are left out, so that either both of a pair come or none. */
function textsOf(reply: RedisReply): readonly string[] {
  return Array.isArray(reply) ? reply.filter((item) => typeof item === 'string') : [];
}
