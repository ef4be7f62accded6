/** Files in, settings out. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { readStoreSettings } from '../../src/cli/storeSettings';
import { loadConfig, parseConfig, type Loaded } from '../../src/config/load';
import type { Settings } from '../../src/config/settings';
import type { Plan } from '../../src/core/plan';
import { addressWith, configWith, textOf, withAddresses, withSessions } from './documents';

const fixtures = join(__dirname, 'fixtures');
const examples = join(__dirname, '..', '..', 'config', 'examples');

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'xr-aws-ha-config-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

function settingsOf(loaded: Loaded): Settings {
  if (!loaded.ok) throw new Error(loaded.report);
  return loaded.settings;
}

/** The plan of the only group. */
function planOf({ groups }: Pick<Settings, 'groups'>): Plan {
  const [group, ...others] = groups;
  if (group === undefined || others.length > 0) throw new Error('there is not one group');
  return group.plan;
}

function settingsWith(config: unknown): Settings {
  return settingsOf(parseConfig(textOf(config), 'FILE'));
}

describe('files of xrv9k-aws-ha', () => {
  test('its sample file', () => {
    const settings = settingsOf(loadConfig(join(fixtures, 'sample.json')));
    const plan = {
      targets: [
        { address: '172.31.101.10', deviceIndex: 1 },
        { address: '172.31.105.10', deviceIndex: 2 },
      ],
      sessions: [
        {
          id: '172.31.105.206 on TenGigE0/0/0/2',
          peerAddress: '172.31.105.206',
          interfaceName: 'TenGigE0/0/0/2',
          detectionTimeMs: 150,
        },
        {
          id: '172.31.101.101 on TenGigE0/0/0/1',
          peerAddress: '172.31.101.101',
          interfaceName: 'TenGigE0/0/0/1',
          detectionTimeMs: 150,
        },
      ],
      trigger: 'any',
      preferred: false,
      foreignHolder: 'refuse',
      timing: {
        keepaliveIntervalMs: 10_000,
        roleTtlMs: 30_000,
        stalenessMs: 10_000,
        reestablishAfterInterfaceMs: 5_000,
        reestablishMs: 10_000,
        settleMs: 20,
        hedgeMs: 700,
        armedTtlMs: 600_000,
        partialHoldMs: 25_000,
        evidenceHoldMs: 30_000,
        takeFromRunningAfterMs: null,
        dampingHalfLifeMs: 60_000,
        preemptDelayMs: 60_000,
        ownStallHoldMs: 3_000,
      },
    };
    expect(settings).toEqual({
      groups: [{ name: 'default', plan }],
      whole: { targets: plan.targets, sessions: plan.sessions },
      targetPlaces: new Map(
        plan.targets.map(({ address }) => [address, 'config.action.method_params.intf_list']),
      ),
      slapi: {
        target: '127.0.0.1:57777',
        tls: null,
        credentialsFile: null,
        sessions: [
          {
            id: '172.31.105.206 on TenGigE0/0/0/2',
            peerAddress: '172.31.105.206',
            interfaceName: 'TenGigE0/0/0/2',
            vrfName: 'default',
            desiredMinTxIntervalUs: 50_000,
            detectMult: 3,
          },
          {
            id: '172.31.101.101 on TenGigE0/0/0/1',
            peerAddress: '172.31.101.101',
            interfaceName: 'TenGigE0/0/0/1',
            vrfName: 'default',
            desiredMinTxIntervalUs: 50_000,
            detectMult: 3,
          },
        ],
        retryIntervalMs: 30_000,
        retryCount: 5,
      },
      ec2: {
        endpointUrl: 'https://vpce-01c286018e0fad113-vwje496n.ec2.us-west-2.vpce.amazonaws.com',
        apiTimeoutMs: 1_000,
      },
      store: { type: 'redis', host: '127.0.0.1', port: 6379 },
      log: { level: 'info', file: '/var/log/ha_app_bkp.log', syslog: null },
      stateDir: '/var/lib/xr-aws-ha',
      controlSocket: '/run/xr-aws-ha/control.sock',
      onShutdown: 'keep',
      document: JSON.parse(readFileSync(join(fixtures, 'sample.json'), 'utf8')) as unknown,
      warnings: [],
    });
  });

  test('the file that its `show config` prints', () => {
    const settings = settingsOf(loadConfig(join(fixtures, 'show-config.json')));
    const { warnings } = settings;
    expect(planOf(settings).targets).toEqual([
      { address: '172.31.101.20', deviceIndex: 1 },
      { address: '172.31.105.20', deviceIndex: 3 },
    ]);
    expect(warnings).toEqual([]);
  });
});

