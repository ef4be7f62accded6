/** Keystone, Neutron and the metadata service, opened together: the token is asked for at once, and for ever. */
import type { Logger } from 'pino';
import type { OpenstackSettings } from '../config/settings';
import type { Failure } from '../core/state/readings';
import type { AskServer } from './reads/servers';
import { endpointOf, openNeutron, withoutToken, type Neutron } from './transport/neutron';
import { openService, type Service, type ServiceAnswer, type ServiceRequest } from './transport/service';
import { startTokens, type Token, type Tokens } from './transport/tokens';

const PROOF_TIMEOUT_MS = 10_000;

export type Access = {
  readonly neutron: Neutron;
  readonly tokens: Tokens;
  readonly metadata: Pick<Service, 'call'>;
  readonly askServer: AskServer;
  clock(): ReturnType<Service['clock']>;
  nameHealth(): ReturnType<Service['nameHealth']>;
  statistics(): Service['statistics'] | null;
  stop(): void;
};

export function openAccess({
  settings,
  log,
  now,
}: {
  readonly settings: OpenstackSettings;
  readonly log: Logger;
  readonly now: () => number;
}): Access {
  const { caFile } = settings;
  const open = (service: string, endpointUrl: string) =>
    openService({ service, endpointUrl, caFile, log, now });
  const keystone = open('Keystone', settings.authUrl);
  const metadata = openService({
    service: 'metadata',
    endpointUrl: settings.metadataUrl,
    caFile: null,
    log,
    now,
  });
  let network = settings.networkUrl === null ? null : open('Neutron', settings.networkUrl);

  /** Where the configuration does not name the endpoint, the catalogue of the first token does. */
  const prove = (token: Token): Promise<Failure | null> => {
    if (network === null) {
      const { region, visibility } = settings;
      const found = endpointOf(token.catalogue, {
        type: 'network',
        region,
        visibility,
        otherwise: 'give network_url',
      });
      if (typeof found === 'string')
        return Promise.resolve({ kind: 'unsent', code: 'NoEndpoint', message: found });
      network = open('Neutron', found.url);
    }
    return neutron.prove(token, PROOF_TIMEOUT_MS);
  };
  const service = {
    call: async (request: ServiceRequest, timeoutMs: number) => {
      if (network === null) throw new Error('Neutron was asked before its endpoint was known');
      return network.call(request, timeoutMs);
    },
    warm: (connections: number) => network?.warm(connections),
  };
  const neutron = openNeutron({
    service,
    tokens: {
      current: () => tokens.current(),
      problem: () => tokens.problem(),
      refreshNow: () => tokens.refreshNow(),
    },
    now,
  });
  let nova: Service | null = null;
  /** The token is as good as Neutron takes it for: no answer of Nova has it renewed. */
  const askServer: AskServer = async (serverId, timeoutMs) => {
    const token = tokens.current();
    if (token === null) return withoutToken(tokens.problem(), now());
    if (nova === null) {
      const { region, visibility } = settings;
      const otherwise = 'take ask_nova out';
      const found = endpointOf(token.catalogue, { type: 'compute', region, visibility, otherwise });
      if (typeof found === 'string') return unaskable(found, now());
      nova = open('Nova', found.url);
    }
    return nova.call(
      {
        action: 'GET servers',
        method: 'GET',
        path: `/servers/${encodeURIComponent(serverId)}`,
        headers: { 'x-auth-token': token.value },
        secrets: [token.value],
      },
      timeoutMs,
    );
  };
  const { credentialsFile } = settings;
  const tokens = startTokens({ keystone, credentialsFile, prove, log, now });
  return {
    neutron,
    tokens,
    metadata,
    askServer,
    clock: () => network?.clock() ?? null,
    nameHealth: () => network?.nameHealth() ?? null,
    statistics: () => network?.statistics ?? null,
    stop: () => {
      tokens.stop();
      for (const each of [keystone, metadata, network, nova]) each?.stop();
    },
  };
}

function unaskable(message: string, at: number): ServiceAnswer {
  const failure: Failure = { kind: 'refused', code: 'NoEndpoint', message };
  return { ok: false, failure, sentAt: at, apiRequestId: null, status: null };
}
