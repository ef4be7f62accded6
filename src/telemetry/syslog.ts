/**
 * Log lines as syslog datagrams: RFC 5424 messages, one per UDP datagram (RFC 5426). Fire and forget: a
 * server that is away, a name that does not resolve or a route that is missing costs one warning and
 * never more than that; the address of a name is looked up in the background, seldom, not per line.
 */
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP, isIPv6 } from 'node:net';
import { isNativeError } from 'node:util/types';

export type SyslogSeverity = 'critical' | 'error' | 'warning' | 'informational' | 'debug';

export type SyslogOptions = {
  readonly host: string;
  readonly port: number;
  /** HOSTNAME of the message: the name by which operators know this router. */
  readonly hostname: string;
  /** Called once in a process's life. */
  readonly onFailure: (error: Error) => void;
};

/** RFC 5424 section 6.2.1. */
const severityCodes: { readonly [S in SyslogSeverity]: number } = {
  critical: 2,
  error: 3,
  warning: 4,
  informational: 6,
  debug: 7,
};
const daemonFacility = 3;
const applicationName = 'xrv9k_aws_ha';
/** What every receiver should take (RFC 5426 section 3.2). */
const maxDatagramBytes = 2048;
/** While there is no address, and while there is one, which may change. */
const lookupIntervalMs = { missing: 60_000, known: 600_000 };

export class Syslog {
  private readonly options: SyslogOptions;
  private address: string | null;
  private readonly socket: ReturnType<typeof createSocket>;
  private lastLookupAt = -Infinity;
  private warned = false;
  private closed = false;

  constructor(options: SyslogOptions) {
    this.options = options;
    this.address = isIP(options.host) === 0 ? null : options.host;
    this.socket = createSocket(isIPv6(options.host) ? 'udp6' : 'udp4');
    this.socket.on('error', (error) => this.noteFailure(error));
    this.socket.unref();
    if (this.address === null) this.lookUp();
  }

  send(severity: SyslogSeverity, line: string): void {
    if (this.closed) return;
    if (isIP(this.options.host) === 0) this.lookUp();
    if (this.address === null) return;
    const message = formatSyslog({ severity, line, hostname: this.options.hostname, at: new Date() });
    this.socket.send(message, this.options.port, this.address, (error) => {
      if (error !== null) this.noteFailure(error);
    });
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.socket.close();
  }

  private lookUp(): void {
    const intervalMs = this.address === null ? lookupIntervalMs.missing : lookupIntervalMs.known;
    if (performance.now() - this.lastLookupAt < intervalMs) return;
    this.lastLookupAt = performance.now();
    lookup(this.options.host, 4).then(
      ({ address }) => (this.address = address),
      (error: unknown) => this.noteFailure(isNativeError(error) ? error : new Error(String(error))),
    );
  }

  private noteFailure(error: Error): void {
    if (this.warned || this.closed) return;
    this.warned = true;
    this.options.onFailure(error);
  }
}

/** RFC 5424 section 6, without structured data; cut off at a whole character where it is too long. */
export function formatSyslog(message: {
  readonly severity: SyslogSeverity;
  readonly line: string;
  readonly hostname: string;
  readonly at: Date;
}): Buffer {
  const priority = daemonFacility * 8 + severityCodes[message.severity];
  const hostname = printable(message.hostname).slice(0, 255) || '-';
  const header = `<${priority}>1 ${message.at.toISOString()} ${hostname} ${applicationName} ${process.pid} - - `;
  const bytes = Buffer.from(header + message.line.trimEnd());
  let end = Math.min(bytes.length, maxDatagramBytes);
  // 0b10xxxxxx continues a UTF-8 character: step back to where one begins.
  while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}

/** PRINTUSASCII, which is all that a header field may hold. */
function printable(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, '');
}
