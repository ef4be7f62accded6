/**
 * The store in Redis, laid out as the predecessor's: a hash per key with the fields `value` and
 * `timestamp`, and the set `redundancy` with the names of the listed keys. Only these are touched, nothing
 * is ever flushed or deleted.
 *
 * One writer task owns the connection. It reconnects itself instead of leaving that to ioredis: a fresh
 * client per connection has no queue that could grow while Redis hangs, and every connection starts by
 * writing the latest of everything, so that Redis may come, go, be emptied and return at any time.
 */
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { Backoff } from '../backoff';
import { Wellness, type Reading } from '../wellness';
import { atMost } from './deadline';
import {
  indexName,
  isListed,
  storeEntry,
  type StoreEntry,
  type StoreKey,
  type StoreValue,
  type StoreWriter,
} from './entry';
import { refusalsOf, type KeyReply, type Refusal } from './redisRefusal';
import { systemError } from './systemError';

export type RedisAddress = { readonly host: string; readonly port: number };

const answerTimeoutMs = 1_000;
/** What ioredis says when a command got no answer in time. */
const timedOut = 'Command timed out';
const retry = { firstMs: 200, lastMs: 2_000 };
const refusedRetry = { firstMs: 5_000, lastMs: 60_000 };
/** A connection that was of use for less than this is followed by a longer pause. */
const stableMs = 2_000;
const closeTimeoutMs = 700;

export function openRedisStore(address: RedisAddress, log: Logger): StoreWriter {
  return new RedisStore(address, log);
}

class RedisStore implements StoreWriter {
  private readonly address: RedisAddress;
  private readonly log: Logger;
  private readonly latest = new Map<StoreKey, StoreEntry>();
  private readonly outstanding = new Set<StoreKey>();
  private readonly closing = new AbortController();
  private readonly task: Promise<void>;
  private connection: Redis | null = null;
  private wake: () => void = () => {};
  /** Whether its absence has been logged, and its return has not. */
  private away = false;
  /** Whether the last connection ended without a write. */
  private dropped = false;
  private refusals: readonly Refusal[] = [];
  private readonly refused = new Backoff(refusedRetry);
  private readonly wellness = new Wellness();

  constructor(address: RedisAddress, log: Logger) {
    this.address = address;
    this.log = log.child({ redis: `${address.host}:${address.port}` });
    this.task = this.run();
  }

  put(key: StoreKey, value: StoreValue): void {
    this.latest.set(key, storeEntry(value, new Date()));
    this.outstanding.add(key);
    this.wake();
  }

  health(): Reading {
    return this.wellness.reading();
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.wake();
    await atMost(closeTimeoutMs, this.task);
    this.connection?.disconnect();
  }

  private async run(): Promise<void> {
    // Also keeps the first connect behind whatever the daemon's start still has to do in this turn.
    await nextTurn();
    const backoff = new Backoff(retry);
    while (!this.closing.signal.aborted) {
      const startedAt = performance.now();
      await this.connectAndWrite();
      if (performance.now() - startedAt >= stableMs) backoff.reset();
      await this.pause(backoff.nextMs());
    }
  }

  /** One connection's life. */
  private async connectAndWrite(): Promise<void> {
    const client = new Redis({
      ...this.address,
      lazyConnect: true,
      retryStrategy: null,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      enableReadyCheck: false,
      disableClientInfo: true,
      protocol: 2,
      connectTimeout: answerTimeoutMs,
      commandTimeout: answerTimeoutMs,
      disconnectTimeout: 100,
    });
    let worked = false;
    let cause: Error | null = null;
    // connect() rejects with "Connection is closed" whatever happened; the event has the cause.
    client.on('error', (error) => (cause = error));
    client.on('close', () => this.wake());
    this.connection = client;
    try {
      await client.connect();
      worked = true;
      for (const key of this.latest.keys()) this.outstanding.add(key);
      while (await this.somethingToDo(client)) {
        const refused = await this.write(client);
        this.noteAnswer();
        if (this.closing.signal.aborted) return;
        // A key that is refused for ever must not hold up the others: the next put ends the wait.
        if (refused) await Promise.race([this.pause(this.refused.nextMs()), this.woken()]);
      }
    } catch (error: unknown) {
      if (worked && systemError(error).message !== timedOut) this.noteDropped(error);
      else this.noteAway(cause ?? error);
    } finally {
      client.disconnect();
    }
  }

