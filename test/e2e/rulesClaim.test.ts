/** Nobody holds the addresses: who claims them, and what a claim that EC2 turns down leads to. */
import type { Lab } from '../../lab/topology/topology';
import { bystanderInterfaceId, peerOf, routerNames } from '../../lab/topology/plan';
import { eventually } from '../support/eventually';
import {
  daemonOf,
  moreObservations,
  moveOf,
  openLab,
  openPair,
  reason,
  requestMark,
  role,
  takesOver,
  watching,
  writes,
} from './support';
import {
  MOVE,
  alarm,
  alarmsOf,
  changesOfOwner,
  decided,
  mayReassign,
  owners,
  settled,
  soleOwner,
  soon,
} from './rulesSupport';

test.each([
  ['at once', 0],
  // Longer than the first deadline, and than the hedge: what was asked is done, and nobody hears of it in time.
  ['after 1.2 s', 1200],
])(
  'both boot and nobody holds the addresses, EC2 answers %s: one of them claims all, the other is STANDBY',
  async (_, ms) => {
    const lab = await openLab({ interfaces: 3, owner: null });
    if (ms > 0) lab.ec2.addFault({ kind: 'latency', ms, jitterMs: 300, action: MOVE });
    const daemons = routerNames.map((name) => lab.startDaemon(name));
    const active = await soleOwner(lab);
    await reason(
      daemonOf(lab, active),
      /claiming 172\.31\.101\.10, and then the rest: EC2 shows no owner of any target/,
    );
    await reason(daemonOf(lab, active), /claimed 172\.31\.101\.10, 172\.31\.105\.10 and 172\.31\.106\.10/);
    lab.ec2.clearFaults();
    await settled(lab, active);
    expect(writes(lab).filter(mayReassign)).toEqual([]);
    // Each address has had one owner: nobody has taken anything from anybody.
    expect(changesOfOwner(lab)).toBe(3);
    // That EC2 is slow may be said; that anything was refused or lost may not.
    const alarms = daemons.flatMap((daemon) => alarmsOf(daemon));
    expect(alarms.filter((code) => ms === 0 || code !== 'takeover-stuck')).toEqual([]);

    const standby = peerOf(active);
    await watching(daemonOf(lab, standby));
    await takesOver(lab, standby, () => lab.killRouter(active));
  },
);

test('a claim that EC2 refuses although nobody holds the address is alarmed about once and repeated slowly', async () => {
  const lab = await openLab({ owner: null, config: soon });
  const denied = lab.ec2.addFault({ kind: 'error', code: 'UnauthorizedOperation', action: MOVE });
  const rtr1 = lab.startDaemon('rtr1');
  await alarm(
    rtr1,
    'takeover-refused',
    /EC2 refuses 172\.31\.101\.10 \(UnauthorizedOperation: .*\) although nobody holds it: trying again slowly/,
  );
  const since = requestMark(lab);
  await moreObservations(lab, 'rtr1', 8);
  // Two observations a keepalive apart come before each claim, and one after it.
  const requests = lab.ec2.requests().filter(({ number }) => number > since);
  const claims = requests.filter(({ action }) => action === MOVE).length;
  const observations = requests.filter(({ action }) => action === 'DescribeNetworkInterfaces').length;
  expect(claims).toBeGreaterThanOrEqual(1);
  expect(2 * claims).toBeLessThanOrEqual(observations + 1);
  expect(alarmsOf(rtr1)).toEqual(['takeover-refused']);
  await role(rtr1, 'STANDBY');

  lab.ec2.removeFault(denied);
  await role(rtr1, 'ACTIVE');
  expect(owners(lab)).toEqual(['rtr1', 'rtr1']);
  expect(writes(lab).filter(mayReassign).map(moveOf)).toEqual([]);
});

