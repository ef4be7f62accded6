/** An operator wants nothing to begin for a while: `ha inhibit` and `ha release`. */
import {
  attemptsBegun,
  daemonOf,
  moreObservations,
  moveOf,
  nothingMoves,
  openPair,
  reason,
  requestMark,
  role,
  roleOf,
  shownState,
  takesOver,
  watching,
  writes,
} from './support';
import { alarm, alarmsOf, ha, settled, shownReason, soon } from './rulesSupport';

/** A machine that paused the daemon adds to it that the takeover is late. */
const blocked =
  /not taking over 172\.31\.101\.10 and 172\.31\.105\.10: the session.* DOWN and this router is STANDBY(; late, because [^,]*)?, but inhibited by an operator until .*Z \(AWS maintenance\)/;

test('an inhibited standby lets its peer die, also after a restart, and takes over at once when released', async () => {
  const lab = await openPair();
  const first = daemonOf(lab, 'rtr2');
  const since = first.mark();
  const inhibited = await ha(lab, 'rtr2', 'inhibit', '--for', '10m', '--why', 'AWS maintenance');
  expect(inhibited).toMatchObject({ code: 0, stderr: '' });
  expect(inhibited.stdout).toMatch(
    /^inhibited by an operator until \d{4}-.*Z \(AWS maintenance\): nothing is moved until then\n$/,
  );
  await lab.killRouter('rtr1');
  await alarm(first, 'takeover-blocked', blocked, since);
  await nothingMoves(lab, 'rtr2');
  expect(alarmsOf(first, since)).toEqual(['takeover-blocked']);
  expect(roleOf(first)).toBe('STANDBY');
  expect(await shownState(lab, 'rtr2', 'STANDBY')).toBe('STANDBY');
  await shownReason(lab, 'rtr2', blocked);

  await first.stop();
  const second = lab.startDaemon('rtr2');
  await reason(second, /still inhibited by an operator until .*Z \(AWS maintenance\)/);
  await reason(second, /still standing: alarm takeover-blocked/);
  await reason(second, blocked);
  await nothingMoves(lab, 'rtr2');

  await takesOver(lab, 'rtr2', async () => {
    const released = await ha(lab, 'rtr2', 'release');
    expect(released).toEqual({ code: 0, stdout: 'released: no longer inhibited\n', stderr: '' });
  });
  await reason(second, /alarm takeover-blocked is over/);
  expect(alarmsOf(second)).not.toContain('takeover-blocked');
});

test('an inhibit ends by itself, and what it held back begins', async () => {
  const lab = await openPair();
  const rtr2 = daemonOf(lab, 'rtr2');
  const since = rtr2.mark();
  await takesOver(lab, 'rtr2', async () => {
    const command = ha(lab, 'rtr2', 'inhibit', '--for', '4s', '--why', 'AWS maintenance');
    await reason(rtr2, /inhibited by an operator/, since);
    await lab.killRouter('rtr1');
    await alarm(rtr2, 'takeover-blocked', blocked, since);
    expect(writes(lab).map(moveOf)).toEqual([]);
    expect(await command).toMatchObject({ code: 0 });
    await reason(rtr2, /no longer inhibited: the 4 s are over/, since);
  });
});

test('the upgrade of both where a daemon takes its BFD sessions with it: no takeover, and none is missed later', async () => {
  const sessionsDieWithClient = { graceMs: 50, peerSees: 'silence' } as const;
  const lab = await openPair({ sim: { sessionsDieWithClient }, config: soon });
  const rtr1 = daemonOf(lab, 'rtr1');

  // The standby first: its peer sees it DOWN and has nothing to take.
  let since = { rtr1: rtr1.mark(), request: requestMark(lab) };
  await daemonOf(lab, 'rtr2').stop();
  await reason(rtr1, /staying ACTIVE: the sessions .* are DOWN/, since.rtr1);
  const rtr2 = lab.startDaemon('rtr2');
  await watching(rtr2);

  const inhibit = await ha(lab, 'rtr2', 'inhibit', '--for', '10m', '--why', 'AWS maintenance');
  expect(inhibit.code).toBe(0);
  const mark = rtr2.mark();
  await rtr1.stop();
  await alarm(rtr2, 'takeover-blocked', blocked, mark);
  const again = lab.startDaemon('rtr1');
  await role(again, 'ACTIVE');
  await watching(rtr2, mark);
  await settled(lab, 'rtr1');
  const released = await ha(lab, 'rtr2', 'release');
  expect(released.stdout).toBe('released: no longer inhibited\n');
  await settled(lab, 'rtr1');
  expect(writes(lab, since.request).map(moveOf)).toEqual([]);
  expect(attemptsBegun(rtr2)).toEqual([]);
  expect(alarmsOf(again)).toEqual([]);
  since = { rtr1: again.mark(), request: requestMark(lab) };
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
});

test('a giver that is killed right after its switchover to an inhibited peer: that one is told to be ACTIVE, and not that a takeover is blocked', async () => {
  // Slow enough for the peer to go DOWN before a keepalive has shown what was given.
  const lab = await openPair({ config: { ...soon, keepalive_s: 10, role_ttl_s: 30 } });
  const rtr2 = daemonOf(lab, 'rtr2');
  const since = rtr2.mark();
  await ha(lab, 'rtr2', 'inhibit', '--for', '10m', '--why', 'AWS maintenance');
  await moreObservations(lab, 'rtr2', 1);
  const given = ha(lab, 'rtr1', 'switchover');
  await reason(daemonOf(lab, 'rtr1'), /switched over/);
  await lab.killRouter('rtr1');
  // Its daemon is gone while it waits for the peer.
  expect(await given).toMatchObject({ code: 4 });
  await role(rtr2, 'ACTIVE');
  await reason(rtr2, /staying ACTIVE: the session.* DOWN, but all targets are on this router/, since);
  expect(alarmsOf(rtr2, since)).toEqual(['arrived-while-inhibited']);
  expect(writes(lab, 0, 'rtr2')).toEqual([]);
});
