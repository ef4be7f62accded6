/**
 * One daemon of the built product as a process of its own: started, listened to and ended. All that the lab
 * and the tests know of the product is what an operator knows: its command line and its log records.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

export const mainPath = join(__dirname, '..', 'dist', 'main.js');

/** One JSON line of the daemon's standard output. Fields as logged; `receivedAtMs` is ours. */
export type DaemonRecord = {
  readonly level: string;
  readonly event?: string;
  readonly reason?: string;
  readonly ha?: string;
  readonly msg?: string;
  /** When the line arrived here, on the machine's monotonic clock (`process.hrtime` in ms). */
  readonly receivedAtMs: number;
  readonly [field: string]: unknown;
};

export type DaemonExit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type DaemonOptions = {
  readonly configPath: string;
  /** Becomes AWS_EC2_METADATA_SERVICE_ENDPOINT. */
  readonly imdsUrl: string;
  /** For messages. */
  readonly name?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What to run in place of the built product, for one in a container. It is to pass signals on. */
  readonly command?: readonly string[];
};

/** How long is waited for what has to come: on a busy machine too, so it is no measure of speed. */
const PATIENCE_MS = 60_000;
const RECORDS_IN_MESSAGES = 15;

/** @throws Error when the product has not been built. */
export function startDaemon(options: DaemonOptions): DaemonProcess {
  if (options.command === undefined && !existsSync(mainPath))
    throw new Error(`${mainPath} is not there: build it with npm run build`);
  return new DaemonProcess(options);
}

export class DaemonProcess {
  readonly name: string;
  /** Resolves once, when the process is gone and all it wrote has been read. */
  readonly exited: Promise<DaemonExit>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #records: DaemonRecord[] = [];
  readonly #listeners = new Set<() => void>();
  /** What came on standard output and was no JSON object, and all of the standard error. */
  #text = '';
  #exit: DaemonExit | null = null;

  constructor({ configPath, imdsUrl, name = 'daemon', env = {}, command }: DaemonOptions) {
    this.name = name;
    const [program = '', ...args] = command ?? [process.execPath, mainPath, 'run', '-c', configPath];
    this.#child = spawn(program, args, {
      env: { ...process.env, AWS_EC2_METADATA_SERVICE_ENDPOINT: imdsUrl, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#take(line));
    this.#child.stderr.on('data', (chunk: Buffer) => (this.#text += chunk.toString()));
    // Whatever becomes of us, the daemon does not outlive us.
    const killOnExit = () => this.#child.kill('SIGKILL');
    process.on('exit', killOnExit);
    this.exited = new Promise((resolve) => {
      const ended = (exit: DaemonExit) => {
        process.off('exit', killOnExit);
        this.#exit = exit;
        for (const listener of this.#listeners) listener();
        resolve(exit);
      };
      this.#child.on('close', (code, signal) => ended({ code, signal }));
      this.#child.on('error', (error) => {
        this.#text += `${error.message}\n`;
        ended({ code: null, signal: null });
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Null while it runs. */
  get exit(): DaemonExit | null {
    return this.#exit;
  }

  /** Oldest first. */
  get records(): readonly DaemonRecord[] {
    return this.#records;
  }

  /** What the daemon printed besides log records; empty when all is well. */
  get text(): string {
    return this.#text;
  }

  /** The number of records so far: given to `waitFor` or `recordsSince`, only later ones count. */
  mark(): number {
    return this.#records.length;
  }

  recordsSince(mark: number): readonly DaemonRecord[] {
    return this.#records.slice(mark);
  }

  /** Calls back after each record, and when the process has ended; returns the off switch. */
  onRecord(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * The first record, from `since` on, that satisfies the predicate; records of the past count.
   * @throws Error with the latest records when none has come by the deadline, or the process has ended.
   */
  async waitFor(
    predicate: (record: DaemonRecord) => boolean,
    { deadlineMs = PATIENCE_MS, since = 0 }: { readonly deadlineMs?: number; readonly since?: number } = {},
  ): Promise<DaemonRecord> {
    const found = () => this.#records.slice(since).find(predicate);
    await this.#until(() => found() !== undefined || this.#exit !== null, deadlineMs);
    const record = found();
    if (record !== undefined) return record;
    const what = this.#exit === null ? `within ${deadlineMs} ms` : `before it ended (${this.#exitWords()})`;
    throw new Error(`${this.name}: no such record ${what}: ${predicate.toString()}\n${this.tail()}`);
  }

  /** Sends the signal and waits. @throws Error when it has not ended by the deadline; then it is killed. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', deadlineMs = PATIENCE_MS): Promise<DaemonExit> {
    this.#child.kill(signal);
    await this.#until(() => this.#exit !== null, deadlineMs);
    if (this.#exit !== null) return this.#exit;
    await this.kill();
    throw new Error(`${this.name} had not ended ${deadlineMs} ms after ${signal}:\n${this.tail()}`);
  }

  /** SIGKILL; resolves when the process is gone. The signal is sent before this returns. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  /** The latest records and whatever else was printed, for messages. */
  tail(): string {
    const lines = this.#records
      .slice(-RECORDS_IN_MESSAGES)
      .map(({ receivedAtMs: _receivedAtMs, ...record }) => JSON.stringify(record));
    return [...lines, this.#text.trimEnd()].filter((line) => line !== '').join('\n');
  }

  async #until(condition: () => boolean, deadlineMs: number): Promise<void> {
    const settled = new AbortController();
    const off = this.onRecord(() => condition() && settled.abort());
    if (!condition()) await delay(deadlineMs, undefined, { signal: settled.signal }).catch(() => undefined);
    off();
  }

  #take(line: string): void {
    const record = parseRecord(line);
    if (record === null) this.#text += `${line}\n`;
    else this.#records.push({ ...record, receivedAtMs: Number(process.hrtime.bigint()) / 1e6 });
    for (const listener of this.#listeners) listener();
  }

  #exitWords(): string {
    return this.#exit?.signal ?? `exit code ${this.#exit?.code}`;
  }
}

function parseRecord(line: string): { readonly level: string; readonly [field: string]: unknown } | null {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is { readonly level: string; readonly [field: string]: unknown } {
  return typeof value === 'object' && value !== null && 'level' in value && typeof value.level === 'string';
}
