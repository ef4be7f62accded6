/**
 * The fault matrix, the router's own machine: Redis, the disk, the state directory and the log. Nothing of it
 * decides anything, so a takeover in the middle of each has to be like any other.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { DaemonProcess } from '../../lab/daemonProcess';
import type { RouterName } from '../../lab/topology/plan';
import type { Lab } from '../../lab/topology/topology';
import { eventually } from '../support/eventually';
import { startRedis, type RedisServer } from '../support/redisServer';
import {
  daemonOf,
  nothingMoves,
  openLab,
  openPair,
  reason,
  record,
  role,
  rolesSince,
  runOn,
  show,
  shownState,
  startPair,
  takesOver,
  watching,
} from './support';

const statePath = (lab: Lab): string => join(lab.routers.rtr2.directory, 'state');
const memoryPath = (directory: string): string => join(directory, 'decisions.json');

/** What the daemon of rtr2 would remember after a restart. */
function remembered(directory: string): unknown {
  return JSON.parse(readFileSync(memoryPath(directory), 'utf8'));
}

describe('Redis of the standby', () => {
  let redis: { readonly rtr1: RedisServer; readonly rtr2: RedisServer };

  beforeEach(async () => {
    redis = { rtr1: await startRedis(), rtr2: await startRedis() };
  });

  afterEach(async () => {
    await Promise.all([redis.rtr1.stop(), redis.rtr2.stop()]);
  });

  async function command(...words: readonly [string, ...string[]]): Promise<unknown> {
    const { host, port } = redis.rtr2;
    const client = new Redis({ host, port, lazyConnect: true });
    try {
      await client.connect();
      const [name, ...args] = words;
      return await client.call(name, ...args);
    } finally {
      client.disconnect();
    }
  }

  test('is full: `show` says what was true before, and the truth when there is room again', async () => {
    const lab = await openPair({ store: { redis } });
    const rtr2 = daemonOf(lab, 'rtr2');
    await shownState(lab, 'rtr2', 'STANDBY');
    const since = rtr2.mark();
    await command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    await command('CONFIG', 'SET', 'maxmemory', '1');
    const refusal = await record(rtr2, /"event":"store-refused"/, since);
    expect(refusal).toMatchObject({ level: 'warn', code: 'OOM' });
    expect(refusal['advice']).toMatch(/Redis is full: raise maxmemory/);

    await lab.killRouter('rtr1');
    await role(rtr2, 'ACTIVE');
    expect(lab.ownsAll('rtr2')).toBe(true);
    expect((await show(lab, 'rtr2', 'ha_state')).stdout).toMatch(/\nSTANDBY\n$/);
    await command('CONFIG', 'SET', 'maxmemory', '0');
    expect(await shownState(lab, 'rtr2', 'ACTIVE')).toBe('ACTIVE');
    await record(rtr2, /"event":"store-accepted"/, since);
    // Five seconds of keepalives would be ten warnings.
    expect(rtr2.recordsSince(since).filter(({ event }) => event === 'store-refused')).toHaveLength(1);
  });

  test('is flushed by somebody else: all values come back, and a takeover in that moment is as ever', async () => {
    const lab = await openPair({ store: { redis } });
    const keys = async () => JSON.parse((await show(lab, 'rtr2', 'redundancy')).stdout || '[]') as unknown;
    await shownState(lab, 'rtr2', 'STANDBY');
    await eventually(async () => expect(await keys()).toContain('bfd_neighbors'));
    const before = await keys();
    await command('FLUSHALL');
    await eventually(async () => expect(await keys()).toEqual(before));
    for (const key of ['config', 'bfd_neighbors', 'ha_interfaces', 'ha_state']) {
      expect(await show(lab, 'rtr2', key)).toMatchObject({ code: 0, stderr: '' });
    }
    await nothingMoves(lab, 'rtr2');

    await takesOver(lab, 'rtr2', async () => {
      await lab.killRouter('rtr1');
      await command('FLUSHALL');
    });
    expect((await show(lab, 'rtr2', 'config')).stdout).toMatch(/"ec2_private_endpoint_url"/);
  });

  test('hangs from the start on: one warning, the roles, a takeover, and everything is shown when it goes on', async () => {
    redis.rtr2.pause();
    const lab = await openPair({ store: { redis } });
    const rtr2 = daemonOf(lab, 'rtr2');
    await record(rtr2, /"level":"warn".*"event":"store-away"/);
    const hung = await show(lab, 'rtr2', 'ha_state');
    expect(hung).toMatchObject({ code: 4, stdout: '' });
    expect(hung.stderr).toMatch(/Redis at 127\.0\.0\.1:\d+ does not answer/);
    await lab.killRouter('rtr1');
    await role(rtr2, 'ACTIVE');
    expect(lab.ownsAll('rtr2')).toBe(true);
    redis.rtr2.resume();
    await record(rtr2, /"event":"store-back"/);
    expect(await shownState(lab, 'rtr2', 'ACTIVE')).toBe('ACTIVE');
    expect(rtr2.records.filter(({ event }) => event === 'store-away')).toHaveLength(1);
  });
});

