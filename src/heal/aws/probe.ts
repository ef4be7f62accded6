/** Asks a guest over HTTP whether it serves: 200 to 299 is yes, everything else says why not. */
import { get } from 'node:http';
import { get as getSecurely } from 'node:https';
import { oneLine } from '../../transport/words';

export type ProbeResult = { readonly ok: boolean; readonly says: string };

/** Enough for a reason; a longer answer is cut. */
const SAID_MAX = 1024;

/** No redirect is followed. Never rejects. */
export function probe(url: string, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const secure = url.startsWith('https:');
    const request = (secure ? getSecurely : get)(url, { agent: false }, (incoming) => {
      const status = incoming.statusCode ?? 0;
      const ok = status >= 200 && status < 300;
      let said = '';
      const end = (): void => resolve({ ok, says: oneLine(`${status} ${said}`) });
      incoming.setEncoding('utf8');
      incoming.on('data', (part: string) => {
        said += part.slice(0, SAID_MAX - said.length);
        if (said.length >= SAID_MAX) {
          end();
          request.destroy();
        }
      });
      incoming.once('end', end);
      incoming.once('error', end);
    });
    const deadline = setTimeout(
      () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    request.once('close', () => {
      clearTimeout(deadline);
      resolve({ ok: false, says: 'the connection was closed' });
    });
    request.once('error', (error) => resolve({ ok: false, says: oneLine(error.message) }));
  });
}
