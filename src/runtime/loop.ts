/**
 * The one owner of the state and the only caller of `step`. Adapters enqueue events; the loop feeds them
 * to the core, starts the effects and keeps the single timer.
 *
 * Ordering duties (test/runtime/loop.test.ts):
 *   1. The input queue is drained before anything is decided (rule 1).
 *   2. The effects of a step are started at once, takeover calls first; logs, metrics and store writes of
 *      the whole batch come after the last of them, when what they have to write has reached its socket, and
 *      not while a takeover waits for rule 5's answer: some milliseconds, for which that answer must not wait.
 *   3. Nothing here waits: an effect's outcome is another event.
 *   4. EC2 is the truth and the store a view: no effect and no decision depends on the store.
 *   5. A pause of the process is told before the events of the same drain, which came after it (rule 16).
 */
import { violations } from '../core/invariants';
import type { EffectArgs, Event } from '../core/model';
import type { Plan } from '../core/plan';
import { initialState, type State } from '../core/state';
import { step, type Step } from '../core/step';
import type { Clock } from './clock';
import { Pulse } from './pulse';

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
  /** Called every second in which this loop does what it has to. */
  readonly beat: () => void;
  /** Called when it has not decided for three keepalives although a decision was due. A bug, and the end. */
  readonly deaf: (reason: string) => void;
};

/** Node's timers hold 31 bits; a later deadline is reached by way of a harmless earlier wake-up. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const BEAT_MS = 1_000;
const DEAF_AFTER_KEEPALIVES = 3;

export class Loop {
  readonly #options: LoopOptions;
  readonly #queue: Event[] = [];
  #state: State;
  #drainScheduled = false;
  #unrecorded: Recorded[] = [];
  #timer: NodeJS.Timeout | null = null;
  readonly #pulse: Pulse;
  #beats: NodeJS.Timeout | null = null;
  /** Beats in a row at which a decision was due, and none was taken between them. Counted, not timed: no time passes for a paused process. */
  #overdueBeats = 0;
  #stopped = false;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#state = initialState(options.plan);
    this.#pulse = new Pulse(Math.min(...options.plan.sessions.map(({ detectionTimeMs }) => detectionTimeMs)));
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
    if (this.#beats !== null) clearInterval(this.#beats);
    this.#pulse.stop();
    this.#record();
  }

  #startBeats(): void {
    this.#pulse.start();
    this.#beats = setInterval(() => this.#beat(), BEAT_MS);
    this.#beats.unref();
  }

  #beat(): void {
    const { plan, clock, beat, deaf } = this.#options;
    // Told although nothing else has happened, because levels may have changed meanwhile.
    if (this.#pulse.pauseMs > 0) this.#scheduleDrain();
    this.#overdueBeats = clock.monotonicMs() > this.#state.wakeAt ? this.#overdueBeats + 1 : 0;
    const overdueMs = this.#overdueBeats * BEAT_MS;
    if (overdueMs < DEAF_AFTER_KEEPALIVES * Math.max(plan.timing.keepaliveIntervalMs, BEAT_MS)) return beat();
    deaf(`nothing has been decided for ${Math.round(overdueMs / 1000)} s although it was due`);
  }

  /**
   * Also for deadlines: after a pause of the process the timer comes first, while the answer that it was
   * to wait for lies in the socket unread. And only a turn later: after a pause sockets may be read, and this
   * may run, before any timer has (libuv's order), and it takes a timer to see that there was a pause.
   */
  #scheduleDrain(): void {
    if (this.#drainScheduled) return;
    this.#drainScheduled = true;
    setImmediate(() => setImmediate(() => this.#drain()));
  }

  #drain(): void {
    this.#drainScheduled = false;
    if (this.#stopped) return;
    this.#overdueBeats = 0;
    const forMs = this.#pulse.takePauseMs();
    if (forMs > 0) this.#take({ type: 'processStalled', forMs });
    for (const event of this.#queue.splice(0)) this.#take(event);
    this.#take({ type: 'inputDrained', jitter: this.#options.random() });
    this.#armTimer();
    if (this.#beats === null) this.#startBeats();
    setImmediate(() => {
      if (!this.#isAsking()) this.#record();
    });
  }

  #isAsking(): boolean {
    const askingUntil = this.#state.attempt?.askingUntil ?? null;
    return askingUntil !== null && this.#options.clock.monotonicMs() < askingUntil;
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
