/**
 * Calls to EC2: a client that takes nothing from files, the environment, DNS or IMDS while it works, and one
 * way to call, in three steps: build and sign, take a connection, send on release. Never retries: the rules do.
 */
import { DescribeNetworkInterfacesCommand, EC2Client, type ServiceOutputTypes } from '@aws-sdk/client-ec2';
import type { Logger } from 'pino';
import type { CloudClock, Failure } from '../../core/state/readings';
import type { Reading } from '../../wellness';
import { Acceptance } from './acceptance';
import { CallStatistics } from '../../transport/callStatistics';
import { Connections, MalformedAnswer, type SendOptions } from '../../transport/connections';
import type { Credentials, RoleCredentials } from './credentials';
import { pinEndpointAddresses, type AddressStanding, type Resolve } from '../../transport/endpointAddresses';
import { oneLine } from '../../transport/words';
import { AWS_ANSWERS } from './envelope';
import { classify, turnsDownCredentials } from './failure';

/** `sentAt`: monotonic ms when the request was handed to the socket, or was to be where that failed. */
export type CallResult<Output> = {
  readonly sentAt: number;
  readonly apiRequestId: string | null;
} & ({ readonly ok: true; readonly output: Output } | { readonly ok: false; readonly failure: Failure });

/** Sends its command with exactly these options. */
export type Command<Output> = (client: EC2Client, options: SendOptions) => Promise<Output>;

export type PreparedCall<Output> = {
  /** Fulfilled when the request is signed, or has failed to be. */
  readonly built: Promise<void>;
  /** It has failed before it was released, and releasing it would only say so. */
  hasFailed(): boolean;
  /** It is likely to be released soon: it takes a connection for itself. */
  reserve(): void;
  /** Sends it; the deadline runs from here. Never rejects. To be called once. */
  release(timeoutMs: number): Promise<CallResult<Output>>;
  /** It will not be sent. */
  discard(): void;
};

/** What it takes to call. */
export type Caller = {
  /** `action`: the name of the API action, as in `DescribeNetworkInterfaces`. */
  prepare<Output extends ServiceOutputTypes>(action: string, command: Command<Output>): PreparedCall<Output>;
  call<Output extends ServiceOutputTypes>(
    action: string,
    timeoutMs: number,
    command: Command<Output>,
  ): Promise<CallResult<Output>>;
};

/** A call whose deadline is somebody else's matter. */
export type Ask = <Output extends ServiceOutputTypes>(
  action: string,
  command: Command<Output>,
) => Promise<CallResult<Output>>;

export type Ec2 = Caller & {
  /** For what must not touch the connections of a takeover: over its own ones, which end with `stop`. */
  aside(): Caller & { stop(): void };
  /** Sees to it that this many idle connections stand or are being opened; sends nothing. */
  warm(connections: number): void;
  /** What the latest answer said of the time; null where none has. */
  clock(): CloudClock | null;
  readonly statistics: CallStatistics;
  /** Of resolving the endpoint's name; null where it is an address. */
  nameHealth(): Reading | null;
  addresses(): readonly AddressStanding[];
  stop(): void;
};

export function openEc2({
  endpointUrl,
  region,
  credentials,
  log,
  now,
  onAnswer = () => {},
  resolve,
}: {
  readonly endpointUrl: string;
  readonly region: string;
  readonly credentials: Pick<Credentials, 'provider' | 'refreshNow'>;
  readonly log: Logger;
  /** Monotonic milliseconds, as in the events. */
  readonly now: () => number;
  /** Of each call that EC2 has done, with what it took from the socket to the answer. */
  readonly onAnswer?: (action: string, afterMs: number) => void;
  /** Default: the resolver of the system. */
  readonly resolve?: Resolve;
}): Ec2 {
  silenceSdk();
  const endpoint = new URL(endpointUrl);
  const addresses = pinEndpointAddresses({
    service: 'EC2',
    hostname: endpoint.hostname,
    log,
    ...(resolve === undefined ? {} : { resolve }),
  });
  const acceptance = new Acceptance(now);
  const statistics = new CallStatistics(now);
  let signedWith: RoleCredentials | null = null;
  const provide = async () => (signedWith = await credentials.provider());
  const open = () => {
    const connections = new Connections({ endpoint, addresses, now, ...AWS_ANSWERS });
    const provider = Object.assign(provide, { memoized: true as const });
    const client = new EC2Client(clientSettings({ endpointUrl, region, provider, connections }));
    const caller = callerOf(client, {
      acceptance,
      statistics,
      signedWith: () => signedWith,
      credentials,
      now,
      onAnswer,
    });
    return { connections, caller, stop: () => client.destroy() };
  };
  const { connections, caller, stop } = open();

  return {
    ...caller,
    aside: () => {
      const own = open();
      return { ...own.caller, stop: own.stop };
    },
    warm: (count) => connections.warm(count),
    clock: () => connections.clock,
    statistics,
    nameHealth: () => addresses.health(),
    addresses: () => addresses.standing(),
    stop: () => {
      addresses.stop();
      stop();
    },
  };
}

