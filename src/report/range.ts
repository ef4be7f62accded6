/** `--since` and `--until`: a time in UTC, a time of day, or how long before the end. */
import type { Interval } from './lanes';
import type { Range } from './story';

const DAY_MS = 86_400_000;
const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: DAY_MS };

/** Where it is on the axis depends on what the journals are of. */
export type Bound = (whole: Interval) => number;

/** Null: it is none of these. */
export function boundOf(text: string): Bound | null {
  const length = /^(\d{1,9}(?:\.\d{1,3})?)(s|m|h|d)$/.exec(text);
  if (length !== null) {
    const [, count = '', unit = ''] = length;
    const ms = Number(count) * (UNITS[unit] ?? 0);
    return ({ to }) => to - ms;
  }
  if (/^\d\d:\d\d(:\d\d(\.\d{1,3})?)?$/.test(text)) return timeOfDayBound(text);
  const full = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?))?Z?$/.exec(text);
  if (full === null) return null;
  const [, day = '', time = '00:00'] = full;
  const ms = Date.parse(`${day}T${time}Z`);
  return Number.isNaN(ms) ? null : () => ms;
}

/** Of the last day on which it was that time before the end. */
function timeOfDayBound(text: string): Bound | null {
  const since = Date.parse(`1970-01-01T${text}Z`);
  if (Number.isNaN(since)) return null;
  return ({ to }) => {
    const today = to - (to % DAY_MS) + since;
    return today <= to ? today : today - DAY_MS;
  };
}

export function rangeOf(since: Bound | null, until: Bound | null): (whole: Interval) => Range {
  return (whole) => ({ since: since?.(whole) ?? null, until: until?.(whole) ?? null });
}
