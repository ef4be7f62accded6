/** Who this router is: asked for until it is known, however long the one who knows stays away. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Backoff } from '../backoff';

export type IdentityReading<Identity> =
  { readonly ok: true; readonly identity: Identity } | { readonly ok: false; readonly problem: string };

const RETRY = { firstMs: 250, lastMs: 10_000 } as const;

export type IdentityQuestion<Identity> = {
  readonly read: () => Promise<IdentityReading<Identity>>;
  /** Told of every reading that failed. */
  readonly onProblem: (problem: string) => void;
  /** What it means that it cannot be read, for the log. */
  readonly unread: string;
  readonly log: Logger;
  /** Of a daemon that stops: then this never settles. */
  readonly signal: AbortSignal;
};

/** Never rejects. */
export async function learnIdentity<Identity>(question: IdentityQuestion<Identity>): Promise<Identity> {
  const { read, onProblem, unread, log, signal } = question;
  const backoff = new Backoff(RETRY);
  let lastProblem = '';
  for (;;) {
    const reading = await read();
    if (reading.ok) return reading.identity;
    const { problem } = reading;
    onProblem(problem);
    // The same problem again is no news.
    log[problem === lastProblem ? 'debug' : 'warn']({ event: 'identity-unread', problem }, unread);
    lastProblem = problem;
    // A stopped daemon waits for an answer that nobody needs any more.
    await delay(backoff.nextMs(), undefined, { signal, ref: false }).catch(() => new Promise(() => {}));
  }
}
