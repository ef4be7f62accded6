/** Two production cores among random faults: `npm run sim` in short. A seed that breaks an invariant is told by it. */
import { scenarioOf } from '../../sim/scenario';
import { run } from '../../sim/world';

const SEEDS = 150;

test(`${SEEDS} random stories of two routers break no invariant`, () => {
  const first = Date.now() % 1_000_000;
  for (let seed = first; seed < first + SEEDS; seed += 1) {
    try {
      run(scenarioOf(seed));
    } catch (error: unknown) {
      throw new Error(`npm run sim -- --runs 1 --seed ${seed}`, { cause: error });
    }
  }
});
