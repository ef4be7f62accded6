/**
 * Where the daemon's view is stored, read from the configuration file as leniently as can be: `show` must
 * work when the rest of the file is wrong, which is when it is needed most. It must not load the schema:
 * that takes longer than showing. The daemon's own, strict reading is config/load.ts.
 */
import { readFileSync } from 'node:fs';
import { isNativeError } from 'node:util/types';
import type { StoreSettings } from '../config/settings';

export type FoundStore = {
  readonly settings: StoreSettings;
  readonly configPath: string;
  /** Why the defaults are used in place of what the file says; null where there is no such doubt. */
  readonly doubt: string | null;
};

const defaultHost = '127.0.0.1';
const defaultPort = 6379;

/** Never throws: the predecessor's defaults stand in for whatever cannot be read. */
export function readStoreSettings(configPath: string): FoundStore {
  const fallback: StoreSettings = { type: 'redis', host: defaultHost, port: defaultPort };
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(configPath, 'utf8').replace(/^\uFEFF/, ''));
  } catch (error: unknown) {
    const cause = isNativeError(error) ? error.message : String(error);
    return { settings: fallback, configPath, doubt: `${configPath} cannot be read (${cause})` };
  }
  const config = member(document, 'config');
  const store = member(config, 'store');
  const path = member(store, 'path');
  if (member(store, 'type') === 'file') {
    if (typeof path === 'string' && path !== '')
      return { settings: { type: 'file', path }, configPath, doubt: null };
    return { settings: fallback, configPath, doubt: `store.path in ${configPath} is not the path of a file` };
  }
  const host = member(config, 'redis_server') ?? defaultHost;
  const port = portOf(member(config, 'redis_port') ?? defaultPort);
  if (typeof host !== 'string' || host === '' || port === null) {
    return { settings: fallback, configPath, doubt: `redis_server or redis_port in ${configPath} is wrong` };
  }
  return { settings: { type: 'redis', host, port }, configPath, doubt: null };
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as { readonly [key: string]: unknown })[name]
    : undefined;
}

function portOf(value: unknown): number | null {
  const port = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value;
  return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536 ? port : null;
}
