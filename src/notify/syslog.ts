/**
 * Syslog (RFC 5424) over UDP (RFC 5426), TCP with octet counting (RFC 6587 section 3.4.1) or TLS (RFC 5425). Over UDP
 * nobody says whether it has arrived. Over the others each notification has a connection of its own: who closes it
 * after we have, without an error, has read all that was in it. That is as near to an answer as syslog has.
 */
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ReceiverSettings } from '../config/settings';
import { isoTime } from '../history/entry';
import type { Notification, Severity } from './notification';
import { causeOf, delivered, failed, type Deliver, type Delivery, type Receiver } from './receiver';

type SyslogSettings = Extract<ReceiverSettings, { type: 'syslog' }>;

/** RFC 5424 section 6.2.1. */
const SEVERITIES = { critical: 2, major: 3, minor: 4, warning: 5, info: 6 } as const satisfies Record<
  Severity,
  number
>;
const DAEMON_FACILITY = 3;
const APP_NAME = 'xrv9k_aws_ha';
/** The number that RFC 5612 sets apart for documentation: the project has none of its own. */
const SD_ID = 'xr-aws-ha@32473';
/** What every receiver of UDP should take (RFC 5426 section 3.2). */
const DATAGRAM_MAX = 2048;

export function syslog(settings: SyslogSettings): Receiver {
  const deliver: Deliver = async (notification, signal) => {
    try {
      const message = syslogMessage(notification);
      return settings.transport === 'udp'
        ? await sendDatagram(settings, message)
        : await sendFrame(await openStream(settings), message, signal);
    } catch (error: unknown) {
      return failed(causeOf(error));
    }
  };
  return { deliver, close: () => {} };
}

/** The sentence behind the fields that a machine may want. */
export function syslogMessage({ id, type, at, router, severity, text, folded, entry }: Notification): Buffer {
  const priority = DAEMON_FACILITY * 8 + SEVERITIES[severity];
  const hostname = router.replace(/[^\x21-\x7e]/g, '').slice(0, 255) || '-';
  const fields = {
    id,
    type,
    severity,
    ...(entry === null ? {} : { what: entry.what, outcome: entry.outcome, began: entry.began }),
    ...(entry?.group === undefined ? {} : { group: entry.group }),
    ...(folded === 0 ? {} : { folded: String(folded) }),
  };
  const element = Object.entries(fields).map(([name, value]) => ` ${name}="${escaped(value)}"`);
  const more = folded === 0 ? '' : ` (${folded} like it before it are left out)`;
  return Buffer.from(
    `<${priority}>1 ${isoTime(at)} ${hostname} ${APP_NAME} ${process.pid} ${type} [${SD_ID}${element.join('')}] ${text}${more}`,
  );
}

/** RFC 5424 section 6.3.3. */
const escaped = (value: string): string => value.replace(/[\\"\]]/g, (character) => `\\${character}`);

async function sendDatagram({ host, port }: SyslogSettings, message: Buffer): Promise<Delivery> {
  const { address, family } = isIP(host) === 0 ? await lookup(host) : { address: host, family: isIP(host) };
  return new Promise((resolve, reject) => {
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    socket.once('error', reject);
    socket.send(cut(message), port, address, (error) => {
      socket.close();
      if (error === null) resolve(delivered('sent; UDP has no answer'));
      else reject(error);
    });
  });
}

/** At a whole character: 0b10xxxxxx continues one. */
function cut(message: Buffer): Buffer {
  let end = Math.min(message.length, DATAGRAM_MAX);
  while (end < message.length && ((message[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return message.subarray(0, end);
}

async function openStream({ host, port, transport, caFile }: SyslogSettings): Promise<Socket> {
  if (transport !== 'tls') return connect({ host, port, allowHalfOpen: true });
  const ca = caFile === null ? {} : { ca: await readFile(caFile) };
  return connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...ca });
}

function sendFrame(socket: Socket, message: Buffer, signal: AbortSignal): Promise<Delivery> {
  return new Promise((resolve, reject) => {
    const giveUp = () => socket.destroy(new Error('the receiver has not closed the connection'));
    signal.addEventListener('abort', giveUp, { once: true });
    socket.once('error', reject);
    socket.once('close', () => {
      signal.removeEventListener('abort', giveUp);
      reject(new Error('the connection was closed before all was sent'));
    });
    // Also where it says nothing: without a reader the end would not be seen.
    socket.resume();
    socket.once('end', () => {
      if (socket.writableFinished) resolve(delivered('taken'));
      socket.destroy();
    });
    socket.end(Buffer.concat([Buffer.from(`${message.length} `), message]));
  });
}
