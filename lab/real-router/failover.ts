/** One failure, and what the user saw of it: the outage in its parts, from the packets themselves. */
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { mainPath } from '../daemonProcess';
import { isWrite } from '../ec2-emulator/requestLog';
import { peerOf, routerNames, type RouterName } from '../topology/plan';
import type { BfddEvent } from './bfdd';
import type { RealFault } from './faults';
import { sides } from './layout';
import { detectionMs, type RealLab } from './realLab';
import type { Silence } from './traffic/stream';
import type { UserReport } from './user';
import type { Move } from './vpc';

/** Milliseconds. The parts follow each other and make up the outage. */
export type Outage = {
  /** From the last answer before the failure to the first one after it. */
  readonly outageMs: number;
  /** Until bfdd of the standby says DOWN. */
  readonly detectionMs: number;
  /** Until EC2 has the first request of the takeover. */
  readonly daemonMs: number;
  /** Until EC2 has changed the last of the two. */
  readonly ec2Ms: number;
  /** Until the VPC sends the packets elsewhere. */
  readonly propagationMs: number;
  /** Until the first answer. */
  readonly restMs: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly reordered: number;
  readonly tcpSilenceMs: number;
  readonly tcpBroken: number;
};

const WRITES = /^(AssignPrivateIpAddresses|ReplaceRoute|CreateRoute|AssociateAddress)$/;
const FLOWS_AGAIN_MS = 400;
const QUIET_MS = 300;
const CALM_TRIES = 20;
const MOVED_WITHIN_MS = 60_000;
const GIVEN_WITHIN_MS = 10_000;

/** What came of one fault, when it is mended and one router is ACTIVE and watched by the other again. */
export type Played = {
  /** Null where nothing moved. */
  readonly outage: Outage | null;
  /** Whether bfdd of the standby said DOWN: then, and only then, everything has moved. */
  readonly called: boolean;
  /**
   * Whether the old router took everything back at once. Where BFD alone fails, its sessions go down one after another,
   * and one that was still UP when it lost everything stays armed: once is what rule 2 allows.
   */
  readonly tookBack: boolean;
  readonly user: UserReport;
};

/**
 * Packets flow, something breaks, the standby takes over or nothing moves, packets flow again, and it is mended.
 * @throws Error where that does not come about.
 */
export async function playFault(real: RealLab, fault: RealFault): Promise<Played> {
  const active = await calm(real);
  const standby = peerOf(active);
  const begun = real.lab.daemon(active);
  const mark = begun?.mark() ?? 0;
  const standbyMark = real.lab.daemon(standby)?.mark() ?? 0;
  const marks = marksOf(real, standby);
  const mend = await fault.strike(real, active);
  if (fault.moves) await moved(real, standby, marks, fault.name);
  // In this time BFD would have found a failure twice.
  else await delay(2 * detectionMs(real.bfd));
  await delay(FLOWS_AGAIN_MS);
  const user = await real.user.report();
  const isCalled = () => fault.moves || downAt(real, standby, marks) !== undefined;
  const called = isCalled();
  if (called) await moved(real, standby, marks, fault.name);
  const outage = called ? outageOf(real, standby, marks, user) : null;
  await mend();
  // After a power cut it is another process, and all of its words are new.
  const daemonMark = real.lab.daemon(active) === begun ? mark : 0;
  const tookBack = called && movedTo(real, active, marks.moves).length > 0;
  if (tookBack && fault.userSuffers) throw real.failure(`${fault.name}: ${active} took everything back`);
  const marksOfWords = tookBack ? { [standby]: standbyMark } : called ? { [active]: daemonMark } : {};
  await real.settled(marksOfWords);
  // BFD on a machine that stood still for a moment may go down late, when nothing was expected of it any more.
  if (!called && isCalled()) return late(real, standby, marks);
  if (real.owner !== (called && !tookBack ? standby : active))
    throw real.failure(`${fault.name}: everything is with ${real.owner ?? 'nobody'} afterwards`);
  return { outage, called, tookBack, user };
}

/**
 * The user's packets are counted from here on, and nothing is under way: BFD on a machine that stood still for a moment
 * may go down without a fault, and a takeover of that would be taken for one of the next fault. Says who is ACTIVE.
 */
async function calm(real: RealLab): Promise<RouterName> {
  for (let tries = 0; tries < CALM_TRIES; tries += 1) {
    const [moves, events] = [
      real.vpc.moves.length,
      routerNames.map((name) => real.routers[name].events.length),
    ];
    await real.user.begin();
    await delay(QUIET_MS);
    const went = routerNames.some((name, index) =>
      real.routers[name].events.slice(events[index]).some(({ state }) => state === 'down'),
    );
    const asks = real.lab.ec2.requests().some((each) => isWrite(each) && each.outcome === 'pending');
    const { owner } = real;
    if (!went && !asks && real.vpc.moves.length === moves && owner !== null) return owner;
    await real.settled();
  }
  throw real.failure(`BFD goes down or something moves without a fault, ${CALM_TRIES} times in a row`);
}

