/**
 * One small file that always shows the latest state of something, replaced as a whole so that a reader or
 * a crash never meets half of it. The owner says that there is something new; this writes it in the
 * background, one write at a time (each may occupy a thread of libuv's pool for as long as the disk
 * hangs), and tries again for ever when the directory is away, read-only or full.
 */
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { atMost } from './deadline';
import { systemError, type SystemError } from './systemError';

export type BackgroundFileOptions = {
  readonly path: string;
  readonly mode: number;
  /** Whether the content must survive a power failure. */
  readonly durable: boolean;
  /** How long close() may wait for the last write. */
  readonly closeTimeoutMs: number;
  /** The whole content, asked for when it is about to be written. */
  readonly content: () => string;
  readonly log: Logger;
  readonly words: { readonly event: string; readonly failed: string; readonly recovered: string };
};

const firstRetryMs = 500;
const lastRetryMs = 10_000;

export class BackgroundFile {
  private readonly options: BackgroundFileOptions;
  private readonly closing = new AbortController();
  private changed = false;
  private task: Promise<void> | null = null;
  /** Code of the last failure that was logged; null while writing works. */
  private failure: string | null = null;

  constructor(options: BackgroundFileOptions) {
    this.options = options;
  }

  /** There is something new to write. Returns at once. */
  touch(): void {
    this.changed = true;
    this.task ??= this.run();
  }

  /** Tries a last time to write what is outstanding. */
  async close(): Promise<void> {
    this.closing.abort();
    if (this.task !== null) await atMost(this.options.closeTimeoutMs, this.task);
  }

  private async run(): Promise<void> {
    let retryMs = firstRetryMs;
    while (this.changed) {
      await nextTurn();
      this.changed = false;
      const failure = await this.replace();
      if (failure === null) {
        this.noteSuccess();
        retryMs = firstRetryMs;
        continue;
      }
      this.noteFailure(failure);
      // The last try of close() has just been made: its failure has been logged, and nobody is left to wait.
      if (this.closing.signal.aborted) break;
      this.changed = true;
      await delay(retryMs, undefined, { signal: this.closing.signal, ref: false }).catch(() => {});
      retryMs = Math.min(retryMs * 2, lastRetryMs);
    }
    this.task = null;
  }

  private async replace(): Promise<SystemError | null> {
    const { path, mode, durable, content } = this.options;
    const fresh = `${path}.new`;
    try {
      await makeDirectory(dirname(path));
      const file = await open(fresh, 'w', mode);
      try {
        await file.writeFile(content());
        if (durable) await file.sync();
      } finally {
        await file.close();
      }
      await rename(fresh, path);
      return null;
    } catch (error: unknown) {
      // On a full disk the half-written file would keep what little space is left.
      await rm(fresh, { force: true }).catch(() => {});
      return systemError(error);
    }
  }

  private noteFailure({ code, message }: SystemError): void {
    if (this.failure === code) return;
    this.failure = code;
    const { log, words, path } = this.options;
    log.warn({ event: `${words.event}-unwritable`, code, cause: message, path }, words.failed);
  }

  private noteSuccess(): void {
    if (this.failure === null) return;
    this.failure = null;
    const { log, words, path } = this.options;
    log.info({ event: `${words.event}-writable`, path }, words.recovered);
  }
}

/** Not mkdir's `recursive`: under a parent that can hold no directory (/proc) it tries without end. */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error: unknown) {
    const { code } = systemError(error);
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeDirectory(dirname(path));
    await mkdir(path);
  }
}
