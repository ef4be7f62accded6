/**
 * Connections to an endpoint that stand before there is a request for them: the writes of a takeover go
 * out together, each on its own, while keepalives need only one. Nothing is sent over them.
 */
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';

/** How connections to the endpoint are opened, the spare ones and all others. */
export type ConnectOptions = {
  readonly lookup: LookupFunction;
  readonly autoSelectFamily: true;
  readonly autoSelectFamilyAttemptTimeout: number;
  /** With the authorities that are trusted; absent: those of Node.js. */
  readonly secureContext?: SecureContext;
};

/** The other end may forget idle flows without a word: the kernel asks it from time to time. */
const PROBE_AFTER_MS = 1_000;

export class SpareSockets {
  readonly #open: (lookup?: LookupFunction) => Socket;
  /** Oldest first, each with what takes it out of the spare ones. Also those that are being connected. */
  readonly #spare = new Map<Socket, () => void>();

  constructor(endpoint: URL, options: ConnectOptions) {
    const host = hostOf(endpoint);
    const secure = endpoint.protocol === 'https:';
    const all = {
      ...options,
      host,
      port: Number(endpoint.port || (secure ? 443 : 80)),
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: PROBE_AFTER_MS,
    };
    // TLS has no server name for a literal address.
    this.#open = (lookup = options.lookup) =>
      secure
        ? connectTls({ ...all, lookup, servername: isIP(host) === 0 ? host : '' })
        : connect({ ...all, lookup });
  }

  get count(): number {
    return this.#spare.size;
  }

  add(): void {
    const socket = this.#open();
    // Whatever went wrong: the next request opens its own connection and says so.
    const onError = () => {};
    const onClose = () => this.#spare.delete(socket);
    // Nobody asked anything: some servers say why they are about to close an idle connection.
    const onData = () => socket.destroy();
    socket.on('error', onError).on('close', onClose).on('data', onData);
    socket.unref();
    this.#spare.set(socket, () => {
      socket.off('error', onError).off('close', onClose).off('data', onData);
      socket.ref();
    });
  }

  /** A spare connection for a request, if there is one. */
  take(fits: (socket: Socket) => boolean = () => true): Socket | null {
    for (const [socket, release] of this.#spare) {
      if (!fits(socket)) continue;
      this.#spare.delete(socket);
      if (socket.destroyed) continue;
      release();
      return socket;
    }
    return null;
  }

  /** A spare connection that leads to none of these addresses, or a new one, as `lookup` has it. */
  elsewhere(taken: ReadonlySet<string>, lookup: LookupFunction): Socket {
    const leadsElsewhere = ({ connecting, remoteAddress }: Socket) =>
      !connecting && remoteAddress !== undefined && !taken.has(remoteAddress);
    return this.take(leadsElsewhere) ?? this.fresh(lookup);
  }

  /** A new connection, as `lookup` has it. */
  fresh(lookup: LookupFunction): Socket {
    return this.#open(lookup);
  }

  drop(): void {
    for (const socket of [...this.#spare.keys()]) socket.destroy();
    this.#spare.clear();
  }
}

/** `[::1]` in a URL is `::1` for a socket. */
export function hostOf(endpoint: URL): string {
  return endpoint.hostname.replace(/^\[|\]$/g, '');
}
