/**
 * The command line's end of the control socket: sends one command and reads the answer. Knows nothing of words for
 * people, and trusts nothing that comes back to be what it should be.
 */
import { request } from 'node:http';
import { isNativeError } from 'node:util/types';
import { entries, member } from '../config/document';
import type { OperatorAnswer, OperatorCommand } from './commands';

export type Asked =
  | ({ readonly outcome: 'answered' } & OperatorAnswer)
  /** The daemon has not considered the command. */
  | { readonly outcome: 'refused'; readonly error: string }
  /** `code`: Node's name of errno. */
  | { readonly outcome: 'unreachable'; readonly code: string; readonly cause: string }
  /** The command may have reached the daemon, and may be carried out. */
  | { readonly outcome: 'unanswered'; readonly cause: string };

const maxReplyBytes = 64 * 1024;

/** Never rejects. */
export async function ask(path: string, command: OperatorCommand, timeoutMs: number): Promise<Asked> {
  const exchanged = await exchange(
    path,
    { method: 'POST', to: '/command' },
    timeoutMs,
    JSON.stringify(command),
  );
  return exchanged.outcome === 'text' ? askedOf(exchanged.text) : exchanged;
}

export type Told = { readonly progress: readonly unknown[]; readonly drills: readonly unknown[] };

/** How the last switchover and drill of each group go; null where the daemon does not say. Never rejects. */
export async function askProgress(path: string, timeoutMs: number): Promise<Told | null> {
  const exchanged = await exchange(path, { method: 'GET', to: '/progress' }, timeoutMs);
  if (exchanged.outcome !== 'text') return null;
  const body = jsonOf(exchanged.text);
  const progress = member(body, 'progress');
  return Array.isArray(progress) ? { progress, drills: entries(member(body, 'drills')) } : null;
}

type Exchanged =
  | { readonly outcome: 'text'; readonly text: string }
  | Extract<Asked, { outcome: 'unreachable' | 'unanswered' }>;

function exchange(
  path: string,
  { method, to }: { readonly method: string; readonly to: string },
  timeoutMs: number,
  body = '',
): Promise<Exchanged> {
  return new Promise((resolve) => {
    const asking = request({
      socketPath: path,
      method,
      path: to,
      headers: {
        host: 'localhost',
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      },
      agent: false,
    });
    let connected = false;
    const settle = (exchanged: Exchanged) => {
      clearTimeout(timer);
      asking.destroy();
      resolve(exchanged);
    };
    const unanswered = (cause: string) => settle({ outcome: 'unanswered', cause });
    const timer = setTimeout(() => unanswered(`no answer within ${timeoutMs / 1000} s`), timeoutMs);
    asking.once('socket', (socket) => socket.once('connect', () => (connected = true)));
    asking.once('response', (response) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      response.on('data', (part: Buffer) => {
        parts.push(part);
        bytes += part.length;
        if (bytes > maxReplyBytes) unanswered('the answer is too long to be one');
      });
      response.once('end', () => settle({ outcome: 'text', text: Buffer.concat(parts).toString('utf8') }));
      response.on('error', () => unanswered(closed));
    });
    asking.on('error', (error) => {
      if (!connected) settle({ outcome: 'unreachable', ...systemErrorOf(error) });
      else if (isNotHttp(error)) unanswered(notOurs);
      else unanswered(closed);
    });
    asking.end(body);
  });
}

const closed = 'the connection was closed without an answer';
const notOurs = 'what came back is no answer of this version';

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function askedOf(text: string): Asked {
  const reply = jsonOf(text);
  const [accepted, sentence, error] = ['accepted', 'sentence', 'error'].map((name) => member(reply, name));
  if (typeof accepted === 'boolean' && typeof sentence === 'string') {
    const lines = textsIn(member(reply, 'lines'));
    return {
      outcome: 'answered',
      accepted,
      sentence,
      ...(lines.length === 0 ? {} : { lines }),
      ...(member(reply, 'begun') === true ? { begun: true } : {}),
    };
  }
  return typeof error === 'string'
    ? { outcome: 'refused', error }
    : { outcome: 'unanswered', cause: notOurs };
}

function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}

/** What Node's parser calls by names of its own. */
function isNotHttp(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && error.code.startsWith('HPE_');
}

function systemErrorOf(error: unknown): { readonly code: string; readonly cause: string } {
  if (!isNativeError(error)) return { code: 'Error', cause: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return { code, cause: error.message };
}
