/**
 * Requests to Neutron with the token of the moment. A token that is turned down is renewed at once; where a fresh one that
 * Neutron takes for other requests is turned down too, it is the request that is not permitted.
 */
import type { Failure } from '../../core/state/readings';
import type { Service, ServiceAnswer, ServiceRequest } from './service';
import type { CatalogueEntry, Token } from './tokens';

export type Neutron = {
  /** Never rejects. */
  call(request: ServiceRequest, timeoutMs: number): Promise<ServiceAnswer>;
  warm(connections: number): void;
  /** Shows it a token before it is used, by what each keepalive reads; null: it is taken, or nothing is said. */
  prove(token: Pick<Token, 'value'>, timeoutMs: number): Promise<Failure | null>;
};

export type TokenSource = {
  current(): Pick<Token, 'value'> | null;
  problem(): string | null;
  refreshNow(): Promise<void>;
};

export function openNeutron({
  service,
  tokens,
  now,
}: {
  readonly service: Pick<Service, 'call' | 'warm'>;
  readonly tokens: TokenSource;
  readonly now: () => number;
}): Neutron {
  /** The last token that Neutron has taken, and the one that it last turned down, by request. */
  let accepted: string | null = null;
  const turnedDown = new Map<string, string>();

  const judge = (answer: ServiceAnswer, action: string, token: string): ServiceAnswer => {
    // A refusal of any other kind comes after the token has been taken.
    if (answer.status !== null && answer.status < 500 && answer.status !== 401) accepted = token;
    if (answer.ok || answer.status !== 401) return answer;
    const before = turnedDown.get(action);
    turnedDown.set(action, token);
    void tokens.refreshNow();
    const isAboutRequest = before !== undefined && before !== token && accepted === token;
    return { ...answer, failure: isAboutRequest ? asRefusal(answer.failure) : answer.failure };
  };

  return {
    call: async (request, timeoutMs) => {
      const token = tokens.current();
      if (token === null) return withoutToken(tokens.problem(), now());
      const headers = { ...request.headers, 'x-auth-token': token.value };
      const answer = await service.call({ ...request, headers, secrets: [token.value] }, timeoutMs);
      return judge(answer, request.action, token.value);
    },
    warm: (connections) => service.warm(connections),
    prove: async ({ value }, timeoutMs) => {
      const answer = await service.call(
        {
          action: 'GET ports',
          method: 'GET',
          path: '/v2.0/ports?limit=1&fields=id',
          headers: { 'x-auth-token': value },
          secrets: [value],
        },
        timeoutMs,
      );
      if (answer.ok) accepted = value;
      // Without an answer the old one would do no better.
      if (answer.ok || answer.status !== 401) return null;
      const { code, message } = answer.failure;
      return { kind: 'unsent', code, message: `Neutron turns down a fresh token: ${message}` };
    },
  };
}

export function withoutToken(problem: string | null, at: number): ServiceAnswer {
  const message = `there is no token: ${problem ?? 'Keystone has not answered yet'}`;
  const failure: Failure = { kind: 'unsent', code: 'NoToken', message };
  return { ok: false, failure, sentAt: at, apiRequestId: null, status: null };
}

const asRefusal = ({ code, message }: Failure): Failure => ({
  kind: 'refused',
  code,
  message: `${message} (Neutron takes the same token for other requests)`,
});

/** Of the service by its type, without the version at its end; a string says what is wrong. */
export function endpointOf(
  catalogue: readonly CatalogueEntry[],
  {
    type,
    region,
    visibility,
    otherwise,
  }: {
    readonly type: string;
    readonly region: string | null;
    readonly visibility: string;
    /** What to do where the catalogue does not help. */
    readonly otherwise: string;
  },
): { readonly url: string } | string {
  const all = catalogue.filter((entry) => entry.type === type).flatMap(({ endpoints }) => endpoints);
  const fitting = all.filter(
    (each) => each.interface === visibility && (region === null || each.region_id === region),
  );
  const [first, ...others] = fitting;
  const where = `a ${visibility} endpoint of the type ${type}${region === null ? '' : ` in the region ${region}`}`;
  if (first === undefined || !URL.canParse(first.url))
    return `the catalogue of Keystone has no ${where.replace(/^a /, '')}: ${otherwise}`;
  if (others.some(({ url }) => url !== first.url))
    return `the catalogue of Keystone has more than one ${where.replace(/^a /, '')}: name the region, or ${otherwise}`;
  return { url: first.url.replace(/\/+$/, '').replace(/\/v2\.0$/, '') };
}
