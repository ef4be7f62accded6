/**
 * A watch for false alarms: both routers are well, their links lose some packets and the CPU is busy. BFD may flap by
 * it; a takeover is false where no session of the router that took was DOWN, or where it came again and again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { routerNames, type RouterName } from '../topology/plan';
import { randomLoss, starve } from './faults';
import type { RealLab } from './realLab';
import type { UserReport } from './user';

export type Watch = {
  readonly seconds: number;
  /** Of bfdd on either router. */
  readonly bfdDowns: number;
  readonly takeovers: number;
  /** Takeovers that BFD had not called for. */
  readonly falseTakeovers: number;
  readonly user: UserReport;
};

export type WatchOptions = {
  readonly seconds: number;
  /** Share of all packets, on each way. */
  readonly loss: number;
  /** Processes that use the CPU, on each router. */
  readonly hungry: number;
};

/** bfdd's word is older than the takeover that it calls for, but not by much. */
const CALLED_WITHIN_MS = 5_000;

/** From here on. */
export type WatchMark = { readonly moves: number } & Readonly<Record<RouterName, number>>;

export const watchMark = (real: RealLab): WatchMark => ({
  moves: real.vpc.moves.length,
  rtr1: real.routers.rtr1.events.length,
  rtr2: real.routers.rtr2.events.length,
});

export type Takeovers = { readonly all: number; readonly notCalled: number; readonly bfdDowns: number };

/** Since the mark, and those of them that no bfdd of the router that took had called for. Both addresses are one. */
export function takeoversSince(real: RealLab, mark: WatchMark): Takeovers {
  const downs = (name: RouterName) =>
    real.routers[name].events.slice(mark[name]).filter(({ state }) => state === 'down');
  const takeovers = real.vpc.moves.slice(mark.moves).filter(({ side }) => side === 'user');
  const called = ({ to, changedAtMs }: (typeof takeovers)[number]) =>
    to !== null &&
    downs(to).some(
      ({ receivedAtMs }) => receivedAtMs < changedAtMs && receivedAtMs > changedAtMs - CALLED_WITHIN_MS,
    );
  return {
    all: takeovers.length,
    notCalled: takeovers.filter((each) => !called(each)).length,
    bfdDowns: routerNames.flatMap(downs).length,
  };
}

export async function watch(real: RealLab, { seconds, loss, hungry }: WatchOptions): Promise<Watch> {
  const mark = watchMark(real);
  await real.user.begin();
  const mends = [randomLoss(real, loss), ...routerNames.map((name) => starve(real, name, hungry))];
  try {
    await delay(seconds * 1000);
  } finally {
    for (const mend of mends) await mend();
  }
  const user = await real.user.report();
  const { all, notCalled, bfdDowns } = takeoversSince(real, mark);
  return { seconds, bfdDowns, takeovers: all, falseTakeovers: notCalled, user };
}
