/**
 * The story of the demo, told while it happens: two routers come up, the active one dies, the other takes
 * over, the dead one comes back as standby, and once more the other way. What is printed is also checked.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { DaemonProcess, DaemonRecord } from '../daemonProcess';
import { isWrite } from '../ec2-emulator/requestLog';
import type { AnyLab } from '../topology/topology';
import { labBfd } from '../topology/config';
import { peerOf, routerNames, type RouterName } from '../topology/plan';
import { checkFailover, type Checks } from './checks';
import { drawHolders, drawTopology, type RouterLook } from './drawing';
import { failOver, legsOf, type Failover } from './failover';
import { show } from './operator';
import { WIDTH, wrap, type Screen } from './screen';
import { drawHonesty, drawSummary } from './summary';
import { drawBar, drawTimeline } from './timeline';

export type Stage = {
  readonly lab: AnyLab;
  /** What the story is about, in a few words. */
  readonly title: string;
  /** Of every EC2 call. */
  readonly ec2LatencyMs: number;
  readonly screen: Screen;
  readonly checks: Checks;
};

const READY_DEADLINE_MS = 40_000;
/** For people to look up before the next thing happens; nobody waits where nobody watches. */
const BREATH_MS = 900;
/** From the first DOWN to the first write; on a machine at rest it is a few ms. */
const SLOW_REACTION_MS = 500;

/** @throws Error when something that has to happen does not; what happens otherwise than it should is in `checks`. */
export async function tell(stage: Stage): Promise<void> {
  open(stage);
  await start(stage);
  const first = await failOverAndShow(stage, 'rtr1');
  await comeBack(stage, 'rtr1');
  const second = await failOverAndShow(stage, 'rtr2');
  await end(stage, [first, second]);
}

export function open({ screen, title }: Pick<Stage, 'screen' | 'title'>): void {
  const { paint } = screen;
  screen.line();
  screen.line(`  ${paint('xr-aws-ha', 'bold')}   ${paint(title, 'dim')}`);
}

export async function start({ lab, ec2LatencyMs, screen, checks }: Stage): Promise<void> {
  const { paint } = screen;
  screen.chapter('Two routers, a daemon on each');
  const active = lab.startDaemon('rtr1');
  const standby = lab.startDaemon('rtr2');
  const [isActive, isStandby] = await screen.during(
    'the daemons program BFD and ask EC2 who has what floats',
    Promise.all([untilActive(active), untilStandby(standby), untilSessionsUp(lab)]),
  );
  checks.expect(lab.ownsAll('rtr1'), 'at the start rtr1 has all that floats in EC2');
  screen.lines(drawTopology(lab, { rtr1: 'ACTIVE', rtr2: 'STANDBY' }, ec2LatencyMs, paint));
  const bfd = `BFD every ${labBfd.intervalMs} ms, DOWN after ${labBfd.multiplier} missed`;
  screen.line(`  ${paint('◆ what floats', 'magenta')}   ${paint(bfd, 'dim')}`);
  screen.line();
  quote(screen, 'rtr1', isActive);
  quote(screen, 'rtr2', isStandby);
}

export async function failOverAndShow(stage: Stage, victim: RouterName): Promise<Failover> {
  const { lab, screen, checks } = stage;
  const { paint } = screen;
  const survivor = peerOf(victim);
  const daemon = running(lab, survivor);
  screen.chapter(`${victim} loses power`);
  await breathe(screen, `in a moment ${victim} is switched off`);
  const failover = await screen.during(`${victim} is off`, failOver(lab, victim, daemon));
  checkFailover(checks, lab, failover);
  screen.lines(drawTimeline(lab.plan, failover, paint));
  screen.line();
  screen.lines(drawBar(failover, paint));
  screen.line();
  for (const text of busyWords(failover)) screen.line(`    ${paint(text, 'dim')}`);
  screen.lines(drawHolders(lab, looks(victim, 'off', 'ACTIVE'), paint));
  screen.line();
  await showHaState(stage, survivor, 'ACTIVE');
  return failover;
}

async function comeBack(stage: Stage, name: RouterName): Promise<void> {
  const { lab, screen, checks } = stage;
  const { paint } = screen;
  const peer = peerOf(name);
  screen.chapter(`${name} comes back`);
  await breathe(screen, `in a moment ${name} is switched on`);
  const writes = () => lab.ec2.requests().filter(isWrite).length;
  const writesBefore = writes();
  await lab.bootRouter(name);
  const daemon = lab.startDaemon(name);
  const [standby] = await screen.during(
    `${name} boots; its daemon programs BFD anew and asks EC2`,
    Promise.all([untilStandby(daemon), untilSessionsUp(lab)]),
  );
  checks.expect(
    daemon.records.every(({ ha }) => ha !== 'ACTIVE'),
    `${name} never takes itself for ACTIVE after its return`,
  );
  checks.expect(lab.ownsAll(peer), `${peer} keeps all that floats when ${name} returns`);
  checks.expect(writes() === writesBefore, `nobody writes to EC2 when ${name} returns`);
  screen.lines(drawHolders(lab, looks(name, 'STANDBY', 'ACTIVE'), paint));
  screen.line();
  quote(screen, name, standby);
  screen.line();
  await showHaState(stage, name, 'STANDBY');
  screen.line();
  await showHaState(stage, peer, 'ACTIVE');
}