describe('examples', () => {
  const rtr1 = () => settingsOf(loadConfig(join(examples, 'secondary-ip-rtr1.json')));
  const rtr2 = () => settingsOf(loadConfig(join(examples, 'secondary-ip-rtr2.json')));

  test('load without a warning', () => {
    expect([...rtr1().warnings, ...rtr2().warnings]).toEqual([]);
  });

  test('are a pair: the same floating addresses, each on its own interfaces', () => {
    const addresses = (settings: Settings) => planOf(settings).targets.map(({ address }) => address);
    expect(addresses(rtr1())).toEqual(addresses(rtr2()));
    const peers = (settings: Settings) => planOf(settings).sessions.map(({ peerAddress }) => peerAddress);
    expect(peers(rtr1()).some((peer) => peers(rtr2()).includes(peer))).toBe(false);
  });
});

test('the active-active examples: each router is preferred for its half, and both watch with all sessions', () => {
  const groupsOf = (name: string) =>
    settingsOf(loadConfig(join(examples, `active-active-${name}.json`))).groups.map(
      ({ name: group, plan }) => ({
        group,
        targets: plan.targets.map(({ address }) => address),
        preferred: plan.preferred,
        sessions: plan.sessions.length,
      }),
    );
  const north = { group: 'north', targets: ['172.31.101.10'], sessions: 2 };
  const south = { group: 'south', targets: ['172.31.105.10'], sessions: 2 };
  expect(groupsOf('rtr1')).toEqual([
    { ...north, preferred: true },
    { ...south, preferred: false },
  ]);
  expect(groupsOf('rtr2')).toEqual([
    { ...north, preferred: false },
    { ...south, preferred: true },
  ]);
});

test('a group has the sessions that it names, and the outer preference and trigger where it writes none', () => {
  const { action } = configWith();
  const settings = settingsWith({
    ...withSessions({ name: 'a' }, { name: 'b', neigh_ip: '172.31.105.155' }),
    action: undefined,
    preferred: true,
    groups: [
      { name: 'one', action, bfd_sessions: ['b'], preferred: false },
      {
        name: 'two',
        action: {
          method: 'secondary_ip_shift',
          method_params: { intf_list: [addressWith({ secondary_ip: '172.31.105.11' })] },
        },
        trigger: 'all',
      },
    ],
  });
  expect(
    settings.groups.map(({ name, plan: { sessions, preferred, trigger } }) => ({
      name,
      peers: sessions.map(({ peerAddress }) => peerAddress),
      preferred,
      trigger,
    })),
  ).toEqual([
    { name: 'one', peers: ['172.31.105.155'], preferred: false, trigger: 'any' },
    { name: 'two', peers: ['172.31.105.154', '172.31.105.155'], preferred: true, trigger: 'all' },
  ]);
  expect(settings.whole.targets.map(({ address }) => address)).toEqual(['172.31.105.10', '172.31.105.11']);
  expect(settings.targetPlaces.get('172.31.105.11')).toBe('config.groups[1].action.method_params.intf_list');
});

