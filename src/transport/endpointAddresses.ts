/**
 * The addresses of the endpoint of a cloud, in memory: opening a connection never waits for DNS, and DNS being
 * away does not matter once it has answered. Which of them comes first is in addressOrder.ts. The addresses of an
 * interface endpoint of AWS are those of its network interfaces, one in each zone, and stay the same for its life, so
 * an address that was seen once stays in the list as a fallback behind those of the latest answer.
 * https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html
 */
import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { Logger } from 'pino';
import { Backoff } from '../backoff';
import { Wellness, type Reading } from '../wellness';
import { AddressOrder } from './addressOrder';

/** Answers with every address that the name has now; rejects when it cannot. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

export type AddressStanding = { readonly address: string; readonly answers: boolean };

export type EndpointAddresses = {
  /** For `net.connect`. Waits for DNS only while there has never been an answer. */
  readonly lookup: LookupFunction;
  /** The same with these addresses behind all others. */
  lookupBeside(taken: ReadonlySet<string>): LookupFunction;
  /** Whether there is any address but these. */
  hasOther(taken: ReadonlySet<string>): boolean;
  /** An answer of the service has come from there. Null: the connection never stood. */
  answered(address: string | null, at: number): void;
  /** What was sent there at `sentAt` has had no answer of the service until now. Monotonic ms. */
  unanswered(address: string | null, sentAt: number, at: number): void;
  /** Null where the endpoint is an address, so that there is nothing to resolve. */
  health(): Reading | null;
  /** Those that are known, and whether each has answered what it was last asked. */
  standing(): readonly AddressStanding[];
  stop(): void;
};

const REFRESH_MS = 60_000;
const FIRST_RETRY_MS = 1_000;
const ADDRESSES_MAX = 8;

/** getaddrinfo, so that /etc/hosts counts. */
const resolveBySystem: Resolve = (hostname) =>
  new Promise((resolve, reject) => {
    systemLookup(hostname, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });

export function pinEndpointAddresses({
  service,
  hostname,
  log,
  resolve = resolveBySystem,
  refreshMs = REFRESH_MS,
}: {
  /** Whose endpoint it is, for the log. */
  readonly service: string;
  /** The host of the endpoint URL. */
  readonly hostname: string;
  readonly log: Logger;
  readonly resolve?: Resolve;
  readonly refreshMs?: number;
}): EndpointAddresses {
  const order = new AddressOrder();
  let known: readonly LookupAddress[] = [];
  let waiting: ((error: NodeJS.ErrnoException | null) => void)[] = [];
  let failing = false;
  const backoff = new Backoff({ firstMs: Math.min(FIRST_RETRY_MS, refreshMs), lastMs: refreshMs });
  const wellness = new Wellness();
  const isName = isIP(hostname.replace(/^\[|\]$/g, '')) === 0;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const refresh = async (): Promise<void> => {
    const error = await resolve(hostname).then(learn, (cause: unknown) => lookupError(hostname, cause));
    if (stopped) return;
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake(error);
    if ((error !== null) !== failing) {
      failing = error !== null;
      const fields = {
        event: failing ? 'endpoint-unresolved' : 'endpoint-resolved',
        hostname,
        code: error?.code,
      };
      if (failing)
        log.warn(
          { ...fields, known: known.length },
          `the name of the ${service} endpoint cannot be resolved`,
        );
      else log.info(fields, `the name of the ${service} endpoint is resolved again`);
    }
    if (error === null) {
      wellness.ok();
      backoff.reset();
    } else wellness.failed();
    // Without any address nothing works; with old ones there is time.
    const delayMs = known.length === 0 ? backoff.nextMs() : refreshMs * (0.9 + 0.1 * Math.random());
    timer = setTimeout(() => void refresh(), delayMs);
  };

  const learn = (answer: readonly LookupAddress[]): NodeJS.ErrnoException | null => {
    if (answer.length === 0) return lookupError(hostname, new Error('no addresses'));
    const isFresh = ({ address }: LookupAddress) => answer.some((fresh) => fresh.address === address);
    known = [...answer, ...known.filter((old) => !isFresh(old))].slice(0, ADDRESSES_MAX);
    return null;
  };

  const lookupBeside =
    (taken: ReadonlySet<string>): LookupFunction =>
    (_hostname, options, callback) => {
      const answer = (error: NodeJS.ErrnoException | null): void => {
        const sorted = order.sorted(known, taken);
        const [first] = sorted;
        // The empty list beside an error is never looked at.
        if (first === undefined) callback(error ?? lookupError(hostname, null), []);
        else if (options.all === true) callback(null, [...sorted]);
        else callback(null, first.address, first.family);
      };
      if (known.length > 0) process.nextTick(answer, null);
      else waiting.push(answer);
    };

  if (isName) void refresh();
  return {
    lookup: lookupBeside(new Set()),
    lookupBeside,
    hasOther: (taken) => known.some(({ address }) => !taken.has(address)),
    answered: (address, at) => {
      if (address === null || !order.answered(address, at)) return;
      log.info(
        { event: 'endpoint-address-answers', address },
        `an address of the ${service} endpoint answers again`,
      );
    },
    unanswered: (address, sentAt, at) => {
      if (address === null || !order.unanswered(address, sentAt, at)) return;
      const others = known.length - 1;
      const fields = { event: 'endpoint-address-silent', address, others };
      log.warn(fields, `an address of the ${service} endpoint does not answer: others are asked first`);
    },
    health: () => (isName ? wellness.reading() : null),
    standing: () =>
      (isName ? known.map(({ address }) => address) : [hostname.replace(/^\[|\]$/g, '')]).map((address) => ({
        address,
        answers: !order.isDoubtful(address),
      })),
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

function lookupError(hostname: string, cause: unknown): NodeJS.ErrnoException {
  const code =
    typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : 'ENOTFOUND';
  return Object.assign(new Error(`${hostname} cannot be resolved (${code})`, { cause }), {
    code,
    syscall: 'getaddrinfo',
  });
}
