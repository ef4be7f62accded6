/**
 * This build and that of another checkout, in turn, against the lab of this one: what a change has made of the figures,
 * on a machine that is never the same twice. Of a pair either build is the first one in turn.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { DaemonProcess } from '../lab/daemonProcess';
import { isDryRun, isRead, isWrite } from '../lab/ec2-emulator/requestLog';
import { peerOf } from '../lab/topology/plan';
import type { AnyLab } from '../lab/topology/topology';
import { nextWrites, nowMs, peerDies, peerLives } from './event';
import { cpuMs, memoryMiB } from './rest';
import { SHORT_KEEPALIVE_MS, type Figure, type Row, type Takeover } from './versusRows';

/** Of one figure. `here`: this build. */
export type Compared = {
  readonly figure: Pick<Figure, 'what' | 'unit' | 'quantile' | 'hold'>;
  readonly here: readonly number[];
  readonly there: readonly number[];
};

type Side = 'here' | 'there';
const SIDES: readonly Side[] = ['here', 'there'];
export type Builds = Readonly<Record<Side, string>>;

/** By the checkout's directory. @throws Error where it has not been built. */
export function buildIn(directory: string): string {
  const main = join(directory, 'dist', 'main.js');
  if (!existsSync(main)) throw new Error(`${main} is not there: build it with npm run build in ${directory}`);
  return main;
}

const READY_MS = 60_000;
const MOVED_MS = 120_000;
/** What the router, EC2 and the requests that are signed ahead have settled by. */
const FIRST_AFTER_MS = 2_000;
/** What goes DOWN right after the peer has got the targets counts as the same failure. */
const EVENTS_APART_MS = 1_000;
/** Of the configuration as delivered. */
const KEEPALIVE_MS = 10_000;

export async function compareRow(row: Row, builds: Builds, pairs: number): Promise<readonly Compared[]> {
  const takeovers: Record<Side, Takeover[]> = { here: [], there: [] };
  const open = row.process === 'new' ? null : await openBoth(row, builds);
  try {
    for (let pair = 0; pair < pairs; pair += 1) {
      for (const side of pair % 2 === 0 ? SIDES : SIDES.toReversed()) {
        takeovers[side].push(
          await (open === null ? takeOverOnce(row, builds[side]) : open[side].takeOver(row)),
        );
      }
    }
  } finally {
    if (open !== null) await Promise.all(SIDES.map((side) => open[side].lab.stop()));
  }
  return row.figures.map((figure) => ({
    figure,
    here: takeovers.here.map(figure.of),
    there: takeovers.there.map(figure.of),
  }));
}

/** Memory and processor of both at rest, in the same minutes. */
export async function compareRest(row: Row, builds: Builds, seconds: number): Promise<readonly Compared[]> {
  const open = await openBoth(row, builds);
  try {
    await delay(FIRST_AFTER_MS * 5);
    const pids = { here: open.here.pid, there: open.there.pid };
    const before = { here: cpuMs(pids.here), there: cpuMs(pids.there), at: nowMs() };
    await delay(seconds * 1000);
    const forMs = nowMs() - before.at;
    const percent = (side: Side) => [((cpuMs(pids[side]) - before[side]) / forMs) * 100];
    const memory = (side: Side) => [memoryMiB(pids[side], 'VmRSS')];
    return [
      {
        figure: { what: 'memory at rest', unit: 'MiB', hold: 0.82 },
        here: memory('here'),
        there: memory('there'),
      },
      {
        figure: { what: 'share of a core at rest', unit: '%', hold: 0.5 },
        here: percent('here'),
        there: percent('there'),
      },
    ];
  } finally {
    await Promise.all(SIDES.map((side) => open[side].lab.stop()));
  }
}

async function openBoth(row: Row, builds: Builds): Promise<Readonly<Record<Side, Standby>>> {
  return { here: await Standby.open(row, builds.here), there: await Standby.open(row, builds.there) };
}

async function takeOverOnce(row: Row, main: string): Promise<Takeover> {
  const standby = await Standby.open(row, main);
  try {
    await delay(FIRST_AFTER_MS);
    return await standby.takeOver(row);
  } finally {
    await standby.lab.stop();
  }
}

/** A built daemon that watches its peer, which is a script. */
class Standby {
  readonly lab: AnyLab;
  readonly #daemon: DaemonProcess;
  readonly #start: Pick<Takeover, 'startMs' | 'startCpuMs'>;
  /** The interfaces of the peer that have the addresses at first. */
  readonly #homes: ReadonlyMap<string, string>;
  #watchedMs = -Infinity;
  #isFirst = true;

