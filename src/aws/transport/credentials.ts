/**
 * The role credentials of this instance, kept fresh in the background: who signs a request finds them in
 * memory and never waits for IMDS. Credentials that cannot be renewed are kept, also past their expiry: EC2
 * is to say that they are not good any more, not we. Nothing here may log a secret.
 *
 * Our own, 2026-11-30: @smithy/credential-provider-imds 4.5.2 keeps expired credentials too, and says so on standard
 * error, past the log. Where IMDS has no role it says "Error response received from instance metadata service", where
 * ours says that the instance has no IAM role; an answer that is no JSON is a SyntaxError that quotes it, and it may
 * hold a secret; where IMDS refuses a token (403) it asks by version 1. By itself, not bundled, it took 11.6 MiB, of
 * which the EC2 client shares a part. Words that tell these cases apart would change our mind.
 */
import type { Logger } from 'pino';
import { Backoff } from '../../backoff';
import { Wellness, type Reading } from '../../wellness';
import { keepRenewing } from '../../transport/renewing';
import { quoted } from '../../transport/words';
import type { Imds } from './imds';

export type RoleCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
};

/** `memoized` tells the SDK not to put its own cache, which refreshes on the request path, around this. */
export type CredentialsProvider = (() => Promise<RoleCredentials>) & { readonly memoized: true };

export type CredentialsAge = {
  /** ISO 8601; null while there are none. */
  readonly expiresAt: string | null;
  /** What stands in the way of renewing them, null while nothing does. */
  readonly problem: string | null;
};

export type Credentials = {
  /** Rejects while there have never been any, never waits. */
  readonly provider: CredentialsProvider;
  /** Fulfilled once there are credentials; IMDS is asked for ever. */
  readonly ready: Promise<void>;
  /** EC2 has turned the present ones down: asks IMDS at once, at most once in two seconds. Never rejects. */
  readonly refreshNow: () => Promise<void>;
  readonly ageInfo: () => CredentialsAge;
  /** Failing also while the ones in use have expired, whatever IMDS says. */
  readonly health: () => Reading;
  readonly stop: () => void;
};

type Held = { readonly identity: RoleCredentials; readonly expiresAt: number };

const MINUTE_MS = 60_000;
/** New credentials appear at least five minutes before the old ones expire. */
const REFRESH_BEFORE_EXPIRY_MS = 15 * MINUTE_MS;
/** However long they live; also bounds what a jump of the wall clock can do. */
const REFRESH_AFTER_MS_MAX = 60 * MINUTE_MS;
const RETRY = { firstMs: 200, lastMs: MINUTE_MS } as const;

export function startCredentials({
  imds,
  log,
  wallNow = Date.now,
  random = Math.random,
}: {
  readonly imds: Imds;
  readonly log: Logger;
  /** Epoch milliseconds: expiry is written in wall-clock time. */
  readonly wallNow?: () => number;
  /** In [0, 1), for the jitter: IMDS is throttled per instance. */
  readonly random?: () => number;
}): Credentials {
  let held: Held | null = null;
  let problem: string | null = null;
  const backoff = new Backoff({ ...RETRY, random });
  const wellness = new Wellness();
  let nowReady: () => void;
  const ready = new Promise<void>((resolve) => (nowReady = resolve));

  const renewed = (fresh: Held): number => {
    if (fresh.expiresAt <= wallNow()) return expired(fresh);
    const isNew = held?.identity.accessKeyId !== fresh.identity.accessKeyId;
    if (problem !== null || held === null) {
      log.info({ event: 'credentials-read', expiresAt: isoTime(fresh.expiresAt) }, 'role credentials read');
    }
    held = fresh;
    problem = null;
    backoff.reset();
    wellness.ok();
    nowReady();
    const remainingMs = held.expiresAt - wallNow();
    // IMDS that still gives out the old ones is asked again each minute, not ever faster.
    const delayMs = Math.max(
      remainingMs - REFRESH_BEFORE_EXPIRY_MS,
      remainingMs / 2,
      isNew ? 1_000 : MINUTE_MS,
    );
    return Math.min(delayMs, REFRESH_AFTER_MS_MAX);
  };

  /** Taken for want of better only: in an outage IMDS goes on giving out the last ones. */
  const expired = (fresh: Held): number => {
    if (held === null || fresh.expiresAt >= held.expiresAt) held = fresh;
    nowReady();
    return failed("IMDS gives out credentials that have expired by this router's clock");
  };

  const failed = (what: string): number => {
    wellness.failed();
    const fields = { event: 'credentials-unread', problem: what, expiresAt: isoTime(held?.expiresAt) };
    if (what === problem) log.debug(fields, 'role credentials cannot be read');
    else log.warn(fields, 'role credentials cannot be read');
    problem = what;
    // Without any, the daemon can do nothing: ask soon, then ever more seldom.
    return held === null ? backoff.nextMs() : MINUTE_MS;
  };

  const provide = (): Promise<RoleCredentials> =>
    held === null ? Promise.reject(new Error(problem ?? 'not read yet')) : Promise.resolve(held.identity);

  const renewing = keepRenewing({
    read: () => readCredentials(imds),
    take: (reading) => {
      const delayMs = reading.ok ? renewed(reading.held) : failed(reading.problem);
      return delayMs * (0.9 + 0.1 * random());
    },
  });
  return {
    provider: Object.assign(provide, { memoized: true as const }),
    ready,
    refreshNow: renewing.refreshNow,
    health: () => {
      const reading = wellness.reading();
      return held !== null && held.expiresAt <= wallNow() ? { ...reading, state: 'failing' } : reading;
    },
    ageInfo: () => ({ expiresAt: isoTime(held?.expiresAt), problem }),
    stop: renewing.stop,
  };
}

