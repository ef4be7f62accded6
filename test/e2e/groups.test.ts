/**
 * Two groups in an active-active pair, as in config/examples: rtr1 is preferred for north, rtr2 for south, and each
 * of the two groups fails over by itself.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DaemonProcess } from '../../lab/daemonProcess';
import { startCrossAzLab, type AnyLab, type Lab } from '../../lab/topology/topology';
import { INSIDE, OUTSIDE } from '../../lab/topology/crossAz';
import { routerNames, type RouterName } from '../../lab/topology/plan';
import { actionKeys, targetName, type TargetPlan } from '../../lab/topology/targets';
import { eventually } from '../support/eventually';
import { alarmsOf, ha, moveByHand, moveTo, soon } from './rulesSupport';
import { changes, daemonOf, endsWithTest, moveOf, openLab, requestMark, show, writes } from './support';

const groups = ['north', 'south'] as const;
type Group = (typeof groups)[number];
const preferredOn = { north: 'rtr1', south: 'rtr2' } as const;

/** The groups of the example, with the lab's addresses, which are the same. */
function exampleGroups(name: RouterName): readonly object[] {
  const path = join(__dirname, '..', '..', 'config', 'examples', `active-active-${name}.json`);
  const document = JSON.parse(readFileSync(path, 'utf8')) as { config: { groups: readonly object[] } };
  return document.config.groups;
}

/** rtr1 holds north, rtr2 south, and both watch. */
async function openActiveActive(extra: object = {}): Promise<Lab> {
  const lab = await openLab({ config: { ...soon, preempt_delay_s: 1, action: undefined, ...extra } });
  for (const name of routerNames) lab.writeConfig(name, { groups: exampleGroups(name) });
  moveByHand(lab, 1, 'rtr2');
  await startActiveActive(lab);
  return lab;
}

/** The same across two zones: each group has the routes of one table, and an Elastic IP. */
async function openCrossAzActiveActive() {
  const config = { keepalive_s: 0.5, ...soon, preempt_delay_s: 1, action: undefined, actions: undefined };
  const fabric = { bringUpMs: 50, detectTimeMs: 100 };
  const lab = endsWithTest(await startCrossAzLab({ config, fabric, elasticIps: 2 }));
  for (const name of routerNames)
    lab.writeConfig(name, {
      groups: groups.map((group) => ({
        name: group,
        ...actionKeys(name, targetsOf(lab, group)),
        preferred: preferredOn[group] === name,
      })),
    });
  const [outside, inside] = [OUTSIDE, INSIDE].map((place) => lab.plan.interfaces[place]!);
  for (const target of targetsOf(lab, 'south')) {
    if (target.kind === 'route')
      lab.world.setRoute(target, { kind: 'networkInterface', id: inside!.networkInterfaceId.rtr2 });
    if (target.kind === 'elasticIp')
      lab.world.associateAddress({
        allocationId: target.allocationId,
        networkInterfaceId: outside!.networkInterfaceId.rtr2,
        privateIp: target.privateIp!.rtr2,
      });
  }
  await startActiveActive(lab);
  return lab;
}

async function startActiveActive(lab: AnyLab): Promise<void> {
  for (const name of routerNames) lab.startDaemon(name);
  await holds(lab, preferredOn);
  await Promise.all(routerNames.map((name) => watches(daemonOf(lab, name))));
}

/** Of each kind of target north has the first half, and south the other one. */
function targetsOf({ plan }: AnyLab, group: Group): readonly TargetPlan[] {
  return plan.targets.filter((target) => {
    const alike = plan.targets.filter(({ kind }) => kind === target.kind);
    return alike.indexOf(target) < alike.length / 2 === (group === 'north');
  });
}

const lastOf = (daemon: DaemonProcess, group: string, words = /./) =>
  daemon.records.findLast(
    (each) => each['group'] === group && each.ha !== undefined && words.test(each.reason ?? ''),
  );

