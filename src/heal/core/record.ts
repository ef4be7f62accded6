/**
 * What a healer leaves behind for the next one, in a tag of the Auto Scaling group: who may write, and what has been
 * done that cannot be read from EC2. The right to write expires, so that a healer that dies is followed by another.
 *
 * Tags know no condition for a write. So a healer that takes the right waits until whoever has read it as free has
 * written, and until that is seen, and reads again; the last writer has it (Fischer's algorithm, which needs bounds for
 * both: the time of a call, and how far readings lag).
 */
import type { Desired } from './desired';

export type HealRecord = {
  /** Counts the writes, so that an older reading can be told from a newer one. */
  readonly number: number;
  readonly owner: string;
  /** When this owner has taken the right. */
  readonly since: number;
  /** When it ends. */
  readonly until: number;
  /** The instance of the healing under way, or of the last one. */
  readonly instance: string | null;
  /** When that healing began; null when it has ended. */
  readonly begunAt: number | null;
  /** When we have rebooted that instance. */
  readonly rebootedAt: number | null;
  /** Codes of the alarms that somebody has been told of and that have not ended. */
  readonly told: readonly string[];
};

/** Clocks of two healers may differ by this much. */
export const CLOCK_SKEW_MS = 10_000;

const FORMAT = '1';
const NONE = '-';

/** The limit of a tag's value. */
const TEXT_LENGTH_MAX = 256;

/** Of the alarms as many as fit: one that is left out is told again, which is better than none. */
export function recordText(record: HealRecord): string {
  const text = textOf(record);
  return text.length <= TEXT_LENGTH_MAX || record.told.length === 0
    ? text
    : recordText({ ...record, told: record.told.slice(0, -1) });
}

function textOf(record: HealRecord): string {
  const field = (value: string | number | null): string => (value === null ? NONE : String(value));
  return [
    `v=${FORMAT}`,
    `n=${record.number}`,
    `owner=${record.owner}`,
    `since=${record.since}`,
    `until=${record.until}`,
    `instance=${field(record.instance)}`,
    `begun=${field(record.begunAt)}`,
    `rebooted=${field(record.rebootedAt)}`,
    `told=${record.told.length === 0 ? NONE : record.told.join(',')}`,
  ].join(' ');
}

/** Null for what no healer of this version has written. */
export function parseRecord(text: string): HealRecord | null {
  const fields = new Map(text.split(' ').map((word) => [word.slice(0, word.indexOf('=')), after(word)]));
  const word = (key: string): string | null => {
    const value = fields.get(key) ?? NONE;
    return value === NONE || value === '' ? null : value;
  };
  const time = (key: string): number | null => {
    const value = word(key);
    return value !== null && /^\d{1,15}$/.test(value) ? Number(value) : null;
  };
  const [number, owner, since, until] = [time('n'), word('owner'), time('since'), time('until')];
  if (word('v') !== FORMAT || number === null || owner === null || since === null || until === null)
    return null;
  return {
    number,
    owner,
    since,
    until,
    instance: word('instance'),
    begunAt: time('begun'),
    rebootedAt: time('rebooted'),
    told: word('told')?.split(',') ?? [],
  };
}

const after = (word: string): string => word.slice(word.indexOf('=') + 1);

/** A healer's name as a record holds it. */
export function ownerName(text: string): string {
  return text.replace(/[^A-Za-z0-9.:/_-]/g, '_').slice(0, 60);
}

export type Right =
  /** This healer may write. */
  | { readonly kind: 'ours'; readonly record: HealRecord }
  /** It has been taken, and is not certain yet. */
  | { readonly kind: 'settling'; readonly record: HealRecord; readonly certainAt: number }
  | { readonly kind: 'free' }
  | { readonly kind: 'other'; readonly record: HealRecord };

/** `startedAt`: when the reading that shows the record was begun. */
export function rightOf(record: HealRecord | null, { owner, startedAt, now, desired }: RightFacts): Right {
  if (record === null) return { kind: 'free' };
  if (record.owner !== owner) {
    return record.until + CLOCK_SKEW_MS < now ? { kind: 'free' } : { kind: 'other', record };
  }
  // Not to the last moment: a write has to have its answer while the right lasts.
  if (record.until - CLOCK_SKEW_MS - desired.apiTimeoutMs <= now) return { kind: 'free' };
  const certainAt = record.since + settlingMs(desired);
  return startedAt >= certainAt ? { kind: 'ours', record } : { kind: 'settling', record, certainAt };
}

type RightFacts = {
  readonly owner: string;
  readonly startedAt: number;
  readonly now: number;
  readonly desired: Pick<Desired, 'apiTimeoutMs' | 'stalenessMs' | 'leaseMs'>;
};

/** A look and its questions, a call that was decided by them, and the lag of the reading that is to show it. */
export function settlingMs({
  apiTimeoutMs,
  stalenessMs,
}: Pick<Desired, 'apiTimeoutMs' | 'stalenessMs'>): number {
  return 3 * apiTimeoutMs + stalenessMs;
}

/** The record with the right renewed, or taken from nobody. What was done stays known. */
export function withRight(record: HealRecord | null, { owner, now, desired }: RightFacts): HealRecord {
  const kept = record ?? { number: 0, instance: null, begunAt: null, rebootedAt: null, told: [] };
  const isOurs = record !== null && record.owner === owner && record.until > now;
  return {
    ...kept,
    number: kept.number + 1,
    owner,
    since: isOurs ? record.since : now,
    until: now + desired.leaseMs,
  };
}

/** The record with the right given back, for a healer that ends: the next one need not wait for its end. */
export function givenBack(record: HealRecord): HealRecord {
  return { ...record, number: record.number + 1, until: 0 };
}
