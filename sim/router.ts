/**
 * One router: the machine with its boots and its clock, the lives of the daemon on it, the file of the decision
 * memory, and what the daemon's effects do. Its groups have in common all but their plans and what they remember.
 */
import type { Effect, EffectArgs, Event, Memory } from '../src/core/state/model';
import { Pacer, type Limits } from '../src/aws/moves/pacer';
import { AnswerTimes } from '../src/transport/answerTimes';
import type { ApiLimit } from '../src/config/settings';
import type { Plan } from '../src/core/state/plan';
import type { State } from '../src/core/state/state';
import type { Step } from '../src/core/step';
import { ApiServer } from './apiServer';
import { Daemon, type EventMaker, type PlannedGroup } from './daemon';
import type { Ec2 } from './ec2';
import type { Network } from './network';
import type { Random } from './random';
import { Readings } from './readings';
import { groupWords, type AnyRouter, type Group, type Settings } from './scenario';
import type { Timeline } from './timeline';

/** EC2's limits, as the daemon is told them: all kinds of requests draw on one bucket here. */
const LIMIT = { burst: 100, refillPerS: 5 };
/** Where requests are spared. */
const SMALL_LIMIT = { burst: 2, refillPerS: 1 };
const ACTION = 'AssignPrivateIpAddresses';
const limitsOf = (limit: ApiLimit): Limits => ({
  AssignPrivateIpAddresses: limit,
  AssignIpv6Addresses: limit,
  UnassignIpv6Addresses: limit,
  ReplaceRoute: limit,
  CreateRoute: limit,
  AssociateAddress: limit,
});
/** Wall time when a run begins. */
const WALL_MS = 1_700_000_000_000;

type Send = EffectArgs['sendCall'];
type Waiting = { readonly group: Group; readonly effect: Send; readonly leave: () => void };

export type Recorder<Index extends AnyRouter> = {
  readonly stepped: (
    router: Router<Index>,
    planned: PlannedGroup,
    event: Event,
    before: State,
    step: Step,
    now: number,
  ) => void;
  readonly effected: (router: Router<Index>, planned: PlannedGroup, effect: Effect) => void;
  readonly happened: (router: Index | null, what: () => string) => void;
  /** The daemon has ended; what it owed an answer to gets none. */
  readonly died: (router: Index) => void;
  readonly broken: (invariant: string, what: string) => never;
};

/** The configuration of a router, which one daemon after the other runs with. */
export type Configuration = {
  readonly groups: readonly PlannedGroup[];
  /** What they have together, for EC2 and the router, which are asked once for all. */
  readonly whole: Plan;
};

export type RouterParts<Index extends AnyRouter> = Configuration & {
  readonly index: Index;
  readonly settings: Settings;
  readonly timeline: Timeline;
  readonly random: Random;
  readonly network: Network;
  readonly ec2: Ec2;
  readonly recorder: Recorder<Index>;
};

/** What each group has remembered: one file for all. */
type Memories = { readonly [group in Group]: Memory | null };
const NO_MEMORIES: Memories = { 0: null, 1: null };

/** What an operator types; `schedule`: a switchover, so much later. */
export type Command = 'inhibit' | 'release' | 'switchover' | 'schedule' | 'drill' | 'cancel';
/** A drill does not hold the targets at the peer for longer. */
const HOLD_MS_MAX = 60_000;

export class Router<Index extends AnyRouter> {
  readonly index: Index;
  readonly api: ApiServer;
  daemon: Daemon | null = null;
  machine: 'off' | 'on' | 'hung' = 'off';
  /** It never comes back. */
  isDead = false;
  readonly #p: RouterParts<Index>;
  /** Between this router's clock and virtual time. */
  #bootedAt: number;
  #boots = 0;
  /** Between this router's wall clock and the right time. */
  #clockErrorMs = 0;
  /** Those of the daemon that runs. */
  #pacer: Pacer | null = null;
  #answerTimes: AnswerTimes | null = null;
  #readings: Readings | null = null;
  /** What takes a request that waits for a token out of its queue. */
  #waiting: readonly Waiting[] = [];
  #pausedUntil = 0;
  #pausedFrom = 0;
  #lastRequest = 0;
  #announced: { readonly own: number | null; readonly peer: number | null } = { own: null, peer: null };
  /** The daemon that runs has begun with a memory that is not the last one: a fault of its own. */
  hasStaleMemory = false;
  /** How long it stays away when it is told to stop. */
  #awayMs = 0;
  /** The last two files of the decision memory, newest last. */
  #saved: readonly Memories[] = [];
  /** What the daemon that runs has remembered and is not in the file yet. */
  #unsaved: Memories | null = null;

