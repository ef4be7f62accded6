/**
 * EC2 as far as the daemons see it, in a model of its own: who holds which address (the last writer wins), what
 * the instances are doing, reads that lag behind, answers that get lost, requests that arrive late, tokens that
 * run out. It shares nothing with the lab's emulator.
 */
import type { EffectArgs } from '../src/core/state/model';
import type { Attachment, Failure, Holder, InstanceCondition, Observation } from '../src/core/state/readings';
import { restsOn } from '../src/core/kinds';
import type { Plan, Target } from '../src/core/state/plan';
import type { Random } from './random';
import {
  groupOf,
  groupsOf,
  groupWords,
  otherOf,
  placeOf,
  STRANGER,
  type AnyRouter,
  type Group,
  type RouterIndex,
  type Settings,
} from './scenario';
import type { Timeline } from './timeline';

/** What each of the three routers has. */
type Trio<Item> = [Item, Item, Item];

/** An interface of a router; `index` is the device index minus one. */
export type Nic = { readonly router: AnyRouter | null; readonly index: number; readonly id: string };
/** One of an instance that is no router. */
const FOREIGN: Nic = { router: null, index: 0, id: 'eni-foreign' };
/** Where a route leads that an operator has pointed elsewhere. */
const GATEWAY_ID = 'nat-foreign';

type InstanceState = 'running' | 'stopped' | 'terminated';

/** What EC2 knew at some time; reads may show an old one. */
type Version = {
  readonly at: number;
  readonly holders: readonly (Nic | null)[];
  readonly instances: Trio<InstanceState>;
  /** Interfaces that are attached to nothing. */
  readonly detached: readonly string[];
  readonly observations: Trio<Observation | null>;
};

/** What is wrong with EC2 for one router, each until a time. */
export type Trouble = {
  cutUntil: number;
  blackholeUntil: number;
  slowUntil: number;
  lossyUntil: number;
  /** One of two addresses of the endpoint accepts requests and says nothing. */
  halfSilentUntil: number;
  throttledUntil: number;
  /** Somebody else in the account asks for nearly all that the bucket gets. */
  contendedUntil: number;
  staleUntil: number;
  readonly refusedUntil: number[];
};

/** EC2's bucket for AssignPrivateIpAddresses is 100 and 5 a second, and the account shares it. */
const BUCKET = 40;
const REFILL_PER_MS = 5 / 1000;
/** Lognormal, as answers of a busy service are. */
const TAIL_SIGMA = 1.1;
/** How long the other consumer of a contended bucket waits for its next request, in the mean. */
const CONSUMER_MS = 220;
/** What a `stale` fault may lag at most. */
const STALE_FAULT_MS = 9_000;

type Send = EffectArgs['sendCall'];
type Answered<Result> = (result: Result) => void;

export class Ec2 {
  readonly trouble: Trio<Trouble>;
  readonly nics: Trio<readonly Nic[]>;
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #settings: Settings;
  readonly #plans: Trio<Plan>;
  /** The number of the floating address that each Elastic IP is on; null where it is on none. */
  readonly #bases: readonly (number | null)[];
  readonly #versions: Version[] = [];
  /** When each target last came to its holder. */
  readonly #heldSince: number[] = [];
  /** When what showed that each router has failed was last mended. */
  readonly #shownAt: Trio<number> = [-Infinity, -Infinity, -Infinity];
  readonly #conditions: Trio<InstanceCondition> = ['running', 'running', 'running'];
  #tokens = BUCKET;
  #tokensAt = 0;
  #consumerAt = 0;
  /** Called after each change of who holds what, with the router that has written it. */
  changed: (writer: AnyRouter | null) => void = () => undefined;
  /** Called before a request changes who holds a target. */
  moving: (router: AnyRouter, send: Send, target: number, from: Nic | null) => void = () => undefined;
  told: (what: () => string) => void = () => undefined;

