/**
 * One connection of the control socket: reads the one request, has it decided, answers, and sees to it that
 * the connection ends whatever its client does. It never rejects: a client can spoil its own connection only.
 */
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import type { OperatorAnswer, OperatorCommand } from './commands';
import { formatReply, maxRequestBytes, readCommand, type Reply } from './protocol';

export type ConnectionOptions = {
  /** Settles for every command. */
  readonly submit: (command: OperatorCommand) => Promise<OperatorAnswer>;
  readonly log: Logger;
  readonly requestTimeoutMs: number;
  /** The daemon is stopping: who has not asked yet is turned away. */
  readonly stopping: AbortSignal;
};

/** How long a client that has its answer may keep the connection. */
const lingerMs = 1_000;
const newline = 0x0a;

type Line = { readonly ok: true; readonly line: Buffer } | { readonly ok: false; readonly error: string };

/** Resolves when the socket is closed. The server must allow half-open connections. */
export async function serve(socket: Socket, options: ConnectionOptions): Promise<void> {
  ignoreErrors(socket);
  const request = await readLine(socket, options);
  await finish(socket, request.ok ? await decide(request.line, options) : request);
}

/** Answers a client whose request is not even read. Resolves when the socket is closed. */
export async function turnAway(socket: Socket, error: string): Promise<void> {
  ignoreErrors(socket);
  await finish(socket, { error });
}

/** A client that leaves in the middle is its own loss; 'close' follows. */
function ignoreErrors(socket: Socket): void {
  socket.on('error', () => {});
}

/** What follows the first line is not read. */
function readLine(socket: Socket, { requestTimeoutMs, stopping }: ConnectionOptions): Promise<Line> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const settle = (line: Line) => {
      clearTimeout(timer);
      stopping.removeEventListener('abort', stop);
      socket.off('data', take).off('end', end).off('close', end);
      resolve(line);
    };
    const refuse = (error: string) => settle({ ok: false, error });
    const take = (chunk: Buffer) => {
      const at = chunk.indexOf(newline);
      const part = at === -1 ? chunk : chunk.subarray(0, at);
      parts.push(part);
      bytes += part.length;
      if (bytes > maxRequestBytes) refuse(`the request is longer than ${maxRequestBytes} bytes`);
      else if (at !== -1) settle({ ok: true, line: Buffer.concat(parts) });
    };
    const end = () => refuse('the request has no newline at its end');
    const stop = () => refuse('the daemon is stopping');
    const timer = setTimeout(
      () => refuse(`the request has not come within ${requestTimeoutMs / 1000} s`),
      requestTimeoutMs,
    );
    socket.on('data', take).on('end', end).on('close', end);
    if (stopping.aborted) stop();
    else stopping.addEventListener('abort', stop);
  });
}

async function decide(line: Buffer, { submit, log }: ConnectionOptions): Promise<Reply> {
  const request = readCommand(line);
  if (!request.ok) return request;
  try {
    const { accepted, sentence } = await submit(request.command);
    return { accepted, sentence };
  } catch (err: unknown) {
    log.error({ event: 'control-failed', kind: request.command.kind, err }, 'A command could not be decided');
    return { error: 'the daemon failed over this request; its log says how' };
  }
}

/** What the client still sends is thrown away: with unread bytes left, the answer may not reach it. */
function finish(socket: Socket, reply: Reply): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) return resolve();
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.resume();
    if (socket.writable) socket.end(formatReply('error' in reply ? { error: reply.error } : reply));
  });
}
