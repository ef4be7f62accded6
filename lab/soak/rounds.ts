/**
 * The soak itself: round after round something breaks, and an oracle that knows what has to come of it looks at
 * EC2 alone. Wrong is every address that moved without need, twice, or not at all; also a daemon that ended by
 * itself or raised an alarm that nothing explains, and a pair that does not settle again.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Lab } from '../topology/topology';
import { peerOf, routerNames, type RouterName } from '../topology/plan';
import { MemoryRecord, median } from './memory';
import { randomOf, type Random } from './random';
import { scenarios, type Scenario } from './scenarios';

export type SoakOptions = {
  readonly lab: Lab;
  readonly seed: number;
  /** Ends when this many failovers are done, or this moment has come (ms of `Date.now`). */
  readonly failovers: number;
  readonly until: number;
  readonly say: (line: string) => void;
};

export type SoakReport = {
  readonly rounds: number;
  readonly failovers: number;
  readonly played: ReadonlyMap<string, number>;
  /** From what broke to the last address moved, ms. */
  readonly outagesMs: readonly number[];
  readonly memory: MemoryRecord;
  /** Null when everything was as it should be. */
  readonly failure: string | null;
};

/** Also with EC2 in trouble: its worst here costs three tries of growing deadlines. */
const MOVED_WITHIN_MS = 20_000;
const SETTLED_WITHIN_MS = 45_000;
const POLL_MS = 20;
/** Nothing in a scenario explains these. */
const WRONG_ALARMS = /target-lost|local-failure-suspected|preempt-conflict|foreign-holder|takeover-damped/;

export async function soak({ lab, seed, failovers, until, say }: SoakOptions): Promise<SoakReport> {
  const random = randomOf(seed);
  const played = new Map<string, number>();
  const memory = new MemoryRecord();
  const outagesMs: number[] = [];
  let active: RouterName = 'rtr1';
  let rounds = 0;
  let scenario: Scenario | null = null;
  const marks = new Map<RouterName, number>();
  const done = (failure: string | null): SoakReport => ({
    rounds,
    failovers: outagesMs.length,
    played,
    outagesMs,
    memory,
    failure,
  });
  try {
    await settled(lab, active, Date.now());
    while (outagesMs.length < failovers && Date.now() < until) {
      scenario = random.weighted(scenarios);
      rounds += 1;
      for (const name of routerNames) marks.set(name, lab.daemon(name)?.mark() ?? 0);
      const outageMs = await playRound(lab, active, scenario, random);
      if (outageMs !== null) {
        outagesMs.push(outageMs);
        active = peerOf(active);
      }
      played.set(scenario.name, (played.get(scenario.name) ?? 0) + 1);
      for (const name of routerNames) memory.sample(lab.daemon(name)?.pid ?? 0);
      if (rounds % 20 === 0)
        say(
          `${rounds} rounds, ${outagesMs.length} failovers, median outage ${median(outagesMs).toFixed(0)} ms`,
        );
    }
    return done(null);
  } catch (error: unknown) {
    const what = error instanceof Error ? error.message : String(error);
    const where = `round ${rounds} (${scenario?.name ?? 'the start'}), ${active} was ACTIVE, seed ${seed}`;
    const told = routerNames.map((name) => tailOf(lab, name, marks.get(name) ?? 0));
    return done([`${where}: ${what}`, ...told].join('\n'));
  }
}

/** Returns how long the addresses were on nobody that could use them; null where nothing had to move. */
async function playRound(
  lab: Lab,
  active: RouterName,
  { play, moves }: Scenario,
  random: Random,
): Promise<number | null> {
  const standby = peerOf(active);
  const history = lab.world.ownershipHistory().length;
  const brokenAtMs = Number(process.hrtime.bigint()) / 1e6;
  await play({
    lab,
    active,
    standby,
    random,
    moved: () => eventually(`${standby} to hold every address`, MOVED_WITHIN_MS, () => lab.ownsAll(standby)),
    keepalives: () => keepalives(lab, Date.now()),
  });
  const owner = moves ? standby : active;
  await settled(lab, owner, Date.now());
  const changes = lab.world.ownershipHistory().slice(history);
  const expected = moves ? lab.floatingAddresses : [];
  const seen = changes.map(({ ip, to }) => `${ip} to ${to ?? 'nobody'}`);
  const wanted = expected.map((ip) => `${ip} to ${interfaceOf(lab, standby, ip)}`);
  if ([...seen].sort().join() !== [...wanted].sort().join())
    throw new Error(
      `moved in EC2: ${seen.join(', ') || 'nothing'}; should have: ${wanted.join(', ') || 'nothing'}`,
    );
  for (const name of routerNames) checkDaemon(lab, name);
  return moves ? (changes.at(-1)?.atMs ?? NaN) - brokenAtMs : null;
}

function interfaceOf(lab: Lab, name: RouterName, ip: string): string | undefined {
  return lab.plan.interfaces.find(({ floatingAddress }) => floatingAddress === ip)?.networkInterfaceId[name];
}

function checkDaemon(lab: Lab, name: RouterName): void {
  const daemon = lab.daemon(name);
  if (daemon === null) throw new Error(`the daemon of ${name} has ended by itself`);
  const alarm = daemon.records.find((record) => WRONG_ALARMS.test(JSON.stringify(record['alarms'] ?? '')));
  if (alarm !== undefined) throw new Error(`${name} alarms without cause: ${alarm.reason ?? ''}`);
}

/** One router holds everything and says so, the other one watches it, both in words of after this moment. */
function settled(lab: Lab, owner: RouterName, since: number): Promise<void> {
  const peer = peerOf(owner);
  return eventually(`the pair to settle with ${owner} ACTIVE`, SETTLED_WITHIN_MS, () => {
    const [own, other] = [shown(lab, owner), shown(lab, peer)];
    return (
      lab.ownsAll(owner) &&
      own.atMs > since &&
      other.atMs > since &&
      own.state === 'ACTIVE' &&
      !/staying/.test(own.reason) &&
      other.state === 'STANDBY' &&
      /watches: all sessions are UP/.test(other.reason)
    );
  });
}

function keepalives(lab: Lab, since: number): Promise<void> {
  return eventually('a keepalive of both daemons', SETTLED_WITHIN_MS, () =>
    routerNames.every((name) => shown(lab, name).atMs > since),
  );
}

type Shown = { readonly state: string; readonly reason: string; readonly atMs: number };

/** What `show` would print, from the store file: the operator's view. */
function shown(lab: Lab, name: RouterName): Shown {
  try {
    const text = readFileSync(join(lab.routers[name].directory, 'show.json'), 'utf8');
    const store = JSON.parse(text) as Record<string, { value?: string; timestamp?: string } | undefined>;
    const { value: state = '', timestamp = '' } = store['ha_state'] ?? {};
    return { state, reason: store['ha_reason']?.value ?? '', atMs: Date.parse(timestamp.slice(0, 23)) };
  } catch {
    return { state: '', reason: '', atMs: 0 };
  }
}

async function eventually(what: string, withinMs: number, holds: () => boolean): Promise<void> {
  for (const until = Date.now() + withinMs; Date.now() < until; await delay(POLL_MS)) if (holds()) return;
  throw new Error(`waited ${withinMs / 1000} s for ${what}`);
}

function tailOf(lab: Lab, name: RouterName, mark: number): string {
  const records = lab.daemon(name)?.recordsSince(mark) ?? [];
  const lines = records.map(({ event, ha, reason }) => `    ${event ?? ''} ${ha ?? ''}: ${reason ?? ''}`);
  return [`  ${name}, since the round began:`, ...lines.slice(-25)].join('\n');
}
