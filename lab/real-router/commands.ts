/** Programs of the machine that the real-router lab runs: once, or for as long as it lives. */
import { spawn, spawnSync, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';

/** @throws Error with what the program said, when it fails. */
export function run(program: string, args: readonly string[], input = ''): string {
  const done = spawnSync(program, args, { input, encoding: 'utf8' });
  if (done.error !== undefined) throw new Error(`${program}: ${done.error.message}`);
  if (done.status !== 0)
    throw new Error(
      `${[program, ...args].join(' ')}: exit code ${done.status}\n${done.stderr.trim()}\n${input}`,
    );
  return done.stdout;
}

/** SIGKILL, and resolves when the process is gone. */
export async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/**
 * One `ip` that stays and takes commands as they come: a change costs no start of a process. Its commands take effect
 * in order, and before anything else in the lab gets the CPU: a cloud or a cable needs none of it.
 */
export class CommandPipe {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting: ((error: Error | null) => void)[] = [];
  #text = '';
  #errors = '';

  constructor(namespace: string) {
    this.#child = spawn('chrt', [
      ...['--rr', '2'],
      ...['ip', '-n', namespace, '-force', '-o', '-batch', '-'],
    ]);
    this.#child.stdin.on('error', () => undefined);
    this.#child.stderr.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()));
    this.#child.stdout.on('data', (chunk: Buffer) => this.#take(chunk.toString()));
    this.#child.on('exit', () => this.#waiting.splice(0).forEach((each) => each(new Error('ip has ended'))));
  }

  /** Resolves when the kernel has made all of them. @throws Error with what `ip` said, when it refused one. */
  change(commands: readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push((error) => (error === null ? resolve() : reject(error)));
      // The answer to the last one says that those before it are done.
      this.#child.stdin.write([...commands, 'link show dev lo', ''].join('\n'));
    });
  }

  stop(): Promise<void> {
    return killed(this.#child);
  }

  #take(text: string): void {
    this.#text += text;
    const lines = this.#text.split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) if (/^\d+: lo:/.test(line)) this.#done();
  }

  #done(): void {
    const errors = this.#errors;
    this.#errors = '';
    this.#waiting.shift()?.(errors === '' ? null : new Error(`ip: ${errors.trim()}`));
  }
}