/** For a client of any service. Each of these, left out, is looked for in ~/.aws or the environment at the first request. */
export function clientSettings({
  endpointUrl,
  region,
  provider,
  connections,
}: {
  readonly endpointUrl: string;
  readonly region: string;
  readonly provider: Credentials['provider'];
  readonly connections: Connections;
}) {
  return {
    region,
    endpoint: endpointUrl,
    credentials: provider,
    requestHandler: connections,
    maxAttempts: 1,
    retryMode: 'standard',
    defaultsMode: 'standard' as const,
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    authSchemePreference: ['sigv4'],
    userAgentAppId: 'xr-aws-ha',
    disableClockSkewCorrection: false,
  };
}

/** How long the question may take whether EC2 accepts the credentials for another call. */
const ACCEPTANCE_TIMEOUT_MS = 2_000;

function callerOf(
  client: EC2Client,
  {
    acceptance,
    statistics,
    signedWith,
    credentials,
    now,
    onAnswer,
  }: {
    readonly acceptance: Acceptance;
    readonly statistics: CallStatistics;
    /** What was last signed with. */
    readonly signedWith: () => RoleCredentials | null;
    readonly credentials: Pick<Credentials, 'refreshNow'>;
    readonly now: () => number;
    readonly onAnswer: (action: string, afterMs: number) => void;
  },
): Caller {
  let asking = false;
  /** What a takeover needs for anything. Any answer but that the credentials are wrong is one. */
  const askForOther = (): void => {
    if (asking) return;
    asking = true;
    const asked = prepare('DescribeNetworkInterfaces', (to, options) =>
      to.send(new DescribeNetworkInterfacesCommand({ MaxResults: 5, DryRun: true }), options),
    ).release(ACCEPTANCE_TIMEOUT_MS);
    void asked.finally(() => (asking = false));
  };

  const prepare = <Output extends ServiceOutputTypes>(
    action: string,
    command: Command<Output>,
  ): PreparedCall<Output> => {
    const abort = new AbortController();
    const reserved = deferred();
    const released = deferred();
    const built = deferred();
    let sentAt: number | null = null;
    let timedOutAfterMs: number | null = null;
    let outcome: CallResult<Output> | null = null;
    let isTold = false;

    const succeeded = (output: Output): CallResult<Output> => {
      acceptance.accepted(signedWith()?.accessKeyId ?? null);
      if (sentAt !== null) onAnswer(action, now() - sentAt);
      return { ok: true, output, sentAt: sentAt ?? now(), apiRequestId: output.$metadata.requestId ?? null };
    };
    const failed = (error: unknown): CallResult<Output> => {
      const identity = signedWith();
      const secrets = identity === null ? [] : Object.values(identity);
      const { accessKeyId = null } = identity ?? {};
      const failure = acceptance.judge(
        classify(error, { sent: sentAt !== null, timedOutAfterMs }, secrets),
        { action, accessKeyId, sentAt: sentAt ?? now() },
        askForOther,
      );
      if (failure.kind !== 'refused' && turnsDownCredentials(failure)) void credentials.refreshNow();
      return { ok: false, failure, sentAt: sentAt ?? now(), apiRequestId: requestIdOf(error) };
    };
    const options: SendOptions = {
      abortSignal: abort.signal,
      action,
      reserved: reserved.promise,
      released: released.promise,
      onSigned: built.fulfil,
      onSent: () => (sentAt = now()),
    };
    const answered = command(client, options)
      .then(succeeded, failed)
      .then((result) => {
        built.fulfil();
        return (outcome = result);
      });
    return {
      built: built.promise,
      hasFailed: () => outcome !== null,
      reserve: reserved.fulfil,
      release: (timeoutMs) =>
        new Promise((tell) => {
          const resolve = (result: CallResult<Output>): void => {
            if (isTold) return;
            isTold = true;
            statistics.answered(action, result.sentAt, result.ok ? null : result.failure);
            tell(result);
          };
          // Not left to the abort alone: what hangs inside the SDK, as a credentials provider may, hears no signal.
          const deadline = setTimeout(() => {
            timedOutAfterMs = Math.round(timeoutMs);
            resolve(failed(new Error('given up')));
            abort.abort();
          }, timeoutMs);
          reserved.fulfil();
          released.fulfil();
          void answered.then((result) => {
            clearTimeout(deadline);
            resolve(result);
          });
        }),
      discard: () => {
        abort.abort();
        reserved.fulfil();
        released.fulfil();
      },
    };
  };

  return {
    prepare,
    call: (action, timeoutMs, command) => prepare(action, command).release(timeoutMs),
  };
}

/** The README says which Node releases of the SDK will ask for; on the router nobody can act on it. */
export function silenceSdk(): void {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
}

/** An answer with the right form and wrong content. */
export function malformed(what: string): Failure {
  return { kind: 'uncertain', code: MalformedAnswer.name, message: oneLine(what) };
}

type Deferred = { readonly promise: Promise<void>; readonly fulfil: () => void };

function deferred(): Deferred {
  let fulfil = (): void => {};
  const promise = new Promise<void>((resolve) => (fulfil = resolve));
  return { promise, fulfil: () => fulfil() };
}

function requestIdOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return null;
  const metadata: unknown = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('requestId' in metadata)) return null;
  return typeof metadata.requestId === 'string' ? metadata.requestId : null;
}
