/**
 * Further addresses of the EC2 endpoint, as an interface endpoint has one in each zone: each passes its connections
 * on to the emulator, until it is told to be silent. They are loopback addresses on the emulator's own port.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

/**
 * `answers`: as EC2 does. `silent`: completes TCP, and then neither reads on nor says anything, also on connections
 * that stood before. `silentAfterTls`: the same, once TLS is established. `refuses`: nobody listens.
 */
export const addressModes = ['answers', 'silent', 'silentAfterTls', 'refuses'] as const;
export type AddressMode = (typeof addressModes)[number];

export class EndpointAddress {
  readonly address: string;
  readonly #port: number;
  readonly #tls: { readonly key: string; readonly cert: string } | undefined;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #mode: AddressMode = 'refuses';
  #accepted = 0;
  #ignored = 0;

  constructor(address: string, port: number, tls?: { readonly key: string; readonly cert: string }) {
    this.address = address;
    this.#port = port;
    this.#tls = tls;
  }

  get mode(): AddressMode {
    return this.#mode;
  }

  /** Connections that it has accepted so far, in any mode. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Bytes that it has read and said nothing to. */
  get ignored(): number {
    return this.#ignored;
  }

  /** @throws Error for `silentAfterTls` without TLS, and of the operating system when the port is taken. */
  async become(mode: AddressMode): Promise<void> {
    if (mode === 'silentAfterTls' && this.#tls === undefined) throw new Error('this endpoint has no TLS');
    const before = this.#mode;
    this.#mode = mode;
    if (mode === before) return;
    // A silent address forgets what stood, without a word.
    for (const socket of this.#sockets) socket.unpipe();
    if (mode === 'answers' || mode === 'refuses') for (const socket of this.#sockets) socket.destroy();
    await this.#close();
    if (mode !== 'refuses') await this.#listen(mode);
  }

  async stop(): Promise<void> {
    await this.become('refuses');
  }

  async #listen(mode: AddressMode): Promise<void> {
    const serve = (socket: Socket) => {
      this.#accepted += 1;
      this.#keep(socket);
      if (this.#mode === 'answers') this.#passOn(socket);
      else socket.on('data', (chunk: Buffer) => (this.#ignored += chunk.length));
    };
    this.#server =
      mode === 'silentAfterTls' && this.#tls !== undefined
        ? createTlsServer(this.#tls, serve)
        : createServer(serve);
    this.#server.listen(this.#port, this.address);
    await once(this.#server, 'listening');
  }

  #passOn(socket: Socket): void {
    const onward = connect(this.#port, '127.0.0.1');
    this.#keep(onward);
    socket.pipe(onward).pipe(socket);
    socket.on('close', () => onward.destroy());
    onward.on('close', () => this.#mode === 'answers' && socket.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
  }

  async #close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    // Connections may stand on: only the listening ends.
    server?.close();
    if (this.#mode === 'refuses') for (const socket of this.#sockets) socket.destroy();
  }
}
