/**
 * What a user of the network sees of a failover: real BFD, real forwarding, a stream of packets (lab/real-router). Each
 * outage is measured from the packets and broken into its parts by what bfdd, EC2 and the VPC noted on one clock.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { always, logNormal, type DrawMs } from '../lab/real-router/distribution';
import { playFault, playSwitchover, type Outage, type Switchover } from '../lab/real-router/failover';
import { interfaceDown, linkCut, powerOff, type RealFault } from '../lab/real-router/faults';
import { startRealLab, type BfdTimers, type RealLab } from '../lab/real-router/realLab';
import { watch, type Watch } from '../lab/real-router/watch';
import { randomOf } from '../lab/soak/random';

export type Ec2Latency = {
  readonly name: string;
  /** Milliseconds of the next call. */
  readonly drawMs: DrawMs;
};

export type TrafficRow = {
  readonly fault: string;
  readonly ec2: string;
  readonly bfd: BfdTimers;
  readonly outages: readonly Outage[];
};

/** With a VPC that takes its time. */
export type PropagationRow = { readonly medianMs: number; readonly outages: readonly Outage[] };

export type SwitchoverRow = { readonly ec2: string; readonly switchovers: readonly Switchover[] };

export type TrafficResults = {
  readonly rows: readonly TrafficRow[];
  readonly switchovers: readonly SwitchoverRow[];
  /** The longest silence in a time as long as a switchover, while nothing at all happens: the machine's own unrest. */
  readonly unrestMs: readonly number[];
  readonly propagation: PropagationRow;
  readonly watch: Watch;
  /** From a change in EC2, without propagation time, to its effect. */
  readonly vpcMs: readonly number[];
};

export type TrafficOptions = {
  /** Of each fault, latency and pair of BFD timers. */
  readonly failovers: number;
  /** How long two healthy routers are watched for false alarms. */
  readonly watchS: number;
  readonly say: (line: string) => void;
};

const timers: readonly BfdTimers[] = [50, 100, 300].map((intervalMs) => ({ intervalMs, multiplier: 3 }));
const AS_LONG_AS_A_SWITCHOVER_MS = 1_200;
const WATCHED_BFD: BfdTimers = { intervalMs: 100, multiplier: 3 };
const faults: readonly RealFault[] = [powerOff, interfaceDown, linkCut];

/** Made for many failovers in a short time: quick keepalives, and no dampening. Nothing of it is on the takeover path. */
export const quick = {
  keepalive_s: 1,
  staleness_s: 1,
  reestablish_s: 1,
  reestablish_after_interface_s: 0.5,
  damping_half_life_s: 1,
} as const;

/** The tail is log-normal: half of the calls take 150 ms and more, one of twenty 600 ms and more. */
const TAIL = { medianMs: 150, sigma: 0.85 } as const;
/** Nobody publishes what a VPC takes: a guess with a tail, so that what it does to an outage can be seen. */
const PROPAGATION = { medianMs: 100, sigma: 0.5 } as const;

export function latencies(): readonly Ec2Latency[] {
  const random = randomOf(1);
  return [
    { name: '0 ms', drawMs: always(0) },
    { name: '150 ms', drawMs: always(150) },
    { name: 'heavy tail', drawMs: logNormal(TAIL, () => random.next()) },
  ];
}

export async function measureTraffic(options: TrafficOptions): Promise<TrafficResults> {
  const { failovers, watchS, say } = options;
  const rows: TrafficRow[] = [];
  const switchovers: SwitchoverRow[] = [];
  const vpcMs: number[] = [];
  const unrestMs: number[] = [];
  let propagation: PropagationRow = { medianMs: PROPAGATION.medianMs, outages: [] };
  for (const bfd of timers) {
    const real = await startRealLab({ bfd, config: quick });
    try {
      await real.startPair();
      for (const ec2 of latencies()) {
        rows.push(...(await faultRows(real, ec2, options)));
        if (bfd === timers[0])
          switchovers.push({ ec2: ec2.name, switchovers: await planned(real, ec2, failovers) });
      }
      vpcMs.push(...real.vpc.moves.map(({ appliedAtMs, dueAtMs }) => appliedAtMs - dueAtMs));
      if (bfd === timers[0]) {
        unrestMs.push(...(await repeated(failovers, () => unrest(real))));
        propagation = await slowVpc(real, failovers);
      }
    } finally {
      await real.stop();
    }
  }
  say(`slow VPC: ${propagation.outages.length} done`);
  return { rows, switchovers, unrestMs, propagation, vpcMs, watch: await watched(watchS) };
}

async function faultRows(
  real: RealLab,
  ec2: Ec2Latency,
  { failovers, say }: TrafficOptions,
): Promise<readonly TrafficRow[]> {
  const { bfd } = real;
  const rows: TrafficRow[] = [];
  for (const fault of faults) {
    const outages = await repeated(failovers, () => outageOf(real, ec2, fault));
    rows.push({ fault: fault.name, ec2: ec2.name, bfd, outages: outages.filter((each) => each !== null) });
    say(`${bfd.intervalMs} ms x ${bfd.multiplier}, EC2 ${ec2.name}, ${fault.name}: ${outages.length} done`);
  }
  return rows;
}

async function outageOf(real: RealLab, ec2: Ec2Latency, fault: RealFault): Promise<Outage | null> {
  delayEc2(real, ec2);
  return (await playFault(real, fault)).outage;
}

const planned = (real: RealLab, ec2: Ec2Latency, times: number): Promise<readonly Switchover[]> =>
  repeated(times, () => {
    delayEc2(real, ec2);
    return playSwitchover(real);
  });

async function unrest(real: RealLab): Promise<number> {
  await real.user.begin();
  await delay(AS_LONG_AS_A_SWITCHOVER_MS);
  return (await real.user.report()).udp.longestSilenceMs;
}

async function slowVpc(real: RealLab, times: number): Promise<PropagationRow> {
  const [, ec2] = latencies();
  if (ec2 === undefined) throw new Error('no latency to compare at');
  const random = randomOf(2);
  real.vpc.propagation = logNormal(PROPAGATION, () => random.next());
  const outages = await repeated(times, () => outageOf(real, ec2, powerOff));
  return { medianMs: PROPAGATION.medianMs, outages: outages.filter((each) => each !== null) };
}

/** Nothing is to move that BFD has not called for. */
async function watched(seconds: number): Promise<Watch> {
  const real = await startRealLab({ generation: 'mixed', bfd: WATCHED_BFD, config: quick });
  try {
    await real.startPair();
    return await watch(real, { seconds, loss: 0.01, hungry: 1 });
  } finally {
    await real.stop();
  }
}

export function delayEc2(real: RealLab, { drawMs }: Ec2Latency): void {
  real.lab.ec2.clearFaults();
  const ms = drawMs();
  if (ms > 0) real.lab.ec2.addFault({ kind: 'latency', ms });
}

async function repeated<T>(times: number, once: () => Promise<T>): Promise<readonly T[]> {
  const all: T[] = [];
  while (all.length < times) all.push(await once());
  return all;
}
