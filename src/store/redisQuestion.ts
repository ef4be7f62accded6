/**
 * One question to Redis over a connection of its own, with a deadline for all of it. Only what `show`
 * needs of the protocol (RESP2, https://redis.io/docs/latest/develop/reference/protocol-spec/): texts,
 * numbers and arrays of them. The daemon writes through ioredis; this only reads.
 */
import { connect } from 'node:net';

export type RedisReply = string | number | null | readonly RedisReply[];

export type RedisAnswer =
  | { readonly outcome: 'reply'; readonly reply: RedisReply }
  | { readonly outcome: 'away' | 'refused'; readonly cause: string };

const deadlineMs = 900;
const maxReplyBytes = 16 * 1024 * 1024;

/** Never rejects. `away` within about a second, whatever the other side does. */
export function askRedis(
  address: { readonly host: string; readonly port: number },
  command: readonly string[],
): Promise<RedisAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ host: address.host, port: address.port });
    const timer = setTimeout(
      () => settle({ outcome: 'away', cause: `no answer in ${deadlineMs} ms` }),
      deadlineMs,
    );
    const settle = (answer: RedisAnswer) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    let received = Buffer.alloc(0);
    socket.on('connect', () => socket.write(formatCommand(command)));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const answer = parseAnswer(received);
      if (answer !== null) settle(answer);
      else if (received.length > maxReplyBytes) settle({ outcome: 'away', cause: 'the answer is too large' });
    });
    socket.on('error', (error) => settle({ outcome: 'away', cause: error.message }));
    socket.on('close', () => settle({ outcome: 'away', cause: 'the connection was closed' }));
  });
}

/** Null while the answer is not complete. */
export function parseAnswer(bytes: Buffer): RedisAnswer | null {
  try {
    const parsed = parse(bytes, 0, 0);
    if (parsed === null) return null;
    // It goes to a terminal, as one line that cannot steer it.
    if (parsed.error !== null)
      return { outcome: 'refused', cause: parsed.error.slice(0, 300).replace(/[\s\p{C}]+/gu, ' ') };
    return { outcome: 'reply', reply: parsed.reply };
  } catch {
    return { outcome: 'away', cause: 'what answers there is not Redis' };
  }
}

function formatCommand(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}

type Parsed = { readonly reply: RedisReply; readonly error: string | null; readonly next: number };

/** Null for an incomplete reply; throws for bytes that are none. */
function parse(bytes: Buffer, at: number, depth: number): Parsed | null {
  const end = bytes.indexOf('\r\n', at);
  if (end === -1) return null;
  const line = bytes.toString('utf8', at + 1, end);
  const next = end + 2;
  switch (String.fromCharCode(bytes[at] ?? 0)) {
    case '+':
      return { reply: line, error: null, next };
    case '-':
      return { reply: null, error: line, next };
    case ':':
      return { reply: numberOf(line), error: null, next };
    case '$':
      return parseText(bytes, next, lengthOf(line));
    case '*':
      return parseArray(bytes, next, { length: lengthOf(line), depth });
  }
  throw new Error('not a RESP2 reply');
}

function parseText(bytes: Buffer, at: number, length: number): Parsed | null {
  if (length === -1) return { reply: null, error: null, next: at };
  const end = at + length;
  if (bytes.length < end + 2) return null;
  return { reply: bytes.toString('utf8', at, end), error: null, next: end + 2 };
}

function parseArray(bytes: Buffer, at: number, shape: { length: number; depth: number }): Parsed | null {
  if (shape.length === -1) return { reply: null, error: null, next: at };
  if (shape.depth > 4) throw new Error('nested deeper than any reply to our commands');
  const items: RedisReply[] = [];
  let next = at;
  let error: string | null = null;
  for (let i = 0; i < shape.length; i += 1) {
    const item = parse(bytes, next, shape.depth + 1);
    if (item === null) return null;
    items.push(item.reply);
    error ??= item.error;
    next = item.next;
  }
  return { reply: items, error, next };
}

/** -1 stands for null. Any other length below zero would lead back to what has been read. */
function lengthOf(line: string): number {
  const length = numberOf(line);
  if (length < -1) throw new Error('not a length');
  return length;
}

function numberOf(line: string): number {
  if (!/^-?\d{1,15}$/.test(line)) throw new Error('not a number');
  return Number(line);
}
