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
import { Backoff } from '../backoff';
import { Wellness, type Reading } from '../wellness';
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

type Told = (isWritten: boolean) => void;

const retry = { firstMs: 500, lastMs: 10_000 };
/** A write that takes longer hangs. */
const slowWriteMs = 5_000;

export class BackgroundFile {
  private readonly options: BackgroundFileOptions;
  private readonly closing = new AbortController();
  private changed = false;
  private task: Promise<void> | null = null;
  /** Code of the last failure that was logged; null while writing works. */
  private failure: string | null = null;
  private readonly wellness = new Wellness();
  private writingSince: number | null = null;
  /** Who waits for the write that is under way, and for the one after it. */
  private asking: { now: Told[]; next: Told[] } = { now: [], next: [] };

  constructor(options: BackgroundFileOptions) {
    this.options = options;
  }

  /** There is something new to write. Returns at once. */
  touch(): void {
    this.changed = true;
    this.task ??= this.run();
  }

  health(): Reading {
    const reading = this.wellness.reading();
    const hangs = this.writingSince !== null && performance.now() - this.writingSince > slowWriteMs;
    return hangs ? { ...reading, state: 'failing' } : reading;
  }

  /** Whether all that was new so far is written, as soon as that is known; false where the write fails. */
  written(): Promise<boolean> {
    if (this.task === null) return Promise.resolve(this.failure === null);
    return new Promise((told) => this.asking[this.changed ? 'next' : 'now'].push(told));
  }

  /** Tries a last time to write what is outstanding. */
  async close(): Promise<void> {
    this.closing.abort();
    if (this.task !== null) await atMost(this.options.closeTimeoutMs, this.task);
  }

  private async run(): Promise<void> {
    const backoff = new Backoff(retry);
    while (this.changed) {
      await nextTurn();
      this.changed = false;
      this.asking = { now: this.asking.next, next: [] };
      this.writingSince = performance.now();
      const failure = await this.replace();
      this.writingSince = null;
      for (const told of this.asking.now.splice(0)) told(failure === null);
      if (failure === null) {
        this.noteSuccess();
        backoff.reset();
        continue;
      }
      this.noteFailure(failure);
      // The last try of close() has just been made: its failure has been logged, and nobody is left to wait.
      if (this.closing.signal.aborted) break;
      this.changed = true;
      await delay(backoff.nextMs(), undefined, { signal: this.closing.signal, ref: false }).catch(() => {});
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
      if (durable) await syncDirectory(dirname(path));
      return null;
    } catch (error: unknown) {
      // On a full disk the half-written file would keep what little space is left.
      await rm(fresh, { force: true }).catch(() => {});
      return systemError(error);
    }
  }

  private noteFailure({ code, message }: SystemError): void {
    this.wellness.failed();
    if (this.failure === code) return;
    this.failure = code;
    const { log, words, path } = this.options;
    log.warn({ event: `${words.event}-unwritable`, code, cause: message, path }, words.failed);
  }

  private noteSuccess(): void {
    this.wellness.ok();
    if (this.failure === null) return;
    this.failure = null;
    const { log, words, path } = this.options;
    log.info({ event: `${words.event}-writable`, path }, words.recovered);
  }
}

/**
 * A name outlives a power failure once its directory is synced (fsync(2)). Some file systems cannot sync a directory, and
 * some directories may be written to and not read; there the name is as safe as it gets.
 */
async function syncDirectory(path: string): Promise<void> {
  try {
    const directory = await open(path, 'r');
    await directory.sync().finally(() => directory.close());
  } catch {
    // The file is there.
  }
}

/** Not mkdir's `recursive`: under a parent that can hold no directory (/proc) it tries without end. */
export async function makeDirectory(path: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(path, mode);
  } catch (error: unknown) {
    const { code } = systemError(error);
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeDirectory(dirname(path), mode);
    await mkdir(path, mode);
  }
}