async function late(real: RealLab, standby: RouterName, marks: Marks): Promise<Played> {
  await moved(real, standby, marks, 'BFD DOWN without a fault');
  await delay(FLOWS_AGAIN_MS);
  const user = await real.user.report();
  const outage = outageOf(real, standby, marks, user);
  await real.settled();
  return { outage, called: true, tookBack: real.owner !== standby, user };
}

/** What a planned switchover (`ha switchover`, by the operator of the ACTIVE router) has cost. */
export type Switchover = {
  /** Until EC2 has changed the last target, and until the VPC followed. */
  readonly ec2Ms: number;
  readonly propagationMs: number;
  readonly user: UserReport;
};

export async function playSwitchover(real: RealLab): Promise<Switchover> {
  const active = await calm(real);
  const standby = peerOf(active);
  const marks = marksOf(real, standby);
  const daemonMark = real.lab.daemon(active)?.mark() ?? 0;
  await give(real, active);
  await moved(real, standby, marks, 'the switchover');
  await delay(FLOWS_AGAIN_MS);
  const user = await real.user.report();
  const moves = movedTo(real, standby, marks.moves);
  const last = moves.reduce((a, b) => (b.appliedAtMs > a.appliedAtMs ? b : a));
  const write = firstWrite(real, marks);
  await real.settled({ [active]: daemonMark });
  return {
    ec2Ms: last.changedAtMs - (write?.receivedAt ?? NaN),
    propagationMs: last.appliedAtMs - last.changedAtMs,
    user,
  };
}

/** Declined while the router is not sure of its role: asked again then, as an operator would. */
async function give(real: RealLab, active: RouterName): Promise<void> {
  const { configPath } = real.lab.routers[active];
  const until = Date.now() + GIVEN_WITHIN_MS;
  for (;;) {
    try {
      await promisify(execFile)(process.execPath, [mainPath, 'ha', 'switchover', '-c', configPath]);
      return;
    } catch (error: unknown) {
      if (Date.now() > until) throw error;
      await delay(QUIET_MS);
    }
  }
}

const marksOf = (real: RealLab, standby: RouterName): Marks => ({
  events: real.routers[standby].events.length,
  moves: real.vpc.moves.length,
  requests: real.lab.ec2.requests().at(-1)?.number ?? 0,
});

const moved = (real: RealLab, standby: RouterName, { moves }: Marks, why: string): Promise<void> =>
  real.until(
    `packets to be sent to ${standby} (${why})`,
    () => movedTo(real, standby, moves).length >= sides.length,
    MOVED_WITHIN_MS,
  );

const firstWrite = (real: RealLab, { requests }: Marks) =>
  real.lab.ec2.requests().find(({ number, action }) => number > requests && WRITES.test(action));

const downAt = (real: RealLab, router: RouterName, { events }: Marks): BfddEvent | undefined =>
  real.routers[router].events.slice(events).find(({ state }) => state === 'down');

const movedTo = (real: RealLab, router: RouterName, mark: number): readonly Move[] =>
  real.vpc.moves.slice(mark).filter(({ to }) => to === router);

type Marks = { readonly events: number; readonly moves: number; readonly requests: number };

function outageOf(real: RealLab, standby: RouterName, marks: Marks, { udp, tcp }: UserReport): Outage {
  const down = downAt(real, standby, marks);
  const write = firstWrite(real, marks);
  const moves = movedTo(real, standby, marks.moves);
  const last = moves.reduce((a, b) => (b.appliedAtMs > a.appliedAtMs ? b : a));
  if (down === undefined) throw real.failure(`bfdd of ${standby} has not gone down`);
  if (write === undefined) throw real.failure('EC2 was asked for nothing');
  const silence = longest(udp.silences) ?? { fromMs: last.appliedAtMs, untilMs: last.appliedAtMs };
  return {
    outageMs: silence.untilMs - silence.fromMs,
    detectionMs: down.receivedAtMs - silence.fromMs,
    daemonMs: write.receivedAt - down.receivedAtMs,
    ec2Ms: last.changedAtMs - write.receivedAt,
    propagationMs: last.appliedAtMs - last.changedAtMs,
    restMs: silence.untilMs - last.appliedAtMs,
    lost: udp.lostOnTheWayThere + udp.lostOnTheWayBack,
    duplicates: udp.duplicates,
    reordered: udp.reordered,
    tcpSilenceMs: tcp.longestSilenceMs,
    tcpBroken: tcp.broken,
  };
}

const longest = (silences: readonly Silence[]): Silence | undefined =>
  [...silences].sort((a, b) => b.untilMs - b.fromMs - (a.untilMs - a.fromMs))[0];