test('addresses that lose their owner while no session is UP go to one router, however slow EC2 is', async () => {
  const config = { ...soon, evidence_hold_s: 1 };
  const lab = await openPair({ interfaces: 3, config });
  const rtr1 = daemonOf(lab, 'rtr1');
  const since = rtr1.mark();
  await takesOver(lab, 'rtr2', () => lab.cutLink());
  // Both have the right to ask for evidence from now on, and find the same.
  await alarm(rtr1, 'unprotected', /no session has been UP for 1 s/, since);
  lab.ec2.addFault({ kind: 'latency', ms: 500, jitterMs: 500, action: MOVE });
  const mark = requestMark(lab);
  for (const { networkInterfaceId, floatingAddress } of lab.plan.interfaces) {
    lab.world.unassign(networkInterfaceId.rtr2, [floatingAddress]);
  }
  const active = await soleOwner(lab);
  lab.ec2.clearFaults();
  await settled(lab, active);
  expect(writes(lab, mark).filter(mayReassign)).toEqual([]);
});

test('addresses left on interfaces that are attached to no instance are taken by one router while both are well', async () => {
  const lab = await openLab({ owner: null, bystander: true, config: { ...soon, partial_hold_s: 1.5 } });
  for (const each of lab.plan.interfaces) {
    const networkInterfaceId = bystanderInterfaceId(each);
    lab.world.assign(networkInterfaceId, [each.floatingAddress]);
    lab.world.detachInterface(networkInterfaceId);
  }
  routerNames.forEach((name) => lab.startDaemon(name));
  await soleOwner(lab);
  // One waits longer than the other, in this test by 1.5 s: a machine that pauses it for as long makes a race of it.
  await decided(lab);
  const active = await soleOwner(lab);
  await reason(
    daemonOf(lab, active),
    /repairing: taking 172\.31\.101\.10 and 172\.31\.105\.10, because EC2 has shown for \d+ s that no instance holds them/,
  );
  await settled(lab, active);
  await takesOver(lab, peerOf(active), () => lab.killRouter(active));
});

describe('EC2 refuses one of the addresses for good', () => {
  const refuse = (lab: Lab, address: string) =>
    lab.ec2.addFault({
      kind: 'error',
      code: 'PrivateIpAddressLimitExceeded',
      action: MOVE,
      addresses: [address],
    });

  test('the lowest one: the others are claimed all the same, and it follows when EC2 lets it', async () => {
    const lab = await openLab({ interfaces: 3, owner: null, config: { ...soon, partial_hold_s: 1.5 } });
    const refused = refuse(lab, '172.31.101.10');
    routerNames.forEach((name) => lab.startDaemon(name));
    const [, second, third] = lab.floatingAddresses.map((address) => () => lab.ownerOf(address));
    const active = await eventually(() => {
      const owner = second?.() ?? null;
      if (owner === null || third?.() !== owner)
        throw new Error(`the addresses are on ${owners(lab).join()}`);
      return owner;
    });
    await alarm(
      daemonOf(lab, active),
      'takeover-refused',
      /EC2 refuses 172\.31\.101\.10 \(PrivateIpAddressLimitExceeded/,
    );
    lab.ec2.removeFault(refused);
    // To the one that has the others, unless a machine has paused it for as long as the other one waits longer.
    await soleOwner(lab);
    await decided(lab);
    await settled(lab, await soleOwner(lab));
  });

  test('one of several on one interface: its neighbours are claimed one by one', async () => {
    const addresses = ['172.31.101.10', '172.31.101.11', '172.31.101.12'];
    const intf_list = addresses.map((secondary_ip) => ({ secondary_ip, instance_intf_number: 1 }));
    const action = { method: 'secondary_ip_shift', method_params: { intf_list } };
    const lab = await openLab({ interfaces: 1, owner: null, config: { ...soon, action } });
    refuse(lab, '172.31.101.11');
    const rtr1 = lab.startDaemon('rtr1');
    await reason(
      rtr1,
      /EC2 refuses to move 172\.31\.101\.11 and 172\.31\.101\.12 together .*: moving them one by one/,
    );
    await reason(rtr1, /claimed 172\.31\.101\.10 and 172\.31\.101\.12/);
    await alarm(rtr1, 'takeover-refused', /EC2 refuses 172\.31\.101\.11 \(PrivateIpAddressLimitExceeded/);
    expect(addresses.map((address) => lab.ownerOf(address))).toEqual(['rtr1', null, 'rtr1']);
  });
});
