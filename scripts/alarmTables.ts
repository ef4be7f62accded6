/** The rows of docs/operations.md, from src/runtime/alarmTable.ts: the worst first. */
import { ALARM_TABLE, PART_ALARMS, type PartAlarm, type Severity } from '../src/runtime/alarmTable';

const SEVERITIES: readonly Severity[] = ['critical', 'major', 'minor', 'warning'];

export function alarmTables(): string {
  const parts: { readonly [code: string]: PartAlarm } = PART_ALARMS;
  const rows = SEVERITIES.flatMap((severity) =>
    Object.entries(ALARM_TABLE)
      .filter(([, entry]) => entry.severity === severity)
      .map(([code, { means, cause, act }]) => [
        `\`${code}\``,
        severity,
        means,
        cause,
        act,
        ending(parts[code]),
      ]),
  );
  const header = ['alarm', 'severity', 'means', 'likely cause', 'what to type', 'over with'];
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

function ending(part: PartAlarm | undefined): string {
  if (part === undefined) return '`alarm ... is over`';
  return part.over.length === 0
    ? 'a restart that finds it mended'
    : part.over.map((event) => `\`${event}\``).join(', ');
}
