/** A logger whose records a test can read. */
import { pino, type Logger } from 'pino';

export type LogRecord = {
  readonly level: number;
  readonly event?: string;
  readonly [field: string]: unknown;
};

export function recordingLogger(): { readonly log: Logger; readonly records: LogRecord[] } {
  const records: LogRecord[] = [];
  const log = pino({ base: null }, { write: (line) => void records.push(JSON.parse(line) as LogRecord) });
  return { log, records };
}

export function eventsOf(records: readonly LogRecord[]): (string | undefined)[] {
  return records.map((record) => record.event);
}
