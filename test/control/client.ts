/** A client of the control socket that minds no protocol. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export class RawClient {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  /** The server says no more; the connection is half open, unless it is closed. */
  readonly ended: Promise<void>;
  #text = '';

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => (this.#text += chunk.toString('utf8')));
    // A server that has said what it has to say may close while we still write.
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => socket.on('close', () => resolve()));
    this.ended = new Promise((resolve) => socket.on('end', () => resolve()).on('close', () => resolve()));
  }

  static async open(path: string): Promise<RawClient> {
    const socket = connect({ path, allowHalfOpen: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  send(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  /** What has come so far. */
  get text(): string {
    return this.#text;
  }

  /** All that the server says until it ends the connection. */
  async rest(): Promise<string> {
    await this.ended;
    this.socket.end();
    return this.#text;
  }
}

/** One request and its answer, parsed. */
export async function request(path: string, bytes: string | Buffer): Promise<unknown> {
  const client = await RawClient.open(path);
  client.send(bytes);
  return JSON.parse(await client.rest());
}
