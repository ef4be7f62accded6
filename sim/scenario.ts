/**
 * What one run is made of, drawn from its seed: how this pair of routers and this EC2 are, and which faults
 * happen when. Plain data, so that a failing run can be tried again with fewer faults.
 */
import type { InterfaceGeneration } from '../src/core/state/model';
import { Random } from './random';

/** The routers of the pair. */
export type RouterIndex = 0 | 1;
/** The third one, where there is one: misconfigured, so that it thinks to be of the pair. */
export const STRANGER = 2;
export type AnyRouter = RouterIndex | typeof STRANGER;
export type Both<Item> = [Item, Item];
/** The same for data that does not change. */
export type Pair<Item> = readonly [Item, Item];
export const ROUTERS: readonly [0, 1] = [0, 1];
export const otherOf = (router: RouterIndex): RouterIndex => (router === 0 ? 1 : 0);

/** Targets that move together, decided about by a core of their own. */
export type Group = 0 | 1;

/**
 * What is wrong with the third router. `twinOf0`, `twinOf1`: it runs the configuration file of that router.
 * `strangePeer`: the same targets, and a peer that EC2 does not know, so that it knows no instance of the pair.
 */
export type Stranger = 'twinOf0' | 'twinOf1' | 'strangePeer';

export type Settings = {
  readonly keepaliveMs: number;
  readonly stranger: Stranger | null;
  /** Two of them are an active-active pair: what is drawn of the routers for the first is the other's for the second. */
  readonly groups: 1 | 2;
  /** Of each group. */
  readonly targets: number;
  /** What floats: secondary addresses, routes, or one of each kind in turn. */
  readonly kinds: 'addresses' | 'routes' | 'mixed';
  /** Where all kinds float, the Elastic IP is on a floating address, and not on the primary one. */
  readonly elasticIpFloats: boolean;
  /** Requests are spared: two at once and one a second, so that an attempt waits for tokens. */
  readonly paced: boolean;
  /** What EC2 turns down for want of tokens costs what there is of one. */
  readonly refusedTakes: boolean;
  readonly sessions: number;
  readonly generation: InterfaceGeneration;
  readonly trigger: 'any' | 'all';
  readonly preferred: Pair<boolean>;
  readonly detectMs: Pair<number>;
  /** How long BFD needs to come UP when both sides hear each other. */
  readonly establishMs: Pair<number>;
  readonly bfdLagMs: number;
  readonly interfaceLagMs: number;
  /** New generation: XR says nothing of an interface until it changes. */
  readonly silentInterfaces: boolean;
  readonly ec2LatencyMs: Pair<number>;
  /** One answer in a hundred takes more than ten times as long as half of them. */
  readonly heavyTail: boolean;
  /** Reads show EC2 as it was up to this long ago. */
  readonly stalenessMs: number;
  /** What XR says of a session that was programmed anew. */
  readonly freshLevel: 'Unknown' | 'Down';
  /** The router drops the sessions of a client that has gone. */
  readonly sessionsVanish: boolean;
  /** What the peer of a removed session sees. */
  readonly removedAs: 'Unconfigured' | 'Down';
  /** The daemon may ask for instance status. */
  readonly mayAskStatus: boolean;
  /** From a hung instance to its failed status checks. */
  readonly impairedAfterMs: number;
  /** Which: EC2's own, or the one that asks the daemon. */
  readonly hungIs: 'impaired' | 'unresponsive';
  /** Terminating an instance deletes its interfaces; they stay, attached to nothing, otherwise. */
  readonly interfacesDeleted: boolean;
  /** The events of XR come twice now and then. */
  readonly repeats: boolean;
  readonly takeFromRunningAfterMs: number | null;
  readonly foreignHolder: 'refuse' | 'take';
  readonly onPeerWithdrawn: 'stay' | 'take';
  readonly beforeMaintenanceMs: number | null;
  readonly atShutdown: boolean;
  readonly initialOwner: RouterIndex | 'nobody' | 'mixed';
};

