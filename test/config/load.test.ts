/** Files in, settings out. */
import { hostname } from 'node:os';
import { addressTarget } from '../support/coreWorld';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from '../support/properties';
import { readStoreSettings } from '../../src/cli/storeSettings';
import { loadConfig, parseConfig, type Loaded } from '../../src/config/load';
import { EC2 } from '../../src/aws/description';
import type { Settings } from '../../src/config/settings';
import { addressWith, configWith, multiHop, textOf, withAddresses, withSessions } from './documents';
import { inAws } from '../support/inAws';

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

function settingsWith(config: unknown): Settings {
  return settingsOf(parseConfig(textOf(config), 'FILE'));
}

describe('files of xrv9k-aws-ha', () => {
  test('its sample file', () => {
    const settings = settingsOf(loadConfig(join(fixtures, 'sample.json')));
    const plan = {
      targets: [addressTarget('172.31.101.10', 1, 1), addressTarget('172.31.105.10', 2, 0)],
      sessions: [
        {
          id: '172.31.105.206 on TenGigE0/0/0/2',
          peerAddress: '172.31.105.206',
          interfaceName: 'TenGigE0/0/0/2',
          txIntervalMs: 50,
          detectionTimeMs: 150,
        },
        {
          id: '172.31.101.101 on TenGigE0/0/0/1',
          peerAddress: '172.31.101.101',
          interfaceName: 'TenGigE0/0/0/1',
          txIntervalMs: 50,
          detectionTimeMs: 150,
        },
      ],
      peerAddresses: ['172.31.105.206', '172.31.101.101'],
      trigger: 'any',
      preferred: false,
      foreignHolder: 'refuse',
      onPeerWithdrawn: 'stay',
      handsOver: { beforeMaintenanceMs: null, atShutdown: false },
      timing: {
        keepaliveIntervalMs: 10_000,
        roleTtlMs: 30_000,
        stalenessMs: 10_000,
        reestablishAfterInterfaceMs: 5_000,
        reestablishMs: 10_000,
        settleMs: 20,
        hedgeMs: 700,
        hedgeLeastMs: 200,
        armedTtlMs: 600_000,
        partialHoldMs: 25_000,
        evidenceHoldMs: 30_000,
        takeFromRunningAfterMs: null,
        dampingHalfLifeMs: 60_000,
        preemptDelayMs: 60_000,
        ownStallHoldMs: 3_000,
      },
      cloud: EC2,
    };
    const groups = [{ name: 'default', plan }];
    expect(settings).toEqual({
      groups,
      whole: plan,
      cloud: {
        type: 'aws',
        groups,
        whole: plan,
        ec2: {
          sourceDestCheck: 'report',
          applicationStatusCheck: null,
          limits: {
            AssignPrivateIpAddresses: { burst: 100, refillPerS: 5 },
            AssignIpv6Addresses: { burst: 100, refillPerS: 5 },
            UnassignIpv6Addresses: { burst: 50, refillPerS: 5 },
            ReplaceRoute: { burst: 50, refillPerS: 5 },
            CreateRoute: { burst: 50, refillPerS: 5 },
            AssociateAddress: { burst: 50, refillPerS: 5 },
          },
          endpointUrl: 'https://vpce-01c286018e0fad113-vwje496n.ec2.us-west-2.vpce.amazonaws.com',
          apiTimeoutMs: 1_000,
        },
      },
      slapi: {
        target: '127.0.0.1:57777',
        tls: null,
        credentialsFile: null,
        sessions: [
          {
            id: '172.31.105.206 on TenGigE0/0/0/2',
            peerAddress: '172.31.105.206',
            sourceAddress: null,
            interfaceName: 'TenGigE0/0/0/2',
            vrfName: 'default',
            desiredMinTxIntervalUs: 50_000,
            detectMult: 3,
          },
          {
            id: '172.31.101.101 on TenGigE0/0/0/1',
            peerAddress: '172.31.101.101',
            sourceAddress: null,
            interfaceName: 'TenGigE0/0/0/1',
            vrfName: 'default',
            desiredMinTxIntervalUs: 50_000,
            detectMult: 3,
          },
        ],
        retryIntervalMs: 30_000,
        retryCount: 5,
      },
      store: { type: 'redis', host: '127.0.0.1', port: 6379 },
      log: { router: hostname(), level: 'info', file: '/var/log/ha_app_bkp.log', syslog: null },
      stateDir: '/var/lib/xr-aws-ha',
      status: null,
      controlSocket: '/run/xr-aws-ha/control.sock',
      peerStatus: null,
      notifications: [],
      onShutdown: 'keep',
      document: JSON.parse(readFileSync(join(fixtures, 'sample.json'), 'utf8')) as unknown,
      warnings: [],
    });
  });

  test('the file that its `show config` prints', () => {
    const { whole: plan, warnings } = settingsOf(loadConfig(join(fixtures, 'show-config.json')));
    expect(plan.targets).toEqual([
      addressTarget('172.31.101.20', 1, 1),
      addressTarget('172.31.105.20', 3, 0),
    ]);
    expect(warnings).toEqual([]);
  });
});

