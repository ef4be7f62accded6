/**
 * The soak with packets: random faults at routers of real parts, and an oracle that looks at what the user's packets
 * did as well: every failure that BFD sees moves everything once, nothing else moves, and no outage is longer than
 * the detection time of its fault and a bound. Works inside the enclosure only.
 */
import { playFault } from '../real-router/failover';
import { realFaults, type RealFault } from '../real-router/faults';
import { detectionMs, startRealLab, type RealLab } from '../real-router/realLab';
import { peerOf } from '../topology/plan';
import { median } from './memory';
import { randomOf } from './random';

export type TrafficSoakOptions = {
  readonly seed: number;
  /** Ends when this many failovers are done, or this moment has come (ms of `Date.now`). */
  readonly failovers: number;
  readonly until: number;
  readonly say: (line: string) => void;
};

export type TrafficSoakReport = {
  readonly rounds: number;
  readonly outagesMs: readonly number[];
  /** Null when everything was as it should be. */
  readonly failure: string | null;
};

/** On top of the detection time. */
export const BEYOND_DETECTION_MS = 1_500;

/** Quick keepalives, and no dampening to speak of: a round is short. */
const config = {
  keepalive_s: 1,
  staleness_s: 1,
  reestablish_s: 1,
  reestablish_after_interface_s: 0.5,
  damping_half_life_s: 1,
};

export async function trafficSoak({
  seed,
  failovers,
  until,
  say,
}: TrafficSoakOptions): Promise<TrafficSoakReport> {
  const random = randomOf(seed);
  const outagesMs: number[] = [];
  let rounds = 0;
  let fault: RealFault | null = null;
  const real = await startRealLab({ generation: 'mixed', config });
  try {
    await real.startPair();
    while (outagesMs.length < failovers && Date.now() < until) {
      fault = random.weighted(realFaults.map((each) => ({ ...each, weight: 1 })));
      rounds += 1;
      const outageMs = await playRound(real, fault);
      if (outageMs !== null) outagesMs.push(outageMs);
      if (rounds % 20 === 0)
        say(
          `${rounds} rounds, ${outagesMs.length} failovers, median outage ${median(outagesMs).toFixed(0)} ms`,
        );
    }
    return { rounds, outagesMs, failure: null };
  } catch (error: unknown) {
    const what = error instanceof Error ? error.message : String(error);
    return {
      rounds,
      outagesMs,
      failure: `round ${rounds} (${fault?.name ?? 'the start'}), seed ${seed}: ${what}`,
    };
  } finally {
    await real.stop();
  }
}

/** The outage that the user saw; null where nothing moved. */
async function playRound(real: RealLab, fault: RealFault): Promise<number | null> {
  const before = { owner: real.owner, moves: real.vpc.moves.length, forwarded: real.vpc.forwarded() };
  const { called, tookBack, user } = await playFault(real, fault);
  const moves = real.vpc.moves.length - before.moves;
  const right = (called ? 2 : 0) + (tookBack ? 2 : 0);
  if (moves !== right) throw real.failure(`packets were led elsewhere ${moves} times, ${right} was right`);
  const boundMs = BEYOND_DETECTION_MS + (fault.userSuffers ? detectionMs(real.bfd) : 0);
  const { longestSilenceMs } = user.udp;
  if (longestSilenceMs > boundMs)
    throw real.failure(`no answer for ${longestSilenceMs.toFixed(0)} ms, ${boundMs} ms is the bound`);
  if (user.udp.duplicates > 0) throw real.failure(`${user.udp.duplicates} answers came twice`);
  // With a takeover, and where it was taken back at once, both have forwarded in turn.
  if (!called) onlyOneForwards(real, before);
  return called ? longestSilenceMs : null;
}

type Before = Pick<RealLab, 'owner'> & { readonly forwarded: ReturnType<RealLab['vpc']['forwarded']> };

/** Where nothing moved, the other router has forwarded nothing. */
function onlyOneForwards(real: RealLab, { owner, forwarded }: Before): void {
  if (owner === null) return;
  const other = peerOf(owner);
  if (real.vpc.forwarded()[other].passed > forwarded[other].passed)
    throw real.failure(`${other} forwarded while ${owner} had everything`);
}
