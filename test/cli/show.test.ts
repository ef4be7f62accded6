import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { show } from '../../src/cli/show';
import { readStoreSettings, type FoundStore } from '../../src/cli/storeSettings';
import type { StoreSettings } from '../../src/config/settings';
import { listedKeys, type StoreKey, type StoreValue } from '../../src/store/entry';
import { openStore } from '../../src/store/store';
import { askRedis } from '../../src/store/redisQuestion';
import { formatStoreFile } from '../../src/store/storeFile';
import { eventually } from '../support/eventually';
import { recordingLogger } from '../support/logRecords';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';

const found = (settings: StoreSettings): FoundStore => ({
  settings,
  configPath: '/app/onbox/config.json',
  doubt: null,
});

async function run(
  key: string | undefined,
  store: FoundStore,
  { json = false, socketPath = '/nowhere' } = {},
) {
  let out = '';
  let err = '';
  const code = await show(
    key,
    { store, socketPath, json },
    {
      out: { write: (text: string) => (out += text) },
      err: { write: (text: string) => (err += text) },
    },
  );
  return { code, out, err };
}

/** Values as they lie in Redis, and what the predecessor printed for them. */
const downEvent =
  '{"EventType":"SL_BFD_EVENT_TYPE_SESSION_STATE","Session":{"Key":{"Type":"SL_BFD_SINGLE_HOP",' +
  '"NbrAddr":2887738865,"Interface":{"Name":"TenGigE0/0/0/1"}},"State":{"SeqNum":"53","Status":"SL_BFD_SESSION_DOWN"}}}';
const golden: readonly (readonly [StoreKey, string, string, string])[] = [
  [
    'ha_state',
    '2021/07/06 13:00:24.442059',
    'STANDBY',
    '\nLast Created: 2021/07/06 13:00:24.442059\n\nSTANDBY\n',
  ],
  [
    'last_bfd_down_event',
    '2021/07/06 12:11:12.123067',
    downEvent,
    `
Last Created: 2021/07/06 12:11:12.123067

{
  "EventType": "SL_BFD_EVENT_TYPE_SESSION_STATE",
  "Session": {
    "Key": {
      "Type": "SL_BFD_SINGLE_HOP",
      "NbrAddr": 2887738865,
      "Interface": {
        "Name": "TenGigE0/0/0/1"
      }
    },
    "State": {
      "SeqNum": "53",
      "Status": "SL_BFD_SESSION_DOWN"
    }
  }
}
`,
  ],
  [
    'ha_interfaces',
    '2021/07/06 11:51:38.060111',
    '{"eni-0a1":{"interface_num":1,"private_ip_addresses":[]},"eni-0b2":{}}',
    `
Last Created: 2021/07/06 11:51:38.060111

{
  "eni-0a1": {
    "interface_num": 1,
    "private_ip_addresses": []
  },
  "eni-0b2": {}
}
`,
  ],
  [
    'ha_reason',
    '2021/07/06 11:51:38.060111',
    '[no JSON',
    '\nLast Created: 2021/07/06 11:51:38.060111\n\n[no JSON\n',
  ],
];

const goldenIndex = `[
  "last_bfd_down_event",
  "config",
  "last_intf_event",
  "ha_state",
  "bfd_neighbors",
  "ha_interfaces"
]
`;

let dir: string;
let redis: RedisServer;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

/** Each command on a connection of its own, so that no test inherits one from another. */
async function tellRedis(...command: readonly string[]): Promise<void> {
  const answer = await askRedis(redis, command);
  if (answer.outcome !== 'reply') throw new Error(`${command.join(' ')}: ${answer.cause}`);
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'xr-aws-ha-show-'));
  await tellRedis('FLUSHALL');
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

const inRedis = (): StoreSettings => ({ type: 'redis', host: redis.host, port: redis.port });
const inFile = (): StoreSettings => ({ type: 'file', path: join(dir, 'store.json') });

