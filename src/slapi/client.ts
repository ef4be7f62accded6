/**
 * The router's Service-Layer API as the rest of the daemon sees it: events out, two questions in. Attaches,
 * and after every loss attaches again, for ever. What an attachment does is attachment.ts's part.
 */
import type { Logger } from 'pino';
import type { SlapiSettings } from '../config/settings';
import {
  Attachment,
  noLevels,
  type AttachmentTiming,
  type LevelsReading,
  type SlapiEvent,
} from './attachment';
import { pauseMs } from '../core/pause';
import { openChannel } from './channel';
import { Complaints } from './complaints';
import { Contest } from './contest';
import type { InterfaceReading } from './interfaces';
import type { Loss } from './operations';
import { OrderLearnt } from './order';
import { Pings } from './pings';
import { StreamHealth, type StreamReadings } from './streamHealth';

export type { SlapiEvent } from './attachment';

export type SlapiOptions = {
  readonly settings: SlapiSettings;
  /** Called inside gRPC callbacks, so it has to be quick and must not throw. */
  readonly emit: (event: SlapiEvent) => void;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly log: Logger;
  /** In [0, 1), for jitter. */
  readonly random?: () => number;
  /** How long to leave the streams to another client that took them. */
  readonly retakeDelayMs?: { readonly min: number; readonly max: number };
  /** From one keepalive ping to the next, until the router objects. */
  readonly pingIntervalMs?: number;
} & Partial<AttachmentTiming>;

export type Slapi = {
  /**
   * The levels of the named interfaces as the router answers now. Never rejects; what could not be read in
   * time is left out: everything where an interface of the second generation has not been seen to answer.
   */
  readonly askInterfaces: (
    names: readonly string[],
    timeoutMs: number,
  ) => Promise<readonly InterfaceReading[]>;
  /** Of each notification stream. */
  readonly health: () => StreamReadings;
  /**
   * All levels as the router says them now, on the second generation those of interfaces as its stream last said
   * them. What this reading finds changed is in the answer and is not emitted beside it. Never rejects; empty
   * where the router is not attached or does not answer: then the next synchronization tells them.
   */
  readonly readLevels: () => Promise<LevelsReading>;
  /**
   * `keep` leaves the BFD sessions on the router, `unregister` withdraws them. Emits nothing more and takes
   * less than 2 s whatever the router does.
   */
  readonly close: (mode: 'keep' | 'unregister') => Promise<void>;
};

const defaultTiming: AttachmentTiming = {
  operationTimeoutMs: 2000,
  heartbeatPatienceMs: 60_000,
  firstReportMs: 50,
};
const defaultRetakeDelayMs = { min: 10_000, max: 30_000 };
const firstBackoffMs = 100;
/** An attachment that was lost sooner than this was no success, or a loss would be followed by a hot loop. */
const stableMs = 1000;
const unregisterBudgetMs = 1500;
const contestedReason =
  "another client keeps taking the router's event streams: " +
  'is a second xr-aws-ha, or the application it succeeds, running on this router?';

export function startSlapi(options: SlapiOptions): Slapi {
  const client = new SlapiClient(options);
  client.attach();
  return {
    askInterfaces: (names, timeoutMs) => client.askInterfaces(names, timeoutMs),
    readLevels: () => client.readLevels(),
    health: () => client.health(),
    close: (mode) => client.close(mode),
  };
}

class SlapiClient {
  readonly #options: SlapiOptions;
  readonly #complaints: Complaints;
  #attachment: Attachment | null = null;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;
  /** Losses since the last attachment that held; another client's taking the streams is none. */
  #failures = 0;
  #synchronizedAt: number | null = null;
  /** Why the router refused this client, from the first time to the next attachment that stands. */
  #refusal: string | null = null;
  /** An error has been logged that ends with the next attachment that stands. */
  #isAlarmed = false;
  /** What the core was last told about the streams. */
  #told: 'nothing' | 'synchronized' | 'controlLost' | 'streamsLost' = 'nothing';
  readonly #contest = new Contest();
  readonly #streamHealth = new StreamHealth();
  readonly #order: OrderLearnt;
  readonly #pings: Pings;

  constructor(options: SlapiOptions) {
    this.#options = options;
    this.#complaints = new Complaints(options.log);
    this.#order = new OrderLearnt(options.log);
    this.#pings = new Pings(options.log, options.pingIntervalMs);
  }

  attach(): void {
    void this.#attach();
  }

  async askInterfaces(names: readonly string[], timeoutMs: number): Promise<readonly InterfaceReading[]> {
    return this.#attachment?.askInterfaces(names, timeoutMs) ?? [];
  }

  async readLevels(): Promise<LevelsReading> {
    return this.#attachment?.readLevels() ?? noLevels;
  }

  health(): StreamReadings {
    return this.#streamHealth.readings();
  }

