/**
 * How the control socket comes to its path: nobody but the daemon's user can open it at any moment, a socket
 * that a dead daemon left is replaced, that of a living one is not taken away. It is made in a private
 * directory and moved to its path when it is ready; so no moment has it with other permissions, and Node,
 * which at the end removes the path it was told to listen on, removes nobody else's.
 */
import type { BigIntStats } from 'node:fs';
import { chmod, lstat, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { isNativeError } from 'node:util/types';
import { socketPathFault } from '../config/socketPath';

/** Why there is no socket, and what an operator can do about it. */
export type Obstacle = { readonly code: string; readonly cause: string; readonly advice: string };

/** Which file it is, whatever its name. */
export type SocketFile = { readonly device: bigint; readonly inode: bigint };

export type Listening =
  { readonly ok: true; readonly file: SocketFile } | { readonly ok: false; readonly obstacle: Obstacle };

/** `key`: of the configuration, for the advice. */
export type SocketPlace = { readonly key: string; readonly path: string };

/** Never rejects. Where it fails, the server is still to be closed. Later errors of the server are the caller's. */
export async function listenAt(place: SocketPlace, server: Server): Promise<Listening> {
  try {
    return { ok: true, file: await occupy(place, server) };
  } catch (error: unknown) {
    return { ok: false, obstacle: obstacleOf(error, place) };
  }
}

/** Whether the path still leads to this socket. Never rejects; when in doubt it does. */
export async function isInPlace(path: string, file: SocketFile): Promise<boolean> {
  try {
    const found = await whatIsAt(path);
    return found !== null && isSame(fileOf(found), file);
  } catch {
    return true;
  }
}

/** Removes our own socket only. Never rejects. */
export async function removeSocket(path: string, file: SocketFile): Promise<void> {
  const found = await whatIsAt(path).catch(() => null);
  if (found !== null && isSame(fileOf(found), file)) await rm(path, { force: true }).catch(() => {});
}

class Refusal extends Error {
  readonly obstacle: Obstacle;

  constructor(obstacle: Obstacle) {
    super(obstacle.cause);
    this.obstacle = obstacle;
  }
}

function refuse(code: string, cause: string, advice: string): never {
  throw new Refusal({ code, cause, advice });
}

async function occupy(place: SocketPlace, server: Server): Promise<SocketFile> {
  const { key, path } = place;
  const fault = socketPathFault(path);
  if (fault !== null) refuse('ENAMETOOLONG', `${path} ${fault}`, `set ${key} to a shorter path`);
  const directory = dirname(path);
  await makeDirectory(directory);
  await demandSafe(directory, key);
  // Not join(): it takes a lone dot for the directory itself.
  const nursery = await mkdtemp(`${directory}/.`);
  try {
    const fresh = join(nursery, 's');
    await listen(server, fresh);
    await chmod(fresh, 0o600);
    const file = fileOf(await lstat(fresh, { bigint: true }));
    await demandFree(place);
    await rename(fresh, path);
    return file;
  } finally {
    await rm(nursery, { recursive: true, force: true }).catch(() => {});
  }
}

/** Not mkdir's `recursive`: under a parent that can hold no directory (/proc) it tries without end. */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, 0o700);
  } catch (error: unknown) {
    const code = codeOf(error);
    if (code === 'EEXIST') return;
    // On a read-only file system this code comes even where the directory is there.
    if (code === 'EROFS' && (await isThere(path))) return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeDirectory(dirname(path));
    await mkdir(path, 0o700);
  }
}

/** Who may rename files in the directory could put a socket of his own in the place of ours. */
async function demandSafe(directory: string, key: string): Promise<void> {
  const { uid, mode } = await stat(directory);
  const elsewhere = `or set ${key} to a path in a directory of its own`;
  const isSticky = (mode & 0o1000) !== 0;
  if ((mode & 0o022) !== 0 && !isSticky) {
    refuse('EPERM', `others may write to ${directory}`, `chmod go-w ${directory}, ${elsewhere}`);
  }
  const self = process.geteuid?.();
  if (uid !== 0 && self !== undefined && uid !== self) {
    refuse('EPERM', `${directory} belongs to another user (${uid})`, `chown it to ${self}, ${elsewhere}`);
  }
}

async function demandFree({ key, path }: SocketPlace): Promise<void> {
  const found = await whatIsAt(path);
  if (found === null) return;
  if (!found.isSocket()) {
    refuse('EEXIST', `${path} is there and is no socket`, `remove it, or set ${key} to another path`);
  }
  if (await isListenedTo(path)) {
    refuse(
      'EADDRINUSE',
      `another process listens on ${path}`,
      `stop the other daemon, or give each its own ${key}`,
    );
  }
  // Another daemon may have found the same dead socket, and been quicker.
  const now = await whatIsAt(path);
  if (now !== null && !isSame(fileOf(now), fileOf(found))) {
    refuse('EADDRINUSE', `another process has just taken ${path}`, `give each daemon its own ${key}`);
  }
}

function isListenedTo(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', (error) => {
      const code = codeOf(error);
      if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(false);
      // Its queue of connections is full.
      else if (code === 'EAGAIN') resolve(true);
      else reject(error);
    });
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function whatIsAt(path: string): Promise<BigIntStats | null> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error: unknown) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await whatIsAt(path).catch(() => null)) !== null;
}

function fileOf({ dev, ino }: BigIntStats): SocketFile {
  return { device: dev, inode: ino };
}

function isSame(one: SocketFile, other: SocketFile): boolean {
  return one.device === other.device && one.inode === other.inode;
}

function obstacleOf(error: unknown, { key, path }: SocketPlace): Obstacle {
  if (error instanceof Refusal) return error.obstacle;
  return {
    code: codeOf(error),
    cause: isNativeError(error) ? error.message : String(error),
    advice: `make ${dirname(path)} a directory that the daemon can write to, or set ${key} to a path in one`,
  };
}

function codeOf(error: unknown): string {
  return isNativeError(error) && 'code' in error && typeof error.code === 'string' ? error.code : 'Error';
}