/** Each live router, and EC2, say that these routers hold the groups. */
async function holds(lab: AnyLab, expected: Readonly<Record<Group, RouterName>>): Promise<void> {
  await eventually(() => {
    for (const group of groups)
      for (const target of targetsOf(lab, group))
        expect([targetName(target), lab.ownerOfTarget(target)]).toEqual([
          targetName(target),
          expected[group],
        ]);
    for (const name of routerNames) {
      const daemon = lab.daemon(name);
      if (daemon === null) continue;
      const roles = groups.map((group) => lastOf(daemon, group)?.ha);
      expect(roles).toEqual(groups.map((group) => (expected[group] === name ? 'ACTIVE' : 'STANDBY')));
    }
  });
}

/** The STANDBY group of the router would see a failure of the peer. */
async function watches(daemon: DaemonProcess, since = 0): Promise<void> {
  await daemon.waitFor(({ reason }) => /STANDBY and watches: all sessions are UP/.test(reason ?? ''), {
    since,
  });
}

const movesSince = (lab: AnyLab, since: number): readonly string[] =>
  changes(lab, since)
    .map(({ action }) => action)
    .sort((a, b) => b.localeCompare(a));

async function shown(lab: Lab, name: RouterName, key: string, words: RegExp): Promise<string> {
  return eventually(async () => {
    const { stdout, stderr } = await show(lab, name, key);
    if (!words.test(stdout)) throw new Error(`show ${key} on ${name}: ${stdout}${stderr}, not ${words}`);
    return stdout;
  });
}

test('one router dies, the other takes its group and keeps its own; it comes back and takes back its own only', async () => {
  const lab = await openActiveActive();
  await shown(lab, 'rtr1', 'ha_state', /UNKNOWN/);
  await shown(lab, 'rtr1', 'ha_reason', /north is ACTIVE: .*\. south is STANDBY: /);
  await shown(lab, 'rtr1', 'ha_health', /"groups": \{\s+"north": "ACTIVE",\s+"south": "STANDBY"/);
  const shownGroups = JSON.parse(
    (await shown(lab, 'rtr1', 'ha_groups', /"state": "STANDBY"/)).split('\n').slice(3).join('\n'),
  ) as object;
  const [own] = lab.plan.interfaces;
  expect(shownGroups).toMatchObject({
    north: {
      state: 'ACTIVE',
      targets: { [own!.floatingAddress]: { holder: own!.networkInterfaceId.rtr1, mine: true } },
    },
    south: { state: 'STANDBY' },
  });

  const since = { request: requestMark(lab), record: daemonOf(lab, 'rtr2').mark() };
  await lab.killRouter('rtr1');
  await holds(lab, { north: 'rtr2', south: 'rtr2' });
  expect(writes(lab, since.request).map(moveOf)).toEqual([moveTo(lab, 0, 'rtr2')]);
  await shown(lab, 'rtr2', 'ha_state', /ACTIVE/);
  const rtr2 = daemonOf(lab, 'rtr2');
  await rtr2.waitFor(({ event, group }) => event === 'takeoverTimeline' && group === 'north', {
    since: since.record,
  });

  const back = requestMark(lab);
  await lab.bootRouter('rtr1');
  lab.startDaemon('rtr1');
  await holds(lab, preferredOn);
  expect(writes(lab, back).map(moveOf)).toEqual([moveTo(lab, 0, 'rtr1')]);
  expect(alarmsOf(rtr2, since.record)).toEqual([]);
});

test('across zones, with routes and an Elastic IP in each group: the survivor has both, and who returns takes back its own', async () => {
  const lab = await openCrossAzActiveActive();
  const rtr2 = daemonOf(lab, 'rtr2');
  const since = { request: requestMark(lab), record: rtr2.mark() };
  await lab.killRouter('rtr1');
  await holds(lab, { north: 'rtr2', south: 'rtr2' });
  const moved = targetsOf(lab, 'north').map(({ kind }) =>
    kind === 'route' ? 'ReplaceRoute' : 'AssociateAddress',
  );
  expect(movesSince(lab, since.request)).toEqual(moved);
  await rtr2.waitFor(({ event, group }) => event === 'takeoverTimeline' && group === 'north', {
    since: since.record,
  });

  const back = requestMark(lab);
  await lab.bootRouter('rtr1');
  await watches(lab.startDaemon('rtr1'));
  await holds(lab, preferredOn);
  expect(movesSince(lab, back)).toEqual(moved);
  expect(alarmsOf(rtr2, since.record)).toEqual([]);

  await lab.killRouter('rtr2');
  await holds(lab, { north: 'rtr1', south: 'rtr1' });
});

test('a restart in the middle: each group remembers what is its own, an inhibit too', async () => {
  const lab = await openActiveActive();
  expect(await ha(lab, 'rtr2', 'inhibit', '--for', '1h', '--why', 'work', '--group', 'south')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^south: inhibited by an operator until .* \(work\)/) as string,
  });
  const memory = join(lab.routers.rtr2.directory, 'state', 'decisions.json');
  await eventually(() =>
    expect(JSON.parse(readFileSync(memory, 'utf8'))).toMatchObject({
      groups: {
        north: { inhibit: null, wasActive: false },
        south: { inhibit: { why: 'work' }, wasActive: true },
      },
    }),
  );
  await daemonOf(lab, 'rtr2').kill();
  const restarted = lab.startDaemon('rtr2');
  await holds(lab, preferredOn);
  await watches(restarted);
  await restarted.waitFor(
    ({ group, reason }) => group === 'south' && /still inhibited by an operator/i.test(reason ?? ''),
    { since: 0 },
  );
  expect(lastOf(restarted, 'north', /inhibited/i)).toBeUndefined();
  // South is under a hold, north is not: what was armed before the restart still is.
  await lab.killRouter('rtr1');
  await holds(lab, { north: 'rtr2', south: 'rtr2' });
  expect(await ha(lab, 'rtr2', 'release')).toMatchObject({
    code: 0,
    stdout: 'north: released: it was not inhibited; south: released: no longer inhibited\n',
  });
});

