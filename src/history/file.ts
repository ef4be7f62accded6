/** The file that keeps the history across restarts and upgrades. `show` reads it by itself, also while nothing runs. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { BackgroundFile } from '../store/backgroundFile';
import { readSmallFile } from '../store/smallFile';
import { historyText, parseHistory, type Kept } from './entry';

export type KeptHistory =
  | { readonly outcome: 'kept'; readonly kept: Kept }
  | { readonly outcome: 'missing' }
  | { readonly outcome: 'unreadable'; readonly cause: string };

const FILE_NAME = 'history.jsonl';
/** Of an entry that is about a thousand targets there are few. */
const MAX_BYTES = 16 * 1024 * 1024;
/** Counts alone are written this seldom: a session that flaps must not keep the disk busy. */
const COUNTS_AFTER_MS = 10_000;

export const historyPath = (stateDir: string): string => join(stateDir, FILE_NAME);

/** Never throws. */
export function readHistory(path: string): KeptHistory {
  const file = readSmallFile(path, MAX_BYTES);
  if (file.outcome !== 'text') return file;
  const kept = parseHistory(file.text);
  return kept === null
    ? { outcome: 'unreadable', cause: `${path} is no history` }
    : { outcome: 'kept', kept };
}

export class HistoryFile {
  readonly #file: BackgroundFile;
  #timer: NodeJS.Timeout | null = null;

  constructor({
    path,
    log,
    content,
  }: {
    readonly path: string;
    readonly log: Logger;
    readonly content: () => Kept;
  }) {
    this.#file = new BackgroundFile({
      path,
      mode: 0o600,
      durable: true,
      closeTimeoutMs: 500,
      content: () => historyText(content()),
      log,
      words: {
        event: 'history',
        failed: 'The history cannot be written; failover is not affected',
        recovered: 'The history can be written again',
      },
    });
  }

  /** Returns at once. */
  touch(isNews: boolean): void {
    if (isNews) return this.#write();
    this.#timer ??= setTimeout(() => this.#write(), COUNTS_AFTER_MS).unref();
  }

  async close(): Promise<void> {
    this.#write();
    await this.#file.close();
  }

  #write(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#file.touch();
  }
}
