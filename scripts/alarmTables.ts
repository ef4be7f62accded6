/** The rows of docs/operations.md, from src/runtime/alarmTable.ts and src/aws/alarms.ts: the worst first. */
import { AWS_ALARMS } from '../src/aws/alarms';
import { EC2 } from '../src/aws/description';
import type { PartAlarm, Severity } from '../src/cloud';
import { alarmTable, allAlarms } from '../src/runtime/alarmTable';

const SEVERITIES: readonly Severity[] = ['critical', 'major', 'minor', 'warning'];

export function alarmTables(): string {
  const table = alarmTable(EC2, AWS_ALARMS);
  const rows = SEVERITIES.flatMap((severity) =>
    Object.entries(allAlarms(table))
      .filter(([, entry]) => entry.severity === severity)
      .map(([code, { means, cause, act }]) => [
        `\`${code}\``,
        severity,
        means,
        cause,
        act,
        ending(table.parts[code]),
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
