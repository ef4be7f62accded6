import { Redis } from 'ioredis';
import { listedKeys } from '../../src/store/entry';
import type { StoreWriter } from '../../src/store/entry';
import { openStore } from '../../src/store/store';
import { eventually } from '../support/eventually';
import { eventsOf, recordingLogger, type LogRecord } from '../support/logRecords';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';

let server: RedisServer;
let client: Redis;
let store: StoreWriter;
let records: LogRecord[];

beforeEach(async () => {
  server = await startRedis();
  client = operator(server.port);
  const logger = recordingLogger();
  records = logger.records;
  store = openStore({ type: 'redis', host: server.host, port: server.port }, logger.log);
});

afterEach(async () => {
  await store.close();
  client.disconnect();
  await server.stop();
});

/** Somebody else at the same Redis. */
function operator(port: number): Redis {
  const redis = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 50 });
  redis.on('error', () => {});
  return redis;
}

function putAll(): void {
  for (const key of listedKeys) store.put(key, { of: key });
  store.put('ha_state', 'STANDBY');
  store.put('ha_reason', 'all targets are held by the peer');
}

async function expectAllWritten(): Promise<void> {
  await eventually(async () => {
    expect((await client.smembers('redundancy')).sort()).toEqual([...listedKeys].sort());
    expect(await client.hget('ha_state', 'value')).toBe('STANDBY');
    expect(await client.hget('ha_reason', 'value')).toBe('all targets are held by the peer');
    expect(await client.hget('config', 'value')).toBe('{"of":"config"}');
    expect(await client.hget('ha_interfaces', 'value')).toBe('{"of":"ha_interfaces"}');
  });
}

const count = (event: string) => eventsOf(records).filter((name) => name === event).length;

test('lays keys out as the predecessor did and touches no others', async () => {
  await client.set('somebody-elses', 'value');
  putAll();
  await expectAllWritten();
  expect(Object.keys(await client.hgetall('ha_state')).sort()).toEqual(['timestamp', 'value']);
  expect(await client.hget('ha_state', 'timestamp')).toMatch(/^\d{4}(\/\d\d){2} (\d\d:){2}\d\d\.\d{6}$/);
  expect(await client.get('somebody-elses')).toBe('value');
  expect((await client.keys('*')).sort()).toEqual(
    [...listedKeys, 'ha_reason', 'redundancy', 'somebody-elses'].sort(),
  );
  expect(records).toEqual([]);
});

test('the latest of many values wins', async () => {
  for (let i = 0; i <= 5_000; i += 1) store.put('ha_reason', `reason ${i}`);
  await eventually(async () => expect(await client.hget('ha_reason', 'value')).toBe('reason 5000'));
});

test('a key that is not listed does not enter the set', async () => {
  store.put('ha_reason', 'alone');
  await eventually(async () => expect(await client.hget('ha_reason', 'value')).toBe('alone'));
  expect(await client.exists('redundancy')).toBe(0);
});

test('waits for a Redis that comes later', async () => {
  await store.close();
  await server.kill();
  const logger = recordingLogger();
  records = logger.records;
  store = openStore({ type: 'redis', host: server.host, port: server.port }, logger.log);
  putAll();
  await eventually(() => expect(count('store-away')).toBe(1));
  await server.restart();
  await expectAllWritten();
  expect(eventsOf(records)).toEqual(['store-away', 'store-back']);
});

test('gives everything to a Redis that returns empty, and says so once each way', async () => {
  putAll();
  await expectAllWritten();
  await server.kill();
  await eventually(() => expect(count('store-away')).toBe(1));
  await server.restart();
  // Nothing is put again: what was written before the loss has to come back by itself.
  await expectAllWritten();
  expect(eventsOf(records)).toEqual(['store-away', 'store-back']);
});

test('brings back what somebody flushed or deleted with the next keepalive', async () => {
  putAll();
  await expectAllWritten();
  await client.flushall();
  store.put('ha_state', 'STANDBY');
  await expectAllWritten();
  await client.del('config');
  store.put('ha_state', 'STANDBY');
  await expectAllWritten();
  await client.del('redundancy');
  store.put('ha_state', 'STANDBY');
  await expectAllWritten();
  expect(records).toEqual([]);
});

