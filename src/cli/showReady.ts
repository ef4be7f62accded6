/** `show ha_ready` for people: one line for each condition, what fails first, and what to do about it. */
import { jsonOf } from '../store/storeFile';
import type { StoreEntry } from '../store/entry';

type Shown = {
  readonly ready: boolean;
  readonly lines: readonly {
    readonly condition: string;
    readonly group?: string;
    readonly state: string;
    readonly age_s: number | null;
    readonly text: string;
    readonly what_to_do: string;
  }[];
};

/** Null where another version has written something else. */
export function readinessIn({ value }: StoreEntry): Shown | null {
  const json = jsonOf(value);
  if (typeof json !== 'object' || json === null || !('ready' in json) || !('lines' in json)) return null;
  return Array.isArray(json.lines) ? (json as unknown as Shown) : null;
}

const ORDER = ['failing', 'unknown', 'ok'];

export function readinessPage({ timestamp }: StoreEntry, { ready, lines }: Shown): string {
  const nameOf = ({ condition, group }: Shown['lines'][number]) =>
    group === undefined ? condition : `${group}: ${condition}`;
  const width = Math.max(...lines.map((line) => nameOf(line).length));
  const sorted = [...lines].sort((one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state));
  const rows = sorted.flatMap((line) => {
    const age = line.age_s === null ? '-' : `${Math.round(line.age_s)} s`;
    const row = `${line.state.padEnd(7)}  ${nameOf(line).padEnd(width)}  ${age.padStart(6)}  ${line.text}`;
    return line.what_to_do === '' ? [row] : [row, `${' '.repeat(width + 19)}-> ${line.what_to_do}`];
  });
  const verdict = ready ? 'READY: a failover would work now' : 'NOT READY: a failover would not work now';
  return `\nLast Created: ${timestamp}\n\n${verdict}\n\n${rows.join('\n')}\n`;
}
