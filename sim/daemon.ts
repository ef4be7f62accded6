/**
 * One life of the daemon: the production loop (src/runtime/loop.ts) in a process of virtual time, which can be paused.
 * What it is told lies in its sockets until the end of the moment, or of the pause. Must not know what an effect does.
 */
import type { Effect, EffectArgs, Event } from '../src/core/state/model';
import type { Plan } from '../src/core/state/plan';
import type { State } from '../src/core/state/state';
import type { AddressedEvent, SharedEvent } from '../src/runtime/audience';
import { Loop, type EffectRunners, type Recorded } from '../src/runtime/loop';
import type { Pulse } from '../src/runtime/pulse';
import type { Scheduler } from '../src/runtime/scheduler';
import type { Random } from './random';
import type { Group } from './scenario';
import type { Timeline } from './timeline';

/** A shorter pause delays nothing that is checked. */
const PAUSE_MS_MIN = 150;
/** `no-spin`: more decisions than this within a second of virtual time are a loop that finds no end. */
const DECISIONS_PER_S_MAX = 300;

/** Made when the daemon takes it in, with the time of its own clock. */
export type EventMaker<Made extends Event = SharedEvent> = (now: number) => Made;

export type PlannedGroup = { readonly group: Group; readonly plan: Plan };

export type DaemonParts = {
  readonly groups: readonly PlannedGroup[];
  readonly timeline: Timeline;
  readonly random: Random;
  /** Milliseconds since the machine has booted. */
  readonly clock: () => number;
  readonly start: (daemon: Daemon, planned: PlannedGroup, effect: Effect) => void;
  readonly stepped: (planned: PlannedGroup, recorded: Recorded) => void;
  readonly spins: () => never;
  /** By the word of the loop itself. */
  readonly deaf: (reason: string) => never;
};

export class Daemon {
  readonly #p: DaemonParts;
  readonly #loop: Loop;
  /** What waits in the sockets of the process: each takes its event to the loop. */
  #arrived: (() => void)[] = [];
  /** What became due in a pause. */
  #held: (() => void)[] = [];
  #countedFrom = 0;
  #decisions = 0;
  #pausedUntil = 0;
  #pausedFrom = 0;
  /** The longest pause that the loop has not taken. */
  #pauseMs = 0;
  #ended = false;
  /** When it last ran again after a pause; virtual time. */
  resumedAt = -Infinity;
  /** How long that pause took. */
  lastPauseMs = 0;