describe.each([
  ['redis', inRedis],
  ['file', inFile],
])('from the %s store', (type, settings) => {
  test('prints every byte as the predecessor did', async () => {
    if (type === 'redis') {
      for (const [key, timestamp, value] of golden) {
        await tellRedis('HSET', key, 'value', value, 'timestamp', timestamp);
      }
      await tellRedis('SADD', 'redundancy', ...listedKeys);
    } else {
      const entries = new Map(golden.map(([key, timestamp, value]) => [key, { value, timestamp }]));
      writeFileSync(join(dir, 'store.json'), formatStoreFile({ listed: listedKeys, entries }));
    }
    for (const [key, , , printed] of golden) {
      expect(await run(key, found(settings()))).toEqual({ code: 0, out: printed, err: '' });
    }
    expect(await run('redundancy', found(settings()))).toEqual({ code: 0, out: goldenIndex, err: '' });
  });

  test('prints what the daemon writes', async () => {
    const { log } = recordingLogger();
    const writer = openStore(settings(), log);
    const values: readonly (readonly [StoreKey, StoreValue])[] = [
      ['ha_state', 'ACTIVE'],
      ['config', { config: { redis_port: '6379', bfd_sessions: [] } }],
      ['ha_reason', 'all 2 targets are ours: “yes”'],
      ['ha_health', { store: { state: 'ok', last_ok_s: 0.1, failures: 0 } }],
    ];
    for (const [key, value] of values) writer.put(key, value);
    for (const [key, value] of values) {
      const printed = await eventually(async () => {
        const shown = await run(key, found(settings()));
        expect(shown).toMatchObject({ code: 0, err: '' });
        return shown.out;
      });
      const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
      expect(printed.replace(/\d/g, '0')).toBe(
        `\nLast Created: 0000/00/00 00:00:00.000000\n\n${text}\n`.replace(/\d/g, '0'),
      );
    }
    expect((await run('redundancy', found(settings()))).out).toBe('[\n  "config",\n  "ha_state"\n]\n');
    await writer.close();
  });

  test('says that nothing has been written, and what the key waits for', async () => {
    expect(await run('redundancy', found(settings()))).toMatchObject({ code: 3, out: '' });
    const state = await run('ha_state', found(settings()));
    expect(state).toMatchObject({ code: 3, out: '' });
    expect(state.err).toContain('nothing has been written to ha_state yet');
    expect((await run('last_bfd_down_event', found(settings()))).err).toContain(
      'none has been reported down',
    );
  });
});

describe('a wrong command', () => {
  test.each([
    ['ha_sate', 'ha_state'],
    ['ha-state', 'ha_state'],
    ['HA_STATE', 'ha_state'],
    ['bfd_neighbours', 'bfd_neighbors'],
    ['redundency', 'redundancy'],
  ])('%s: did you mean %s', async (typed, meant) => {
    const { code, out, err } = await run(typed, found(inRedis()));
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(`Did you mean ${meant}?`);
  });

  test.each([['version'], ['__proto__'], ['x'.repeat(100_000)], ['']])(
    'lists what there is: %.20s',
    async (typed) => {
      const { code, err } = await run(typed, found(inRedis()));
      expect(code).toBe(2);
      expect(err).not.toContain('Did you mean');
      for (const key of listedKeys) expect(err).toContain(key);
    },
  );

  test('so does no word at all', async () => {
    const { code, err } = await run(undefined, found(inRedis()));
    expect(code).toBe(2);
    expect(err).toContain('redundancy, last_bfd_down_event');
  });
});

