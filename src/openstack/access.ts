/** Keystone, Neutron and the metadata service, opened together: the token is asked for at once, and for ever. */
import type { Logger } from 'pino';
import type { OpenstackSettings } from '../config/settings';
import type { Failure } from '../core/state/readings';
import { endpointOf, openNeutron, type Neutron } from './transport/neutron';
import { openService, type Service, type ServiceRequest } from './transport/service';
import { startTokens, type Token, type Tokens } from './transport/tokens';

const PROOF_TIMEOUT_MS = 10_000;

export type Access = {
  readonly neutron: Neutron;
  readonly tokens: Tokens;
  readonly metadata: Pick<Service, 'call'>;
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
      const found = endpointOf(token.catalogue, { type: 'network', region, visibility });
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
  const { credentialsFile } = settings;
  const tokens = startTokens({ keystone, credentialsFile, prove, log, now });
  return {
    neutron,
    tokens,
    metadata,
    clock: () => network?.clock() ?? null,
    nameHealth: () => network?.nameHealth() ?? null,
    statistics: () => network?.statistics ?? null,
    stop: () => {
      tokens.stop();
      for (const each of [keystone, metadata, network]) each?.stop();
    },
  };
}
