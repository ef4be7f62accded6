/**
 * Hostile stores: the files of an earlier life of the daemon, damaged or made up, and a Redis that answers
 * with anything. Nothing throws or hangs, `show` ends with one of its exit codes, and no memory on its own makes
 * a router take over.
 */
import fc from '../support/properties';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatEntry, show, showExitCodes } from '../../src/cli/show';
import type { StoreSettings } from '../../src/config/settings';
import type { Event, Memory } from '../../src/core/state/model';
import { storeKeys } from '../../src/store/entry';
import { openFileStore } from '../../src/store/fileStore';
import { openMemory, parseMemory } from '../../src/store/memory';
import { askRedis, parseAnswer } from '../../src/store/redisQuestion';
import { openRedisStore } from '../../src/store/redisStore';
import { parseStoreFile } from '../../src/store/storeFile';
import { Play, started } from '../core/play';
import { planOf, TARGETS, type Owner } from '../support/coreWorld';
import { eventually } from '../support/eventually';
import { allowTime, ensure, runs } from '../support/fuzz';
import { byteChanges, changeBytes, changeJson, garbage, jsonChanges, type Json } from '../support/hostile';
import { recordingLogger } from '../support/logRecords';

allowTime();

const directory = mkdtempSync(join(tmpdir(), 'xr-aws-ha-fuzz-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The document as a file: whole, changed, damaged, or something else. */
const fileOf = (document: fc.Arbitrary<Json>): fc.Arbitrary<Buffer> => {
  const changed = fc
    .tuple(document, jsonChanges)
    .map(([whole, changes]) => Buffer.from(`${JSON.stringify(changeJson(whole, changes))}\n`));
  return fc.oneof(
    { weight: 4, arbitrary: changed },
    {
      weight: 2,
      arbitrary: fc.tuple(changed, byteChanges).map(([bytes, changes]) => changeBytes(bytes, changes)),
    },
    { weight: 1, arbitrary: garbage },
  );
};

// --- The decision memory ------------------------------------------------------------------------------

/** The daemon starts at this monotonic time. */
const START = 1_000_000;
const SESSIONS = ['a', 'b'];

const memory: fc.Arbitrary<Json> = fc.record({
  bootId: fc.constantFrom('boot', 'boot', 'boot', 'another', ''),
  savedAt: fc.constantFrom<Json>(START - 100, START - 50_000, START - 700_000, START + 1, 0, -1, 1e300, '7'),
  wasActive: fc.boolean(),
  armedSessions: fc.constantFrom<Json>(['a'], ['a', 'b'], [], ['x', '__proto__'], 'a'),
  intent: fc.constantFrom<Json>(
    null,
    { startedAt: START - 200, targets: [...TARGETS] },
    { startedAt: START - 200, targets: ['10.0.0.1', '__proto__'] },
    { startedAt: START + 500, targets: [...TARGETS] },
    { startedAt: START - 61_000, targets: [TARGETS[0]] },
    { startedAt: START, targets: [] },
  ),
  beenActive: fc.boolean(),
  inhibit: fc.constantFrom<Json>(
    null,
    null,
    { until: START + 5_000, untilWall: 5_000, forMs: 5_000, why: 'maintenance' },
    { until: -1, untilWall: 1e300, forMs: 0, why: '' },
  ),
  damping: fc.constantFrom<Json>(
    null,
    null,
    { penalty: 3_500, at: START - 1_000, suppressedUntil: START + 60_000 },
    { penalty: 1e300, at: 1e300, suppressedUntil: 1e300 },
  ),
});

function checkMemory(read: Memory): void {
  ensure(typeof read.bootId === 'string' && read.bootId !== '', 'a boot', read);
  ensure(Number.isFinite(read.savedAt) && read.savedAt >= 0, 'a time', read);
  ensure(typeof read.wasActive === 'boolean', 'a role', read);
  ensure(
    Array.isArray(read.armedSessions) && read.armedSessions.every((id) => typeof id === 'string'),
    'ids of sessions',
    read,
  );
  const { intent } = read;
  if (intent === null) return;
  ensure(Number.isFinite(intent.startedAt) && intent.startedAt >= 0, 'a time', read);
  ensure(
    intent.targets.length > 0 && intent.targets.every((each) => typeof each === 'string'),
    'targets',
    read,
  );
}

test('a memory is read whole or not at all', () => {
  const path = join(directory, 'decisions.json');
  let read = 0;
  fc.assert(
    fc.property(fileOf(memory), fc.nat({ max: 9 }), (bytes, which) => {
      const parsed = parseMemory(bytes.toString('utf8'));
      if (parsed !== null) {
        read += 1;
        checkMemory(parsed);
      }
      if (which > 0) return;
      writeFileSync(path, bytes);
      const { log, records } = recordingLogger();
      const loaded = openMemory(directory, ['default'], log).load('default');
      expect(loaded).toEqual(parsed);
      expect(records.map(({ event }) => event)).toEqual(parsed === null ? ['memory-unreadable'] : []);
    }),
    runs(1_500),
  );
  expect(read).toBeGreaterThan(0);
});

type Heard =
  | {
      readonly kind: 'levels';
      readonly a: string;
      readonly b: string;
      readonly survived: number;
      readonly local: string;
    }
  | { readonly kind: 'session'; readonly session: string; readonly level: string }
  | { readonly kind: 'ec2'; readonly first: Owner; readonly second: Owner }
  | { readonly kind: 'lost' };
type Level = 'Up' | 'Down' | 'Unknown' | 'Unconfigured';
const level = fc.constantFrom<Level>('Up', 'Down', 'Unknown', 'Unconfigured');
const local = fc.constantFrom<'Up' | 'Down' | 'Unknown'>('Up', 'Up', 'Down', 'Unknown');
const owner = fc.constantFrom<Owner>('mine', 'peer', 'peer', 'none');

const heard = fc.oneof(
  fc.record({
    kind: fc.constant('levels' as const),
    a: level,
    b: level,
    survived: fc.nat({ max: 3 }),
    local,
  }),
  fc.record({ kind: fc.constant('session' as const), session: fc.constantFrom(...SESSIONS), level }),
  fc.record({ kind: fc.constant('ec2' as const), first: owner, second: owner }),
  fc.constant({ kind: 'lost' as const }),
) satisfies fc.Arbitrary<Heard>;
type Told = typeof heard extends fc.Arbitrary<infer T> ? T : never;

function eventOf(play: Play, told: Told): Event {
  switch (told.kind) {
    case 'levels':
      return {
        type: 'streamsSynchronized',
        generation: 'gen2',
        answersAboutInterfaces: false,
        sessions: SESSIONS.map((session, index) => ({
          session,
          level: index === 0 ? told.a : told.b,
          survived: (told.survived & (1 << index)) !== 0,
          refused: false,
          notification: null,
        })),
        interfaces: ['Te1', 'Te2'].map((interfaceName) => ({ interfaceName, level: told.local })),
      };
    case 'session':
      return {
        type: 'bfdSessionChanged',
        session: told.session,
        level: told.level,
        diag: '',
        receivedAt: play.now,
        notification: {},
      };
    case 'ec2':
      return play.observed(told.first, told.second);
    case 'lost':
      return { type: 'streamsLost', cause: 'it is lost' };
  }
}

/** What may be resumed: begun less than a minute ago, on this boot, and known by a memory of the past. */
function maySomethingBeResumed(remembered: Memory | null, now: number): boolean {
  if (remembered === null || remembered.bootId !== 'boot' || remembered.savedAt > START) return false;
  const { intent } = remembered;
  return intent !== null && intent.startedAt <= START && now - intent.startedAt < 60_000;
}

test('no memory makes a router take over without a session that is DOWN and was UP, or an intent to resume', () => {
  let begun = 0;
  fc.assert(
    fc.property(
      fileOf(memory),
      fc.array(fc.tuple(heard, fc.constantFrom(0, 10, 6_000, 11_000)), { maxLength: 8 }),
      (bytes, story) => {
        const remembered = parseMemory(bytes.toString('utf8'));
        const play = new Play(planOf());
        play.at(START, started(remembered));
        const armedBefore = new Set(
          remembered?.bootId === 'boot' && START >= remembered.savedAt ? remembered.armedSessions : [],
        );
        const wasUp = new Set<string>();
        const isUp = new Set<string>();
        let owners = 'nobody said';
        let judged = 0;
        const check = () => {
          const { attempt } = play.state;
          // Judged when it begins: what has begun is driven on, whatever is heard meanwhile.
          if (attempt === null || attempt.number === judged || attempt.purpose !== 'takeover') return;
          judged = attempt.number;
          begun += 1;
          if (attempt.resumed) {
            ensure(maySomethingBeResumed(remembered, play.now), 'resumed', remembered, play.now);
            return ensure(owners === 'some', 'resumed what is not partial', owners, remembered);
          }
          ensure(attempt.sessions.length > 0, 'a takeover has a cause');
          for (const session of attempt.sessions) {
            ensure(!isUp.has(session), 'a session that is UP', session);
            ensure(
              wasUp.has(session) || armedBefore.has(session),
              'a session that was never UP',
              remembered,
              story,
            );
          }
        };
        for (const [told, afterMs] of story) {
          play.until(play.now + afterMs);
          check();
          const event = eventOf(play, told);
          const levels =
            told.kind === 'levels'
              ? { a: told.a, b: told.b }
              : told.kind === 'session'
                ? { [told.session]: told.level }
                : told.kind === 'lost'
                  ? { a: 'Unknown', b: 'Unknown' }
                  : {};
          for (const [session, now] of Object.entries(levels)) {
            if (now === 'Up') wasUp.add(session);
            if (now === 'Up') isUp.add(session);
            else isUp.delete(session);
          }
          if (told.kind === 'ec2' && play.state.observing.inFlight !== null) {
            const all = [told.first, told.second];
            owners = all.every((each) => each === 'mine') ? 'all' : all.includes('mine') ? 'some' : 'none';
          }
          play.at(play.now, event);
          check();
        }
        play.until(play.now + 120_000);
        check();
      },
    ),
    runs(1_000),
  );
  // Else the memory would never have mattered.
  expect(begun).toBeGreaterThan(0);
});

// --- The file that show reads --------------------------------------------------------------------------

const entry = (value: Json): Json => ({ value, timestamp: '2026/01/01 00:00:00.000000' });
const view: fc.Arbitrary<Json> = fc.constant({
  redundancy: ['ha_state', 'config'],
  ha_state: entry('ACTIVE'),
  ha_reason: entry('ACTIVE: all targets are on this router'),
  config: entry({ bfd_sessions: [{ neigh_ip: '172.31.105.154' }] }),
  bfd_neighbors: entry({}),
});
const keys = fc.constantFrom<string | undefined>(
  ...storeKeys,
  'redundancy',
  'nothing',
  '__proto__',
  undefined,
);
const ends: readonly number[] = Object.values(showExitCodes);

async function showing(key: string | undefined, settings: StoreSettings): Promise<number> {
  let out = '';
  let err = '';
  const code = await show(
    key,
    { store: { settings, configPath: '/config.json', doubt: null }, socketPath: '/nowhere' },
    { out: { write: (text) => (out += text) }, err: { write: (text) => (err += text) } },
  );
  ensure(ends.includes(code), 'an exit code', code);
  const isShown = code === showExitCodes.shown || code === showExitCodes.wantsPerson;
  const isOld = code === showExitCodes.stale;
  ensure(isOld || isShown === (err === ''), 'it says what is wrong', err);
  ensure((isShown || isOld) === (out !== ''), 'it shows something', out);
  ensure(
    err.split('\n').every((line) => line.length < 1_000 && !/[\p{C}\p{Zl}\p{Zp}]/u.test(line)),
    'lines for a terminal',
    err,
  );
  return code;
}

test('show reads any file', async () => {
  const path = join(directory, 'show.json');
  await fc.assert(
    fc.asyncProperty(fileOf(view), keys, async (bytes, key) => {
      parseStoreFile(bytes.toString('utf8'));
      writeFileSync(path, bytes);
      await showing(key, { type: 'file', path });
    }),
    runs(400),
  );
});

test('the daemon goes on with any file of its last run, and writes a good one', async () => {
  const path = join(directory, 'earlier.json');
  await fc.assert(
    fc.asyncProperty(fileOf(view), async (bytes) => {
      writeFileSync(path, bytes);
      const store = openFileStore(path, recordingLogger().log);
      store.put('ha_state', 'STANDBY');
      await store.close();
      expect(parseStoreFile(readFileSync(path, 'utf8'))?.entries.get('ha_state')?.value).toBe('STANDBY');
      expect(await showing('ha_state', { type: 'file', path })).toBe(0);
    }),
    runs(60),
  );
});

test('a value deeper than the stack is shown as it is, and one in the file is none', () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  expect(formatEntry({ value: deep, timestamp: 'then' })).toBe(`\nLast Created: then\n\n${deep}\n`);
  expect(parseStoreFile(`{"config": {"timestamp": "then", "value": ${deep}}}`)).toBeNull();
});

// --- Redis ---------------------------------------------------------------------------------------------

const replies = [
  '*2\r\n$6\r\nACTIVE\r\n$26\r\n2026/01/01 00:00:00.000000\r\n',
  '*2\r\n$-1\r\n$-1\r\n',
  '*2\r\n$8\r\nha_state\r\n$6\r\nconfig\r\n',
  '*0\r\n',
  '+OK\r\n',
  ':2\r\n',
  '-OOM command not allowed\r\n',
  '-ERR \u001b[31mred\u0007\r\n',
];
const hostileLengths = fc
  .tuple(
    fc.constantFrom('*', '$', ':', '+', '-', '%', '~', '>', '_', '('),
    fc.bigInt({ min: -20n, max: 2n ** 64n }),
  )
  .map(([type, length]) => `${type}${length}\r\n`);
const reply: fc.Arbitrary<Buffer> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom(...replies), byteChanges)
      .map(([text, changes]) => changeBytes(Buffer.from(text), changes)),
  },
  {
    weight: 2,
    arbitrary: fc
      .array(fc.oneof(hostileLengths, fc.constantFrom(...replies)), { minLength: 1, maxLength: 6 })
      .map((parts) => Buffer.from(parts.join(''))),
  },
  { weight: 1, arbitrary: garbage },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('*1\r\n'.repeat(50_000), `${'*1\r\n'.repeat(20_000)}:1\r\n`)
      .map((text) => Buffer.from(text)),
  },
);

