/**
 * The real Keystone and Neutron of Debian's packages python3-keystone and python3-neutron, on loopback and from nothing, without
 * the services that other packages would bring: no message bus, no agents, no data plane. With SQLite as its database Neutron
 * is one process, in which one request waits for the other; with MariaDB it has two API workers, and requests do meet.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Debian's own, which the packages are for. */
const PYTHON = '/usr/bin/python3';
const START_DEADLINE_MS = 120_000;
/** Keystone's default. */
const TOKEN_LIFE_S = 3600;

export const ADMIN = { name: 'admin', password: 'admin', project: 'admin' } as const;

type ServiceName = 'keystone' | 'neutron';

/** Of Neutron; Keystone's is SQLite. MariaDB is of the package mariadb-server. */
export type Database = 'sqlite' | 'mariadb';

export type ServiceOptions = {
  readonly database?: Database;
};

export class RealServices {
  readonly directory: string;
  readonly #ports: Readonly<Record<ServiceName, number>>;
  readonly #database: Database;
  readonly #running = new Map<ServiceName | 'mariadb', ChildProcess>();

  private constructor(directory: string, ports: Readonly<Record<ServiceName, number>>, database: Database) {
    this.directory = directory;
    this.#ports = ports;
    this.#database = database;
  }

  /** In an empty directory; resolves when both answer. */
  static async start(directory: string, { database = 'sqlite' }: ServiceOptions = {}): Promise<RealServices> {
    const ports = { keystone: await freePort(), neutron: await freePort() };
    const services = new RealServices(directory, ports, database);
    services.#configure();
    // Neutron's tables take as long as all of Keystone's: both at once.
    await Promise.all([services.#prepareNeutron(), services.#prepareKeystone()]);
    await Promise.all([services.launch('keystone'), services.launch('neutron')]);
    return services;
  }

  get authUrl(): string {
    return `http://127.0.0.1:${this.#ports.keystone}/v3`;
  }

  get networkUrl(): string {
    return `http://127.0.0.1:${this.#ports.neutron}`;
  }

  /** Starts one that does not run; resolves when it answers. */
  async launch(name: ServiceName): Promise<void> {
    const child = this.#spawn(name, ...this.#command(name));
    const url = name === 'keystone' ? this.authUrl : `${this.networkUrl}/`;
    for (const until = Date.now() + START_DEADLINE_MS; !(await answers(url)); await delay(100))
      if (child.exitCode !== null || Date.now() > until)
        throw new Error(`${name} does not answer: ${lastWords(join(this.directory, `${name}.out`))}`);
  }

  /** Of every token from now on. Keystone restarts. */
  async setTokenLife(seconds: number): Promise<void> {
    await this.halt('keystone');
    const path = (name: string) => join(this.directory, name);
    writeFileSync(path('keystone.conf'), keystoneConf(path, seconds), { mode: 0o600 });
    await this.launch('keystone');
  }

  async halt(name: ServiceName | 'mariadb'): Promise<void> {
    const child = this.#running.get(name);
    this.#running.delete(name);
    if (child === undefined || child.exitCode !== null) return;
    const gone = once(child, 'exit');
    killGroup(child);
    await gone;
  }

  async stop(): Promise<void> {
    await Promise.all([this.halt('neutron'), this.halt('keystone')]);
    await this.halt('mariadb');
  }

  /** In a process group of its own: Neutron's workers end with it. */
  #spawn(name: ServiceName | 'mariadb', program: string, args: readonly string[]): ChildProcess {
    const output = openSync(join(this.directory, `${name}.out`), 'a');
    const child = spawn(program, args, {
      detached: true,
      stdio: ['ignore', output, output],
      env: { ...process.env, OS_KEYSTONE_CONFIG_FILES: join(this.directory, 'keystone.conf') },
    });
    // Whatever becomes of us, it does not outlive us.
    const kill = () => killGroup(child);
    process.on('exit', kill);
    child.on('exit', () => process.off('exit', kill));
    this.#running.set(name, child);
    return child;
  }

  async #prepareNeutron(): Promise<void> {
    const path = (name: string) => join(this.directory, name);
    if (this.#database === 'sqlite')
      return this.#run('neutron-tables', PYTHON, ['-c', NEUTRON_TABLES, path('neutron.db')]);
    const own = ['--no-defaults', `--socket=${path('mariadb.sock')}`];
    const data = ['--no-defaults', `--datadir=${path('mariadb')}`, '--user=root'];
    const asRoot = ['--auth-root-authentication-method=normal', '--skip-test-db'];
    await this.#run('mariadb-install', 'mariadb-install-db', [...data, ...asRoot]);
    this.#spawn('mariadb', 'mariadbd', [...data, `--socket=${path('mariadb.sock')}`, '--skip-networking']);
    await this.#run('mariadb-wait', 'mariadb-admin', [...own, '--wait=50', 'ping']);
    await this.#run('mariadb-create', 'mariadb', [...own, '-e', 'create database neutron']);
    const migrate = ['-c', NEUTRON_MIGRATIONS, '--config-file', path('neutron.conf'), 'upgrade', 'heads'];
    await this.#run('neutron-tables', PYTHON, migrate);
  }

  #command(name: ServiceName): [string, readonly string[]] {
    if (name === 'keystone')
      return ['keystone-wsgi-public', ['--host', '127.0.0.1', '--port', String(this.#ports.keystone)]];
    return [PYTHON, ['-c', NEUTRON_SERVER, '--config-file', join(this.directory, 'neutron.conf')]];
  }

  #configure(): void {
    const path = (name: string) => join(this.directory, name);
    for (const name of ['fernet', 'lock', 'state']) mkdirSync(path(name), { recursive: true, mode: 0o700 });
    for (const key of ['0', '1'])
      writeFileSync(path(`fernet/${key}`), randomBytes(32).toString('base64url') + '=', { mode: 0o600 });
    const files = {
      'keystone.conf': keystoneConf(path, TOKEN_LIFE_S),
      'neutron.conf': neutronConf(path, this.#ports.neutron, this.authUrl, this.#database),
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(path(name), text, { mode: 0o600 });
    // Without it Keystone answers "database is locked" (500) to some of what it is asked to write.
    for (const name of ['keystone.db', 'neutron.db'])
      spawnSync(PYTHON, ['-c', WRITE_AHEAD_LOG, path(name)], { stdio: 'ignore' });
  }

  async #prepareKeystone(): Promise<void> {
    const manage = (...args: readonly string[]) =>
      this.#run('keystone-manage', 'keystone-manage', [
        '--config-file',
        join(this.directory, 'keystone.conf'),
        ...args,
      ]);
    await manage('db_sync');
    const urls = ['public', 'internal', 'admin'].flatMap((each) => [`--bootstrap-${each}-url`, this.authUrl]);
    await manage('bootstrap', '--bootstrap-password', ADMIN.password, '--bootstrap-region-id', 'r1', ...urls);
  }

  async #run(what: string, program: string, args: readonly string[]): Promise<void> {
    const path = join(this.directory, `${what}.out`);
    const output = openSync(path, 'a');
    const child = spawn(program, args, { stdio: ['ignore', output, output] });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`${what} ends with ${code}: ${lastWords(path)}`);
  }
}

