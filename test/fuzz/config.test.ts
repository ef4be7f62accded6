/**
 * Hostile configuration files: whatever is in the file, the answer is a report that names places, or settings
 * that the rest of the daemon can rely on. Nothing throws.
 */
import fc from '../support/properties';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkConfig } from '../../src/cli/checkConfig';
import { readStoreSettings } from '../../src/cli/storeSettings';
import { readJson } from '../../src/config/json';
import { loadConfig, parseConfig, type Loaded } from '../../src/config/load';
import type { Settings } from '../../src/config/settings';
import { allowTime, ensure, runs } from '../support/fuzz';
import {
  byteChanges,
  changeBytes,
  changeJson,
  garbage,
  jsonChanges,
  type Json,
  type JsonChange,
} from '../support/hostile';
import { inAws } from '../support/inAws';

allowTime();

const examples = join(__dirname, '..', '..', 'config', 'examples');
const documents = ['secondary-ip-rtr1.json', 'secondary-ip-rtr2.json'].map(
  (name) => JSON.parse(readFileSync(join(examples, name), 'utf8')) as Json,
);
/** Every key, so that every key gets its share. */
const full = {
  config: {
    ...(documents[0] as { config: { [key: string]: Json } }).config,
    grpc_server: '127.0.0.1',
    grpc_port: '57777',
    redis_server: 'localhost',
    redis_port: 6379,
    global_retry_interval: 30,
    global_retry_count: '5',
    syslog_server: '10.0.0.1',
    syslog_port: 514,
    syslog_file: '/var/log/x.log',
    grpc_tls: { ca_file: '/ems.pem', server_name: 'ems.cisco.com' },
    grpc_credentials_file: '/credentials',
    keepalive_s: 10,
    api_timeout_s: 1,
    role_ttl_s: '30',
    staleness_s: 10,
    trigger: 'all',
    reestablish_s: 10,
    reestablish_after_interface_s: 5,
    settle_ms: 20,
    hedge_ms: 700,
    armed_ttl_s: 600,
    on_shutdown: 'keep',
    store: { type: 'file', path: '/show.json' },
    state_dir: '/var/lib/xr-aws-ha',
    control_socket: '/run/xr-aws-ha/control.sock',
    log_level: 'info',
    _note: 'mine',
  },
};

const valid: fc.Arbitrary<Json> = fc.constantFrom<Json>(...documents, full);
const changed = fc
  .tuple(valid, jsonChanges)
  .map(([document, changes]: [Json, readonly JsonChange[]]) => JSON.stringify(changeJson(document, changes)));
const broken = fc
  .tuple(changed, byteChanges)
  .map(([text, changes]) => changeBytes(Buffer.from(text), changes));
const anyFile: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 4, arbitrary: changed.map((text) => Buffer.from(text)) },
  { weight: 2, arbitrary: broken },
  { weight: 1, arbitrary: garbage },
);

const octets = (address: string): readonly number[] => address.split('.').map(Number);

function isAddress(address: string): boolean {
  const numbers = octets(address);
  const [first = 0] = numbers;
  return (
    /^(0|[1-9]\d*)(\.(0|[1-9]\d*)){3}$/.test(address) &&
    numbers.every((number) => number <= 255) &&
    first > 0 &&
    first < 224 &&
    first !== 127
  );
}

const asNumber = (address: string): number => octets(address).reduce((sum, octet) => sum * 256 + octet, 0);

const isTime = (ms: number, least: number): boolean => Number.isFinite(ms) && ms >= least && ms < 2 ** 31;

/** What core and adapters rely on, said anew. */
function checkSettings(settings: Settings): void {
  const { slapi, store, log } = settings;
  const { whole: plan, ec2 } = inAws(settings);
  const addresses = plan.targets.map(({ id }) => id);
  ensure(addresses.length > 0 && addresses.every(isAddress), 'targets are addresses', addresses);
  const numbers = addresses.map(asNumber);
  ensure(
    numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0)),
    'targets are in order, each once',
    addresses,
  );
  ensure(
    plan.targets.every(({ deviceIndex }) => Number.isInteger(deviceIndex) && deviceIndex >= 0),
    'device indexes count',
  );
  const ids = plan.sessions.map(({ id }) => id);
  ensure(ids.length > 0 && new Set(ids).size === ids.length, 'each session once', ids);
  ensure(
    ids.every((id) => !/[\p{C}\p{Zl}\p{Zp}]/u.test(id)),
    'ids fit into a sentence',
    ids,
  );
  ensure(
    JSON.stringify(slapi.sessions.map(({ id, peerAddress }) => [id, peerAddress])) ===
      JSON.stringify(plan.sessions.map(({ id, peerAddress }) => [id, peerAddress])),
    'core and router speak of the same sessions',
  );
  for (const session of slapi.sessions) {
    ensure(isAddress(session.peerAddress), 'a peer has an address', session);
    ensure(!addresses.includes(session.peerAddress), 'no peer address floats', session);
    ensure(session.interfaceName !== '' && session.vrfName !== '', 'names are there', session);
    ensure(
      Number.isInteger(session.desiredMinTxIntervalUs) && session.desiredMinTxIntervalUs > 0,
      'an interval',
      session,
    );
    ensure(session.detectMult >= 1 && session.detectMult <= 255, 'a multiplier', session);
  }
  const { timing } = plan;
  ensure(isTime(timing.keepaliveIntervalMs, 1), 'keepalive', timing);
  ensure(isTime(ec2.apiTimeoutMs, 1), 'API timeout', ec2);
  ensure(isTime(timing.hedgeMs, 1), 'hedge', timing);
  ensure(isTime(slapi.retryIntervalMs, 1) && slapi.retryCount >= 1, 'retries', slapi);
  for (const ms of Object.values<number | null>(timing))
    ensure(ms === null || isTime(ms, 0), 'times are times', timing);
  ensure(
    timing.roleTtlMs >= timing.keepaliveIntervalMs + 2 * ec2.apiTimeoutMs - 1,
    'one lost answer does not cost the role',
    timing,
  );
  ensure(URL.canParse(ec2.endpointUrl) && /^https?:\/\//.test(ec2.endpointUrl), 'an endpoint', ec2);
  ensure(new URL(ec2.endpointUrl).username === '', 'no password in the endpoint', ec2);
  for (const path of [
    settings.stateDir,
    settings.controlSocket,
    log.file,
    ...(store.type === 'file' ? [store.path] : []),
  ])
    ensure(path.startsWith('/') && !path.includes('\0'), 'absolute paths', path);
  ensure(settings.warnings.every(isOneLine), 'warnings are lines', settings.warnings);
  JSON.stringify(settings.document);
}

