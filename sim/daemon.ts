/**
 * One life of the daemon: a production core for each group, joined by the logic of src/runtime/loop.ts in virtual time.
 * All input of one moment is drained, then they decide; effects start at once; there is one timer. Must not know what
 * an effect does.
 */
import type { Effect, Event } from '../src/core/state/model';
import type { Plan } from '../src/core/state/plan';
import { initialState, type State } from '../src/core/state/state';
import { step, type Step } from '../src/core/step';
import type { Random } from './random';
import type { Group } from './scenario';
import type { Timeline } from './timeline';

/** A paused process notices when its tick slips by this much. */
const STALL_NOTICED_MS = 150;
/** `no-spin`: more decisions than this within a second of virtual time are a loop that finds no end. */
const DECISIONS_PER_S_MAX = 300;

/** Made when the daemon takes it in, with the time of its own clock. */
export type EventMaker = (now: number) => Event;

/** `to`: the core of which group it is for; null where every core hears it (src/runtime/audience.ts). */
type Queued = { readonly to: Group | null; readonly make: EventMaker };

export type PlannedGroup = { readonly group: Group; readonly plan: Plan };
type Core = PlannedGroup & { state: State };

export type DaemonParts = {
  readonly groups: readonly PlannedGroup[];
  readonly timeline: Timeline;
  readonly random: Random;
  /** Milliseconds since the machine has booted. */
  readonly clock: () => number;
  readonly start: (daemon: Daemon, planned: PlannedGroup, effect: Effect) => void;
  readonly stepped: (planned: PlannedGroup, event: Event, before: State, step: Step, now: number) => void;
  readonly spins: () => never;
};

export class Daemon {
  readonly #p: DaemonParts;
  readonly #cores: readonly Core[];
  #queue: Queued[] = [];
  readonly #stoppedGroups = new Set<Group>();
  /** A core has asked for an observation in this drain. */
  #observes = false;
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
    this.#cores = parts.groups.map(({ group, plan }) => ({ group, plan, state: initialState(plan) }));
  }

  stateOf(group: Group): State {
    const core = this.#cores[group];
    if (core === undefined) throw new Error(`there is no group ${group}`);
    return core.state;
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

  enqueue(make: EventMaker, to: Group | null = null): void {
    if (this.#ended) return;
    this.#queue.push({ to, make });
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
    const stalled: Queued = { to: null, make: () => ({ type: 'processStalled', forMs }) };
    const order = random.next();
    if (order < 0.4) this.#queue.unshift(stalled);
    else if (order < 0.6) this.#queue.push(stalled);
    else {
      const waited = this.#queue;
      this.#queue = [stalled];
      let lateMs = 0;
      for (const { make, to } of waited) {
        lateMs += random.int(0, 3);
        timeline.after(lateMs, () => this.enqueue(make, to));
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
    for (const { make, to } of this.#queue.splice(0)) {
      const event = make(clock());
      for (const core of this.#cores) if (to === null || to === core.group) this.#take(core, event);
    }
    for (const core of this.#cores) this.#take(core, { type: 'inputDrained', jitter: random.next() });
    this.#offerObservation();
    const timer = (this.#timer += 1);
    const wakeAt = this.#wakeAt();
    if (wakeAt === Infinity || this.#ended) return;
    timeline.after(Math.max(1, wakeAt - clock()), () => {
      if (this.#timer === timer && !this.#ended && !this.isPaused) this.#scheduleDrain();
    });
  }

  #wakeAt(): number {
    let earliest = Infinity;
    for (const { state } of this.#cores) earliest = Math.min(earliest, state.wakeAt);
    return earliest;
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

  /** When one core reads EC2, the others may have the answer too. */
  #offerObservation(): void {
    if (!this.#observes) return;
    for (const core of this.#cores)
      if (core.state.observing.inFlight === null) this.#take(core, { type: 'observationOffered' });
    this.#observes = false;
  }

  #take(core: Core, event: Event): void {
    if (this.#ended) return;
    const before = core.state;
    const now = this.#p.clock();
    const result = step(core.plan, before, event, now);
    core.state = result.state;
    for (const effect of result.effects) {
      if (effect.effect === 'observeOwnership') this.#observes = true;
      // The process ends with the last of them.
      if (effect.effect !== 'stop' || this.#isLastToStop(core)) this.#p.start(this, core, effect);
    }
    this.#p.stepped(core, event, before, result, now);
  }

  #isLastToStop({ group }: Core): boolean {
    this.#stoppedGroups.add(group);
    return this.#stoppedGroups.size === this.#cores.length;
  }
}
