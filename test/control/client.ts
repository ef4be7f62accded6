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

/** The bytes of a command as `ha` sends them; `body` may be anything. */
export function post(body: string | Buffer, path = '/command'): Buffer {
  const bytes = Buffer.from(body);
  const head = `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}

/** The one answer that these bytes have to be. */
export function answerIn(text: string): { readonly status: number; readonly body: unknown } {
  const [head = '', body = '', ...more] = text.split('\r\n\r\n');
  const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1]);
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
  if (more.length > 0 || length !== Buffer.byteLength(body)) throw new Error(`not one answer: ${text}`);
  return { status, body: JSON.parse(body) as unknown };
}

/** Sends a body as a command, and gives that of the answer. */
export async function request(path: string, body: string | Buffer): Promise<unknown> {
  const client = await RawClient.open(path);
  client.send(post(body));
  return answerIn(await client.rest()).body;
}