describe('settings', () => {
  test('numbers as texts are the same numbers', () => {
    const config = (write: (value: number) => unknown) => ({
      ...withSessions({ bfd_desired_tx_int_usec: write(100_000), detect_multiplier: write(4) }),
      ...{ grpc_port: write(57_400), keepalive_s: write(5), api_timeout_s: write(0.5), settle_ms: write(30) },
    });
    const { document: _text, ...fromTexts } = settingsWith(config(String));
    const { document: _number, ...fromNumbers } = settingsWith(config((value) => value));
    expect(fromTexts).toEqual(fromNumbers);
    expect(planOf(fromTexts).timing.keepaliveIntervalMs).toBe(5_000);
    expect(fromTexts.ec2.apiTimeoutMs).toBe(500);
    expect(fromTexts.slapi.target).toBe('127.0.0.1:57400');
  });

  test('targets are in the order of their addresses as numbers, wherever they stand', () => {
    const addresses = ['172.31.101.100', '172.31.101.20', '9.0.0.1', '172.31.9.1', '200.1.1.1'];
    const entries = addresses.map((secondary_ip) => addressWith({ secondary_ip }));
    const sorted = ['9.0.0.1', '172.31.9.1', '172.31.101.20', '172.31.101.100', '200.1.1.1'];
    for (const list of [entries, entries.toReversed()]) {
      expect(planOf(settingsWith(withAddresses(...list))).targets.map(({ address }) => address)).toEqual(
        sorted,
      );
    }
  });

  test('a session outside the default VRF says so in its id', () => {
    const settings = settingsWith(withSessions({ vrf_name: 'blue' }));
    const { slapi } = settings;
    expect(planOf(settings).sessions.map(({ id }) => id)).toEqual([
      '172.31.105.154 on TenGigE0/0/0/2 in vrf blue',
    ]);
    expect(slapi.sessions.map(({ id, vrfName }) => [id, vrfName])).toEqual([
      ['172.31.105.154 on TenGigE0/0/0/2 in vrf blue', 'blue'],
    ]);
  });

  test.each(['unix:/root/ems/grpc.sock', 'unix:///root/ems/grpc.sock'])(
    'the socket %s has no port',
    (server) => {
      expect(settingsWith(configWith({ grpc_server: server, grpc_port: 57_777 })).slapi.target).toBe(server);
    },
  );

  test('TLS, credentials, syslog, shutdown and places', () => {
    const settings = settingsWith(
      configWith({
        grpc_tls: { ca_file: '/app/onbox/ems.pem' },
        grpc_credentials_file: '/app/onbox/credentials',
        syslog_server: 'log.example.com',
        syslog_file: '/var/log/other.log',
        log_level: 'debug',
        on_shutdown: 'unregister',
        trigger: 'all',
        preferred: true,
        foreign_holder: 'take',
        take_from_running_after_s: 120,
        state_dir: '/mnt/state',
        control_socket: '/mnt/state/control.sock',
        store: { type: 'file', path: '/mnt/state/show.json' },
      }),
    );
    expect(settings.slapi.tls).toEqual({ caFile: '/app/onbox/ems.pem', serverName: 'ems.cisco.com' });
    expect(settings.slapi.credentialsFile).toBe('/app/onbox/credentials');
    expect(settings.log).toEqual({
      level: 'debug',
      file: '/var/log/other.log',
      syslog: { host: 'log.example.com', port: 514 },
    });
    expect(settings.onShutdown).toBe('unregister');
    expect(planOf(settings).trigger).toBe('all');
    expect(planOf(settings).preferred).toBe(true);
    expect(planOf(settings).foreignHolder).toBe('take');
    expect(planOf(settings).timing.takeFromRunningAfterMs).toBe(120_000);
    expect(settings.stateDir).toBe('/mnt/state');
    expect(settings.controlSocket).toBe('/mnt/state/control.sock');
    expect(settings.store).toEqual({ type: 'file', path: '/mnt/state/show.json' });
  });

  test.each([
    ['https://ec2.example.com/', 'https://ec2.example.com'],
    ['https://EC2.example.com:8443', 'https://ec2.example.com:8443'],
    ['http://127.0.0.1:4566', 'http://127.0.0.1:4566'],
  ])('the endpoint %s is %s', (written, endpointUrl) => {
    expect(settingsWith(configWith({ ec2_private_endpoint_url: written })).ec2.endpointUrl).toBe(endpointUrl);
  });

  test('notes may stand anywhere, even twice, and stay in the document for `show config`', () => {
    const text = `{"//": "a", "//": "b", "__proto__": 1, "$schema": "schema.json", "config": ${JSON.stringify(
      {
        ...withSessions({ _why: 'first', '// and': 1 }),
        _grpc_port: 'not a port',
      },
    )}}`;
    const settings = settingsOf(parseConfig(text, 'FILE'));
    expect(settings.document).toEqual(JSON.parse(text));
    expect(settings.warnings).toEqual([]);
  });

  test('`show` finds the same store without the schema', () => {
    const documents = [
      configWith(),
      configWith({ redis_server: 'redis.example.com', redis_port: '6380' }),
      configWith({ store: { type: 'redis' }, redis_port: 7000 }),
      configWith({ store: { type: 'file', path: '/mnt/state/show.json' } }),
    ];
    for (const config of documents) {
      const path = file('store.json', textOf(config));
      expect(readStoreSettings(path)).toMatchObject({
        settings: settingsOf(loadConfig(path)).store,
        doubt: null,
      });
    }
  });
});

