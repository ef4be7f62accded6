/**
 * Reads the instance metadata service, version 2 only: version 1 is never asked, so that a hop limit that
 * is too low shows as what it is. Hands out text; what it means is checked by who asked.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
 */
import { request, STATUS_CODES } from 'node:http';
import { performance } from 'node:perf_hooks';
import { quoted } from '../../transport/words';
import { Deadline } from '../../deadline';

export type ImdsAnswer =
  | { readonly ok: true; readonly text: string }
  /** `missing`: IMDS is well and says that it has no such item (404). `problem` is for the operator. */
  | { readonly ok: false; readonly missing: boolean; readonly problem: string };

export type Imds = {
  /** One item below `/latest/meta-data/`. Never rejects. */
  get(path: string): Promise<ImdsAnswer>;
};

const USUAL_ENDPOINT = 'http://169.254.169.254';
const ENDPOINT_VARIABLE = 'AWS_EC2_METADATA_SERVICE_ENDPOINT';
/** Of each request; it grows while IMDS is slower. */
const DEADLINES = { firstMs: 1_000, lastMs: 8_000 };
const TOKEN_TTL_S = 21_600;
/** A token is not used in its last minute. */
const TOKEN_MARGIN_S = 60;
/** The largest item we read is a set of credentials, about 2 KiB. */
const BODY_BYTES_MAX = 64 * 1024;

/** Where IMDS is: the variable that AWS's own SDKs obey, else the usual link-local address. */
export function imdsEndpoint(env: NodeJS.ProcessEnv = process.env): string {
  return env[ENDPOINT_VARIABLE] || USUAL_ENDPOINT;
}

type HttpAnswer = { readonly status: number; readonly text: string };
type Token = { readonly value: string; readonly usableUntil: number };

export function openImds(endpoint: string = imdsEndpoint()): Imds {
  const base = URL.canParse(endpoint) && /^http:/i.test(endpoint) ? endpoint.replace(/\/+$/, '') : null;
  const deadline = new Deadline(DEADLINES);
  let token: Token | null = null;

  const get = async (path: string): Promise<ImdsAnswer> => {
    if (base === null) {
      return failed(`${ENDPOINT_VARIABLE} is ${JSON.stringify(endpoint)}, which is not an http:// URL`);
    }
    try {
      let answer = await getOnce(base, path);
      if (answer.status === 401) {
        // The token has expired early, or belongs to the instance that this image was copied from.
        token = null;
        answer = await getOnce(base, path);
      }
      if (answer.status === 200) return { ok: true, text: answer.text };
      return {
        ok: false,
        missing: answer.status === 404,
        problem: `IMDS answers ${answer.status} to ${path}${saying(answer, [token?.value ?? ''])}`,
      };
    } catch (error) {
      return failed(`IMDS at ${base} cannot be read (${path}): ${errorText(error)}`);
    }
  };

  const getOnce = async (from: string, path: string): Promise<HttpAnswer> => {
    const now = performance.now();
    if (token === null || now >= token.usableUntil) {
      token = {
        value: await fetchToken(from, deadline),
        usableUntil: now + (TOKEN_TTL_S - TOKEN_MARGIN_S) * 1000,
      };
    }
    return exchange(
      `${from}/latest/meta-data/${path}`,
      'GET',
      { 'x-aws-ec2-metadata-token': token.value },
      deadline,
    );
  };

  return { get };
}

const failed = (problem: string): ImdsAnswer => ({ ok: false, missing: false, problem });

async function fetchToken(base: string, within: Deadline): Promise<string> {
  const ttl = { 'x-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_TTL_S) };
  const answer = await exchange(`${base}/latest/api/token`, 'PUT', ttl, within);
  const { status, text } = answer;
  if (status !== 200) throw new Error(`it answers ${status} to the request for a token${saying(answer)}`);
  if (!/^[\x21-\x7e]{1,1024}$/.test(text)) throw new Error('what it sent is not a token');
  return text;
}

/**
 * A connection of its own for each request: it costs nothing on the link-local address, and a connection
 * kept for hours may have died unseen. The deadline covers everything up to the end of the body.
 */
function exchange(
  url: string,
  method: string,
  headers: Record<string, string>,
  within: Deadline,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers: { ...headers, 'content-length': '0' }, agent: false });
    const { ms } = within;
    const startedAt = performance.now();
    const timer = setTimeout(() => {
      within.passed();
      outgoing.destroy(new Error(`no answer within ${ms} ms`));
    }, ms);
    outgoing.once('close', () => clearTimeout(timer));
    outgoing.on('error', reject);
    outgoing.once('response', (incoming) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      incoming.on('error', reject);
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        chunks.push(chunk);
        if (bytes > BODY_BYTES_MAX)
          outgoing.destroy(new Error(`more than ${BODY_BYTES_MAX} bytes in one answer`));
      });
      incoming.once('end', () => {
        within.answered(performance.now() - startedAt);
        resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') });
      });
    });
    outgoing.end();
  });
}

/** What it says beside the status, of a page its title, to be put after our sentence. */
function saying({ status, text }: HttpAnswer, secrets: readonly string[] = []): string {
  const title = /<title>([^<]*)<\/title>/i.exec(text)?.[1] ?? text.replace(/<[^>]*>/g, ' ');
  const words = quoted(title, secrets);
  return words === '' || words === `${status} - ${STATUS_CODES[status]}` ? '' : `: ${words}`;
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
