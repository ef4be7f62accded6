/**
 * The one owner of the state and the only caller of `step`. Adapters enqueue events; the loop feeds them
 * to the core, starts the effects and keeps the single timer.
 *
 * Ordering duties (test/runtime/loop.test.ts):
 *   1. The input queue is drained before anything is decided (rule 1).
 *   2. The effects of a step are started at once, takeover calls first; logs, metrics and store writes of
 *      the whole batch come after the last of them, when what they have to write has reached its socket.
 *   3. Nothing here waits: an effect's outcome is another event.
 *   4. EC2 is the truth and the store a view: no effect and no decision depends on the store.
 */
import { violations } from '../core/invariants';
import type { EffectArgs, Event } from '../core/model';
import type { Plan } from '../core/plan';
import { initialState, type State } from '../core/state';
import { step, type Step } from '../core/step';
import type { Clock } from './clock';

/** Starts an effect and returns at once. A runner that throws is a bug and ends the process. */
export type EffectRunners = { readonly [Name in keyof EffectArgs]: (args: EffectArgs[Name]) => void };

/** One step as it happened, for whoever logs, shows or journals. */
export type Recorded = {
  readonly now: number;
  readonly event: Event;
  readonly before: State;
  readonly step: Step;
};

export type LoopOptions = {
  readonly plan: Plan;
  readonly clock: Clock;
  readonly runners: EffectRunners;
  readonly record: (batch: readonly Recorded[]) => void;
  /** In [0, 1): the jitter of every retry. */
  readonly random: () => number;
};

/** Node's timers hold 31 bits; a later deadline is reached by way of a harmless earlier wake-up. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class Loop {
  readonly #options: LoopOptions;
  readonly #queue: Event[] = [];
  #state: State;
  #drainScheduled = false;
  #unrecorded: Recorded[] = [];
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#state = initialState(options.plan);
  }

  get state(): State {
    return this.#state;
  }

  /**
   * Takes an event in. It is handled right after the I/O callbacks that are ready now, so that events
   * arriving together on different streams are judged together.
   */
  enqueue(event: Event): void {
    if (this.#stopped) return;
    this.#queue.push(event);
    this.#scheduleDrain();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#record();
  }

  /**
   * Also for deadlines: after a pause of the process the timer comes first, while the answer that it was
   * to wait for lies in the socket unread.
   */
  #scheduleDrain(): void {
    if (this.#drainScheduled) return;
    this.#drainScheduled = true;
    setImmediate(() => this.#drain());
  }

  #drain(): void {
    this.#drainScheduled = false;
    if (this.#stopped) return;
    for (const event of this.#queue.splice(0)) this.#take(event);
    this.#take({ type: 'inputDrained', jitter: this.#options.random() });
    this.#armTimer();
    setImmediate(() => this.#record());
  }

  #record(): void {
    const batch = this.#unrecorded.splice(0);
    if (batch.length > 0) this.#options.record(batch);
  }

  #take(event: Event): void {
    const { plan, clock } = this.#options;
    const now = clock.monotonicMs();
    const before = this.#state;
    const result = step(plan, before, event, now);
    this.#state = result.state;
    this.#unrecorded.push({ now, event, before, step: result });
    for (const effect of result.effects) this.#start(effect.effect, effect);
    const broken = violations(plan, result.state);
    if (broken.length === 0) return;
    // The last words of this process: what led here has to be in the log.
    this.#record();
    throw new Error(`invariant violated after ${event.type}: ${broken.join('; ')}`);
  }

  #start<Name extends keyof EffectArgs>(name: Name, args: EffectArgs[Name]): void {
    this.#options.runners[name](args);
  }

  #armTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const { wakeAt } = this.#state;
    if (wakeAt === Infinity || this.#stopped) return;
    const delayMs = Math.min(
      Math.max(Math.ceil(wakeAt - this.#options.clock.monotonicMs()), 0),
      LONGEST_TIMER_MS,
    );
    this.#timer = setTimeout(() => this.#scheduleDrain(), delayMs);
  }
}