  private constructor(lab: AnyLab, daemon: DaemonProcess, start: Pick<Takeover, 'startMs' | 'startCpuMs'>) {
    this.lab = lab;
    this.#daemon = daemon;
    this.#start = start;
    this.#homes = new Map(
      lab.floatingAddresses.map((address) => [address, lab.world.ownerOf(address) ?? ''] as const),
    );
  }

  static async open({ open, prepare }: Row, main: string): Promise<Standby> {
    const lab = await open();
    try {
      const env = (await prepare?.(lab)) ?? {};
      const { configPath } = lab.routers.rtr2;
      const spawnedMs = nowMs();
      const daemon = lab.startDaemon('rtr2', {
        env,
        command: [process.execPath, main, 'run', '-c', configPath],
      });
      const known = await Promise.all([
        daemon.waitFor(({ event }) => event === 'streamsSynchronized', { deadlineMs: READY_MS }),
        daemon.waitFor(({ ha }) => ha === 'STANDBY', { deadlineMs: READY_MS }),
      ]);
      const startMs = Math.max(...known.map(({ receivedAtMs }) => receivedAtMs)) - spawnedMs;
      const standby = new Standby(lab, daemon, { startMs, startCpuMs: cpuMs(pidOf(daemon)) });
      await standby.#watch();
      return standby;
    } catch (error: unknown) {
      await lab.stop();
      throw error;
    }
  }

  get pid(): number {
    return pidOf(this.#daemon);
  }

  async takeOver(row: Row): Promise<Takeover> {
    const { lab } = this;
    const { begin, untilFirstWrite = false, endlessFromMs } = row;
    if (!this.#isFirst) {
      // Also from what EC2 carries out late: whoever has sent it may have given up on it.
      const again = setInterval(() => this.#peerHasAll(), 100);
      await this.#watch();
      clearInterval(again);
    }
    this.#isFirst = false;
    await delay(Math.max(0, this.#watchedMs + EVENTS_APART_MS - nowMs()));
    await this.#betweenKeepalives(row.process === 'new' ? KEEPALIVE_MS : SHORT_KEEPALIVE_MS);
    const since = { record: this.#daemon.mark(), request: lab.ec2.requests().at(-1)?.number ?? 0 };
    const first = nextWrites(lab.ec2, 1, endlessFromMs ?? MOVED_MS);
    const end = begin?.(lab);
    try {
      const eventMs = peerDies(lab.routers.rtr2.sim, this.#neighbors);
      const [write] = await first.catch((error: unknown) => {
        if (endlessFromMs !== undefined) return [];
        throw new Error(`${String(error)}\n${this.#daemon.tail()}`);
      });
      if (write === undefined)
        return { ...this.#start, firstWriteMs: Infinity, allMovedMs: endlessFromMs ?? Infinity, writes: 0 };
      const firstWriteMs = write.receivedAt - eventMs;
      if (untilFirstWrite)
        return { ...this.#start, firstWriteMs, allMovedMs: Number.NaN, writes: Number.NaN };
      await this.#daemon.waitFor(({ reason }) => /EC2 confirms attempt \d+: all targets/.test(reason ?? ''), {
        since: since.record,
        deadlineMs: MOVED_MS,
      });
      if (!lab.ownsAll('rtr2')) throw new Error(`not all targets have moved:\n${this.#daemon.tail()}`);
      const moves = [
        ...lab.world.targetHistory(),
        ...lab.floatingAddresses.flatMap((address) => lab.world.ownershipHistory(address)),
      ];
      const writes = lab.ec2
        .requests()
        .filter((request) => request.number > since.request && isWrite(request) && !isDryRun(request));
      return {
        ...this.#start,
        firstWriteMs,
        allMovedMs: Math.max(...moves.map(({ atMs }) => atMs)) - eventMs,
        writes: writes.length,
      };
    } finally {
      if (typeof end === 'function') end();
    }
  }

  get #neighbors(): readonly string[] {
    return this.lab.plan.paths.map(({ address }) => address[peerOf('rtr2')]);
  }

  async #watch(): Promise<void> {
    const since = this.#daemon.mark();
    peerLives(this.lab.routers.rtr2.sim, this.#neighbors);
    const watches = /this router is STANDBY and watches: all sessions are UP/i;
    await this.#daemon.waitFor(({ reason }) => watches.test(reason ?? ''), { since, deadlineMs: READY_MS });
    this.#watchedMs = nowMs();
  }

  /** Behind the daemon's back, as an operator would. */
  #peerHasAll(): void {
    for (const [address, networkInterfaceId] of this.#homes)
      this.lab.world.assign(networkInterfaceId, [address]);
  }

  /** A call that comes between the event and the first write is then one that the daemon makes because of the event. */
  async #betweenKeepalives(keepaliveMs: number): Promise<void> {
    const ageMs = () => nowMs() - (this.lab.ec2.requests().findLast(isRead)?.receivedAt ?? 0);
    const giveUpAt = nowMs() + READY_MS;
    while (ageMs() < keepaliveMs * 0.1 || ageMs() > keepaliveMs * 0.6) {
      if (nowMs() > giveUpAt)
        throw new Error(`no keepalives:
${this.#daemon.tail()}`);
      await delay(10);
    }
  }
}

function pidOf({ pid }: DaemonProcess): number {
  if (pid === undefined) throw new Error('the daemon has not started');
  return pid;
}
