/**
 * The decision memory on disk: what must outlive the daemon's process so that a restart neither forgets a
 * takeover it had begun nor takes over without being armed. One small file, replaced as a whole and
 * synced. What is read back is believed only when every field is what it should be; otherwise the daemon
 * starts as if for the first time, which is always safe. Saving never blocks the loop.
 *
 * With one group the file is its memory; with several it is {"groups": {NAME: MEMORY, ...}}. Beside it stands whose it
 * is: the decisions of another router (a copied disk, a shared directory) are not used.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { z } from 'zod';
import { clipped, printable } from '../config/words';
import type { Memory } from '../core/state/model';
import type { Reading } from '../wellness';
import { BackgroundFile } from './backgroundFile';
import { atMost } from './deadline';
import { isOnPersistentMount } from './persistentMount';
import { readSmallFile } from './smallFile';

export type MemoryFile = {
  /** What was remembered last of this group; null where there is nothing that can be trusted. Never throws. */
  load(group: string): Memory | null;
  /** Which instance this router is, once that is known; until then its peers tell it from others. */
  own(instanceId: string): void;
  /** Whether a file is there that names an instance, so that it is worth knowing one's own before `load`. */
  readonly namesInstance: () => boolean;
  /** The latest of each group wins; written in the background. */
  save(group: string, memory: Memory): void;
  /** Whether all that was saved so far is on disk; false after a failure, or after 2 s. Never rejects. */
  stored(): Promise<boolean>;
  readonly health: () => Reading;
  close(): Promise<void>;
  /** Whether the directory outlives this container; null where that cannot be found out. */
  onPersistentMount(): boolean | null;
};

/** Whose decisions a file holds. */
export type Owner = {
  /** Instance id; null while it is not known. */
  readonly instance: string | null;
  /** The addresses of its peers: no two routers of a pair have the same. */
  readonly router: string;
};

const fileName = 'decisions.json';
const maxBytes = 1024 * 1024;
/** An operator waits for it. */
const STORED_TIMEOUT_MS = 2_000;

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
  scheduled: z
    .object({
      // Of an order of another boot it may lie before this one.
      at: z.number().min(-Number.MAX_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER),
      atWall: monotonicMs.max(latestWallMs),
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
  alarms: z
    .array(
      z.object({
        key: z.string().max(256),
        code: z.string().max(64),
        about: z.array(z.string().max(256)).max(4096),
        text: z.string().max(4096),
        since: monotonicMs,
      }),
    )
    .max(256)
    .default([]),
});

const ownerSchema = z.object({
  owner: z.object({ instance: z.string().max(64).nullable(), router: z.string().max(64 * 1024) }),
});

const groupsSchema = z.object({ groups: z.record(z.string(), memorySchema) });

/** What a file holds: the memory of a single group, or those of several by name. */
export type Memories =
  { readonly single: Memory } | { readonly groups: { readonly [group: string]: Memory } };

/** `router` as in `Owner`; null names nobody and takes any file. */
export function openMemory(
  stateDir: string,
  groups: readonly string[],
  log: Logger,
  router: string | null = null,
): MemoryFile {
  const path = join(stateDir, fileName);
  let instance: string | null = null;
  let loaded: Memories | null | undefined;
  /** By group. What was loaded stays in the file until the group saves something. */
  const latest = new Map<string, Memory>();
  const file = new BackgroundFile({
    path,
    mode: 0o600,
    durable: true,
    // Syncing to a busy disk takes its time, and this is worth waiting for.
    closeTimeoutMs: 1_500,
    content: () => {
      const [only] = groups.length === 1 ? latest.values() : [];
      const owner = router === null ? {} : { owner: { instance, router } };
      return `${JSON.stringify({ ...(only ?? { groups: Object.fromEntries(latest) }), ...owner })}\n`;
    },
    log,
    words: {
      event: 'memory',
      failed: 'The decision memory cannot be written; a restart of the daemon would forget what is armed',
      recovered: 'The decision memory can be written again',
    },
  });
  return {
    load(group) {
      if (loaded === undefined) loaded = load(path, log, router === null ? null : { instance, router });
      const memory = loaded === null ? null : memoryOf(group, groups, loaded);
      if (memory !== null) latest.set(group, memory);
      return memory;
    },
    own(instanceId) {
      instance = instanceId;
    },
    namesInstance: () => {
      const file = readSmallFile(path, maxBytes);
      return file.outcome === 'text' && (parseOwner(file.text)?.instance ?? null) !== null;
    },
    save(group, memory) {
      latest.set(group, memory);
      file.touch();
    },
    async stored() {
      let isWritten = false;
      await atMost(
        STORED_TIMEOUT_MS,
        file.written().then((is) => (isWritten = is)),
      );
      return isWritten;
    },
    health: () => file.health(),
    close: () => file.close(),
    onPersistentMount: () => isOnPersistentMount(stateDir),
  };
}

