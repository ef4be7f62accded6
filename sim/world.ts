/**
 * One run: two routers, the network between them and EC2, the faults of a scenario, then healing, then the
 * question whether all is well again. Throws `Violation` when an invariant is broken.
 */
import { violations } from '../src/core/state/invariants';
import type { Event } from '../src/core/state/model';
import { EC2, type AwsResource } from '../src/aws/description';
import type { Plan, Timing } from '../src/core/state/plan';
import type { Step } from '../src/core/step';
import { Checks, roleTtlMs } from './checks';
import { Causes } from './causes';
import { addressOf, Ec2 } from './ec2';
import { countSentences, Tally } from './fired';
import { Network } from './network';
import type { PlannedGroup } from './daemon';
import { LOOK_MS, ServiceWatch } from './outage';
import { Random } from './random';
import { Router, type Configuration, type Recorder } from './router';
import {
  groupOf,
  groupsMeant,
  groupsOf,
  groupWords,
  HEAL_MS,
  SHORTEST_RUN_MS,
  STRANGER,
  placeOf,
  targetOf,
  type AnyRouter,
  otherOf,
  ROUTERS,
  type Both,
  type Death,
  type Fault,
  type Group,
  type RouterIndex,
  type Scenario,
  type Settings,
  txIntervalMs,
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
  hedgeLeastMs: 200,
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
/** How long a machine is away that the cloud reboots. */
const REBOOT_MS = 30_000;
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
  /** Of the complete owner, by group. */
  readonly changes: readonly number[];
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
  /** By group. */
  readonly #checks: readonly Checks[];
  readonly #teller: Teller | null;
  /** Faults that come upon the next move of a router. */
  #waiting: Fault[] = [];
  /** Who dies upon its next move, and who has died so. */
  #dying: Death | null = null;
  #died: Death | null = null;
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
    const first = configurationOf(settings, 0);
    const second = configurationOf(settings, 1);
    const third = strangersOf(settings, [first, second]);
    this.#ec2 = new Ec2(timeline, random, settings, [first.whole, second.whole, third.whole]);
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
      stepped: (router, { group }, event, before, step, now) => {
        this.#tellStep(router.index, group, event, step);
        if (sampled) countSentences(this.#tally, step);
        for (const alarm of step.alarms) this.#tally.count(`alarm ${alarm}`);
        this.#checksOf(group).stepped(router, event, before, step, now);
      },
      effected: (router, { group }, effect) => {
        if (this.#teller !== null && (effect.effect === 'sendCall' || effect.effect === 'answerOperator'))
          this.#tell(router.index, () => `  ${groupWords(group, settings)}-> ${JSON.stringify(effect)}`);
        this.#checksOf(group).effected(router, effect);
        if (effect.effect !== 'sendCall') return;
        if (this.#waiting.length > 0) this.#beginWaiting(router.index);
        if (this.#dying?.router === router.index) this.#dieLater(this.#dying);
      },
      happened: (router, what) => this.#tell(router, what),
      died: (router) => {
        for (const checks of this.#checks) checks.died(router);
      },
      broken: (invariant, what) => this.#broken(invariant, what),
    };
    const world = { settings, timeline, random, network: this.#network, ec2: this.#ec2 };
    this.#routers = [
      new Router<RouterIndex>({ ...world, ...first, index: 0, recorder }),
      new Router<RouterIndex>({ ...world, ...second, index: 1, recorder }),
    ];
    this.#stranger =
      settings.stranger === null
        ? null
        : new Router({
            ...world,
            ...third,
            index: STRANGER,
            recorder: {
              stepped: (_, planned, event, _before, step) => this.#strangerStepped(planned, event, step),
              effected: () => undefined,
              happened: (_, what) => this.#tell(STRANGER, what),
              died: () => undefined,
              broken: (invariant, what) => this.#broken(invariant, what),
            },
          });
    this.#checks = first.groups.map(
      ({ group, plan }) =>
        new Checks({
          ...world,
          group,
          plan,
          scenario,
          causes: this.#causes,
          tally: this.#tally,
          broken: (invariant, what) => this.#broken(invariant, what),
        }),
    );
    this.#ec2.changed = (writer) => {
      for (const checks of this.#checks) checks.ec2Changed(writer);
    };
    this.#ec2.moving = (router, send, target, from) =>
      this.#checksOf(groupOf(target, settings)).moving(router, send, target, from);
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
    if (death !== null) {
      this.#timeline.after(death.at, () => {
        if (death.uponMoveLateMs === null) this.#die(death);
        else this.#dying = death;
      });
    }
    this.#timeline.runUntil(HEAL_MS);
    this.#waiting = [];
    this.#dying = null;
    // What a person mends: whoever finds the third router takes it away.
    this.#stranger?.breakMachine('terminate');
    this.#cancelOrders();
    const convergedMs = this.#settle(death?.uponMoveLateMs === null ? death : this.#died);
    const { counts } = this.#tally;
    this.#tally.count('double fault', this.#causes.doubleFaults.size);
    this.#tally.count('two groups', this.#checks.length - 1);
    return {
      steps: this.#checks.reduce((sum, { steps }) => sum + steps, 0),
      changes: this.#checks.map(({ changes }) => changes.length),
      counts,
      convergedMs,
    };
  }

  /** A clock that was stepped may have put one off until after the end of all faults. */
  #cancelOrders(): void {
    if (
      !this.#scenario.faults.some(
        (fault) => fault.kind === 'operator' && ['schedule', 'drill'].includes(fault.how),
      )
    )
      return;
    for (const group of groupsOf(this.#scenario.settings))
      for (const router of this.#routers)
        this.#checksOf(group).commanded(router, router.command('cancel', group, 0));
  }

  #checksOf(group: Group): Checks {
    const checks = this.#checks[group];
    if (checks === undefined) throw new Error(`there is no group ${group}`);
    return checks;
  }

  /** What must hold of any core, whatever its configuration says. */
  #strangerStepped({ group, plan }: PlannedGroup, event: Event, step: Step): void {
    this.#tellStep(STRANGER, group, event, step);
    const broken = violations(plan, step.state);
    if (broken.length > 0) this.#broken('core', `the third router: ${broken.join('; ')}`);
  }

  /** `outage`: looks every few seconds whether somebody could serve who does not. See outage.ts. */
  #watchService(): void {
    const { settings } = this.#scenario;
    const watches = groupsOf(settings).map((group) => ({
      words: groupWords(group, settings),
      watch: new ServiceWatch(group, this.#scenario, this.#network, this.#ec2, this.#routers),
    }));
    const look = (): void => {
      for (const { words, watch } of watches) {
        const problem = watch.look(this.#timeline.now);
        if (problem !== null) this.#broken('outage', `${words}${problem}`);
      }
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
    const { settings } = this.#scenario;
    for (const group of groupsOf(settings)) {
      const problem = this.#problemOf(group, death);
      if (problem !== null) return `${groupWords(group, settings)}${problem}`;
    }
    return null;
  }

  #problemOf(group: Group, death: Death | null): string | null {
    const owner = this.#ec2.owner(group);
    if (owner === null) return 'nobody holds everything';
    if (death !== null && owner === death.router) return `the dead router ${owner} holds the targets`;
    for (const router of ROUTERS) {
      if (death?.router === router) continue;
      const role = this.#routers[router].daemon?.stateOf(group).role.haState ?? 'without daemon';
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
    for (const checks of this.#checks)
      this.#tally.count(`survivor ${checks.conditionOf(this.#routers[survivor])}`);
    machine.boot();
    machine.breakMachine(how);
    machine.isDead = true;
    if (this.#died !== null) return this.#checkRepairedUnseen(router);
    // `quiet-death`: nothing else has happened for a while, and nothing does.
    const { faults, settings } = this.#scenario;
    const settled = settledMs(settings);
    const quiet = faults.every(
      (fault) => fault.uponMoveOf === null && (endOf(fault) < at - settled || fault.at > at + QUIET_DEATH_MS),
    );
    if (!quiet || at < settled) return;
    for (const group of groupsOf(settings)) {
      // What the third router has, nobody of the pair may take.
      if (this.#ec2.owner(group) === STRANGER) continue;
      this.#timeline.after(QUIET_DEATH_MS, () => {
        // What has only just moved the third router may have taken, on the strength of the news before.
        if (this.#ec2.owner(group) === STRANGER) return;
        const damped = this.#routers[survivor].daemon?.stateOf(group).damping?.suppressedUntil ?? null;
        if (this.#ec2.owner(group) !== survivor && damped === null)
          this.#broken(
            'quiet-death',
            `${groupWords(group, settings)}${QUIET_DEATH_MS / 1000} s after router ${router} was lost (${how}) the other does not hold the targets`,
          );
      });
    }
  }

  #dieLater(death: Death): void {
    this.#dying = null;
    this.#timeline.after(death.uponMoveLateMs ?? 0, () => {
      this.#died = { ...death, at: this.#timeline.now };
      this.#die(this.#died);
    });
  }

  /**
   * `repaired-unseen`: who repaired and hung before the other has seen it is replaced for all targets. What EC2 has carried
   * out of its requests only after its death, and after the takeover, shows as the work of a peer that lives.
   */
  #checkRepairedUnseen(router: RouterIndex): void {
    const diedAt = this.#timeline.now;
    this.#timeline.after(QUIET_DEATH_MS, () => {
      const isCarriedOutLate = this.#ec2
        .holdersOf(0)
        .some(
          (holder, place) =>
            holder?.router === router &&
            this.#ec2.heldSince(targetOf(0, place, this.#scenario.settings)) > diedAt,
        );
      if (this.#ec2.owner(0) !== otherOf(router) && !isCarriedOutLate)
        this.#broken(
          'repaired-unseen',
          `${QUIET_DEATH_MS / 1000} s after router ${router} repaired and hung the other does not hold all targets`,
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
      case 'maintenance': {
        const router = this.#routers[fault.router];
        const peer = this.#routers[otherOf(fault.router)];
        router.announce('own', until);
        peer.announce('peer', until);
        return end(() => {
          this.#causes.began('machine', this.#timeline.now, REBOOT_MS);
          router.breakMachine('reboot');
          this.#timeline.after(REBOOT_MS, () => {
            router.announce('own', null);
            peer.announce('peer', null);
            router.boot();
          });
        });
      }
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
        // The daemon gives no two groups for one command: whoever wants that gives one after the other.
        for (const group of groupsMeant(fault.target, this.#scenario.settings)) {
          const router = this.#routers[fault.router];
          this.#checksOf(group).commanded(router, router.command(fault.how, group, forMs));
        }
        return;
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
      case 'halfSilent':
        trouble.halfSilentUntil = until;
        return;
      case 'lossy':
        trouble.lossyUntil = until;
        return;
      case 'throttled':
        trouble.throttledUntil = until;
        return;
      case 'contended':
        this.#ec2.contend(router, until);
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

  #tellStep(router: AnyRouter, group: Group, event: Event, step: Step): void {
    if (this.#teller !== null && step.weight !== 'routine' && step.reason !== '')
      this.#tell(
        router,
        () => `  ${groupWords(group, this.#scenario.settings)}${event.type}: ${step.reason}`,
      );
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

function strangersOf({ stranger }: Settings, [first, second]: Both<Configuration>): Configuration {
  const { groups, whole } = stranger === 'twinOf1' ? second : first;
  const peerAddresses = stranger === 'strangePeer' ? ['10.9.9.9'] : whole.peerAddresses;
  // The opt-in of rule 9 would let it take from a router that is well, as the documentation says.
  const misconfigured = (plan: Plan): Plan => ({
    ...plan,
    peerAddresses,
    preferred: false,
    timing: { ...plan.timing, takeFromRunningAfterMs: null },
  });
  return {
    groups: groups.map(({ group, plan }) => ({ group, plan: misconfigured(plan) })),
    whole: misconfigured(whole),
  };
}

const KINDS = ['privateAddress', 'route', 'elasticIp', 'ipv6Address'] as const;

/** Both routers have them in the same order, which is all that the rules want of an order. */
function resourceOf(
  settings: Settings,
  place: number,
  number: number,
): AwsResource & { readonly id: string } {
  const { kinds, elasticIpFloats } = settings;
  const kind = kinds === 'mixed' ? place % KINDS.length : kinds === 'routes' ? 1 : 0;
  switch (KINDS[kind] ?? 'privateAddress') {
    case 'privateAddress':
      return { kind: 'privateAddress', id: `10.0.0.${100 + number}`, address: `10.0.0.${100 + number}` };
    case 'ipv6Address':
      return { kind: 'ipv6Address', id: `2001:db8::${100 + number}`, address: `2001:db8::${100 + number}` };
    case 'elasticIp':
      return {
        kind: 'elasticIp',
        id: `eipalloc-${number}`,
        allocationId: `eipalloc-${number}`,
        privateAddress: elasticIpFloats ? floatingBeside(settings, number) : null,
      };
    case 'route': {
      const value = `10.${100 + number}.0.0/16`;
      const destination = { kind: 'ipv4', value } as const;
      return { kind: 'route', id: `${value} in rtb-1`, routeTable: { id: 'rtb-1' }, destination };
    }
  }
}

/** The address of the same group that is a target on the same interface: of each four kinds, the first. */
function floatingBeside(settings: Settings, number: number): string {
  const group = groupOf(number, settings);
  const first = placeOf(number, settings) - KINDS.indexOf('elasticIp');
  return `10.0.0.${100 + targetOf(group, first, settings)}`;
}

function configurationOf(settings: Settings, router: RouterIndex): Configuration {
  const first = { group: 0, plan: planOf(settings, router, 0) } as const;
  if (settings.groups === 1) return { groups: [first], whole: first.plan };
  const second = { group: 1, plan: planOf(settings, router, 1) } as const;
  const targets = [...first.plan.targets, ...second.plan.targets].sort((one, other) => one.rank - other.rank);
  return { groups: [first, second], whole: { ...first.plan, targets } };
}

function planOf(settings: Settings, router: RouterIndex, group: Group): Plan {
  const peer = otherOf(router);
  return {
    targets: Array.from({ length: settings.targets }, (_, place) => {
      const number = targetOf(group, place, settings);
      return {
        ...resourceOf(settings, place, number),
        deviceIndex: (place % settings.sessions) + 1,
        networkCardIndex: 0,
        rank: number,
      };
    }),
    sessions: Array.from({ length: settings.sessions }, (_, index) => ({
      id: `session${index}`,
      peerAddress: addressOf({ router: peer, index }),
      interfaceName: `Te${index}`,
      txIntervalMs: txIntervalMs(settings.detectMs[router]),
      detectionTimeMs: settings.detectMs[router],
    })),
    peerAddresses: Array.from({ length: settings.sessions }, (_, index) =>
      addressOf({ router: peer, index }),
    ),
    trigger: settings.trigger,
    preferred: settings.preferred[group === 0 ? router : peer],
    foreignHolder: settings.foreignHolder,
    onPeerWithdrawn: settings.onPeerWithdrawn,
    handsOver: { beforeMaintenanceMs: settings.beforeMaintenanceMs, atShutdown: settings.atShutdown },
    cloud: EC2,
    timing: {
      ...TIMING,
      keepaliveIntervalMs: settings.keepaliveMs,
      roleTtlMs: roleTtlMs(settings),
      takeFromRunningAfterMs: settings.takeFromRunningAfterMs,
    },
  };
}
