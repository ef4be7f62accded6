/**
 * `self-test`: what the container stands on, and what there is in it that would keep the daemon from its work,
 * as records like those of the log. The supervisor runs it before the daemon, as the user the daemon is to have,
 * and reads two fields of the first record: `denied` and `redisPort`. Changes nothing.
 */
import { dirname } from 'node:path';
import { member } from '../config/document';
import { defaultControlSocket } from '../config/socketPath';
import { isOnPersistentMount } from '../store/persistentMount';
import { probe, type Access, type Purpose } from './access';
import { readLooseConfig } from './looseConfig';
import { readStoreSettings } from './storeSettings';
import { readSurroundings, type Surroundings } from './surroundings';

export type Problem = { readonly level: 'warn' | 'error'; readonly reason: string };

const defaultStateDir = '/var/lib/xr-aws-ha';
const defaultLogFile = '/var/log/ha_app_bkp.log';
/** The daemon's sockets, files and pipes are a few dozen; its threads, those of Redis and a few commands 40. */
const fewestOpenFiles = 256;
const fewestProcesses = 64;
const smallestMemoryMiB = 128;

/** Always 0: a problem is told, and whether the daemon can live with it is found out by starting it. */
export function selfTest(configPath: string, out: NodeJS.WritableStream): number {
  const { config, doubt } = readLooseConfig(configPath);
  const needs = needsOf(configPath, config);
  const found = needs.map((need) => ({ ...need, access: probe(need.path, need.purpose) }));
  const surroundings = readSurroundings();
  const denied = [
    ...new Set(found.flatMap(({ path, access }) => (access.outcome === 'denied' ? [path] : []))),
  ];
  const problems = [
    ...configProblems(configPath, probe(configPath, 'read'), doubt),
    ...stateProblems(stateDirOf(config)),
    ...found.flatMap(({ path, access, without }) => accessProblem(path, access, without)),
    ...limitProblems(surroundings),
  ];
  const record = (level: string, fields: object, msg: string) =>
    out.write(`${JSON.stringify({ level, time: new Date().toISOString(), ...fields, msg })}\n`);
  record(
    'info',
    { event: 'self-test', ...surroundings, denied, redisPort: ownRedisPort(configPath) },
    'self-test',
  );
  for (const { level, reason } of problems) {
    record(level, { event: 'self-test-problem', reason }, 'The self-test found a problem');
  }
  return 0;
}

/** A path of the configuration or of its defaults, and what does not work without it. */
type Need = { readonly path: string; readonly purpose: Purpose; readonly without: string };

function needsOf(configPath: string, config: unknown): readonly Need[] {
  const given = (value: unknown, purpose: Purpose, without: string): readonly Need[] =>
    typeof value === 'string' && value.startsWith('/') ? [{ path: value, purpose, without }] : [];
  const grpcServer = member(config, 'grpc_server');
  const socket = typeof grpcServer === 'string' ? grpcServer.replace(/^unix:(\/\/)?/, '') : undefined;
  return [
    { path: configPath, purpose: 'read', without: 'the daemon does not start' },
    {
      path: stateDirOf(config),
      purpose: 'write',
      without: 'a restarted daemon has forgotten what it had decided',
    },
    {
      path: dirname(textOf(member(config, 'syslog_file'), defaultLogFile)),
      purpose: 'write',
      without: 'there is no log file; standard output has the same records',
    },
    {
      path: dirname(textOf(member(config, 'control_socket'), defaultControlSocket)),
      purpose: 'write',
      without: 'the commands of ha do not reach the daemon',
    },
    ...given(member(config, 'grpc_credentials_file'), 'read', 'gRPC has no user name and password'),
    ...given(member(member(config, 'grpc_tls'), 'ca_file'), 'read', 'gRPC has no certificate to trust'),
    ...given(member(member(config, 'cloud'), 'credentials_file'), 'read', 'there is no token of Keystone'),
    ...given(member(member(config, 'cloud'), 'ca_file'), 'read', 'Keystone and Neutron are not trusted'),
    ...given(socket, 'write', 'the router cannot be reached'),
  ];
}

function configProblems(path: string, access: Access, doubt: string | null): readonly Problem[] {
  switch (access.outcome) {
    case 'missing':
      return [
        {
          level: 'error',
          reason:
            `${path} is not there: put the configuration into the directory that is mounted to ${dirname(path)}, ` +
            'or mount it (-v in docker-run-opts)',
        },
      ];
    // Said with the others.
    case 'denied':
    case 'readOnly':
      return [];
    case 'open':
      return doubt === null
        ? []
        : [{ level: 'error', reason: `${doubt}; check-config says what is wrong with it` }];
  }
}

function stateProblems(stateDir: string): readonly Problem[] {
  if (isOnPersistentMount(stateDir) !== false) return [];
  return [
    {
      level: 'warn',
      reason:
        `${stateDir} is not on a mount of its own: an upgrade of the container forgets what was decided; ` +
        `add -v {app_install_root}/state/xrv9k_aws_ha:${stateDir} to docker-run-opts`,
    },
  ];
}

function accessProblem(path: string, access: Access, without: string): readonly Problem[] {
  switch (access.outcome) {
    case 'open':
    case 'missing':
      return [];
    case 'denied':
      return [{ level: 'error', reason: `${path} may not be opened by this user: ${without}` }];
    case 'readOnly':
      return [{ level: 'warn', reason: `${path} is on a read-only file system: ${without}` }];
  }
}

function limitProblems({
  openFiles,
  processes,
  memoryMiB,
}: Pick<Surroundings, 'openFiles' | 'processes' | 'memoryMiB'>): readonly Problem[] {
  const below = (limit: number | null, fewest: number, reason: string): readonly Problem[] =>
    limit === null || limit >= fewest ? [] : [{ level: 'warn', reason }];
  return [
    ...below(
      openFiles,
      fewestOpenFiles,
      `only ${openFiles} open files are allowed; ${fewestOpenFiles} are enough`,
    ),
    ...below(
      processes,
      fewestProcesses,
      `only ${processes} processes are allowed; ${fewestProcesses} are enough`,
    ),
    ...below(
      memoryMiB,
      smallestMemoryMiB,
      `only ${memoryMiB} MiB of memory are allowed; ${smallestMemoryMiB} are enough`,
    ),
  ];
}

/** The port of the Redis server that is to run beside the daemon; null where the configuration wants none here. */
function ownRedisPort(configPath: string): number | null {
  const { settings } = readStoreSettings(configPath);
  if (settings.type === 'file') return null;
  return ['127.0.0.1', 'localhost'].includes(settings.host) ? settings.port : null;
}

function stateDirOf(config: unknown): string {
  return textOf(member(config, 'state_dir'), defaultStateDir);
}

function textOf(value: unknown, otherwise: string): string {
  return typeof value === 'string' && value.startsWith('/') ? value : otherwise;
}
