/**
 * A real redis-server for tests: on 127.0.0.1 and a free port, nothing saved, in a directory of its own.
 * It is found on the PATH or at REDIS_SERVER.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const startTimeoutMs = 10_000;

export type RedisServer = {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** Ends the server and takes its directory away. */
  stop(): Promise<void>;
  /** Ends the server, all it held is lost; restart() brings an empty one to the same port. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** The server hangs: connections are taken, nothing is answered. */
  pause(): void;
  resume(): void;
};

export async function startRedis({
  port,
  args = [],
}: { readonly port?: number; readonly args?: readonly string[] } = {}): Promise<RedisServer> {
  const dir = mkdtempSync(join(tmpdir(), 'xr-aws-ha-redis-'));
  const started = await launchSomewhere(dir, port, args);
  const { chosen } = started;
  let { child } = started;
  const killOnExit = () => child.kill('SIGKILL');
  process.on('exit', killOnExit);
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  return {
    host: '127.0.0.1',
    port: chosen,
    kill,
    async stop() {
      await kill();
      process.off('exit', killOnExit);
      rmSync(dir, { recursive: true, force: true });
    },
    async restart() {
      await kill();
      child = await launch(dir, chosen, args);
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
  };
}

/** A port that was free a moment ago; for servers that must be told one and for addresses nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Another process may take a free port first: then the next one will do. */
async function launchSomewhere(dir: string, port: number | undefined, args: readonly string[]) {
  for (let tries = 1; ; tries += 1) {
    const chosen = port ?? (await freePort());
    try {
      return { child: await launch(dir, chosen, args), chosen };
    } catch (error: unknown) {
      const taken = error instanceof Error && error.message.includes('Address already in use');
      if (!taken || port !== undefined || tries === 3) throw error;
    }
  }
}

async function launch(dir: string, port: number, args: readonly string[]): Promise<ChildProcess> {
  const program = process.env['REDIS_SERVER'] ?? 'redis-server';
  const fixed = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    dir,
  ];
  // Into a file: a pipe to a process that is killed may end with ECONNRESET, long after the test.
  const logPath = join(dir, 'redis.log');
  const logFd = openSync(logPath, 'w');
  const child = spawn(program, [...fixed, ...args], { stdio: ['ignore', logFd, logFd] });
  closeSync(logFd);
  const output = () => readFileSync(logPath, 'utf8');
  let failure: string | null = null;
  child.on('error', (error) => {
    failure =
      `${program} cannot be started (${error.message}). These tests need a real redis-server: install it ` +
      '(Debian and Ubuntu: apt-get install redis-server) or set REDIS_SERVER to its path.';
  });
  child.on('exit', (code, signal) => (failure ??= `redis-server ended (${code ?? signal}):\n${output()}`));
  const deadline = performance.now() + startTimeoutMs;
  while (!(await answers(port, child.pid))) {
    if (failure !== null) throw new Error(failure);
    if (performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`redis-server on port ${port} did not answer in ${startTimeoutMs} ms:\n${output()}`);
    }
    await delay(10);
  }
  return child;
}

/** Whether it is this very server that answers, not another one that took the port. */
function answers(port: number, pid: number | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    let reply = '';
    socket.setTimeout(500, () => settle(false));
    socket.on('connect', () => socket.write('INFO server\r\n'));
    socket.on('data', (chunk) => {
      reply += chunk.toString();
      const answering = /^process_id:(\d+)\r\n/m.exec(reply);
      if (answering !== null) settle(Number(answering[1]) === pid);
    });
    socket.on('error', () => settle(false));
    socket.on('close', () => settle(false));
  });
}
