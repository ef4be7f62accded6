/** Where the daemon's view is stored, as far as the configuration file can be read: for `show`. */
import { member } from '../config/document';
import type { StoreSettings } from '../config/settings';
import { readLooseConfig } from './looseConfig';

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
  const { config, doubt } = readLooseConfig(configPath);
  if (doubt !== null) return { settings: fallback, configPath, doubt };
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

function portOf(value: unknown): number | null {
  const port = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value;
  return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536 ? port : null;
}
