/**
 * `npm run sim -- --runs N [--seed S]`: so many runs from this seed on, shared by as many processes as there are
 * processors; with `--heal` it is the healer that runs (heal/main.ts); Ctrl-C ends it early and what is done is reported. A run that breaks an invariant prints its seed, the invariant and its shortest story; the exit code then
 * is 1.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { merged, type Batch } from './batch';
import { healings } from './heal/main';
import { reportOf, summaryOf } from './report';
import { scenarioOf } from './scenario';
import { shrink } from './shrink';
import { storyOf } from './story';
import { shareOut } from './workers';
import { outliveReaders } from '../lab/readers';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    /** How many processes share the work. */
    jobs: { type: 'string', default: String(availableParallelism()) },
    /** How many failing runs of each invariant to tell. */
    tell: { type: 'string', default: '2' },
    /** Tell the run of this seed from the beginning, whatever its end. */
    story: { type: 'boolean', default: false },
    /** Write docs/simulation.md. */
    report: { type: 'boolean', default: false },
    /** Simulate the healer in place of the daemon. */
    heal: { type: 'boolean', default: false },
  },
});

function whole(name: 'runs' | 'seed' | 'jobs' | 'tell', least: number): number {
  const value = Number(values[name]);
  if (Number.isSafeInteger(value) && value >= least) return value;
  process.stderr.write(`sim: --${name} ${values[name]}: write a whole number, ${least} or more\n`);
  process.exit(2);
}

const first = whole('seed', 0);
const runs = whole('runs', 1);
const jobs = Math.min(whole('jobs', 1), runs);
const tell = whole('tell', 0);

async function main(): Promise<number> {
  if (values.heal) return healings({ first, runs, jobs, story: values.story, isOver: untilInterrupted() });
  if (values.story) {
    process.stdout.write(`${storyOf(scenarioOf(first))}\n`);
    return 0;
  }
  const startedAt = Date.now();
  const work = { entry: join(__dirname, 'worker.ts'), merged };
  const batch = await shareOut(work, { first, count: runs }, jobs, untilInterrupted(), tellProgress);
  const elapsedMs = Date.now() - startedAt;
  tellBroken(batch);
  process.stdout.write(summaryOf(batch, { first, elapsedMs, jobs }));
  if (values.report) writeFileSync('docs/simulation.md', reportOf(batch, { first, elapsedMs, jobs }));
  return batch.broken.length > 0 ? 1 : 0;
}

/** What is done by then is reported. */
function untilInterrupted(): () => boolean {
  let isOver = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (isOver = true));
  return () => isOver;
}

function tellProgress(batch: Batch): void {
  if (process.stderr.isTTY && batch.runs % 20_000 === 0 && batch.runs < runs)
    process.stderr.write(`${batch.runs} of ${runs} runs, ${batch.broken.length} broke an invariant\n`);
}

function tellBroken({ broken }: Batch): void {
  for (const invariant of new Set(broken.map((each) => each.invariant))) {
    const seeds = broken.filter((each) => each.invariant === invariant).map(({ seed }) => seed);
    for (const seed of seeds.slice(0, tell)) {
      const shortest = shrink(scenarioOf(seed), invariant);
      process.stdout.write(
        `\n=== seed ${seed} breaks ${invariant}; again: npm run sim -- --runs 1 --seed ${seed}\n`,
      );
      process.stdout.write(`${storyOf(shortest)}\n`);
    }
  }
}

outliveReaders();
main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`sim: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    if (error instanceof Error && error.cause instanceof Error)
      process.stderr.write(`${error.cause.stack ?? error.cause.message}\n`);
    process.exitCode = 1;
  },
);
