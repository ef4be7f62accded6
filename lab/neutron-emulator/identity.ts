/** The part of Keystone that the emulator needs: application credentials, and tokens that end. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';

export type ApplicationCredential = { readonly id: string; readonly secret: string };

const REQUEST = z.object({
  auth: z.object({
    identity: z.object({
      methods: z.tuple([z.literal('application_credential')]),
      application_credential: z.object({ id: z.string(), secret: z.string() }),
    }),
  }),
});

type Answer = { readonly status: number; readonly body: object; readonly token?: string };

export class Identity {
  readonly #credentials: readonly ApplicationCredential[];
  readonly #tokenLifeMs: number;
  readonly #now: () => number;
  /** When each ends, in epoch ms. */
  readonly #tokens = new Map<string, number>();

  constructor(
    credentials: readonly ApplicationCredential[],
    tokenLifeMs: number,
    now: () => number = () => Date.now(),
  ) {
    this.#credentials = credentials;
    this.#tokenLifeMs = tokenLifeMs;
    this.#now = now;
  }

  /** POST /v3/auth/tokens; `networkUrl` is what the catalogue says of Neutron, with Nova beside it. */
  authenticate(body: unknown, networkUrl: string): Answer {
    const { success, data } = REQUEST.safeParse(body);
    if (!success) return error(400, 'Bad Request', 'Expecting to find application_credential in identity.');
    const { id, secret } = data.auth.identity.application_credential;
    const known = this.#credentials.find((each) => each.id === id);
    if (known === undefined) return error(404, 'Not Found', `Could not find Application Credential: ${id}.`);
    if (known.secret !== secret)
      return error(401, 'Unauthorized', 'The request you have made requires authentication.');
    const token = randomBytes(90).toString('base64url');
    const issuedAt = this.#now();
    this.#tokens.set(token, issuedAt + this.#tokenLifeMs);
    const endpoint = { interface: 'public', region_id: 'r1', url: networkUrl };
    return {
      status: 201,
      token,
      body: {
        token: {
          methods: ['application_credential'],
          issued_at: isoTime(issuedAt),
          expires_at: isoTime(issuedAt + this.#tokenLifeMs),
          project: { id: 'a'.repeat(32), name: 'pair' },
          roles: [{ name: 'member' }, { name: 'reader' }],
          catalog: [
            { type: 'network', name: 'neutron', endpoints: [endpoint] },
            { type: 'compute', name: 'nova', endpoints: [{ ...endpoint, url: `${networkUrl}/v2.1` }] },
          ],
        },
      },
    };
  }

  isGood(token: string | undefined): boolean {
    return token !== undefined && this.#now() < (this.#tokens.get(token) ?? 0);
  }

  /** As when they are revoked and no service has them in its cache. */
  revokeAll(): void {
    this.#tokens.clear();
  }
}

const isoTime = (epochMs: number): string => new Date(epochMs).toISOString().replace('Z', '000Z');

export const error = (code: number, title: string, message: string): Answer => ({
  status: code,
  body: { error: { code, message, title } },
});
