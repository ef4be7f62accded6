/**
 * The decision memory on disk: what must outlive the daemon's process so that a restart neither forgets a
 * takeover it had begun nor takes over without being armed. One small file, replaced as a whole and
 * synced. What is read back is believed only when every field is what it should be; otherwise the daemon
 * starts as if for the first time, which is always safe. Saving never blocks the loop.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Memory } from '../core/model';
import type { Reading } from '../wellness';
import { BackgroundFile } from './backgroundFile';
import { isOnPersistentMount } from './persistentMount';
import { readSmallFile } from './smallFile';

export type MemoryFile = {
  /** What was remembered last; null where there is nothing that can be trusted. Never throws. */
  load(): Memory | null;
  /** The latest wins; written in the background. */
  save(memory: Memory): void;
  readonly health: () => Reading;
  close(): Promise<void>;
  /** Whether the directory outlives this container; null where that cannot be found out. */
  onPersistentMount(): boolean | null;
};

const fileName = 'decisions.json';
const maxBytes = 1024 * 1024;

/** What the control socket accepts at most: no file keeps a router from acting for longer than an operator can. */
const longestInhibitMs = 7 * 24 * 3_600_000;
/** The last moment that has a name (ECMA-262, 21.4.1.1). */
const latestWallMs = 8_640_000_000_000_000;
const monotonicMs = z.number().nonnegative().max(Number.MAX_SAFE_INTEGER);
const ids = z.array(z.string().min(1).max(256)).max(4096);

/** Unknown members are dropped, not refused: a newer version may have written them before a downgrade. What an
 * older version did not know of yet has a default. */
const memorySchema = z.object({
  bootId: z.string().min(1).max(64),
  savedAt: monotonicMs,
  wasActive: z.boolean(),
  armedSessions: ids,
  intent: z.object({ startedAt: monotonicMs, targets: ids.min(1) }).nullable(),
  beenActive: z.boolean().default(false),
  inhibit: z
    .object({
      until: monotonicMs,
      untilWall: monotonicMs.max(latestWallMs),
      forMs: monotonicMs.max(longestInhibitMs),
      why: z.string().max(200),
    })
    .nullable()
    .default(null),
  damping: z
    .object({
      penalty: z.number().nonnegative().max(10_000),
      at: monotonicMs,
      suppressedUntil: monotonicMs.nullable(),
    })
    .nullable()
    .default(null),
});

export function openMemory(stateDir: string, log: Logger): MemoryFile {
  const path = join(stateDir, fileName);
  let latest: Memory | null = null;
  const file = new BackgroundFile({
    path,
    mode: 0o600,
    durable: true,
    // Syncing to a busy disk takes its time, and this is worth waiting for.
    closeTimeoutMs: 1_500,
    content: () => `${JSON.stringify(latest)}\n`,
    log,
    words: {
      event: 'memory',
      failed: 'The decision memory cannot be written; a restart of the daemon would forget what is armed',
      recovered: 'The decision memory can be written again',
    },
  });
  return {
    load: () => load(path, log),
    save(memory) {
      latest = memory;
      file.touch();
    },
    health: () => file.health(),
    close: () => file.close(),
    onPersistentMount: () => isOnPersistentMount(stateDir),
  };
}

/** Null for any text that is not exactly a memory. */
export function parseMemory(text: string): Memory | null {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return null;
  }
  const parsed = memorySchema.safeParse(document);
  return parsed.success ? parsed.data : null;
}

/**
 * Names this boot of the machine. Where the kernel does not tell, a name that was never used before:
 * whatever was remembered then counts as another boot's.
 */
export function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'ascii').trim();
  } catch {
    return `unknown-${randomUUID()}`;
  }
}

function load(path: string, log: Logger): Memory | null {
  const file = readSmallFile(path, maxBytes);
  switch (file.outcome) {
    case 'missing':
      return null;
    case 'unreadable':
      warn(log, path, file.cause);
      return null;
    case 'text': {
      const memory = parseMemory(file.text);
      if (memory === null) warn(log, path, 'the file is truncated, damaged or not ours');
      return memory;
    }
  }
}

function warn(log: Logger, path: string, cause: string): void {
  log.warn(
    { event: 'memory-unreadable', cause, path },
    'The decision memory cannot be read; starting without it, as after a reboot',
  );
}
