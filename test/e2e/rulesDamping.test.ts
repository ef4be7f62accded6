/** Too many takeovers in short order hold the next one back for a while. */
import type { Lab } from '../../lab/topology/topology';
import {
  attemptsBegun,
  daemonOf,
  nothingMoves,
  openPair,
  reason,
  requestMark,
  role,
  roleOf,
  takesOver,
  watching,
} from './support';
import { alarm, alarmsOf, moveByHand, shownReason, soon } from './rulesSupport';

/** An operator undoes the takeover and the link heals: the standby watches again. */
async function undo(lab: Lab): Promise<void> {
  const rtr2 = daemonOf(lab, 'rtr2');
  const since = rtr2.mark();
  lab.healLink();
  lab.plan.interfaces.forEach((_, place) => moveByHand(lab, place, 'rtr1'));
  // The other one too has to know, or it takes the next failure for one that it may act on.
  await Promise.all([watching(rtr2, since), role(daemonOf(lab, 'rtr1'), 'ACTIVE')]);
}

test('a link that goes up and down: the standby takes over a few times, then says that it waits, and later may again', async () => {
  const lab = await openPair({ config: { ...soon, damping_half_life_s: 10 } });
  const rtr2 = daemonOf(lab, 'rtr2');
  const since = rtr2.mark();
  // Four in quick succession, one or two more where the machine is slow and the penalty fades meanwhile.
  for (let taken = 0; !alarmsOf(rtr2, since).includes('takeover-damped'); taken += 1) {
    expect(taken).toBeLessThan(12);
    if (taken > 0) await undo(lab);
    await takesOver(lab, 'rtr2', () => lab.cutLink());
  }
  const taken = attemptsBegun(rtr2).length;
  expect(taken).toBeGreaterThanOrEqual(4);
  await alarm(
    rtr2,
    'takeover-damped',
    /too many takeovers in short order: after this one BFD triggers none for \d+ s; see why the peer or its links go up and down/,
    since,
  );
  await undo(lab);

  const mark = { record: rtr2.mark(), request: requestMark(lab) };
  await takesOver(lab, 'rtr2', async () => {
    lab.cutLink();
    const waits =
      /this router is STANDBY: the session.* DOWN, but there have been too many takeovers in short order/;
    await reason(rtr2, waits, mark.record);
    await shownReason(lab, 'rtr2', waits);
    await nothingMoves(lab, 'rtr2', mark);
    expect(roleOf(rtr2)).toBe('STANDBY');
  });
  expect(alarmsOf(rtr2, mark.record)).toEqual([]);
});
