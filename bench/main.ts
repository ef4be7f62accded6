/**
 * `npm run bench`: measures the built daemon and writes docs/benchmarks.md and its plot; with the name of a part it
 * measures that alone and writes its section. Times are reported, never judged; counts that are off end it with exit
 * code 1. Ends what it started, and nothing else.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundleSize, load, machineLine } from './machine';
import { plot } from './plot';
import { plotName, report } from './report';
import { measureRest } from './rest';
import { measureScale, ratioOf, scaleCounts, type ScaleRow } from './scale';
import { scaleSection } from './scaleReport';
import { countsOf, type Results } from './results';
import { measureShow } from './showLatency';
import { countWords, highest, isRight, median, ms, type Count } from './statistics';
import { withSection } from './table';
import { measureFirst, measureLatency, measureMoved, type LatencyRow, type MovedRow } from './takeovers';

const USAGE = `usage: npm run bench -- [scale] [--samples N] [--rest SECONDS] [--out DIRECTORY]

  scale      only the takeovers of many targets; the rest of the page stays as it is
  --samples  takeovers for each generation with 2 interfaces; the other rows have fewer (default 60)
  --rest     how long the daemon is watched while nothing happens (default 60)
  --out      where benchmarks.md and its plot go (default docs)
`;

/** Whatever hangs, the bench does not. */
const LONGEST_MS = 30 * 60_000;

const generations = ['gen1', 'gen2'] as const;

type Wishes = {
  readonly part: 'all' | 'scale';
  readonly samples: number;
  readonly restS: number;
  readonly out: string;
};

/** A string says what is wrong. */
function readWishes(args: readonly string[]): Wishes | string {
  let values, positionals;
  try {
    ({ values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        samples: { type: 'string', default: '60' },
        rest: { type: 'string', default: '60' },
        out: { type: 'string', default: join(__dirname, '..', 'docs') },
      },
    }));
  } catch (error: unknown) {
    return error instanceof Error ? error.message : String(error);
  }
  const [samples, restS] = [Number(values.samples), Number(values.rest)];
  if (!Number.isInteger(samples) || samples < 3) return '--samples is a whole number, 3 or more';
  if (!Number.isInteger(restS) || restS < 20) return '--rest is a whole number, 20 or more';
  const [part = 'all', ...more] = positionals;
  if ((part !== 'all' && part !== 'scale') || more.length > 0)
    return `there is no part ${positionals.join(' ')}, only scale`;
  return { part, samples, restS, out: values.out };
}

const say = (line: string): unknown => process.stdout.write(`${line}\n`);

async function measure({ samples, restS }: Wishes): Promise<Results> {
  const before = { machine: machineLine(), load: load() };
  say(`${before.machine}, load ${before.load.toFixed(1)}`);
  const fewer = Math.ceil(samples / 3);
  const latency: LatencyRow[] = [];
  for (const generation of generations) {
    for (const interfaces of [1, 2, 8]) {
      const row = await measureLatency({ generation, interfaces }, interfaces === 2 ? samples : fewer);
      const p50 = (all: readonly { readonly firstWriteMs: number }[]) =>
        ms(median(all.map(({ firstWriteMs }) => firstWriteMs)));
      say(
        `${generation}, ${interfaces} interfaces: first write ${p50(row.takeovers)} ms, floor ${p50(row.floor)} ms`,
      );
      latency.push(row);
    }
  }
  const first = [];
  for (const generation of generations) {
    const row = await measureFirst({ generation, interfaces: 2 }, Math.min(fewer, 8));
    const samplesMs = row.takeovers.map(({ firstWriteMs }) => firstWriteMs);
    say(`${generation}, first of a process: ${ms(median(samplesMs))} ms, worst ${ms(highest(samplesMs))} ms`);
    first.push(row);
  }
  const moved = await measureAllMoved(latency, Math.ceil(samples / 6));
  const scale = await measureScale(sayScale);
  const rest = await measureRest(restS);
  say(`at rest: ${rest.rssMiB.toFixed(1)} MiB, ${rest.cpuPercent.toFixed(2)} % of a core`);
  const show = await measureShow();
  say(`show ha_state: ${ms(median(show.fileMs))} ms`);
  return { ...before, latency, first, moved, scale, rest, show, bundle: bundleSize() };
}

function sayScale(row: ScaleRow): void {
  const p50 = median(row.takeovers.map(({ allMovedMs }) => allMovedMs));
  say(
    `${row.targets} ${row.kind}: all moved after ${ms(p50)} ms, ${ratioOf(row, p50).toFixed(3)} of the floor`,
  );
}

/** Without latency it has been measured already. */
async function measureAllMoved(
  latency: readonly LatencyRow[],
  samples: number,
): Promise<readonly MovedRow[]> {
  const moved: MovedRow[] = [];
  for (const interfaces of [1, 8]) {
    const instant = latency.find((row) => row.generation === 'gen1' && row.interfaces === interfaces);
    if (instant !== undefined) moved.push({ interfaces, latencyMs: 0, takeovers: instant.takeovers });
    for (const latencyMs of [150, 600]) {
      const row = await measureMoved(interfaces, latencyMs, samples);
      const p50 = median(row.takeovers.map(({ allMovedMs }) => allMovedMs));
      say(`${interfaces} interfaces at ${latencyMs} ms per call: all moved after ${ms(p50)} ms`);
      moved.push(row);
    }
  }
  return moved;
}

async function runAll(wishes: Wishes, page: string): Promise<readonly Count[]> {
  const results = await measure(wishes);
  mkdirSync(wishes.out, { recursive: true });
  writeFileSync(page, report(results));
  writeFileSync(join(wishes.out, plotName), plot(results.latency, 2));
  return [...countsOf(results), ...scaleCounts(results.scale)];
}

/** The page has to be there: the other sections are kept. */
async function runScale(page: string): Promise<readonly Count[]> {
  const before = readFileSync(page, 'utf8');
  const where = { machine: machineLine(), load: load() };
  const rows = await measureScale(sayScale);
  writeFileSync(page, withSection(before, scaleSection(rows, where)));
  return scaleCounts(rows);
}

async function main(): Promise<number> {
  const wishes = readWishes(process.argv.slice(2));
  if (typeof wishes === 'string') {
    process.stderr.write(`bench: ${wishes}\n\n${USAGE}`);
    return 2;
  }
  const page = join(wishes.out, 'benchmarks.md');
  const counts = wishes.part === 'scale' ? await runScale(page) : await runAll(wishes, page);
  say(`written: ${page}`);
  const wrong = counts.filter((count) => !isRight(count));
  for (const count of wrong) process.stderr.write(`bench: ${count.what}: ${countWords(count)}\n`);
  return wrong.length === 0 ? 0 : 1;
}

// The daemons and the clients of the floor end with this process, however it ends, and what they have written
// goes with them: every directory that the lab makes is made in this one.
const scratch = mkdtempSync(join(tmpdir(), 'xr-aws-ha-bench-'));
process.env['TMPDIR'] = scratch;
process.on('exit', () => rmSync(scratch, { recursive: true, force: true, maxRetries: 3 }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
setTimeout(() => {
  process.stderr.write(`bench: not done after ${LONGEST_MS / 60_000} minutes\n`);
  process.exit(1);
}, LONGEST_MS).unref();

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(
      `bench: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = 1;
  },
);
