/** Reading a small file of our own that anything may have happened to since it was written. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { systemError } from './systemError';

export type SmallFile =
  | { readonly outcome: 'text'; readonly text: string }
  | { readonly outcome: 'missing' }
  | { readonly outcome: 'unreadable'; readonly cause: string };

/** Never throws and never waits: a pipe or device in the file's place is refused, not opened for good. */
export function readSmallFile(path: string, maxBytes: number): SmallFile {
  let fd: number | null = null;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = fstatSync(fd);
    if (!stat.isFile()) return { outcome: 'unreadable', cause: `${path} is not a regular file` };
    if (stat.size > maxBytes) {
      return { outcome: 'unreadable', cause: `${path} has ${stat.size} bytes, more than ${maxBytes}` };
    }
    const buffer = Buffer.alloc(stat.size);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(fd, buffer, length, buffer.length - length, length);
    }
    return { outcome: 'text', text: buffer.toString('utf8', 0, length) };
  } catch (error: unknown) {
    const { code, message } = systemError(error);
    return code === 'ENOENT' ? { outcome: 'missing' } : { outcome: 'unreadable', cause: message };
  } finally {
    if (fd !== null) closeSync(fd);
  }
}