  constructor(parts: DaemonParts) {
    this.#p = parts;
    const { groups, clock, random, stepped, deaf } = parts;
    const plannedOf = (name: string): PlannedGroup => {
      const planned = groups.find(({ group }) => nameOf(group) === name);
      if (planned === undefined) throw new Error(`there is no group ${name}`);
      return planned;
    };
    this.#loop = new Loop({
      groups: groups.map(({ group, plan }) => ({ name: nameOf(group), plan })),
      clock: { monotonicMs: clock },
      scheduler: this.#scheduler(),
      random: () => random.next(),
      runners: runnersOf((effect, group) => parts.start(this, plannedOf(group), effect)),
      stepped: (recorded) => stepped(plannedOf(recorded.group), recorded),
      record: () => undefined,
      beat: () => undefined,
      deaf,
    });
  }

  stateOf(group: Group): State {
    return this.#loop.stateOf(nameOf(group));
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
    this.#loop.stop();
  }

  enqueue(make: EventMaker): void {
    this.#arrive(() => this.#loop.enqueue(make(this.#p.clock())));
  }

  enqueueFor(group: Group, make: EventMaker<AddressedEvent>): void {
    this.#arrive(() => this.#loop.enqueueFor(nameOf(group), make(this.#p.clock())));
  }

  pause(forMs: number): void {
    const { timeline } = this.#p;
    if (!this.isPaused) this.#pausedFrom = timeline.now;
    const until = Math.max(this.#pausedUntil, timeline.now + forMs);
    if (until === this.#pausedUntil) return;
    this.#pausedUntil = until;
    timeline.after(forMs, () => {
      if (!this.#ended && this.#pausedUntil === until) this.#resume(timeline.now - this.#pausedFrom);
    });
  }

  /** What has waited is taken in at once, or takes its time. */
  #resume(pausedMs: number): void {
    const { timeline, random } = this.#p;
    this.#pauseMs = Math.max(this.#pauseMs, pausedMs);
    if (pausedMs >= PAUSE_MS_MIN) {
      this.resumedAt = timeline.now;
      this.lastPauseMs = pausedMs;
    }
    if (pausedMs >= PAUSE_MS_MIN && !random.chance(0.6)) {
      let lateMs = 0;
      for (const take of this.#arrived.splice(0)) {
        lateMs += random.int(0, 3);
        timeline.after(lateMs, () => this.#arrive(take));
      }
    }
    for (const run of this.#held.splice(0)) this.#atEndOfMoment(run);
    this.#atEndOfMoment(() => undefined);
  }

  #arrive(take: () => void): void {
    if (this.#ended) return;
    this.#arrived.push(take);
    if (!this.isPaused) this.#atEndOfMoment(() => undefined);
  }

  /** A timer of the process, which does not run out in a pause. As Node has it, which knows none of less than a millisecond. */
  after(delayMs: number, run: () => void): () => void {
    let isCancelled = false;
    this.#p.timeline.after(Math.max(1, delayMs), () => {
      if (!isCancelled) this.#whenRunning(run);
    });
    return () => (isCancelled = true);
  }

  /** When everything else that is due at this moment has happened, and the sockets have been read. */
  #atEndOfMoment(run: () => void): void {
    this.#p.timeline.last(() =>
      this.#whenRunning(() => {
        for (const take of this.#arrived.splice(0)) take();
        run();
      }),
    );
  }

  #whenRunning(run: () => void): void {
    if (this.#ended) return;
    if (this.isPaused) this.#held.push(run);
    else run();
  }

  #scheduler(): Scheduler {
    const { timeline } = this.#p;
    return {
      afterInput: (run) =>
        this.#atEndOfMoment(() => {
          this.#count();
          run();
        }),
      // Nothing of what it starts has a socket here.
      afterOutput: (run) => run(),
      after: (delayMs, run) => this.after(delayMs, run),
      // More than half of all that happens in a run are beats.
      every: (intervalMs, run) => {
        const beat = (): void => {
          run();
          timeline.after(intervalMs, due);
        };
        const due = (): void => this.#whenRunning(beat);
        timeline.after(intervalMs, due);
        return () => undefined;
      },
      pulse: (shortestMs) => this.#pulse(shortestMs),
    };
  }

  #pulse(shortestMs: number): Pulse {
    const pauseMs = (): number => (this.#pauseMs >= shortestMs ? this.#pauseMs : 0);
    return {
      start: () => undefined,
      stop: () => undefined,
      takePauseMs: () => {
        const taken = pauseMs();
        if (taken > 0) this.#pauseMs = 0;
        return taken;
      },
      get pauseMs() {
        return pauseMs();
      },
    };
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
}

function nameOf(group: Group): string {
  return String(group);
}

/** One effect like the other: the router's switch tells them apart. */
function runnersOf(start: (effect: Effect, group: string) => void): EffectRunners {
  const run =
    <Name extends keyof EffectArgs>(name: Name) =>
    (args: EffectArgs[Name], group: string): void =>
      start({ effect: name, ...args } as Effect, group);
  return {
    sendCall: run('sendCall'),
    prepareCall: run('prepareCall'),
    discardPrepared: run('discardPrepared'),
    withdrawCalls: run('withdrawCalls'),
    askInterfaces: run('askInterfaces'),
    observeOwnership: run('observeOwnership'),
    askHolders: run('askHolders'),
    readLevels: run('readLevels'),
    remember: run('remember'),
    answerOperator: run('answerOperator'),
    reportTimeline: run('reportTimeline'),
    stop: run('stop'),
  };
}