  async close(mode: 'keep' | 'unregister'): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const attachment = this.#attachment;
    if (attachment === null) return;
    if (mode === 'unregister') await atMost(unregisterBudgetMs, attachment.unregister());
    attachment.close();
  }

  async #attach(): Promise<void> {
    const { settings, log, now } = this.#options;
    const opened = await openChannel(settings, this.#pings.keepalive);
    if (this.#closed) {
      if (opened.ok) opened.channel.close();
      return;
    }
    if (!opened.ok) return this.#lost({ kind: 'lost', cause: opened.cause });
    this.#attachment = new Attachment({
      settings,
      channel: opened.channel,
      timing: { ...defaultTiming, ...definedTiming(this.#options) },
      order: this.#order.order,
      complaints: this.#complaints,
      log,
      now,
      heard: (method) => this.#streamHealth.heard(method),
      emit: (event) => this.#emit(event),
      lost: (loss) => this.#lost(loss),
    });
    this.#attachment.start();
  }

  #emit(event: SlapiEvent): void {
    if (this.#closed) return;
    if (event.type === 'streamsSynchronized') {
      this.#synchronizedAt ??= this.#options.now();
      this.#noteAttached();
      this.#order.attached(event.generation);
      this.#streamHealth.synchronized();
      this.#told = 'synchronized';
    }
    this.#options.emit(event);
  }

  #noteAttached(): void {
    this.#refusal = null;
    if (!this.#isAlarmed) return;
    this.#isAlarmed = false;
    const reason = "the router's Service-Layer API is attached again";
    this.#options.log.info({ event: 'slapi-reachable', reason }, 'Attached to the Service-Layer API again');
  }

  #lost(loss: Loss): void {
    this.#attachment = null;
    if (this.#closed) return;
    this.#streamHealth.lost();
    const wasAttached = this.#synchronizedAt !== null;
    const heldMs = this.#synchronizedAt === null ? null : this.#options.now() - this.#synchronizedAt;
    this.#synchronizedAt = null;
    this.#pings.lost(loss);
    const hasOtherOrder = this.#order.lost(loss, heldMs);
    if (heldMs !== null && heldMs >= stableMs) this.#failures = 0;
    // Trying the other order at once is part of finding the router, no failure of it.
    if (loss.kind !== 'taken' && !hasOtherOrder) this.#failures += 1;
    if (wasAttached || !hasOtherOrder) this.#tell(loss);
    const retryInMs = hasOtherOrder ? 0 : Math.round(this.#delayMs(loss));
    this.#record(loss, wasAttached, retryInMs);
    this.#timer = setTimeout(() => this.attach(), retryInMs);
  }

  #record({ kind, cause }: Loss, wasAttached: boolean, retryInMs: number): void {
    const { settings, log, now } = this.#options;
    const fields = { cause, failures: this.#failures, retryInMs };
    if (kind === 'taken') {
      if (this.#contest.lostControl(now())) {
        log.error(
          { event: 'slapi-contested', reason: contestedReason, ...fields },
          'Another client keeps taking the event streams of the router',
        );
        return;
      }
    } else if (this.#failures === settings.retryCount && retryInMs > 0) {
      this.#isAlarmed = true;
      const reason = `${this.#failures} attempts in a row failed, and connecting goes on: ${cause}`;
      log.error(
        { event: 'slapi-unreachable', reason, ...fields },
        'The Service-Layer API of the router stays out of reach; connecting goes on',
      );
      return;
    } else if (kind === 'refused') {
      // The same refusal again is no news.
      const level = this.#refusal === cause ? 'debug' : 'error';
      this.#refusal = cause;
      this.#isAlarmed = true;
      log[level]({ event: 'slapi-refused', reason: cause, ...fields }, 'The router refuses this client');
      return;
    }
    // What the core was told of it is in the core's own record.
    log.debug(
      { event: 'slapi-lost', reason: cause, ...fields },
      wasAttached
        ? 'Lost the Service-Layer API of the router'
        : 'Could not attach to the Service-Layer API of the router',
    );
  }

  /** Once per outage and kind: a router that is away for an hour is one loss. */
  #tell({ kind, cause }: Loss): void {
    const type = kind === 'taken' ? 'controlLost' : 'streamsLost';
    if (this.#told === type) return;
    this.#told = type;
    this.#options.emit({ type, cause });
  }

  #delayMs({ kind }: Loss): number {
    const { settings, random = Math.random } = this.#options;
    switch (kind) {
      case 'taken': {
        const { min, max } = this.#options.retakeDelayMs ?? defaultRetakeDelayMs;
        return min + random() * (max - min);
      }
      case 'refused':
        return settings.retryIntervalMs;
      case 'lost': {
        if (this.#failures === 1) return 0;
        const range = { firstMs: firstBackoffMs, lastMs: settings.retryIntervalMs };
        return pauseMs(range, this.#failures - 2, random());
      }
    }
  }
}

function definedTiming(options: Partial<AttachmentTiming>): Partial<AttachmentTiming> {
  const { operationTimeoutMs, heartbeatPatienceMs, firstReportMs } = options;
  return {
    ...(operationTimeoutMs === undefined ? {} : { operationTimeoutMs }),
    ...(heartbeatPatienceMs === undefined ? {} : { heartbeatPatienceMs }),
    ...(firstReportMs === undefined ? {} : { firstReportMs }),
  };
}

async function atMost(budgetMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, budgetMs);
  });
  await Promise.race([work, expired]);
  clearTimeout(timer);
}
