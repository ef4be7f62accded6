/**
 * `npm run demo`: the whole job before one's eyes, with nothing installed but Node. Here are its start, its
 * deadline and its end: whatever happens, every process that it started is gone when it ends. Exit code 0
 * only when everything was as it should be; the story itself is in demo/story.ts.
 */
import { performance } from 'node:perf_hooks';
import { Checks } from './demo/checks';
import { Screen } from './demo/screen';
import { tell } from './demo/story';
import { startLab, type Lab } from './topology';

const EC2_LATENCY_MS = 150;
const DEADLINE_MS = 28_000;

class Interrupted extends Error {}

/** Rejects on Ctrl-C or at the deadline. Listens for ever: npm and tsx may each deliver the same signal. */
function cutShort(): { readonly happens: Promise<never>; readonly forget: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const happens = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => reject(new Interrupted(signal)));
    timer = setTimeout(() => reject(new Error(`not over after ${DEADLINE_MS / 1000} s`)), DEADLINE_MS);
  });
  // Nobody may be waiting when it happens.
  happens.catch(() => undefined);
  return { happens, forget: () => clearTimeout(timer) };
}

async function main(): Promise<number> {
  const startedAtMs = performance.now();
  const screen = new Screen(process.stdout, process.env);
  const checks = new Checks();
  const cut = cutShort();
  let lab: Lab | null = null;
  try {
    lab = await startLab();
    lab.ec2.addFault({ kind: 'latency', ms: EC2_LATENCY_MS });
    await Promise.race([tell({ lab, ec2LatencyMs: EC2_LATENCY_MS, screen, checks }), cut.happens]);
  } catch (error: unknown) {
    if (error instanceof Interrupted) {
      screen.line();
      screen.line(`  ${error.message}: cleaning up`);
      return 130;
    }
    checks.expect(false, error instanceof Error ? error.message : String(error));
  } finally {
    cut.forget();
    await lab?.stop();
  }
  return conclude(screen, checks, (performance.now() - startedAtMs) / 1000);
}

function conclude(screen: Screen, checks: Checks, seconds: number): number {
  const { paint } = screen;
  screen.line();
  if (checks.failed.length > 0) {
    screen.line(`  ${paint('✘ Not as it should be:', 'red', 'bold')}`);
    for (const sentence of checks.failed) screen.line(`    ${paint('-', 'red')} ${sentence}`);
    screen.line();
    return 1;
  }
  const mark = paint('✔', 'green', 'bold');
  screen.line(
    `  ${mark} ${paint('Two failovers, all as it should be', 'bold')}, in ${seconds.toFixed(1)} s.`,
  );
  screen.line(`    ${paint('Break it yourself:', 'dim')} npm run lab -- --daemons`);
  screen.line();
  return 0;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(
      `demo: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = 1;
  },
);
