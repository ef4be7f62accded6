/**
 * The process itself: killed in the middle of a takeover, paused as with its virtual machine, and with a wall
 * clock that is stepped under it. See also process.test.ts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DaemonProcess } from '../../lab/daemonProcess';
import type { RouterName } from '../../lab/topology/plan';
import type { Lab } from '../../lab/topology/topology';
import { WallClock } from '../../lab/wallClock';
import { eventually } from '../support/eventually';
import {
  attemptsBegun,
  daemonOf,
  hasTakenOver,
  moreObservations,
  moveOf,
  nothingMoves,
  openLab,
  openPair,
  reason,
  record,
  requestMark,
  role,
  rolesSince,
  shownState,
  takesOver,
  watching,
  writes,
} from './support';

const MOVE = 'AssignPrivateIpAddresses';

/** The one request for each interface of rtr2, sorted: EC2 may be asked for them in any order. */
const allMoves = (lab: Lab): readonly string[] =>
  lab.plan.interfaces
    .map(({ floatingAddress, networkInterfaceId }) => `${floatingAddress} -> ${networkInterfaceId.rtr2}`)
    .sort();

const readsInBlackHole = (lab: Lab, name: RouterName): number =>
  lab.ec2
    .requests()
    .filter(({ instanceId, action }) => instanceId === lab.plan.instanceId[name] && /^Describe/.test(action))
    .filter(({ faults }) => faults.includes('blackHole')).length;

describe('killed in the middle of a takeover and started again', () => {
  /** rtr2 has sent its requests and remembers that, EC2 answers nothing, and then rtr2's daemon is killed. */
  async function killInMidTakeover(lab: Lab, when: 'before' | 'after'): Promise<void> {
    const hole = lab.ec2.addFault({ kind: 'blackHole', action: MOVE, when });
    await lab.killRouter('rtr1');
    await eventually(() =>
      expect(writes(lab).map(moveOf)).toEqual(expect.arrayContaining([...allMoves(lab)])),
    );
    const memory = join(lab.routers.rtr2.directory, 'state', 'decisions.json');
    await eventually(() => expect(readFileSync(memory, 'utf8')).toContain('"intent":{'));
    await daemonOf(lab, 'rtr2').kill();
    lab.ec2.removeFault(hole);
  }

  test('before EC2 had done anything: it takes over afresh, since it remembers what was armed', async () => {
    const lab = await openPair();
    await killInMidTakeover(lab, 'before');
    expect(lab.ownsAll('rtr1')).toBe(true);
    const since = requestMark(lab);
    const again = lab.startDaemon('rtr2');
    await reason(again, /did not resume the stored takeover: EC2 shows none of its targets here/);
    await hasTakenOver(lab, 'rtr2');
    expect(attemptsBegun(again)).toEqual([1]);
    expect(writes(lab, since).map(moveOf).sort()).toEqual(allMoves(lab));
  });

  test('after EC2 had done it all: it is ACTIVE and asks for nothing', async () => {
    const lab = await openPair();
    await killInMidTakeover(lab, 'after');
    expect(lab.ownsAll('rtr2')).toBe(true);
    const since = { request: requestMark(lab), record: 0 };
    const again = lab.startDaemon('rtr2');
    await reason(again, /the stored takeover is complete/);
    await role(again, 'ACTIVE');
    await nothingMoves(lab, 'rtr2', since);
  });
});

/** Longer than BFD detection, API timeouts, keepalives and, here, role_ttl_s. */
const PAUSE_MS = 3_000;
const pausable = { role_ttl_s: 2.5 };

/** The process does not run for a while, and does not know; `meanwhile` happens at the beginning. */
async function paused(daemon: DaemonProcess, meanwhile: () => unknown = () => undefined): Promise<void> {
  const { pid } = daemon;
  if (pid === undefined) throw new Error(`${daemon.name} has no process`);
  process.kill(pid, 'SIGSTOP');
  const until = performance.now() + PAUSE_MS;
  await meanwhile();
  await eventually(() => expect(performance.now()).toBeGreaterThan(until));
  process.kill(pid, 'SIGCONT');
}

