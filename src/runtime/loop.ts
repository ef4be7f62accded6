/**
 * The loop owns the state and is the only caller of `step`. Adapters enqueue events; the loop feeds them to the cores,
 * starts the effects and keeps the single timer. Each group of targets has a core of its own, which knows of no other.
 * Events from outside go to all cores, an answer goes to the core that asked.
 *
 * Ordering duties (test/runtime/loop.test.ts, test/runtime/groups.test.ts):
 *   1. The input queue is drained before anything is decided (rule 1).
 *   2. Takeover calls are started at once, all other effects when every core has decided. Logs, metrics and store
 *      writes of the whole batch come after the last effect, when the requests have reached their sockets. They do not
 *      come while a takeover waits for rule 5's answer, or while more of its requests are due: they take some
 *      milliseconds, for which neither must wait.
 *   3. Nothing here waits: an effect's outcome is another event.
 *   4. The cloud is the truth and the store a view: no effect and no decision depends on the store.
 *   5. A pause of the process is told before the events of the same drain, which came after it (rule 16).
 *   6. When one core reads the cloud, the others may have the answer too: at rest there is one reading for all.
 */
import type { Group } from '../config/settings';
import { violations } from '../core/state/invariants';
import type { Effect, EffectArgs, Event } from '../core/state/model';
import { initialState, type State } from '../core/state/state';
import { isUrgent, step, type Step } from '../core/step';
import { heardBy, type AddressedEvent, type SharedEvent } from './audience';
import type { Clock } from './clock';
import type { Pulse } from './pulse';
import type { Cancel, Scheduler } from './scheduler';

/**
 * Starts an effect and returns at once; `group` is the one that asks for it. A runner that throws is a bug and
 * ends the process.
 */
export type EffectRunners = {
  readonly [Name in keyof EffectArgs]: (args: EffectArgs[Name], group: string) => void;
};

/** One step as it happened, for whoever logs, shows or journals. */
export type Recorded = {
  readonly now: number;
  readonly group: string;
  readonly event: Event;
  readonly before: State;
  readonly step: Step;
};

export type LoopOptions = {
  /** At least one. */
  readonly groups: readonly Group[];
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly runners: EffectRunners;
  readonly record: (batch: readonly Recorded[]) => void;
  /** Called after each step and its urgent effects, before anything else happens: for the simulation, which checks there. */
  readonly stepped?: (recorded: Recorded) => void;
  /** In [0, 1): the jitter of every retry. */
  readonly random: () => number;
  /** Called every second in which this loop does what it has to. */
  readonly beat: () => void;
  /** Called when it has not decided for three keepalives although a decision was due. A bug, and the end. */
  readonly deaf: (reason: string) => void;
};

type Core = Group & { state: State };

type Queued =
  { readonly to: null; readonly event: SharedEvent } | { readonly to: Core; readonly event: AddressedEvent };

const BEAT_MS = 1_000;
const DEAF_AFTER_KEEPALIVES = 3;
/** So long after its time the decision to send is waited for, before what is to be recorded is recorded. */
const LATE_DECISION_MS = 1_000;

