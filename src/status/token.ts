/** Who may read the status: who brings the token, where there is one. It stands in a file and shows nowhere. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isNativeError } from 'node:util/types';
import type { Logger } from 'pino';
import { refusal, type HttpAnswer } from '../control/httpServer';

const READ_AGAIN_MS = 5_000;

export class Token {
  readonly #file: string | null;
  readonly #now: () => number;
  #token = '';
  #readAt: number;
  #isReading = false;

  /** `file`: null where everybody may. `now`: monotonic milliseconds. */
  constructor(file: string | null, now: () => number, log: Logger) {
    this.#file = file;
    this.#now = now;
    this.#readAt = now();
    if (file !== null) this.#readFirst(file, log);
  }

  /** Null for who may; else the answer. */
  refusalOf(authorization: string | null): HttpAnswer | null {
    if (this.#file === null) return null;
    this.#readAgain(this.#file);
    if (this.#token === '') return refusal(503, 'status_token_file could not be read; the log says why');
    const [, brought] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
    if (brought !== undefined && isSame(brought, this.#token)) return null;
    return {
      ...refusal(401, 'send the token: Authorization: Bearer TOKEN'),
      headers: { 'www-authenticate': 'Bearer' },
    };
  }

  #readFirst(file: string, log: Logger): void {
    let problem = 'it is empty';
    try {
      this.#token = readFileSync(file, 'utf8').trim();
      if (this.#token !== '') return;
    } catch (error) {
      problem = isNativeError(error) ? error.message : String(error);
    }
    const reason = `write one line with the token into ${file}: until then the endpoint answers /livez alone (${problem})`;
    log.error(
      { event: 'status-token-unreadable', reason },
      'The token of the status endpoint cannot be read',
    );
  }

  /** A new token needs no restart. One read at a time: a disk that hangs must not take all threads. */
  #readAgain(file: string): void {
    if (this.#isReading || this.#now() - this.#readAt < READ_AGAIN_MS) return;
    this.#isReading = true;
    this.#readAt = this.#now();
    void readFile(file, 'utf8')
      .then(
        (text) => (this.#token = text.trim()),
        () => '',
      )
      .finally(() => (this.#isReading = false));
  }
}

/** In the same time, whatever the two have in common. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
