/**
 * One life of the daemon: the production core joined by the logic of src/runtime/loop.ts in virtual time. All input
 * of one moment is drained, then it decides; effects start at once; there is one timer. Must not know what an
 * effect does.
 */
import type { Effect, Event } from '../src/core/model';
import type { Plan } from '../src/core/plan';
import { initialState, type State } from '../src/core/state';
import { step, type Step } from '../src/core/step';
import type { Random } from './random';
import type { Timeline } from './timeline';

/** A paused process notices when its tick slips by this much. */
const STALL_NOTICED_MS = 150;
/** `no-spin`: more decisions than this within a second of virtual time are a loop that finds no end. */
const DECISIONS_PER_S_MAX = 300;

/** Made when the daemon takes it in, with the time of its own clock. */
export type EventMaker = (now: number) => Event;

export type DaemonParts = {
  readonly plan: Plan;
  readonly timeline: Timeline;
  readonly random: Random;
  /** Milliseconds since the machine has booted. */
  readonly clock: () => number;
  readonly start: (daemon: Daemon, effect: Effect) => void;
  readonly stepped: (daemon: Daemon, event: Event, before: State, step: Step, now: number) => void;
  readonly spins: () => never;
};

export class Daemon {
  readonly #p: DaemonParts;
  #state: State;
  #queue: EventMaker[] = [];
  #draining = false;
  #timer = 0;
  #countedFrom = 0;
  #decisions = 0;
  #pausedUntil = 0;
  #pausedFrom = 0;
  #ended = false;
  /** When it last ran again after a pause that it has noticed; virtual time. */
  resumedAt = -Infinity;

  constructor(parts: DaemonParts) {
    this.#p = parts;
    this.#state = initialState(parts.plan);
  }

  get state(): State {
    return this.#state;
  }

  get isPaused(): boolean {
    return this.#p.timeline.now < this.#pausedUntil;
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Answers to it are not taken in any more. */
  end(): void {
    this.#ended = true;
  }

  enqueue(make: EventMaker): void {
    if (this.#ended) return;
    this.#queue.push(make);
    if (!this.isPaused) this.#scheduleDrain();
  }

  pause(forMs: number): void {
    const { timeline } = this.#p;
    if (!this.isPaused) this.#pausedFrom = timeline.now;
    const until = Math.max(this.#pausedUntil, timeline.now + forMs);
    if (until === this.#pausedUntil) return;
    this.#pausedUntil = until;
    timeline.after(forMs, () => {
      if (this.#ended || this.#pausedUntil !== until) return;
      const pausedMs = timeline.now - this.#pausedFrom;
      if (pausedMs >= STALL_NOTICED_MS) {
        this.resumedAt = timeline.now;
        this.#noticeStall(pausedMs);
      }
      this.#scheduleDrain();
    });
  }

  /** The tick comes first or after what has waited meanwhile, or what has waited takes its time. */
  #noticeStall(forMs: number): void {
    const { timeline, random } = this.#p;
    const stalled = (): Event => ({ type: 'processStalled', forMs });
    const order = random.next();
    if (order < 0.4) this.#queue.unshift(stalled);
    else if (order < 0.6) this.#queue.push(stalled);
    else {
      const waited = this.#queue;
      this.#queue = [stalled];
      let lateMs = 0;
      for (const make of waited) {
        lateMs += random.int(0, 3);
        timeline.after(lateMs, () => this.enqueue(make));
      }
    }
  }

  #scheduleDrain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#p.timeline.last(() => {
      this.#draining = false;
      if (!this.#ended && !this.isPaused) this.#drain();
    });
  }

  #drain(): void {
    const { timeline, random, clock } = this.#p;
    this.#count();
    for (const make of this.#queue.splice(0)) this.#take(make(clock()));
    this.#take({ type: 'inputDrained', jitter: random.next() });
    const timer = (this.#timer += 1);
    const { wakeAt } = this.#state;
    if (wakeAt === Infinity || this.#ended) return;
    timeline.after(Math.max(1, wakeAt - clock()), () => {
      if (this.#timer === timer && !this.#ended && !this.isPaused) this.#scheduleDrain();
    });
  }

  #count(): void {
    const { now } = this.#p.timeline;
    if (now - this.#countedFrom >= 1_000) {
      this.#countedFrom = now;
      this.#decisions = 0;
    }
    this.#decisions += 1;
    if (this.#decisions > DECISIONS_PER_S_MAX) this.#p.spins();
  }

  #take(event: Event): void {
    if (this.#ended) return;
    const before = this.#state;
    const now = this.#p.clock();
    const result = step(this.#p.plan, before, event, now);
    this.#state = result.state;
    for (const effect of result.effects) this.#p.start(this, effect);
    this.#p.stepped(this, event, before, result, now);
  }
}
