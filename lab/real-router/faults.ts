/**
 * What may happen to the active router of the real-router lab, and what has to come of it. `strike` breaks something
 * and says how it is mended; where nothing moves, it has come and gone when it resolves.
 */
import type { ChildProcess } from 'node:child_process';
import type { RouterName } from '../topology/plan';
import { killed } from './commands';
import type { PacketFault } from './packetFaults';
import { detectionMs, type RealLab } from './realLab';

export type Mend = () => Promise<void>;

export type RealFault = {
  readonly name: string;
  /** Whether BFD has to go down by it; where not, it may all the same on a machine that is too busy. */
  readonly moves: boolean;
  /** Whether the user's packets are lost until then: else the old router forwards until the VPC changes its mind. */
  readonly userSuffers: boolean;
  readonly strike: (real: RealLab, active: RouterName) => Promise<Mend>;
};

const mended: Mend = () => Promise.resolve();

export const powerOff: RealFault = {
  name: 'power off',
  moves: true,
  userSuffers: true,
  strike: async (real, active) => {
    await real.powerOff(active);
    return () => real.powerOn(active);
  },
};

export const interfaceDown: RealFault = {
  name: 'interface down',
  moves: true,
  userSuffers: true,
  strike: async (real, active) => {
    const name = watchedInterface(real);
    await real.routers[active].interfaceDown(name);
    return () => real.routers[active].interfaceUp(name);
  },
};

export const linkCut = packetLoss('link cut', {}, true);

export const realFaults: readonly RealFault[] = [
  powerOff,
  interfaceDown,
  linkCut,
  packetLoss('link cut, what the router sends', { direction: 'from' }, true),
  packetLoss('link cut, what the router is sent', { direction: 'to' }, true),
  packetLoss('BFD-only loss on every link', { packets: 'bfd', everywhere: true }, false),
  {
    name: 'bfdd of the active router paused for three detection times',
    moves: true,
    userSuffers: false,
    strike: async (real, active) => {
      await real.routers[active].bfdd.pause(3 * detectionMs(real.bfd));
      return mended;
    },
  },
  {
    name: 'bfdd of the active router paused for a third of a detection time',
    moves: false,
    userSuffers: false,
    strike: async (real, active) => {
      await real.routers[active].bfdd.pause(detectionMs(real.bfd) / 3);
      return mended;
    },
  },
];

function packetLoss(
  name: string,
  fault: Omit<PacketFault, 'router' | 'interface'> & { readonly everywhere?: boolean },
  userSuffers: boolean,
): RealFault {
  const { everywhere = false, ...rest } = fault;
  return {
    name,
    moves: true,
    userSuffers,
    strike: async (real, active) => {
      const where = everywhere ? {} : { interface: watchedInterface(real) };
      const heal = real.vpc.addFault({ router: active, ...where, ...rest });
      return () => Promise.resolve(heal());
    },
  };
}

/** The first one that has a BFD session. */
function watchedInterface(real: RealLab): string {
  const [path] = real.lab.plan.paths;
  if (path === undefined) throw new Error('a lab without BFD sessions');
  return path.name;
}

/** Every router's links lose this share of all packets, until it is mended. */
export function randomLoss(real: RealLab, share: number): Mend {
  const heals = (['rtr1', 'rtr2'] as const).map((router) =>
    real.vpc.addFault({ router, share, direction: 'from' }),
  );
  return () => Promise.resolve(heals.forEach((heal) => heal()));
}

/** So many processes in the namespace of a router do nothing but use the CPU. */
export function starve(real: RealLab, router: RouterName, processes: number): Mend {
  const children: readonly ChildProcess[] = Array.from({ length: processes }, () =>
    real.routers[router].namespace.spawn(['sh', '-c', 'while :; do :; done'], { stdio: 'ignore' }),
  );
  return async () => void (await Promise.all(children.map(killed)));
}
