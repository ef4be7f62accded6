/** What may happen in one round of the soak with packets, and under what conditions; traffic.ts judges what came of it. */
import { always, logNormal } from '../real-router/distribution';
import { playFault, playSwitchover } from '../real-router/failover';
import { realFaults, type RealFault } from '../real-router/faults';
import { detectionMs, type RealLab } from '../real-router/realLab';
import { watch } from '../real-router/watch';
import type { Random } from './random';

/** What EC2 takes for each call, and the VPC for each change, in this round. */
export type Conditions = { readonly ec2Ms: number; readonly propagationMs: number };

export type PlayedRound = {
  readonly silenceMs: number;
  /** The part of the silence that the fault itself explains: the detection time where packets are lost by it. */
  readonly explainedMs: number;
  /**
   * How many takeovers were right: more than that are so where BFD called for each of them. Null: the round itself
   * judges that.
   */
  readonly takeovers: number | null;
  readonly failovers: number;
  readonly duplicates: number;
};

export type TrafficRound = {
  readonly name: string;
  readonly weight: number;
  /** An operator asks for the move; else BFD has to. */
  readonly isPlanned: boolean;
  /** @throws Error where what has to come of it does not. */
  readonly play: (real: RealLab) => Promise<PlayedRound>;
};

const faultRound = (fault: RealFault): TrafficRound => ({
  name: fault.name,
  weight: 3,
  isPlanned: false,
  play: async (real) => {
    const { called, tookBack, user } = await playFault(real, fault);
    return {
      silenceMs: user.udp.longestSilenceMs,
      explainedMs: fault.userSuffers ? detectionMs(real.bfd) : 0,
      takeovers: (called ? 1 : 0) + (tookBack ? 1 : 0),
      failovers: called ? 1 : 0,
      duplicates: user.udp.duplicates,
    };
  },
});

const switchover: TrafficRound = {
  name: 'planned switchover',
  weight: 3,
  isPlanned: true,
  play: async (real) => {
    const { user } = await playSwitchover(real);
    const { longestSilenceMs, duplicates } = user.udp;
    return { silenceMs: longestSilenceMs, explainedMs: 0, takeovers: 1, failovers: 1, duplicates };
  },
};

const LOSS_S = 4;
/** Without load, whatever was begun under it is done. */
const QUIET_AFTER_MS = 3_000;

/**
 * BFD may go down by it, and calls for a takeover then. How long that takes is not judged: who sends and counts the
 * packets is as starved as everything else.
 */
const lossAndLoad: TrafficRound = {
  name: `${LOSS_S} s of 1 % random loss and a busy CPU`,
  weight: 1,
  isPlanned: false,
  play: async (real) => {
    const seen = await watch(real, { seconds: LOSS_S, loss: 0.01, hungry: 1 });
    if (seen.falseTakeovers > 0)
      throw real.failure(`${seen.falseTakeovers} takeovers that BFD had not called for`);
    await quiet(real);
    await real.settled();
    const { duplicates } = seen.user.udp;
    return { silenceMs: 0, explainedMs: 0, takeovers: null, failovers: 0, duplicates };
  },
};

async function quiet(real: RealLab): Promise<void> {
  let [moves, sinceMs] = [real.vpc.moves.length, Date.now()];
  await real.until('the VPC to have no more changes', () => {
    if (moves !== real.vpc.moves.length) [moves, sinceMs] = [real.vpc.moves.length, Date.now()];
    return Date.now() - sinceMs > QUIET_AFTER_MS;
  });
}

export const trafficRounds: readonly TrafficRound[] = [
  ...realFaults.map(faultRound),
  switchover,
  lossAndLoad,
];

export function drawConditions(random: Random): Conditions {
  const tail = logNormal({ medianMs: 150, sigma: 0.85 }, () => random.next());
  const quick = logNormal({ medianMs: 40, sigma: 0.85 }, () => random.next());
  const ec2 = random.weighted([always(0), always(150), tail].map((drawMs) => ({ drawMs, weight: 1 })));
  const vpc = random.weighted([always(0), quick].map((drawMs) => ({ drawMs, weight: 1 })));
  return { ec2Ms: Math.round(ec2.drawMs()), propagationMs: Math.round(vpc.drawMs()) };
}
