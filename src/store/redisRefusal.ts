/**
 * Redis answered, but with an error: which kind, and what an operator can do about it. Kinds that concern
 * the whole server are reported once, kinds that concern one key once per key.
 */

export type KeyReply = {
  readonly key: string | null;
  readonly error: Error | null;
  readonly result: unknown;
};

export type Refusal = {
  /** First word of the reply: `OOM`, `READONLY`, `WRONGTYPE`. */
  readonly code: string;
  /** Null where the refusal has nothing to do with the key. */
  readonly key: string | null;
  readonly message: string;
  readonly advice: string;
};

export function refusalsOf(replies: readonly KeyReply[]): Refusal[] {
  const refusals: Refusal[] = [];
  for (const { key, error } of replies) {
    if (error === null) continue;
    const refusal = refusalOf(key, error.message);
    if (!refusals.some((other) => other.code === refusal.code && other.key === refusal.key)) {
      refusals.push(refusal);
    }
  }
  return refusals;
}

function refusalOf(key: string | null, message: string): Refusal {
  const code = /^[A-Z]+/.exec(message)?.[0] ?? 'ERR';
  switch (code) {
    case 'WRONGTYPE':
      return {
        code,
        key,
        message,
        advice: 'another program uses this name: delete the key or move that program',
      };
    case 'OOM':
      return { code, key: null, message, advice: 'Redis is full: raise maxmemory or remove what fills it' };
    case 'READONLY':
      return { code, key: null, message, advice: 'this is a replica: point redis_server at the primary' };
    case 'MISCONF':
      return { code, key: null, message, advice: 'Redis cannot save its snapshot: see its own log' };
    case 'NOAUTH':
      return {
        code,
        key: null,
        message,
        advice: 'Redis asks for a password: allow this address without one',
      };
    case 'NOPERM':
      return { code, key: null, message, advice: 'the Redis ACL of the default user forbids this command' };
  }
  return { code, key: null, message, advice: 'see the log of Redis' };
}
