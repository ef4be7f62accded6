/**
 * The fault matrix, EC2: each row has its state, the record that an operator sees, and its end without
 * anybody's help. A takeover under way asks for nothing but its own moves, never without a pause between.
 */
import type { LoggedRequest } from '../../lab/ec2-emulator/requestLog';
import type { Lab } from '../../lab/topology/topology';
import type { RouterName } from '../../lab/topology/plan';
import { eventually } from '../support/eventually';
import {
  attemptsBegun,
  daemonOf,
  hasTakenOver,
  hedging,
  moreObservations,
  moveOf,
  nothingMoves,
  openLab,
  openPair,
  reason,
  record,
  requestMark,
  role,
  roleOf,
  rolesSince,
  shownState,
  takesOver,
  watching,
  writes,
} from './support';

const MOVE = 'AssignPrivateIpAddresses';
const READS = 'Describe*';

/** Each move that was asked for, once, however often that was. */
const movesAsked = (lab: Lab, since = 0): readonly string[] => [
  ...new Set(writes(lab, since).map(moveOf).sort()),
];

const movesTo = (lab: Lab, name: RouterName): readonly string[] =>
  lab.plan.interfaces
    .map(({ floatingAddress, networkInterfaceId }) => `${floatingAddress} -> ${networkInterfaceId[name]}`)
    .sort();

/** The move of one address as often as it was asked for. */
const requestsFor = (lab: Lab, address: string): readonly LoggedRequest[] =>
  writes(lab).filter((request) => moveOf(request).includes(`${address} `));

/**
 * A burst at first, then two requests a second at most, by the emulator's own clock: pauses grow to a second,
 * less up to half of it as jitter.
 */
function expectPauses(requests: readonly LoggedRequest[], perS = 2): void {
  const elapsedS = ((requests.at(-1)?.receivedAt ?? 0) - (requests[0]?.receivedAt ?? 0)) / 1000;
  expect(requests.length).toBeGreaterThan(1);
  expect(requests.length).toBeLessThanOrEqual(10 + perS * elapsedS);
}

/** Refused for good, a move is asked for again after 5 to 10 s, and the pause begins with the answer. */
function expectSlowTries(requests: readonly LoggedRequest[]): void {
  const gapsMs = requests.slice(1).map(({ receivedAt }, at) => receivedAt - (requests[at]?.receivedAt ?? 0));
  expect(gapsMs.length).toBeGreaterThan(0);
  for (const gapMs of gapsMs) expect(gapMs).toBeGreaterThanOrEqual(4_999);
}

/** Ends as it should: one attempt, its own moves alone, and EC2 and both routers agree. */
async function completes(lab: Lab): Promise<void> {
  const rtr2 = daemonOf(lab, 'rtr2');
  await hasTakenOver(lab, 'rtr2');
  expect(attemptsBegun(rtr2)).toEqual([1]);
  expect(movesAsked(lab)).toEqual(movesTo(lab, 'rtr2'));
  expect(await shownState(lab, 'rtr2', 'ACTIVE')).toBe('ACTIVE');
}

/** The loser returns as STANDBY and is not deaf: it takes over in its turn. */
async function rtr1TakesOverInItsTurn(lab: Lab): Promise<void> {
  await lab.bootRouter('rtr1');
  const rtr1 = lab.startDaemon('rtr1');
  await watching(rtr1);
  await takesOver(lab, 'rtr1', () => lab.killRouter('rtr2'));
}

test('EC2 that takes 600 ms for each call: the roles stay, and the takeover completes', async () => {
  const lab = await openPair();
  const daemons = [daemonOf(lab, 'rtr1'), daemonOf(lab, 'rtr2')];
  lab.ec2.addFault({ kind: 'latency', ms: 600 });
  await Promise.all([moreObservations(lab, 'rtr1', 2), moreObservations(lab, 'rtr2', 2)]);
  expect(daemons.map(roleOf)).toEqual(['ACTIVE', 'STANDBY']);
  expect(writes(lab)).toEqual([]);

  await lab.killRouter('rtr1');
  await completes(lab);
});

