/**
 * One failover as the lab saw it: a router loses power, the other one takes over. Collects when each thing
 * happened, on the lab's own clock; the daemon's part comes from its log. Judges nothing: see checks.ts.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { DaemonProcess, DaemonRecord } from '../daemonProcess';
import { isRead, isWrite, type LoggedRequest } from '../ec2-emulator/requestLog';
import type { ChangeOrigin } from '../ec2-emulator/history';
import type { WrittenEvent } from '../slapi-sim/streams';
import type { AnyLab } from '../topology/topology';
import { peerOf, type RouterName } from '../topology/plan';
import { targetName, type TargetPlan } from '../topology/targets';

export type Move = { readonly target: TargetPlan; readonly atMs: number; readonly origin: ChangeOrigin };

/** Times are `process.hrtime` in ms unless they say otherwise. */
export type Failover = {
  readonly victim: RouterName;
  readonly survivor: RouterName;
  readonly killedAtMs: number;
  /** When the survivor's router told its daemon that a session is DOWN, oldest first; never empty. */
  readonly downAtMs: readonly number[];
  /** Every request of the survivor from the first DOWN until the daemon had the confirmation, oldest first. */
  readonly requests: readonly LoggedRequest[];
  /** What moved since the power cut, oldest first. */
  readonly moves: readonly Move[];
  readonly decision: DaemonRecord;
  /** The daemon's own account, in ms since it heard of DOWN. */
  readonly timeline: DaemonRecord;
  /** Everything that the survivor's daemon logged since the power cut. */
  readonly records: readonly DaemonRecord[];
  /** Where it says that it had not run for a while: it waits then, and reads anew, before it takes over. */
  readonly stalls: readonly DaemonRecord[];
};

const TAKEOVER_DEADLINE_MS = 20_000;
/** The product's default. */
const KEEPALIVE_MS = 10_000;
/** For so long after a stall the daemon may wait: the product's default of `own_stall_hold_s`. */
const STALL_COUNTS_MS = 3_000;

/** @throws Error with the daemon's latest records when the takeover is not over in time. */
export async function failOver(lab: AnyLab, victim: RouterName, daemon: DaemonProcess): Promise<Failover> {
  const survivor = peerOf(victim);
  await betweenKeepalives(lab, survivor);
  const mark = daemon.mark();
  const downAtMs: number[] = [];
  const stopListening = lab.routers[survivor].sim.onEventWritten((event) => {
    if (isSessionDown(event)) downAtMs.push(event.atMs);
  });
  const waitFor = (predicate: (record: DaemonRecord) => boolean) =>
    daemon.waitFor(predicate, { since: mark, deadlineMs: TAKEOVER_DEADLINE_MS });
  try {
    const killedAtMs = nowMs();
    await lab.killRouter(victim);
    const decision = await waitFor(({ msg, attempt }) => msg === 'decision' && attempt !== undefined);
    const timeline = await waitFor(({ event }) => event === 'takeoverTimeline');
    // The record of the same moment that says what EC2 has confirmed.
    await waitFor(
      ({ event, receivedAtMs }) => event === 'ownershipObserved' && receivedAtMs >= timeline.receivedAtMs,
    );
    const since = (downAtMs[0] ?? killedAtMs) - 0.001;
    return {
      victim,
      survivor,
      killedAtMs,
      downAtMs,
      requests: lab.ec2
        .requests()
        .filter(
          ({ receivedAt, instanceId }) =>
            receivedAt >= since && lab.routerOfInstance(instanceId) === survivor,
        ),
      moves: movesSince(lab, killedAtMs),
      decision,
      timeline,
      records: daemon.recordsSince(mark),
      stalls: daemon.records.filter(
        ({ event, receivedAtMs }) =>
          event === 'processStalled' && receivedAtMs > killedAtMs - STALL_COUNTS_MS,
      ),
    };
  } finally {
    stopListening();
  }
}

/** A read that comes between DOWN and the first write is then one that the daemon makes because of DOWN. */
async function betweenKeepalives({ ec2, plan }: AnyLab, survivor: RouterName): Promise<void> {
  const isQuiet = () => {
    const read = ec2
      .requests()
      .findLast((request) => isRead(request) && request.instanceId === plan.instanceId[survivor]);
    return read !== undefined && read.endedAt !== null && nowMs() - read.receivedAt < KEEPALIVE_MS / 2;
  };
  for (const until = nowMs() + 2 * KEEPALIVE_MS; !isQuiet(); await delay(20))
    if (nowMs() > until) throw new Error(`${survivor} has not asked EC2 for ${(2 * KEEPALIVE_MS) / 1000} s`);
}

function movesSince({ plan, world }: AnyLab, sinceMs: number): readonly Move[] {
  const changesOf = (target: TargetPlan) =>
    target.kind === 'secondaryAddress'
      ? world.ownershipHistory(target.address)
      : world.targetHistory(targetName(target));
  return plan.targets
    .flatMap((target) => changesOf(target).map(({ atMs, origin }) => ({ target, atMs, origin })))
    .filter(({ atMs }) => atMs >= sinceMs)
    .sort((a, b) => a.atMs - b.atMs);
}

const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** What the survivor's first write may have waited for. A DryRun is none: nothing waits for it. */
export function readsBeforeWrite({ requests }: Failover): readonly LoggedRequest[] {
  const writtenMs = requests.find(isWrite)?.receivedAt ?? Infinity;
  return requests.filter((request) => isRead(request) && (request.endedAt ?? Infinity) <= writtenMs);
}

function isSessionDown({ stream, message }: WrittenEvent): boolean {
  return stream === 'bfd' && JSON.stringify(message).includes('"SL_BFD_SESSION_DOWN"');
}

/** What the failover consisted of, in ms. */
export type Legs = {
  /** Power cut to the first DOWN. */
  readonly detectionMs: number;
  /** The first DOWN to the first write arriving at EC2. */
  readonly reactionMs: number;
  /** The first write to the last target moved. */
  readonly ec2Ms: number;
  /** Power cut to the last target moved. */
  readonly outageMs: number;
};

/** NaN where something did not happen. */
export function legsOf({ killedAtMs, downAtMs, requests, moves }: Failover): Legs {
  const down = downAtMs[0] ?? NaN;
  const written = requests.find(isWrite)?.receivedAt ?? NaN;
  const moved = moves.at(-1)?.atMs ?? NaN;
  return {
    detectionMs: down - killedAtMs,
    reactionMs: written - down,
    ec2Ms: moved - written,
    outageMs: moved - killedAtMs,
  };
}
