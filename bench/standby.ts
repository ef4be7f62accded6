/**
 * The built daemon as the standby of a lab, with nothing else at work: the peer is a script. BFD is set by
 * hand, and between two takeovers an operator gives the addresses back to the peer behind the daemon's back.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { DaemonProcess } from '../lab/daemonProcess';
import { isDryRun, isRead, isWrite } from '../lab/ec2-emulator/requestLog';
import type { Generation } from '../lab/slapi-sim/wire';
import { startLab, type Lab } from '../lab/topology/topology';
import type { ExtraKeys, LabStore } from '../lab/topology/config';
import type { LabRouter } from '../lab/topology/router';
import { nextWrites, nowMs, peerDies, peerLives } from './event';

export type StandbyOptions = {
  readonly generation: Generation;
  readonly interfaces: number;
  /** Seconds; default: that of the product. */
  readonly keepaliveS?: number;
  /** Of every EC2 call, in ms; default none. */
  readonly latencyMs?: number;
  readonly store?: LabStore;
  readonly config?: ExtraKeys;
  /** What to start in place of the built daemon, for one in a container. */
  readonly command?: (router: LabRouter) => readonly string[];
  /** What else is to end with it, and before the lab. */
  readonly ended?: () => Promise<unknown>;
};

export type OpenStandby = (options: StandbyOptions) => Promise<Standby>;

/** Milliseconds since the first BFD DOWN was written, but for the counts. */
export type Takeover = {
  readonly firstWriteMs: number;
  readonly lastWriteMs: number;
  /** EC2 has made the last change. */
  readonly allMovedMs: number;
  /** As the daemon saw it, since the event reached it. */
  readonly daemon: { readonly decidedMs: number; readonly firstSentMs: number };
  readonly callsBeforeFirstWrite: number;
  readonly writes: number;
  readonly attempts: number;
};

/** Milliseconds until the sessions were programmed, their levels known and the role too. */
export type StartTimes = { readonly sinceSpawnMs: number; readonly sinceFirstCallMs: number };

/** The fabric must not interfere: the peer's sessions do not exist. */
const NEVER_MS = 2 ** 31 - 1;
const DEADLINE_MS = 30_000;
const EVENTS_APART_MS = 1_000;

export async function openStandby(options: StandbyOptions): Promise<Standby> {
  const { generation, interfaces, keepaliveS, latencyMs = 0, store = 'file', config, command } = options;
  const { ended = () => Promise.resolve() } = options;
  const lab = await startLab({
    generation,
    interfaces,
    store,
    fabric: { bringUpMs: NEVER_MS, detectTimeMs: NEVER_MS },
    // A quick succession of owners: an answer of EC2 is believed soon after a write.
    config: {
      ...(keepaliveS === undefined
        ? {}
        : { keepalive_s: keepaliveS, staleness_s: 0.2, damping_half_life_s: 1 }),
      ...config,
    },
  });
  try {
    if (latencyMs > 0) lab.ec2.addFault({ kind: 'latency', ms: latencyMs });
    const spawnedMs = nowMs();
    const daemon = lab.startDaemon(
      'rtr2',
      command === undefined ? {} : { command: command(lab.routers.rtr2) },
    );
    const known = await Promise.all([
      daemon.waitFor(({ event }) => event === 'streamsSynchronized', { deadlineMs: DEADLINE_MS }),
      daemon.waitFor(({ ha }) => ha === 'STANDBY', { deadlineMs: DEADLINE_MS }),
    ]);
    const readyMs = Math.max(...known.map(({ receivedAtMs }) => receivedAtMs));
    const firstCallMs = lab.routers.rtr2.sim.received()[0]?.atMs ?? Number.NaN;
    const start = { sinceSpawnMs: readyMs - spawnedMs, sinceFirstCallMs: readyMs - firstCallMs };
    const standby = new Standby({
      lab,
      daemon,
      start,
      keepaliveMs: (keepaliveS ?? 10) * 1000,
      stop: async () => {
        await ended();
        await lab.stop();
      },
    });
    await standby.watch();
    return standby;
  } catch (error: unknown) {
    await ended();
    await lab.stop();
    throw error;
  }
}