  /** `plans`: of all groups together. */
  constructor(timeline: Timeline, random: Random, settings: Settings, plans: Trio<Plan>) {
    this.#timeline = timeline;
    this.#random = random;
    this.#settings = settings;
    this.#plans = plans;
    const { targets } = plans[0];
    this.#bases = targets.map((target) => {
      const base = restsOn(targets, target);
      return base === undefined ? null : targets.indexOf(base);
    });
    const { length } = plans[0].targets;
    this.trouble = [noTrouble(length), noTrouble(length), noTrouble(length)];
    const nicsOf = (router: AnyRouter): readonly Nic[] =>
      [0, 1].map((index) => ({ router, index, id: `eni-${router}${index}` }));
    this.nics = [nicsOf(0), nicsOf(1), nicsOf(STRANGER)];
    const { initialOwner } = settings;
    const holders = plans[0].targets.map((_, number) => {
      if (initialOwner === 'nobody') return null;
      const router = initialOwner === 'mixed' ? (placeOf(number, settings) % 2 === 0 ? 0 : 1) : initialOwner;
      return this.#place(groupOf(number, settings) === 0 ? router : otherOf(router), number);
    });
    this.#push({ holders });
  }

  get holders(): readonly (Nic | null)[] {
    return this.#latest().holders;
  }

  holdersOf(group: Group): readonly (Nic | null)[] {
    const { holders } = this.#latest();
    if (this.#settings.groups === 1) return holders;
    return holders.filter((_, number) => groupOf(number, this.#settings) === group);
  }

  /** The router that holds every target of the group; null where no one does. */
  owner(group: Group): AnyRouter | null {
    const holders = this.holdersOf(group);
    const first = holders[0]?.router ?? null;
    return first !== null && holders.every((holder) => holder?.router === first) ? first : null;
  }

  /** Somebody else moves targets: an operator, by the console. */
  moveByHand(to: RouterIndex | 'foreign' | 'nobody', target: number | 'all'): void {
    const { holders } = this.#latest();
    const place = (number: number): Nic | null => {
      if (to === 'nobody') return null;
      return to === 'foreign' ? FOREIGN : this.#place(to, number);
    };
    const moved = holders.map((holder, number) =>
      target === 'all' || target === number ? place(number) : holder,
    );
    this.#follow(moved);
    this.#push({ holders: moved });
  }

  setAttached(router: RouterIndex, index: number, attached: boolean): void {
    const id = this.nics[router][index]?.id ?? '';
    if (this.#latest().detached.includes(id) !== attached) return;
    const others = this.#latest().detached.filter((each) => each !== id);
    if (attached) this.#shownAt[router] = this.#timeline.now;
    this.#push({ detached: attached ? others : [...others, id] });
  }

  setInstance(router: AnyRouter, state: InstanceState): void {
    const instances: Trio<InstanceState> = [...this.#latest().instances];
    instances[router] = state;
    if (state === 'running') this.#shownAt[router] = this.#timeline.now;
    this.#conditions[router] = state;
    let { holders } = this.#latest();
    if (state === 'terminated' && this.#areDeleted(router))
      // A route stays and leads nowhere; everything else goes with the interface.
      holders = holders.map((holder, number) =>
        holder?.router === router && this.#kindOf(number) !== 'route' ? null : holder,
      );
    this.#push({ instances, holders });
  }

  heldSince(target: number): number {
    return this.#heldSince[target] ?? 0;
  }

  /** Whether EC2 knows no instance of this router any more. */
  isForgotten(router: RouterIndex): boolean {
    return this.#latest().instances[router] === 'terminated';
  }

  /** Whether an interface of this router is attached to nothing. */
  hasDetached(router: AnyRouter): boolean {
    const { detached } = this.#latest();
    return this.nics[router].some(({ id }) => detached.includes(id));
  }

  /** When EC2 last showed that this router, or its interface there, has failed; -Infinity if never. */
  lastShownAt(router: AnyRouter, index: number): number {
    return this.shows(router, index, true) ? this.#timeline.now : this.#shownAt[router];
  }

  /** Status checks, which change nothing else. */
  setHung(router: AnyRouter): void {
    if (this.#latest().instances[router] === 'running') this.#conditions[router] = this.#settings.hungIs;
  }

  /** Something is wrong with EC2 for this router. */
  isTroubled(router: RouterIndex, now: number): boolean {
    const trouble = this.trouble[router];
    return (
      now < trouble.cutUntil ||
      now < trouble.blackholeUntil ||
      now < trouble.slowUntil ||
      now < trouble.lossyUntil ||
      now < trouble.halfSilentUntil ||
      now < trouble.throttledUntil ||
      now < trouble.contendedUntil ||
      now < trouble.staleUntil ||
      trouble.refusedUntil.some((until) => now < until)
    );
  }

  /** Whether EC2 says that this router, or its interface there, has failed. */
  shows(router: AnyRouter, index: number, mayAskStatus: boolean): boolean {
    const { instances, detached } = this.#latest();
    if (instances[router] === 'terminated' || detached.includes(this.nics[router][index]?.id ?? ''))
      return true;
    return mayAskStatus && this.#conditions[router] !== 'running';
  }

  // ---- What a daemon may ask ----

  observe(router: AnyRouter, timeoutMs: number, answered: Answered<Observation | Failure>): void {
    const there = this.#travel(router);
    if (this.#isGone(router, there, timeoutMs, answered)) return;
    const back = this.#halfLatency(router);
    if (there + back > timeoutMs || this.#isLost(router))
      return void this.#timeline.after(timeoutMs, () => answered(timedOut));
    this.#timeline.after(there, () => {
      const observation = this.#read(router);
      this.#timeline.after(back, () => answered(observation));
    });
  }

  askHolders(
    router: AnyRouter,
    ids: readonly string[],
    timeoutMs: number,
    answered: Answered<{ [id: string]: InstanceCondition } | Failure>,
  ): void {
    const there = this.#travel(router);
    if (this.#isGone(router, there, timeoutMs, answered)) return;
    const back = this.#halfLatency(router);
    if (there + back > timeoutMs || this.#isLost(router))
      return void this.#timeline.after(timeoutMs, () => answered(timedOut));
    this.#timeline.after(there, () => {
      const result = this.#settings.mayAskStatus
        ? Object.fromEntries(ids.map((id) => [id, this.#conditionOf(id)]))
        : notAllowed;
      this.#timeline.after(back, () => answered(result));
    });
  }

  assign(router: AnyRouter, request: Send, answered: Answered<Failure | null>): void {
    const { timeoutMs } = request;
    const there = this.#travel(router);
    if (this.#isGone(router, there, timeoutMs, answered)) return;
    const back = this.#halfLatency(router);
    const lostBefore = this.#isLost(router) && this.#random.chance(0.5);
    const lostAfter = this.#isLost(router);
    const inTime = there + back <= timeoutMs && !lostBefore && !lostAfter;
    const act = (): void => {
      const failure = this.#apply(router, request);
      if (inTime) this.#timeline.after(back, () => answered(failure));
    };
    this.#timeline.after(there, () => {
      if (lostBefore) return;
      if (request.releases === undefined) return act();
      // Two calls, and anything may happen between them.
      this.#release(router, request);
      this.#timeline.after(this.#halfLatency(router), act);
    });
    if (inTime) return;
    // A connection that breaks is noticed at once, a silent one at the deadline.
    const after = this.#random.chance(0.5) ? timeoutMs : Math.min(timeoutMs, there + back);
    this.#timeline.after(after, () => answered(timedOut));
  }

  // ---- Inside ----

  #apply(router: AnyRouter, send: Send): Failure | null {
    const { networkInterfaceId, targets: ids, allowReassignment } = send;
    const { targets } = this.#plans[0];
    if (!this.#takeToken(router)) return throttled;
    const nic = this.nics.flat().find(({ id }) => id === networkInterfaceId);
    if (nic === undefined || this.#isDeleted(nic)) return refused('InvalidNetworkInterfaceID.NotFound');
    const holders = [...this.#latest().holders];
    for (const target of ids) {
      const number = targets.findIndex(({ id }) => id === target);
      if (this.#timeline.now < (this.trouble[router].refusedUntil[number] ?? 0))
        return refused('UnauthorizedOperation');
      const holder = holders[number] ?? null;
      const base = this.#bases[number] ?? null;
      if (base !== null && holders[base] !== nic) return refused('InvalidParameterValue');
      const mayTake = allowReassignment && this.#kindOf(number) !== 'ipv6Address';
      if (holder !== null && holder !== nic && !mayTake) return refused('Resource.AlreadyAssigned');
      holders[number] = nic;
    }
    this.#follow(holders);
    for (const [number, holder] of holders.entries()) {
      const from = this.holders[number] ?? null;
      if (holder !== from) this.moving(router, send, number, from);
    }
    this.#push({ holders }, router);
    return null;
  }

  /** IPv6 addresses are taken off the interface that holds them before they are assigned to another one. */
  #release(router: AnyRouter, send: Send): void {
    const holders = [...this.#latest().holders];
    for (const { networkInterfaceId, targets: ids } of send.releases ?? []) {
      for (const [number, { id }] of this.#plans[0].targets.entries()) {
        const holder = holders[number] ?? null;
        if (!ids.includes(id) || holder?.id !== networkInterfaceId) continue;
        this.moving(router, send, number, holder);
        holders[number] = null;
      }
    }
    this.#push({ holders }, router);
  }

  /** An Elastic IP goes with the private address that it is on, wherever that goes. */
  #follow(holders: (Nic | null)[]): void {
    const before = this.holders;
    for (const [number, holder] of before.entries()) {
      const base = this.#bases[number] ?? null;
      if (base === null || before[base] !== holder || holders[base] === holder) continue;
      if (holders[number] === holder) holders[number] = holders[base] ?? null;
    }
  }

  #kindOf(number: number): Target['kind'] | undefined {
    return this.#plans[0].targets[number]?.kind;
  }

  #takeToken(router: AnyRouter): boolean {
    const { now } = this.#timeline;
    if (now < this.trouble[router].throttledUntil && this.#random.chance(0.8)) return false;
    const contendedUntil = Math.max(...this.trouble.map((trouble) => trouble.contendedUntil));
    for (; this.#consumerAt <= Math.min(now, contendedUntil); this.#consumerAt += this.#consumerWaitMs())
      this.#takeTokenAt(this.#consumerAt);
    return this.#takeTokenAt(now);
  }

  #takeTokenAt(at: number): boolean {
    this.#tokens = Math.min(BUCKET, this.#tokens + (at - this.#tokensAt) * REFILL_PER_MS);
    this.#tokensAt = at;
    const isThere = this.#tokens >= 1;
    if (isThere) this.#tokens -= 1;
    // Whether a refused request costs what there is of a token is not documented.
    else if (this.#settings.refusedTakes) this.#tokens = 0;
    return isThere;
  }

  #consumerWaitMs(): number {
    return -Math.log(1 - this.#random.next()) * CONSUMER_MS;
  }

  /** The bucket of the account is empty, and somebody else takes most of what comes into it. */
  contend(router: RouterIndex, until: number): void {
    const { now } = this.#timeline;
    this.trouble[router].contendedUntil = until;
    this.#tokens = 0;
    this.#tokensAt = now;
    this.#consumerAt = Math.max(this.#consumerAt, now) + this.#consumerWaitMs();
  }

  #read(router: AnyRouter): Observation {
    const { stalenessMs } = this.#settings;
    const { now } = this.#timeline;
    const bound = now < this.trouble[router].staleUntil ? STALE_FAULT_MS : stalenessMs;
    const lag = bound > 0 && this.#random.chance(0.4) ? this.#random.next() * bound : 0;
    let place = this.#versions.length - 1;
    while (place > 0 && (this.#versions[place]?.at ?? 0) > now - lag) place -= 1;
    const version = this.#versions[place] ?? this.#latest();
    version.observations[router] ??= this.#describe(version, router);
    return version.observations[router];
  }

  #describe({ holders, instances, detached }: Version, router: AnyRouter): Observation {
    const plan = this.#plans[router];
    const isThere = (nic: Nic): boolean =>
      nic.router !== null && (instances[nic.router] !== 'terminated' || !this.#areDeleted(nic.router));
    const instanceOf = ({ router: of, id }: Nic): string | null => {
      if (of === null) return 'i-foreign';
      return instances[of] === 'terminated' || detached.includes(id) ? null : `i-${of}`;
    };
    const attachmentOf = (nic: Nic): Attachment => {
      const instanceId = instanceOf(nic);
      return instanceId === null ? { to: 'nothing' } : { to: 'instance', instanceId };
    };
    const leadsNowhere = ({ router: of, id }: Nic): boolean =>
      of !== null && (instances[of] !== 'running' || detached.includes(id));
    const shown = plan.targets.map(({ id, kind }, number): [string, Holder | null] => {
      const nic = holders[number] ?? null;
      if (nic === null) return [id, null];
      const base = this.#bases[number] ?? null;
      // On its floating address where that one is on the same interface; on the primary one otherwise.
      const isOnAddress = base === null || holders[base] === nic;
      const mine = nic === this.#place(router, number) && isOnAddress && !detached.includes(nic.id);
      const holder: Holder = {
        kind: 'interface',
        networkInterfaceId: nic.id,
        attachment: attachmentOf(nic),
        mine,
      };
      if (kind === 'elasticIp') {
        const address = base === null || !isOnAddress ? addressOf(nic) : (plan.targets[base]?.id ?? '');
        return [id, { ...holder, privateAddress: address }];
      }
      if (kind !== 'route') return [id, holder];
      if (nic === FOREIGN) return [id, { kind: 'gateway', gatewayId: GATEWAY_ID, mine: false }];
      return [id, leadsNowhere(nic) ? { ...holder, blackhole: true } : holder];
    });
    return {
      instanceId: `i-${router}`,
      interfaces: this.nics[router]
        .filter(({ id }) => !detached.includes(id))
        .map(({ id, index }) => ({
          networkInterfaceId: id,
          deviceIndex: index + 1,
          networkCardIndex: 0,
          subnetId: `subnet-${index}`,
          privateIpAddresses: [],
        })),
      holders: Object.fromEntries(shown),
      peers: Object.fromEntries(
        plan.peerAddresses.flatMap((peerAddress) => {
          const nic = this.nics.flat().find((each) => addressOf(each) === peerAddress);
          if (nic === undefined || !isThere(nic)) return [];
          const subnetId = `subnet-${nic.index}`;
          const slot = { deviceIndex: nic.index + 1, networkCardIndex: 0 };
          return [[peerAddress, { networkInterfaceId: nic.id, instanceId: instanceOf(nic), subnetId, slot }]];
        }),
      ),
    };
  }

  #place(router: AnyRouter, number: number): Nic | null {
    return this.nics[router][(this.#plans[0].targets[number]?.deviceIndex ?? 1) - 1] ?? null;
  }

  #isDeleted({ router }: Nic): boolean {
    if (router === null) return false;
    return this.#latest().instances[router] === 'terminated' && this.#areDeleted(router);
  }

  /** Whether its interfaces go with the instance. Who takes the third router away leaves nothing behind. */
  #areDeleted(router: AnyRouter): boolean {
    return router === STRANGER || this.#settings.interfacesDeleted;
  }

  #conditionOf(id: string): InstanceCondition {
    if (id === 'i-foreign') return 'running';
    return this.#conditions[id === 'i-0' ? 0 : id === 'i-1' ? 1 : STRANGER];
  }

  #latest(): Version {
    const latest = this.#versions.at(-1);
    if (latest === undefined) throw new Error('EC2 knows nothing yet');
    return latest;
  }

  #push(
    change: Partial<Pick<Version, 'holders' | 'instances' | 'detached'>>,
    writer: AnyRouter | null = null,
  ): void {
    const before = this.#versions.at(-1) ?? NOTHING;
    const { holders, instances, detached } = { ...before, ...change };
    for (const [number, holder] of holders.entries())
      if (holder !== before.holders[number]) this.#heldSince[number] = this.#timeline.now;
    this.#versions.push({
      at: this.#timeline.now,
      holders,
      instances,
      detached,
      observations: [null, null, null],
    });
    this.told(() => {
      const held = groupsOf(this.#settings).map((group) => {
        const ids = this.holdersOf(group).map((holder) => holder?.id ?? 'nobody');
        return `${groupWords(group, this.#settings)}${ids.join(' ')}`;
      });
      return `EC2: ${held.join(', ')}, ${instances.join(' ')}`;
    });
    this.changed(writer);
  }

  // ---- The way there and back ----

  /** Ends a request that cannot reach EC2; returns whether it did. */
  #isGone(router: AnyRouter, there: number, timeoutMs: number, answered: Answered<Failure>): boolean {
    const { cutUntil, blackholeUntil, halfSilentUntil } = this.trouble[router];
    const { now } = this.#timeline;
    if (now < cutUntil) {
      this.#timeline.after(Math.min(there, timeoutMs), () => answered(noConnection));
      return true;
    }
    if (now < blackholeUntil || (now < halfSilentUntil && this.#random.chance(0.5))) {
      this.#timeline.after(timeoutMs, () => answered(timedOut));
      return true;
    }
    return false;
  }

  #isLost(router: AnyRouter): boolean {
    return this.#timeline.now < this.trouble[router].lossyUntil && this.#random.chance(0.6);
  }

  #travel(router: AnyRouter): number {
    return this.#halfLatency(router);
  }

  #halfLatency(router: AnyRouter): number {
    const [from, to] = this.#settings.ec2LatencyMs;
    const slow = this.#timeline.now < this.trouble[router].slowUntil ? this.#random.spread(100, 5_000) : 0;
    const tail = this.#settings.heavyTail ? Math.exp(TAIL_SIGMA * this.#random.normal()) : 1;
    return Math.round((this.#random.int(from, to) * tail) / 2 + slow);
  }
}

const NOTHING: Version = {
  at: 0,
  holders: [],
  instances: ['running', 'running', 'running'],
  detached: [],
  observations: [null, null, null],
};

/** The primary address of an interface. */
export function addressOf({ router, index }: Pick<Nic, 'router' | 'index'>): string {
  return `10.0.${index}.${10 + (router ?? 99)}`;
}

const timedOut: Failure = { kind: 'uncertain', code: 'Timeout', message: 'no answer in time' };
const noConnection: Failure = { kind: 'unsent', code: 'ECONNREFUSED', message: 'no connection' };
const throttled: Failure = { kind: 'throttled', code: 'RequestLimitExceeded', message: 'too many' };
const notAllowed: Failure = refused('UnauthorizedOperation');

function refused(code: string): Failure {
  return { kind: 'refused', code, message: 'no' };
}

export function isFailure(result: object): result is Failure {
  return 'kind' in result;
}

function noTrouble(targets: number): Trouble {
  return {
    cutUntil: 0,
    blackholeUntil: 0,
    slowUntil: 0,
    lossyUntil: 0,
    halfSilentUntil: 0,
    throttledUntil: 0,
    contendedUntil: 0,
    staleUntil: 0,
    refusedUntil: Array<number>(targets).fill(0),
  };
}
