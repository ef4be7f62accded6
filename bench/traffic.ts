/**
 * What a user of the network sees of a failover: real BFD, real forwarding, a stream of packets (lab/real-router). Each
 * outage is measured from the packets and broken into its parts by what bfdd, EC2 and the VPC noted on one clock.
 */
import { always, logNormal, type DrawMs } from '../lab/real-router/distribution';
import { playFault, playSwitchover, type Outage, type Switchover } from '../lab/real-router/failover';
import { interfaceDown, linkCut, powerOff, type RealFault } from '../lab/real-router/faults';
import { startRealLab, type BfdTimers, type RealLab } from '../lab/real-router/realLab';
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

export type SwitchoverRow = { readonly ec2: string; readonly switchovers: readonly Switchover[] };

export type VpcRow = { readonly changes: number; readonly ownMs: readonly number[] };

export type TrafficResults = {
  readonly rows: readonly TrafficRow[];
  readonly switchovers: readonly SwitchoverRow[];
  /** From a change in EC2, without propagation time, to its effect. */
  readonly vpcMs: readonly number[];
};

export type TrafficOptions = {
  /** Of each fault, latency and pair of BFD timers. */
  readonly failovers: number;
  readonly say: (line: string) => void;
};

const timers: readonly BfdTimers[] = [50, 100, 300].map((intervalMs) => ({ intervalMs, multiplier: 3 }));
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

export function latencies(): readonly Ec2Latency[] {
  const random = randomOf(1);
  return [
    { name: '0 ms', drawMs: always(0) },
    { name: '150 ms', drawMs: always(150) },
    { name: 'heavy tail', drawMs: logNormal(TAIL, () => random.next()) },
  ];
}

export async function measureTraffic({ failovers, say }: TrafficOptions): Promise<TrafficResults> {
  const rows: TrafficRow[] = [];
  const switchovers: SwitchoverRow[] = [];
  const vpcMs: number[] = [];
  for (const bfd of timers) {
    const real = await startRealLab({ bfd, config: quick });
    try {
      await real.startPair();
      for (const ec2 of latencies()) {
        for (const fault of faults) {
          const outages = await repeated(failovers, () => {
            delayEc2(real, ec2);
            return playFault(real, fault).then(({ outage }) => outage);
          });
          rows.push({
            fault: fault.name,
            ec2: ec2.name,
            bfd,
            outages: outages.filter((each) => each !== null),
          });
          say(
            `${bfd.intervalMs} ms x ${bfd.multiplier}, EC2 ${ec2.name}, ${fault.name}: ${outages.length} done`,
          );
        }
        if (bfd === timers[0])
          switchovers.push({
            ec2: ec2.name,
            switchovers: await repeated(failovers, () => {
              delayEc2(real, ec2);
              return playSwitchover(real);
            }),
          });
      }
      vpcMs.push(...real.vpc.moves.map(({ appliedAtMs, dueAtMs }) => appliedAtMs - dueAtMs));
    } finally {
      await real.stop();
    }
  }
  return { rows, switchovers, vpcMs };
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
