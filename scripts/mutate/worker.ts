/**
 * Tries one mutant after the other, in a process of its own, so that a mutant that eats all memory takes nothing else
 * with it. Told the bundles first and then tasks, it answers each with what caught the mutant.
 */
import { failureOf, simulationOf, testsOf, type Case } from './harness';

export type Sources = { readonly tests: string; readonly simulation: string | null };
export type Task = {
  readonly mutant: number;
  /** Indices of test cases, in the order of trying. */
  readonly cases: readonly number[];
  readonly seeds: readonly number[];
};
/** The first test or seed that fails with the mutant on; null: it survives. */
export type Caught =
  | { readonly by: 'test'; readonly name: string }
  | { readonly by: 'simulation'; readonly seed: number }
  | null;
export type Answer = { readonly mutant: number; readonly caught: Caught };

type Judge = (task: Task) => Caught;

function judgeOf({ tests, simulation }: Sources): Judge {
  const load = testsOf(tests);
  const loadSimulation = simulation === null ? null : simulationOf(simulation);
  return ({ mutant, cases, seeds }) => {
    let loaded: readonly Case[] = [];
    if (failureOf(() => (loaded = load(mutant))) !== null) return { by: 'test', name: 'loading' };
    for (const index of cases) {
      const one = loaded[index];
      if (one === undefined || failureOf(one.run) !== null)
        return { by: 'test', name: one?.name ?? 'collecting' };
    }
    if (loadSimulation === null) return null;
    let run: (seed: number) => void = () => undefined;
    if (failureOf(() => (run = loadSimulation(mutant))) !== null) return { by: 'simulation', seed: 0 };
    const seed = seeds.find((seed) => failureOf(() => run(seed)) !== null);
    return seed === undefined ? null : { by: 'simulation', seed };
  };
}

let judge: Judge = () => null;

process.on('message', (message: Sources | Task) => {
  if ('tests' in message) judge = judgeOf(message);
  else process.send?.({ mutant: message.mutant, caught: judge(message) } satisfies Answer);
});
