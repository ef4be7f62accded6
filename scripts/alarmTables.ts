/** The rows of docs/operations.md, from src/runtime/alarmTable.ts and the alarms.ts of each cloud: the worst first. */
import { AWS_ALARMS } from '../src/aws/alarms';
import { EC2 } from '../src/aws/description';
import type { PartAlarm, Severity } from '../src/cloud';
import { OPENSTACK_ALARMS } from '../src/openstack/alarms';
import { OPENSTACK } from '../src/openstack/description';
import { alarmTable, allAlarms, type AlarmTable } from '../src/runtime/alarmTable';

const SEVERITIES: readonly Severity[] = ['critical', 'major', 'minor', 'warning'];

const AWS = alarmTable(EC2, AWS_ALARMS);
const NEUTRON = alarmTable(OPENSTACK, OPENSTACK_ALARMS);

/** Of AWS: all. */
export const alarmTables = (): string => tableOf(AWS, () => true);

/** Of OpenStack: what its adapter raises, or says about an alarm of the core, and which are of AWS alone. */
export function openstackTables(): string {
  const own = { ...OPENSTACK_ALARMS.ofCore, ...OPENSTACK_ALARMS.ofParts };
  const absent = Object.keys(AWS.parts).filter((code) => !(code in NEUTRON.parts));
  const codes = absent.map((code) => `\`${code}\``).join(', ');
  return `${tableOf(NEUTRON, (code) => code in own)}\nIn AWS alone: ${codes}.\n`;
}

/** Of either cloud, for what is shipped for both. */
export const alarmsOfBoth = (): ReturnType<typeof allAlarms> => {
  const ofAws = allAlarms(AWS);
  const others = Object.entries(allAlarms(NEUTRON)).filter(([code]) => !(code in ofAws));
  return { ...ofAws, ...Object.fromEntries(others) };
};

function tableOf(table: AlarmTable, isShown: (code: string) => boolean): string {
  const rows = SEVERITIES.flatMap((severity) =>
    Object.entries(allAlarms(table))
      .filter(([code, entry]) => entry.severity === severity && isShown(code))
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
