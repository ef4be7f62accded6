/** A time to come, as operators write it: `2026-12-01T03:00Z`, `03:00` (UTC, the next one), or `30m` from now. */
import { parseDuration } from './duration';

const dayMs = 86_400_000;

/** Milliseconds since 1970; null for what is no such time. Whether it is sensible is for the caller to say. */
export function parseMoment(text: string, nowMs: number): number | null {
  const aheadMs = parseDuration(text);
  if (aheadMs !== null) return nowMs + aheadMs;
  if (/^\d\d:\d\d(:\d\d)?Z?$/.test(text)) {
    const sinceMs = Date.parse(`1970-01-01T${text.replace('Z', '')}Z`);
    if (Number.isNaN(sinceMs)) return null;
    const todayMs = nowMs - (nowMs % dayMs) + sinceMs;
    return todayMs > nowMs ? todayMs : todayMs + dayMs;
  }
  const full = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)Z?$/.exec(text);
  const ms = full === null ? NaN : Date.parse(`${full[1]}T${full[2]}Z`);
  return Number.isNaN(ms) ? null : ms;
}
