/**
 * Standard output for a process that must never wait for whoever reads it. Where it is a pipe or a
 * terminal (docker's log driver, `docker run -it`) a write waits once the reader stalls: in the loop it
 * would make the daemon deaf to BFD, in a thread it would keep the process from exiting. So the pipe is
 * opened a second time, non-blocking, and what does not fit waits in a bounded queue.
 */
import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { isNativeError } from 'node:util/types';
import { Backoff } from '../backoff';

/** A reader that does not read for a while is asked ever more seldom. */
const retry = { firstMs: 50, lastMs: 1_000 };
const maxQueuedBytes = 1024 * 1024;
const flushTimeoutMs = 200;

export class StandardOutput {
  private readonly fd: number;
  private queue: Buffer[] = [];
  private queuedBytes = 0;
  /** Whether the first of the queue has been written in part: it must be finished, not given up. */
  private torn = false;
  private timer: NodeJS.Timeout | null = null;
  private readonly backoff = new Backoff(retry);

  /** `fd` is 1 but in tests. */
  constructor(fd = 1) {
    this.fd = withoutWaiting(fd);
  }

  write(line: string): void {
    const bytes = Buffer.from(line);
    this.queue.push(bytes);
    this.queuedBytes += bytes.length;
    while (this.queuedBytes > maxQueuedBytes && this.queue.length > 2) {
      const [given] = this.queue.splice(this.torn ? 1 : 0, 1);
      this.queuedBytes -= given?.length ?? 0;
    }
    if (this.timer === null) this.drain();
  }

  /** For the last moments of the process: waits for a slow reader a little, never long. */
  flushSync(): void {
    const start = performance.now();
    const sleeper = new Int32Array(new SharedArrayBuffer(4));
    while (!this.writeQueue() && performance.now() - start < flushTimeoutMs) Atomics.wait(sleeper, 0, 0, 5);
  }

  private drain(): void {
    if (this.writeQueue()) return this.backoff.reset();
    this.timer = setTimeout(() => {
      this.timer = null;
      this.drain();
    }, this.backoff.nextMs());
    this.timer.unref();
  }

  /** False when the reader is not ready for all of it. */
  private writeQueue(): boolean {
    for (let line = this.queue[0]; line !== undefined; line = this.queue[0]) {
      let written: number;
      try {
        written = writeSync(this.fd, line);
      } catch (error: unknown) {
        if (isNativeError(error) && 'code' in error && error.code === 'EAGAIN') return false;
        // Nobody reads any more (EPIPE, EIO): the log file still gets every line.
        written = line.length;
      }
      this.queuedBytes -= written;
      this.torn = written < line.length;
      if (this.torn) this.queue[0] = line.subarray(written);
      else this.queue.shift();
    }
    return true;
  }
}

/** A descriptor of its own, so that O_NONBLOCK does not reach others who share the pipe. */
function withoutWaiting(fd: number): number {
  try {
    const status = fstatSync(fd);
    if (!status.isFIFO() && !status.isCharacterDevice()) return fd;
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return fd;
  }
}
