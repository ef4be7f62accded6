/** A client of a service of AWS other than EC2, over the same transport: explicit settings, a deadline for each call, no retries. */
import type { Logger } from 'pino';
import type { Failure } from '../../core/state/readings';
import { Connections, type SendOptions } from '../../transport/connections';
import { pinEndpointAddresses } from '../../transport/endpointAddresses';
import type { Credentials } from './credentials';
import { clientSettings, silenceSdk } from './ec2';
import { AWS_ANSWERS } from './envelope';
import { classify, turnsDownCredentials } from './failure';

export type Called<Output> =
  { readonly ok: true; readonly output: Output } | { readonly ok: false; readonly failure: Failure };

/** Calls an action of a service other than EC2. Never rejects. */
export type ServiceCaller<Client> = {
  call<Output>(
    action: string,
    timeoutMs: number,
    command: (client: Client, options: SendOptions) => Promise<Output>,
  ): Promise<Called<Output>>;
};

export type ClientSettings = ReturnType<typeof clientSettings>;

export function openService<Client extends { destroy(): void }>({
  service,
  endpointUrl,
  region,
  credentials,
  log,
  now,
  client,
}: {
  /** As the log calls it. */
  readonly service: string;
  readonly endpointUrl: string;
  readonly region: string;
  readonly credentials: Pick<Credentials, 'provider' | 'refreshNow'>;
  readonly log: Logger;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly client: (settings: ClientSettings) => Client;
}): { readonly caller: ServiceCaller<Client>; readonly stop: () => void } {
  silenceSdk();
  const endpoint = new URL(endpointUrl);
  const addresses = pinEndpointAddresses({ service, hostname: endpoint.hostname, log });
  const connections = new Connections({ endpoint, addresses, now, ...AWS_ANSWERS });
  const opened = client(clientSettings({ endpointUrl, region, provider: credentials.provider, connections }));
  return {
    caller: callerOf(opened, credentials),
    stop: () => {
      addresses.stop();
      opened.destroy();
    },
  };
}

function callerOf<Client>(
  client: Client,
  credentials: Pick<Credentials, 'refreshNow'>,
): ServiceCaller<Client> {
  return {
    call: async (action, timeoutMs, command) => {
      const abort = new AbortController();
      let sent = false;
      let timedOutAfterMs: number | null = null;
      const deadline = setTimeout(() => {
        timedOutAfterMs = timeoutMs;
        abort.abort();
      }, timeoutMs);
      const options: SendOptions = {
        abortSignal: abort.signal,
        action,
        reserved: Promise.resolve(),
        released: Promise.resolve(),
        onSigned: () => undefined,
        onSent: () => (sent = true),
      };
      try {
        return { ok: true, output: await command(client, options) };
      } catch (error: unknown) {
        const failure = classify(error, { sent, timedOutAfterMs });
        if (turnsDownCredentials(failure)) void credentials.refreshNow();
        return { ok: false, failure };
      } finally {
        clearTimeout(deadline);
      }
    },
  };
}