describe.each([
  'secondary-ip',
  'multi-hop',
  'gre-tunnel',
  'ipv6',
  'routes',
  'elastic-ip',
  'routes-and-elastic-ip',
])('examples, %s', (kind) => {
  const crossesZones = /routes|elastic-ip/.test(kind);
  const rtr1 = () => settingsOf(loadConfig(join(examples, `${kind}-rtr1.json`)));
  const rtr2 = () => settingsOf(loadConfig(join(examples, `${kind}-rtr2.json`)));

  test('load, and only what is unproven is warned about', () => {
    const warnings = [...rtr1().warnings, ...rtr2().warnings];
    expect(warnings).toEqual(
      kind === 'multi-hop' || crossesZones
        ? Array(2).fill(expect.stringMatching(/multi-hop BFD .* is unproven/))
        : kind === 'gre-tunnel'
          ? Array(2).fill(expect.stringMatching(/intf_name: BFD over a tunnel .* is unproven/))
          : [],
    );
  });

  test('watch each other: the ends of their sessions are each other', () => {
    const ends = ({ slapi }: Settings) =>
      slapi.sessions.map(({ sourceAddress, peerAddress }) => [sourceAddress, peerAddress]);
    const [one, other] = [ends(rtr1()), ends(rtr2())];
    expect(one.length).toBe(other.length);
    if (kind === 'multi-hop') expect(one).toEqual(other.map((pair) => pair.toReversed()));
  });

  test('recognise each other in EC2 on every interface that holds a floating address', () => {
    const { whole: plan } = rtr1();
    // Of other zones, and with other subnets: there the device index tells where a target belongs.
    if (crossesZones) return expect(plan.peerAddresses).toHaveLength(1);
    const subnets = plan.targets.flatMap((target) =>
      target.kind === 'privateAddress' && target.address !== undefined
        ? [target.address.replace(/\.\d+$/, '')]
        : [],
    );
    for (const { peerAddresses } of [plan, rtr2().whole])
      expect(peerAddresses.map((address) => address.replace(/\.\d+$/, '')).sort()).toEqual(subnets.sort());
  });

  test('are a pair: the same floating addresses, each on its own interfaces', () => {
    const addresses = (settings: Settings) => settings.whole.targets.map(({ id }) => id);
    expect(addresses(rtr1())).toEqual(addresses(rtr2()));
    const peers = (settings: Settings) => settings.whole.sessions.map(({ peerAddress }) => peerAddress);
    expect(peers(rtr1()).some((peer) => peers(rtr2()).includes(peer))).toBe(false);
  });
});