describe('files that cannot be read', () => {
  function reportOf(path: string): string {
    const loaded = loadConfig(path);
    return loaded.ok ? 'ok' : loaded.report;
  }

  test('missing', () => {
    const path = join(directory, 'nowhere.json');
    expect(reportOf(path)).toBe(
      `${path}: there is no such file; name the configuration file with -c, or mount it into the container`,
    );
  });

  test('a directory', () => {
    expect(reportOf(directory)).toBe(
      `${directory}: is a directory, not a file; where it is mounted into a container, its source was missing when the container was made: copy the file there and make the container anew`,
    );
  });

  test('below a file', () => {
    const path = join(file('config.json', textOf(configWith())), 'config.json');
    expect(reportOf(path)).toContain('there is no such file');
  });

  test('not permitted', () => {
    const path = file('secret.json', textOf(configWith()));
    chmodSync(path, 0);
    // Root reads it all the same.
    expect(reportOf(path)).toBe(
      process.getuid?.() === 0
        ? 'ok'
        : `${path}: no permission to read the file; allow the user of this process to read it`,
    );
  });

  test('a path that no file can have', () => {
    expect(reportOf('/a\0b')).toBe('/a\\u0000b: the file cannot be read (ERR_INVALID_ARG_VALUE)');
  });

  test('UTF-16', () => {
    const path = file('utf16.json', Buffer.from(`\uFEFF${textOf(configWith())}`, 'utf16le'));
    expect(reportOf(path)).toBe(`${path}: is not UTF-8 text; save it in that encoding`);
  });

  test('UTF-8 with a byte order mark is fine', () => {
    expect(reportOf(file('bom.json', `\uFEFF${textOf(configWith())}`))).toBe('ok');
  });

  test('something large', () => {
    const path = file('large.json', Buffer.alloc(1024 * 1024 + 1, 0x20));
    expect(reportOf(path)).toBe(`${path}: has 1048577 bytes; a configuration has a few thousand`);
  });
});

describe('never throws', () => {
  function expectAnswer(loaded: Loaded) {
    if (loaded.ok) expect(planOf(loaded.settings).sessions.length).toBeGreaterThan(0);
    else expect(loaded.report).toMatch(/\S/);
  }

  test('on any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => expectAnswer(parseConfig(text, 'FILE'))));
  });

  test('on any bytes in a file', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) =>
        expectAnswer(loadConfig(file('any.json', bytes))),
      ),
    );
  });

  test('on any JSON', () => {
    fc.assert(fc.property(fc.json(), (text) => expectAnswer(parseConfig(text, 'FILE'))));
  });

  test('on a configuration with any JSON in the place of any of its values', () => {
    const whole = { config: { ...configWith(), store: { type: 'redis' }, grpc_tls: { ca_file: '/a' } } };
    const places = placesIn(whole, []);
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.jsonValue({ maxDepth: 2 }), (place, value) =>
        expectAnswer(parseConfig(JSON.stringify(replaced(whole, place, value)), 'FILE')),
      ),
      { numRuns: 500 },
    );
  });

  type Place = readonly string[];

  function placesIn(value: unknown, at: Place): readonly Place[] {
    const below = typeof value === 'object' && value !== null ? Object.entries(value) : [];
    return [at, ...below.flatMap(([key, inner]) => placesIn(inner, [...at, key]))];
  }

  function replaced(value: unknown, [key, ...rest]: Place, by: unknown): unknown {
    if (key === undefined) return by;
    if (Array.isArray(value))
      return value.map((entry: unknown, i) => (String(i) === key ? replaced(entry, rest, by) : entry));
    const members = value as { readonly [key: string]: unknown };
    return { ...members, [key]: replaced(members[key], rest, by) };
  }
});
