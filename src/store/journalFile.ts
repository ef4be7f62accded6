/**
 * A journal on disk: lines appended to one file, with the file before it kept beside it as `PATH.1`. Each of
 * both begins with a header, and so does what follows a gap, because a step can only be replayed from a state.
 * Writing happens in the background, one write at a time: a disk that is full, slow or gone costs lines of the
 * journal and nothing else.
 */
import { closeSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { open, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import { Backoff } from '../backoff';
import { Wellness, type Reading } from '../wellness';
import { makeDirectory } from './backgroundFile';
import { atMost } from './deadline';
import { systemError } from './systemError';

export type JournalFileOptions = {
  readonly path: string;
  readonly log: Logger;
  /** A generation that has this many bytes is followed by the next; default 8 MiB, a day or so at rest. */
  readonly maxBytes?: number;
  readonly retry?: { readonly firstMs: number; readonly lastMs: number };
};

/** Lines that are written together, into one generation. */
type Part = {
  readonly lines: Buffer[];
  /** Where in the file it belongs. */
  readonly at: number;
  bytes: number;
  /** The file becomes the generation before, and this part begins a new one. */
  rotates: boolean;
};

const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;
const MAX_QUEUED_BYTES = 512 * 1024;
/** The answers of one keepalive come within this time: they are one write. */
const ROUTINE_DELAY_MS = 1_000;
const SLOW_WRITE_MS = 5_000;
const DEFAULT_RETRY = { firstMs: 500, lastMs: 10_000 };
const CLOSE_TIMEOUT_MS = 500;
/** Like the decision memory, not for everybody's eyes. */
const MODE = 0o600;

export class JournalFile {
  readonly #options: JournalFileOptions;
  readonly #maxBytes: number;
  readonly #backoff: Backoff;
  readonly #wellness = new Wellness();
  /** Oldest first; the first of them may be being written. */
  #parts: Part[] = [];
  #queuedBytes = 0;
  /** What the file has, and what it will have when all parts are written. */
  #writtenBytes: number;
  #bytes: number;
  #isTorn = true;
  #lostLines = 0;
  #task: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #retrying = false;
  #writingSince: number | null = null;
  #failure: string | null = null;

  constructor(options: JournalFileOptions) {
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    this.#backoff = new Backoff(options.retry ?? DEFAULT_RETRY);
    this.#writtenBytes = sizeOf(options.path);
    this.#bytes = this.#writtenBytes;
  }

  /** The next line has to be a header: a run of the daemon or a generation begins, or lines were lost. */
  get needsHeader(): boolean {
    return this.#isTorn || this.#bytes >= this.#maxBytes;
  }

  /** How many lines were given up since the last header. */
  get lostLines(): number {
    return this.#lostLines;
  }

  /** Returns at once, as `append` does. */
  begin(header: string): void {
    const rotates = this.#bytes >= this.#maxBytes;
    if (rotates) this.#bytes = 0;
    this.#isTorn = false;
    this.#lostLines = 0;
    // An end of the process or of the disk's space may have left the line before it unfinished.
    const separator = this.#bytes === 0 ? '' : '\n';
    this.#queue(Buffer.from(`${separator}${header}\n`), rotates);
  }

  /** `isNews` is to be on disk soon; everything else may wait a moment, for more to be written with it. */
  append(line: string, isNews: boolean): void {
    this.#queue(Buffer.from(`${line}\n`), false);
    if (this.#retrying || this.#task !== null) return;
    if (isNews) this.#start();
    else this.#timer ??= setTimeout(() => this.#start(), ROUTINE_DELAY_MS).unref();
  }

  health(): Reading {
    const reading = this.#wellness.reading();
    const hangs = this.#writingSince !== null && performance.now() - this.#writingSince > SLOW_WRITE_MS;
    return hangs ? { ...reading, state: 'failing' } : reading;
  }

  /** Tries a last time to write what is outstanding. */
  async close(): Promise<void> {
    this.#start();
    if (this.#task !== null) await atMost(CLOSE_TIMEOUT_MS, this.#task);
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /**
   * For the last moments of a process that ends over a bug: what it did last matters most. A part that is
   * being written is written again, to the same place.
   */
  flushSync(): void {
    const { path } = this.#options;
    try {
      for (const part of this.#parts) {
        if (part.rotates) renameSync(path, `${path}.1`);
        part.rotates = false;
        const fd = openSync(path, part.at === 0 ? 'w' : 'r+', MODE);
        try {
          writeSync(fd, Buffer.concat(part.lines), 0, part.bytes, part.at);
        } finally {
          closeSync(fd);
        }
      }
      this.#parts = [];
    } catch {
      // There is nobody left to tell.
    }
  }

  #queue(line: Buffer, rotates: boolean): void {
    const last = this.#parts.at(-1);
    const isBeingWritten = last !== undefined && this.#task !== null && this.#parts.length === 1;
    if (last === undefined || rotates || isBeingWritten) {
      this.#parts.push({ lines: [line], bytes: line.length, at: this.#bytes, rotates });
    } else {
      last.lines.push(line);
      last.bytes += line.length;
    }
    this.#bytes += line.length;
    this.#queuedBytes += line.length;
    if (this.#queuedBytes > MAX_QUEUED_BYTES) this.#giveUp(this.#task === null ? 0 : 1);
  }

  /** Without the oldest lines the later ones cannot be replayed either. */
  #giveUp(keep: number): void {
    for (const { lines, bytes } of this.#parts.splice(keep)) {
      this.#lostLines += lines.length;
      this.#queuedBytes -= bytes;
    }
    const last = this.#parts.at(-1);
    this.#bytes = last === undefined ? this.#writtenBytes : last.at + last.bytes;
    this.#isTorn = true;
  }

  #start(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#retrying = false;
    if (this.#parts.length > 0) this.#task ??= this.#drain();
  }

  async #drain(): Promise<void> {
    for (let part = this.#parts[0]; part !== undefined; part = this.#parts[0]) {
      this.#writingSince = performance.now();
      try {
        await this.#write(part);
      } catch (error: unknown) {
        this.#noteFailure(error);
        break;
      } finally {
        this.#writingSince = null;
      }
    }
    this.#task = null;
  }

  async #write(part: Part): Promise<void> {
    const { path } = this.#options;
    if (part.rotates) {
      await rename(path, `${path}.1`).catch(ignoreMissing);
      part.rotates = false;
      this.#writtenBytes = 0;
    }
    const file = await openForWriting(path);
    try {
      const { size } = await file.stat();
      if (size !== part.at) return this.#startAnewAt(size);
      await writeAll(file, Buffer.concat(part.lines), part.at).catch(async (error: unknown) => {
        // What is left of it would only take the space that the decision memory may need.
        await file.truncate(part.at).catch(() => {});
        throw error;
      });
    } finally {
      await file.close();
    }
    this.#parts.shift();
    this.#queuedBytes -= part.bytes;
    this.#writtenBytes = part.at + part.bytes;
    this.#noteSuccess();
  }

  /** Somebody has removed or changed the file. */
  #startAnewAt(size: number): void {
    this.#writtenBytes = size;
    this.#giveUp(0);
  }

  #noteFailure(error: unknown): void {
    const { log, path } = this.#options;
    const { code, message } = systemError(error);
    this.#wellness.failed();
    this.#retrying = true;
    this.#timer = setTimeout(() => this.#start(), this.#backoff.nextMs()).unref();
    if (this.#failure === code) return;
    this.#failure = code;
    log.warn(
      { event: 'journal-unwritable', code, cause: message, path },
      'The journal cannot be written; it will have a gap',
    );
  }

  #noteSuccess(): void {
    this.#wellness.ok();
    this.#backoff.reset();
    if (this.#failure === null) return;
    this.#failure = null;
    const { log, path } = this.#options;
    log.info({ event: 'journal-writable', path }, 'The journal can be written again');
  }
}

async function openForWriting(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+');
  } catch (error: unknown) {
    ignoreMissing(error);
  }
  await makeDirectory(dirname(path));
  return open(path, 'wx', MODE);
}

async function writeAll(file: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }
}

function ignoreMissing(error: unknown): void {
  if (systemError(error).code !== 'ENOENT') throw error;
}

function sizeOf(path: string): number {
  try {
    const status = statSync(path, { throwIfNoEntry: false });
    return status?.isFile() === true ? status.size : 0;
  } catch {
    return 0;
  }
}
