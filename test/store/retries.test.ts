/** A store that goes on failing is tried again and again, and never in a hurry. */
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BackgroundFile } from '../../src/store/backgroundFile';
import { openStore } from '../../src/store/store';
import { eventually } from '../support/eventually';
import { eventsOf, recordingLogger } from '../support/logRecords';

const gapsOf = (times: readonly number[]): readonly number[] =>
  times.slice(1).map((at, i) => at - (times[i] ?? 0));

/** Timers of Node may fire a millisecond early. */
function expectSlowerAndSlower(times: readonly number[], leastMs: readonly number[]): void {
  for (const [i, gap] of gapsOf(times).entries()) expect(gap).toBeGreaterThan((leastMs[i] ?? 0) - 2);
}

test.each([
  ['closes every connection', (socket: Socket) => void socket.destroy()],
  ['answers with nonsense', (socket: Socket) => void socket.end('nonsense\r\n')],
])('Redis that %s', async (_, behave) => {
  const connections: number[] = [];
  const server = createServer((socket) => {
    connections.push(performance.now());
    socket.on('error', () => {});
    behave(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { log, records } = recordingLogger();
  const store = openStore(
    { type: 'redis', host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    log,
  );
  store.put('ha_state', 'STANDBY');
  await eventually(() => expect(connections.length).toBeGreaterThanOrEqual(5));
  // Half of 200, 400, 800 and 1600 ms.
  expectSlowerAndSlower(connections, [100, 200, 400, 800]);
  await eventually(() => expect(store.health()).toMatchObject({ state: 'failing', lastOkS: null }));
  expect(eventsOf(records)).toEqual(['store-away']);
  await store.close();
  server.close();
});

test('a file that cannot be replaced', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'xr-aws-ha-retries-'));
  const path = join(dir, 'store.json');
  mkdirSync(path);
  writeFileSync(join(path, 'in the way'), '');
  const tries: number[] = [];
  const { log, records } = recordingLogger();
  const file = new BackgroundFile({
    path,
    mode: 0o600,
    durable: false,
    closeTimeoutMs: 1_000,
    content: () => {
      tries.push(performance.now());
      return '{}';
    },
    log,
    words: { event: 'store', failed: 'failed', recovered: 'recovered' },
  });
  expect(file.health()).toEqual({ state: 'waiting', lastOkS: null, failures: 0 });
  file.touch();
  await eventually(() => expect(tries.length).toBeGreaterThanOrEqual(4));
  expectSlowerAndSlower(tries, [250, 500, 1_000]);
  expect(eventsOf(records)).toEqual(['store-unwritable']);
  expect(file.health()).toMatchObject({ state: 'failing' });

  rmSync(path, { recursive: true });
  await eventually(() => expect(file.health()).toMatchObject({ state: 'ok', failures: 0 }));
  expect(eventsOf(records)).toEqual(['store-unwritable', 'store-writable']);
  await file.close();
  rmSync(dir, { recursive: true });
});
