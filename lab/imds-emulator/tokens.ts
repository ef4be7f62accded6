/** The session tokens of IMDSv2: any number at once, each good for the seconds its maker asked for. */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';

const MAX_TTL_S = 21_600;
const TOKENS_KEPT = 10_000;

export class Tokens {
  readonly #expiresAtMs = new Map<string, number>();

  /** Null for a TTL that is no whole number from 1 to 21600. */
  issue(ttl: string | undefined): { readonly token: string; readonly ttlS: number } | null {
    const ttlS = /^\d{1,5}$/.test(ttl ?? '') ? Number(ttl) : 0;
    if (ttlS < 1 || ttlS > MAX_TTL_S) return null;
    const token = randomBytes(42).toString('base64');
    this.#expiresAtMs.set(token, performance.now() + ttlS * 1000);
    const [oldest] = this.#expiresAtMs.keys();
    if (this.#expiresAtMs.size > TOKENS_KEPT && oldest !== undefined) this.#expiresAtMs.delete(oldest);
    return { token, ttlS };
  }

  isValid(token: string): boolean {
    return performance.now() < (this.#expiresAtMs.get(token) ?? 0);
  }

  /** Makes every token invalid, as if all had run out. */
  forget(): void {
    this.#expiresAtMs.clear();
  }
}
