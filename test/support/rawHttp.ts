/** An HTTP server that answers byte for byte what a test wants, or for ever. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

export type RawRequest = { readonly method: string; readonly path: string; readonly body: string };

/** All at once, or piece by piece until the other side has had enough. */
export type RawResponse =
  | Buffer
  /** The connection ends with it. */
  | { readonly last: Buffer }
  | { readonly first: Buffer; readonly again: Buffer };

export type RawHttp = {
  readonly url: string;
  /** Bytes that were handed to the network since the start. */
  written(): number;
  close(): Promise<void>;
};

export async function startRawHttp(answer: (request: RawRequest) => RawResponse): Promise<RawHttp> {
  const sockets = new Set<Socket>();
  let written = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    let received = '';
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const request = parse(received);
      if (request === null) return;
      received = '';
      const response = answer(request);
      if (Buffer.isBuffer(response)) return void socket.write(response);
      if ('last' in response) return void socket.end(response.last);
      socket.write(response.first);
      const goOn = (): void => {
        while (!socket.destroyed && socket.write(response.again)) written += response.again.length;
      };
      socket.on('drain', goOn);
      goOn();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    written: () => written,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Null until the request is complete. */
function parse(received: string): RawRequest | null {
  const end = received.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const head = received.slice(0, end);
  const body = received.slice(end + 4);
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  if (body.length < length) return null;
  const [method = '', path = ''] = head.split(' ');
  return { method, path, body };
}

export function httpAnswer(
  status: number | string,
  body: Buffer,
  headers = 'content-type: text/xml',
): Buffer {
  const head = `HTTP/1.1 ${status} Whatever\r\n${headers}\r\ncontent-length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}