test('EC2 that throttles for 3 s in the middle of a takeover: half is moved, the rest follows', async () => {
  const lab = await openPair();
  const rtr2 = daemonOf(lab, 'rtr2');
  const [first = '', second = ''] = lab.floatingAddresses;
  const code = 'RequestLimitExceeded';
  const throttled = [
    lab.ec2.addFault({ kind: 'error', code, action: MOVE, addresses: [second] }),
    lab.ec2.addFault({ kind: 'throttle', action: READS, source: lab.plan.instanceId.rtr2 }),
  ];
  await lab.killRouter('rtr1');
  await reason(rtr2, /EC2 has moved 172\.31\.101\.10 to eni-/);
  await reason(rtr2, /172\.31\.105\.10 not moved: RequestLimitExceeded/);
  await reason(rtr2, /EC2 could not be observed \(RequestLimitExceeded/);
  await record(rtr2, /"level":"error".*takeover-stuck.*172\.31\.105\.10 not moved for 3 s: .*RequestLimitEx/);
  expect([lab.ownerOf(first), lab.ownerOf(second)]).toEqual(['rtr2', 'rtr1']);
  expect(roleOf(rtr2)).toBe('UNKNOWN');
  expect(await shownState(lab, 'rtr2', 'UNKNOWN')).toBe('UNKNOWN');

  for (const rule of throttled) lab.ec2.removeFault(rule);
  await completes(lab);
  expect(requestsFor(lab, first)).toHaveLength(1);
  // As often as a token comes.
  expectPauses(requestsFor(lab, second), 5);
});

test('EC2 that resets every connection: nothing moves until it stops, and then everything', async () => {
  const lab = await openPair();
  const rtr2 = daemonOf(lab, 'rtr2');
  const since = rtr2.mark();
  const broken = lab.ec2.addFault({ kind: 'reset', source: lab.plan.instanceId.rtr2 });
  await reason(rtr2, /EC2 could not be observed \(ECONNRESET/, since);
  await lab.killRouter('rtr1');
  await reason(rtr2, /172\.31\.101\.10 not moved: ECONNRESET: .*; the outcome is not known/);
  await record(rtr2, /"level":"error".*takeover-stuck.*last said ECONNRESET/);
  expect(rolesSince(rtr2, since)).toEqual(['STANDBY']);
  expect(lab.ownsAll('rtr1')).toBe(true);

  lab.ec2.removeFault(broken);
  await completes(lab);
  expectPauses(requestsFor(lab, '172.31.101.10'));
  await rtr1TakesOverInItsTurn(lab);
});

test.each([
  ['in the middle of its answers', 'midAnswer'],
  ['instead of its answers', 'after'],
] as const)('EC2 that does the work and resets the connection %s', async (_, when) => {
  const lab = await openPair();
  const rtr2 = daemonOf(lab, 'rtr2');
  const since = rtr2.mark();
  const broken = lab.ec2.addFault({ kind: 'reset', when, source: lab.plan.instanceId.rtr2 });
  await lab.killRouter('rtr1');
  await eventually(() => expect(requestsFor(lab, '172.31.105.10').length).toBeGreaterThan(3));
  await reason(rtr2, /172\.31\.105\.10 not moved: ECONNRESET: .*; the outcome is not known/);
  await reason(rtr2, /EC2 could not be observed \(ECONNRESET/);
  // EC2 has moved the addresses and nobody has said so: the role waits for the word.
  expect(lab.ownsAll('rtr2')).toBe(true);
  expect(rolesSince(rtr2, since)).toEqual(['STANDBY']);

  lab.ec2.removeFault(broken);
  await completes(lab);
});

test('EC2 whose reads end in a black hole for longer than role_ttl_s, for both routers: UNKNOWN, and nothing moves', async () => {
  const lab = await openPair({ config: { api_timeout_s: 0.4, role_ttl_s: 1.5 } });
  const [rtr1, rtr2] = [daemonOf(lab, 'rtr1'), daemonOf(lab, 'rtr2')];
  const since = { rtr1: rtr1.mark(), rtr2: rtr2.mark() };
  const hole = lab.ec2.addFault({ kind: 'blackHole', action: READS });
  await reason(
    rtr1,
    /EC2 could not be observed \(Timeout: no answer within \d+ ms to DescribeNetworkInterfaces\)/,
    since.rtr1,
  );
  await reason(rtr1, /now UNKNOWN \(unobserved\), before ACTIVE/, since.rtr1);
  await reason(rtr2, /now UNKNOWN \(unobserved\), before STANDBY/, since.rtr2);
  await record(rtr2, /"level":"error".*cloud-unobserved/, since.rtr2);
  expect(await shownState(lab, 'rtr1', 'UNKNOWN')).toBe('UNKNOWN');

  const healed = { rtr1: rtr1.mark(), rtr2: rtr2.mark() };
  lab.ec2.removeFault(hole);
  await reason(rtr1, /EC2 answers again after \d+ failures/, healed.rtr1);
  await role(rtr1, 'ACTIVE');
  await watching(rtr2, healed.rtr2);
  await nothingMoves(lab, 'rtr2', { request: 0, record: since.rtr2 });
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
});

test('EC2 that swallows every write of a takeover: it is asked again with growing patience until it answers', async () => {
  const lab = await openPair({ config: hedging });
  const rtr2 = daemonOf(lab, 'rtr2');
  const hole = lab.ec2.addFault({ kind: 'blackHole', action: MOVE });
  await lab.killRouter('rtr1');
  await reason(
    rtr2,
    /EC2 has not answered the move of 172\.31\.101\.10: sending it again on another connection/,
  );
  await reason(
    rtr2,
    /172\.31\.101\.10 not moved: Timeout: no answer within \d+ ms; the outcome is not known/,
  );
  await record(rtr2, /"level":"error".*takeover-stuck.*last said Timeout/);
  expect(lab.ownsAll('rtr1')).toBe(true);
  expect(roleOf(rtr2)).toBe('STANDBY');

  lab.ec2.removeFault(hole);
  await completes(lab);
  expectPauses(requestsFor(lab, '172.31.101.10'));
});

test('EC2 that denies, first the reads from the start on, then the move: each goes on by itself once the role is mended', async () => {
  const lab = await openLab({ config: { role_ttl_s: 2.5 } });
  const denied = { kind: 'error', code: 'UnauthorizedOperation', status: 403 } as const;
  const noReads = lab.ec2.addFault({ ...denied, action: READS });
  const [rtr1, rtr2] = [lab.startDaemon('rtr1'), lab.startDaemon('rtr2')];
  await reason(rtr2, /EC2 could not be observed \(UnauthorizedOperation/);
  await record(rtr2, /"level":"error".*cloud-unobserved/);
  expect([rolesSince(rtr1, 0), rolesSince(rtr2, 0)]).toEqual([['UNKNOWN'], ['UNKNOWN']]);
  expect(await shownState(lab, 'rtr2', 'UNKNOWN')).toBe('UNKNOWN');
  lab.ec2.removeFault(noReads);
  await Promise.all([role(rtr1, 'ACTIVE'), watching(rtr2)]);
  expect(writes(lab)).toEqual([]);

  const noMoves = lab.ec2.addFault({ ...denied, action: MOVE });
  await lab.killRouter('rtr1');
  for (const address of ['172\\.31\\.101\\.10', '172\\.31\\.105\\.10']) {
    const refusal = `"level":"error".*takeover-refused.*EC2 refuses to move ${address} .*UnauthorizedOperation`;
    await record(rtr2, new RegExp(refusal));
  }
  await moreObservations(lab, 'rtr2', 2);
  expect(roleOf(rtr2)).toBe('STANDBY');
  expect(lab.ownsAll('rtr1')).toBe(true);

  lab.ec2.removeFault(noMoves);
  await completes(lab);
  for (const address of lab.floatingAddresses) expectSlowTries(requestsFor(lab, address));
});

test('EC2 that answers with what was true 10 s ago, and takes its time: the role that the writes have confirmed stays', async () => {
  const lab = await openPair({ config: { log_level: 'debug' } });
  const rtr2 = daemonOf(lab, 'rtr2');
  lab.ec2.addFault({ kind: 'stale', action: READS, ageMs: 10_000 });
  lab.ec2.addFault({ kind: 'latency', action: READS, ms: 600, when: 'after' });
  await lab.killRouter('rtr1');
  await role(rtr2, 'ACTIVE');
  const since = { record: rtr2.mark(), request: requestMark(lab) };
  await reason(rtr2, /although it has confirmed our write: reading again, since reads may lag writes/);
  await hasTakenOver(lab, 'rtr2');
  expect(rolesSince(rtr2, since.record)).toEqual(['ACTIVE']);
  expect(writes(lab, since.request)).toEqual([]);
  await completes(lab);
});

test('one interface of three whose call fails for good: the others move, and an operator who moves it by hand ends the attempt', async () => {
  const lab = await openPair({ interfaces: 3 });
  const rtr2 = daemonOf(lab, 'rtr2');
  const [, own] = lab.plan.interfaces;
  const second = own?.floatingAddress ?? '';
  const code = 'PrivateIpAddressLimitExceeded';
  lab.ec2.addFault({ kind: 'error', code, action: MOVE, addresses: [second] });
  await lab.killRouter('rtr1');
  await record(
    rtr2,
    /"level":"error".*takeover-refused.*move 172\.31\.105\.10 .*PrivateIpAddressLimitExceeded/,
  );
  // The refusal has EC2 read at once, which may show a move before its own answer comes.
  await reason(rtr2, /EC2 (has moved|shows) 172\.31\.101\.10 (to|on) eni-0b/);
  await reason(rtr2, /EC2 (has moved|shows) 172\.31\.106\.10 (to|on) eni-0b/);
  await reason(rtr2, /now UNKNOWN \(partial\), before STANDBY/);
  expect(lab.floatingAddresses.map((address) => lab.ownerOf(address))).toEqual(['rtr2', 'rtr1', 'rtr2']);
  expect(await shownState(lab, 'rtr2', 'UNKNOWN')).toBe('UNKNOWN');

  lab.world.assign(own?.networkInterfaceId.rtr2 ?? '', [second]);
  await reason(rtr2, /EC2 shows 172\.31\.105\.10 on eni-\w+: moved/);
  await completes(lab);
  const [before, , after] = lab.floatingAddresses;
  for (const address of [before ?? '', after ?? '']) expect(requestsFor(lab, address)).toHaveLength(1);
});
