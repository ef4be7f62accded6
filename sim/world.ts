/**
 * One run: two routers, the network between them and EC2, the faults of a scenario, then healing, then the
 * question whether all is well again. Throws `Violation` when an invariant is broken.
 */
import { violations } from '../src/core/invariants';
import type { Event } from '../src/core/model';
import type { Plan, Resource, Timing } from '../src/core/plan';
import type { Step } from '../src/core/step';
import { Checks, roleTtlMs } from './checks';
import { Causes } from './causes';
import { addressOf, Ec2 } from './ec2';
import { countSentences, Tally } from './fired';
import { Network } from './network';
import { LOOK_MS, ServiceWatch } from './outage';
import { Random } from './random';
import { Router, type Recorder } from './router';
import {
  HEAL_MS,
  SHORTEST_RUN_MS,
  STRANGER,
  type AnyRouter,
  otherOf,
  ROUTERS,
  type Both,
  type Death,
  type Fault,
  type RouterIndex,
  type Scenario,
  type Settings,
} from './scenario';
import { Timeline } from './timeline';

const TIMING: Timing = {
  keepaliveIntervalMs: 10_000,
  roleTtlMs: 30_000,
  stalenessMs: 10_000,
  reestablishAfterInterfaceMs: 5_000,
  reestablishMs: 10_000,
  settleMs: 20,
  hedgeMs: 700,
  armedTtlMs: 600_000,
  partialHoldMs: 25_000,
  evidenceHoldMs: 30_000,
  takeFromRunningAfterMs: null,
  dampingHalfLifeMs: 60_000,
  preemptDelayMs: 60_000,
  ownStallHoldMs: 3_000,
};

/**
 * `converges`: all is well again this long after the last fault has been healed and has shown in EC2. A penalty has to
 * fade, a partial ownership to be seen three times, evidence to be asked for.
 */
export function convergeMs({ keepaliveMs }: Settings): number {
  return 125_000 + 5 * keepaliveMs;
}
/** And stays so for three keepalives at least. */
function stableMs({ keepaliveMs }: Settings): number {
  return Math.max(60_000, 3 * keepaliveMs);
}
const SETTLE_LOOK_MS = 2_000;
/** `quiet-death`: a router that dies while all is well is replaced within this long. */
const QUIET_DEATH_MS = 20_000;
/** All is well again so long after a fault. */
function settledMs({ keepaliveMs }: Settings): number {
  return 100_000 + 5 * keepaliveMs;
}

export class Violation extends Error {
  readonly invariant: string;
  readonly at: number;
  constructor(invariant: string, what: string, at: number) {
    super(what);
    this.invariant = invariant;
    this.at = at;
  }
}

export type Outcome = {
  readonly steps: number;
  readonly changes: number;
  /** What has fired; see fired.ts. */
  readonly counts: { readonly [name: string]: number };
  /** From healing to the moment since which all is well; null where nothing could be demanded. */
  readonly convergedMs: number | null;
};

export type Teller = (at: number, router: AnyRouter | null, what: string) => void;

/** `sampled`: also the sentences are counted. */
export function run(scenario: Scenario, teller: Teller | null = null, sampled = false): Outcome {
  return new World(scenario, teller, sampled).run();
}

class World {
  readonly #scenario: Scenario;
  readonly #timeline = new Timeline();
  readonly #network: Network;
  readonly #ec2: Ec2;
  readonly #routers: Both<Router<RouterIndex>>;
  readonly #stranger: Router<typeof STRANGER> | null;
  readonly #tally = new Tally();
  readonly #causes: Causes;
  readonly #checks: Checks;
  readonly #teller: Teller | null;
  /** Faults that come upon the next move of a router. */
  #waiting: Fault[] = [];
  /** By router and interface. */
  readonly #downUntil: Both<number[]> = [[], []];
  readonly #detachedUntil: Both<number[]> = [[], []];

