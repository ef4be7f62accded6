/**
 * The token of this router, kept fresh in the background: who asks Neutron finds one in memory and never waits for
 * Keystone. A token that cannot be renewed is kept, also past its end: Neutron is to say that it is not good any more, not
 * we. A new one is shown to Neutron before it is used, since its first use costs Neutron a question to Keystone (half a
 * second, seen). Nothing here may log a secret.
 * https://docs.openstack.org/api-ref/identity/v3/#authenticating-with-an-application-credential
 */
import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { Backoff } from '../../backoff';
import type { Failure } from '../../core/state/readings';
import { keepRenewing } from '../../transport/renewing';
import { Wellness, type Reading } from '../../wellness';
import { malformed } from './failure';
import type { Service } from './service';

export type CatalogueEntry = {
  readonly type: string;
  readonly endpoints: readonly {
    readonly interface: string;
    readonly region_id: string;
    readonly url: string;
  }[];
};

export type Token = {
  readonly value: string;
  /** Monotonic ms, by what Keystone says of how long it lives. */
  readonly expiresAt: number;
  readonly catalogue: readonly CatalogueEntry[];
  readonly projectId: string | null;
  readonly roles: readonly string[];
};

export type Tokens = {
  /** Null while there has never been one. */
  current(): Token | null;
  /** Why there is none, or why it cannot be renewed; null where nothing stands in the way. */
  problem(): string | null;
  /** Fulfilled once there is one; Keystone is asked for ever. */
  readonly ready: Promise<void>;
  /** The present one is turned down: asks Keystone at once, at most once in two seconds. Never rejects. */
  refreshNow(): Promise<void>;
  /** Failing also while the one in use has ended. */
  health(): Reading;
  stop(): void;
};

const MINUTE_MS = 60_000;
const RENEW_BEFORE_END_MS = 15 * MINUTE_MS;
/** However long it lives: a timer of Node.js for more than 24 days fires at once. */
const RENEW_AFTER_MS_MAX = 24 * 60 * MINUTE_MS;
const TIMEOUT_MS = 10_000;

export function startTokens({
  keystone,
  credentialsFile,
  prove,
  log,
  now,
}: {
  readonly keystone: Service;
  readonly credentialsFile: string;
  /** Shows it to Neutron; null: accepted, or nothing was said. */
  readonly prove: (token: Token) => Promise<Failure | null>;
  readonly log: Logger;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}): Tokens {
  let held: Token | null = null;
  let problem: string | null = null;
  const wellness = new Wellness();
  const backoff = new Backoff({ firstMs: 250, lastMs: MINUTE_MS });
  let nowReady: () => void;
  const ready = new Promise<void>((resolve) => (nowReady = resolve));

  const read = async (): Promise<TokenReading> => {
    const reading = await readToken(keystone, credentialsFile, now);
    const turnedDown = reading.ok ? await prove(reading.token) : null;
    return turnedDown === null ? reading : { ok: false, failure: turnedDown };
  };

  const renewed = (fresh: Token): number => {
    const livesMs = Math.round(fresh.expiresAt - now());
    if (problem !== null || held === null)
      log.info({ event: 'token-read', livesMs, roles: fresh.roles }, 'Keystone has given a token');
    held = fresh;
    problem = null;
    wellness.ok();
    backoff.reset();
    nowReady();
    return Math.min(Math.max(livesMs - RENEW_BEFORE_END_MS, livesMs / 2, 1_000), RENEW_AFTER_MS_MAX);
  };

  const failed = ({ code, message }: Failure): number => {
    const what = `${code}: ${message}`;
    wellness.failed();
    const livesMs = held === null ? null : Math.round(held.expiresAt - now());
    const fields = { event: 'token-unread', problem: what, livesMs };
    log[what === problem ? 'debug' : 'warn'](fields, 'there is no new token of Keystone');
    problem = what;
    return backoff.nextMs();
  };

  const renewing = keepRenewing({
    read,
    take: (reading) => (reading.ok ? renewed(reading.token) : failed(reading.failure)),
  });
  return {
    current: () => held,
    problem: () => problem,
    ready,
    refreshNow: renewing.refreshNow,
    health: () => {
      const reading = wellness.reading();
      return held !== null && held.expiresAt <= now() ? { ...reading, state: 'failing' } : reading;
    },
    stop: renewing.stop,
  };
}

type TokenReading =
  { readonly ok: true; readonly token: Token } | { readonly ok: false; readonly failure: Failure };

const TOKEN = z.object({
  token: z.object({
    issued_at: z.iso.datetime(),
    expires_at: z.iso.datetime(),
    project: z.object({ id: z.string() }).optional(),
    roles: z.array(z.object({ name: z.string() })).default([]),
    catalog: z
      .array(
        z.object({
          type: z.string(),
          endpoints: z.array(z.object({ interface: z.string(), region_id: z.string(), url: z.string() })),
        }),
      )
      .default([]),
  }),
});

async function readToken(
  keystone: Service,
  credentialsFile: string,
  now: () => number,
): Promise<TokenReading> {
  const credential = await readCredential(credentialsFile);
  if (typeof credential === 'string')
    return { ok: false, failure: { kind: 'unsent', code: 'NoCredential', message: credential } };
  const askedAt = now();
  const answer = await keystone.call(
    {
      action: 'POST auth/tokens',
      method: 'POST',
      path: '/auth/tokens',
      body: {
        auth: { identity: { methods: ['application_credential'], application_credential: credential } },
      },
      secrets: [credential.secret],
    },
    TIMEOUT_MS,
  );
  if (!answer.ok) return answer;
  const value = answer.headers['x-subject-token'] ?? '';
  const parsed = TOKEN.safeParse(answer.body);
  if (!/^[\x21-\x7e]{8,16384}$/.test(value) || !parsed.success)
    return { ok: false, failure: malformed('what Keystone has answered is not a token') };
  const { issued_at: issued, expires_at: expires, project, roles, catalog } = parsed.data.token;
  return {
    ok: true,
    token: {
      value,
      // Its life by Keystone's own clock, counted from before it was asked for: this router's clock may be wrong.
      expiresAt: askedAt + Date.parse(expires) - Date.parse(issued),
      catalogue: catalog,
      projectId: project?.id ?? null,
      roles: roles.map(({ name }) => name),
    },
  };
}

const CREDENTIAL = z.object({ id: z.string().min(1), secret: z.string().min(1) });

/** A string says why there is none; it quotes nothing of the file. Read anew each time, so that it can be replaced. */
async function readCredential(path: string): Promise<z.infer<typeof CREDENTIAL> | string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    return `${path} cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'no reason given'})`;
  }
  const how =
    'it has to be what `openstack application credential create -f json` prints: {"id": ..., "secret": ...}';
  try {
    const { success, data } = CREDENTIAL.safeParse(JSON.parse(text));
    return success ? { id: data.id, secret: data.secret } : `${path} has no id and secret: ${how}`;
  } catch {
    return `${path} is not JSON: ${how}`;
  }
}
