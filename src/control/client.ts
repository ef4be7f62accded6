/**
 * The command line's end of the control socket: sends one command and reads the one line of the answer.
 * Knows nothing of words for people, and trusts nothing that comes back to be what it should be.
 */
import { connect } from 'node:net';
import { isNativeError } from 'node:util/types';
import { member } from '../config/document';
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
export function ask(path: string, command: OperatorCommand, timeoutMs: number): Promise<Asked> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const parts: Buffer[] = [];
    let bytes = 0;
    let connected = false;
    let failure: unknown = null;
    const settle = (asked: Asked) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(asked);
    };
    const unanswered = (cause: string) => settle({ outcome: 'unanswered', cause });
    const timer = setTimeout(() => unanswered(`no answer within ${timeoutMs / 1000} s`), timeoutMs);
    socket.on('connect', () => {
      connected = true;
      socket.write(`${JSON.stringify(command)}\n`);
    });
    socket.on('data', (chunk) => {
      const part = Buffer.from(chunk);
      const end = part.indexOf('\n');
      parts.push(end === -1 ? part : part.subarray(0, end));
      bytes += part.length;
      if (end !== -1) settle(askedOf(Buffer.concat(parts).toString('utf8')));
      else if (bytes > maxReplyBytes) unanswered('the answer is too long to be one');
    });
    socket.on('error', (error) => (failure = error));
    socket.on('close', () => {
      if (connected || failure === null) unanswered('the connection was closed without an answer');
      else settle({ outcome: 'unreachable', ...systemErrorOf(failure) });
    });
  });
}

function askedOf(line: string): Asked {
  let reply: unknown;
  try {
    reply = JSON.parse(line);
  } catch {
    reply = null;
  }
  const [accepted, sentence, error] = ['accepted', 'sentence', 'error'].map((name) => member(reply, name));
  if (typeof accepted === 'boolean' && typeof sentence === 'string') {
    return { outcome: 'answered', accepted, sentence };
  }
  return typeof error === 'string'
    ? { outcome: 'refused', error }
    : { outcome: 'unanswered', cause: 'what came back is no answer of this version' };
}

function systemErrorOf(error: unknown): { readonly code: string; readonly cause: string } {
  if (!isNativeError(error)) return { code: 'Error', cause: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return { code, cause: error.message };
}