export async function end(stage: Stage, failovers: readonly Failover[]): Promise<void> {
  const { lab, ec2LatencyMs, screen, checks } = stage;
  const { paint } = screen;
  screen.chapter('In short');
  screen.lines(drawSummary(lab, failovers, ec2LatencyMs, paint));
  screen.line();
  screen.lines(drawHonesty(paint));
  for (const name of routerNames) {
    const exit = await lab.daemon(name)?.stop();
    if (exit === undefined) continue;
    const how = exit.code ?? exit.signal;
    checks.expect(exit.code === 0, `the daemon of ${name} ends with exit 0 on SIGTERM, not ${how}`);
  }
}

// ---- Waiting ----

const untilActive = (daemon: DaemonProcess) =>
  daemon.waitFor(({ msg, ha }) => msg === 'decision' && ha === 'ACTIVE', { deadlineMs: READY_DEADLINE_MS });

/** STANDBY and ready to take over: a session that has never been UP says nothing about the peer. */
export const isWatching = ({ ha, reason }: DaemonRecord): boolean =>
  ha === 'STANDBY' && /all sessions are UP/.test(reason ?? '');

const untilStandby = (daemon: DaemonProcess) => daemon.waitFor(isWatching, { deadlineMs: READY_DEADLINE_MS });

async function untilSessionsUp(lab: AnyLab): Promise<void> {
  const deadline = performance.now() + READY_DEADLINE_MS;
  const areUp = () =>
    routerNames.every((name) => {
      const { sessions } = lab.routers[name].sim.state();
      return sessions.length > 0 && sessions.every(({ status }) => status === 'UP');
    });
  while (!areUp()) {
    if (performance.now() > deadline)
      throw new Error(`the BFD sessions are not UP after ${READY_DEADLINE_MS} ms`);
    await delay(20);
  }
}

export async function breathe(screen: Screen, words: string): Promise<void> {
  if (screen.isLive) await screen.during(words, delay(BREATH_MS));
}

function running(lab: AnyLab, name: RouterName): DaemonProcess {
  const daemon = lab.daemon(name);
  if (daemon === null) throw new Error(`the daemon of ${name} has ended by itself`);
  return daemon;
}

// ---- Showing ----

const looks = (name: RouterName, look: RouterLook, peer: RouterLook): Record<RouterName, RouterLook> =>
  name === 'rtr1' ? { rtr1: look, rtr2: peer } : { rtr1: peer, rtr2: look };

/** Figures from a machine that had other things to do are explained, not judged. */
function busyWords(failover: Failover): readonly string[] {
  const isSlow = legsOf(failover).reactionMs > SLOW_REACTION_MS;
  const words = failover.stalls.flatMap(({ reason }) => (reason === undefined ? [] : [reason]));
  const text = isSlow || words.length > 0 ? ['This machine is busy, so the times are long.', ...words] : [];
  return text.length === 0 ? [] : [...wrap(text.join(' '), WIDTH - 6), ''];
}

/** The own words of who it is. */
export function quote(screen: Screen, name: string, { reason = '' }: Pick<DaemonRecord, 'reason'>): void {
  const [first = '', ...more] = wrap(reason, WIDTH - 10);
  screen.line(`  ${screen.paint(name, 'bold')}  ${screen.paint(first, 'yellow')}`);
  for (const text of more) screen.line(`        ${screen.paint(text, 'yellow')}`);
}

/** Checked to the word, printed as it comes. */
export async function showHaState(
  { lab, screen, checks }: Stage,
  name: RouterName,
  role: 'ACTIVE' | 'STANDBY',
): Promise<void> {
  const { paint } = screen;
  const { exitCode, lines } = await show(lab, name, 'ha_state');
  checks.expect(exitCode === 0, `show ha_state on ${name} ends with exit 0, not ${exitCode}`);
  checks.expect(lines.at(-1) === role, `show ha_state on ${name} says ${role}, not ${lines.at(-1)}`);
  screen.line(`  ${paint(`${name}#`, 'bold')} show ha_state`);
  screen.lines(
    lines.slice(0, 4).map((line) => `  ${line === role ? paint(line, 'bold') : paint(line, 'dim')}`),
  );
}