test('the active-active examples: each router is preferred for its half, and both watch with all sessions', () => {
  const groupsOf = (name: string) =>
    settingsOf(loadConfig(join(examples, `active-active-${name}.json`))).groups.map(
      ({ name: group, plan }) => ({
        group,
        targets: plan.targets.map(({ id }) => id),
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
  expect(settings.whole.targets.map(({ id }) => id)).toEqual(['172.31.105.10', '172.31.105.11']);
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
    expect(fromTexts.whole.timing.keepaliveIntervalMs).toBe(5_000);
    expect(inAws(fromTexts).ec2.apiTimeoutMs).toBe(500);
    expect(fromTexts.slapi.target).toBe('127.0.0.1:57400');
  });

  test('targets are in the order of their addresses as numbers, wherever they stand', () => {
    const addresses = ['172.31.101.100', '172.31.101.20', '9.0.0.1', '172.31.9.1', '200.1.1.1'];
    const entries = addresses.map((secondary_ip) => addressWith({ secondary_ip }));
    const sorted = ['9.0.0.1', '172.31.9.1', '172.31.101.20', '172.31.101.100', '200.1.1.1'];
    for (const list of [entries, entries.toReversed()]) {
      expect(settingsWith(withAddresses(...list)).whole.targets.map(({ id }) => id)).toEqual(sorted);
    }
  });

  test('a session outside the default VRF says so in its id', () => {
    const { whole: plan, slapi } = settingsWith(withSessions({ vrf_name: 'blue' }));
    expect(plan.sessions.map(({ id }) => id)).toEqual(['172.31.105.154 on TenGigE0/0/0/2 in vrf blue']);
    expect(slapi.sessions.map(({ id, vrfName }) => [id, vrfName])).toEqual([
      ['172.31.105.154 on TenGigE0/0/0/2 in vrf blue', 'blue'],
    ]);
  });

  test('a multi-hop session is told from others by its source address, and watches its interface', () => {
    const { whole: plan, slapi } = settingsWith(withSessions({}, multiHop()));
    expect(plan.sessions.map(({ id, interfaceName }) => [id, interfaceName])).toEqual([
      ['172.31.105.154 on TenGigE0/0/0/2', 'TenGigE0/0/0/2'],
      ['172.31.105.154 from 172.31.101.241', 'TenGigE0/0/0/2'],
    ]);
    expect(slapi.sessions.map(({ sourceAddress }) => sourceAddress)).toEqual([null, '172.31.101.241']);
  });

  test('a source address of a single-hop session is not used', () => {
    const { slapi } = settingsWith(withSessions({ source_ip: '172.31.101.241' }));
    expect(slapi.sessions.map(({ sourceAddress }) => sourceAddress)).toEqual([null]);
  });

  test('an IPv6 address is one text, however it is written', () => {
    const { whole: plan } = settingsWith(
      withSessions(multiHop({ neigh_ip: '2001:DB8:0:0::0001', source_ip: '2001:0db8::2:0:0:1' })),
    );
    expect(plan.sessions.map(({ id }) => id)).toEqual(['2001:db8::1 from 2001:db8::2:0:0:1']);
    expect(plan.peerAddresses).toEqual(['2001:db8::1']);
  });

  test('a link-local neighbour belongs to its interface and is not asked for in EC2', () => {
    const { whole: plan, slapi } = settingsWith(
      withSessions({ neigh_ip: 'FE80::1' }, { neigh_ip: 'fe80::1', intf_name: 'TenGigE0/0/0/1' }, {}),
    );
    expect(plan.sessions.map(({ peerAddress }) => peerAddress)).toEqual([
      'fe80::1%TenGigE0/0/0/2',
      'fe80::1%TenGigE0/0/0/1',
      '172.31.105.154',
    ]);
    expect(slapi.sessions.map(({ peerAddress }) => peerAddress)).toEqual([
      'fe80::1',
      'fe80::1',
      '172.31.105.154',
    ]);
    expect(plan.peerAddresses).toEqual(['172.31.105.154']);
  });

  test('addresses that are listed for it stand in place of the neighbours', () => {
    const { whole: plan } = settingsWith(
      configWith({ peer_private_ips: ['172.31.105.206', '172.31.101.101', '172.31.105.206'] }),
    );
    expect(plan.peerAddresses).toEqual(['172.31.105.206', '172.31.101.101']);
  });

  test.each(['unix:/root/ems/grpc.sock', 'unix:///root/ems/grpc.sock'])(
    'the socket %s has no port',
    (server) => {
      expect(settingsWith(configWith({ grpc_server: server, grpc_port: 57_777 })).slapi.target).toBe(server);
    },
  );

  test('receivers of notifications, with the ports of their transports', () => {
    const { notifications } = settingsWith(
      configWith({
        notifications: {
          webhooks: [{ name: 'noc', url: 'https://noc.example.com/hook', hmac_key_file: '/app/onbox/key' }],
          syslog_servers: [
            { name: 'a', server: '10.0.0.9' },
            { name: 'b', server: '10.0.0.9', transport: 'tls', ca_file: '/app/onbox/ca.pem' },
            { name: 'c', server: '10.0.0.9', transport: 'udp', port: 5140 },
          ],
          sns: [
            {
              name: 'pager',
              topic_arn: 'arn:aws:sns:us-west-2:123456789012:xr-aws-ha',
              endpoint_url: 'https://sns.example.com/',
            },
          ],
          snmp: [
            { name: 'x', server: '10.0.0.8', snmp_version: 'v2c', community_file: '/app/onbox/community' },
            { name: 'y', server: '10.0.0.8', snmp_version: 'v3', user_file: '/app/onbox/user', port: 1162 },
          ],
        },
      }),
    );
    expect(settingsWith(configWith()).notifications).toEqual([]);
    expect(notifications).toEqual([
      {
        type: 'webhook',
        name: 'noc',
        url: 'https://noc.example.com/hook',
        keyFile: '/app/onbox/key',
        caFile: null,
      },
      { type: 'syslog', name: 'a', host: '10.0.0.9', port: 514, transport: 'tcp', caFile: null },
      {
        type: 'syslog',
        name: 'b',
        host: '10.0.0.9',
        port: 6514,
        transport: 'tls',
        caFile: '/app/onbox/ca.pem',
      },
      { type: 'syslog', name: 'c', host: '10.0.0.9', port: 5140, transport: 'udp', caFile: null },
      {
        type: 'sns',
        name: 'pager',
        topicArn: 'arn:aws:sns:us-west-2:123456789012:xr-aws-ha',
        endpointUrl: 'https://sns.example.com',
      },
      {
        type: 'snmp',
        name: 'x',
        host: '10.0.0.8',
        port: 162,
        version: 'v2c',
        communityFile: '/app/onbox/community',
      },
      {
        type: 'snmp',
        name: 'y',
        host: '10.0.0.8',
        port: 1162,
        version: 'v3',
        userFile: '/app/onbox/user',
        authProtocol: 'SHA-256',
      },
    ]);
  });

  test('TLS, credentials, syslog, shutdown and places', () => {
    const settings = settingsWith(
      configWith({
        grpc_tls: { ca_file: '/app/onbox/ems.pem' },
        grpc_credentials_file: '/app/onbox/credentials',
        syslog_server: 'log.example.com',
        syslog_file: '/var/log/other.log',
        log_level: 'debug',
        router_name: 'rtr1',
        on_shutdown: 'unregister',
        trigger: 'all',
        preferred: true,
        foreign_holder: 'take',
        take_from_running_after_s: 120,
        state_dir: '/mnt/state',
        control_socket: '/mnt/state/control.sock',
        status_listen: '[::1]:9469',
        status_token_file: '/mnt/state/token',
        status_tls: { cert_file: '/mnt/state/cert.pem', key_file: '/mnt/state/key.pem' },
        store: { type: 'file', path: '/mnt/state/show.json' },
      }),
    );
    expect(settings.slapi.tls).toEqual({ caFile: '/app/onbox/ems.pem', serverName: 'ems.cisco.com' });
    expect(settings.slapi.credentialsFile).toBe('/app/onbox/credentials');
    expect(settings.status).toEqual({
      place: { host: '::1', port: 9469 },
      tokenFile: '/mnt/state/token',
      tls: { certFile: '/mnt/state/cert.pem', keyFile: '/mnt/state/key.pem' },
    });
    expect(settings.log).toEqual({
      router: 'rtr1',
      level: 'debug',
      file: '/var/log/other.log',
      syslog: { host: 'log.example.com', port: 514 },
    });
    expect(settings.onShutdown).toBe('unregister');
    expect(settings.whole.trigger).toBe('all');
    expect(settings.whole.preferred).toBe(true);
    expect(settings.whole.foreignHolder).toBe('take');
    expect(settings.whole.timing.takeFromRunningAfterMs).toBe(120_000);
    expect(settings.stateDir).toBe('/mnt/state');
    expect(settings.controlSocket).toBe('/mnt/state/control.sock');
    expect(settings.store).toEqual({ type: 'file', path: '/mnt/state/show.json' });
  });

  test.each([
    ['https://ec2.example.com/', 'https://ec2.example.com'],
    ['https://EC2.example.com:8443', 'https://ec2.example.com:8443'],
    ['http://127.0.0.1:4566', 'http://127.0.0.1:4566'],
  ])('the endpoint %s is %s', (written, endpointUrl) => {
    const { ec2 } = inAws(settingsWith(configWith({ ec2_private_endpoint_url: written })));
    expect(ec2.endpointUrl).toBe(endpointUrl);
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
    if (loaded.ok) expect(loaded.settings.whole.sessions.length).toBeGreaterThan(0);
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
