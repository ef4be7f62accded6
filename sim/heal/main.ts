/** `npm run sim -- --heal --runs N [--seed S] [--story]`: the healer's core against a world in virtual time. */
import { join } from 'node:path';
import { shareOut } from '../workers';
import { mergedHealings, type HealBatch } from './batch';
import { HealViolation } from './checks';
import { runHealing } from './run';
import { healScenarioOf } from './scenario';

export async function healings({
  first,
  runs,
  jobs,
  story,
  isOver,
}: {
  readonly first: number;
  readonly runs: number;
  readonly jobs: number;
  /** Tell the run of the first seed. */
  readonly story: boolean;
  readonly isOver: () => boolean;
}): Promise<number> {
  if (story) {
    tellRun(first);
    return 0;
  }
  const startedAt = Date.now();
  const work = { entry: join(__dirname, 'worker.ts'), merged: mergedHealings };
  const batch = await shareOut(work, { first, count: runs }, jobs, isOver, () => undefined);
  const [broken] = batch.broken;
  if (broken !== undefined) tellRun(broken.seed);
  process.stdout.write(summaryOf(batch, { first, elapsedMs: Date.now() - startedAt, jobs }));
  return batch.broken.length > 0 ? 1 : 0;
}

function tellRun(seed: number): void {
  process.stdout.write(`\n=== seed ${seed}; again: npm run sim -- --heal --story --seed ${seed}\n`);
  try {
    runHealing(healScenarioOf(seed), (line) => process.stdout.write(`${line}\n`));
  } catch (error: unknown) {
    if (!(error instanceof HealViolation)) throw error;
    process.stdout.write(`${error.message}\n`);
  }
}

function summaryOf(
  { runs, healings: ended, counts, broken }: HealBatch,
  { first, elapsedMs, jobs }: { readonly first: number; readonly elapsedMs: number; readonly jobs: number },
): string {
  const kinds = [...new Set(broken.map(({ invariant }) => invariant))].map((invariant) => {
    const of = broken.filter((each) => each.invariant === invariant).map(({ seed }) => seed);
    return `  ${invariant}: ${of.length} runs, seeds ${of.slice(0, 40).join(' ')}`;
  });
  const of = (prefix: string): string =>
    Object.entries(counts)
      .filter(([name]) => name.startsWith(prefix))
      .sort(([, one], [, other]) => other - one)
      .map(([name, times]) => `${name.slice(prefix.length)} ${times}`)
      .join(', ');
  return [
    '',
    `${runs} runs, seeds ${first} to ${first + runs - 1}, ${ended} healings: ${broken.length} broke an invariant`,
    ...kinds,
    `${Math.round((runs / elapsedMs) * 1000)} runs a second with ${jobs} processes`,
    `faults: ${of('fault ')}`,
    `calls: ${of('call ')}`,
    `runs with alarm: ${of('alarm ')}`,
    '',
  ].join('\n');
}
