/** What has happened since the daemon started, counted from the steps of the loop. Labels are those of the configuration. */
import type { Timeline } from '../core/state/model';
import { isTimedFromDown } from '../core/state/purposes';
import type { Group } from '../config/settings';
import type { Recorded } from '../runtime/loop';
import { outcomeOf } from '../runtime/moveOutcome';
import { transitionsOf } from '../runtime/transitions';
import type { Histogram, Labels } from './metricsText';

/** In seconds: a decision takes milliseconds, a move that waits for the cloud's tokens minutes. */
export const LEG_BOUNDS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300] as const;

export const LEGS = ['decided', 'first_write', 'all_moved'] as const;

type Counter = { readonly labels: Labels; value: number };
type Leg = { readonly labels: Labels; buckets: number[]; count: number; sum: number };

export class Counts {
  readonly #moves = new Map<string, Counter>();
  readonly #transitions = new Map<string, Counter>();
  readonly #hedges = new Map<string, Counter>();
  readonly #observations = new Map<string, Counter>();
  readonly #legs = new Map<string, Leg>();

  readonly #groups: readonly Group[];

  constructor(groups: readonly Group[]) {
    this.#groups = groups;
  }

  take(recorded: Recorded): void {
    const { group, before, step } = recorded;
    const { state, effects } = step;
    for (const { session, to } of transitionsOf(recorded, this.#groups))
      count(this.#transitions, { session, to });
    const ended = before.attempt;
    if (ended !== null && state.attempt?.number !== ended.number)
      count(this.#moves, { group, purpose: ended.purpose, outcome: outcomeOf(ended) });
    for (const effect of effects) {
      if (effect.effect === 'reportTimeline') this.#time(group, effect.timeline);
      if (effect.effect === 'observeOwnership') count(this.#observations, { group });
      if (effect.effect !== 'sendCall') continue;
      const call = state.attempt?.calls.find(({ number }) => number === effect.call);
      const send = call?.outstanding.find(({ number }) => number === effect.send);
      if (send?.hedge === true) count(this.#hedges, { group });
    }
  }

  get moves(): readonly Counter[] {
    return [...this.#moves.values()];
  }

  get transitions(): readonly Counter[] {
    return [...this.#transitions.values()];
  }

  get hedges(): readonly Counter[] {
    return [...this.#hedges.values()];
  }

  /** Questions who holds the targets: with each keepalive one, and more after a move. */
  get observations(): readonly Counter[] {
    return [...this.#observations.values()];
  }

  get legs(): readonly Histogram[] {
    return [...this.#legs.values()];
  }

  /** Of takeovers that BFD has called for, from when the peer went DOWN; of others there is no such time. */
  #time(group: string, timeline: Timeline): void {
    if (!isTimedFromDown(timeline)) return;
    const { triggeredAt } = timeline;
    const ends = [timeline.decidedAt, timeline.firstSentAt, timeline.lastAnsweredAt];
    LEGS.forEach((leg, i) => {
      const at = ends[i] ?? null;
      if (at !== null) observe(this.#legs, { group, leg }, Math.max(0, at - triggeredAt) / 1000);
    });
  }
}

function count(counters: Map<string, Counter>, labels: Labels): void {
  const key = JSON.stringify(labels);
  const counter = counters.get(key) ?? { labels, value: 0 };
  counter.value += 1;
  counters.set(key, counter);
}

function observe(legs: Map<string, Leg>, labels: Labels, seconds: number): void {
  const key = JSON.stringify(labels);
  const leg = legs.get(key) ?? { labels, buckets: LEG_BOUNDS_S.map(() => 0), count: 0, sum: 0 };
  leg.buckets = LEG_BOUNDS_S.map((bound, i) => (leg.buckets[i] ?? 0) + (seconds <= bound ? 1 : 0));
  leg.count += 1;
  leg.sum += seconds;
  legs.set(key, leg);
}
