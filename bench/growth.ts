/**
 * How cost grows with what is configured: groups, sessions and targets, each from a few to as many as the lab can have,
 * while the others stay as they are. The router is one of two zones, and what moves are routes, one call each; EC2
 * answers at once and has tokens for all, so that every millisecond is the daemon's or the bench's.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isObserving, isRead } from '../lab/ec2-emulator/requestLog';
import { startCrossAzLab, type AnyLab } from '../lab/topology/topology';
import { nextWrites, nowMs, peerDies, peerLives } from './event';
import { cpuMs, memoryMiB } from './rest';

export type Size = { readonly groups: number; readonly sessions: number; readonly targets: number };

export type GrowthRow = Size & {
  readonly firstWriteMs: number;
  readonly lastWriteMs: number;
  readonly memoryMiB: number;
  /** Of a core, at rest. */
  readonly cpuPercent: number;
  readonly readsPerKeepalive: number;
  /** The longest time for which nothing else got its turn, in a keepalive at rest and from the event on. */
  readonly longestTurnMs: { readonly atRest: number; readonly moving: number };
};

export const sizes: readonly Size[] = [
  { groups: 1, sessions: 2, targets: 2 },
  { groups: 1, sessions: 2, targets: 100 },
  { groups: 1, sessions: 2, targets: 1_000 },
  { groups: 8, sessions: 2, targets: 64 },
  { groups: 64, sessions: 2, targets: 64 },
  { groups: 1, sessions: 32, targets: 2 },
  { groups: 1, sessions: 256, targets: 2 },
  { groups: 64, sessions: 256, targets: 1_000 },
];

/** The fabric must not interfere: the peer's sessions do not exist. */
const NEVER_MS = 2 ** 31 - 1;
const READY_MS = 60_000;
const SETTLE_MS = 12_000;
const REST_MS = 20_000;
/** Of the configuration as delivered. */
const KEEPALIVE_MS = 10_000;
const MOVED_MS = 60_000;
const WINDOW_MS = 100;

export async function measureGrowth(onRow: (row: GrowthRow) => void): Promise<readonly GrowthRow[]> {
  const rows: GrowthRow[] = [];
  for (const size of sizes) {
    const lab = await startCrossAzLab({
      routes: size.targets,
      elasticIps: 0,
      fabric: { bringUpMs: NEVER_MS, detectTimeMs: NEVER_MS },
    });
    try {
      const row = await measure(lab, size);
      onRow(row);
      rows.push(row);
    } finally {
      await lab.stop();
    }
  }
  return rows;
}

async function measure(lab: AnyLab, size: Size): Promise<GrowthRow> {
  const neighbors = writeConfig(lab, size);
  const turns = new Turns(lab.directory);
  const daemon = lab.startDaemon('rtr2', { env: turns.env });
  await daemon.waitFor(({ event }) => event === 'streamsSynchronized', { deadlineMs: READY_MS });
  peerLives(lab.routers.rtr2.sim, neighbors);
  const watches = /this router is STANDBY and watches: all sessions are UP/i;
  for (const name of groupNames(size))
    await daemon.waitFor(
      ({ group, reason }) => (size.groups === 1 || group === name) && watches.test(reason ?? ''),
      { deadlineMs: READY_MS },
    );
  await delay(SETTLE_MS);
  const { pid } = daemon;
  if (pid === undefined) throw new Error('the daemon has not started');

  const before = { atMs: nowMs(), cpuMs: cpuMs(pid) };
  await delay(REST_MS);
  const restMs = nowMs() - before.atMs;
  const reads = lab.ec2.requests().filter((each) => each.receivedAt >= before.atMs && isObserving(each));
  const atRest = {
    memoryMiB: memoryMiB(pid, 'VmRSS'),
    cpuPercent: ((cpuMs(pid) - before.cpuMs) / restMs) * 100,
    readsPerKeepalive: reads.length / (REST_MS / KEEPALIVE_MS),
  };

  turns.begin(pid);
  const watchedMs = nowMs();
  await delay(KEEPALIVE_MS);
  await betweenKeepalives(lab);
  const restEndsMs = nowMs();
  const written = nextWrites(lab.ec2, size.targets, MOVED_MS);
  // The simulator takes longer for a change than the daemon does: a few are enough, because any session triggers.
  const eventMs = peerDies(lab.routers.rtr2.sim, neighbors.slice(0, 2));
  const writes = (await written).map(({ receivedAt }) => receivedAt - eventMs);
  await delay(2_000);
  if (!lab.ownsAll('rtr2')) throw new Error(`not all targets have moved:\n${daemon.tail()}`);
  const longest = turns.read();
  return {
    ...size,
    ...atRest,
    firstWriteMs: Math.min(...writes),
    lastWriteMs: Math.max(...writes),
    longestTurnMs: { atRest: longest(watchedMs, restEndsMs), moving: longest(eventMs, nowMs()) },
  };
}