type Timed = {
  readonly at: number;
  readonly forMs: number;
  /** It waits for the next request that this router sends to move something, and comes `lateMs` after it. */
  readonly uponMoveOf: RouterIndex | null;
  readonly lateMs: number;
};
export type Fault = Timed &
  (
    | {
        readonly kind: 'path';
        readonly session: number | 'all';
        readonly deafSide: RouterIndex | 'both';
        /** It comes again so often, with as much time between. */
        readonly times: number;
        readonly gapMs: number;
      }
    | { readonly kind: 'interface'; readonly router: RouterIndex; readonly index: number }
    | { readonly kind: 'detach'; readonly router: RouterIndex; readonly index: number }
    | {
        readonly kind: 'machine';
        readonly router: RouterIndex;
        readonly how: 'reboot' | 'stop' | 'hang' | 'pause';
      }
    | {
        readonly kind: 'process';
        readonly router: RouterIndex;
        readonly how: 'crash' | 'pause' | 'shutdown';
        readonly memory: 'kept' | 'lost' | 'stale';
      }
    | {
        readonly kind: 'slapi';
        readonly router: RouterIndex;
        readonly how: 'restart' | 'stream' | 'taken';
        readonly keepsSessions: boolean;
      }
    | {
        readonly kind: 'ec2';
        readonly router: RouterIndex | 'both';
        readonly how:
          | 'cut'
          | 'blackhole'
          | 'slow'
          | 'halfSilent'
          | 'lossy'
          | 'throttled'
          | 'contended'
          | 'refusing'
          | 'stale';
        /** For `refusing`: which target, or all of them. */
        readonly target: number | 'all';
      }
    | {
        readonly kind: 'operator';
        readonly router: RouterIndex;
        readonly how:
          'inhibit' | 'release' | 'switchover' | 'schedule' | 'drill' | 'move' | 'foreign' | 'nobody';
        readonly target: number | 'all';
      }
    /** The cloud announces that it reboots the machine when the time of the fault is over. */
    | { readonly kind: 'maintenance'; readonly router: RouterIndex }
    /** The wall clock of a router is stepped, forwards or backwards. */
    | { readonly kind: 'clock'; readonly router: RouterIndex; readonly byMs: number }
  );
export type FaultKind = Fault['kind'];

export type Death = {
  readonly router: RouterIndex;
  readonly at: number;
  readonly how: 'stop' | 'terminate' | 'hang';
  /** So long after the next move that it begins, rather than at once; null: at once. */
  readonly uponMoveLateMs: number | null;
};

export type Scenario = {
  readonly seed: number;
  readonly settings: Settings;
  readonly faults: readonly Fault[];
  /** A router that is lost for good. */
  readonly death: Death | null;
};

/** Nothing is wrong any more from then on: the end of the safety phase. */
export const HEAL_MS = 520_000;
/** No run is shorter. */
export const SHORTEST_RUN_MS = 600_000;
const FIRST_FAULT_MS = 5_000;
const LAST_FAULT_MS = HEAL_MS - 20_000;

/** Three packets may be lost before BFD sees a failure. */
export function txIntervalMs(detectMs: number): number {
  return Math.floor(detectMs / 3);
}

export function scenarioOf(seed: number): Scenario {
  const random = new Random(seed, 0);
  const settings = settingsOf(random, seed);
  const pickKind = weightsOf(random);
  // Far apart each fault is judged by itself; close together they are what single-fault thinking forgets.
  const nearness = random.pick([0, 0.3, 0.6, 0.9]);
  const faults: Fault[] = [];
  const orders = new Random(seed, 6);
  const count = random.pick([3, 3, 3, 4, 4, 5, 6, 8]);
  let last = FIRST_FAULT_MS;
  for (let number = 0; number < count; number += 1) {
    const near = number > 0 && random.chance(nearness);
    const at = near ? last + random.spread(1, 30_000) : random.int(FIRST_FAULT_MS, LAST_FAULT_MS);
    last = Math.min(at, HEAL_MS - 1_000);
    const fault = faultOf(random, settings, pickKind(), last);
    faults.push(ordered(orders, fault));
    // Or just when the last one is over.
    if (random.chance(0.1)) last = Math.min(last + fault.forMs, HEAL_MS - 1_000);
  }
  const maintenance = announced(new Random(seed, 9));
  if (maintenance !== null) faults.push(maintenance);
  const unseen = new Random(seed, 3);
  if (unseen.chance(1 / 32)) return repairedUnseen(unseen, seed, settings);
  const death = random.chance(0.35) ? deathOf(random, faults) : null;
  return { seed, settings, faults: faults.sort((one, other) => one.at - other.at), death };
}

/** Some of the switchovers are ordered for when the fault would be over. */
function ordered(random: Random, fault: Fault): Fault {
  if (fault.kind !== 'operator' || fault.how !== 'switchover') return fault;
  return { ...fault, how: random.pick(['switchover', 'switchover', 'schedule', 'drill', 'drill']) };
}

/** In one run of six a router has maintenance; the other faults are drawn as ever. */
function announced(random: Random): Fault | null {
  if (!random.chance(1 / 6)) return null;
  const forMs = random.int(20_000, 200_000);
  const at = random.int(60_000, HEAL_MS - 60_000 - forMs);
  return { kind: 'maintenance', router: random.pick([0, 1]), at, forMs, uponMoveOf: null, lateMs: 0 };
}

