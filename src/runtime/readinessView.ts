/**
 * Tells whether a failover would work: with each keepalive and at each change to the store, at each change to the log.
 * Comes after the effects of a batch.
 */
import type { Logger } from 'pino';
import type { Group } from '../config/settings';
import type { JsonObject } from '../core/state/json';
import { initialState } from '../core/state/state';
import { list } from '../core/state/turn';
import type { Recorded } from './loop';
import { isReady, readinessOf, type Around, type Line, type OfGroup } from './readiness';

/** A takeover of a thousand routes has a thousand answers: not each is worth a judgement over all of them. */
const WHILE_MOVING_MS = 1_000;

export type ReadinessViewOptions = {
  readonly groups: readonly Group[];
  readonly around: () => Around;
  readonly log: Logger;
  readonly put: (readiness: JsonObject) => void;
  /** When it changes, once it has been ready. `reason`: the sentence of the record. */
  readonly told: (isReady: boolean, reason: string) => void;
};

export class ReadinessView {
  readonly #options: ReadinessViewOptions;
  readonly #groups: Map<string, OfGroup>;
  #lines: readonly Line[] = [];
  #judgedAt = -Infinity;
  #putAt = -Infinity;
  #told: string | null = null;
  #everReady = false;

  constructor(options: ReadinessViewOptions) {
    this.#options = options;
    this.#groups = new Map(
      options.groups.map(({ name, plan }) => [name, { plan, state: initialState(plan) }]),
    );
  }

  /** What fails of this group or of the whole daemon, a sentence each. */
  unready(name: string): readonly string[] {
    const own = this.#lines.filter(({ group }) => group === null || group === name);
    return own.filter(({ state }) => state === 'failing').map(({ text }) => text);
  }

  /** As last judged. */
  get lines(): readonly Line[] {
    return this.#lines;
  }

  update(batch: readonly Recorded[]): void {
    const now = batch.at(-1)?.now;
    if (now === undefined) return;
    for (const { group, step } of batch) {
      const known = this.#groups.get(group);
      if (known !== undefined) this.#groups.set(group, { ...known, state: step.state });
    }
    const isMoving = batch.some(({ step }) => step.state.attempt !== null);
    if (isMoving && now - this.#judgedAt < WHILE_MOVING_MS) return;
    this.#judgedAt = now;
    this.#lines = readinessOf(this.#groups, this.#options.around(), now);
    const failing = failingIn(this.#lines);
    const keepaliveMs = Math.min(...this.#options.groups.map(({ plan }) => plan.timing.keepaliveIntervalMs));
    const isAnswer = batch.some(
      ({ event: { type } }) => type === 'ownershipObserved' || type === 'observationFailed',
    );
    if (failing !== this.#told || isAnswer || now - this.#putAt >= keepaliveMs) {
      this.#putAt = now;
      this.#options.put(shownReadiness(this.#lines));
    }
    if (failing !== this.#told) this.#tell(failing);
  }

  /** Until all is known for the first time, what lacks is no news that anybody has to be woken for. */
  #tell(failing: string): void {
    this.#told = failing;
    const ready = failing === '';
    const reason = ready
      ? 'ready: a failover would work now'
      : `not ready: ${list(this.#lines.filter(({ state }) => state === 'failing').map(({ text }) => text))}`;
    const level = !ready && this.#everReady ? 'warn' : 'info';
    this.#everReady ||= ready;
    if (this.#everReady) this.#options.told(ready, reason);
    this.#options.log[level](
      { event: 'readiness', ready, failing: failing.split(', ').filter(Boolean), reason },
      'readiness',
    );
  }
}

/** As `show ha_ready` and the status endpoint have it. */
export function shownReadiness(lines: readonly Line[]): JsonObject {
  return {
    ready: isReady(lines),
    lines: lines.map(({ condition, group, state, ageMs, text, whatToDo }) => ({
      condition,
      ...(group === null ? {} : { group }),
      state,
      age_s: ageMs === null ? null : Math.round(ageMs / 100) / 10,
      text,
      what_to_do: whatToDo,
    })),
  };
}

function failingIn(lines: readonly Line[]): string {
  return lines
    .filter(({ state }) => state === 'failing')
    .map(({ condition, group }) => (group === null ? condition : `${group}/${condition}`))
    .join(', ');
}
