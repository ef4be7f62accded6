/**
 * `npm run demo`: the whole job before one's eyes, with nothing installed but Node; `npm run demo -- cross-az` is
 * the same across two availability zones, with routes and an Elastic IP; `npm run demo -- heal` has the healer replace
 * the dead router; `npm run demo -- openstack` is the first in another cloud. Here are its start, its deadline and its end: whatever happens, every process that it started is gone
 * when it ends. Exit code 0 only when everything was as it should be; the stories are in demo/story.ts and
 * demo/healing.ts and demo/openstack.ts.
 */
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { Checks } from './demo/checks';
import { tellHealing } from './demo/healing';
import { NEUTRON_LATENCY_MS, tellOpenstack } from './demo/openstack';
import { reportIn, reportOf, type Reported } from './demo/operator';
import { Screen } from './demo/screen';
import { open as openScreen, tell, type Stage } from './demo/story';
import { startPairLab } from './heal/pairLab';
import { startEmulatedPair } from './openstack/emulated';
import { startOpenstackLab } from './openstack/lab';
import { routerNames } from './topology/plan';
import { startCrossAzLab, startLab, type AnyLab } from './topology/topology';
import { outliveReaders } from './readers';

const EC2_LATENCY_MS = 150;
/** At rest it takes some 10 s; a busy machine is no reason to fail. */
const DEADLINE_MS = 120_000;

type Play = {
  readonly title: string;
  /** `keepState`: the first failover is to be in the journals at the end, too. */
  readonly open: (options: { readonly keepState: boolean }) => Promise<Opened>;
  /** What there was to see. */
  readonly done: string;
  readonly byHand: string;
};

type Opened = {
  readonly tell: (on: Pick<Stage, 'screen' | 'checks' | 'title'>) => Promise<void>;
  /** Of both routers, as a page in this file. */
  readonly report: (html: string) => Promise<Reported>;
  readonly stop: () => Promise<void>;
};

function inEc2(lab: AnyLab, story: (stage: Stage) => Promise<void>, stop = () => lab.stop()): Opened {
  lab.ec2.addFault({ kind: 'latency', ms: EC2_LATENCY_MS });
  return {
    tell: (on) => story({ ...on, lab, ec2LatencyMs: EC2_LATENCY_MS }),
    report: (html) => reportOf(lab, html),
    stop,
  };
}

async function inOpenstack(): Promise<Opened> {
  const pair = await startEmulatedPair({ latencyMs: NEUTRON_LATENCY_MS });
  const lab = await startOpenstackLab(pair, {
    targets: ['floatingIp', 'extraRoute', 'fixedAddress'],
    config: { keepalive_s: 2 },
  });
  return {
    tell: async ({ title, ...on }) => {
      openScreen({ title, ...on });
      await tellOpenstack({ ...on, lab, pair });
    },
    report: (html) =>
      reportIn(
        routerNames.map((name) => lab.stateDirectory(name)),
        html,
      ),
    stop: async () => {
      await lab.stop();
      await pair.neutron.stop();
    },
  };
}

/** What is played, by the word on the command line. */
const plays: Readonly<Record<string, Play>> = {
  '': {
    title: 'one router dies, the other takes its addresses',
    open: async (options) => inEc2(await startLab(options), tell),
    done: 'Two failovers',
    byHand: 'npm run lab -- --daemons',
  },
  'cross-az': {
    title: 'two zones: one router dies, routes and an Elastic IP move to the other',
    open: async (options) => inEc2(await startCrossAzLab(options), tell),
    done: 'Two failovers',
    byHand: 'npm run lab -- --daemons --cross-az',
  },
  heal: {
    title: 'one router dies, the other takes over, and a new instance becomes the lost one',
    open: async () => {
      const pair = await startPairLab();
      return inEc2(
        pair.lab,
        (stage) => tellHealing({ ...stage, pair }),
        () => pair.stop(),
      );
    },
    done: 'Two failovers and a healing between them',
    byHand: 'npm run lab -- --daemons',
  },
  openstack: {
    title: 'in OpenStack: one router dies, Neutron gives what floats to the other',
    open: inOpenstack,
    done: 'A claim and a failover',
    byHand: 'docs/openstack.md, and npm run test:openstack with the real Keystone and Neutron',
  },
};

const USAGE = `usage: npm run demo [-- [cross-az | heal | openstack] [--html FILE]]

  cross-az   two routers in two availability zones: routes and an Elastic IP move, not addresses of a subnet
  heal       two routers in two Auto Scaling groups: a new instance replaces the one that dies
  openstack  two servers of one project: a floating IP, an extra route and a fixed address move in Neutron
  --html     what happened, as the page that 'report' makes of the journals of both routers
`;

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

/** A string says what is wrong. */
function readWishes(args: readonly string[]): { readonly play: Play; readonly html: string | null } | string {
  try {
    const options = { html: { type: 'string' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
    const play = plays[positionals.join(' ')];
    return play === undefined ? `there is no ${positionals.join(' ')}` : { play, html: values.html ?? null };
  } catch (error: unknown) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function main(args: readonly string[]): Promise<number> {
  const wishes = readWishes(args);
  if (typeof wishes === 'string') {
    process.stderr.write(`demo: ${wishes}\n\n${USAGE}`);
    return 2;
  }
  const { html } = wishes;
  const { title, open, done, byHand } = wishes.play;
  const startedAtMs = performance.now();
  const screen = new Screen(process.stdout, process.env);
  const checks = new Checks();
  const cut = cutShort();
  let opened: Opened | null = null;
  try {
    opened = await open({ keepState: html !== null });
    await Promise.race([opened.tell({ title, screen, checks }), cut.happens]);
    if (html !== null) await draw(opened, { screen, checks }, html);
  } catch (error: unknown) {
    if (error instanceof Interrupted) {
      screen.line();
      screen.line(`  ${error.message}: cleaning up`);
      return 130;
    }
    checks.expect(false, error instanceof Error ? error.message : String(error));
  } finally {
    cut.forget();
    await opened?.stop();
  }
  return conclude(screen, checks, { seconds: (performance.now() - startedAtMs) / 1000, done, byHand });
}

async function draw(
  { report }: Opened,
  { screen, checks }: Pick<Stage, 'screen' | 'checks'>,
  html: string,
): Promise<void> {
  const { exitCode, stderr } = await report(html);
  checks.expect(exitCode === 0, `the report of both routers is made, not: ${stderr.trim()}`);
  if (exitCode !== 0) return;
  screen.line();
  screen.line(`  The journals of both routers, drawn: ${html}`);
}

function conclude(
  screen: Screen,
  checks: Checks,
  { seconds, done, byHand }: { readonly seconds: number; readonly done: string; readonly byHand: string },
): number {
  const { paint } = screen;
  screen.line();
  if (checks.failed.length > 0) {
    screen.line(`  ${paint('✘ Not as it should be:', 'red', 'bold')}`);
    for (const sentence of checks.failed) screen.line(`    ${paint('-', 'red')} ${sentence}`);
    screen.line();
    return 1;
  }
  const mark = paint('✔', 'green', 'bold');
  screen.line(`  ${mark} ${paint(`${done}, all as it should be`, 'bold')}, in ${seconds.toFixed(1)} s.`);
  screen.line(`    ${paint('Break it yourself:', 'dim')} ${byHand}`);
  screen.line();
  return 0;
}

outliveReaders();
main(process.argv.slice(2)).then(
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
