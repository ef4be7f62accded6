/**
 * How every long-lived part of the daemon does, told with each keepalive: for `show ha_health` and the log.
 * A part that hangs shows by its age even where nothing says that it failed. Nothing is decided from this.
 */
import type { Logger } from 'pino';
import type { Group } from '../config/settings';
import type { HaState } from '../core/state/model';
import type { JsonObject } from '../core/state/json';
import { purposeOf } from '../core/state/purposes';
import type { State } from '../core/state/state';
import { Wellness, type Reading } from '../wellness';
import type { Recorded } from './loop';

/** Null for a part that this configuration does not have. */
export type HealthSources = { readonly [part: string]: () => Reading | null };

/** However little changes, so often the log says at info how the parts do. */
const TOLD_EVERY_MS = 600_000;

export class Health {
  readonly #groups: readonly Group[];
  readonly #roles = new Map<string, HaState>();
  readonly #sources: HealthSources;
  readonly #log: Logger;
  readonly #put: (health: JsonObject) => void;
  readonly #observation = new Wellness();
  readonly #writes = new Wellness();
  readonly #loop = new Wellness();
  #lastAt = -Infinity;
  #lastToldAt = -Infinity;
  #failing = '';

  constructor({
    groups,
    sources,
    log,
    put,
  }: {
    readonly groups: readonly Group[];
    readonly sources: HealthSources;
    readonly log: Logger;
    readonly put: (health: JsonObject) => void;
  }) {
    this.#groups = groups;
    this.#sources = sources;
    this.#log = log;
    this.#put = put;
  }

  /** Comes after whatever else is recorded of the batch. */
  update(batch: readonly Recorded[]): void {
    let keepalive = false;
    // One reading may answer several groups at once: one of them speaks for all.
    const speaker = batch.find(({ event }) => isAnswer(event))?.group;
    for (const { group, event, before, step } of batch) {
      this.#roles.set(group, step.state.role.haState);
      if (event.type === 'ownershipObserved' && group === speaker) this.#observation.ok();
      else if (event.type === 'observationFailed' && group === speaker) this.#observation.failed();
      else if (event.type === 'callAnswered') this.#wrote(event.failure === null, before);
      else if (event.type === 'inputDrained') this.#loop.ok();
      keepalive ||= isAnswer(event);
    }
    const now = batch.at(-1)?.now ?? -Infinity;
    // Also where the cloud does not answer at all: then this is what there is to see.
    if (keepalive || now - this.#lastAt >= this.#shortest('keepaliveIntervalMs')) this.#tell(now);
  }

  /** A claim that the cloud turns down was somebody else's, which is no failure. */
  #wrote(isDone: boolean, { attempt }: State): void {
    if (isDone) this.#writes.ok();
    else if (attempt === null || !purposeOf(attempt).isContest) this.#writes.failed();
  }

  #tell(now: number): void {
    this.#lastAt = now;
    const readings = this.#readings();
    const parts = Object.fromEntries(readings.map(([part, reading]) => [part, inWords(reading)]));
    const health: JsonObject =
      this.#groups.length === 1 ? parts : { ...parts, groups: Object.fromEntries(this.#roles) };
    this.#put(health);
    const failing = readings.flatMap(([part, { state }]) => (state === 'failing' ? [part] : [])).join(', ');
    const isNews = failing !== this.#failing || now - this.#lastToldAt >= TOLD_EVERY_MS;
    if (isNews) this.#lastToldAt = now;
    this.#failing = failing;
    const reason = failing === '' ? 'no part of the daemon fails' : `not well: ${failing}`;
    this.#log[isNews ? 'info' : 'debug']({ event: 'health', reason, ...health }, 'health');
  }

  #shortest(time: 'keepaliveIntervalMs' | 'roleTtlMs'): number {
    return Math.min(...this.#groups.map(({ plan }) => plan.timing[time]));
  }

  #readings(): readonly (readonly [string, Reading])[] {
    const observation = this.#observation.reading();
    const ttlS = this.#shortest('roleTtlMs') / 1000;
    const stale = observation.lastOkS !== null && observation.lastOkS > ttlS;
    const others = Object.entries(this.#sources).flatMap(([part, read]) => {
      const reading = read();
      return reading === null ? [] : [[part, reading] as const];
    });
    return [
      ['api_observation', stale ? { ...observation, state: 'failing' } : observation],
      ['api_writes', this.#writes.reading()],
      ...others,
      ['loop', this.#loop.reading()],
    ];
  }
}

function isAnswer({ type }: Recorded['event']): boolean {
  return type === 'ownershipObserved' || type === 'observationFailed';
}

function inWords({ state, lastOkS, failures }: Reading): JsonObject {
  return { state, last_ok_s: lastOkS, failures };
}
