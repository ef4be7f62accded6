/** A preferred router takes the addresses back when it is well again. */
import type { Lab, LabOptions } from '../../lab/topology/topology';
import type { RouterName } from '../../lab/topology/plan';
import {
  daemonOf,
  moveOf,
  openLab,
  reason,
  requestMark,
  role,
  startPair,
  takesOver,
  watching,
  writes,
} from './support';
import { alarm, alarmsOf, changesOfOwner, ha, moveTo, settled, shownReason, soon } from './rulesSupport';

const preferred = { preferred: true, preempt_delay_s: 1 };

/** A pair on which only these routers are preferred. */
async function openPreferred(names: readonly RouterName[], options: LabOptions = {}): Promise<Lab> {
  const lab = await openLab({ ...options, config: soon });
  for (const name of names) lab.writeConfig(name, preferred);
  await startPair(lab);
  return lab;
}

test('it comes back from the dead, is STANDBY, watches, and takes the addresses when it has been ready', async () => {
  const lab = await openPreferred(['rtr1']);
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  const rtr2 = daemonOf(lab, 'rtr2');
  const since = { request: requestMark(lab), record: rtr2.mark() };
  await lab.bootRouter('rtr1');
  const rtr1 = lab.startDaemon('rtr1');
  await reason(
    rtr1,
    /STANDBY and watches: all sessions are UP; preferred: it takes the targets when it has been ready for 1 s/,
  );
  await reason(
    rtr1,
    /preempting: taking 172\.31\.101\.10 and 172\.31\.105\.10, because this router is preferred and has been ready with all sessions UP for 1 s/,
  );
  await settled(lab, 'rtr1');
  await watching(rtr2, since.record);
  expect(writes(lab, since.request).map(moveOf).sort()).toEqual([
    moveTo(lab, 0, 'rtr1'),
    moveTo(lab, 1, 'rtr1'),
  ]);
  expect(alarmsOf(rtr1)).toEqual([]);
  expect(alarmsOf(rtr2, since.record)).toEqual([]);
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
});

test('two preferred routers do not take from each other in turn, and what a preferred one has given away it does not take back', async () => {
  await Promise.all([bothPreferred(), givenAway()]);
});

async function bothPreferred(): Promise<void> {
  const lab = await openPreferred(['rtr1', 'rtr2']);
  const rtr1 = daemonOf(lab, 'rtr1');
  await alarm(
    rtr1,
    'preempt-conflict',
    /preferred, but the targets were taken from it while the sessions stayed UP: it takes them back no more until this daemon restarts; see that only one router is preferred/,
  );
  await settled(lab, 'rtr2');
  await shownReason(
    lab,
    'rtr1',
    /STANDBY and watches: all sessions are UP; preferred, but the targets were taken from it/,
  );
  expect(changesOfOwner(lab)).toBe(2);
  await takesOver(lab, 'rtr1', () => lab.killRouter('rtr2'));
}

async function givenAway(): Promise<void> {
  const lab = await openPreferred(['rtr1']);
  const rtr1 = daemonOf(lab, 'rtr1');
  expect(await ha(lab, 'rtr1', 'switchover')).toMatchObject({ code: 0 });
  await reason(
    rtr1,
    /it takes them back by itself no more until this daemon restarts, although it is preferred/,
  );
  await role(rtr1, 'STANDBY');
  await settled(lab, 'rtr2');
  await settled(lab, 'rtr2');
  expect(changesOfOwner(lab)).toBe(2);
  await takesOver(lab, 'rtr1', () => lab.killRouter('rtr2'));
}
