/**
 * Many targets at EC2's documented pace: from the BFD event until all have moved, beside the least that latency and
 * token bucket allow. Each takeover is the first of a process and finds full buckets.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isDryRun, isRead } from '../lab/ec2-emulator/requestLog';
import { startCrossAzLab, startLab, type AnyLab, type Lab } from '../lab/topology/topology';
import { peerOf, MOST_INTERFACES } from '../lab/topology/plan';
import { nowMs, peerDies, peerLives } from './event';
import type { Count } from './statistics';

export type ScaleKind = 'routes' | 'addresses';

type ScaleTakeover = {
  readonly firstWriteMs: number;
  readonly lastWriteMs: number;
  readonly allMovedMs: number;
  readonly writes: number;
  readonly callsBeforeFirstWrite: number;
  /** What EC2 has turned down for want of tokens. */
  readonly refused: number;
  readonly attempts: number;
};

export type ScaleRow = {
  readonly kind: ScaleKind;
  readonly targets: number;
  /** Of a takeover, as few as can be: one for each route, and one for the addresses of each interface. */
  readonly writes: number;
  readonly floorMs: number;
  readonly takeovers: readonly ScaleTakeover[];
};

/** What EC2 documents for the account: the emulator has the same, and so has the daemon's configuration. */
export const buckets = {
  routes: { action: 'ReplaceRoute', burst: 50, refillPerS: 5 },
  addresses: { action: 'AssignPrivateIpAddresses', burst: 100, refillPerS: 5 },
} as const;

export const CALL_MS = 150;

/** How many targets, and how many takeovers of them: 500 routes take a minute and a half by EC2's pace alone. */
const plan: readonly (readonly [ScaleKind, number, number])[] = [
  ['routes', 1, 5],
  ['routes', 8, 5],
  ['routes', 20, 5],
  ['routes', 50, 5],
  ['routes', 200, 2],
  ['routes', 500, 1],
  ['addresses', 1, 5],
  ['addresses', 8, 5],
  ['addresses', 50, 5],
  ['addresses', 100, 5],
];

/** The fabric must not interfere: the peer's sessions do not exist. */
const NEVER_MS = 2 ** 31 - 1;
const READY_MS = 30_000;
/** What the router, EC2 and the requests that are signed ahead have settled by. */
const FIRST_AFTER_MS = 2_000;
/** Of the configuration as delivered. */
const KEEPALIVE_MS = 10_000;

export async function measureScale(onRow: (row: ScaleRow) => void): Promise<readonly ScaleRow[]> {
  const rows: ScaleRow[] = [];
  for (const [kind, targets, samples] of plan) {
    const writes = kind === 'routes' ? targets : Math.min(targets, MOST_INTERFACES);
    const floorMs = floorOf(kind, writes);
    const takeovers: ScaleTakeover[] = [];
    for (let count = 0; count < samples; count += 1) {
      const lab = await openScaleLab(kind, targets);
      try {
        takeovers.push(await takeOver(lab, kind, floorMs));
      } finally {
        await lab.stop();
      }
    }
    const row = { kind, targets, writes, floorMs, takeovers };
    onRow(row);
    rows.push(row);
  }
  return rows;
}

/** One call, after the wait for the token of the last request: the burst goes at once, the others at the refill. */
export function floorOf(kind: ScaleKind, writes: number): number {
  const { burst, refillPerS } = buckets[kind];
  return CALL_MS + (Math.max(0, writes - burst) / refillPerS) * 1000;
}

async function openScaleLab(kind: ScaleKind, targets: number): Promise<AnyLab> {
  const common = { tokenBuckets: {}, fabric: { bringUpMs: NEVER_MS, detectTimeMs: NEVER_MS } };
  if (kind === 'routes') return startCrossAzLab({ ...common, routes: targets, elasticIps: 0 });
  const interfaces = Math.min(targets, MOST_INTERFACES);
  const lab = await startLab({ ...common, interfaces });
  const floating = floatingAddresses(lab, targets);
  lab.plan.interfaces.forEach(({ networkInterfaceId, deviceIndex }) => {
    const own = floating.filter((each) => each.instance_intf_number === deviceIndex);
    lab.world.assign(
      networkInterfaceId.rtr1,
      own.map(({ secondary_ip }) => secondary_ip),
    );
  });
  const action = { method: 'secondary_ip_shift', method_params: { intf_list: floating } };
  lab.writeConfig('rtr2', { action });
  return lab;
}