  constructor(parts: RouterParts<Index>) {
    this.#p = parts;
    this.index = parts.index;
    this.api = new ApiServer({
      ...parts,
      // All groups watch the same sessions.
      plan: parts.whole,
      hasClient: () => this.daemon !== null,
      tell: (make) => this.enqueue(make),
    });
    // Two machines never share a clock.
    this.#bootedAt = -1_000_000 * (parts.index + 1);
  }

  get now(): number {
    return this.#p.timeline.now - this.#bootedAt;
  }

  get #wallNow(): number {
    return WALL_MS + this.#p.timeline.now + this.#clockErrorMs;
  }

  /** What is monotonic goes on as before. */
  stepClock(byMs: number): void {
    this.#clockErrorMs += byMs;
  }

  enqueue(make: EventMaker): void {
    this.daemon?.enqueue(make);
  }

  // ---- The machine ----

  boot(first = false): void {
    const { timeline, random, network, ec2 } = this.#p;
    if (this.isDead || this.machine === 'on') return;
    this.machine = 'on';
    this.#boots += 1;
    if (!first) this.#bootedAt = timeline.now - 20_000;
    ec2.setInstance(this.index, 'running');
    network.setAlive(this.index, true);
    this.api.keepAway(random.int(0, first ? 1_000 : 10_000));
    this.#tell(() => 'the machine has booted');
    timeline.after(random.int(0, first ? 2_000 : 10_000), () => this.startDaemon());
  }

  breakMachine(how: 'reboot' | 'stop' | 'hang' | 'terminate'): void {
    const { network, ec2, settings, timeline } = this.#p;
    if (this.machine !== 'on') return;
    this.#tell(() => `the machine is lost: ${how}`);
    this.machine = how === 'hang' ? 'hung' : 'off';
    this.#pausedUntil = 0;
    this.#endDaemon();
    network.setAlive(this.index, false);
    network.remove(this.index);
    if (how === 'stop') ec2.setInstance(this.index, 'stopped');
    if (how === 'terminate') ec2.setInstance(this.index, 'terminated');
    if (how !== 'hang') return;
    const boots = this.#boots;
    timeline.after(settings.impairedAfterMs, () => {
      if (this.machine === 'hung' && this.#boots === boots) ec2.setHung(this.index);
    });
  }

  /** A paused virtual machine: nothing on it runs, and nothing starts. A pause within a longer one changes nothing. */
  pauseMachine(forMs: number): void {
    const { timeline, network } = this.#p;
    const { now } = timeline;
    if (this.machine !== 'on' || now + forMs <= this.#pausedUntil) return;
    if (this.#pausedUntil <= now) this.#pausedFrom = now;
    const until = now + forMs;
    this.#pausedUntil = until;
    this.daemon?.pause(forMs);
    network.setAlive(this.index, false);
    timeline.after(forMs, () => {
      if (this.#pausedUntil === until) network.resume(this.index, until - this.#pausedFrom);
    });
  }

  // ---- The process ----

  startDaemon(): void {
    const { recorder, timeline, random, groups, settings } = this.#p;
    if (this.machine !== 'on' || this.daemon !== null) return;
    const waitMs = this.#pausedUntil - timeline.now;
    if (waitMs > 0) return timeline.after(waitMs, () => this.startDaemon());
    this.daemon = new Daemon({
      groups,
      timeline,
      random,
      clock: () => this.now,
      start: (daemon, planned, effect) => {
        recorder.effected(this, planned, effect);
        this.#start(daemon, planned, effect);
      },
      stepped: (planned, { event, before, step, now }) =>
        recorder.stepped(this, planned, event, before, step, now),
      spins: () => recorder.broken('no-spin', `router ${this.index} decides again and again`),
      deaf: (reason) => recorder.broken('wakes', `router ${this.index}: ${reason}`),
    });
    const { daemon } = this;
    const limit = settings.paced ? SMALL_LIMIT : LIMIT;
    this.#pacer = new Pacer(limitsOf(limit), () => this.now, {
      after: (delayMs, run) => daemon.after(delayMs, run),
      random: () => random.next(),
    });
    this.#answerTimes = new AnswerTimes((slowAfterMs) =>
      daemon.enqueue(() => ({ type: 'answerTimeLearnt', slowAfterMs })),
    );
    this.#readings = new Readings({
      ...this.#p,
      clock: () => this.now,
      answered: (afterMs) => this.#answered(daemon, 'read', afterMs),
    });
    const memories = this.#saved.at(-1);
    const bootId = `boot-${this.index}-${this.#boots}`;
    this.#tell(() => `the daemon starts, ${memories === undefined ? 'without' : 'with'} memory`);
    const wallNow = this.#wallNow;
    for (const { group } of groups) {
      const memory = memories?.[group] ?? null;
      this.daemon.enqueueFor(group, () => ({ type: 'started', bootId, memory, wallNow }));
    }
    if (settings.beforeMaintenanceMs !== null || this.#announced.own !== null) this.#tellAnnounced();
    this.api.attachSoon(random.int(20, 1_000));
  }

  /** It dies without a word. */
  crash(memory: 'kept' | 'lost' | 'stale'): void {
    if (this.daemon === null) return;
    this.#tell(() => `the daemon crashes, its memory is ${memory}`);
    this.#endDaemon();
    this.hasStaleMemory = memory !== 'kept';
    if (memory === 'lost') this.#saved = [];
    if (memory === 'stale') this.#saved = this.#saved.slice(0, -1);
  }

  /** It is told to stop, and started again this long after it has. */
  shutDown(awayMs: number): void {
    if (this.daemon === null) return;
    this.hasStaleMemory = false;
    this.#tell(() => `SIGTERM, and away for ${awayMs} ms`);
    this.#awayMs = awayMs;
    this.enqueue(() => ({ type: 'shutdownRequested', cause: 'SIGTERM' }));
  }

  /** Returns the number of the command; null where no daemon takes it. */
  command(how: Command, group: Group, forMs: number): number | null {
    const { daemon } = this;
    if (daemon === null) return null;
    this.#tell(() => `${groupWords(group, this.#p.settings)}command: ${how} for ${forMs} ms`);
    const request = (this.#lastRequest += 1);
    const wallNow = this.#wallNow;
    switch (how) {
      case 'switchover':
        daemon.enqueueFor(group, () => ({ type: 'switchoverRequested', request }));
        break;
      case 'schedule':
        daemon.enqueueFor(group, () => ({
          type: 'scheduleRequested',
          request,
          atWall: wallNow + forMs,
          wallNow,
        }));
        break;
      case 'drill': {
        const holdMs = Math.min(forMs, HOLD_MS_MAX);
        daemon.enqueueFor(group, () => ({ type: 'drillRequested', request, holdMs, unready: [] }));
        break;
      }
      case 'cancel':
        daemon.enqueueFor(group, () => ({ type: 'cancelRequested', request }));
        break;
      case 'release':
        daemon.enqueueFor(group, () => ({ type: 'releaseRequested', request }));
        break;
      case 'inhibit':
        daemon.enqueueFor(group, () => ({
          type: 'inhibitRequested',
          request,
          forMs,
          why: 'maintenance',
          wallNow,
        }));
        break;
    }
    return request;
  }

  /** Of this router, or of its peer: when it begins, in virtual time; null: none is announced. */
  announce(whose: 'own' | 'peer', at: number | null): void {
    this.#announced = { ...this.#announced, [whose]: at };
    this.#tellAnnounced();
  }

  #tellAnnounced(): void {
    const { timeline } = this.#p;
    for (const [whose, at] of Object.entries(this.#announced)) {
      const aheadMs = (at ?? 0) - timeline.now;
      const announced =
        at === null
          ? []
          : [{ code: 'system-reboot', at: this.now + aheadMs, atWall: this.#wallNow + aheadMs }];
      const instanceId = whose === 'own' ? null : `i-${1 - this.index}`;
      this.daemon?.enqueue(() => ({ type: 'maintenanceLearnt', instanceId, announced }));
    }
  }

  #endDaemon(): void {
    this.daemon?.end();
    this.daemon = null;
    this.#pacer?.stop();
    this.#pacer = null;
    this.#answerTimes = null;
    this.#readings = null;
    this.#waiting = [];
    this.#unsaved = null;
    this.#p.recorder.died(this.index);
    this.api.detach(() => this.machine === 'on');
  }

  // ---- Effects ----

  #start(daemon: Daemon, planned: PlannedGroup, effect: Effect): void {
    const { group } = planned;
    const { timeline, random } = this.#p;
    switch (effect.effect) {
      case 'sendCall':
        return this.#enter(daemon, group, effect);
      case 'withdrawCalls': {
        const { attempt, calls } = effect;
        for (const { leave, group: of, effect: sent } of this.#waiting)
          if (of === group && sent.attempt === attempt && calls.includes(sent.call)) leave();
        return;
      }
      case 'observeOwnership':
        return this.#readings?.observe(daemon, { group, number: effect.number });
      case 'askHolders':
        return this.#readings?.askHolders(daemon, { group, number: effect.number }, effect.instanceIds);
      case 'askInterfaces': {
        const { attempt, interfaceNames, timeoutMs } = effect;
        const fails = random.chance(0.1);
        return timeline.after(fails ? timeoutMs : random.int(0, timeoutMs), () => {
          const interfaces = fails ? [] : this.api.answerAboutInterfaces(interfaceNames);
          daemon.enqueueFor(group, () => ({ type: 'interfacesAnswered', attempt, interfaces }));
        });
      }
      case 'readLevels':
        return timeline.after(random.int(1, 50), () => {
          const levels = this.api.readLevels();
          daemon.enqueue(() => levels);
        });
      case 'remember': {
        // Written in the background, the newest at that time: what dies before is forgotten.
        this.#unsaved = { ...(this.#unsaved ?? this.#saved.at(-1) ?? NO_MEMORIES), [group]: effect.memory };
        return timeline.after(random.int(1, 10), () => {
          if (!daemon.hasEnded) this.#save();
        });
      }
      case 'stop':
        this.#tell(() => 'the daemon stops');
        // An orderly end waits for the file.
        this.#save();
        timeline.after(this.#awayMs, () => this.startDaemon());
        return this.#endDaemon();
      case 'prepareCall':
      case 'discardPrepared':
      case 'answerOperator':
      case 'reportTimeline':
        return;
    }
  }

  #save(): void {
    if (this.#unsaved === null) return;
    this.#saved = [...this.#saved.slice(-1), this.#unsaved];
    this.#unsaved = null;
  }

  /** Through the production pacer, as src/aws/moves/moves.ts has it. */
  #enter(daemon: Daemon, group: Group, effect: Send): void {
    const { attempt, call, send, rank } = effect;
    const pacer = this.#pacer;
    if (pacer === null) throw new Error('a request of no daemon');
    let waiting: Waiting | null = null;
    const forget = (): void => {
      this.#waiting = this.#waiting.filter((each) => each !== waiting);
    };
    const leave = pacer.enter({ action: ACTION, group: String(group), rank }, () => {
      if (waiting !== null) daemon.enqueueFor(group, () => ({ type: 'callReleased', attempt, call, send }));
      forget();
      this.#send(daemon, pacer, group, effect);
    });
    if (leave === null) return;
    waiting = {
      group,
      effect,
      leave: () => {
        forget();
        leave();
      },
    };
    this.#waiting = [...this.#waiting, waiting];
    daemon.enqueueFor(group, () => ({ type: 'callQueued', attempt, call, send }));
  }

  #send(daemon: Daemon, pacer: Pacer, group: Group, effect: Send): void {
    const { attempt, call, send } = effect;
    const sentAt = this.now;
    this.#p.ec2.assign(this.index, effect, (failure) => {
      pacer.answered(ACTION, failure);
      if (failure === null) this.#answered(daemon, 'write', this.now - sentAt);
      daemon.enqueueFor(group, () => ({
        type: 'callAnswered',
        attempt,
        call,
        send,
        sentAt,
        failure,
        apiRequestId: null,
      }));
    });
  }

  #answered(daemon: Daemon, what: 'read' | 'write', afterMs: number): void {
    if (daemon === this.daemon) this.#answerTimes?.answered(what, afterMs);
  }

  #tell(what: () => string): void {
    this.#p.recorder.happened(this.index, what);
  }
}
