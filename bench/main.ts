/**
 * `npm run bench`: measures the built daemon and writes docs/benchmarks.md and its plot; `npm run bench -- package`
 * measures the container, `npm run bench -- scale` many targets alone, `npm run bench -- growth` how cost grows,
 * `npm run bench -- heal` the healer,
 * `npm run bench -- clouds` a takeover in OpenStack beside one in EC2, `npm run bench -- switchovers` planned ones,
 * `npm run bench -- watched` what being watched costs,
 * `npm run bench -- --versus DIR` this build against another one; each writes its section of the page. Times are
 * reported, never judged; counts that are off end it with exit code 1. Ends what it started, and nothing else.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ALONE, aloneParts, benchAlone, readAloneWishes } from './alone';
import { growthPart } from './growthReport';
import { benchHeal, readHealWishes } from './healMain';
import { healPart } from './healReport';
import { bundleSize, load, machineLine } from './machine';
import { measurePackaged, packagedCounts, type PackagedOptions } from './packaged';
import { conditionsNow, packagedPart, packagedSection } from './packagedReport';
import { partOf, readPage, withPart } from './part';
import { plot } from './plot';
import { plotName, report } from './report';
import { measureRest } from './rest';
import { countsOf, type Results } from './results';
import { measureScale, scaleCounts } from './scale';
import { scaleWords } from './scaleReport';
import { measureShow } from './showLatency';
import { countWords, highest, isRight, median, ms, type Count } from './statistics';
import { benchTraffic, readTrafficWishes } from './trafficMain';
import { measureFirst, measureLatency, measureMoved, type LatencyRow, type MovedRow } from './takeovers';
import { outliveReaders } from '../lab/readers';
import { readVersusWishes, rowNames, versus } from './versusMain';
import { versusPart } from './versusReport';

const USAGE = `usage: npm run bench -- [--samples N] [--rest SECONDS] [--out DIRECTORY]
       npm run bench -- --versus DIRECTORY [--rows NAME,NAME] [--pairs N] [--rest SECONDS] [--out DIRECTORY]
       npm run bench -- scale [--out DIRECTORY]
       npm run bench -- growth [--out DIRECTORY]
       npm run bench -- heal [--node PROGRAM]... [--starts N] [--out DIRECTORY]
       npm run bench -- clouds [--samples N] [--out DIRECTORY]
       npm run bench -- switchovers [--samples N] [--out DIRECTORY]
       npm run bench -- watched [--samples N] [--out DIRECTORY]
       npm run bench -- traffic [--failovers N] [--watch SECONDS] [--out DIRECTORY]
       npm run bench -- package [--minutes N] [--failovers N] [--files DIRECTORY] [--out DIRECTORY]

  --samples  takeovers for each generation with 2 interfaces; the other rows have fewer (default 60)
  --rest     how long the daemon is watched while nothing happens (default 60)
  --out      where benchmarks.md and its plot go (default docs)

  --versus   this build against that of another checkout, in turn; without --out no page is written
  --rows     only these: ${rowNames.join(' ')}
  --pairs    takeovers of each build in each row (default: as each row has it)

  scale      only the takeovers of up to 500 routes and 100 addresses

  growth     what more groups, sessions and targets cost

  heal       the healer: in virtual time, and its start
  --node     another Node that starts it, beside this one
  --starts   how often (default 20)

  clouds     only takeovers in OpenStack beside as many in EC2 (--samples: default 40)

  switchovers  only planned switchovers between two healthy routers (--samples: default 40)

  watched    only what the status endpoint and the notifications cost (--samples: default 40)

  traffic    what a user's packets see of a failover, with real BFD: docs/real-traffic.md; root, Debian's
             frr, nftables, keepalived, awscli, resource-agents and curl
  --failovers  of each kind (default 100)
  --watch    how long two healthy routers are watched for false alarms, in seconds (default 600)

  package    the container, which needs root and Debian's docker.io
  --minutes  how long it is watched (default 60)
  --failovers  how often the peer dies in that time (default 50)
  --files    what npm run package has made (default xr-appmgr/RPMS)
`;

/** Whatever hangs, the bench does not. */
const LONGEST_MINUTES = 30;

const generations = ['gen1', 'gen2'] as const;

type Wishes = { readonly samples: number; readonly restS: number; readonly out: string };