describe('a store that is away', () => {
  test('nobody listens', async () => {
    const port = await freePort();
    const { code, out, err } = await run('ha_state', found({ type: 'redis', host: '127.0.0.1', port }));
    expect({ code, out }).toEqual({ code: 4, out: '' });
    expect(err).toContain(`127.0.0.1:${port}`);
    expect(err).toContain('ECONNREFUSED');
    expect(err).toContain('redis_server and redis_port in /app/onbox/config.json');
  });

  test('Redis hangs', async () => {
    redis.pause();
    const answer = run('redundancy', found(inRedis()));
    const { code, err } = await answer;
    redis.resume();
    expect(code).toBe(4);
    expect(err).toContain('does not answer: no answer in 900 ms');
  });

  test('Redis answers with an error', async () => {
    await tellRedis('SET', 'ha_state', 'not a hash');
    const { code, err } = await run('ha_state', found(inRedis()));
    expect(code).toBe(4);
    expect(err).toContain('WRONGTYPE');
  });

  test.each([
    ['closes at once', (socket: Socket) => void socket.end(), 'closed'],
    ['is not Redis', (socket: Socket) => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'), 'not Redis'],
    ['never ends its answer', (socket: Socket) => void socket.write('$10\r\nabc'), 'no answer'],
  ])('something that %s', async (_, behave, words) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      behave(socket);
    });
    const port = await listening(server);
    const { code, err } = await run('ha_state', found({ type: 'redis', host: '127.0.0.1', port }));
    server.close();
    expect(code).toBe(4);
    expect(err).toContain(words);
  });

  test('the file is damaged', async () => {
    writeFileSync(join(dir, 'store.json'), '{"ha_state": {"val');
    const { code, err } = await run('ha_state', found(inFile()));
    expect(code).toBe(4);
    expect(err).toContain('store.json is not a store file');
    expect(err).toContain('store.path in /app/onbox/config.json');
  });

  test('says when the address is a guess', async () => {
    const port = await freePort();
    const store: FoundStore = {
      ...found({ type: 'redis', host: '127.0.0.1', port }),
      doubt: 'x.json cannot be read',
    };
    expect((await run('ha_state', store)).err).toContain(
      'The default store was tried because x.json cannot be read.',
    );
  });
});

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

describe('where the store is', () => {
  const fallback = { type: 'redis', host: '127.0.0.1', port: 6379 };

  test.each<[string, unknown, unknown, boolean]>([
    ['nothing said', { config: {} }, fallback, false],
    [
      'Redis',
      { config: { redis_server: '10.0.0.9', redis_port: 7000 } },
      { type: 'redis', host: '10.0.0.9', port: 7000 },
      false,
    ],
    ['a port as text', { config: { redis_port: '7000' } }, { ...fallback, port: 7000 }, false],
    [
      'a file',
      { config: { store: { type: 'file', path: '/x/s.json' } } },
      { type: 'file', path: '/x/s.json' },
      false,
    ],
    [
      'other mistakes do not matter',
      { config: { bfd_sessions: 7, redis_port: 7000 } },
      { ...fallback, port: 7000 },
      false,
    ],
    ['a file without a path', { config: { store: { type: 'file' } } }, fallback, true],
    ['a port that is none', { config: { redis_port: '70000' } }, fallback, true],
    ['a server that is none', { config: { redis_server: ['a'] } }, fallback, true],
    ['no object', [], fallback, false],
  ])('%s', (_, document, settings, doubtful) => {
    const path = join(dir, 'config.json');
    writeFileSync(path, JSON.stringify(document));
    const store = readStoreSettings(path);
    expect(store.settings).toEqual(settings);
    expect(store.doubt !== null).toBe(doubtful);
  });

  test('a configuration that cannot be read', () => {
    const path = join(dir, 'config.json');
    expect(readStoreSettings(path)).toMatchObject({
      settings: fallback,
      doubt: expect.stringContaining('ENOENT') as unknown,
    });
    writeFileSync(path, '{"config": {,}}');
    expect(readStoreSettings(path)).toMatchObject({
      settings: fallback,
      doubt: expect.stringContaining(path) as unknown,
    });
  });
});

