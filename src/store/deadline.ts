/** Waiting that ends: for close() functions, which may not hold up the daemon's exit. */
import { setTimeout as delay } from 'node:timers/promises';

/** Resolves when the work has settled or the time is over, whichever is first. Never rejects. */
export async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  const settled = work.then(
    () => {},
    () => {},
  );
  await Promise.race([settled, delay(ms, undefined, { signal: over.signal }).catch(() => {})]);
  over.abort();
}