const isoTime = (epochMs: number | undefined): string | null =>
  epochMs === undefined ? null : new Date(epochMs).toISOString();

type CredentialsReading =
  { readonly ok: true; readonly held: Held } | { readonly ok: false; readonly problem: string };

const ROLE_LIST = 'iam/security-credentials/';

async function readCredentials(imds: Imds): Promise<CredentialsReading> {
  const list = await imds.get(ROLE_LIST);
  if (!list.ok) {
    return list.missing ? { ok: false, problem: 'the instance has no IAM role (IMDS has none)' } : list;
  }
  const role = list.text.trim();
  // https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
  if (!/^[\w+=,.@-]{1,64}$/.test(role))
    return { ok: false, problem: 'IMDS does not answer with the name of a role' };
  const document = await imds.get(`${ROLE_LIST}${role}`);
  return document.ok ? parseCredentials(document.text) : document;
}

/** Problems quote nothing of the document but its Code and Message: it may hold a secret even where it is broken. */
export function parseCredentials(text: string): CredentialsReading {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return { ok: false, problem: 'IMDS answers the request for credentials with something that is not JSON' };
  }
  if (typeof document !== 'object' || document === null) {
    return {
      ok: false,
      problem: 'IMDS answers the request for credentials with something else than an object',
    };
  }
  const written = (name: string): string => {
    const value: unknown = Object.entries(document).find(([key]) => key === name)?.[1];
    return typeof value === 'string' ? value : '';
  };
  const field = (name: string, form: RegExp): string => (form.test(written(name)) ? written(name) : '');
  // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
  if (field('Code', /^Success$/) === '') {
    const secrets = ['AccessKeyId', 'SecretAccessKey', 'Token'].map(written);
    const said = ['Code', 'Message']
      .map((name) => quoted(written(name), secrets))
      .filter((words) => words !== '');
    return { ok: false, problem: ['the credentials of IMDS lack Code Success', ...said].join(': ') };
  }
  const accessKeyId = field('AccessKeyId', /^\w{16,128}$/);
  const secretAccessKey = field('SecretAccessKey', /^[\x21-\x7e]{16,256}$/);
  const sessionToken = field('Token', /^[\x21-\x7e]{1,16384}$/);
  const expiration = field('Expiration', /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/);
  const expiresAt = Date.parse(expiration);
  const fields = { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: sessionToken };
  const missing = Object.entries(fields).flatMap(([name, value]) => (value === '' ? [name] : []));
  if (Number.isNaN(expiresAt)) missing.push('Expiration');
  if (missing.length > 0) {
    return { ok: false, problem: `the credentials of IMDS lack a valid ${missing.join(', ')}` };
  }
  return { ok: true, held: { identity: { accessKeyId, secretAccessKey, sessionToken }, expiresAt } };
}
