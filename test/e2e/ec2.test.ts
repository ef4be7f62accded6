/** EC2 and IMDS at their worst, while a takeover needs them or before one does. */
import type { Lab } from '../../lab/topology/topology';
import { eventually } from '../support/eventually';
import {
  attemptsBegun,
  daemonOf,
  hasTakenOver,
  hedging,
  moveOf,
  openLab,
  openPair,
  reason,
  record,
  requestMark,
  role,
  roleOf,
  rolesSince,
  startPair,
  takesOver,
  watching,
  writes,
} from './support';

const MOVE = 'AssignPrivateIpAddresses';

test('a throttled first write is sent again and succeeds', async () => {
  const lab = await openPair();
  const rtr2 = daemonOf(lab, 'rtr2');
  lab.ec2.addFault({ kind: 'throttle', action: MOVE, count: 2 });
  await lab.killRouter('rtr1');
  await hasTakenOver(lab, 'rtr2');
  expect(attemptsBegun(rtr2)).toEqual([1]);
  await reason(rtr2, /172\.31\.101\.10 not moved: RequestLimitExceeded/);
  expect(writes(lab).map(({ errorCode }) => errorCode)).toEqual([
    'RequestLimitExceeded',
    'RequestLimitExceeded',
    null,
    null,
  ]);
});

test('a write that vanishes in a black hole is hedged on another connection', async () => {
  const lab = await openPair({ interfaces: 1, config: hedging });
  const rtr2 = daemonOf(lab, 'rtr2');
  lab.ec2.addFault({ kind: 'blackHole', action: MOVE, count: 1 });
  await lab.killRouter('rtr1');
  await hasTakenOver(lab, 'rtr2');
  await reason(
    rtr2,
    /EC2 has not answered the move of 172\.31\.101\.10: sending it again on another connection/,
  );
  const [lost, hedge] = writes(lab);
  expect(lost?.outcome).not.toBe('ok');
  expect(hedge).toMatchObject({ outcome: 'ok', params: lost?.params });
  expect(hedge?.connectionId).not.toBe(lost?.connectionId);
  expect(attemptsBegun(rtr2)).toEqual([1]);
});

test('of two addresses on one interface the one that EC2 refuses does not hold back the other', async () => {
  const lab = await openLab({ interfaces: 1 });
  const [own] = lab.plan.interfaces;
  const eni = own?.networkInterfaceId.rtr2;
  lab.world.assign(own?.networkInterfaceId.rtr1 ?? '', ['172.31.101.11']);
  const intf_list = ['172.31.101.10', '172.31.101.11'].map((secondary_ip) => ({
    secondary_ip,
    instance_intf_number: 1,
  }));
  for (const name of ['rtr1', 'rtr2'] as const) {
    lab.writeConfig(name, { action: { method: 'secondary_ip_shift', method_params: { intf_list } } });
  }
  await startPair(lab);
  const rtr2 = daemonOf(lab, 'rtr2');
  const refusal = lab.ec2.addFault({
    kind: 'error',
    code: 'InvalidParameterValue',
    action: MOVE,
    addresses: ['172.31.101.11'],
  });
  await lab.killRouter('rtr1');
  await reason(rtr2, /EC2 refuses to move 172\.31\.101\.10 and 172\.31\.101\.11 together/);
  // The refusal has EC2 read at once, which may show a move before its own answer comes.
  await reason(rtr2, /EC2 (has moved|shows) 172\.31\.101\.10 (to|on) eni-/);
  await record(rtr2, /"level":"error".*EC2 refuses to move 172\.31\.101\.11 .*: trying again slowly/);
  expect([lab.ownerOf('172.31.101.10'), lab.ownerOf('172.31.101.11')]).toEqual(['rtr2', 'rtr1']);
  const [together, ...alone] = writes(lab).map(moveOf);
  expect(together).toBe(`172.31.101.10 172.31.101.11 -> ${eni}`);
  expect([...new Set(alone)].sort()).toEqual([`172.31.101.10 -> ${eni}`, `172.31.101.11 -> ${eni}`]);
  await role(rtr2, 'UNKNOWN');

  // Once it is mended the next slow try succeeds, without a new attempt.
  lab.ec2.removeFault(refusal);
  await hasTakenOver(lab, 'rtr2');
  expect(lab.ownerOf('172.31.101.11')).toBe('rtr2');
  expect(attemptsBegun(rtr2)).toEqual([1]);
});

