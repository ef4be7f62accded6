/**
 * Keeps two daemons out of one place: a directory or file that only one may write, as the decision memory, the journal,
 * the file of `show` and the control socket. Each daemon listens on a Unix socket of its own beside it. The kernel ends
 * that with the process, however it dies, so no crash and no restart of a container leaves a lock behind; it is found by
 * its path, so in other containers too that have the same mount, whatever their process and network namespaces; and no
 * file locks are needed, which some file systems lack and Node has no call for. No pid is ever compared.
 *
 * A daemon is in its place before it looks for others, so of two that start together at least one sees the other; the one
 * whose socket sorts first stays. Names are never used twice: a socket that nobody listens on is dead for good. A daemon on
 * another machine (NFS) is not seen; whose decisions a file holds, it says itself (memory.ts).
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeDirectory } from './backgroundFile';
import { systemError } from './systemError';

export type Place = {
  /** The key of the configuration that leads there. */
  readonly key: string;
  /** As it is called in a sentence. */
  readonly path: string;
  readonly directory: string;
  /** Distinguishes several places of one directory. */
  readonly name: string;
};

export type Occupied =
  | { readonly outcome: 'held'; readonly release: () => Promise<void> }
  /** By another daemon, which says who it is. */
  | { readonly outcome: 'taken'; readonly by: string }
  /** Nothing keeps a second daemon out: the directory takes no sockets. */
  | { readonly outcome: 'unguarded'; readonly cause: string };

/** A daemon that is paused keeps its place and says nothing. */
const ANSWER_MS = 500;
const STARTING_DEADLINE_MS = 5_000;
const POLL_MS = 20;
/** `sun_path` of unix(7) holds 107 bytes; what is added to the directory has less than 60. */
const MOST_DIRECTORY_BYTES = 45;
const LONGEST_ANSWER = 300;
const RESET = Symbol('the connection was reset');

/** `who` is what a second daemon is told. Never rejects. */
export async function occupy(place: Place, who: string): Promise<Occupied> {
  let state: 'starting' | 'held' = 'starting';
  const server = createServer((socket) => {
    socket.on('error', () => {}).end(`${state} ${who}\n`);
  });
  server.on('error', () => {});
  server.unref();
  try {
    await makeDirectory(place.directory, 0o700);
    const short = await shortened(place.directory);
    const own = `.${place.name}.${Date.now().toString(36)}${randomBytes(4).toString('hex')}.daemon`;
    await publish(server, short.path, own);
    const release = async () => {
      server.close();
      await rm(join(place.directory, own), { force: true }).catch(() => {});
      await short.handle?.close();
    };
    const by = await holder(short.path, place, own);
    if (by !== null) {
      await release();
      return { outcome: 'taken', by };
    }
    state = 'held';
    return { outcome: 'held', release };
  } catch (error: unknown) {
    server.close();
    return { outcome: 'unguarded', cause: systemError(error).message };
  }
}

/** The path of a socket has little room, that of a directory has not. */
async function shortened(
  directory: string,
): Promise<{ readonly path: string; readonly handle: FileHandle | null }> {
  if (Buffer.byteLength(directory) <= MOST_DIRECTORY_BYTES) return { path: directory, handle: null };
  const handle = await open(directory, 'r');
  return { path: `/proc/self/fd/${handle.fd}`, handle };
}

/** It gets its name when it is listened on: nobody may find it dead. */
async function publish(server: Server, directory: string, name: string): Promise<void> {
  const nursery = await mkdtemp(`${directory}/.`);
  try {
    const fresh = join(nursery, 's');
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(fresh, () => {
        server.off('error', reject);
        resolve();
      });
    });
    // Who may enter the directory may ask; it takes no commands.
    await chmod(fresh, 0o666);
    await rename(fresh, join(directory, name));
  } finally {
    await rm(nursery, { recursive: true, force: true }).catch(() => {});
  }
}

/** Who else is in the place and stays there; null for nobody. What the dead have left is removed. */
async function holder(directory: string, place: Place, own: string): Promise<string | null> {
  const names = await readdir(directory);
  const others = names.filter(
    (name) => name.startsWith(`.${place.name}.`) && name.endsWith('.daemon') && name !== own,
  );
  for (const name of others) {
    const by = await stays(join(directory, name), own < name);
    if (by !== null) return by;
  }
  return null;
}

/**
 * `isFirst`: of two that start together this one stays, so the other is given the time to go, and to say that it does. One
 * that ends while it is asked resets the connection: it is asked once more.
 */
async function stays(path: string, isFirst: boolean): Promise<string | null> {
  const until = performance.now() + STARTING_DEADLINE_MS;
  for (;;) {
    const answer = await ask(path);
    if (answer === null) {
      await rm(path, { force: true }).catch(() => {});
      return null;
    }
    const [, state, who] = answer === RESET ? [] : (/^(starting|held) (.*)/.exec(answer) ?? []);
    const mayGo = answer === RESET || (isFirst && state !== 'held');
    if (!mayGo || performance.now() >= until) return who ?? 'which does not say who it is (is it paused?)';
    await delay(POLL_MS);
  }
}

/** What a socket says; null where nobody listens on it. */
function ask(path: string): Promise<string | typeof RESET | null> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(path);
    const end = (answer: string | typeof RESET | null) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end(text), ANSWER_MS);
    socket.setEncoding('utf8');
    socket.on('data', (piece: string) => {
      text += piece;
      if (text.length > LONGEST_ANSWER) end(text);
    });
    socket.on('end', () => end(text));
    socket.on('error', (error) => {
      const { code } = systemError(error);
      if (code === 'ECONNREFUSED' || code === 'ENOENT') end(null);
      else if (code === 'ECONNRESET') end(RESET);
      // Its queue is full: it is there. Any other is no answer to go by.
      else if (code === 'EAGAIN') end(text);
      else {
        clearTimeout(timer);
        reject(error);
      }
    });
  });
}
