/**
 * The format of the store file: `{"redundancy": [keys], key: {"value": ..., "timestamp": "..."}, ...}`.
 * JSON values lie in it as JSON, so that it reads well without `show`. `show` loads this: keep it light.
 */
import { indexName, storeKeys, type StoreEntry, type StoreKey } from './entry';
import { readSmallFile } from './smallFile';

export type StoreFileContent = {
  readonly listed: readonly string[];
  readonly entries: ReadonlyMap<StoreKey, StoreEntry>;
};

export type StoreFileReading =
  | { readonly outcome: 'content'; readonly content: StoreFileContent }
  | { readonly outcome: 'missing' }
  | { readonly outcome: 'unreadable'; readonly cause: string };

const maxBytes = 8 * 1024 * 1024;
/** Nothing that the daemon stores is nested more than a few levels. */
const maxDepth = 100;

export function formatStoreFile(content: StoreFileContent): string {
  const document: Record<string, unknown> = { [indexName]: content.listed };
  for (const [key, { value, timestamp }] of content.entries) {
    document[key] = { timestamp, value: jsonOf(value) ?? value };
  }
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Never throws; members that are not of the format are left out. */
export function readStoreFile(path: string): StoreFileReading {
  const file = readSmallFile(path, maxBytes);
  if (file.outcome !== 'text') return file;
  const content = parseStoreFile(file.text);
  return content === null
    ? { outcome: 'unreadable', cause: `${path} is not a store file` }
    : { outcome: 'content', content };
}

/** Null for a text that is not a JSON object. */
export function parseStoreFile(text: string): StoreFileContent | null {
  const document = jsonOf(text);
  if (!isRecord(document)) return null;
  const index = document[indexName];
  const listed = Array.isArray(index) ? index.filter((name) => typeof name === 'string') : [];
  const entries = new Map<StoreKey, StoreEntry>();
  for (const key of storeKeys) {
    const member = Object.hasOwn(document, key) ? document[key] : undefined;
    if (!isRecord(member)) continue;
    const { value, timestamp } = member;
    if (typeof timestamp !== 'string') continue;
    if (typeof value === 'string') entries.set(key, { value, timestamp });
    else if (typeof value === 'object' && value !== null)
      entries.set(key, { value: JSON.stringify(value), timestamp });
  }
  return { listed, entries };
}

/**
 * The object or array that the text is, null for any other text: plain text is not to be read as JSON, nor is
 * what JSON.parse can read and JSON.stringify, whose depth is that of the call stack, cannot write again.
 */
export function jsonOf(text: string): object | null {
  if (!/^\s*[{[]/.test(text)) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && isAtMost(maxDepth, value) ? value : null;
  } catch {
    return null;
  }
}

function isAtMost(depth: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((member) => isAtMost(depth - 1, member));
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