test('any bytes are an answer, an error, or not complete', () => {
  fc.assert(
    fc.property(reply, (bytes) => {
      const answer = parseAnswer(bytes);
      if (answer === null || answer.outcome === 'reply') return;
      ensure(
        answer.cause.length < 400 && !/[\p{C}\p{Zl}\p{Zp}]/u.test(answer.cause),
        'a short line',
        answer.cause,
      );
    }),
    runs(1_500),
  );
});

test.each(['*3\r\n$-7\r\n', '*-2\r\n', '$-3\r\n'])('a length that leads back is not of Redis: %j', (text) => {
  expect(parseAnswer(Buffer.from(text))).toEqual({
    outcome: 'away',
    cause: 'what answers there is not Redis',
  });
});

describe('a server that is no Redis', () => {
  let server: Server;
  let port: number;
  let respond: (socket: Socket) => void = () => {};
  const sockets = new Set<Socket>();
  beforeEach(async () => {
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
      socket.on('data', () => respond(socket));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });

  test('show ends with one of its codes', async () => {
    await fc.assert(
      fc.asyncProperty(reply, keys, async (bytes, key) => {
        respond = (socket) => void socket.end(bytes);
        await showing(key, { type: 'redis', host: '127.0.0.1', port });
      }),
      runs(250),
    );
  });

  test('show waits for no end that does not come', async () => {
    let written = 0;
    respond = (socket) => {
      socket.write('*999999999999999\r\n');
      const more = Buffer.from(':1\r\n'.repeat(16_000));
      const goOn = (): void => {
        while (!socket.destroyed && socket.write(more)) written += more.length;
      };
      socket.on('drain', goOn);
      goOn();
    };
    const answer = await askRedis({ host: '127.0.0.1', port }, ['SMEMBERS', 'redundancy']);
    expect(answer).toMatchObject({ outcome: 'away' });
    expect(written).toBeLessThan(64 * 1024 * 1024);
  });

  // One reply at a time, so that there are never more of them than commands.
  const oneReply = fc.oneof(fc.constantFrom(...replies), hostileLengths).map((text) => Buffer.from(text));

  test('the daemon’s writer neither throws nor stays', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(oneReply, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        async (all, stays) => {
          let answered = 0;
          respond = (socket) => {
            const bytes = all[answered % all.length] ?? Buffer.alloc(0);
            answered += 1;
            if (stays) socket.write(bytes);
            else socket.end(bytes);
          };
          const { log } = recordingLogger();
          const store = openRedisStore({ host: '127.0.0.1', port }, log);
          store.put('ha_state', 'ACTIVE');
          store.put('config', { a: 1 });
          await eventually(() => ensure(answered > 0, 'it has written'));
          // What it makes of the answer comes in the turns that follow.
          for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve));
          store.put('ha_reason', 'again');
          await store.close();
        },
      ),
      runs(15),
    );
  });
});
