/**
 * SNMPv2c and SNMPv3: an InformRequest for each, which is a trap that the receiver acknowledges (RFC 3416 section 4.2.7), so
 * that it is known whether it has arrived. deploy/monitoring/XR-AWS-HA-MIB.txt says what is in it.
 */
import { readFile } from 'node:fs/promises';
import snmp, { type Session, type User, type Varbind } from 'net-snmp';
import type { ReceiverSettings } from '../config/settings';
import { isoTime } from '../history/entry';
import type { Notification } from './notification';
import { causeOf, delivered, failed, type Deliver, type Delivery, type Receiver } from './receiver';
import { NOTIFICATION_NUMBERS, OBJECTS, objectOid, notificationOid } from './snmpObjects';

type SnmpSettings = Extract<ReceiverSettings, { type: 'snmp' }>;

const TIMEOUT_MS = 2_000;
const RETRIES = 1;

export function snmpInform(settings: SnmpSettings): Receiver {
  const deliver: Deliver = async (notification, signal) => {
    try {
      const session = await openSession(settings);
      try {
        return await inform(session, notification, signal);
      } finally {
        session.close();
      }
    } catch (error: unknown) {
      return failed(causeOf(error));
    }
  };
  return { deliver, close: () => {} };
}

async function openSession(settings: SnmpSettings): Promise<Session> {
  const options = {
    trapPort: settings.port,
    timeout: TIMEOUT_MS,
    retries: RETRIES,
    transport: settings.host.includes(':') ? ('udp6' as const) : ('udp4' as const),
  };
  if (settings.version === 'v2c') {
    const [community] = await linesOf(settings.communityFile, 1, 'one line, the community');
    return snmp.createSession(settings.host, community, { ...options, version: snmp.Version2c });
  }
  const user = await userOf(settings);
  return snmp.createV3Session(settings.host, user, { ...options, version: snmp.Version3 });
}

/** Always with authentication and privacy: what is sent says how the pair is. */
async function userOf({ userFile, authProtocol }: Extract<SnmpSettings, { version: 'v3' }>): Promise<User> {
  const what = 'three lines: the user name, the authentication key and the privacy key';
  const [name, authKey, privKey] = await linesOf(userFile, 3, what);
  // RFC 3414 section 11.2.
  if (authKey.length < 8 || privKey.length < 8)
    throw new Error(`a key in ${userFile} has less than 8 characters`);
  const { sha, sha256 } = snmp.AuthProtocols;
  return {
    name,
    level: snmp.SecurityLevel.authPriv,
    authProtocol: authProtocol === 'SHA-256' ? sha256 : sha,
    authKey,
    privProtocol: snmp.PrivProtocols.aes,
    privKey,
  };
}

async function linesOf(path: string, count: number, what: string): Promise<[string, string, string]> {
  const lines = (await readFile(path, 'utf8')).split('\n').map((line) => line.trim());
  const [first = '', second = '', third = ''] = lines;
  if ([first, second, third].slice(0, count).includes('')) throw new Error(`${path} needs ${what}`);
  return [first, second, third];
}

function inform(session: Session, notification: Notification, signal: AbortSignal): Promise<Delivery> {
  return new Promise((resolve) => {
    const settle = (delivery: Delivery) => resolve(delivery);
    signal.addEventListener('abort', () => settle(failed('no answer')), { once: true });
    session.on('error', (error: Error) => settle(failed(causeOf(error))));
    session.inform(oidOf(notification), varbindsOf(notification), (error: Error | null) =>
      settle(error === null ? delivered('acknowledged') : failed(wordsOf(error))),
    );
  });
}

const wordsOf = (error: Error): string =>
  error.name === 'RequestTimedOutError'
    ? `no acknowledgement within ${(TIMEOUT_MS * (RETRIES + 1)) / 1000} s`
    : causeOf(error);

function oidOf({ type }: Notification): string {
  const numbers: { readonly [type: string]: number } = NOTIFICATION_NUMBERS;
  return notificationOid(numbers[type] ?? NOTIFICATION_NUMBERS.test);
}

function varbindsOf({ id, type, at, router, severity, text, folded, entry }: Notification): Varbind[] {
  const values: { readonly [Name in (typeof OBJECTS)[number]['name']]: string } = {
    Id: id,
    Type: type,
    Router: router,
    Severity: severity,
    Text: text,
    Time: isoTime(at),
    Folded: String(folded),
    What: entry?.what ?? '',
    Group: entry?.group ?? '',
    Outcome: entry?.outcome ?? '',
  };
  return OBJECTS.map(({ name }) => ({
    oid: objectOid(name),
    type: snmp.ObjectType.OctetString,
    value: Buffer.from(values[name]).subarray(0, 1_000).toString(),
  }));
}
