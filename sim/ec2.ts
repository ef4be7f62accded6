/**
 * EC2 as far as the daemons see it, in a model of its own: who holds which address (the last writer wins), what
 * the instances are doing, reads that lag behind, answers that get lost, requests that arrive late, tokens that
 * run out. It shares nothing with the lab's emulator.
 */
import type { EffectArgs, Failure, Holder, InstanceCondition, Observation } from '../src/core/model';
import type { Plan } from '../src/core/plan';
import type { Random } from './random';
import { otherOf, type Both, type RouterIndex, type Settings } from './scenario';
import type { Timeline } from './timeline';

/** An address that is one of the pair's interfaces; `index` is the device index minus one. */
export type Nic = { readonly router: RouterIndex | null; readonly index: number; readonly id: string };
/** One of an instance that is neither router. */
const FOREIGN: Nic = { router: null, index: 0, id: 'eni-foreign' };

type InstanceState = 'running' | 'stopped' | 'terminated';

/** What EC2 knew at some time; reads may show an old one. */
type Version = {
  readonly at: number;
  readonly holders: readonly (Nic | null)[];
  readonly instances: Both<InstanceState>;
  /** Interfaces that are attached to nothing. */
  readonly detached: readonly string[];
  readonly observations: [Observation | null, Observation | null];
};

/** What is wrong with EC2 for one router, each until a time. */
export type Trouble = {
  cutUntil: number;
  blackholeUntil: number;
  slowUntil: number;
  lossyUntil: number;
  throttledUntil: number;
  staleUntil: number;
  readonly refusedUntil: number[];
};

/** EC2's bucket for AssignPrivateIpAddresses is 100 and 5 a second, and the account shares it. */
const BUCKET = 40;
const REFILL_PER_MS = 5 / 1000;
/** What a `stale` fault may lag at most. */
const STALE_FAULT_MS = 9_000;

type Send = EffectArgs['sendTakeover'];
type Answered<Result> = (result: Result) => void;

export class Ec2 {
  readonly trouble: Both<Trouble>;
  readonly nics: Both<readonly Nic[]>;
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #settings: Settings;
  readonly #plans: Both<Plan>;
  readonly #versions: Version[] = [];
  readonly #conditions: Both<InstanceCondition> = ['running', 'running'];
  #tokens = BUCKET;
  #tokensAt = 0;
  /** Called after each change of who holds what, with the router that has written it. */
  changed: (writer: RouterIndex | null) => void = () => undefined;
  told: (what: () => string) => void = () => undefined;

  constructor(timeline: Timeline, random: Random, settings: Settings, plans: Both<Plan>) {
    this.#timeline = timeline;
    this.#random = random;
    this.#settings = settings;
    this.#plans = plans;
    this.trouble = [noTrouble(settings.targets), noTrouble(settings.targets)];
    const nicsOf = (router: RouterIndex): readonly Nic[] =>
      [0, 1].map((index) => ({ router, index, id: `eni-${router}${index}` }));
    this.nics = [nicsOf(0), nicsOf(1)];
    const { initialOwner } = settings;
    const holders = plans[0].targets.map(({ deviceIndex }, number) => {
      if (initialOwner === 'nobody') return null;
      const router = initialOwner === 'mixed' ? (number % 2 === 0 ? 0 : 1) : initialOwner;
      return this.nics[router][deviceIndex - 1] ?? null;
    });
    this.#push({ holders });
  }

  get holders(): readonly (Nic | null)[] {
    return this.#latest().holders;
  }

  /** The router that holds every target; null where no one does. */
  owner(): RouterIndex | null {
    const { holders } = this.#latest();
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
    this.#push({ holders: moved });
  }

  setAttached(router: RouterIndex, index: number, attached: boolean): void {
    const id = this.nics[router][index]?.id ?? '';
    const others = this.#latest().detached.filter((each) => each !== id);
    this.#push({ detached: attached ? others : [...others, id] });
  }