/** A string says what is wrong. */
function readWishes(args: readonly string[]): Wishes | string {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
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
  return { samples, restS, out: values.out };
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
  const scale = await measureScale((row) => say(scaleWords(row)));
  const rest = await measureRest(restS);
  say(`at rest: ${rest.rssMiB.toFixed(1)} MiB, ${rest.cpuPercent.toFixed(2)} % of a core`);
  const show = await measureShow();
  say(`show ha_state: ${ms(median(show.fileMs))} ms`);
  return { ...before, latency, first, moved, scale, rest, show, bundle: bundleSize() };
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

/** The exit code. */
function conclude(counts: readonly Count[]): number {
  const wrong = counts.filter((count) => !isRight(count));
  for (const count of wrong) process.stderr.write(`bench: ${count.what}: ${countWords(count)}\n`);
  return wrong.length === 0 ? 0 : 1;
}

async function packaged(args: readonly string[]): Promise<number> {
  const wishes = readPackagedWishes(args);
  if (typeof wishes === 'string') {
    process.stderr.write(`bench: ${wishes}\n\n${USAGE}`);
    return 2;
  }
  limitTime(wishes.minutes + LONGEST_MINUTES);
  const before = conditionsNow();
  say(`${before.machine}, load ${before.load.toFixed(1)}`);
  const results = await measurePackaged({ ...wishes, scratch, say });
  const page = join(wishes.out, 'benchmarks.md');
  mkdirSync(wishes.out, { recursive: true });
  writeFileSync(page, withPart(readPage(page), packagedPart, packagedSection(results, before)));
  say(`written: ${page}`);
  return conclude(packagedCounts(results));
}

type PackagedWishes = Pick<PackagedOptions, 'minutes' | 'failovers' | 'files'> & { readonly out: string };

function readPackagedWishes(args: readonly string[]): PackagedWishes | string {
  const home = join(__dirname, '..');
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        minutes: { type: 'string', default: '60' },
        failovers: { type: 'string', default: '50' },
        files: { type: 'string', default: join(home, 'xr-appmgr', 'RPMS') },
        out: { type: 'string', default: join(home, 'docs') },
      },
    }));
  } catch (error: unknown) {
    return error instanceof Error ? error.message : String(error);
  }
  const [minutes, failovers] = [Number(values.minutes), Number(values.failovers)];
  if (!(minutes > 0 && minutes <= 1440)) return '--minutes is a number, 1440 at most';
  if (!Number.isInteger(failovers) || failovers < 1 || failovers > 1.5 * minutes)
    return '--failovers is a whole number, three in two minutes at most: more in short order would be damped';
  return { minutes, failovers, files: values.files, out: values.out };
}

function limitTime(minutes: number): void {
  setTimeout(() => {
    process.stderr.write(`bench: not done after ${minutes} minutes\n`);
    process.exit(1);
  }, minutes * 60_000).unref();
}

async function traffic(args: readonly string[]): Promise<number> {
  const wishes = readTrafficWishes(args);
  if (typeof wishes === 'string') {
    process.stderr.write(`bench: ${wishes}\n\n${USAGE}`);
    return 2;
  }
  return benchTraffic(wishes, say);
}

async function healed(args: readonly string[]): Promise<number> {
  const wishes = readHealWishes(args);
  if (typeof wishes === 'string') {
    process.stderr.write(`bench: ${wishes}\n\n${USAGE}`);
    return 2;
  }
  limitTime(LONGEST_MINUTES);
  return conclude(await benchHeal(wishes, say));
}

async function alone(name: string, args: readonly string[]): Promise<number | null> {
  const part = ALONE[name];
  if (part === undefined) return null;
  const wishes = readAloneWishes(args);
  if (typeof wishes === 'string') {
    process.stderr.write(`bench: ${wishes}\n\n${USAGE}`);
    return 2;
  }
  limitTime(LONGEST_MINUTES);
  return conclude(await benchAlone(part, wishes, say));
}

async function versusBuild(args: readonly string[]): Promise<number> {
  const wishes = readVersusWishes(args);
  if (typeof wishes === 'string') {
    process.stderr.write(`bench: ${wishes}\n\n${USAGE}`);
    return 2;
  }
  limitTime(2 * LONGEST_MINUTES);
  return versus(wishes, say);
}

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  if (args[0] === 'traffic') return traffic(args.slice(1));
  if (args[0] === 'package') return packaged(args.slice(1));
  if (args[0] === 'heal') return healed(args.slice(1));
  const [name = '', ...more] = args;
  const code = await alone(name, more);
  if (code !== null) return code;
  if (args.some((arg) => /^--versus(=|$)/.test(arg))) return versusBuild(args);
  const wishes = readWishes(args);
  if (typeof wishes === 'string') {
    process.stderr.write(`bench: ${wishes}\n\n${USAGE}`);
    return 2;
  }
  limitTime(LONGEST_MINUTES);
  const results = await measure(wishes);
  mkdirSync(wishes.out, { recursive: true });
  const page = join(wishes.out, 'benchmarks.md');
  const before = readPage(page);
  writeFileSync(
    page,
    report(results, [
      ...partOf(before, versusPart),
      '',
      ...partOf(before, growthPart),
      '',
      ...partOf(before, packagedPart),
      '',
      ...partOf(before, healPart),
      ...aloneParts.flatMap((part) => ['', ...partOf(before, part)]),
    ]),
  );
  writeFileSync(join(wishes.out, plotName), plot(results.latency, 2));
  say(`written: ${join(wishes.out, 'benchmarks.md')}`);
  return conclude([...countsOf(results), ...scaleCounts(results.scale)]);
}

// The daemons and the clients of the floor end with this process, however it ends, and what they have written
// goes with them: every directory that the lab makes is made in this one.
const scratch = mkdtempSync(join(tmpdir(), 'xr-aws-ha-bench-'));
process.env['TMPDIR'] = scratch;
process.on('exit', () => rmSync(scratch, { recursive: true, force: true, maxRetries: 3 }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
outliveReaders();
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
