/**
 * Requests to one service of OpenStack: JSON over kept connections, each with a deadline, never repeated here. Nothing on
 * this way waits for DNS, a file or another service.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { CallStatistics } from '../../transport/callStatistics';
import type { CloudClock, Failure } from '../../core/state/readings';
import { Connections, MalformedAnswer, type HttpAnswer } from '../../transport/connections';
import { pinEndpointAddresses } from '../../transport/endpointAddresses';
import type { Reading } from '../../wellness';
import { refusal, unanswered, Untrusted } from './failure';

export type ServiceRequest = {
  /** For the statistics: `GET floatingips`. */
  readonly action: string;
  readonly method: 'GET' | 'PUT' | 'POST';
  /** Below the endpoint, with its query: `/v2.0/ports?id=...`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** What of the request must not be told, wherever the service quotes it. */
  readonly secrets?: readonly string[];
};

/** `sentAt`: monotonic ms when the request was handed to the socket, or was to be where that failed. */
export type ServiceAnswer = {
  readonly sentAt: number;
  readonly apiRequestId: string | null;
  /** Null where there was no answer. */
  readonly status: number | null;
} & (
  | { readonly ok: true; readonly body: unknown; readonly headers: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly failure: Failure }
);

export type Service = {
  /** Never rejects. */
  call(request: ServiceRequest, timeoutMs: number): Promise<ServiceAnswer>;
  /** Sees to it that this many idle connections stand or are being opened; sends nothing. */
  warm(connections: number): void;
  clock(): CloudClock | null;
  readonly statistics: CallStatistics;
  /** Of resolving the endpoint's name; null where it is an address. */
  nameHealth(): Reading | null;
  stop(): void;
};

/** A move takes Neutron a second or two, and more when it is busy (seen). */
const DOUBT_AFTER_MS = 5_000;

export function openService({
  service,
  endpointUrl,
  caFile,
  log,
  now,
}: {
  /** Inside a sentence: `Neutron`. */
  readonly service: string;
  readonly endpointUrl: string;
  /** PEM, of the authorities to trust; null: those of Node.js. */
  readonly caFile: string | null;
  readonly log: Logger;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}): Service {
  const endpoint = new URL(endpointUrl);
  const prefix = endpoint.pathname.replace(/\/+$/, '');
  const addresses = pinEndpointAddresses({ service, hostname: endpoint.hostname, log });
  let connections: Connections | null = null;
  /** With the first request, so that a file that cannot be read fails that one, with words, and is read again. */
  const connected = (): Connections =>
    (connections ??= new Connections({
      endpoint,
      addresses,
      now,
      check: checkJson(service),
      doubtAfterMs: DOUBT_AFTER_MS,
      authorities: caFile === null ? null : readAuthorities(caFile),
    }));
  const statistics = new CallStatistics(now);

  const call = async (request: ServiceRequest, timeoutMs: number): Promise<ServiceAnswer> => {
    const { action, method, path, secrets = [] } = request;
    const abort = new AbortController();
    let sentAt: number | null = null;
    let timedOutAfterMs: number | null = null;
    const deadline = setTimeout(() => {
      timedOutAfterMs = timeoutMs;
      abort.abort();
    }, timeoutMs);
    const options = {
      abortSignal: abort.signal,
      action,
      reserved: Promise.resolve(),
      released: Promise.resolve(),
      onSigned: () => {},
      onSent: () => (sentAt = now()),
    };
    const body = request.body === undefined ? '' : JSON.stringify(request.body);
    const headers = {
      host: endpoint.host,
      accept: 'application/json',
      'user-agent': 'xr-aws-ha',
      ...(body === '' ? {} : { 'content-type': 'application/json' }),
      ...request.headers,
    };
    const exchange = async () =>
      connected().handle({ method, path: `${prefix}${path}`, headers, body }, options);
    const answered = await exchange()
      .then(({ response }) => readAnswer(response, secrets))
      .catch((error: unknown) => {
        const failure = unanswered(error, { sent: sentAt !== null, timedOutAfterMs });
        return { ok: false as const, failure, status: null, apiRequestId: null };
      });
    clearTimeout(deadline);
    const at = sentAt ?? now();
    statistics.answered(action, at, answered.ok ? null : answered.failure);
    return { ...answered, sentAt: at };
  };

  return {
    call,
    warm: (count) => connections?.warm(count),
    clock: () => connections?.clock ?? null,
    statistics,
    nameHealth: () => addresses.health(),
    stop: () => {
      addresses.stop();
      connections?.destroy();
    },
  };
}

/** @throws Untrusted with why there is none. */
function readAuthorities(path: string): string {
  const text = read();
  try {
    new X509Certificate(text);
  } catch {
    throw new Untrusted(`${path} (ca_file) does not begin with a certificate in PEM`);
  }
  return text;

  function read(): string {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      const why =
        typeof error === 'object' && error !== null && 'code' in error
          ? String(error.code)
          : 'no reason given';
      throw new Untrusted(`${path} (ca_file) cannot be read (${why})`);
    }
  }
}

const isGood = (status: number): boolean => status >= 200 && status < 300;

function readAnswer({ statusCode: status, headers, body }: HttpAnswer, secrets: readonly string[]) {
  const apiRequestId = headers['x-openstack-request-id'] ?? null;
  const text = textOf(body);
  if (!isGood(status))
    return { ok: false as const, status, apiRequestId, failure: refusal(status, text, secrets) };
  const parsed: unknown = text === '' ? null : JSON.parse(text);
  return { ok: true as const, status, apiRequestId, headers, body: parsed };
}

/** A page of a proxy, or half an answer, with a good status. */
function checkJson(service: string) {
  return ({ statusCode, body }: HttpAnswer): void => {
    const text = textOf(body);
    if (!isGood(statusCode) || text === '') return;
    try {
      JSON.parse(text);
    } catch {
      const what = /^\s*</.test(text) ? 'a page' : 'a body that is not JSON';
      throw new MalformedAnswer(`HTTP ${statusCode} with ${what} instead of an answer of ${service}`);
    }
  };
}

const textOf = (body: Uint8Array): string =>
  Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8').trim();
