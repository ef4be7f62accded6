import fc from '../support/properties';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storeKeys, type StoreKey } from '../../src/store/entry';
import type { StoreWriter } from '../../src/store/entry';
import { openStore } from '../../src/store/store';
import { formatStoreFile, parseStoreFile, readStoreFile } from '../../src/store/storeFile';
import { eventually } from '../support/eventually';
import { eventsOf, recordingLogger, type LogRecord } from '../support/logRecords';

let dir: string;
let path: string;
let store: StoreWriter | null;
let records: LogRecord[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'xr-aws-ha-store-'));
  path = join(dir, 'state', 'store.json');
  store = null;
});

afterEach(async () => {
  await store?.close();
  rmSync(dir, { recursive: true, force: true });
});

function open(): StoreWriter {
  const logger = recordingLogger();
  records = logger.records;
  store = openStore({ type: 'file', path }, logger.log);
  return store;
}

function stored(): Map<string, string> {
  const reading = readStoreFile(path);
  if (reading.outcome !== 'content') throw new Error(`the store file is ${reading.outcome}`);
  return new Map([...reading.content.entries].map(([key, { value }]) => [key, value]));
}

test('writes the latest of each key, readable without show', async () => {
  const writer = open();
  writer.put('config', { config: { grpc_port: 57777 } });
  for (let i = 0; i <= 1_000; i += 1) writer.put('ha_reason', `reason ${i}`);
  writer.put('ha_state', 'ACTIVE');
  await eventually(() => expect(stored().get('ha_state')).toBe('ACTIVE'));
  const document = JSON.parse(readFileSync(path, 'utf8')) as Record<
    string,
    { value: unknown; timestamp: string }
  >;
  expect(Object.keys(document).sort()).toEqual(['config', 'ha_reason', 'ha_state', 'redundancy']);
  expect(document['redundancy']).toEqual(['config', 'ha_state']);
  expect(document['config']?.value).toEqual({ config: { grpc_port: 57777 } });
  expect(document['ha_reason']?.value).toBe('reason 1000');
  expect(document['ha_state']?.timestamp).toMatch(/^\d{4}(\/\d\d){2} (\d\d:){2}\d\d\.\d{6}$/);
  expect(readdirSync(join(dir, 'state'))).toEqual(['store.json']);
  expect(records).toEqual([]);
});

test('keeps what an earlier life of the daemon wrote, as Redis does', async () => {
  const first = open();
  first.put('last_bfd_down_event', { EventType: 'SL_BFD_EVENT_TYPE_SESSION_STATE' });
  await eventually(() => expect([...stored().keys()]).toEqual(['last_bfd_down_event']));
  await first.close();
  const second = open();
  second.put('ha_state', 'STANDBY');
  await eventually(() => expect([...stored().keys()].sort()).toEqual(['ha_state', 'last_bfd_down_event']));
});

test('replaces a file that is no store, with one warning', async () => {
  mkdirSync(join(dir, 'state'));
  writeFileSync(path, '{"ha_state": {"value": "ACT');
  const writer = open();
  writer.put('ha_state', 'STANDBY');
  await eventually(() => expect(stored()).toEqual(new Map([['ha_state', 'STANDBY']])));
  expect(eventsOf(records)).toEqual(['store-unreadable']);
});

test('goes on without a directory, says so once, and writes when there is one', async () => {
  // A file where the directory should be: refused for root too, unlike a directory without permissions.
  writeFileSync(join(dir, 'state'), '');
  const writer = open();
  writer.put('ha_state', 'STANDBY');
  await eventually(() => expect(eventsOf(records)).toContain('store-unwritable'));
  writer.put('ha_state', 'ACTIVE');
  rmSync(join(dir, 'state'));
  await eventually(() => expect(stored().get('ha_state')).toBe('ACTIVE'));
  await eventually(() =>
    expect(eventsOf(records).filter((event) => event !== 'store-unreadable')).toEqual([
      'store-unwritable',
      'store-writable',
    ]),
  );
});

test('close writes what is outstanding', async () => {
  const writer = open();
  writer.put('ha_state', 'STANDBY');
  await writer.close();
  await eventually(() => expect(stored().get('ha_state')).toBe('STANDBY'));
});

test('close ends where nothing can be written', async () => {
  writeFileSync(join(dir, 'state'), '');
  const writer = open();
  writer.put('ha_state', 'STANDBY');
  await writer.close();
  await eventually(() => expect(eventsOf(records)).toContain('store-unwritable'));
});

test('a full disk is survived: the new file refuses every byte, the old one stays whole', async () => {
  const first = open();
  first.put('ha_state', 'STANDBY');
  await eventually(() => expect(stored().get('ha_state')).toBe('STANDBY'));
  await first.close();
  // What is written next lands in a device that is always full.
  symlinkSync('/dev/full', `${path}.new`);
  const second = open();
  second.put('ha_state', 'ACTIVE');
  await eventually(() => expect(records[0]).toMatchObject({ event: 'store-unwritable', code: 'ENOSPC' }));
  // The remains were cleared away, so that the next try finds a disk with room.
  await eventually(() => expect(stored().get('ha_state')).toBe('ACTIVE'));
  await eventually(() => expect(eventsOf(records)).toEqual(['store-unwritable', 'store-writable']));
});

describe('the format', () => {
  const anyKey = fc.constantFrom<StoreKey>(...storeKeys);
  const timestamp = fc.string();
  const text = fc.string().filter((value) => !/^\s*[{[]/.test(value));
  const json = fc
    .jsonValue()
    .filter((value) => typeof value === 'object' && value !== null)
    .map((value) => JSON.stringify(value));

  test('what is written is read back', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(anyKey, fc.record({ value: fc.oneof(text, json), timestamp }))),
        (pairs) => {
          const content = { listed: ['ha_state'], entries: new Map(pairs) };
          expect(parseStoreFile(formatStoreFile(content))).toEqual(content);
        },
      ),
    );
  });

  test('no text makes the reader throw, and only entries of the format come out', () => {
    const almost = fc.json({ maxDepth: 3 });
    const members = fc
      .dictionary(fc.oneof(anyKey, fc.string()), fc.jsonValue())
      .map((value) => JSON.stringify(value));
    fc.assert(
      fc.property(fc.oneof(fc.string(), almost, members), (document) => {
        const content = parseStoreFile(document);
        for (const [key, entry] of content?.entries ?? []) {
          expect(storeKeys).toContain(key);
          expect(typeof entry.value).toBe('string');
          expect(typeof entry.timestamp).toBe('string');
        }
        expect(content?.listed.every((name) => typeof name === 'string') ?? true).toBe(true);
      }),
    );
  });

  test('no truncation of a good file is taken for another good file', () => {
    const entries = new Map([
      ['ha_state' as const, { value: 'ACTIVE', timestamp: '2021/07/06 13:00:24.442059' }],
    ]);
    const whole = formatStoreFile({ listed: ['ha_state'], entries }).trimEnd();
    for (let end = 0; end < whole.length; end += 1) expect(parseStoreFile(whole.slice(0, end))).toBeNull();
  });
});
