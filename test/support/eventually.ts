/**
 * Waiting for a condition, with a deadline: the tests' only way to wait. A test says what comes, not how soon: a machine
 * that is busy, small or shared has to come to the same result, so patience only ends what will never come.
 */
import { setTimeout as delay } from 'node:timers/promises';

/** Less than what jest gives to a test (jest.config.mjs), so that the condition's own words are what is read. */
export const PATIENCE_MS = 60_000;

/** Calls `probe` until it stops throwing; its last error is thrown at the deadline. */
export async function eventually<T>(probe: () => T | Promise<T>, deadlineMs = PATIENCE_MS): Promise<T> {
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
