/** Waiting for a condition, with a deadline: the tests' only way to wait. */
import { setTimeout as delay } from 'node:timers/promises';

/** Calls `probe` until it stops throwing; its last error is thrown at the deadline. */
export async function eventually<T>(probe: () => T | Promise<T>, deadlineMs = 10_000): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await probe();
    } catch (error: unknown) {
      if (performance.now() > end) throw error;
      await delay(10);
    }
  }
}
