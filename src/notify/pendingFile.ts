/** What a receiver has not taken yet, kept over a restart: in one small file for each, written while there is something. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { isObject, member } from '../config/document';
import { BackgroundFile } from '../store/backgroundFile';
import { readSmallFile } from '../store/smallFile';
import type { Notification } from './notification';
import type { Pending } from './outbox';

const MAX_BYTES = 8 * 1024 * 1024;
export const NOTHING: Pending = { dropped: null, notifications: [] };

export function pendingFile(
  stateDir: string,
  name: string,
  log: Logger,
  content: () => Pending,
): BackgroundFile {
  return new BackgroundFile({
    path: pathOf(stateDir, name),
    mode: 0o600,
    durable: true,
    closeTimeoutMs: 500,
    content: () => JSON.stringify(content()),
    log,
    words: {
      event: 'notifications',
      failed: 'What is to be told cannot be kept: a restart would lose it; failover is not affected',
      recovered: 'What is to be told can be kept again',
    },
  });
}

/** Never throws; what is damaged, or of another version, is nothing. */
export function readPending(stateDir: string, name: string): Pending {
  const file = readSmallFile(pathOf(stateDir, name), MAX_BYTES);
  if (file.outcome !== 'text') return NOTHING;
  try {
    const kept: unknown = JSON.parse(file.text);
    const notifications = member(kept, 'notifications');
    const dropped = member(kept, 'dropped');
    return {
      dropped: isDropped(dropped) ? dropped : null,
      notifications: Array.isArray(notifications) ? notifications.filter(isNotification) : [],
    };
  } catch {
    return NOTHING;
  }
}

const pathOf = (stateDir: string, name: string): string => join(stateDir, `notifications-${name}.json`);

function isDropped(value: unknown): value is NonNullable<Pending['dropped']> {
  return (
    isObject(value) &&
    typeof value['id'] === 'string' &&
    [value['count'], value['from'], value['to']].every(isTime)
  );
}

function isNotification(value: unknown): value is Notification {
  if (!isObject(value)) return false;
  const { id, type, at, router, severity, text, folded, entry } = value;
  const areTexts = [id, type, router, severity, text].every((each) => typeof each === 'string');
  return areTexts && isTime(at) && typeof folded === 'number' && (entry === null || isObject(entry));
}

/** What has a date: ECMA-262, 21.4.1.1. */
const isTime = (value: unknown): boolean =>
  typeof value === 'number' && Math.abs(value) <= 8_640_000_000_000_000;