const groupNames = ({ groups }: Pick<Size, 'groups'>): readonly string[] =>
  Array.from({ length: groups }, (_, place) => `g${place + 1}`);

/** The keys are those of the configuration. Gives the neighbors of the sessions. */
function writeConfig(lab: AnyLab, { groups, sessions, targets }: Size): readonly string[] {
  const document = JSON.parse(readFileSync(lab.routers.rtr2.configPath, 'utf8')) as {
    config: {
      action: { method: string; method_params: { route_list: readonly object[] } };
      bfd_sessions: readonly { readonly neigh_ip: string }[];
    };
  };
  const { action, bfd_sessions: planned } = document.config;
  const [first] = planned;
  if (first === undefined) throw new Error('a lab without sessions');
  const routes = action.method_params.route_list;
  const ofGroup = (place: number) => routes.filter((_, index) => index % groups === place);
  const [net = '', host = ''] = first.neigh_ip.split(/\.(?=\d+$)/);
  const neighbors = Array.from({ length: sessions }, (_, place) => {
    const last = Number(host) + 1 + place;
    return place === 0
      ? first.neigh_ip
      : `${last < 255 ? net : '192.168.78'}.${last < 255 ? last : last - 250}`;
  });
  const api = { burst: targets, refill_per_s: 1_000 };
  lab.writeConfig('rtr2', {
    ...(groups === 1
      ? {}
      : {
          action: undefined,
          groups: groupNames({ groups }).map((name, place) => ({
            name,
            action: { ...action, method_params: { ...action.method_params, route_list: ofGroup(place) } },
          })),
        }),
    bfd_sessions: neighbors.map((neighbor) => ({ ...first, neigh_ip: neighbor })),
    api_limits: { replace_route: api, create_route: api },
  });
  return neighbors;
}

/** A call that comes between the event and the first write is then one that the daemon makes because of the event. */
async function betweenKeepalives({ ec2 }: AnyLab): Promise<void> {
  const ageMs = () => nowMs() - (ec2.requests().findLast(isRead)?.receivedAt ?? 0);
  while (ageMs() < 1_000 || ageMs() > KEEPALIVE_MS / 2) await delay(50);
}

/** How long the turns of the daemon's event loop are: a module that Node loads before it writes the longest of each moment. */
class Turns {
  readonly env: Readonly<Record<string, string>>;
  readonly #file: string;

  constructor(directory: string) {
    this.#file = join(directory, 'turns');
    const probe = join(directory, 'turns.cjs');
    writeFileSync(
      probe,
      `const { appendFileSync } = require('node:fs');
const { monitorEventLoopDelay } = require('node:perf_hooks');
process.on('SIGUSR2', () => {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  setInterval(() => {
    appendFileSync(${JSON.stringify(this.#file)}, \`\${Number(process.hrtime.bigint()) / 1e6} \${delays.max / 1e6}\\n\`);
    delays.reset();
  }, ${WINDOW_MS}).unref();
});
`,
    );
    this.env = { NODE_OPTIONS: `--require ${probe}` };
  }

  /** It costs a few percent of a core, which must not count as the daemon's. */
  begin(pid: number): void {
    process.kill(pid, 'SIGUSR2');
  }

  /** Gives the longest one between two times. */
  read(): (fromMs: number, untilMs: number) => number {
    const all = readFileSync(this.#file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ').map(Number));
    return (fromMs, untilMs) =>
      Math.max(
        ...all.flatMap(([at = 0, longest = 0]) =>
          at >= fromMs && at <= untilMs + WINDOW_MS ? [longest] : [],
        ),
      );
  }
}