/** Nothing in it steers a terminal. */
const isOneLine = (line: string): boolean => line !== '' && !/[\p{C}\p{Zl}\p{Zp}]/u.test(line);

function checkReport(report: string, name: string): void {
  const lines = report.split('\n');
  ensure(lines.every(isOneLine), 'a report is lines for a terminal', report);
  ensure(lines[0]?.startsWith(name) === true, 'a report names the file', report);
  // Where in the file, or that it is about the file as a whole.
  const hasPlace =
    /line \d+, column \d+: ./.test(report) ||
    lines.slice(1).some((line) => /^ {2}\S.*: ./.test(line)) ||
    /^[^:]+: (is |has |there is )/.test(report);
  ensure(hasPlace, 'a report names a place', report);
}

function checkLoaded(loaded: Loaded, name: string): void {
  if (loaded.ok) checkSettings(loaded.settings);
  else checkReport(loaded.report, name);
}

test('any text is refused with its places or gives settings to rely on', () => {
  fc.assert(
    fc.property(anyFile, (bytes) => {
      checkLoaded(parseConfig(bytes.toString('utf8'), 'the file'), 'the file');
      ensure(Object.keys(Object.prototype).length === 0, 'no prototype is polluted');
    }),
    runs(900),
  );
});

test('the reader of JSON reads what JSON.parse does, down to its depth', () => {
  fc.assert(
    fc.property(anyFile, (bytes) => {
      const text = bytes.toString('utf8');
      const reading = readJson(text);
      let expected: unknown = undefined;
      try {
        expected = JSON.parse(text);
      } catch {
        ensure(!reading.ok, 'no JSON was read as JSON', text);
      }
      if (reading.ok)
        ensure(JSON.stringify(reading.value) === JSON.stringify(expected), 'it reads something else', text);
      else if (expected !== undefined)
        ensure(/levels deep/.test(reading.message), 'JSON was refused', reading.message, text);
    }),
    runs(600),
  );
});

test('the order of the list changes nothing', () => {
  const entries = [9, 10, 100, 99].map((host) => ({
    secondary_ip: `172.31.105.${host}`,
    instance_intf_number: 1,
  }));
  fc.assert(
    fc.property(fc.shuffledSubarray(entries, { minLength: 4 }), (list) => {
      const { config } = full;
      const action = { method: 'secondary_ip_shift', method_params: { intf_list: list } };
      const loaded = parseConfig(JSON.stringify({ config: { ...config, action } }), 'x');
      ensure(loaded.ok, 'is accepted', loaded);
      if (!loaded.ok) return;
      const addresses = loaded.settings.whole.targets.map(({ id }) => id);
      expect(addresses).toEqual([9, 10, 99, 100].map((host) => `172.31.105.${host}`));
    }),
    runs(20),
  );
});

describe('as files', () => {
  const directory = mkdtempSync(join(tmpdir(), 'xr-aws-ha-fuzz-'));
  const path = join(directory, 'config.json');
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test('check-config and the daemon answer alike, and show finds a store', () => {
    fc.assert(
      fc.property(anyFile, (bytes) => {
        writeFileSync(path, bytes);
        const loaded = loadConfig(path);
        checkLoaded(loaded, path);
        let said = '';
        const output = { write: (text: string) => (said += text) };
        ensure(checkConfig(path, output, output) === (loaded.ok ? 0 : 2), 'the exit code tells', said);
        ensure(said.trim() !== '', 'something is said');
        const { settings } = readStoreSettings(path);
        if (settings.type === 'file') ensure(settings.path !== '', 'a path', settings);
        else ensure(settings.host !== '' && settings.port > 0 && settings.port < 65_536, 'Redis', settings);
      }),
      runs(150),
    );
  });
});

test('thousands of mistakes are not a report of thousands of lines', () => {
  const again = parseConfig(`{${'"a": 1,\n'.repeat(30_000)}"a": 1}`, 'x');
  const unknown = parseConfig(
    JSON.stringify({ config: Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, i])) }),
    'x',
  );
  for (const loaded of [again, unknown]) {
    if (loaded.ok) throw new Error('accepted');
    expect(loaded.report.split('\n').length).toBeLessThan(200);
    expect(loaded.report).toMatch(/^x has \d{4,6} mistakes:\n/);
    expect(loaded.report).toMatch(/\n {2}and \d+ more$/);
  }
});
