/**
 * Looks once a minute what AWS has announced for this router, and for its peer while it matters: while this router has
 * maintenance ahead, or is to switch over ahead of it. Tells what has changed. Nothing waits for it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { AnnouncedMaintenance } from '../../cloud';
import type { Maintenance } from '../../core/state/model';
import type { Imds } from '../transport/imds';
import { endOfInstance, scheduledIn, type Clocks } from './maintenance';

const LOOK_MS = 60_000;
/** An Auto Scaling group waits for its hook, which may be short. */
const LIFECYCLE_LOOK_MS = 5_000;

export type MaintenanceWatchOptions = {
  readonly imds: Imds;
  readonly log: Logger;
  readonly clocks: () => Clocks;
  /** This router is to switch over ahead of its maintenance. */
  readonly switchesOver: boolean;
  /** Asks EC2 about the peers, whose events come in by `learntOf`. */
  readonly askPeers: () => Promise<void>;
  readonly tell: (learnt: AnnouncedMaintenance) => void;
  readonly lookMs?: number;
  readonly lifecycleLookMs?: number;
};

export class MaintenanceWatch {
  readonly #options: MaintenanceWatchOptions;
  readonly #stopping = new AbortController();
  /** By instance, as last told. */
  readonly #told = new Map<string | null, string>();
  #scheduled: readonly Maintenance[] = [];
  #endsSince: Clocks | null = null;

  constructor(options: MaintenanceWatchOptions) {
    this.#options = options;
  }

  /** Until it is stopped. Never rejects. */
  async run(): Promise<void> {
    const { lookMs = LOOK_MS, lifecycleLookMs = LIFECYCLE_LOOK_MS, switchesOver } = this.#options;
    const { signal } = this.#stopping;
    const pauseMs = switchesOver ? Math.min(lookMs, lifecycleLookMs) : lookMs;
    for (let sinceMs = lookMs; !signal.aborted; sinceMs += pauseMs) {
      const isDue = sinceMs >= lookMs;
      if (isDue) sinceMs = 0;
      await this.#look(isDue);
      await delay(pauseMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  stop(): void {
    this.#stopping.abort();
  }

  /** What EC2 has said of an instance when it was asked how it is. */
  learntOf(instanceId: string, announced: readonly Maintenance[] | null): void {
    this.#tell({ instanceId, announced });
  }

  async #look(isDue: boolean): Promise<void> {
    const { imds, log, clocks, switchesOver, askPeers } = this.#options;
    const state = await imds.get('autoscaling/target-lifecycle-state');
    if (state.ok && state.text.trim() === 'Terminated') this.#endsSince ??= clocks();
    else if (state.ok || state.missing) this.#endsSince = null;
    if (isDue) {
      const answer = await imds.get('events/maintenance/scheduled');
      if (answer.ok) {
        const scheduled = scheduledIn(answer.text, clocks());
        if (scheduled === null)
          log.debug({ event: 'maintenance-unread', text: answer.text.slice(0, 200) }, 'no list of events');
        else this.#scheduled = scheduled;
      } else if (answer.missing) this.#scheduled = [];
      else log.debug({ event: 'maintenance-unread', problem: answer.problem }, 'no events from IMDS');
    }
    const own = [...this.#scheduled, ...(this.#endsSince === null ? [] : [endOfInstance(this.#endsSince)])];
    this.#tell({ instanceId: null, announced: own });
    if ((isDue || own.length > 0) && (switchesOver || own.length > 0)) await askPeers();
  }

  /** None where none was known is no news. */
  #tell(learnt: AnnouncedMaintenance): void {
    const { instanceId, announced } = learnt;
    const written = JSON.stringify(announced?.map(({ code, atWall }) => [code, atWall]) ?? null);
    const before = this.#told.get(instanceId);
    if (written === before || (before === undefined && written === '[]' && instanceId === null)) return;
    this.#told.set(instanceId, written);
    this.#options.tell(learnt);
  }
}