describe('paused for some seconds', () => {
  test('STANDBY, the peer is well: nothing moves, and a later death is seen', async () => {
    const lab = await openPair({ config: pausable });
    const rtr2 = daemonOf(lab, 'rtr2');
    const since = { request: 0, record: rtr2.mark() };
    await paused(rtr2);
    await nothingMoves(lab, 'rtr2', since);
    expect(await shownState(lab, 'rtr2', 'STANDBY')).toBe('STANDBY');
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });

  test('STANDBY, and the peer dies meanwhile: it is taken over from', async () => {
    const lab = await openPair({ config: pausable });
    const rtr2 = daemonOf(lab, 'rtr2');
    await takesOver(lab, 'rtr2', () => paused(rtr2, () => lab.killRouter('rtr1')));
  });

  test('ACTIVE, the peer is well: it stays ACTIVE, and its later death is seen', async () => {
    const lab = await openPair({ config: pausable });
    const rtr1 = daemonOf(lab, 'rtr1');
    const since = { request: 0, record: rtr1.mark() };
    await paused(rtr1);
    await nothingMoves(lab, 'rtr1', since);
    await role(rtr1, 'ACTIVE');
    expect(await shownState(lab, 'rtr1', 'ACTIVE')).toBe('ACTIVE');
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });

  test('ACTIVE, and the peer dies meanwhile: it stays ACTIVE', async () => {
    const lab = await openPair({ config: pausable });
    const rtr1 = daemonOf(lab, 'rtr1');
    const since = { request: 0, record: rtr1.mark() };
    await paused(rtr1, () => lab.killRouter('rtr2'));
    await reason(rtr1, /staying ACTIVE: the sessions .* are DOWN/, since.record);
    await nothingMoves(lab, 'rtr1', since);
    await role(rtr1, 'ACTIVE');

    await lab.bootRouter('rtr2');
    await watching(lab.startDaemon('rtr2'));
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });

  test.each([
    ['still cut off', false],
    ['connected again', true],
  ])('ACTIVE, cut off and taken over from meanwhile: it is STANDBY when it wakes, %s', async (_, healed) => {
    const lab = await openPair({ config: { ...pausable, staleness_s: 0.5 } });
    const [rtr1, rtr2] = [daemonOf(lab, 'rtr1'), daemonOf(lab, 'rtr2')];
    const since = { request: requestMark(lab), record: rtr1.mark() };
    await paused(rtr1, async () => {
      lab.cutLink();
      await hasTakenOver(lab, 'rtr2');
      if (healed) lab.healLink();
    });
    await role(rtr1, 'STANDBY');
    if (!healed) {
      await reason(rtr1, /takes nothing over: .* is DOWN, ignored: it has not been UP/, since.record);
    }
    await Promise.all([moreObservations(lab, 'rtr1', 3), moreObservations(lab, 'rtr2', 3)]);
    expect(writes(lab, since.request).map(moveOf).sort()).toEqual(allMoves(lab));
    expect([attemptsBegun(rtr1), attemptsBegun(rtr2)]).toEqual([[], [1]]);
    lab.healLink();
    await watching(rtr1, since.record);
    await takesOver(lab, 'rtr1', () => lab.killRouter('rtr2'));
  });

  test('in the middle of a takeover: it is completed, and no address is moved elsewhere', async () => {
    const lab = await openPair({ config: pausable });
    const rtr2 = daemonOf(lab, 'rtr2');
    lab.ec2.addFault({ kind: 'latency', ms: 600, action: MOVE, count: 2 });
    await lab.killRouter('rtr1');
    await eventually(() => expect(writes(lab)).toHaveLength(2));
    await paused(rtr2);
    await hasTakenOver(lab, 'rtr2');
    expect(attemptsBegun(rtr2)).toEqual([1]);
    expect([...new Set(writes(lab).map(moveOf))].sort()).toEqual(allMoves(lab));
  });
});

