/**
 * What may happen to a pair in one round of the soak, and what has to come of it: the addresses move to the
 * standby, or nothing moves at all. A scenario breaks something and mends it again; rounds.ts judges.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Ec2FaultInput } from '../ec2-emulator/faults';
import type { Lab } from '../topology/topology';
import type { RouterName } from '../topology/plan';
import type { Random } from './random';

export type Scene = {
  readonly lab: Lab;
  readonly active: RouterName;
  readonly standby: RouterName;
  readonly random: Random;
  /** Resolves when the standby holds every address; rejects when that takes too long. */
  readonly moved: () => Promise<void>;
  /** Resolves when both daemons have written a keepalive after this moment. */
  readonly keepalives: () => Promise<void>;
};

export type Scenario = {
  readonly name: string;
  readonly weight: number;
  readonly moves: boolean;
  readonly play: (scene: Scene) => Promise<void>;
};

/** What may be wrong with EC2 while a takeover is under way. */
const troubles: readonly ((random: Random) => Ec2FaultInput)[] = [
  (random) => ({ kind: 'latency', ms: random.between(20, 900), jitterMs: 100 }),
  (random) => ({ kind: 'latency', ms: random.between(20, 900), when: 'after' }),
  (random) => ({ kind: 'throttle', durationMs: random.between(200, 1_500) }),
  (random) => ({ kind: 'throttle', bucket: { burst: random.between(1, 2), refillPerS: 4 } }),
  (random) => ({ kind: 'reset', action: 'Assign*', count: random.between(1, 3) }),
  (random) => ({ kind: 'reset', action: 'Assign*', count: random.between(1, 3), when: 'after' }),
  (random) => ({ kind: 'blackHole', action: 'Assign*', count: random.between(1, 2) }),
  (random) => ({ kind: 'blackHole', action: 'Assign*', count: random.between(1, 2), when: 'after' }),
  (random) => ({
    kind: 'error',
    code: 'InternalError',
    status: 500,
    action: 'Assign*',
    count: random.between(1, 3),
  }),
  (random) => ({
    kind: 'error',
    code: 'Unavailable',
    status: 503,
    action: '*',
    durationMs: random.between(100, 900),
  }),
  (random) => ({ kind: 'stale', ageMs: 400, action: 'Describe*', count: random.between(1, 2) }),
  (random) => ({ kind: 'garbagePage', action: 'Assign*', count: random.between(1, 2) }),
];

/** The peer seems dead and is not: both daemons live on, and only BFD and EC2 tell them apart. */
async function partition({ lab, moved, keepalives }: Scene): Promise<void> {
  lab.cutLink();
  await moved();
  // The loser learns of it; healed too early it would not have been a loser.
  await keepalives();
  lab.healLink();
}

async function withTrouble(scene: Scene, play: (scene: Scene) => Promise<void>): Promise<void> {
  const { lab, random } = scene;
  const fault = troubles[random.between(0, troubles.length - 1)]?.(random);
  const id = fault === undefined ? null : lab.ec2.addFault(fault);
  try {
    await play(scene);
  } finally {
    if (id !== null) lab.ec2.removeFault(id);
  }
}

/** What the standby does when its daemon starts anew is part of the round that follows. */
async function powerCut({ lab, active, random, moved }: Scene): Promise<void> {
  await lab.killRouter(active, { instance: random.next() < 0.5 ? 'running' : 'stopped' });
  await moved();
  await lab.bootRouter(active);
  lab.startDaemon(active);
}

const anInterface = ({ lab, random }: Scene): string => {
  const names = lab.plan.interfaces.map(({ name }) => name);
  return names[random.between(0, names.length - 1)] ?? '';
};

export const scenarios: readonly Scenario[] = [
  { name: 'BFD-only partition', weight: 30, moves: true, play: partition },
  {
    name: 'BFD-only partition while EC2 is in trouble',
    weight: 30,
    moves: true,
    play: (scene) => withTrouble(scene, partition),
  },
  { name: 'power cut of the active router', weight: 3, moves: true, play: powerCut },
  {
    name: 'power cut while EC2 is in trouble',
    weight: 2,
    moves: true,
    play: (scene) => withTrouble(scene, powerCut),
  },
  {
    name: 'an interface of the active router goes down',
    weight: 6,
    moves: true,
    play: async (scene) => {
      const { lab, active, moved, keepalives } = scene;
      const name = anInterface(scene);
      lab.interfaceDown(active, name);
      await moved();
      await keepalives();
      lab.interfaceUp(active, name);
    },
  },
  {
    name: 'partition while IMDS is away',
    weight: 4,
    moves: true,
    play: async (scene) => {
      const { lab } = scene;
      await Promise.all([lab.stopImds('rtr1'), lab.stopImds('rtr2')]);
      await partition(scene);
      await Promise.all([lab.startImds('rtr1'), lab.startImds('rtr2')]);
    },
  },
  {
    name: 'an interface of the standby flaps',
    weight: 5,
    moves: false,
    play: async (scene) => {
      const { lab, standby, random } = scene;
      const name = anInterface(scene);
      // BFD before the interface may look like the peer's failure for a moment, and is given back then.
      lab.interfaceDown(standby, name, { first: 'interface', gapMs: random.between(0, 5) });
      await delay(random.between(50, 400));
      lab.interfaceUp(standby, name);
    },
  },
  {
    name: 'gRPC of a router restarts and keeps its state',
    weight: 5,
    moves: false,
    play: ({ lab, active, standby, random }) =>
      lab.restartGrpc(random.next() < 0.5 ? active : standby, {
        keepState: true,
        downMs: random.between(0, 300),
      }),
  },
  {
    name: 'gRPC of the standby restarts and forgets',
    weight: 4,
    moves: false,
    play: ({ lab, standby, random }) =>
      lab.restartGrpc(standby, { keepState: false, downMs: random.between(0, 300) }),
  },
  {
    name: 'an event stream of a router breaks',
    weight: 4,
    moves: false,
    play: async ({ lab, active, standby, random }) => {
      const stream = random.next() < 0.5 ? 'bfd' : 'interface';
      lab.cutStream(random.next() < 0.5 ? active : standby, stream, random.next() < 0.5 ? 'end' : 'error');
    },
  },
  {
    name: 'the daemon of the standby is killed and starts again',
    weight: 2,
    moves: false,
    play: async ({ lab, standby }) => {
      await lab.daemon(standby)?.kill();
      lab.startDaemon(standby);
    },
  },
  {
    name: 'EC2 fails for everybody',
    weight: 4,
    moves: false,
    play: async ({ lab, random }) => {
      const durationMs = random.between(300, 2_000);
      lab.ec2.addFault({ kind: 'error', code: 'InternalError', status: 500, durationMs });
      await delay(durationMs);
    },
  },
  {
    name: 'the daemon of the standby is paused',
    weight: 3,
    moves: false,
    play: async ({ lab, standby, random }) => {
      const pid = lab.daemon(standby)?.pid;
      if (pid === undefined) throw new Error(`no daemon runs on ${standby}`);
      process.kill(pid, 'SIGSTOP');
      await delay(random.between(100, 900));
      process.kill(pid, 'SIGCONT');
    },
  },
];
