import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { eventually } from '../support/eventually';

let dir: string;
let daemon: ChildProcess | null = null;

beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'xr-aws-ha-watchdog-'))));

afterEach(async () => {
  if (daemon !== null && daemon.exitCode === null && daemon.signalCode === null) {
    const gone = once(daemon, 'exit');
    daemon.kill('SIGKILL');
    await gone;
  }
  daemon = null;
  rmSync(dir, { recursive: true, force: true });
});

/**
 * A process that beats ten times a second, is stuck from SIGUSR2 on, and beats no more, though it lives,
 * from SIGWINCH on. Bundled, as the daemon is, and its standard output is a pipe, as docker makes it.
 */
function start({ beats = true, everyS = 0.5 }: { beats?: boolean; everyS?: number } = {}): ChildProcess {
  const source = join(dir, 'program.ts');
  const bundle = join(dir, 'program.cjs');
  const from = (path: string) => JSON.stringify(resolve(__dirname, '../../src', path));
  writeFileSync(
    source,
    `import { createLogger } from ${from('telemetry/log')};
     import { Watchdog } from ${from('runtime/watchdog')};
     const logFile = ${JSON.stringify(join(dir, 'ha.log'))};
     const log = createLogger({ router: 'rtr1', level: 'info', file: logFile, syslog: null });
     const watchdog = new Watchdog({ log, logFile, check: { everyS: ${everyS}, misses: 3 } });
     const timer = setInterval(() => { if (${beats}) watchdog.beat(); }, 100);
     process.on('SIGUSR2', () => { for (;;); });
     process.on('SIGTERM', () => { clearInterval(timer); watchdog.stop(); });
     log.info({ event: 'ready' }, 'ready');`,
  );
  const bundler = resolve(__dirname, '../../node_modules/rolldown/bin/cli.mjs');
  const flags = ['--platform', 'node', '--format', 'cjs', '--file', bundle];
  execFileSync(process.execPath, [bundler, source, ...flags], { stdio: ['ignore', 'ignore', 'inherit'] });
  // The shell becomes the process itself, whose output the pipe carries into a file.
  const line = `exec "$0" "$1" > "$2/fifo"`;
  execFileSync('mkfifo', [join(dir, 'fifo')]);
  spawn('sh', ['-c', `cat "$0/fifo" > "$0/piped"`, dir], { stdio: 'ignore' });
  daemon = spawn('sh', ['-c', line, process.execPath, bundle, dir], { stdio: 'ignore' });
  return daemon;
}

type Line = { readonly [field: string]: unknown };
const linesOf = (name: string): readonly Line[] =>
  existsSync(join(dir, name))
    ? readFileSync(join(dir, name), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Line)
    : [];

const childrenOf = (pid: number | undefined): readonly number[] => {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
};

async function watcherOf(process: ChildProcess): Promise<number> {
  return eventually(() => {
    const [pid] = childrenOf(process.pid);
    if (pid === undefined) throw new Error('it has no watchdog yet');
    // Its sleep stands for the first look.
    if (childrenOf(pid).length === 0) throw new Error('the watchdog has not begun yet');
    return pid;
  });
}

/** Waits until the watchdog has looked this often: each look is a `sleep` of its own. */
async function looks(watcher: number, count: number): Promise<void> {
  const sleeps = new Set<number>();
  await eventually(() => {
    for (const pid of childrenOf(watcher)) sleeps.add(pid);
    expect(sleeps.size).toBeGreaterThan(count);
  });
}

const runs = (pid: number): boolean => readdirSync('/proc').includes(String(pid));

test('a process whose loop is stuck is ended, and its last line says so, in the pipe and in the file', async () => {
  const stuck = start();
  await watcherOf(stuck);
  const ended = once(stuck, 'exit');
  stuck.kill('SIGUSR2');
  expect(await ended).toEqual([null, 'SIGKILL']);
  await eventually(() => expect(linesOf('piped')).toHaveLength(2));
  for (const name of ['piped', 'ha.log']) {
    expect(linesOf(name).at(-1)).toEqual({
      level: 'fatal',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/) as unknown,
      event: 'loop-stalled',
      pid: stuck.pid,
      reason: 'the event loop was stuck at 3 looks in a row, 0.5 s apart',
      processState: 'R',
      msg: 'The daemon is ended because it is stuck',
    });
  }
});

test('one whose log file cannot be written is ended too', async () => {
  const stuck = start();
  await watcherOf(stuck);
  await eventually(() => expect(linesOf('ha.log')).toHaveLength(1));
  rmSync(join(dir, 'ha.log'));
  execFileSync('mkfifo', [join(dir, 'ha.log')]);
  const ended = once(stuck, 'exit');
  stuck.kill('SIGUSR2');
  expect(await ended).toEqual([null, 'SIGKILL']);
  await eventually(() => expect(linesOf('piped').at(-1)).toMatchObject({ event: 'loop-stalled' }));
  // The last writer waits for a reader of this file for ever: it gets one.
  expect(readFileSync(join(dir, 'ha.log'), 'utf8')).toContain('loop-stalled');
});

test('a process that was stopped for longer is not stuck, neither then nor when it goes on', async () => {
  const paused = start();
  const watcher = await watcherOf(paused);
  paused.kill('SIGSTOP');
  await looks(watcher, 5);
  paused.kill('SIGCONT');
  await looks(watcher, 5);
  expect(paused.signalCode).toBeNull();
  expect(linesOf('ha.log').map(({ event }) => event)).toEqual(['ready']);
});

test('a machine that was paused, watchdog and all, finds nothing stuck', async () => {
  const paused = start();
  const watcher = await watcherOf(paused);
  const [sleeping] = childrenOf(watcher);
  // The sleep goes on, as time does on a paused machine, and is over when the machine runs again.
  process.kill(watcher, 'SIGSTOP');
  paused.kill('SIGSTOP');
  await eventually(() => expect(readFileSync(`/proc/${sleeping}/stat`, 'utf8')).toMatch(/\) Z /));
  process.kill(watcher, 'SIGCONT');
  paused.kill('SIGCONT');
  await looks(watcher, 3);
  expect(paused.signalCode).toBeNull();
});

test('the watch begins with the first beat: a long start is no fault', async () => {
  const starting = start({ beats: false });
  await eventually(() => expect(linesOf('ha.log')).toHaveLength(1));
  expect(childrenOf(starting.pid)).toEqual([]);
});

test('the watchdog goes when the process does, however that ends', async () => {
  const killed = start();
  const watcher = await watcherOf(killed);
  killed.kill('SIGKILL');
  await eventually(() => expect(runs(watcher)).toBe(false));
});

test('the watchdog goes with a process that stops it', async () => {
  const stopped = start({ everyS: 60 });
  const watcher = await watcherOf(stopped);
  stopped.kill('SIGTERM');
  await eventually(() => expect(runs(watcher)).toBe(false));
});

test('a watchdog that is gone is said to be, once, and started again, each time later', async () => {
  const watched = start();
  const killedAt: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const watcher = await watcherOf(watched);
    // From half a second, a second, two: never at once.
    const before = killedAt.at(-1);
    if (before !== undefined) expect(performance.now() - before).toBeGreaterThan(500 * 2 ** (round - 1));
    process.kill(watcher, 'SIGKILL');
    killedAt.push(performance.now());
    await eventually(() => expect(childrenOf(watched.pid)).not.toContain(watcher));
  }
  await watcherOf(watched);
  const missing = linesOf('ha.log').filter(({ event }) => event === 'watchdog-missing');
  expect(missing).toEqual([expect.objectContaining({ level: 'warn', cause: 'it ended with SIGKILL' })]);
});
