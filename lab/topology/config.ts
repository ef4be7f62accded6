/**
 * The config.json of one router of the lab, with the lab's ports in place of the router's and of AWS. It
 * names keys of the product's configuration by hand: the lab shares no code with it.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { peerOf, type LabPlan, type PathPlan, type RouterName } from './plan';
import { actionKeys } from './targets';

/** Where the daemons keep what `show` prints: a file of each router's own, or one Redis server for each. */
export type LabStore = 'file' | { readonly redis: Readonly<Record<RouterName, RedisAddress>> };
export type RedisAddress = { readonly host: string; readonly port: number };

/** Merged into the object `config`, on top of what the lab writes. Undefined removes a key. */
export type ExtraKeys = Readonly<Record<string, unknown>>;

/** The product's defaults; written out, so that they can be seen in the file. */
export const labBfd = { intervalMs: 50, multiplier: 3 } as const;

export type ConfigPlaces = {
  readonly plan: LabPlan;
  readonly grpcPort: number;
  readonly ec2Url: string;
  readonly store: LabStore;
  /** The router's own directory: config, log, store, state and control socket go there. */
  readonly directory: string;
};

export const configPathIn = (directory: string): string => join(directory, 'config.json');

/** Short: the path of a Unix socket can have 107 bytes, and the directory for temporary files may be deep. */
const controlSocketIn = (directory: string): string => join(directory, 'ha.sock');

const stateDirectoryIn = (directory: string): string => join(directory, 'state');

export function emptyStateDirectory(directory: string): void {
  rmSync(stateDirectoryIn(directory), { recursive: true, force: true });
  mkdirSync(stateDirectoryIn(directory), { recursive: true });
}

/** Writes the file (again) and gives its content. */
export function writeConfig(name: RouterName, places: ConfigPlaces, extra: ExtraKeys): object {
  const document = { config: { ...labConfig(name, places), ...extra } };
  mkdirSync(stateDirectoryIn(places.directory), { recursive: true });
  writeFileSync(configPathIn(places.directory), `${JSON.stringify(document, null, 2)}\n`);
  return document;
}

function labConfig(name: RouterName, places: ConfigPlaces): object {
  const { plan, grpcPort, ec2Url, directory } = places;
  return {
    ec2_private_endpoint_url: ec2Url,
    grpc_server: '127.0.0.1',
    grpc_port: grpcPort,
    ...actionKeys(name, plan.targets),
    bfd_sessions: plan.paths.map((path) => sessionConfig(name, path)),
    ...storeKeys(name, places),
    state_dir: stateDirectoryIn(directory),
    control_socket: controlSocketIn(directory),
    syslog_file: join(directory, 'ha_app_bkp.log'),
  };
}

function sessionConfig(name: RouterName, { name: interfaceName, sessionType, address }: PathPlan): object {
  return {
    session_type: sessionType,
    intf_name: interfaceName,
    ...(sessionType === 'MULTI_HOP' ? { source_ip: address[name] } : {}),
    neigh_ip: address[peerOf(name)],
    bfd_desired_tx_int_usec: labBfd.intervalMs * 1000,
    detect_multiplier: labBfd.multiplier,
    vrf_name: 'default',
  };
}

function storeKeys(name: RouterName, { store, directory }: ConfigPlaces): object {
  if (store === 'file') return { store: { type: 'file', path: join(directory, 'show.json') } };
  const { host, port } = store.redis[name];
  return { store: { type: 'redis' }, redis_server: host, redis_port: port };
}