test('ha switchover is for one group, which has to be named', async () => {
  const lab = await openActiveActive();
  const since = requestMark(lab);
  expect(await ha(lab, 'rtr1', 'switchover')).toMatchObject({
    code: 1,
    stderr: 'no switchover: there are several groups, north, south: say which one with --group\n',
  });
  expect(await ha(lab, 'rtr1', 'switchover', '--group', 'west')).toMatchObject({
    code: 1,
    stderr: 'there is no group west: the groups are north, south\n',
  });
  expect(await ha(lab, 'rtr1', 'switchover', '--group', 'south')).toMatchObject({
    code: 1,
    stderr: 'south: no switchover: this router is not ACTIVE\n',
  });
  expect(await ha(lab, 'rtr1', 'switchover', '--group', 'north')).toMatchObject({ code: 0 });
  await holds(lab, { north: 'rtr2', south: 'rtr2' });
  expect(writes(lab, since).map(moveOf)).toEqual([moveTo(lab, 0, 'rtr2')]);
});

test('at rest EC2 is read once a keepalive for both groups', async () => {
  const lab = await openActiveActive({ log_level: 'debug' });
  const rtr1 = daemonOf(lab, 'rtr1');
  const since = { request: requestMark(lab), record: rtr1.mark() };
  const reads = () =>
    lab.ec2
      .requests()
      .filter(({ number, action }) => number > since.request && action === 'DescribeNetworkInterfaces')
      .filter(({ instanceId }) => instanceId === lab.plan.instanceId.rtr1).length;
  const observed = (name: string) =>
    rtr1
      .recordsSince(since.record)
      .filter(({ event, group }) => event === 'ownershipObserved' && group === name).length;
  await eventually(() => expect(Math.min(observed('north'), observed('south'))).toBeGreaterThan(5));
  // One may have been under way at the mark, and one may be now.
  expect(reads()).toBeLessThanOrEqual(observed('north') + 1);
  expect(Math.abs(observed('north') - observed('south'))).toBeLessThanOrEqual(1);
});
