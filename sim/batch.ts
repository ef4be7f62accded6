/** Many runs, one after the other, and what came of them as plain data, so that several processes can share the work. */
import { SAMPLED_EACH, Tally } from './fired';
import { scenarioOf } from './scenario';
import { run, Violation } from './world';

export type Batch = {
  readonly runs: number;
  readonly steps: number;
  /** Milliseconds of processor time. */
  readonly cpuMs: number;
  readonly counts: { readonly [name: string]: number };
  /** Groups by how often their complete owner changed. */
  readonly changes: { readonly [times: string]: number };
  /** By whole seconds from healing to the moment since which all is well. */
  readonly converged: { readonly [seconds: string]: number };
  readonly broken: readonly { readonly seed: number; readonly invariant: string }[];
};

/** Runs `count` seeds from `first` on. A defect of the simulation itself is thrown, with its seed. */
export function runBatch(first: number, count: number): Batch {
  const tally = new Tally();
  const changes = new Tally();
  const converged = new Tally();
  const broken: { seed: number; invariant: string }[] = [];
  const before = process.cpuUsage();
  let steps = 0;
  for (let seed = first; seed < first + count; seed += 1) {
    try {
      const outcome = run(scenarioOf(seed), null, seed % SAMPLED_EACH === 0);
      steps += outcome.steps;
      tally.add(outcome.counts);
      for (const times of outcome.changes) changes.count(String(times));
      if (outcome.convergedMs !== null) converged.count(String(Math.ceil(outcome.convergedMs / 1000)));
    } catch (error: unknown) {
      if (!(error instanceof Violation)) throw new Error(`seed ${seed}`, { cause: error });
      broken.push({ seed, invariant: error.invariant });
    }
  }
  const { user, system } = process.cpuUsage(before);
  return {
    runs: count,
    steps,
    cpuMs: (user + system) / 1000,
    counts: tally.counts,
    changes: changes.counts,
    converged: converged.counts,
    broken,
  };
}

export function merged(batches: readonly Batch[]): Batch {
  const sum = (of: (batch: Batch) => number): number =>
    batches.reduce((total, batch) => total + of(batch), 0);
  const all = (
    of: (batch: Batch) => { readonly [name: string]: number },
  ): { readonly [name: string]: number } => {
    const tally = new Tally();
    for (const batch of batches) tally.add(of(batch));
    return tally.counts;
  };
  return {
    runs: sum(({ runs }) => runs),
    steps: sum(({ steps }) => steps),
    cpuMs: sum(({ cpuMs }) => cpuMs),
    counts: all(({ counts }) => counts),
    changes: all(({ changes }) => changes),
    converged: all(({ converged }) => converged),
    broken: batches.flatMap(({ broken }) => broken).sort((one, other) => one.seed - other.seed),
  };
}