/**
 * Where the groups are not those of the file, because the configuration has changed, what the file says of their
 * targets is nobody's. An inhibit of the whole daemon is kept: maintenance is when configurations change.
 */
function memoryOf(group: string, groups: readonly string[], loaded: Memories): Memory | null {
  if ('single' in loaded) return groups.length === 1 ? loaded.single : inhibitOnly([loaded.single]);
  if (Object.hasOwn(loaded.groups, group)) return loaded.groups[group] ?? null;
  return inhibitOnly(Object.values(loaded.groups));
}

/** The inhibit that ends first, where each of them has one. */
function inhibitOnly(memories: readonly Memory[]): Memory | null {
  const inhibited = memories.filter(({ inhibit }) => inhibit !== null);
  if (inhibited.length < memories.length) return null;
  const [first] = inhibited.sort((a, b) => (a.inhibit?.untilWall ?? 0) - (b.inhibit?.untilWall ?? 0));
  if (first === undefined) return null;
  return {
    ...first,
    wasActive: false,
    armedSessions: [],
    intent: null,
    beenActive: false,
    scheduled: null,
    damping: null,
    alarms: [],
  };
}

/** Null for any text that is not exactly what a daemon writes. */
export function parseMemories(text: string): Memories | null {
  const several = groupsSchema.safeParse(jsonOf(text));
  if (several.success) return several.data;
  const single = parseMemory(text);
  return single === null ? null : { single };
}

/** Null where the text does not say: older versions did not. */
export function parseOwner(text: string): Owner | null {
  const parsed = ownerSchema.safeParse(jsonOf(text));
  return parsed.success ? parsed.data.owner : null;
}

/** The same for the memory of a single group. */
export function parseMemory(text: string): Memory | null {
  const parsed = memorySchema.safeParse(jsonOf(text));
  return parsed.success ? parsed.data : null;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
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

function load(path: string, log: Logger, self: Owner | null): Memories | null {
  const file = readSmallFile(path, maxBytes);
  switch (file.outcome) {
    case 'missing':
      return null;
    case 'unreadable':
      warn(log, path, file.cause);
      return null;
    case 'text': {
      const memories = parseMemories(file.text);
      if (memories === null) warn(log, path, 'the file is truncated, damaged or not ours');
      const owner = parseOwner(file.text);
      if (memories === null || self === null || owner === null || isSame(owner, self)) return memories;
      const reason = `the decisions stored in ${path} are those of ${inWords(owner)}, and this router is ${inWords(self)}: they are not used`;
      log.warn(
        { event: 'memory-of-another', reason, path, owner },
        'The decision memory is another router’s',
      );
      return null;
    }
  }
}

/** The instance decides where both are known. */
function isSame(owner: Owner, self: Owner): boolean {
  const areKnown = owner.instance !== null && self.instance !== null;
  return areKnown ? owner.instance === self.instance : owner.router === self.router;
}

function inWords({ instance, router }: Owner): string {
  return `${instance ?? 'an unknown instance'} with the peer ${printable(clipped(router, 100))}`;
}

function warn(log: Logger, path: string, cause: string): void {
  log.warn(
    { event: 'memory-unreadable', cause, path },
    'The decision memory cannot be read; starting without it, as after a reboot',
  );
}