export class Loop {
  readonly #options: LoopOptions;
  readonly #cores: readonly Core[];
  readonly #queue: Queued[] = [];
  /** Effects of this drain that wait until every core has decided. */
  #patient: { readonly effect: Effect; readonly core: Core }[] = [];
  readonly #stoppedGroups = new Set<string>();
  #drainScheduled = false;
  #unrecorded: Recorded[] = [];
  #cancelTimer: Cancel | null = null;
  readonly #pulse: Pulse;
  #cancelBeats: Cancel | null = null;
  /** Beats in a row at which a decision was due, and none was taken between them. Counted, not timed: no time passes for a paused process. */
  #overdueBeats = 0;
  readonly #deafAfterMs: number;
  #stopped = false;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#cores = options.groups.map(({ name, plan }) => ({ name, plan, state: initialState(plan) }));
    const keepalives = options.groups.map(({ plan }) => plan.timing.keepaliveIntervalMs);
    this.#deafAfterMs = DEAF_AFTER_KEEPALIVES * Math.max(...keepalives, BEAT_MS);
    const sessions = options.groups.flatMap(({ plan }) => plan.sessions);
    this.#pulse = options.scheduler.pulse(
      Math.min(...sessions.map(({ detectionTimeMs }) => detectionTimeMs)),
    );
  }

  stateOf(group: string): State {
    return this.#coreOf(group).state;
  }

  /**
   * Takes an event in. It is handled when the others that are ready now have come, so that events
   * arriving together on different streams are judged together.
   */
  enqueue(event: SharedEvent): void {
    this.#enqueue({ to: null, event });
  }

  /** The same for what concerns one group only. */
  enqueueFor(group: string, event: AddressedEvent): void {
    this.#enqueue({ to: this.#coreOf(group), event });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
    this.#cancelBeats?.();
    this.#pulse.stop();
    this.#record();
  }

  #enqueue(queued: Queued): void {
    if (this.#stopped) return;
    this.#queue.push(queued);
    this.#scheduleDrain();
  }

  #coreOf(group: string): Core {
    const core = this.#cores.find(({ name }) => name === group);
    if (core === undefined) throw new Error(`there is no group ${group}`);
    return core;
  }

  #wakeAt(): number {
    return this.#cores.reduce((earliest, { state }) => Math.min(earliest, state.wakeAt), Infinity);
  }

  #startBeats(): void {
    this.#pulse.start();
    this.#cancelBeats = this.#options.scheduler.every(BEAT_MS, () => this.#beat());
  }

  #beat(): void {
    const { clock, beat, deaf } = this.#options;
    // Told although nothing else has happened, because levels may have changed meanwhile.
    if (this.#pulse.pauseMs > 0) this.#scheduleDrain();
    this.#overdueBeats = clock.monotonicMs() > this.#wakeAt() ? this.#overdueBeats + 1 : 0;
    const overdueMs = this.#overdueBeats * BEAT_MS;
    if (overdueMs < this.#deafAfterMs) return beat();
    deaf(`nothing has been decided for ${Math.round(overdueMs / 1000)} s although it was due`);
  }

  #scheduleDrain(): void {
    if (this.#drainScheduled) return;
    this.#drainScheduled = true;
    this.#options.scheduler.afterInput(() => this.#drain());
  }

  #drain(): void {
    this.#drainScheduled = false;
    if (this.#stopped) return;
    this.#overdueBeats = 0;
    const forMs = this.#pulse.takePauseMs();
    if (forMs > 0) for (const core of this.#cores) this.#take(core, { type: 'processStalled', forMs });
    for (const { to, event } of this.#queue.splice(0)) {
      if (to === null) this.#tellAll(event);
      else this.#take(to, event);
    }
    for (const core of this.#cores)
      this.#take(core, { type: 'inputDrained', jitter: this.#options.random() });
    this.#offerObservation();
    this.#startPatient();
    this.#rest();
    this.#options.scheduler.afterOutput(() => {
      if (!this.#isAsking() && !this.#hasMoreToSend()) this.#record();
    });
  }

  #tellAll(event: SharedEvent): void {
    for (const core of this.#cores) {
      const heard = heardBy(core.plan, event);
      if (heard !== null) this.#take(core, heard);
    }
  }

  #offerObservation(): void {
    if (!this.#patient.some(({ effect }) => effect.effect === 'observeOwnership')) return;
    for (const core of this.#cores) {
      if (core.state.observing.inFlight === null) this.#take(core, { type: 'observationOffered' });
    }
  }

  /** A decision that comes late, or a timer that fires a little early, must not let the records go first. */
  #isAsking(): boolean {
    const now = this.#options.clock.monotonicMs();
    return this.#cores.some(
      ({ state: { attempt } }) => now < (attempt?.askingUntil ?? -Infinity) + LATE_DECISION_MS,
    );
  }

  /** The next requests of a large takeover are due: they, too, come before the records of those before them. */
  #hasMoreToSend(): boolean {
    const now = this.#options.clock.monotonicMs();
    return this.#cores.some(
      ({ state: { attempt, wakeAt } }) =>
        wakeAt <= now && now < (attempt?.firstSentAt ?? -Infinity) + LATE_DECISION_MS,
    );
  }

  #record(): void {
    const batch = this.#unrecorded.splice(0);
    if (batch.length > 0) this.#options.record(batch);
  }

  #take(core: Core, event: Event): void {
    const now = this.#options.clock.monotonicMs();
    const before = core.state;
    const result = step(core.plan, before, event, now);
    core.state = result.state;
    const recorded: Recorded = { now, group: core.name, event, before, step: result };
    this.#unrecorded.push(recorded);
    for (const effect of result.effects) {
      if (isUrgent(effect)) this.#start(effect.effect, effect, core.name);
      else this.#patient.push({ effect, core });
    }
    this.#options.stepped?.(recorded);
    const broken = violations(core.plan, result.state);
    if (broken.length === 0) return;
    // The last words of this process: what led here has to be in the log, what has begun in the decision memory.
    this.#startPatient();
    this.#record();
    const where = this.#cores.length === 1 ? '' : ` in group ${core.name}`;
    throw new Error(`invariant violated${where} after ${event.type}: ${broken.join('; ')}`);
  }

  #startPatient(): void {
    for (const { effect, core } of this.#patient.splice(0)) {
      if (effect.effect === 'stop' && !this.#isLastToStop(core)) continue;
      this.#start(effect.effect, effect, core.name);
    }
  }

  /** One that has something in flight may finish: the process ends with the last of them. */
  #isLastToStop({ name }: Core): boolean {
    this.#stoppedGroups.add(name);
    return this.#stoppedGroups.size === this.#cores.length;
  }

  #start<Name extends keyof EffectArgs>(name: Name, args: EffectArgs[Name], group: string): void {
    this.#options.runners[name](args, group);
  }

  /** Until something comes or the earliest deadline of a core is reached. */
  #rest(): void {
    if (this.#stopped) return;
    if (this.#cancelBeats === null) this.#startBeats();
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    const wakeAt = this.#wakeAt();
    if (wakeAt === Infinity) return;
    const { clock, scheduler } = this.#options;
    const delayMs = Math.max(Math.ceil(wakeAt - clock.monotonicMs()), 0);
    this.#cancelTimer = scheduler.after(delayMs, () => this.#scheduleDrain());
  }
}
