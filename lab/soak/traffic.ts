/**
 * The soak with packets: random faults at routers of real parts, and an oracle that looks at what the user's packets
 * did as well. Every failure that BFD sees moves everything, and nothing else moves; no outage is longer than its
 * fault explains; at no time do both routers forward. Works inside the enclosure only.
 */
import { ForwardingLog } from '../real-router/forwardingLog';
import { startRealLab, type RealLab } from '../real-router/realLab';
import { takeoversSince, watchMark } from '../real-router/watch';
import { median } from './memory';
import { randomOf } from './random';
import { drawConditions, trafficRounds, type TrafficRound } from './trafficRounds';

export type TrafficSoakOptions = {
  readonly seed: number;
  /** Ends when this many failovers are done, or this moment has come (ms of `Date.now`). */
  readonly failovers: number;
  readonly until: number;
  readonly say: (line: string) => void;
};

export type TrafficSoakReport = {
  readonly rounds: number;
  /** How often each kind of round was played. */
  readonly played: ReadonlyMap<string, number>;
  readonly outagesMs: readonly number[];
  /** How much of each outage its fault, EC2 and the VPC do not explain. */
  readonly beyondMs: readonly number[];
  /** Looks at who forwards, between which nothing moved: one router each time, or the soak has failed. */
  readonly looks: number;
  /** Takeovers more than the faults explain, each after a BFD DOWN of its own: the machine stood still. */
  readonly flaps: number;
  /** Null when everything was as it should be. */
  readonly failure: string | null;
};

/** On top of what detection, EC2 and the VPC may take. */
export const BEYOND_MS = 1_500;

/** Quick keepalives, and no dampening to speak of: a round is short. */
const config = {
  keepalive_s: 1,
  staleness_s: 1,
  reestablish_s: 1,
  reestablish_after_interface_s: 0.5,
  damping_half_life_s: 1,
};

export async function trafficSoak(options: TrafficSoakOptions): Promise<TrafficSoakReport> {
  const real = await startRealLab({ generation: 'mixed', config });
  const soak = new TrafficSoak(real, options);
  try {
    await real.startPair();
    return await soak.run();
  } finally {
    await soak.stop();
    await real.stop();
  }
}

class TrafficSoak {
  readonly #real: RealLab;
  readonly #options: TrafficSoakOptions;
  readonly #log: ForwardingLog;
  readonly #played = new Map<string, number>();
  readonly #outagesMs: number[] = [];
  readonly #beyondMs: number[] = [];
  #rounds = 0;
  #looks = 0;
  #flaps = 0;

  constructor(real: RealLab, options: TrafficSoakOptions) {
    this.#real = real;
    this.#options = options;
    this.#log = new ForwardingLog(real.vpc);
  }

  async run(): Promise<TrafficSoakReport> {
    const { seed, failovers, until } = this.#options;
    const random = randomOf(seed);
    while (this.#outagesMs.length < failovers && Date.now() < until) {
      const round = random.weighted(trafficRounds);
      const conditions = drawConditions(random);
      this.#rounds += 1;
      this.#played.set(round.name, (this.#played.get(round.name) ?? 0) + 1);
      try {
        await this.#play(round, conditions);
      } catch (error: unknown) {
        const what = error instanceof Error ? error.message : String(error);
        const { ec2Ms, propagationMs } = conditions;
        return this.#report(
          `round ${this.#rounds} (${round.name}; EC2 ${ec2Ms} ms, VPC ${propagationMs} ms), seed ${seed}: ${what}`,
        );
      }
      if (this.#rounds % 20 === 0) this.#say();
    }
    return this.#report(null);
  }

  async stop(): Promise<void> {
    await this.#log.stop();
  }

  async #play(round: TrafficRound, conditions: ReturnType<typeof drawConditions>): Promise<void> {
    const real = this.#real;
    const { ec2Ms, propagationMs } = conditions;
    real.lab.ec2.clearFaults();
    if (ec2Ms > 0) real.lab.ec2.addFault({ kind: 'latency', ms: ec2Ms });
    real.vpc.propagation = () => propagationMs;
    const mark = watchMark(real);
    const { silenceMs, explainedMs, takeovers, failovers, duplicates } = await round.play(real);
    const seen = takeoversSince(real, mark);
    const more = takeovers === null ? 0 : seen.all - takeovers;
    // Who was given everything by a switchover has not seen anybody go DOWN.
    const uncalled = seen.notCalled - (round.isPlanned ? 1 : 0);
    if (more < 0 || uncalled > 0)
      throw real.failure(
        `${seen.all} takeovers, ${takeovers ?? 'any'} were right; ${uncalled} were not called for by BFD`,
      );
    this.#flaps += more;
    const parts = explainedMs + (failovers > 0 ? ec2Ms + propagationMs : 0);
    const beyondMs = silenceMs - parts * (1 + more);
    if (beyondMs > BEYOND_MS)
      throw real.failure(
        `no answer for ${silenceMs.toFixed(0)} ms, ${(silenceMs - beyondMs + BEYOND_MS).toFixed(0)} ms is the bound`,
      );
    if (duplicates > 0) throw real.failure(`${duplicates} answers came twice`);
    const { quiet, both } = this.#log.take();
    this.#looks += quiet;
    if (both > 0) throw real.failure(`both routers forwarded while nothing moved, seen ${both} times`);
    if (failovers === 0) return;
    this.#outagesMs.push(silenceMs);
    this.#beyondMs.push(beyondMs);
  }

  #say(): void {
    this.#options.say(
      `${this.#rounds} rounds, ${this.#outagesMs.length} failovers, median outage ${median(this.#outagesMs).toFixed(0)} ms`,
    );
  }

  #report(failure: string | null): TrafficSoakReport {
    return {
      rounds: this.#rounds,
      played: this.#played,
      outagesMs: this.#outagesMs,
      beyondMs: this.#beyondMs,
      looks: this.#looks,
      flaps: this.#flaps,
      failure,
    };
  }
}