/** The keys are those of the configuration. Spread evenly; the first of an interface is the one that the lab plans. */
function floatingAddresses({ plan: { interfaces } }: Lab, count: number) {
  return Array.from({ length: count }, (_, place) => {
    const on = interfaces[place % interfaces.length];
    if (on === undefined) throw new Error('a lab without interfaces');
    const [net = '', host = ''] = on.floatingAddress.split(/\.(?=\d+$)/);
    return {
      secondary_ip: `${net}.${Number(host) + Math.floor(place / interfaces.length)}`,
      instance_intf_number: on.deviceIndex,
    };
  });
}

async function takeOver(lab: AnyLab, kind: ScaleKind, floorMs: number): Promise<ScaleTakeover> {
  const { action } = buckets[kind];
  const { sim } = lab.routers.rtr2;
  const neighbors = lab.plan.paths.map(({ address }) => address[peerOf('rtr2')]);
  lab.ec2.addFault({ kind: 'latency', ms: CALL_MS });
  const daemon = lab.startDaemon('rtr2');
  await daemon.waitFor(({ event }) => event === 'streamsSynchronized', { deadlineMs: READY_MS });
  peerLives(sim, neighbors);
  const watches = /this router is STANDBY and watches: all sessions are UP/i;
  await daemon.waitFor(({ reason }) => watches.test(reason ?? ''), { deadlineMs: READY_MS });
  await delay(FIRST_AFTER_MS);
  await betweenKeepalives(lab);

  const since = { record: daemon.mark(), request: lab.ec2.requests().at(-1)?.number ?? 0 };
  const eventMs = peerDies(sim, neighbors);
  await daemon.waitFor(({ reason }) => /EC2 confirms attempt \d+: all targets/.test(reason ?? ''), {
    since: since.record,
    deadlineMs: floorMs + READY_MS,
  });
  const requests = lab.ec2
    .requests()
    .filter((request) => request.number > since.request && !isDryRun(request));
  const writes = requests.filter((request) => request.action === action);
  const sentMs = writes.map(({ receivedAt }) => receivedAt - eventMs);
  const moves = [...lab.world.targetHistory(), ...lab.world.ownershipHistory()].map(({ atMs }) => atMs);
  const begun = daemon.recordsSince(since.record).flatMap(({ attempt }) => attempt ?? []);
  return {
    firstWriteMs: Math.min(...sentMs),
    lastWriteMs: Math.max(...sentMs),
    allMovedMs: Math.max(...moves) - eventMs,
    writes: writes.length,
    callsBeforeFirstWrite: requests.findIndex((request) => request.action === action),
    refused: lab.ec2.buckets()?.[action]?.refused ?? Number.NaN,
    attempts: new Set(begun).size,
  };
}

/** A call that comes between the event and the first write is then one that the daemon makes because of the event. */
async function betweenKeepalives({ ec2 }: AnyLab): Promise<void> {
  const ageMs = () => nowMs() - (ec2.requests().findLast(isRead)?.receivedAt ?? 0);
  while (ageMs() < 1_000 || ageMs() > KEEPALIVE_MS / 2) await delay(50);
}

export const ratioOf = (row: ScaleRow, allMovedMs: number): number => allMovedMs / row.floorMs;

export function scaleCounts(rows: readonly ScaleRow[]): readonly Count[] {
  return rows.flatMap(({ kind, targets, writes, takeovers }) => {
    const count = (what: string, expected: number, of: (takeover: ScaleTakeover) => number): Count => ({
      what: `${what}, ${kind}: ${targets}`,
      expected,
      seen: takeovers.map(of),
    });
    return [
      count('EC2 calls between the event and the first write', 0, (each) => each.callsBeforeFirstWrite),
      count('writes of a takeover', writes, (each) => each.writes),
      count('writes that EC2 throttled', 0, ({ refused }) => refused),
      count('attempts of the daemon', 1, ({ attempts }) => attempts),
    ];
  });
}
