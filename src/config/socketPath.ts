/**
 * Where the daemon takes the commands of `ha`, and what a Unix socket's path may be. Loads next to nothing:
 * the command asks it too.
 */
import { Buffer } from 'node:buffer';
import { dirname } from 'node:path';

export const defaultControlSocket = '/run/xr-aws-ha/control.sock';

/** Linux has 108 bytes for it, with a NUL at the end (unix(7)); a longer one would be cut off silently. */
const maxPathBytes = 107;
/** The socket is made as `DIRECTORY/.XXXXXX/s` before it gets its name. */
const maxDirectoryBytes = maxPathBytes - '/.XXXXXX/s'.length;

/** What is wrong with an absolute path as that of a socket, as the end of a sentence; null where nothing is. */
export function socketPathFault(path: string): string | null {
  if (path.endsWith('/')) return 'is the path of a directory';
  const bytes = Buffer.byteLength(path);
  if (bytes > maxPathBytes) return `has ${bytes} bytes; the path of a socket can have ${maxPathBytes}`;
  const directoryBytes = Buffer.byteLength(dirname(path));
  return directoryBytes > maxDirectoryBytes
    ? `has ${directoryBytes} bytes before the last slash; the path of a socket can have ${maxDirectoryBytes} there`
    : null;
}