/** Neutron's migrations do not run on SQLite: its tables are made from the models instead. */
const NEUTRON_TABLES = `
import sys
from neutron.db.migration.models import head
from sqlalchemy import create_engine
head.get_metadata().create_all(create_engine('sqlite:///' + sys.argv[1]))
`;
const NEUTRON_MIGRATIONS = `
import sys
from neutron.db.migration.cli import main
sys.exit(main())
`;
const NEUTRON_SERVER = `
import sys
from neutron.cmd.eventlet.server import main
sys.exit(main())
`;
const WRITE_AHEAD_LOG = `
import sqlite3, sys
sqlite3.connect(sys.argv[1]).execute('PRAGMA journal_mode=WAL')
`;

type PathOf = (name: string) => string;

const keystoneConf = (path: PathOf, tokenLifeS: number): string => `[DEFAULT]
log_file = ${path('keystone.log')}
[database]
connection = sqlite:///${path('keystone.db')}
[fernet_tokens]
key_repository = ${path('fernet')}
[token]
expiration = ${tokenLifeS}
`;

const neutronConf = (path: PathOf, port: number, authUrl: string, database: Database): string => `[DEFAULT]
bind_host = 127.0.0.1
bind_port = ${port}
core_plugin = ml2
service_plugins = router
api_paste_config = /usr/lib/python3/dist-packages/neutron/tests/etc/api-paste.ini
state_path = ${path('state')}
transport_url = fake://
api_workers = ${database === 'mariadb' ? 2 : 0}
rpc_workers = 0
rpc_state_report_workers = 0
notify_nova_on_port_status_changes = false
notify_nova_on_port_data_changes = false
log_file = ${path('neutron.log')}
[database]
connection = ${database === 'mariadb' ? `mysql+pymysql://root@localhost/neutron?unix_socket=${path('mariadb.sock')}` : `sqlite:///${path('neutron.db')}`}
[oslo_concurrency]
lock_path = ${path('lock')}
[keystone_authtoken]
auth_type = password
auth_url = ${authUrl}
www_authenticate_uri = ${authUrl}
username = ${ADMIN.name}
password = ${ADMIN.password}
project_name = ${ADMIN.project}
user_domain_id = default
project_domain_id = default
service_type = network
[ml2]
type_drivers = flat,vxlan
tenant_network_types = vxlan
mechanism_drivers = logger
extension_drivers = port_security
[ml2_type_flat]
flat_networks = external
[ml2_type_vxlan]
vni_ranges = 1:1000
`;

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

const answers = (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    ({ status }) => status < 500,
    () => false,
  );

const lastWords = (path: string): string => readFileSync(path, 'utf8').trim().slice(-600);