test('the disk with state, store and log is full: each says so once, the takeover goes on, nothing is lost for good', async () => {
  const disk = smallDisk();
  try {
    const lab = await openLab();
    const [state_dir, log, store] = ['state', 'ha.log', 'show.json'].map((name) =>
      join(disk.directory, name),
    );
    // Every line of the log has to find the disk full, not only those of a takeover.
    const config = { state_dir, syslog_file: log, store: { type: 'file', path: store }, log_level: 'debug' };
    lab.writeConfig('rtr2', config);
    await startPair(lab);
    const rtr2 = daemonOf(lab, 'rtr2');
    await shownState(lab, 'rtr2', 'STANDBY');

    const since = rtr2.mark();
    disk.fill(rtr2);
    await record(rtr2, new RegExp(`"level":"warn".*"event":"store-unwritable","code":"${disk.code}"`), since);
    await record(rtr2, /"level":"warn".*"event":"log-file-unwritable"/, since);
    await lab.killRouter('rtr1');
    await role(rtr2, 'ACTIVE');
    expect(lab.ownsAll('rtr2')).toBe(true);
    await record(
      rtr2,
      new RegExp(`"level":"warn".*"event":"memory-unwritable","code":"${disk.code}"`),
      since,
    );

    disk.free(rtr2);
    const writable = await record(rtr2, /"event":"log-file-writable"/, since);
    expect(writable['lostLines']).toBe(0);
    await record(rtr2, /"event":"store-writable"/, since);
    await record(rtr2, /"event":"memory-writable"/, since);
    expect(await shownState(lab, 'rtr2', 'ACTIVE')).toBe('ACTIVE');
    expect(remembered(state_dir ?? '')).toMatchObject({ wasActive: true });
    for (const event of ['store-unwritable', 'log-file-unwritable', 'memory-unwritable']) {
      expect(rtr2.records.filter((each) => each.event === event)).toHaveLength(1);
    }
    // The file has the line that was torn when the disk was full, whole.
    await rtr2.stop('SIGTERM');
    const lines = readFileSync(log ?? '', 'utf8')
      .trimEnd()
      .split('\n');
    expect(() => lines.map((line): unknown => JSON.parse(line))).not.toThrow();
  } finally {
    disk.remove();
  }
});

test('a file stands where the state directory should be, from the start on: warned of, and written once it is gone', async () => {
  const lab = await openLab();
  const path = statePath(lab);
  rmSync(path, { recursive: true });
  writeFileSync(path, 'not a directory\n');
  await startPair(lab);
  const rtr2 = daemonOf(lab, 'rtr2');
  await record(rtr2, /"level":"warn".*"event":"memory-unreadable"/);
  await record(rtr2, /"level":"warn".*"event":"memory-unwritable","code":"ENOTDIR"/);
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  rmSync(path);
  await record(rtr2, /"event":"memory-writable"/);
  expect(remembered(path)).toMatchObject({ wasActive: true });
});

test('the state directory is removed while the daemon runs: it is there again with the next decision', async () => {
  const lab = await openPair();
  const path = statePath(lab);
  await eventually(() => remembered(path));
  // The daemon may write while it is being removed.
  rmSync(path, { recursive: true, maxRetries: 10 });
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  await eventually(() => expect(remembered(path)).toMatchObject({ wasActive: true }));
});