  setInstance(router: RouterIndex, state: InstanceState): void {
    const instances: Both<InstanceState> = [...this.#latest().instances];
    instances[router] = state;
    this.#conditions[router] = state;
    let { holders } = this.#latest();
    if (state === 'terminated' && this.#settings.interfacesDeleted)
      holders = holders.map((holder) => (holder?.router === router ? null : holder));
    this.#push({ instances, holders });
  }

  /** Status checks, which change nothing else. */
  setImpaired(router: RouterIndex): void {
    if (this.#latest().instances[router] === 'running') this.#conditions[router] = 'impaired';
  }

  /** Something is wrong with EC2 for this router. */
  isTroubled(router: RouterIndex, now: number): boolean {
    const trouble = this.trouble[router];
    return (
      now < trouble.cutUntil ||
      now < trouble.blackholeUntil ||
      now < trouble.slowUntil ||
      now < trouble.lossyUntil ||
      now < trouble.throttledUntil ||
      now < trouble.staleUntil ||
      trouble.refusedUntil.some((until) => now < until)
    );
  }

  /** Whether EC2 says that this router, or its interface there, has failed. */
  shows(router: RouterIndex, index: number, mayAskStatus: boolean): boolean {
    const { instances, detached } = this.#latest();
    if (instances[router] === 'terminated' || detached.includes(this.nics[router][index]?.id ?? ''))
      return true;
    return mayAskStatus && this.#conditions[router] !== 'running';
  }

  // ---- What a daemon may ask ----

  observe(router: RouterIndex, timeoutMs: number, answered: Answered<Observation | Failure>): void {
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
    router: RouterIndex,
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

  assign(router: RouterIndex, request: Send, answered: Answered<Failure | null>): void {
    const { timeoutMs } = request;
    const there = this.#travel(router);
    if (this.#isGone(router, there, timeoutMs, answered)) return;
    const back = this.#halfLatency(router);
    const lostBefore = this.#isLost(router) && this.#random.chance(0.5);
    const lostAfter = this.#isLost(router);
    const inTime = there + back <= timeoutMs && !lostBefore && !lostAfter;
    this.#timeline.after(there, () => {
      if (lostBefore) return;
      const failure = this.#apply(router, request);
      if (inTime) this.#timeline.after(back, () => answered(failure));
    });
    if (inTime) return;
    // A connection that breaks is noticed at once, a silent one at the deadline.
    const after = this.#random.chance(0.5) ? timeoutMs : Math.min(timeoutMs, there + back);
    this.#timeline.after(after, () => answered(timedOut));
  }

  // ---- Inside ----

  #apply(router: RouterIndex, { networkInterfaceId, addresses, allowReassignment }: Send): Failure | null {
    const { targets } = this.#plans[0];
    if (!this.#takeToken(router)) return throttled;
    const nic = [...this.nics[0], ...this.nics[1]].find(({ id }) => id === networkInterfaceId);
    if (nic === undefined || this.#isDeleted(nic)) return refused('InvalidNetworkInterfaceID.NotFound');
    const holders = [...this.#latest().holders];
    for (const address of addresses) {
      const number = targets.findIndex((target) => target.address === address);
      if (this.#timeline.now < (this.trouble[router].refusedUntil[number] ?? 0))
        return refused('UnauthorizedOperation');
      const holder = holders[number] ?? null;
      if (holder !== null && holder !== nic && !allowReassignment) return refused('Resource.AlreadyAssigned');
      holders[number] = nic;
    }
    this.#push({ holders }, router);
    return null;
  }

  #takeToken(router: RouterIndex): boolean {
    const { now } = this.#timeline;
    if (now < this.trouble[router].throttledUntil && this.#random.chance(0.8)) return false;
    this.#tokens = Math.min(BUCKET, this.#tokens + (now - this.#tokensAt) * REFILL_PER_MS);
    this.#tokensAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #read(router: RouterIndex): Observation {
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

  #describe({ holders, instances, detached }: Version, router: RouterIndex): Observation {
    const peer = otherOf(router);
    const plan = this.#plans[router];
    const peerIsThere = instances[peer] !== 'terminated' || !this.#settings.interfacesDeleted;
    const instanceOf = ({ router: of, id }: Nic): string | null => {
      if (of === null) return 'i-foreign';
      return instances[of] === 'terminated' || detached.includes(id) ? null : `i-${of}`;
    };
    const shown = plan.targets.map(({ address }, number): [string, Holder | null] => {
      const holder = holders[number] ?? null;
      if (holder === null) return [address, null];
      const mine = holder === this.#place(router, number) && !detached.includes(holder.id);
      return [address, { networkInterfaceId: holder.id, instanceId: instanceOf(holder), mine }];
    });
    return {
      interfaces: this.nics[router]
        .filter(({ id }) => !detached.includes(id))
        .map(({ id, index }) => ({
          networkInterfaceId: id,
          deviceIndex: index + 1,
          subnetId: `subnet-${index}`,
          privateIpAddresses: [],
        })),
      holders: Object.fromEntries(shown),
      peers: Object.fromEntries(
        peerIsThere
          ? this.nics[peer]
              .slice(0, plan.sessions.length)
              .map((nic) => [
                plan.sessions[nic.index]?.peerAddress ?? '',
                { networkInterfaceId: nic.id, instanceId: instanceOf(nic), subnetId: `subnet-${nic.index}` },
              ])
          : [],
      ),
    };
  }

  #place(router: RouterIndex, number: number): Nic | null {
    return this.nics[router][(this.#plans[0].targets[number]?.deviceIndex ?? 1) - 1] ?? null;
  }

  #isDeleted({ router }: Nic): boolean {
    if (router === null) return false;
    return this.#latest().instances[router] === 'terminated' && this.#settings.interfacesDeleted;
  }

  #conditionOf(id: string): InstanceCondition {
    if (id === 'i-foreign') return 'running';
    return this.#conditions[id === 'i-0' ? 0 : 1];
  }

  #latest(): Version {
    const latest = this.#versions.at(-1);
    if (latest === undefined) throw new Error('EC2 knows nothing yet');
    return latest;
  }

  #push(
    change: Partial<Pick<Version, 'holders' | 'instances' | 'detached'>>,
    writer: RouterIndex | null = null,
  ): void {
    const before = this.#versions.at(-1) ?? NOTHING;
    const { holders, instances, detached } = { ...before, ...change };
    this.#versions.push({ at: this.#timeline.now, holders, instances, detached, observations: [null, null] });
    this.told(
      () => `EC2: ${holders.map((holder) => holder?.id ?? 'nobody').join(' ')}, ${instances.join(' ')}`,
    );
    this.changed(writer);
  }

  // ---- The way there and back ----

  /** Ends a request that cannot reach EC2; returns whether it did. */
  #isGone(router: RouterIndex, there: number, timeoutMs: number, answered: Answered<Failure>): boolean {
    const { cutUntil, blackholeUntil } = this.trouble[router];
    const { now } = this.#timeline;
    if (now < cutUntil) {
      this.#timeline.after(Math.min(there, timeoutMs), () => answered(noConnection));
      return true;
    }
    if (now < blackholeUntil) {
      this.#timeline.after(timeoutMs, () => answered(timedOut));
      return true;
    }
    return false;
  }

  #isLost(router: RouterIndex): boolean {
    return this.#timeline.now < this.trouble[router].lossyUntil && this.#random.chance(0.6);
  }

  #travel(router: RouterIndex): number {
    return this.#halfLatency(router);
  }

  #halfLatency(router: RouterIndex): number {
    const [from, to] = this.#settings.ec2LatencyMs;
    const slow = this.#timeline.now < this.trouble[router].slowUntil ? this.#random.spread(100, 5_000) : 0;
    return Math.round(this.#random.int(from, to) / 2 + slow);
  }
}

const NOTHING: Version = {
  at: 0,
  holders: [],
  instances: ['running', 'running'],
  detached: [],
  observations: [null, null],
};

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
    throttledUntil: 0,
    staleUntil: 0,
    refusedUntil: Array<number>(targets).fill(0),
  };
}