describe('what is old', () => {
  const alarm = {
    code: 'redundancy-lost',
    severity: 'major',
    about: ['10.0.1.100'],
    since: '2026-11-30T12:00:00.000Z',
    text: 'redundancy lost',
  };
  const storeOf = (ageS: number, alarms: readonly unknown[] = []): FoundStore => {
    const value = {
      router: 'rtr1',
      as_of: new Date(Date.now() - ageS * 1000).toISOString(),
      keepalive_s: 10,
      alarms,
    };
    const timestamp = '2026/11/30 12:00:00.000000';
    const entries = new Map<StoreKey, { value: string; timestamp: string }>([
      ['ha_state', { value: 'STANDBY', timestamp }],
      ['ha_targets', { value: '{"a":1}', timestamp }],
      ['config', { value: '{}', timestamp }],
      ['ha_alarms', { value: JSON.stringify(value), timestamp }],
    ]);
    writeFileSync(join(dir, 'store.json'), formatStoreFile({ listed: listedKeys, entries }));
    return found(inFile());
  };

  /** Says something to whoever connects, or nothing, as a process that is stuck. */
  async function withDaemon(answers: boolean, use: (socketPath: string) => Promise<void>): Promise<void> {
    const socketPath = join(dir, 'control.sock');
    const open: Socket[] = [];
    const server = createServer((socket) => {
      open.push(socket);
      if (answers) socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
    });
    server.listen(socketPath);
    await once(server, 'listening');
    await use(socketPath);
    for (const socket of open) socket.destroy();
    server.close();
  }

  test('is shown as old where the daemon is dead, with an exit code of its own', async () => {
    expect(await run('ha_state', storeOf(38))).toEqual({
      code: 5,
      out: '\nLast Created: 2026/11/30 12:00:00.000000\n\nSTANDBY (stale: 38 s old, the daemon does not answer)\n',
      err: '',
    });
    const { code, out, err } = await run('ha_targets', storeOf(38));
    expect([code, JSON.parse(out.split('\n\n')[1] ?? '')]).toEqual([5, { a: 1 }]);
    expect(err).toMatch(/^show: ha_targets is stale: 38 s old, the daemon does not answer\.\n/);
    expect((await run('ha_alarms', storeOf(38, [alarm]))).code).toBe(5);
  });

  test('what is ordered for later stands beside the state, which stays one of the three words', async () => {
    const timestamp = '2026/11/30 12:00:00.000000';
    const planned = [
      { what: 'switchover', at: '', text: 'a switchover is ordered for 2026-12-01T03:00:00Z' },
    ];
    const entries = new Map<StoreKey, { value: string; timestamp: string }>([
      ['ha_state', { value: 'ACTIVE', timestamp }],
      ['ha_planned', { value: JSON.stringify({ planned, last_switchover: [] }), timestamp }],
    ]);
    writeFileSync(join(dir, 'store.json'), formatStoreFile({ listed: listedKeys, entries }));
    expect(await run('ha_state', found(inFile()))).toEqual({
      code: 0,
      out: '\nLast Created: 2026/11/30 12:00:00.000000\n\nACTIVE\n',
      err: 'show: a switchover is ordered for 2026-12-01T03:00:00Z.\n',
    });
  });

  test('is not, where it says what once happened', async () => {
    expect(await run('config', storeOf(1_000))).toMatchObject({ code: 0, err: '' });
  });

  test.each([
    [14, 0],
    [16, 5],
  ])('at %d s without a daemon it ends with %d', async (ageS, code) => {
    expect((await run('ha_state', storeOf(ageS))).code).toBe(code);
  });

  test('a daemon that answers has three keepalives, and the time that a reading of EC2 may take', async () => {
    await withDaemon(true, async (socketPath) => {
      expect((await run('ha_state', storeOf(38), { socketPath })).code).toBe(0);
      const { code, out } = await run('ha_state', storeOf(45), { socketPath });
      expect([code, out]).toEqual([
        5,
        expect.stringContaining('45 s old, the daemon answers and has not') as unknown,
      ]);
    });
  });

  test('one that is stuck does not answer', async () => {
    await withDaemon(false, async (socketPath) => {
      expect((await run('ha_state', storeOf(20), { socketPath })).out).toMatch(/the daemon does not answer/);
    });
  });

  test('alarms are a page for people, and an exit code', async () => {
    const { code, out } = await run(
      'ha_alarms',
      storeOf(1, [alarm, { ...alarm, group: 'north', about: [] }]),
    );
    expect(code).toBe(1);
    expect(out.replace(/as of \S+/, 'as of NOW')).toBe(
      [
        '',
        '2 alarms stand on rtr1, as of NOW',
        '',
        'MAJOR     redundancy-lost since 2026-11-30T12:00:00.000Z',
        '          concerns 10.0.1.100',
        '          redundancy lost',
        '',
        'MAJOR     redundancy-lost since 2026-11-30T12:00:00.000Z',
        '          concerns group north',
        '          redundancy lost',
        '',
      ].join('\n'),
    );
    const none = await run('ha_alarms', storeOf(1));
    expect([none.code, none.out]).toEqual([
      0,
      expect.stringMatching(/^\nNo alarm stands on rtr1, as of \S+Z\n$/),
    ]);
  });

  test('--json has all of it, with times in UTC', async () => {
    const { code, out } = await run('ha_state', storeOf(38), { json: true });
    expect([code, JSON.parse(out)]).toEqual([
      5,
      {
        key: 'ha_state',
        last_created: new Date(2026, 10, 30, 12).toISOString(),
        stale: { age_s: 38, daemon_answers: false },
        value: 'STANDBY',
      },
    ]);
    const alarms = await run('ha_alarms', storeOf(1, [alarm]), { json: true });
    expect([alarms.code, JSON.parse(alarms.out)]).toMatchObject([
      1,
      { stale: null, value: { alarms: [alarm] } },
    ]);
  });
});