test('a connection that Redis drops while it is idle is renewed without a word', async () => {
  putAll();
  await expectAllWritten();
  expect(await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')).toBe(1);
  store.put('ha_state', 'ACTIVE');
  await eventually(async () => expect(await client.hget('ha_state', 'value')).toBe('ACTIVE'));
  expect(records).toEqual([]);
});

test('close ends while Redis refuses', async () => {
  await client.config('SET', 'maxmemory', '1');
  store.put('ha_state', 'ACTIVE');
  await eventually(() => expect(count('store-refused')).toBe(1));
  await store.close();
  expect(eventsOf(records)).toEqual(['store-refused']);
});

test('survives a Redis that hangs and writes the latest when it goes on', async () => {
  putAll();
  await expectAllWritten();
  server.pause();
  for (let i = 0; i < 1_000; i += 1) store.put('ha_reason', `while hung ${i}`);
  await eventually(() => expect(count('store-away')).toBe(1));
  for (let i = 0; i < 1_000; i += 1) store.put('ha_reason', `still hung ${i}`);
  server.resume();
  await eventually(async () => expect(await client.hget('ha_reason', 'value')).toBe('still hung 999'));
  await eventually(() => expect(eventsOf(records)).toEqual(['store-away', 'store-back']));
});

test('survives a full Redis with one record, and writes once there is room', async () => {
  await client.config('SET', 'maxmemory', '1');
  putAll();
  await eventually(() => expect(count('store-refused')).toBe(1));
  store.put('ha_state', 'STANDBY');
  store.put('config', { of: 'config' });
  await client.config('SET', 'maxmemory', '0');
  store.put('ha_state', 'STANDBY');
  await expectAllWritten();
  await eventually(() => expect(eventsOf(records)).toEqual(['store-refused', 'store-accepted']));
  expect(records[0]).toMatchObject({ code: 'OOM', advice: expect.stringContaining('maxmemory') as unknown });
});

test('survives a read-only replica', async () => {
  await client.replicaof('127.0.0.1', await freePort());
  putAll();
  await eventually(() => expect(count('store-refused')).toBe(1));
  await client.replicaof('NO', 'ONE');
  store.put('ha_state', 'STANDBY');
  await expectAllWritten();
  await eventually(() => expect(eventsOf(records)).toEqual(['store-refused', 'store-accepted']));
  expect(records[0]).toMatchObject({ code: 'READONLY' });
});

test('a name that another program uses is reported, left alone and does not hold up the others', async () => {
  await client.set('ha_interfaces', 'not ours');
  await client.set('bfd_neighbors', 'not ours');
  putAll();
  await eventually(async () => expect(await client.hget('ha_state', 'value')).toBe('STANDBY'));
  store.put('ha_state', 'ACTIVE');
  await eventually(async () => expect(await client.hget('ha_state', 'value')).toBe('ACTIVE'));
  expect(await client.get('ha_interfaces')).toBe('not ours');
  expect(records.map(({ event, key, code }) => [event, key, code]).sort()).toEqual([
    ['store-refused', 'bfd_neighbors', 'WRONGTYPE'],
    ['store-refused', 'ha_interfaces', 'WRONGTYPE'],
  ]);
  await client.del('ha_interfaces', 'bfd_neighbors');
  store.put('ha_state', 'STANDBY');
  await expectAllWritten();
});

test('close writes what is outstanding', async () => {
  store.put('ha_state', 'ACTIVE');
  await eventually(async () => expect(await client.hget('ha_state', 'value')).toBe('ACTIVE'));
  store.put('ha_state', 'UNKNOWN');
  await store.close();
  expect(await client.hget('ha_state', 'value')).toBe('UNKNOWN');
  store.put('ha_state', 'ACTIVE');
});

test('close ends while Redis hangs', async () => {
  store.put('ha_state', 'ACTIVE');
  await eventually(async () => expect(await client.hget('ha_state', 'value')).toBe('ACTIVE'));
  server.pause();
  store.put('ha_state', 'UNKNOWN');
  await store.close();
  server.resume();
});
