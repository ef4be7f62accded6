/**
 * The log file that operators `tail -f`: appended to, rotated by size, opened again when somebody removed
 * it. Writing happens in the background, one write at a time, so that a slow disk never holds up the
 * loop; what cannot be written yet waits in a bounded queue whose oldest lines are given up first.
 *
 * Our own, 2026-11-30: pino-roll 4.0.0 names the file in use `ha_app_bkp.6.log`, so that `tail -f` of the path that
 * operators know follows nothing; when the files were removed while it ran, no file came back; loading it took 14 MiB,
 * where all libraries of this kind together may take 2. rotating-file-stream 3.2.10 took 3.6 MiB. (Each by itself, not
 * bundled.) One within that budget which keeps the name would change our mind.
 */
import { closeSync, existsSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { mkdir, open, rename, rm, stat, truncate, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isNativeError } from 'node:util/types';
import { Backoff } from '../backoff';

export type RotatingFileOptions = {
  readonly path: string;
  readonly maxBytes: number;
  /** How many older files stay beside it, as `path.1` (youngest) to `path.N`. */
  readonly keep: number;
  /** The first pause after a failure; later ones are longer. */
  readonly retryMs: number;
  /** Called once when writing begins to fail. */
  readonly onFailure: (error: Error) => void;
  /** Called when writing works again, with how many lines had to be given up. */
  readonly onRecovery: (lostLines: number) => void;
};

/** How much longer than the first pause the longest is. */
const longestRetry = 8;
const maxQueuedBytes = 256 * 1024;
const maxWriteBytes = 64 * 1024;

export class RotatingFile {
  private readonly options: RotatingFileOptions;
  private readonly backoff: Backoff;
  private queue: Buffer[] = [];
  private queuedBytes = 0;
  private lostLines = 0;
  private failing = false;
  private retryTimer: NodeJS.Timeout | null = null;
  private task: Promise<void> | null = null;
  private handle: FileHandle | null = null;
  private fileId = '';
  private fileBytes = 0;
  /** A device such as /dev/null is written to, but never renamed. */
  private rotatable = false;

  constructor(options: RotatingFileOptions) {
    this.options = options;
    this.backoff = new Backoff({ firstMs: options.retryMs, lastMs: options.retryMs * longestRetry });
  }

  write(line: string): void {
    const bytes = Buffer.from(line);
    this.queue.push(bytes);
    this.queuedBytes += bytes.length;
    while (this.queuedBytes > maxQueuedBytes && this.queue.length > 1) {
      this.queuedBytes -= this.queue.shift()?.length ?? 0;
      this.lostLines += 1;
    }
    if (this.retryTimer === null) this.task ??= this.drain();
  }

  /** Resolves when everything has been written or writing has failed. */
  async flush(): Promise<void> {
    await this.task;
  }

  /** For the last moments of the process: what is still queued, and no word about failures. */
  flushSync(): void {
    if (this.queue.length === 0) return;
    const chunk = this.take(this.queuedBytes);
    try {
      if (this.handle !== null) {
        writeSync(this.handle.fd, chunk);
        return;
      }
      if (!existsSync(dirname(this.options.path))) mkdirSync(dirname(this.options.path));
      const fd = openSync(this.options.path, 'a', 0o644);
      writeSync(fd, chunk);
      closeSync(fd);
    } catch {
      // Standard output has the same lines, and there is nobody left to tell.
    }
  }

  async close(): Promise<void> {
    await this.flush();
    if (this.retryTimer !== null) clearTimeout(this.retryTimer);
    this.flushSync();
    await this.handle?.close();
    this.handle = null;
  }

  private async drain(): Promise<void> {
    // Lines of one turn are written together.
    await Promise.resolve();
    try {
      while (this.queue.length > 0) {
        const handle = await this.fileFor(Math.min(this.queuedBytes, maxWriteBytes));
        await this.append(handle, this.take(maxWriteBytes));
        this.noteSuccess();
      }
    } catch (error: unknown) {
      this.noteFailure(isNativeError(error) ? error : new Error(String(error)));
    }
    this.task = null;
  }

  /** The lines leave the queue in the same turn as the write begins: flushSync() must not lose them. */
  private take(maxBytes: number): Buffer {
    let bytes = 0;
    let lines = 0;
    for (const line of this.queue) {
      if (lines > 0 && bytes + line.length > maxBytes) break;
      bytes += line.length;
      lines += 1;
    }
    this.queuedBytes -= bytes;
    return Buffer.concat(this.queue.splice(0, lines));
  }

  private async append(handle: FileHandle, chunk: Buffer): Promise<void> {
    let rest = chunk;
    try {
      while (rest.length > 0) {
        const { bytesWritten } = await handle.write(rest);
        rest = rest.subarray(bytesWritten);
        this.fileBytes += bytesWritten;
      }
    } catch (error: unknown) {
      this.queue.unshift(rest);
      this.queuedBytes += rest.length;
      throw error;
    }
  }

  /** The open file, after a rotation where the bytes to come would make it too large. */
  private async fileFor(bytes: number): Promise<FileHandle> {
    const { path, maxBytes } = this.options;
    if (this.handle !== null && (await this.idOf(path)) !== this.fileId) await this.letGo();
    const file = this.handle ?? (await this.openFile());
    if (!this.rotatable || this.fileBytes === 0 || this.fileBytes + bytes <= maxBytes) return file;
    await this.letGo();
    await this.rotate();
    return this.openFile();
  }

  private async openFile(): Promise<FileHandle> {
    const { path } = this.options;
    // One level is enough for a log directory; where it is not, opening says what is missing.
    await mkdir(dirname(path)).catch(() => {});
    const handle = await open(path, 'a', 0o644);
    const status = await handle.stat();
    this.fileId = `${status.dev}:${status.ino}`;
    this.fileBytes = status.size;
    this.rotatable = status.isFile();
    this.handle = handle;
    return handle;
  }

  private async rotate(): Promise<void> {
    const { path, keep } = this.options;
    for (let i = keep; i > 1; i -= 1) {
      await rename(`${path}.${i - 1}`, `${path}.${i}`).catch(() => {});
    }
    try {
      if (keep > 0) await rename(path, `${path}.1`);
      else await rm(path);
    } catch {
      // A file that is itself a mount cannot be renamed. Losing what it holds beats filling the disk.
      await truncate(path);
    }
  }

  private async letGo(): Promise<void> {
    const handle = this.handle;
    this.handle = null;
    await handle?.close();
  }

  private async idOf(path: string): Promise<string | null> {
    try {
      const status = await stat(path);
      return `${status.dev}:${status.ino}`;
    } catch {
      return null;
    }
  }

  private noteFailure(error: Error): void {
    this.retryTimer = setTimeout(() => {
      this.retryTimer = null;
      this.task ??= this.drain();
    }, this.backoff.nextMs());
    this.retryTimer.unref();
    if (this.failing) return;
    this.failing = true;
    this.options.onFailure(error);
  }

  private noteSuccess(): void {
    this.backoff.reset();
    if (!this.failing) return;
    this.failing = false;
    const lost = this.lostLines;
    this.lostLines = 0;
    this.options.onRecovery(lost);
  }
}
