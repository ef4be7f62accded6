/** One question to a status endpoint: `GET /status`, bounded in time and size. */
import { readFile } from 'node:fs/promises';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isNativeError } from 'node:util/types';
import type { PeerStatusSettings } from '../config/settings';
import { together } from '../together';

export type StatusAnswer =
  { readonly ok: true; readonly document: unknown } | { readonly ok: false; readonly cause: string };

const PATIENCE_MS = 2_000;
/** The status of a thousand targets has some hundred kilobytes. */
const BYTES_MAX = 4 * 1024 * 1024;

/** Never rejects. Files are read anew each time: a new token needs no restart. */
export async function askStatus(settings: PeerStatusSettings): Promise<StatusAnswer> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const [token, ca] = await together([
      settings.tokenFile === null ? null : readFile(settings.tokenFile, 'utf8'),
      settings.caFile === null ? null : readFile(settings.caFile),
    ]);
    const { status, text } = await get(settings.url, {
      signal,
      headers: token === null ? {} : { authorization: `Bearer ${token.trim()}` },
      ...(ca === null ? {} : { ca }),
    });
    if (status !== 200) return { ok: false, cause: `it answers ${status}` };
    return { ok: true, document: JSON.parse(text) as unknown };
  } catch (error: unknown) {
    return { ok: false, cause: causeOf(error) };
  }
}

function get(
  url: string,
  options: { readonly signal: AbortSignal; readonly headers: Record<string, string>; readonly ca?: Buffer },
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const asked = { ...options, agent: false };
    const at = `${url}/status`;
    const request = url.startsWith('https:') ? requestHttps(at, asked) : requestHttp(at, asked);
    request.on('error', reject);
    request.on('response', (response) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      response.on('data', (part: Buffer) => {
        bytes += part.length;
        parts.push(part);
        if (bytes > BYTES_MAX) response.destroy(new Error(`its answer has more than ${BYTES_MAX} bytes`));
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }),
      );
    });
    request.end();
  });
}

function causeOf(error: unknown): string {
  if (!isNativeError(error)) return String(error);
  if (error.name === 'TimeoutError' || error.name === 'AbortError')
    return `not within ${PATIENCE_MS / 1000} s`;
  return error instanceof SyntaxError ? 'what it answers is no JSON' : error.message;
}