test('reads that lag the write by 3 s do not flip the role', async () => {
  const lab = await openPair({ config: { log_level: 'debug' } });
  const rtr2 = daemonOf(lab, 'rtr2');
  lab.ec2.addFault({ kind: 'stale', action: 'Describe*', ageMs: 3000 });
  await lab.killRouter('rtr1');
  await role(rtr2, 'ACTIVE');
  const since = rtr2.mark();
  await reason(rtr2, /although it has confirmed our write: reading again, since reads may lag writes/);
  await hasTakenOver(lab, 'rtr2');
  expect(rolesSince(rtr2, since)).toEqual(['ACTIVE']);
  expect(attemptsBegun(rtr2)).toEqual([1]);
  expect(writes(lab)).toHaveLength(2);
});

test('IMDS that is away at the start is waited for', async () => {
  const lab = await openLab();
  await lab.stopImds('rtr2');
  lab.startDaemon('rtr1');
  const rtr2 = lab.startDaemon('rtr2');
  await record(rtr2, /identity-unread.*ECONNREFUSED/);
  await reason(rtr2, /in control of the router's event streams/);
  expect(roleOf(rtr2)).toBe('UNKNOWN');
  await lab.startImds('rtr2');
  await watching(rtr2);
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
});

test('EC2 that is away at the start is waited for', async () => {
  const lab = await openLab();
  const port = Number(new URL(lab.ec2.url).port);
  await lab.ec2.stop();
  lab.startDaemon('rtr1');
  const rtr2 = lab.startDaemon('rtr2');
  await reason(rtr2, /EC2 could not be observed \(ECONNREFUSED/);
  expect(roleOf(rtr2)).toBe('UNKNOWN');
  // A client on this machine may have got the port as its own end meanwhile, for a moment.
  await eventually(() => lab.ec2.open({ port }));
  await watching(rtr2);
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
});

test('EC2 that goes away for longer than role_ttl_s costs the role, not the takeover', async () => {
  const lab = await openPair({ config: { role_ttl_s: 3 } });
  const rtr2 = daemonOf(lab, 'rtr2');
  const since = rtr2.mark();
  const away = lab.ec2.addFault({ kind: 'reset', action: 'Describe*', source: lab.plan.instanceId.rtr2 });
  await reason(rtr2, /now UNKNOWN \(unobserved\), before STANDBY/, since);
  await lab.killRouter('rtr1');
  await reason(rtr2, /taking over .*this router was STANDBY when EC2 last answered/, since);
  await reason(rtr2, /took over 172\.31\.101\.10 and 172\.31\.105\.10/, since);
  expect(lab.ownsAll('rtr2')).toBe(true);
  lab.ec2.removeFault(away);
  await hasTakenOver(lab, 'rtr2', since);
});

test('credentials that expire are replaced before a takeover needs them', async () => {
  const lab = await openPair({ credentials: { lifetimeMs: 4000, rotateBeforeMs: 2500 } });
  await rotatedTwice(lab);
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
});

async function rotatedTwice(lab: Lab): Promise<void> {
  const since = requestMark(lab);
  await eventually(() => {
    const keys = lab.ec2
      .requests()
      .filter(({ number, instanceId }) => number > since && instanceId === lab.plan.instanceId.rtr2)
      .map(({ accessKeyId }) => accessKeyId);
    expect(new Set(keys).size).toBeGreaterThan(2);
  });
}