export class Standby {
  readonly lab: Lab;
  readonly daemon: DaemonProcess;
  readonly start: StartTimes;
  readonly stop: () => Promise<void>;
  readonly #keepaliveMs: number;
  readonly #neighbors: readonly string[];
  #lastEventMs = -Infinity;
  #lastReadMs = -Infinity;

  constructor({
    lab,
    daemon,
    start,
    stop,
    keepaliveMs,
  }: Pick<Standby, 'lab' | 'daemon' | 'start' | 'stop'> & { readonly keepaliveMs: number }) {
    this.lab = lab;
    this.daemon = daemon;
    this.start = start;
    this.stop = stop;
    this.#keepaliveMs = keepaliveMs;
    // The lab has a session on each of the first two interfaces.
    this.#neighbors = lab.plan.interfaces.slice(0, 2).map(({ primaryAddress }) => primaryAddress.rtr1);
    lab.ec2.onRequest((request) => {
      if (isRead(request)) this.#lastReadMs = request.receivedAt;
    });
  }

  /** The peer holds the addresses and lives; resolves when the daemon knows. */
  async watch(): Promise<void> {
    const { lab, daemon } = this;
    const since = daemon.mark();
    for (const { networkInterfaceId, floatingAddress } of lab.plan.interfaces) {
      lab.world.assign(networkInterfaceId.rtr1, [floatingAddress]);
    }
    peerLives(lab.routers.rtr2.sim, this.#neighbors);
    const watches = /this router is STANDBY and watches: all sessions are UP/i;
    await daemon.waitFor(({ reason }) => watches.test(reason ?? ''), { since, deadlineMs: DEADLINE_MS });
  }

  /**
   * At least a second after the latest event, and in the middle of a keepalive interval: a call that comes
   * between the event and the first write is then one that the daemon makes because of the event.
   */
  async untilNextEvent(): Promise<void> {
    await delay(Math.max(this.#lastEventMs + EVENTS_APART_MS - nowMs(), 0));
    const isMiddle = () => {
      const age = (nowMs() - this.#lastReadMs) / this.#keepaliveMs;
      return age > 0.3 && age < 0.6;
    };
    const giveUpAt = nowMs() + DEADLINE_MS;
    do {
      if (nowMs() > giveUpAt)
        throw new Error(`${this.daemon.name} makes no keepalives:\n${this.daemon.tail()}`);
      await delay(10 + Math.random() * 40);
    } while (!isMiddle());
  }

  /** The peer dies; resolves when EC2 has confirmed the takeover. */
  async takeOver(): Promise<Takeover> {
    const { lab, daemon } = this;
    const { interfaces } = lab.plan;
    const since = { record: daemon.mark(), request: lab.ec2.requests().at(-1)?.number ?? 0 };
    const writes = nextWrites(lab.ec2, interfaces.length);
    const eventMs = peerDies(lab.routers.rtr2.sim, this.#neighbors);
    this.#lastEventMs = eventMs;
    const receivedMs = (await writes).map(({ receivedAt }) => receivedAt - eventMs);
    const timeline = await daemon.waitFor(({ event }) => event === 'takeoverTimeline', {
      since: since.record,
      deadlineMs: DEADLINE_MS,
    });
    const requests = lab.ec2
      .requests()
      .filter((request) => request.number > since.request && !isDryRun(request));
    const moves = interfaces.map(
      ({ floatingAddress }) => lab.world.ownershipHistory(floatingAddress).at(-1)?.atMs ?? Number.NaN,
    );
    if (!lab.ownsAll('rtr2')) throw new Error(`not all addresses have moved:\n${daemon.tail()}`);
    const begun = daemon
      .recordsSince(since.record)
      .filter(({ reason }) => /\btaking over \d/i.test(reason ?? ''));
    return {
      firstWriteMs: Math.min(...receivedMs),
      lastWriteMs: Math.max(...receivedMs),
      allMovedMs: Math.max(...moves) - eventMs,
      daemon: {
        decidedMs: Number(timeline['decidedMs']),
        firstSentMs: Number(timeline['firstSentMs']),
      },
      callsBeforeFirstWrite: requests.findIndex(isWrite),
      writes: requests.filter(isWrite).length,
      attempts: new Set(begun.map(({ attempt }) => attempt)).size,
    };
  }
}