  /** Waits for a put; false where none is to be written on this connection any more. */
  private async somethingToDo(client: Redis): Promise<boolean> {
    while (this.outstanding.size === 0 && !this.closing.signal.aborted && client.status === 'ready') {
      await this.woken();
    }
    // Lets the puts of one step come together, and whatever the step sends to the cloud go first.
    await nextTurn();
    return this.outstanding.size > 0 && client.status === 'ready';
  }

  private woken(): Promise<void> {
    return new Promise((resolve) => (this.wake = resolve));
  }

  /** Writes what is outstanding; true when Redis refused some of it. Throws when it did not answer. */
  private async write(client: Redis): Promise<boolean> {
    const before = this.outstanding.size;
    const replies = await this.send(client);
    // Somebody emptied Redis or deleted a key of ours: bring everything back, once per write.
    const there = replies.find((reply) => reply.key === null)?.result;
    if (typeof there === 'number' && there < this.latest.size && before < this.latest.size) {
      for (const key of this.latest.keys()) this.outstanding.add(key);
      replies.push(...(await this.send(client)));
    }
    const refusals = refusalsOf(replies);
    this.noteRefusals(refusals);
    if (refusals.length > 0) this.wellness.failed();
    else this.wellness.ok();
    return refusals.length > 0;
  }

  private async send(client: Redis): Promise<KeyReply[]> {
    const batch = [...this.outstanding].flatMap((key) => {
      const entry = this.latest.get(key);
      return entry === undefined ? [] : [{ key, entry }];
    });
    const names = [...this.latest.keys()].filter(isListed);
    const pipeline = client.pipeline();
    for (const { key, entry } of batch) {
      pipeline.hset(key, 'value', entry.value, 'timestamp', entry.timestamp);
    }
    // Asked after the writes: what is missing now is missing although it was written earlier.
    pipeline.exists(...this.latest.keys());
    if (names.length > 0) pipeline.sadd(indexName, ...names);
    const results = (await pipeline.exec()) ?? [];
    const keys: (string | null)[] = [...batch.map(({ key }) => key), null, indexName];
    const replies = results.map(([error, result], i) => ({ key: keys[i] ?? null, error, result }));
    for (const { error } of replies) {
      if (error !== null && error.name !== 'ReplyError') throw error;
    }
    for (const [i, { key, entry }] of batch.entries()) {
      if (replies[i]?.error === null && this.latest.get(key) === entry) this.outstanding.delete(key);
    }
    return replies;
  }

  /**
   * A connection may end for good reasons, such as Redis being set to drop idle clients, or being
   * restarted: whether Redis is away shows when the next one cannot be had, or ends without a write too.
   */
  private noteDropped(error: unknown): void {
    if (this.dropped) this.noteAway(error);
    this.dropped = true;
  }

  private noteAway(error: unknown): void {
    this.wellness.failed();
    if (this.away || this.closing.signal.aborted) return;
    this.away = true;
    this.log.warn(
      { event: 'store-away', cause: systemError(error).message },
      'Redis does not answer; show will be out of date until it is back, failover is not affected',
    );
  }

  private noteAnswer(): void {
    this.dropped = false;
    if (!this.away) return;
    this.away = false;
    this.log.info({ event: 'store-back' }, 'Redis answers again; the latest values are written');
  }

  private noteRefusals(refusals: readonly Refusal[]): void {
    for (const { code, key, message, advice } of refusals) {
      if (this.refusals.some((known) => known.code === code && known.key === key)) continue;
      this.log.warn(
        { event: 'store-refused', code, ...(key === null ? {} : { key }), cause: message, advice },
        'Redis refuses to store the view for show; failover is not affected',
      );
    }
    if (refusals.length === 0) this.refused.reset();
    if (this.refusals.length > 0 && refusals.length === 0) {
      this.log.info({ event: 'store-accepted' }, 'Redis accepts the view for show again');
    }
    this.refusals = refusals;
  }

  private async pause(ms: number): Promise<void> {
    try {
      await delay(ms, undefined, { signal: this.closing.signal, ref: false });
    } catch {
      // Aborted: close() wants the task to end.
    }
  }
}
