/**
 * A container engine of its own: Debian's docker, with its data, socket and pid file in one directory, touching no
 * network rules of the machine. Given a network namespace it is a router's engine: its containers with --net=host
 * live there, as those of appmgr live in a namespace of XR. Ends with what it started, and nothing else.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export type EngineOptions = {
  /** Made by the engine, and removed by `stop`. */
  readonly directory: string;
  /** A network namespace of `ip netns`; default: that of this process. */
  readonly namespace?: string;
};

export type DockerAnswer = { readonly status: number | null; readonly out: string; readonly err: string };

const START_MS = 60_000;
const STOP_MS = 20_000;
/** Another docker may be first on the PATH. */
const DOCKER = '/usr/bin/docker';

/** @throws Error with the engine's own words when it does not come up. */
export async function startEngine(options: EngineOptions): Promise<ContainerEngine> {
  const { directory, namespace } = options;
  mkdirSync(directory, { recursive: true });
  const at = (name: string): string => join(directory, name);
  const command = [
    ...(namespace === undefined ? [] : ['nsenter', `--net=/run/netns/${namespace}`]),
    'dockerd',
    ...['--iptables=false', '--ip6tables=false', '--bridge=none'],
    ...[
      '--data-root',
      at('data'),
      '--exec-root',
      at('exec'),
      '--pidfile',
      at('pid'),
      '-H',
      `unix://${at('sock')}`,
    ],
  ];
  const log = openSync(at('log'), 'w');
  const [program = '', ...args] = command;
  // A session of its own: what interrupts the terminal must not end it before its containers.
  const child = spawn(program, args, { stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  // Whatever becomes of us, it ends, and its containers with it.
  const endOnExit = () => child.kill('SIGTERM');
  process.on('exit', endOnExit);
  child.on('exit', () => process.off('exit', endOnExit));
  const failed = new Promise<string>((resolve) => {
    child.on('error', ({ message }) => resolve(message));
    child.on('exit', (code) => resolve(`it ended with ${code}`));
  });
  const engine = new ContainerEngine(directory, child);
  const giveUpAt = performance.now() + START_MS;
  while ((await engine.ask('version')).status !== 0) {
    const problem = await Promise.race([failed, delay(200).then(() => null)]);
    if (problem === null && performance.now() < giveUpAt) continue;
    await engine.stop();
    throw new Error(`dockerd does not come up (${problem ?? `${START_MS / 1000} s`}):\n${engine.log()}`);
  }
  return engine;
}

export class ContainerEngine {
  readonly #directory: string;
  readonly #child: ChildProcess;
  #lastLog = '';

  constructor(directory: string, child: ChildProcess) {
    this.#directory = directory;
    this.#child = child;
  }

  /** To start a docker client by other means. */
  command(...args: readonly string[]): readonly string[] {
    return [DOCKER, '-H', `unix://${join(this.#directory, 'sock')}`, ...args];
  }

  /** Does not hold up this process, which may be the lab that the containers talk to. */
  async ask(...args: readonly string[]): Promise<DockerAnswer> {
    const [program = '', ...rest] = this.command(...args);
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    return new Promise((resolve) => {
      child.on('error', ({ message }) => resolve({ status: null, out, err: message }));
      child.on('close', (status) => resolve({ status, out, err }));
    });
  }

  /** @throws Error with docker's own words. */
  async docker(...args: readonly string[]): Promise<string> {
    const { status, out, err } = await this.ask(...args);
    if (status !== 0) throw new Error(`docker ${args.join(' ')} ended with ${status}:\n${err}${out}`);
    return out.trim();
  }

  /** Of all processes of a container, as this machine numbers them. */
  async pids(container: string): Promise<readonly number[]> {
    const [, ...lines] = (await this.docker('top', container, '-eo', 'pid')).split('\n');
    return lines.map(Number);
  }

  /** The end of what the engine said. */
  log(): string {
    return this.#lastLog;
  }

  async stop(): Promise<void> {
    const { out } = await this.ask('ps', '-aq');
    const running = out.split('\n').filter(Boolean);
    if (running.length > 0) await this.ask('rm', '-f', '-v', ...running);
    if (this.#child.exitCode === null && this.#child.signalCode === null && this.#child.pid !== undefined) {
      const gone = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await Promise.race([gone, delay(STOP_MS, undefined, { ref: false })]);
      this.#child.kill('SIGKILL');
    }
    this.#lastLog = readFileSync(join(this.#directory, 'log'), 'utf8').split('\n').slice(-20).join('\n');
    unmountBelow(this.#directory);
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The engine leaves its network namespace mounted behind. */
function unmountBelow(directory: string): void {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point.startsWith(`${directory}/`));
  for (const point of points.reverse()) spawnSync('umount', [point], { stdio: 'ignore' });
}