  constructor(scenario: Scenario, teller: Teller | null, sampled: boolean) {
    this.#scenario = scenario;
    this.#teller = teller;
    const { settings, seed } = scenario;
    const random = new Random(seed, 1);
    const timeline = this.#timeline;
    this.#causes = new Causes(settings);
    const plans: Both<Plan> = [planOf(settings, 0), planOf(settings, 1)];
    const strangersPlan = strangersPlanOf(settings, plans);
    this.#ec2 = new Ec2(timeline, random, settings, [...plans, strangersPlan]);
    this.#network = new Network(timeline, random, settings, {
      session: (router, index, level) => {
        this.#tell(router, () => `BFD session ${index} is ${level}`);
        this.#routers[router].api.sessionNews(index, level);
      },
      interface: (router, index, level) => {
        this.#tell(router, () => `interface ${index} is ${level}`);
        this.#routers[router].api.interfaceNews(index, level);
      },
    });
    const recorder: Recorder<RouterIndex> = {
      stepped: (router, event, before, step, now) => {
        if (this.#teller !== null && step.weight !== 'routine' && step.reason !== '')
          this.#tell(router.index, () => `  ${event.type}: ${step.reason}`);
        if (sampled) countSentences(this.#tally, step);
        for (const alarm of step.alarms) this.#tally.count(`alarm ${alarm}`);
        this.#checks.stepped(router, event, before, step, now);
      },
      effected: (router, effect) => {
        if (this.#teller !== null && (effect.effect === 'sendTakeover' || effect.effect === 'answerOperator'))
          this.#tell(router.index, () => `  -> ${JSON.stringify(effect)}`);
        this.#checks.effected(router, effect);
        if (effect.effect === 'sendTakeover' && this.#waiting.length > 0) this.#beginWaiting(router.index);
      },
      happened: (router, what) => this.#tell(router, what),
      died: (router) => this.#checks.died(router),
      broken: (invariant, what) => this.#broken(invariant, what),
    };
    const world = { settings, timeline, random, network: this.#network, ec2: this.#ec2 };
    const router = (index: RouterIndex): Router<RouterIndex> =>
      new Router({ ...world, index, plan: plans[index], recorder });
    this.#routers = [router(0), router(1)];
    this.#stranger =
      settings.stranger === null
        ? null
        : new Router({
            ...world,
            index: STRANGER,
            plan: strangersPlan,
            recorder: {
              stepped: ({ plan }, event, _before, step) => this.#strangerStepped(plan, event, step),
              effected: () => undefined,
              happened: (_, what) => this.#tell(STRANGER, what),
              died: () => undefined,
              broken: (invariant, what) => this.#broken(invariant, what),
            },
          });
    this.#checks = new Checks({
      ...world,
      scenario,
      causes: this.#causes,
      tally: this.#tally,
      broken: (invariant, what) => this.#broken(invariant, what),
    });
    this.#ec2.told = (what) => this.#tell(null, what);
  }

  run(): Outcome {
    const { faults, death } = this.#scenario;
    for (const router of ROUTERS) this.#routers[router].boot(true);
    this.#stranger?.boot(true);
    this.#watchService();
    for (const fault of faults) {
      this.#timeline.after(fault.at, () => {
        if (fault.uponMoveOf === null) this.#begin(fault);
        else this.#waiting.push(fault);
      });
    }
    if (death !== null) this.#timeline.after(death.at, () => this.#die(death));
    this.#timeline.runUntil(HEAL_MS);
    this.#waiting = [];
    // What a person mends: whoever finds the third router takes it away.
    this.#stranger?.breakMachine('terminate');
    const convergedMs = this.#settle(death);
    const { steps, changes } = this.#checks;
    const { counts } = this.#tally;
    this.#tally.count('double fault', this.#causes.doubleFaults.size);
    return { steps, changes: changes.length, counts, convergedMs };
  }

  /** What must hold of any core, whatever its configuration says. */
  #strangerStepped(plan: Plan, event: Event, step: Step): void {
    if (this.#teller !== null && step.weight !== 'routine' && step.reason !== '')
      this.#tell(STRANGER, () => `  ${event.type}: ${step.reason}`);
    const broken = violations(plan, step.state);
    if (broken.length > 0) this.#broken('core', `the third router: ${broken.join('; ')}`);
  }

  /** `outage`: looks every few seconds whether somebody could serve who does not. See outage.ts. */
  #watchService(): void {
    const watch = new ServiceWatch(this.#scenario, this.#network, this.#ec2, this.#routers);
    const look = (): void => {
      const problem = watch.look(this.#timeline.now);
      if (problem !== null) this.#broken('outage', problem);
      this.#timeline.after(LOOK_MS, look);
    };
    this.#timeline.after(LOOK_MS, look);
  }

  /** Until all is well, and then a while longer. */
  #settle(death: Death | null): number | null {
    const from = this.#demandedFrom(death);
    if (death !== null) this.#timeline.runUntil(Math.max(HEAL_MS, death.at));
    if (from === null) {
      this.#tally.count('exception: nothing shows the death of the holder');
      this.#timeline.runUntil(SHORTEST_RUN_MS);
      return null;
    }
    const timeline = this.#timeline;
    const { settings } = this.#scenario;
    const until = from + convergeMs(settings);
    let problem = this.#problem(death);
    let since = timeline.now;
    while (timeline.now < until || problem === null) {
      const isStable = timeline.now - since >= stableMs(settings) && timeline.now >= SHORTEST_RUN_MS;
      if (problem === null && isStable) return Math.max(0, since - from);
      timeline.runUntil(timeline.now + SETTLE_LOOK_MS);
      const before = problem;
      problem = this.#problem(death);
      if (problem !== null || before !== null) since = timeline.now;
    }
    return this.#broken('converges', `${convergeMs(settings) / 1000} s after all was healed: ${problem}`);
  }

  /** When EC2 can show enough for a takeover; null where it never does: a named exception. */
  #demandedFrom(death: Death | null): number | null {
    const { settings } = this.#scenario;
    if (death === null) return HEAL_MS;
    const from = Math.max(HEAL_MS, death.at);
    switch (death.how) {
      case 'terminate':
        return from;
      case 'stop':
        return settings.mayAskStatus ? from : null;
      case 'hang':
        return settings.mayAskStatus ? Math.max(from, death.at + settings.impairedAfterMs) : null;
    }
  }

  #problem(death: Death | null): string | null {
    const owner = this.#ec2.owner();
    if (owner === null) return 'nobody holds everything';
    if (death !== null && owner === death.router) return `the dead router ${owner} holds the targets`;
    for (const router of ROUTERS) {
      if (death?.router === router) continue;
      const role = this.#routers[router].daemon?.state.role.haState ?? 'without daemon';
      const wanted = router === owner ? 'ACTIVE' : 'STANDBY';
      if (role !== wanted) return `router ${router} is ${role}, and ${wanted} is right`;
    }
    return null;
  }

  #die({ router, how, at }: Death): void {
    const machine = this.#routers[router];
    const survivor = otherOf(router);
    this.#causes.began('death', this.#timeline.now, Infinity);
    this.#tally.count(`death ${how}`);
    this.#tally.count(`survivor ${this.#checks.conditionOf(this.#routers[survivor])}`);
    machine.boot();
    machine.breakMachine(how);
    machine.isDead = true;
    // `quiet-death`: nothing else has happened for a while, and nothing does.
    const { faults, settings } = this.#scenario;
    const settled = settledMs(settings);
    const quiet = faults.every(
      (fault) => fault.uponMoveOf === null && (endOf(fault) < at - settled || fault.at > at + QUIET_DEATH_MS),
    );
    // What the third router has, nobody of the pair may take.
    if (!quiet || at < settled || this.#ec2.owner() === STRANGER) return;
    this.#timeline.after(QUIET_DEATH_MS, () => {
      // What has only just moved the third router may have taken, on the strength of the news before.
      if (this.#ec2.owner() === STRANGER) return;
      const damped = this.#routers[survivor].daemon?.state.damping?.suppressedUntil ?? null;
      if (this.#ec2.owner() !== survivor && damped === null)
        this.#broken(
          'quiet-death',
          `${QUIET_DEATH_MS / 1000} s after router ${router} was lost (${how}) the other does not hold the targets`,
        );
    });
  }

  #beginWaiting(router: RouterIndex): void {
    const due = this.#waiting.filter(({ uponMoveOf }) => uponMoveOf === router);
    this.#waiting = this.#waiting.filter(({ uponMoveOf }) => uponMoveOf !== router);
    for (const fault of due) this.#timeline.after(fault.lateMs, () => this.#begin(fault));
  }

  #begin(fault: Fault): void {
    const forMs = Math.min(fault.forMs, HEAL_MS - this.#timeline.now);
    if (forMs <= 0) return;
    const { kind, at: _at, forMs: _forMs, ...rest } = fault;
    this.#causes.began(kind, this.#timeline.now, forMs);
    this.#tally.count(`fault ${nameOf(fault)}`);
    this.#tell(null, () => `FAULT ${kind} for ${forMs} ms: ${JSON.stringify(rest)}`);
    const until = this.#timeline.now + forMs;
    const end = (run: () => void): void => this.#timeline.after(forMs, run);
    switch (fault.kind) {
      case 'path': {
        this.#network.lose(fault.session, fault.deafSide, until);
        const again = { ...fault, times: fault.times - 1 };
        if (again.times > 0) this.#timeline.after(forMs + fault.gapMs, () => this.#begin(again));
        return;
      }
      case 'interface':
      case 'detach': {
        const { router, index } = fault;
        const until = kind === 'detach' ? this.#detachedUntil : this.#downUntil;
        until[router][index] = Math.max(until[router][index] ?? 0, this.#timeline.now + forMs);
        this.#setInterface(router, index);
        return end(() => this.#setInterface(router, index));
      }
      case 'machine': {
        const router = this.#routers[fault.router];
        if (router.machine !== 'on') return;
        if (fault.how === 'pause') return router.pauseMachine(forMs);
        router.breakMachine(fault.how);
        return end(() => router.boot());
      }
      case 'process': {
        const router = this.#routers[fault.router];
        if (fault.how === 'pause') return router.daemon?.pause(forMs);
        if (fault.how === 'shutdown') return router.shutDown(forMs);
        router.crash(fault.memory);
        return end(() => router.startDaemon());
      }
      case 'slapi':
        if (this.#routers[fault.router].machine !== 'on') return;
        return this.#routers[fault.router].api.fail(fault.how, forMs, fault.keepsSessions);
      case 'ec2':
        for (const router of ROUTERS)
          if (fault.router === 'both' || fault.router === router) this.#troubleEc2(router, fault, until);
        return;
      case 'clock':
        return this.#routers[fault.router].stepClock(fault.byMs);
      case 'operator':
        if (fault.how === 'move') return this.#ec2.moveByHand(fault.router, fault.target);
        if (fault.how === 'nobody') return this.#ec2.moveByHand('nobody', fault.target);
        if (fault.how === 'foreign') {
          this.#ec2.moveByHand('foreign', fault.target);
          // Whoever has put it there has to free it again.
          return end(() => this.#ec2.moveByHand('nobody', fault.target));
        }
        return this.#checks.commanded(
          this.#routers[fault.router],
          this.#routers[fault.router].command(fault.how, forMs),
        );
    }
  }

  /** Where faults overlap, an interface is attached, and UP, when the last of them is over. */
  #setInterface(router: RouterIndex, index: number): void {
    const { now } = this.#timeline;
    const isDetached = now < (this.#detachedUntil[router][index] ?? 0);
    const isDown = isDetached || now < (this.#downUntil[router][index] ?? 0);
    this.#ec2.setAttached(router, index, !isDetached);
    this.#network.setInterface(router, index, isDown ? 'Down' : 'Up');
  }

  #troubleEc2(router: RouterIndex, fault: Extract<Fault, { kind: 'ec2' }>, until: number): void {
    const trouble = this.#ec2.trouble[router];
    switch (fault.how) {
      case 'cut':
        trouble.cutUntil = until;
        return;
      case 'blackhole':
        trouble.blackholeUntil = until;
        return;
      case 'slow':
        trouble.slowUntil = until;
        return;
      case 'lossy':
        trouble.lossyUntil = until;
        return;
      case 'throttled':
        trouble.throttledUntil = until;
        return;
      case 'stale':
        trouble.staleUntil = until;
        return;
      case 'refusing':
        trouble.refusedUntil.forEach((_, target) => {
          if (fault.target === 'all' || fault.target === target) trouble.refusedUntil[target] = until;
        });
        return;
    }
  }

  #tell(router: AnyRouter | null, what: () => string): void {
    this.#teller?.(this.#timeline.now, router, what());
  }

  #broken(invariant: string, what: string): never {
    throw new Violation(invariant, what, this.#timeline.now);
  }
}

function endOf(fault: Fault): number {
  if (fault.kind !== 'path') return fault.at + fault.forMs;
  return fault.at + fault.times * fault.forMs + (fault.times - 1) * fault.gapMs;
}

/** `ec2 throttled`, `path`. */
function nameOf(fault: Fault): string {
  return 'how' in fault ? `${fault.kind} ${fault.how}` : fault.kind;
}

function strangersPlanOf({ stranger }: Settings, [first, second]: Both<Plan>): Plan {
  const twin = stranger === 'twinOf1' ? second : first;
  const peerAddresses = stranger === 'strangePeer' ? ['10.9.9.9'] : twin.peerAddresses;
  // The opt-in of rule 9 would let it take from a router that is well, as the documentation says.
  return {
    ...twin,
    peerAddresses,
    preferred: false,
    timing: { ...twin.timing, takeFromRunningAfterMs: null },
  };
}

const KINDS = ['privateAddress', 'route', 'elasticIp', 'ipv6Address'] as const;

/** Both routers have them in the same order, which is all that the rules want of an order. */
function resourceOf({ kinds }: Settings, number: number): Resource & { readonly id: string } {
  const place = kinds === 'mixed' ? number % KINDS.length : kinds === 'routes' ? 1 : 0;
  switch (KINDS[place] ?? 'privateAddress') {
    case 'privateAddress':
      return { kind: 'privateAddress', id: `10.0.0.${100 + number}`, address: `10.0.0.${100 + number}` };
    case 'ipv6Address':
      return { kind: 'ipv6Address', id: `2001:db8::${100 + number}`, address: `2001:db8::${100 + number}` };
    case 'elasticIp':
      return {
        kind: 'elasticIp',
        id: `eipalloc-${number}`,
        allocationId: `eipalloc-${number}`,
        privateAddress: null,
      };
    case 'route': {
      const value = `10.${100 + number}.0.0/16`;
      const destination = { kind: 'ipv4', value } as const;
      return { kind: 'route', id: `${value} in rtb-1`, routeTable: { id: 'rtb-1' }, destination };
    }
  }
}

function planOf(settings: Settings, router: RouterIndex): Plan {
  const peer = otherOf(router);
  return {
    targets: Array.from({ length: settings.targets }, (_, number) => ({
      ...resourceOf(settings, number),
      deviceIndex: (number % settings.sessions) + 1,
      networkCardIndex: 0,
      rank: number,
    })),
    sessions: Array.from({ length: settings.sessions }, (_, index) => ({
      id: `session${index}`,
      peerAddress: addressOf({ router: peer, index }),
      interfaceName: `Te${index}`,
      detectionTimeMs: settings.detectMs[router],
    })),
    peerAddresses: Array.from({ length: settings.sessions }, (_, index) =>
      addressOf({ router: peer, index }),
    ),
    trigger: settings.trigger,
    preferred: settings.preferred[router],
    foreignHolder: settings.foreignHolder,
    timing: {
      ...TIMING,
      keepaliveIntervalMs: settings.keepaliveMs,
      roleTtlMs: roleTtlMs(settings),
      takeFromRunningAfterMs: settings.takeFromRunningAfterMs,
    },
  };
}
