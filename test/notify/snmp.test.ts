/** SNMP informs: the numbers and the MIB, what a delivery means, and what a real snmptrapd makes of it. */
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { tmpdir } from 'node:os';
import type { ReceiverSettings } from '../../src/config/settings';
import type { Notification } from '../../src/notify/notification';
import { snmpInform } from '../../src/notify/snmp';
import { NOTIFICATION_NUMBERS, OBJECTS } from '../../src/notify/snmpObjects';
import { eventually } from '../support/eventually';

const root = resolve(__dirname, '../..');
const NOTE: Notification = {
  id: '7f9c3c2e',
  type: 'alarm.raised',
  at: Date.parse('2026-11-30T12:00:00Z'),
  router: 'rtr2',
  severity: 'major',
  text: 'alarm redundancy-lost: no BFD session is UP',
  folded: 3,
  entry: null,
};

let folder: string;
const atEnd: (() => void | Promise<void>)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'snmp-'));
});
afterEach(async () => {
  for (const end of atEnd.splice(0).reverse()) await end();
  rmSync(folder, { recursive: true, force: true });
});

type Snmp = Extract<ReceiverSettings, { type: 'snmp' }>;
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const receiver = { type: 'snmp', name: 'nms', host: '127.0.0.1' } as const;
const v2c = (port: number, community = 'a-community'): Snmp => ({
  ...receiver,
  port,
  version: 'v2c',
  communityFile: file('community', `${community}\n`),
});
const v3 = (
  port: number,
  keys = 'auth-secret\npriv-secret',
  authProtocol: 'SHA' | 'SHA-256' = 'SHA-256',
): Snmp => ({
  ...receiver,
  port,
  version: 'v3',
  userFile: file('user', `xrha\n${keys}\n`),
  authProtocol,
});
const deliver = (settings: Snmp, note = NOTE, signal = new AbortController().signal) =>
  snmpInform(settings).deliver(note, signal);

/** A UDP port on which somebody listens and says nothing. */
async function silentPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  atEnd.push(() => void socket.close());
  return socket.address().port;
}

test('numbers that have been given stay', () => {
  expect(Object.entries(NOTIFICATION_NUMBERS).map(([type, number]) => `${number} ${type}`)).toEqual([
    '1 test',
    '2 notifications.dropped',
    '3 run.began',
    '4 run.ended',
    '5 move.began',
    '6 move.ended',
    '7 role.changed',
    '8 alarm.raised',
    '9 alarm.cleared',
    '10 inhibit.began',
    '11 inhibit.ended',
    '12 damping.began',
    '13 damping.ended',
    '14 readiness.lost',
    '15 readiness.regained',
  ]);
  expect(OBJECTS.map(({ name }) => name).join(' ')).toBe(
    'Id Type Router Severity Text Time Folded What Group Outcome',
  );
});

test('a manager that says nothing has not taken it; files that are wrong are said, and no secret is', async () => {
  const port = await silentPort();
  const abort = new AbortController();
  const silent = deliver(v2c(port), NOTE, abort.signal);
  setTimeout(() => abort.abort(), 100);
  expect(await silent).toEqual({ ok: false, cause: 'no answer', isFinal: false });
  expect(await deliver(v2c(port, ''))).toMatchObject({
    ok: false,
    cause: `${join(folder, 'community')} needs one line, the community`,
  });
  expect(await deliver(v3(port, 'auth-secret'))).toMatchObject({
    ok: false,
    cause: `${join(folder, 'user')} needs three lines: the user name, the authentication key and the privacy key`,
  });
  expect(await deliver(v3(port, 'short\npriv-secret'))).toMatchObject({
    ok: false,
    cause: `a key in ${join(folder, 'user')} has less than 8 characters`,
  });
});

const hasTrapd = spawnSync('snmptrapd', ['-v']).error === undefined;
const trapd = hasTrapd ? test : test.skip;
const notice = hasTrapd ? '' : ' (it is not installed: npx tsx scripts/needReceivers.ts)';

trapd(`a real snmptrapd names each object by the MIB, by v2c and by v3${notice}`, async () => {
  const { port, text } = await startTrapd();
  const told = [
    [v2c(port), { ...NOTE, id: 'by-v2c' }],
    [v3(port), { ...NOTE, id: 'by-v3' }],
    [
      { ...v3(port, undefined, 'SHA'), userFile: file('sha', 'xrsha\nauth-secret\npriv-secret\n') },
      { ...NOTE, id: 'by-sha' },
    ],
  ] as const;
  for (const [settings, note] of told) {
    // It listens a moment after it has started.
    await eventually(async () =>
      expect(await deliver(settings, note)).toEqual({ ok: true, said: 'acknowledged' }),
    );
    await eventually(() => expect(text()).toContain(`XR-AWS-HA-MIB::xrAwsHaId.0 = STRING: ${note.id}`));
  }
  expect(text()).toContain('snmpTrapOID.0 = OID: XR-AWS-HA-MIB::xrAwsHaAlarmRaisedNotification');
  expect(text()).toContain(
    'XR-AWS-HA-MIB::xrAwsHaText.0 = STRING: alarm redundancy-lost: no BFD session is UP',
  );
  expect(text()).toContain('XR-AWS-HA-MIB::xrAwsHaTime.0 = STRING: 2026-11-30T12:00:00.000Z');
  expect(text()).toContain('XR-AWS-HA-MIB::xrAwsHaFolded.0 = STRING: 3');
  const wrong = await deliver(v3(port, 'auth-wrong1\npriv-secret'));
  expect(wrong).toMatchObject({ ok: false, isFinal: false });
  expect(JSON.stringify(wrong)).not.toMatch(/secret|wrong1/);
});

async function startTrapd() {
  const port = await silentPort();
  // It is let go for snmptrapd.
  await atEnd.pop()?.();
  const mibs = join(root, 'node_modules/net-snmp/lib/mibs');
  for (const name of readdirSync(mibs).filter((each) => each.endsWith('.mib')))
    copyFileSync(join(mibs, name), join(folder, `${basename(name, '.mib')}.txt`));
  copyFileSync(join(root, 'deploy/monitoring/XR-AWS-HA-MIB.txt'), join(folder, 'XR-AWS-HA-MIB.txt'));
  const conf = file(
    'trapd.conf',
    `createUser xrha SHA-256 auth-secret AES priv-secret
createUser xrsha SHA auth-secret AES priv-secret
authCommunity log a-community
authUser log xrha priv
authUser log xrsha priv
`,
  );
  const log = join(folder, 'log');
  const args = ['-f', '-C', '-c', conf, '-Lf', log, '-M', folder, '-m', 'XR-AWS-HA-MIB:SNMPv2-MIB'];
  const daemon = spawn('snmptrapd', [...args, `udp:127.0.0.1:${port}`], {
    stdio: 'ignore',
    env: { ...process.env, SNMP_PERSISTENT_DIR: folder },
  });
  atEnd.push(async () => {
    const ended = new Promise((done) => daemon.once('exit', done));
    daemon.kill('SIGTERM');
    await ended;
  });
  const text = () => {
    try {
      return readFileSync(log, 'utf8');
    } catch {
      return '';
    }
  };
  return { port, text };
}