/** How often each kind of fault happens where all are as likely as they are interesting. */
const SHARES: { readonly [kind in FaultKind]: number } = {
  path: 3,
  interface: 2,
  machine: 2,
  process: 2,
  slapi: 2,
  ec2: 3,
  operator: 2,
  detach: 1,
  clock: 0.5,
  // Drawn apart: see announced.
  maintenance: 0,
};

/**
 * The double fault that rule 3 asks for everything for: somebody moves one target by hand, the router with the lowest
 * one repairs that, and hangs before the other has seen it. EC2 says `running` all the time, so BFD alone shows it.
 */
function repairedUnseen(random: Random, seed: number, drawn: Settings): Scenario {
  const owner = random.pick([0, 1]);
  const targets = Math.max(2, drawn.targets);
  const settings: Settings = {
    ...drawn,
    targets,
    groups: 1,
    stranger: null,
    preferred: [false, false],
    takeFromRunningAfterMs: null,
    initialOwner: owner,
  };
  const target = random.int(0, targets - 1);
  const at = random.int(150_000, 250_000);
  const byHand = { at, forMs: 1, uponMoveOf: null, lateMs: 0, kind: 'operator', how: 'move' } as const;
  const death: Death = {
    router: target === 0 ? otherOf(owner) : owner,
    at,
    how: 'hang',
    // What it has sent is done by then: a write after the takeover's looks like that of a peer that lives.
    uponMoveLateMs: random.spread(settings.ec2LatencyMs[1], settings.keepaliveMs),
  };
  return { seed, settings, faults: [{ ...byHand, router: otherOf(owner), target }], death };
}

/** The rates of this run: some kinds never happen in it, and others are all that does (swarm testing). */
function weightsOf(random: Random): () => FaultKind {
  const kinds = Object.entries(SHARES) as [FaultKind, number][];
  const weighted = kinds.map(([kind, share]) => ({ kind, weight: share * random.pick([0, 0.3, 1, 1, 4]) }));
  const sum = weighted.reduce((total, { weight }) => total + weight, 0);
  return () => {
    let left = random.next() * sum;
    for (const { kind, weight } of weighted) {
      left -= weight;
      if (left < 0) return kind;
    }
    return 'path';
  };
}

function settingsOf(random: Random, seed: number): Settings {
  const detect = random.pick([150, 150, 300, 900]);
  const preferred = random.pick([
    [false, false],
    [false, false],
    [false, false],
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ]);
  const generation = random.pick(['gen1', 'gen2']);
  return {
    keepaliveMs: random.pick([10_000, 25_000, 60_000, 60_000]),
    stranger: random.chance(0.15) ? random.pick(['twinOf0', 'twinOf1', 'strangePeer']) : null,
    targets: random.int(1, 4),
    kinds: random.pick(['addresses', 'addresses', 'addresses', 'routes', 'mixed']),
    paced: random.chance(0.15),
    sessions: random.int(1, 2),
    generation,
    silentInterfaces: generation === 'gen2' && random.chance(0.5),
    trigger: random.pick(['any', 'any', 'any', 'all']),
    preferred,
    detectMs: [detect, random.chance(0.7) ? detect : random.pick([150, 600, 2_000])],
    establishMs: random.pick([
      [300, 1_500],
      [1_000, 3_000],
      [1_000, 3_000],
      [2_000, 9_000],
    ]),
    bfdLagMs: random.pick([2, 5, 50]),
    interfaceLagMs: random.pick([2, 20, 400, 1_500]),
    ec2LatencyMs: random.pick([
      [20, 60],
      [50, 300],
      [200, 900],
    ]),
    stalenessMs: random.pick([0, 0, 1_000, 4_000, 9_000]),
    freshLevel: random.pick(['Unknown', 'Down']),
    sessionsVanish: random.chance(0.3),
    removedAs: random.pick(['Unconfigured', 'Down']),
    mayAskStatus: random.chance(0.85),
    impairedAfterMs: random.int(60_000, 180_000),
    interfacesDeleted: random.chance(0.5),
    repeats: random.chance(0.2),
    takeFromRunningAfterMs: random.chance(0.2) ? random.int(30_000, 90_000) : null,
    foreignHolder: random.pick(['refuse', 'refuse', 'take']),
    initialOwner: random.pick([0, 0, 0, 1, 1, 'nobody', 'mixed']),
    // From numbers of their own: what else is drawn does not depend on them.
    heavyTail: new Random(seed, 5).chance(0.4),
    refusedTakes: new Random(seed, 4).chance(0.5),
    groups: new Random(seed, 2).chance(1 / 8) ? 2 : 1,
    elasticIpFloats: new Random(seed, 4).chance(1 / 2),
    onPeerWithdrawn: new Random(seed, 5).pick(['stay', 'stay', 'take']),
    hungIs: new Random(seed, 10).pick(['impaired', 'unresponsive']),
    beforeMaintenanceMs: new Random(seed, 7).pick([null, 60_000, 120_000]),
    atShutdown: new Random(seed, 8).chance(0.4),
  };
}

