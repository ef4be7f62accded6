/** A Redis that holds something already when the daemon starts: another program's keys, and our own of earlier. */
import { Redis } from 'ioredis';
import type { StoreWriter } from '../../src/store/entry';
import { openStore } from '../../src/store/store';
import { eventually } from '../support/eventually';
import { recordingLogger } from '../support/logRecords';
import { startRedis, type RedisServer } from '../support/redisServer';

let server: RedisServer;
let operator: Redis;
let store: StoreWriter | null = null;

beforeEach(async () => {
  server = await startRedis();
  operator = new Redis({ host: server.host, port: server.port });
});

afterEach(async () => {
  await store?.close();
  operator.disconnect();
  await server.stop();
});

test('what stands in Redis when the daemon starts stays: the history of the run before, and what others keep there', async () => {
  const before = {
    value: '{"EventType":"SL_BFD_EVENT_TYPE_SESSION_STATE"}',
    timestamp: '2021/07/06 13:00:24',
  };
  await operator.hset('last_bfd_down_event', before);
  await operator.set('somebody-elses', 'value');
  await operator.select(1);
  await operator.set('in-another-database', 'value');
  await operator.select(0);

  const { log, records } = recordingLogger();
  store = openStore({ type: 'redis', host: server.host, port: server.port }, log);
  store.put('ha_state', 'STANDBY');
  await eventually(async () => expect(await operator.hget('ha_state', 'value')).toBe('STANDBY'));

  expect(await operator.hgetall('last_bfd_down_event')).toEqual(before);
  expect(await operator.get('somebody-elses')).toBe('value');
  await operator.select(1);
  expect(await operator.get('in-another-database')).toBe('value');
  expect(records).toEqual([]);
});
