/**
 * How often the connection to the router is pinged while nothing comes (HTTP/2 PING, gRFC A8). gRPC servers end a
 * connection whose pings come too often, by default those that come more often than every 5 minutes without data
 * (gRFC A9), with GOAWAY ENHANCE_YOUR_CALM: grpc-js gives that to each stream as RESOURCE_EXHAUSTED, and forgets it with the
 * channel. So it is remembered here, for the life of the process.
 */
import type { Logger } from 'pino';
import type { Keepalive } from './channel';
import type { Loss } from './operations';

const USUAL_MS = 30_000;
const TIMEOUT_MS = 5_000;
/** A little more than what servers allow by default. */
const ALLOWED_BY_DEFAULT_MS = 330_000;
const LONGEST_MS = 3_600_000;

export class Pings {
  readonly #log: Logger;
  #intervalMs: number;

  constructor(log: Logger, intervalMs = USUAL_MS) {
    this.#log = log;
    this.#intervalMs = intervalMs;
  }

  get keepalive(): Keepalive {
    return { timeMs: this.#intervalMs, timeoutMs: TIMEOUT_MS };
  }

  lost({ calm, cause }: Loss): void {
    if (calm !== true || this.#intervalMs >= LONGEST_MS) return;
    const beforeMs = this.#intervalMs;
    this.#intervalMs = Math.min(LONGEST_MS, Math.max(2 * beforeMs, ALLOWED_BY_DEFAULT_MS));
    const reason =
      `the router ended the connection because of too many pings (${cause}): ` +
      `one every ${this.#intervalMs / 1000} s from now on, not every ${beforeMs / 1000} s`;
    this.#log.warn(
      { event: 'slapi-pings', reason, pingIntervalMs: this.#intervalMs },
      'The router objects to keepalive pings; they come less often from now on',
    );
  }
}