export function groupsOf({ groups }: Settings): readonly Group[] {
  return groups === 1 ? [0] : [0, 1];
}

/** The targets of both groups in turn have one number after the other. */
export function groupOf(target: number, { groups }: Settings): Group {
  return groups === 1 || target % 2 === 0 ? 0 : 1;
}

export function targetOf(group: Group, place: number, { groups }: Settings): number {
  return place * groups + group;
}

/** The place of a target in its group. */
export function placeOf(target: number, { groups }: Settings): number {
  return Math.floor(target / groups);
}

/** Which groups a person means who names this target. */
export function groupsMeant(target: number | 'all', settings: Settings): readonly Group[] {
  return target === 'all' ? groupsOf(settings) : [groupOf(target, settings)];
}

/** Before what a story tells of one group; with a single group the word does not occur. */
export function groupWords(group: Group, { groups }: Settings): string {
  return groups === 1 ? '' : `group ${group}: `;
}

function faultOf(random: Random, settings: Settings, kind: FaultKind, at: number): Fault {
  const router = random.pick([0, 1]);
  const forMs = Math.min(random.spread(20, 150_000), HEAL_MS - at);
  const reacts = random.chance(0.3);
  const uponMoveOf = reacts ? random.pick([0, 1]) : null;
  const timed = { at, forMs, uponMoveOf, lateMs: reacts ? random.spread(1, 3_000) : 0 };
  const session =
    settings.sessions === 1 || random.chance(0.5) ? 'all' : random.int(0, settings.sessions - 1);
  const target = random.chance(0.5) ? 'all' : random.int(0, settings.targets - 1);
  switch (kind) {
    case 'path': {
      const flaps = random.chance(0.15);
      return {
        ...timed,
        forMs: flaps ? random.spread(100, 5_000) : forMs,
        kind: 'path',
        session,
        deafSide: random.pick(['both', 'both', 0, 1]),
        times: flaps ? random.int(2, 14) : 1,
        gapMs: random.int(2_000, 12_000),
      };
    }
    case 'interface':
      return { ...timed, kind: 'interface', router, index: random.int(0, settings.sessions - 1) };
    case 'detach':
      return { ...timed, kind: 'detach', router, index: random.int(0, settings.sessions - 1) };
    case 'machine': {
      const how = random.pick(['reboot', 'stop', 'hang', 'pause', 'pause']);
      const longer = how === 'pause' ? forMs : Math.min(Math.max(forMs, 20_000), HEAL_MS - at);
      return { ...timed, forMs: longer, kind: 'machine', router, how };
    }
    case 'process':
      return {
        ...timed,
        kind: 'process',
        router,
        how: random.pick(['crash', 'crash', 'pause', 'shutdown']),
        memory: random.pick(['kept', 'kept', 'lost', 'stale']),
      };
    case 'slapi':
      return {
        ...timed,
        kind: 'slapi',
        router,
        how: random.pick(['restart', 'stream', 'taken']),
        keepsSessions: random.chance(0.5),
      };
    case 'ec2':
      return {
        ...timed,
        kind: 'ec2',
        router: random.pick([0, 1, 'both']),
        how: random.pick([
          'cut',
          'blackhole',
          'slow',
          'halfSilent',
          'lossy',
          'lossy',
          'throttled',
          'contended',
          'refusing',
          'stale',
        ]),
        target,
      };
    case 'operator':
      return {
        ...timed,
        kind: 'operator',
        router,
        how: random.pick([
          'inhibit',
          'inhibit',
          'release',
          'switchover',
          'switchover',
          'move',
          'move',
          'foreign',
          'nobody',
        ]),
        target,
      };
    case 'maintenance':
      return { ...timed, kind, router };
    case 'clock':
      return { ...timed, kind: 'clock', router, byMs: random.spread(100, 10_000_000) * random.pick([-1, 1]) };
  }
}

/**
 * At any time, also before the survivor has ever seen its peer UP, but most often shortly after a fault has begun:
 * while the survivor is not at its best.
 */
function deathOf(random: Random, faults: readonly Fault[]): Death {
  const [first] = faults;
  const at =
    first !== undefined && random.chance(0.7)
      ? first.at + random.spread(10, 60_000)
      : random.spread(500, HEAL_MS + 30_000);
  return {
    router: random.pick([0, 1]),
    at,
    how: random.pick(['stop', 'terminate', 'hang']),
    uponMoveLateMs: null,
  };
}
