/**
 * `npm run mutate`: switches every small mutation of src/core on in turn and sees whether a test of the core or the
 * simulation fails; writes docs/mutation.md. `--survivors` tries only what survived the last run, and what has
 * come since; `--file moves/calls.ts` tries one file and writes no page; `--seeds N` says how many seeds of the simulation,
 * `--workers N` how many processes.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fork, type ChildProcess } from 'node:child_process';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundled, mutatedCore, root, simulationEntry, testEntry } from './bundle';
import { failureOf, simulationOf, testsOf } from './harness';
import type { Mutant } from './mutations';
import { keyOf, page, type Judged } from './page';
import type { Answer, Caught, Sources, Task } from './worker';

const LAST_RUN = join(root, 'coverage', 'mutation.json');

/** Which mutants are reached while this runs. */
class Reach {
  #ids = new Set<number>();
  readonly note = (first: number, last: number): void => {
    for (let id = first; id <= last; id += 1) this.#ids.add(id);
  };
  take(): ReadonlySet<number> {
    const ids = this.#ids;
    this.#ids = new Set();
    return ids;
  }
}

type Probe = { readonly index: number; readonly ms: number; readonly reached: ReadonlySet<number> };

/** Runs everything once without a mutant: what each test reaches, and how long it takes. */
function probed(
  { tests, simulation }: Sources,
  seeds: number,
): {
  readonly always: ReadonlySet<number>;
  readonly cases: readonly Probe[];
  readonly seeds: readonly Probe[];
} {
  const reach = new Reach();
  const cases = testsOf(tests)(0, reach.note);
  // What is computed while the modules are loaded may matter to any test.
  const always = reach.take();
  const timed = (index: number, name: string, run: () => void): Probe => {
    const startedAt = performance.now();
    const failure = failureOf(run);
    if (failure !== null) throw new Error(`fails without any mutant: ${name}: ${failure}`);
    return { index, ms: performance.now() - startedAt, reached: reach.take() };
  };
  const probedCases = cases.map(({ name, run }, index) => timed(index, name, run));
  probedCases.sort((one, other) => one.ms - other.ms);
  if (simulation === null) return { always, cases: probedCases, seeds: [] };
  const simulate = simulationOf(simulation)(0, reach.note);
  reach.take();
  const numbers = Array.from({ length: seeds }, (_, index) => index + 1);
  const probedSeeds = numbers.map((seed) => timed(seed, `seed ${seed}`, () => simulate(seed)));
  return { always, cases: probedCases, seeds: probedSeeds };
}

/** Tells of each survivor as soon as it is one: the whole takes minutes. */
async function judged(
  tasks: readonly Task[],
  sources: Sources,
  workers: number,
  tell: (survivor: number) => void,
): Promise<Map<number, Caught>> {
  const results = new Map<number, Caught>();
  const waiting = [...tasks].reverse();
  const startedAt = performance.now();
  let told = startedAt;
  const progress = (): void => {
    if (performance.now() - told < 10_000) return;
    told = performance.now();
    const rate = (results.size / (told - startedAt)) * 1000;
    process.stderr.write(`${results.size} of ${tasks.length} mutants, ${rate.toFixed(1)} a second\n`);
  };
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      let task: Task | undefined;
      let child: ChildProcess;
      const next = (): void => {
        task = waiting.pop();
        if (task === undefined) {
          child.disconnect();
          resolve();
        } else child.send(task);
      };
      const begin = (): void => {
        child = fork(join(__dirname, 'worker.ts'), {
          execArgv: ['--import', 'tsx', '--max-old-space-size=1024'],
        });
        child.on('error', reject);
        child.on('message', ({ mutant, caught }: Answer) => {
          results.set(mutant, caught);
          if (caught === null) tell(mutant);
          progress();
          next();
        });
        child.on('exit', () => {
          if (task === undefined) return;
          results.set(task.mutant, { by: 'test', name: 'out of memory' });
          begin();
        });
        child.send(sources);
        next();
      };
      begin();
    });
  await Promise.all(Array.from({ length: workers }, work));
  return results;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      file: { type: 'string' },
      survivors: { type: 'boolean', default: false },
      seeds: { type: 'string', default: '200' },
      workers: { type: 'string', default: '2' },
    },
  });
  const core = mutatedCore(false);
  const seeds = Number(values.seeds);
  // All at once: a file that is changed while this runs must not come into one and not the other.
  const [covering, sources] = await Promise.all(
    [mutatedCore(true), core].map(async (core): Promise<Sources> => ({
      tests: await bundled(testEntry(), core),
      simulation: seeds === 0 ? null : await bundled(simulationEntry, core),
    })),
  );
  const probes = probed(covering!, seeds);
  const last = lastRun();
  const places = placesOf(core.mutants);
  const wanted = core.mutants.filter(
    ({ file }, index) =>
      (values.file === undefined || file === values.file) &&
      (!values.survivors || (last.get(places[index]!) ?? null) === null),
  );
  const tasks = wanted.map(({ id }): Task => {
    const reaching = (probe: Probe): boolean => probes.always.has(id) || probe.reached.has(id);
    return {
      mutant: id,
      cases: probes.cases.filter(reaching).map(({ index }) => index),
      seeds: probes.seeds.filter(reaching).map(({ index }) => index),
    };
  });
  const reached = new Set(tasks.filter(({ cases }) => cases.length > 0).map(({ mutant }) => mutant));
  const results = await judged(tasks, sources!, Number(values.workers), (survivor) => {
    const { id, file, line, column, what } = wanted.find(({ id }) => id === survivor)!;
    const unreached = reached.has(id) ? '' : ' (no test reaches it)';
    process.stdout.write(`${file}:${line}:${column} ${what}${unreached}\n`);
  });
  const all = wanted.map((mutant): Judged => ({ ...mutant, caught: results.get(mutant.id) ?? null }));
  const count = (by: 'test' | 'simulation'): number => all.filter(({ caught }) => caught?.by === by).length;
  process.stdout.write(
    `${all.length} mutants: ${count('test')} caught by tests, ${count('simulation')} more by ${seeds} seeds\n`,
  );
  if (values.file !== undefined) return 0;
  // What was caught stays caught: between a run and a look at its survivors tests are added.
  const complete = core.mutants.map((mutant, index): Judged => {
    const now = results.get(mutant.id);
    return { ...mutant, caught: now === undefined ? (last.get(places[index]!) ?? null) : now };
  });
  mkdirSync(dirname(LAST_RUN), { recursive: true });
  writeFileSync(LAST_RUN, JSON.stringify(complete.map(({ caught }, index) => [places[index], caught])));
  writeFileSync(join(root, 'docs', 'mutation.md'), page(complete, seeds));
  return 0;
}

/** Names that stay while other lines change: the text of each mutant, and which of those with the same text it is. */
function placesOf(mutants: readonly Mutant[]): readonly string[] {
  const seen = new Map<string, number>();
  return mutants.map((mutant) => {
    const key = keyOf(mutant);
    const place = (seen.get(key) ?? 0) + 1;
    seen.set(key, place);
    return `${key}\n${place}`;
  });
}

/** What was caught by what in the last complete run. */
function lastRun(): ReadonlyMap<string, Caught> {
  if (!existsSync(LAST_RUN)) return new Map();
  return new Map(JSON.parse(readFileSync(LAST_RUN, 'utf8')) as [string, Caught][]);
}

void main().then((code) => (process.exitCode = code));
