/** From the BFD event to the writes: many takeovers of one process, and the first ones of many. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Generation } from '../lab/slapi-sim/wire';
import { setApart } from './cores';
import { openFloor, type Floor, type FloorSample } from './floor';
import { openStandby, type OpenStandby, type Standby, type StartTimes, type Takeover } from './standby';
import type { Count } from './statistics';

export type LatencyRow = {
  readonly generation: Generation;
  readonly interfaces: number;
  readonly takeovers: readonly Takeover[];
  readonly floor: readonly FloorSample[];
  /** With one question to the router in between; null where the daemon asks none. */
  readonly floorAsking: readonly FloorSample[] | null;
};

export type FirstRow = {
  readonly generation: Generation;
  readonly interfaces: number;
  readonly takeovers: readonly Takeover[];
  readonly starts: readonly StartTimes[];
};

export type MovedRow = {
  readonly interfaces: number;
  readonly latencyMs: number;
  readonly takeovers: readonly Takeover[];
};

type Subject = { readonly generation: Generation; readonly interfaces: number };

/** Far below the default of 10 s, so that the role is known again soon after each takeover. */
const KEEPALIVE_S = 0.5;
/** What the router and EC2 have settled by, before the first event of a process. */
const FIRST_AFTER_MS = 2_000;
const BREATH_MS = 60;

/** A floor sample is taken with each takeover, so that both have seen the same machine. */
export async function measureLatency(
  subject: Subject,
  samples: number,
  open: OpenStandby = openStandby,
  /** The processes that are to be on other cores than the bench; default: the scheduler decides. */
  apart?: () => Promise<readonly number[]>,
): Promise<LatencyRow> {
  const { interfaces, generation } = subject;
  const running: { stop(): Promise<void> }[] = [];
  const opened = <T extends { stop(): Promise<void> }>(one: T): T => {
    running.push(one);
    return one;
  };
  try {
    const floor = opened(await openFloor({ interfaces, asks: false }));
    const floorAsking = generation === 'gen1' ? opened(await openFloor({ interfaces, asks: true })) : null;
    const standby = opened(await open({ ...subject, keepaliveS: KEEPALIVE_S }));
    if (apart !== undefined) {
      const clients = [floor, floorAsking].flatMap((one) => one?.pid ?? []);
      const together = setApart([...clients, ...(await apart())]);
      running.push({ stop: () => Promise.resolve(together()) });
    }
    const [takeovers, floors, asking]: [Takeover[], FloorSample[], FloorSample[]] = [[], [], []];
    // The first takeover of a process has a table of its own.
    await floor.sample();
    await floorAsking?.sample();
    await takeOverOnce(standby);
    for (let count = 0; count < samples; count += 1) {
      floors.push(await quietly(floor));
      if (floorAsking !== null) asking.push(await quietly(floorAsking));
      takeovers.push(await takeOverOnce(standby));
    }
    return { ...subject, takeovers, floor: floors, floorAsking: floorAsking === null ? null : asking };
  } finally {
    await Promise.all(running.map((one) => one.stop()));
  }
}

/** The configuration is as delivered, the keepalive 10 s. */
export async function measureFirst(
  subject: Subject,
  starts: number,
  open: OpenStandby = openStandby,
): Promise<FirstRow> {
  const row = { takeovers: [] as Takeover[], starts: [] as StartTimes[] };
  for (let count = 0; count < starts; count += 1) {
    const standby = await open(subject);
    try {
      await delay(FIRST_AFTER_MS);
      row.takeovers.push(await standby.takeOver());
      row.starts.push(standby.start);
    } finally {
      await standby.stop();
    }
  }
  return { ...subject, ...row };
}

export async function measureMoved(
  interfaces: number,
  latencyMs: number,
  samples: number,
  open: OpenStandby = openStandby,
): Promise<MovedRow> {
  const standby = await open({ generation: 'gen1', interfaces, latencyMs, keepaliveS: KEEPALIVE_S });
  try {
    await takeOverOnce(standby);
    const takeovers: Takeover[] = [];
    for (let count = 0; count < samples; count += 1) takeovers.push(await takeOverOnce(standby));
    return { interfaces, latencyMs, takeovers };
  } finally {
    await standby.stop();
  }
}

export function takeoverCounts(interfaces: number, takeovers: readonly Takeover[]): readonly Count[] {
  const where = `${interfaces} interface${interfaces === 1 ? '' : 's'}`;
  const count = (what: string, expected: number, of: (takeover: Takeover) => number): Count => ({
    what: `${what}, ${where}`,
    expected,
    seen: takeovers.map(of),
  });
  return [
    count('EC2 calls between the event and the first write', 0, (each) => each.callsBeforeFirstWrite),
    count('writes of a takeover', interfaces, ({ writes }) => writes),
    count('attempts of the daemon', 1, ({ attempts }) => attempts),
  ];
}

/** In the middle of a keepalive, and until the daemon watches again. */
export async function takeOverOnce(standby: Standby): Promise<Takeover> {
  await standby.untilNextEvent();
  const takeover = await standby.takeOver();
  await standby.watch();
  return takeover;
}

async function quietly(floor: Floor): Promise<FloorSample> {
  await delay(BREATH_MS);
  return floor.sample();
}
