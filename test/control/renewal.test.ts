/** A certificate that is replaced while the daemon runs. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { Listener } from '../../src/control/listener';
import { eventually } from '../support/eventually';
import { freePort } from '../support/redisServer';

const [first, second] = ['test/notify', 'lab/slapi-sim'].map((folder) => {
  const pem = (name: string) => readFileSync(join(__dirname, '../..', folder, 'tls', name), 'utf8');
  return { cert: pem('test-only-cert.pem'), key: pem('test-only-key.pem') };
}) as [Pair, Pair];
type Pair = { readonly cert: string; readonly key: string };

const idOf = (pem: string) => new X509Certificate(pem).fingerprint256;

/** The certificate that a new connection is shown. */
async function shown(port: number): Promise<string> {
  const ca = [first.cert, second.cert];
  const socket = connect({ host: '127.0.0.1', port, ca, checkServerIdentity: () => undefined });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

test('a new certificate is shown without a restart; while it cannot be read, the one at hand is', async () => {
  const port = await freePort();
  let pair: Pair | null = first;
  let looks = 0;
  const obstacles: unknown[] = [];
  const opened: number[] = [];
  const listener = new Listener({
    place: { key: 'status_listen', host: '127.0.0.1', port },
    routes: {},
    tls: () => {
      looks += 1;
      return pair === null ? Promise.reject(new Error('half written')) : Promise.resolve(pair);
    },
    checkIntervalMs: 5,
    onOpen: () => opened.push(1),
    onObstacle: (obstacle) => obstacles.push(obstacle),
  });
  try {
    await eventually(() => expect(opened).toEqual([1]));
    expect(await shown(port)).toBe(idOf(first.cert));
    pair = null;
    const before = looks;
    await eventually(() => expect(looks).toBeGreaterThan(before + 1));
    expect(await shown(port)).toBe(idOf(first.cert));
    pair = second;
    await eventually(async () => expect(await shown(port)).toBe(idOf(second.cert)));
    expect([opened, obstacles]).toEqual([[1], []]);
  } finally {
    await listener.close();
  }
});
