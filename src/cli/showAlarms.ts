/** `show ha_alarms`: the alarms that stand, for people; with `--json` as they lie in the store. */
import { member } from '../config/document';
import { printable } from '../config/words';
import type { StoreEntry } from '../store/entry';
import { jsonOf } from '../store/storeFile';

const INDENT = ' '.repeat(10);

/** Null where the entry is not of this version. */
export function alarmsIn({ value }: StoreEntry): readonly unknown[] | null {
  const alarms = member(jsonOf(value), 'alarms');
  return Array.isArray(alarms) ? alarms : null;
}

export function alarmsPage(entry: StoreEntry, alarms: readonly unknown[]): string {
  const shown = jsonOf(entry.value);
  const where = `on ${text(member(shown, 'router'))}, as of ${text(member(shown, 'as_of'))}`;
  const count =
    alarms.length === 0
      ? 'No alarm stands'
      : alarms.length === 1
        ? '1 alarm stands'
        : `${alarms.length} alarms stand`;
  return `\n${count} ${where}\n${alarms.map(alarmWords).join('')}`;
}

function alarmWords(alarm: unknown): string {
  const severity = text(member(alarm, 'severity')).toUpperCase().padEnd(INDENT.length);
  const about = member(alarm, 'about');
  const group = member(alarm, 'group');
  const concerns = [
    ...(group === undefined ? [] : [`group ${text(group)}`]),
    ...(Array.isArray(about) && about.length > 0 ? [about.map(text).join(', ')] : []),
  ].join(': ');
  return [
    '',
    `${severity}${text(member(alarm, 'code'))} since ${text(member(alarm, 'since'))}`,
    ...(concerns === '' ? [] : [`${INDENT}concerns ${concerns}`]),
    `${INDENT}${text(member(alarm, 'text'))}`,
    '',
  ].join('\n');
}

const text = (value: unknown): string =>
  printable(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
