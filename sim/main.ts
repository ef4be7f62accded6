/**
 * `npm run sim -- --runs N [--seed S]`: so many runs from this seed on. A run that breaks an invariant prints its
 * seed, the invariant and its shortest story; the exit code then is 1.
 */
import { parseArgs } from 'node:util';
import { scenarioOf, type Scenario } from './scenario';
import { shrink } from './shrink';
import { run, Violation } from './world';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    /** How many failing runs to tell. */
    tell: { type: 'string', default: '3' },
    /** Tell this one run from the beginning, whatever its end. */
    story: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
});

const first = Number(values.seed);
const runs = values.story ? 1 : Number(values.runs);
const found = new Map<string, number[]>();
const begun = new Map<string, number>();
const changes = new Map<number, number>();
const converged: { readonly ms: number; readonly seed: number }[] = [];
/** Runs with a single fault and no preferred router: how often the owner changed, by fault. */
const single = new Map<string, Map<number, number[]>>();
let steps = 0;
const startedAt = performance.now();

for (let seed = first; seed < first + runs; seed += 1) {
  const scenario = scenarioOf(seed);
  try {
    const outcome = run(scenario);
    steps += outcome.steps;
    for (const [what, times] of outcome.begun) begun.set(what, (begun.get(what) ?? 0) + times);
    changes.set(outcome.changes, (changes.get(outcome.changes) ?? 0) + 1);
    countSingle(scenario, outcome.changes);
    if (outcome.convergedMs !== null) converged.push({ ms: outcome.convergedMs, seed });
  } catch (error: unknown) {
    if (!(error instanceof Violation)) {
      process.stdout.write(`seed ${seed}: ${error instanceof Error ? (error.stack ?? '') : String(error)}\n`);
      tellStory(scenario);
      process.exit(1);
    }
    found.set(error.invariant, [...(found.get(error.invariant) ?? []), seed]);
  }
}
const elapsedMs = performance.now() - startedAt;

if (values.story) tellStory(scenarioOf(first));
for (const [invariant, seeds] of found) {
  if (values.only !== '' && values.only !== invariant) continue;
  for (const seed of seeds.slice(0, Number(values.tell))) {
    const shortest = shrink(scenarioOf(seed), invariant);
    process.stdout.write(`\n=== seed ${seed} breaks ${invariant}\n`);
    tellStory(shortest);
  }
}
converged.sort((one, other) => one.ms - other.ms);
const convergedAt = (share: number): number => converged[Math.floor((converged.length - 1) * share)]?.ms ?? 0;
process.stdout.write(
  `\n${runs} runs, ${(steps / runs).toFixed(0)} steps each, ${Math.round((runs / elapsedMs) * 1000)} runs/s\n` +
    `begun: ${JSON.stringify(Object.fromEntries(begun))}\n` +
    `changes of the owner: ${JSON.stringify(Object.fromEntries([...changes].sort(([a], [b]) => a - b)))}\n` +
    `converged after healing: median ${convergedAt(0.5)} ms, p99 ${convergedAt(0.99)} ms, slowest ${converged
      .slice(-6)
      .map(({ ms, seed }) => `${ms} ms (${seed})`)
      .join(', ')}\n` +
    `broken: ${JSON.stringify(Object.fromEntries([...found].map(([what, seeds]) => [what, `${seeds.length}: ${seeds.slice(0, 8).join(' ')}`])))}\n`,
);
for (const [name, counts] of [...single].sort()) {
  const columns = [...counts].sort(([a], [b]) => a - b);
  process.stdout.write(
    `  ${name.padEnd(28)} ${columns.map(([times, seeds]) => `${times}: ${seeds.length} (${seeds.slice(0, 3).join(' ')})`).join('  ')}\n`,
  );
}
process.exitCode = found.size > 0 ? 1 : 0;

function countSingle({ seed, settings, faults, death }: Scenario, times: number): void {
  const [fault] = faults;
  if (fault === undefined || faults.length > 1 || death !== null || settings.preferred.includes(true)) return;
  const how = 'how' in fault ? ` ${fault.how}` : '';
  const name = `${fault.kind}${how}${fault.uponMoveOf === null ? '' : ' upon a move'}`;
  const counts = single.get(name) ?? new Map<number, number[]>();
  counts.set(times, [...(counts.get(times) ?? []), seed]);
  single.set(name, counts);
}

function tellStory(scenario: Scenario): void {
  const { settings, faults, death } = scenario;
  process.stdout.write(`${JSON.stringify(settings)}\n`);
  for (const fault of faults) process.stdout.write(`fault ${JSON.stringify(fault)}\n`);
  if (death !== null) process.stdout.write(`death ${JSON.stringify(death)}\n`);
  const lines: string[] = [];
  try {
    run(scenario, (at, router, what) => {
      const who = router === null ? '   ' : `rt${router}`;
      lines.push(`${(at / 1000).toFixed(3).padStart(8)} ${who} ${what}`);
    });
  } catch (error: unknown) {
    if (!(error instanceof Violation)) throw error;
    lines.push(`${(error.at / 1000).toFixed(3).padStart(8)} !!! ${error.invariant}: ${error.message}`);
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}
