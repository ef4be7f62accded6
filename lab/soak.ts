/**
 * `npm run soak -- --minutes N`: two daemons as processes, a fault in every round, and an oracle. Exit code 0 only
 * when every address moved when it had to, once, and never otherwise, and memory stayed flat. Bounded in time;
 * ends what it started.
 */
import { parseArgs } from 'node:util';
import { isEnclosed, runSelfEnclosed } from './real-router/enclosure';
import { labPrograms, whatHinders } from './real-router/kernel';
import { median } from './soak/memory';
import { soak, type SoakReport } from './soak/rounds';
import { soakLab } from './soak/lab';
import { trafficSoak, type TrafficSoakReport } from './soak/traffic';
import { outliveReaders } from './readers';

const USAGE = `usage: npm run soak -- [--traffic] [--minutes N] [--failovers N] [--seed S]

  --traffic    with routers of real parts and the packets of a user; root, Debian's frr and nftables
  --minutes    how long (default 10)
  --failovers  end when so many are done (default: no end but the minutes)
  --seed       what breaks when; a run that failed names its seed
`;

type Wishes = {
  readonly traffic: boolean;
  readonly minutes: number;
  readonly failovers: number;
  readonly seed: number;
};

/** A string says what is wrong. */
function readWishes(args: readonly string[]): Wishes | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        traffic: { type: 'boolean', default: false },
        minutes: { type: 'string', default: '10' },
        failovers: { type: 'string', default: 'Infinity' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
      },
    });
    const [minutes, failovers, seed] = [
      Number(values.minutes),
      Number(values.failovers),
      Number(values.seed),
    ];
    if (!(minutes > 0 && minutes <= 24 * 60)) return '--minutes is a number from 0 to 1440';
    if (!(failovers >= 1)) return '--failovers is a whole number, 1 or more';
    if (!Number.isInteger(seed) || seed < 0) return '--seed is a whole number';
    return { traffic: values.traffic, minutes, failovers, seed };
  } catch (error: unknown) {
    return error instanceof Error ? error.message : String(error);
  }
}

const say = (line: string): unknown => process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const wishes = readWishes(process.argv.slice(2));
  if (typeof wishes === 'string') {
    process.stderr.write(`soak: ${wishes}\n\n${USAGE}`);
    return 2;
  }
  const { traffic, minutes, failovers, seed } = wishes;
  // Inside, the same arguments are read once more: the seed has to be the same, too.
  if (traffic && !isEnclosed()) {
    const complaint = whatHinders(labPrograms);
    if (complaint === null) return runSelfEnclosed(['--seed', String(seed)]);
    process.stderr.write(`soak: ${complaint}\n`);
    return 1;
  }
  say(`seed ${seed}, ${minutes} min`);
  const until = Date.now() + minutes * 60_000;
  if (traffic) return concludeTraffic(await trafficSoak({ seed, failovers, until, say }));
  const lab = await soakLab();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => void lab.stop().then(() => process.exit(130)));
  try {
    return conclude(await soak({ lab, seed, failovers, until, say }));
  } finally {
    await lab.stop();
  }
}

function conclude(report: SoakReport): number {
  const { rounds, failovers, played, outagesMs, memory, failure } = report;
  sayPlayed(played);
  sayOutages('outage from what broke to the last address moved', outagesMs);
  const lives = memory.judge();
  say(`memory: at most ${memory.highestMiB.toFixed(1)} MiB`);
  for (const { line } of lives) say(`  ${line}`);
  const grew = lives.filter((life) => life.grew);
  for (const { line } of grew) process.stderr.write(`soak: memory has grown: ${line}\n`);
  if (failure !== null) process.stderr.write(`soak: ${failure}\n`);
  if (failure !== null || grew.length > 0) return 1;
  say(`${rounds} rounds, ${failovers} failovers, none wrong and none missed`);
  return 0;
}

function concludeTraffic(report: TrafficSoakReport): number {
  const { rounds, played, outagesMs, beyondMs, looks, flaps, failure } = report;
  sayPlayed(played);
  sayOutages('silence between two answers to the user', outagesMs);
  sayOutages('of it beyond what fault, EC2 and VPC explain', beyondMs);
  say(`who forwards: looked at ${looks} times while nothing moved`);
  if (flaps > 0)
    say(`BFD went DOWN without a fault, and called for ${flaps} takeovers: the machine stood still`);
  if (failure !== null) {
    process.stderr.write(`soak: ${failure}\n`);
    return 1;
  }
  say(
    `${rounds} rounds, ${outagesMs.length} failovers: none wrong, none missed, none too long, never two routers at once`,
  );
  return 0;
}

function sayPlayed(played: ReadonlyMap<string, number>): void {
  for (const [name, count] of [...played].sort((a, b) => b[1] - a[1]))
    say(`${String(count).padStart(6)}  ${name}`);
}

function sayOutages(what: string, outagesMs: readonly number[]): void {
  const sorted = [...outagesMs].sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.ceil(sorted.length * share) - 1] ?? NaN).toFixed(0);
  if (sorted.length > 0)
    say(`${what}: median ${median(sorted).toFixed(0)} ms, p90 ${at(0.9)} ms, worst ${at(1)} ms`);
}

outliveReaders();
main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(
      `soak: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = 1;
  },
);
