/** Many healings, one after the other, and what came of them as plain data. */
import { Tally } from '../fired';
import { HealViolation } from './checks';
import { runHealing } from './run';
import { healScenarioOf } from './scenario';

export type HealBatch = {
  readonly runs: number;
  /** Healings that have been told to have ended. */
  readonly healings: number;
  readonly counts: { readonly [name: string]: number };
  readonly broken: readonly { readonly seed: number; readonly invariant: string }[];
};

/** A defect of the simulation itself is thrown, with its seed. */
export function runHealBatch(first: number, count: number): HealBatch {
  const tally = new Tally();
  const broken: { seed: number; invariant: string }[] = [];
  let healings = 0;
  for (let seed = first; seed < first + count; seed += 1) {
    const scenario = healScenarioOf(seed);
    for (const { kind } of scenario.faults) tally.count(`fault ${kind}`);
    try {
      const outcome = runHealing(scenario);
      healings += outcome.healings;
      for (const [action, times] of Object.entries(outcome.steps)) tally.add({ [`call ${action}`]: times });
      for (const code of Object.keys(outcome.alarms)) tally.count(`alarm ${code}`);
    } catch (error: unknown) {
      if (!(error instanceof HealViolation)) throw new Error(`seed ${seed}`, { cause: error });
      broken.push({ seed, invariant: error.invariant });
    }
  }
  return { runs: count, healings, counts: tally.counts, broken };
}

export function mergedHealings(batches: readonly HealBatch[]): HealBatch {
  const tally = new Tally();
  for (const { counts } of batches) tally.add(counts);
  return {
    runs: batches.reduce((sum, { runs }) => sum + runs, 0),
    healings: batches.reduce((sum, { healings }) => sum + healings, 0),
    counts: tally.counts,
    broken: batches.flatMap(({ broken }) => broken).sort((one, other) => one.seed - other.seed),
  };
}