test('the log is to go where a directory is: standard output has every line, and the file once it is mended', async () => {
  const lab = await openLab();
  const path = join(lab.routers.rtr2.directory, 'ha_app_bkp.log');
  mkdirSync(path);
  await startPair(lab);
  const rtr2 = daemonOf(lab, 'rtr2');
  const complaint = await record(rtr2, /"event":"log-file-unwritable"/);
  expect(complaint).toMatchObject({ level: 'warn', cause: expect.stringMatching(/EISDIR/) as unknown });
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));

  rmdirSync(path);
  const writable = await record(rtr2, /"event":"log-file-writable"/);
  expect(writable['lostLines']).toBe(0);
  expect(rtr2.records.filter(({ event }) => event === 'log-file-unwritable')).toHaveLength(1);
  expect(readFileSync(path, 'utf8')).toMatch(/"event":"starting"[^]*"event":"takeoverTimeline"/);
});

type SmallDisk = {
  readonly directory: string;
  /** What the operating system says when it is full. */
  readonly code: string;
  fill(daemon: DaemonProcess): void;
  free(daemon: DaemonProcess): void;
  remove(): void;
};

/** A file system of 256 KiB where that may be mounted, and else a limit to the size of the daemon's files. */
function smallDisk(): SmallDisk {
  const directory = mkdtempSync(join(tmpdir(), 'xr-aws-ha-disk-'));
  const mounted = run('mount', '-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', directory);
  const filler = join(directory, 'filler');
  const limit = ({ pid }: DaemonProcess, bytes: string) => {
    if (!run('prlimit', '--pid', String(pid), `--fsize=${bytes}:`)) throw new Error('prlimit does not work');
  };
  return {
    directory,
    code: mounted ? 'ENOSPC' : 'EFBIG',
    fill: (daemon) => (mounted ? fillUp(filler) : limit(daemon, '0')),
    free: (daemon) => (mounted ? rmSync(filler) : limit(daemon, 'unlimited')),
    remove: () => {
      if (mounted) run('umount', '--lazy', directory);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function fillUp(path: string): void {
  const page = Buffer.alloc(4096);
  try {
    for (;;) writeFileSync(path, page, { flag: 'a' });
  } catch {
    expect(statSync(path).size).toBeGreaterThan(0);
  }
}

const run = (program: string, ...args: readonly string[]): boolean => spawnSync(program, args).status === 0;

test('a second daemon on the same state_dir is told in one line who has it, and the first one goes on', async () => {
  const lab = await openPair();
  const rtr2 = daemonOf(lab, 'rtr2');
  const since = rtr2.mark();
  const second = await runOn(lab, 'rtr2', 'run');
  expect(second.code).toBe(1);
  const said = `${second.stdout}${second.stderr}`;
  expect(said.match(/place-in-use/g)).toHaveLength(1);
  expect(said).toMatch(/state_dir.*rtr2\/state.*another daemon/);
  expect(rolesSince(rtr2, since)).not.toContain('UNKNOWN');
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
});

test('the decisions of another router are not used, which is said', async () => {
  const lab = await openPair();
  const stateOf = (name: RouterName) => join(lab.routers[name].directory, 'state');
  await eventually(() =>
    expect(readFileSync(join(stateOf('rtr1'), 'decisions.json'), 'utf8')).toContain('i-'),
  );
  await daemonOf(lab, 'rtr2').kill();
  rmSync(stateOf('rtr2'), { recursive: true });
  mkdirSync(stateOf('rtr2'));
  copyFileSync(join(stateOf('rtr1'), 'decisions.json'), join(stateOf('rtr2'), 'decisions.json'));
  const rtr2 = lab.startDaemon('rtr2');
  const said = await record(rtr2, /"event":"memory-of-another"/);
  expect(JSON.stringify(said)).toContain(lab.plan.instanceId.rtr1);
  await reason(rtr2, /starting without earlier decisions/);
  await watching(rtr2);
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
});