test('show loads no library: that alone would take longer than its 150 ms allow', () => {
  const loaded = new Set<string>();
  const visit = (file: string) => {
    const source = readFileSync(file, 'utf8').replace(/^import type [\s\S]*?;$/gm, '');
    for (const [, name = ''] of source.matchAll(/^import [\s\S]*?from '([^']+)';$/gm)) {
      const target = name.startsWith('.') ? `${resolve(dirname(file), name)}.ts` : name;
      if (loaded.has(target)) continue;
      loaded.add(target);
      if (name.startsWith('.')) visit(target);
    }
  };
  visit(resolve(__dirname, '../../src/cli/show.ts'));
  visit(resolve(__dirname, '../../src/cli/storeSettings.ts'));
  const packages = [...loaded].filter((name) => !name.startsWith('/'));
  expect(packages.sort()).toEqual(['node:fs', 'node:net', 'node:util/types']);
});

describe('show ha_ready', () => {
  const readiness = (ready: boolean) => ({
    ready,
    lines: [
      { condition: 'bfd_sessions', state: 'ok', age_s: 1.4, text: '2 of 2 sessions watch', what_to_do: '' },
      { condition: 'clock', state: 'unknown', age_s: null, text: 'EC2 is silent', what_to_do: 'Ask it.' },
      ...(ready
        ? []
        : [
            {
              condition: 'inhibit',
              group: 'web',
              state: 'failing',
              age_s: 0,
              text: 'inhibited',
              what_to_do: 'Release it.',
            },
          ]),
    ],
  });
  const of = (ready: boolean) => {
    const entries = new Map([
      [
        'ha_ready' as const,
        { value: JSON.stringify(readiness(ready)), timestamp: '2026/11/30 12:00:00.000000' },
      ],
    ]);
    writeFileSync(join(dir, 'store.json'), formatStoreFile({ listed: [], entries }));
    return run('ha_ready', found(inFile()));
  };

  test('prints what fails first, with what to do, and ends with 1', async () => {
    const { code, out } = await of(false);
    expect(code).toBe(1);
    expect(out.split('\n').slice(3)).toEqual([
      'NOT READY: a failover would not work now',
      '',
      'failing  web: inhibit     0 s  inhibited',
      '                               -> Release it.',
      'unknown  clock              -  EC2 is silent',
      '                               -> Ask it.',
      'ok       bfd_sessions     1 s  2 of 2 sessions watch',
      '',
    ]);
  });

  test('ends with 0 where nothing fails', async () => {
    const { code, out } = await of(true);
    expect(code).toBe(0);
    expect(out).toContain('\nREADY: a failover would work now\n');
  });
});
