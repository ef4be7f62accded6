/** What hands the targets over while all is well: a drill, the end of the daemon, and an announced end of the instance. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { routerNames, type RouterName } from '../../lab/topology/plan';
import type { Lab } from '../../lab/topology/topology';
import { daemonOf, openPair, reason, role, type CommandResult } from './support';
import { alarm, alarmsOf, ha, owners, settled, soon } from './rulesSupport';

test('a drill goes over to the peer and comes back, and its report says so', async () => {
  const lab = await openPair({ config: soon });
  const marks = routerNames.map((name) => daemonOf(lab, name).mark());
  const path = join(dirname(lab.routers.rtr1.configPath), 'drill.json');
  const drilled = await ha(lab, 'rtr1', 'drill', '--hold', '2s', '--report', path);
  expect(drilled).toMatchObject({ code: 0, stderr: '' });
  expect(drilled.stdout).toContain('the drill is done: the targets were at the peer, and are here again\n');
  await settled(lab, 'rtr1');
  const [report] = JSON.parse(readFileSync(path, 'utf8')) as [
    { outcome: string; legs: readonly { leg: string; requests: number }[] },
  ];
  expect(report.outcome).toBe('done');
  expect(report.legs.map(({ leg }) => leg)).toEqual(['checks', 'over', 'hold', 'back', 'after']);
  expect(routerNames.flatMap((name, place) => alarmsOf(daemonOf(lab, name), marks[place]))).toEqual([]);
});

test('a drill stops with the targets at whoever serves them: taken back by hand, and a peer that dies', async () => {
  const lab = await openPair({ config: soon });
  const stopped = async (drilled: Promise<CommandResult>, at: RegExp) => {
    const { code, stdout } = await drilled;
    expect(code).toBe(3);
    expect(stdout).toMatch(at);
    expect(stdout).toContain('the targets stay with whoever serves them');
  };

  const first = await begun(lab, 'rtr1');
  expect(await ha(lab, 'rtr1', 'switchover', '--cancel')).toMatchObject({ code: 0 });
  await stopped(first.drilled, /the drill is stopped: .*operator/);
  await settled(lab, 'rtr2');

  const second = await begun(lab, 'rtr2');
  await lab.killRouter('rtr1');
  await stopped(second.drilled, /the drill is stopped: /);
  await role(daemonOf(lab, 'rtr2'), 'ACTIVE');
  expect(owners(lab)).toEqual(['rtr2', 'rtr2']);
});

/** The drill, when the targets are at the peer and are to stay there. */
async function begun(lab: Lab, name: RouterName): Promise<{ readonly drilled: Promise<CommandResult> }> {
  const daemon = daemonOf(lab, name);
  const since = daemon.mark();
  const drilled = ha(lab, name, 'drill', '--hold', '1h');
  await reason(daemon, /^drill: switched over /, since);
  return { drilled };
}

test('an ACTIVE router that is told to stop hands over first, and comes back as STANDBY', async () => {
  const lab = await openPair({ config: { ...soon, on_shutdown: 'switchover' } });
  const rtr1 = daemonOf(lab, 'rtr1');
  // A container has 10 s.
  expect(await rtr1.stop('SIGTERM', 10_000)).toEqual({ code: 0, signal: null });
  expect(owners(lab)).toEqual(['rtr2', 'rtr2']);
  lab.startDaemon('rtr1');
  await settled(lab, 'rtr2');
});

test('an Auto Scaling group that ends the ACTIVE router: it hands over while it still lives', async () => {
  const lab = await openPair({ config: { ...soon, maintenance: { switch_over_before_s: 120 } } });
  const rtr1 = daemonOf(lab, 'rtr1');
  lab.routers.rtr1.imds.announce('meta-data/autoscaling/target-lifecycle-state', 'Terminated');
  await alarm(rtr1, 'maintenance-ahead', /announced: autoscaling-termination/);
  await reason(rtr1, /switching over ahead of autoscaling-termination/);
  await settled(lab, 'rtr2');
});
