/**
 * What becomes of a command whose reader has seen enough (`| head`, a pager that was left): the rest of its words go
 * nowhere, without a word, and its exit code says what it would have said. Where words cannot be written for another
 * reason (a full disk), that is a failure.
 */
import type { Writable } from 'node:stream';

/** Returns what to make of the exit code at the end. */
export function outliveReaders(out: Writable, err: Writable): (exitCode: number) => number {
  let cause: string | null = null;
  const listen = (stream: Writable, says: (message: string) => void) =>
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE' || cause !== null) return;
      cause = error.message;
      says(`xr-aws-ha: the output cannot be written: ${error.message}\n`);
    });
  listen(out, (message) => void err.write(message));
  listen(err, () => undefined);
  return (exitCode) => (cause !== null && exitCode === 0 ? 1 : exitCode);
}
