/** Alarms and a dead daemon, as an operator finds them. */
import { daemonOf, openPair, reason, record, show, shownState } from './support';
import { eventually } from '../support/eventually';
import type { Lab } from '../../lab/topology/topology';

const config = { evidence_hold_s: 1 };

/** The codes that `show ha_alarms --json` lists on this router; a folder of the lab is on no mount of its own. */
async function alarms(lab: Lab, name: 'rtr1' | 'rtr2'): Promise<readonly string[]> {
  const { code, stdout } = await show(lab, name, 'ha_alarms', '--json');
  const { value } = JSON.parse(stdout) as { value: { alarms: { code: string }[] } };
  expect(code).toBe(value.alarms.length === 0 ? 0 : 1);
  return value.alarms.map(({ code: each }) => each).filter((each) => each !== 'state-dir-volatile');
}

test('a pair that is no longer two says so at the ACTIVE router, until it is two again', async () => {
  const lab = await openPair({ config });
  const rtr1 = daemonOf(lab, 'rtr1');
  await shownState(lab, 'rtr1', 'ACTIVE');
  expect(await alarms(lab, 'rtr1')).toEqual([]);
  await lab.killRouter('rtr2');
  await reason(rtr1, /redundancy lost: all targets are on this router/);
  await eventually(async () => expect(await alarms(lab, 'rtr1')).toEqual(['redundancy-lost']));
  const page = await show(lab, 'rtr1', 'ha_alarms');
  expect([page.code, page.stdout]).toEqual([
    1,
    expect.stringMatching(/MAJOR +redundancy-lost since \S+Z\n/) as unknown,
  ]);
  await lab.bootRouter('rtr2');
  lab.startDaemon('rtr2');
  await reason(rtr1, /alarm redundancy-lost is over: a session is UP/);
  await eventually(async () => expect(await alarms(lab, 'rtr1')).toEqual([]));
});

test('an alarm stands over a restart of the daemon, with the time when it began', async () => {
  const lab = await openPair({ config });
  await shownState(lab, 'rtr1', 'ACTIVE');
  await lab.killRouter('rtr2');
  await reason(daemonOf(lab, 'rtr1'), /redundancy lost/);
  const since = async () => /since (\S{19})/.exec((await show(lab, 'rtr1', 'ha_alarms')).stdout)?.[1];
  const before = await eventually(async () => {
    const found = await since();
    if (found === undefined) throw new Error('no alarm is shown');
    return found;
  });
  await daemonOf(lab, 'rtr1').kill();
  const next = lab.startDaemon('rtr1');
  await reason(next, /all targets are on this router/);
  await eventually(async () => expect(await alarms(lab, 'rtr1')).toEqual(['redundancy-lost']));
  expect(Math.abs(Date.parse(`${(await since()) ?? ''}Z`) - Date.parse(`${before}Z`))).toBeLessThan(2_000);
});

test('a daemon that was killed shows: STANDBY is not STANDBY any more', async () => {
  const lab = await openPair();
  await shownState(lab, 'rtr2', 'STANDBY');
  await daemonOf(lab, 'rtr2').kill();
  await eventually(async () => {
    const { code, stdout } = await show(lab, 'rtr2', 'ha_state');
    expect(stdout).toMatch(/\nSTANDBY \(stale: \d+ s old, the daemon does not answer\)\n$/);
    expect(code).toBe(5);
  });
  await record(lab.startDaemon('rtr2'), /"router":/);
  expect(await shownState(lab, 'rtr2', 'STANDBY')).toBe('STANDBY');
});
