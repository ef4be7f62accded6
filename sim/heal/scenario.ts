/** What a run is made of, drawn from its seed: the identities, how AWS behaves, the healers and the faults. */
import type { Desired, Identity, Pair } from '../../src/heal/core/desired';
import { Random } from '../random';

export type HealScenario = {
  readonly seed: number;
  readonly desired: Desired;
  /** Milliseconds that EC2 takes for each kind of work: from, to. */
  readonly latency: {
    readonly call: Span;
    readonly attach: Span;
    readonly terminate: Span;
    readonly boot: Span;
  };
  /** Auto Scaling: how long it takes to notice and to launch; what its hooks wait. */
  readonly group: { readonly notice: Span; readonly launch: Span; readonly hookMs: number };
  readonly healers: readonly HealerPlan[];
  readonly faults: readonly Fault[];
};

export type Span = readonly [from: number, to: number];

/** `standing`: a Lambda function or `--watch`; otherwise one that is started now and then, as `--once`. */
export type HealerPlan = { readonly standing: boolean; readonly startsAt: number };

export type Fault = { readonly at: number; readonly forMs: number; readonly of: string } & (
  | { readonly kind: (typeof INSTANCE_FAULTS)[number] }
  | { readonly kind: (typeof THING_FAULTS)[number] }
  | { readonly kind: (typeof API_FAULTS)[number] }
  | { readonly kind: (typeof HEALER_FAULTS)[number]; readonly healer: number }
);

export const INSTANCE_FAULTS = [
  'terminate',
  'stop',
  'stop and start',
  'hang',
  'recycle',
  'guest never comes up',
  'reboot never comes back',
  'no capacity',
  'other zone',
  'launch before terminate',
] as const;
export const THING_FAULTS = [
  'detached by hand',
  'attached elsewhere',
  'stuck in detaching',
  'elastic ip elsewhere',
  'route to a gateway',
  'route deleted',
  'record deleted',
  'deleted on termination',
  'second match of a tag',
] as const;
export const API_FAULTS = ['throttled', 'unanswered', 'denied', 'stale', 'reads denied'] as const;
export const HEALER_FAULTS = ['killed', 'paused'] as const;

/** Until then faults begin. */
export const FAULTS_UNTIL_MS = 600_000;
export const FAULT_MS_MAX = 300_000;
const SLOT = { networkCardIndex: 0, deviceIndex: 1 };
const PRIMARY = { networkCardIndex: 0, deviceIndex: 0 };

export function healScenarioOf(seed: number): HealScenario {
  const random = new Random(seed, 11);
  const kind = random.pick(['pair', 'pair', 'nat', 'function'] as const);
  const desired = desiredOf(kind, random);
  const names = desired.identities.map(({ name }) => name);
  const healers = healersOf(random);
  return {
    seed,
    desired,
    latency: {
      call: [random.int(10, 100), random.int(100, 1500)],
      attach: [random.int(500, 2000), random.int(2000, 8000)],
      terminate: [random.int(2000, 10_000), random.int(10_000, 90_000)],
      boot: [random.int(5_000, 20_000), random.int(20_000, 200_000)],
    },
    group: {
      notice: [1000, random.int(5_000, 60_000)],
      launch: [1000, random.int(5_000, 30_000)],
      hookMs: random.pick([60_000, 120_000, 300_000, 900_000]),
    },
    healers,
    faults: Array.from({ length: random.int(1, 6) }, () => faultOf(random, names, healers.length)).sort(
      (one, other) => one.at - other.at,
    ),
  };
}

function healersOf(random: Random): readonly HealerPlan[] {
  const second = random.chance(0.4);
  return [
    { standing: random.chance(0.8) || !second, startsAt: 0 },
    ...(second ? [{ standing: random.chance(0.5), startsAt: random.int(0, 300_000) }] : []),
  ];
}

function faultOf(random: Random, names: readonly string[], healers: number): Fault {
  const base = {
    at: random.int(0, FAULTS_UNTIL_MS),
    forMs: random.spread(500, FAULT_MS_MAX),
    of: names[random.int(0, names.length - 1)] ?? '',
  };
  const drawn = random.next();
  if (drawn < 0.45) return { ...base, kind: random.pick(INSTANCE_FAULTS) };
  if (drawn < 0.7) return { ...base, kind: random.pick(THING_FAULTS) };
  if (drawn < 0.85) return { ...base, kind: random.pick(API_FAULTS) };
  return { ...base, kind: random.pick(HEALER_FAULTS), healer: random.int(0, healers - 1) };
}

function desiredOf(kind: 'pair' | 'nat' | 'function', random: Random): Desired {
  const timing = {
    healWithinMs: random.pick([300_000, 600_000, 1_200_000]),
    restartMs: random.pick([10_000, 60_000]),
  };
  const base = (name: string): Identity => ({
    name,
    group: `group-${name}`,
    launchHook: 'heal-launch',
    terminateHook: 'heal-terminate',
    interfaces: [],
    volumes: [],
    elasticIps: [],
    routes: [],
    disableSourceDestCheck: true,
    rebootAfterAttach: false,
    proofs: [{ type: 'instanceStatus' }],
    ...timing,
  });
  const routes = ['0.0.0.0/0', '10.9.0.0/16'].map((value, index) => ({
    table: { id: `rtb-${index}` },
    destination: { kind: 'ipv4' as const, value },
    slot: PRIMARY,
  }));
  const stalenessMs = random.pick([2_000, 5_000, 10_000]);
  const common = {
    vpcId: 'vpc-1',
    stalenessMs,
    leaseMs: random.pick([60_000, 300_000]),
    apiTimeoutMs: 3_000,
  };
  if (kind === 'nat') {
    const nat = {
      ...base('nat'),
      routes,
      elasticIps: [{ allocationId: 'eip-nat', slot: PRIMARY, privateAddress: null }],
    };
    return { ...common, identities: [nat], pairs: [] };
  }
  const persistent = (name: string, reboot: boolean): Identity => ({
    ...base(name),
    interfaces: [{ selector: { tag: { key: 'identity', value: name } }, slot: SLOT, privateAddresses: [] }],
    volumes: random.chance(0.5) ? [{ selector: { id: `vol-${name}` }, device: '/dev/sdf' }] : [],
    rebootAfterAttach: reboot,
  });
  if (kind === 'function') {
    const fw = {
      ...persistent('fw', random.chance(0.6)),
      elasticIps: [{ allocationId: 'eip-fw', slot: SLOT, privateAddress: null }],
    };
    return { ...common, identities: [fw], pairs: [] };
  }
  const reboot = random.chance(0.3);
  const pair: Pair = {
    name: 'edge',
    members: ['rtr1', 'rtr2'],
    floating: { privateAddresses: ['10.0.9.9'], routes: [], elasticIps: [] },
  };
  return { ...common, identities: [persistent('rtr1', reboot), persistent('rtr2', reboot)], pairs: [pair] };
}
