/**
 * The daemon's log: one JSON line per record on standard output, in the rotated file and, where set, to a
 * syslog server. Logging never waits and never fails the daemon: a place that cannot be written to costs
 * one warning in the others. No worker threads: they cost several megabytes each. Credentials never pass.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isNativeError } from 'node:util/types';
import { pino, type Logger } from 'pino';
import type { LogSettings } from '../config/settings';
import { RotatingFile } from './rotatingFile';
import { StandardOutput } from './standardOutput';
import { Syslog, type SyslogSeverity } from './syslog';

export type LogOptions = {
  /** Hears every record from `info` on, also those that `level` leaves out. Must not throw. */
  readonly heard?: (record: { readonly [field: string]: unknown }, msg: string) => void;
  /** Descriptor to write to in place of standard output; for tests. */
  readonly outputFd?: number;
};

const maxFileBytes = 1_000_000;
const keptFiles = 3;
const fileRetryMs = 5_000;
const flushTimeoutMs = 500;
const INFO = 30;

/**
 * Names under which a credential could turn up, down to three objects deep. `metadata` is the one that
 * carries user name and password over gRPC.
 */
const secretNames = [
  'password',
  'secretAccessKey',
  'SecretAccessKey',
  'sessionToken',
  'SessionToken',
  'token',
  'Token',
  'authorization',
  'Authorization',
  'metadata',
  'credentials',
] as const;
const levelsAbove = ['', '*.', '*.*.', '*.*.*.'] as const;
const secretPaths = [
  ...levelsAbove.flatMap((above) => secretNames.map((name) => above + name)),
  ...levelsAbove.flatMap((above) =>
    ['x-amz-security-token', 'x-aws-ec2-metadata-token'].map(
      (name) => `${above.replace(/\.$/, '')}["${name}"]`,
    ),
  ),
];

/**
 * `flush(callback)` of the logger calls back when the lines are written or half a second is over;
 * `fatal` and the process's exit write what is left at once.
 */
export function createLogger(settings: LogSettings, { outputFd, heard }: LogOptions = {}): Logger {
  const output = new StandardOutput(outputFd);
  const file = new RotatingFile({
    path: settings.file,
    maxBytes: maxFileBytes,
    keep: keptFiles,
    retryMs: fileRetryMs,
    onFailure: (error) => warn('log-file-unwritable', 'The log file cannot be written', error),
    onRecovery: (lostLines) =>
      log.info(
        { event: 'log-file-writable', file: settings.file, lostLines },
        'The log file can be written again',
      ),
  });
  const syslog =
    settings.syslog === null
      ? null
      : new Syslog({
          ...settings.syslog,
          hostname: settings.router,
          onFailure: (error) => warn('syslog-unreachable', 'The syslog server cannot be reached', error),
        });
  const destination = {
    // Asks pino to leave the level of each record in lastLevel.
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 0,
    write(line: string) {
      output.write(line);
      file.write(line);
      syslog?.send(severityOf(this.lastLevel), line);
    },
    flush(done: () => void) {
      const over = new AbortController();
      const late = delay(flushTimeoutMs, undefined, { signal: over.signal }).catch(() => {});
      void Promise.race([file.flush(), late]).then(() => {
        over.abort();
        output.flushSync();
        done();
      });
    },
    flushSync() {
      output.flushSync();
      file.flushSync();
    },
  };
  const lowest = pino.levels.values[settings.level] ?? 0;
  const log = pino(
    {
      // A method of a level that is off would not be heard.
      level: heard !== undefined && lowest > INFO ? 'info' : settings.level,
      hooks: {
        logMethod(args, method, level) {
          const [record, msg] = args as readonly unknown[];
          if (level >= INFO && typeof record === 'object' && record !== null && typeof msg === 'string')
            heard?.(record as { readonly [field: string]: unknown }, msg);
          if (level >= lowest) method.apply(this, args);
        },
      },
      base: { router: settings.router },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: errorFields },
      redact: { paths: secretPaths, censor: '[hidden]' },
    },
    destination,
  );
  const warn = (event: string, message: string, { message: cause }: Error) =>
    log.warn({ event, cause }, message);
  process.on('exit', () => destination.flushSync());
  return log;
}

/** Bugs end the process, as they should; this only sees to it that the log says which. */
export function logCrashes(log: Logger): void {
  process.on('uncaughtExceptionMonitor', (err, origin) => {
    log.fatal({ event: 'crashed', origin, err }, 'The daemon ends because of a bug');
  });
}

type ErrorFields = {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: ErrorFields;
};

/** By name, not whatever an error carries: those of the AWS SDK hold the whole signed request. */
function errorFields(error: unknown, depth = 0): ErrorFields {
  if (!isNativeError(error)) return { type: typeof error, message: String(error) };
  return {
    type: error.name,
    message: error.message,
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(error.cause === undefined || depth >= 3 ? {} : { cause: errorFields(error.cause, depth + 1) }),
  };
}

/** pino's numbers: debug 20, info 30, warn 40, error 50, fatal 60. */
function severityOf(level: number): SyslogSeverity {
  if (level >= 60) return 'critical';
  if (level >= 50) return 'error';
  if (level >= 40) return 'warning';
  return level >= 30 ? 'informational' : 'debug';
}