describe('the wall clock is stepped by an hour', () => {
  const HOUR_MS = 3_600_000;
  const turnedDown =
    /EC2 could not be observed \(RequestExpired: EC2 does not accept the .*time of the request/;

  async function openClockedPair(): Promise<{ lab: Lab; clock: WallClock }> {
    const lab = await openLab();
    const clock = new WallClock(lab.directory);
    const rtr1 = lab.startDaemon('rtr1', { env: clock.env });
    const rtr2 = lab.startDaemon('rtr2', { env: clock.env });
    await Promise.all([role(rtr1, 'ACTIVE'), watching(rtr2)]);
    return { lab, clock };
  }

  test('forth and back: EC2 turns one request down each time, and the roles stay', async () => {
    const { lab, clock } = await openClockedPair();
    const daemons = [daemonOf(lab, 'rtr1'), daemonOf(lab, 'rtr2')];
    const start = daemons.map((daemon) => daemon.mark());
    for (const offsetMs of [HOUR_MS, 0]) {
      const since = daemons.map((daemon) => daemon.mark());
      clock.setOffset(offsetMs);
      for (const [place, daemon] of daemons.entries()) {
        await reason(daemon, turnedDown, since[place]);
        const again = await record(daemon, /EC2 answers again after 1 failures/, since[place]);
        const shownMs = Date.parse(String(again['time']));
        expect(Math.abs(shownMs - offsetMs - Date.now())).toBeLessThan(HOUR_MS / 2);
      }
    }
    await nothingMoves(lab, 'rtr2');
    expect(daemons.map((daemon, place) => rolesSince(daemon, start[place] ?? 0))).toEqual([
      ['ACTIVE'],
      ['STANDBY'],
    ]);
    expect(daemons.map(({ exit }) => exit)).toEqual([null, null]);
    expect(await shownState(lab, 'rtr2', 'STANDBY')).toBe('STANDBY');
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });

  /** Nothing tells rtr2's daemon of the step before its takeover does, and all that it has signed is from before. */
  async function takesOverAtTheStep(offsetMs: number): Promise<readonly (string | null)[]> {
    const { lab, clock } = await openClockedPair();
    const rtr2 = daemonOf(lab, 'rtr2');
    const away = lab.ec2.addFault({ kind: 'blackHole', action: 'Describe*' });
    lab.ec2.addFault({ kind: 'throttle', action: MOVE, count: 2 });
    // With each answered reading it signs anew. From the first one on that is not answered it does so no more.
    await eventually(() => expect(readsInBlackHole(lab, 'rtr2')).not.toBe(0));
    clock.setOffset(offsetMs);
    await lab.killRouter('rtr1');
    await reason(rtr2, /took over 172\.31\.101\.10 and 172\.31\.105\.10/);
    lab.ec2.removeFault(away);
    await hasTakenOver(lab, 'rtr2');
    expect(attemptsBegun(rtr2)).toEqual([1]);
    return writes(lab).map(({ errorCode }) => errorCode);
  }

  test('forward as the peer dies: what was signed before is good, what comes after is signed anew once', async () => {
    const [first, second, ...later] = await takesOverAtTheStep(HOUR_MS);
    expect([first, second]).toEqual(['RequestLimitExceeded', 'RequestLimitExceeded']);
    // The first answer to a wrong time puts it right, so there are as many as were under way at once.
    expect(later.filter((code) => code === null)).toHaveLength(2);
    expect([...new Set(later)].sort()).toEqual(['RequestExpired', null]);
  });

  test('back as the peer dies: the first answer puts the time right', async () => {
    expect(await takesOverAtTheStep(-HOUR_MS)).toEqual([
      'RequestLimitExceeded',
      'RequestLimitExceeded',
      null,
      null,
    ]);
  });
});
