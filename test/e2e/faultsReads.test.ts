/**
 * The fault matrix, what EC2 is asked: one part of it that is slow, odd or ambiguous must not blind the rest. The lab
 * has targets of every kind, each of which is read by an action of its own.
 */
import { findInterface } from '../../lab/ec2-emulator/model';
import type { Lab } from '../../lab/topology/topology';
import { ALLOCATION, allOn, destinations, openMixedPair, TABLE } from './mixedTargets';
import {
  changes,
  daemonOf,
  moreObservations,
  openPair,
  reason,
  record,
  requestMark,
  role,
  roleOf,
  rolesSince,
  takesOver,
} from './support';

const SECOND = 'rtb-0b2c3d4e5f6071829';
const tagged = { ha: 'north' };
const retag = (lab: Lab, tables: Readonly<Record<string, object>>): void => {
  for (const [table, tags] of Object.entries(tables)) lab.world.tagRouteTable(table, { ...tags });
};

describe('slow reads', () => {
  test.each(['DescribeRouteTables', 'DescribeAddresses', 'DescribeNetworkInterfaces'])(
    '%s takes 1.5 s: its deadline grows, the roles stay, and the takeover is as ever',
    async (action) => {
      const lab = await openMixedPair();
      const rtr2 = daemonOf(lab, 'rtr2');
      const since = [daemonOf(lab, 'rtr1').mark(), rtr2.mark()] as const;
      lab.ec2.addFault({ kind: 'latency', action, ms: 1_500 });
      await reason(rtr2, new RegExp(`Timeout: no answer within \\d+ ms to ${action}`), since[1]);
      await reason(rtr2, new RegExp(`EC2 answers (${action} )?again`), since[1]);
      await moreObservations(lab, 'rtr2', 6);
      expect(rolesSince(daemonOf(lab, 'rtr1'), since[0])).not.toContain('UNKNOWN');
      expect(rolesSince(rtr2, since[1])).not.toContain('UNKNOWN');
      const mark = rtr2.mark();
      await lab.killRouter('rtr1');
      await allOn(lab, 'rtr2', mark);
    },
  );

  test('DescribeRouteTables never answers: the alarm names it, and a standby restarted meanwhile takes over the rest', async () => {
    const lab = await openMixedPair({ role_ttl_s: 4 });
    const slow = lab.ec2.addFault({ kind: 'blackHole', action: 'DescribeRouteTables' });
    await record(daemonOf(lab, 'rtr1'), /"level":"error".*cloud-unobserved.*DescribeRouteTables/);
    await daemonOf(lab, 'rtr2').kill();
    const rtr2 = lab.startDaemon('rtr2');
    await reason(rtr2, /takes nothing over|watches: all sessions are UP/);
    await lab.killRouter('rtr1');
    await reason(rtr2, /EC2 has moved 172\.31\.101\.10 to eni-/);
    await reason(rtr2, new RegExp(`EC2 has moved ${ALLOCATION}`));
    expect(roleOf(rtr2)).toBe('UNKNOWN');
    lab.ec2.removeFault(slow);
    await role(rtr2, 'ACTIVE');
    expect(destinations.map((value) => routeHolder(lab, value))).toEqual(destinations.map(() => 'rtr2'));
  });
});

describe('pages', () => {
  test.each([
    ['DescribeNetworkInterfaces', 12, 0],
    ['DescribeRouteTables', 12, 0],
    ['DescribeNetworkInterfaces', 5, 300],
    ['DescribeRouteTables', 5, 300],
  ])('%s sends %d empty pages first, of %d ms each: the answer is found', async (action, pages, ms) => {
    const lab = await openMixedPair();
    const rtr2 = daemonOf(lab, 'rtr2');
    const since = rtr2.mark();
    lab.ec2.addFault({ kind: 'emptyPages', action, pages });
    if (ms > 0) lab.ec2.addFault({ kind: 'latency', action, ms });
    await moreObservations(lab, 'rtr2', 2 * pages);
    expect(rtr2.recordsSince(since).filter(({ level }) => level === 'error')).toEqual([]);
    expect(rolesSince(rtr2, since)).not.toContain('UNKNOWN');
    const mark = rtr2.mark();
    await lab.killRouter('rtr1');
    await allOn(lab, 'rtr2', mark);
  });
});

describe('a tag of a route table', () => {
  test('is given to a second one while the pair runs: the table that is known stays, one alarm names both, and nothing is written', async () => {
    const lab = await openMixedPair();
    const rtr1 = daemonOf(lab, 'rtr1');
    const [since, mark] = [rtr1.mark(), requestMark(lab)];
    retag(lab, { [SECOND]: tagged });
    await record(rtr1, new RegExp(`"level":"error".*route-table-ambiguous.*${TABLE}, ${SECOND}`), since);
    await moreObservations(lab, 'rtr1', 12);
    expect(roleOf(rtr1)).toBe('ACTIVE');
    expect(rolesSince(rtr1, since)).not.toContain('UNKNOWN');
    expect(changes(lab, mark)).toEqual([]);
    const alarms = rtr1.recordsSince(since).filter(({ level }) => level === 'error');
    expect(alarms.map(({ event }) => event)).toEqual(['route-table-ambiguous']);
    retag(lab, { [SECOND]: {} });
    await record(rtr1, /"event":"route-table-clear"/, since);
  });

  test('... and a router is restarted meanwhile: the other targets are taken over, and the routes once it is one table', async () => {
    const lab = await openMixedPair();
    retag(lab, { [SECOND]: tagged });
    await daemonOf(lab, 'rtr2').kill();
    const rtr2 = lab.startDaemon('rtr2');
    await record(rtr2, new RegExp(`route-table-ambiguous.*it is not known which one is meant`));
    await lab.killRouter('rtr1');
    await reason(rtr2, /EC2 has moved 172\.31\.101\.10 to eni-/);
    expect(rtr2.exit).toBeNull();
    expect(roleOf(rtr2)).toBe('UNKNOWN');
    retag(lab, { [SECOND]: {} });
    await role(rtr2, 'ACTIVE');
    expect(destinations.map((value) => routeHolder(lab, value))).toEqual(destinations.map(() => 'rtr2'));
  });

  test('is taken from it while the pair runs: the table is used on, also in a takeover, until it has the tag again', async () => {
    const lab = await openMixedPair();
    const rtr2 = daemonOf(lab, 'rtr2');
    const since = rtr2.mark();
    retag(lab, { [TABLE]: {} });
    await record(rtr2, new RegExp(`route-table-ambiguous.*no route table is .* any more: ${TABLE}`), since);
    const mark = rtr2.mark();
    await lab.killRouter('rtr1');
    await allOn(lab, 'rtr2', mark);
    retag(lab, { [TABLE]: tagged });
    await record(rtr2, /"event":"route-table-clear"/, since);
  });
});

describe('interfaces', () => {
  test('an interface of the standby is replaced while it runs: found with the next keepalive, and the takeover goes there', async () => {
    const lab = await openPair({ fabric: { bringUpMs: 50, detectTimeMs: 100 } });
    const rtr2 = daemonOf(lab, 'rtr2');
    const since = rtr2.mark();
    const place = lab.plan.interfaces[0]!;
    const mark = requestMark(lab);
    replace(lab, place.networkInterfaceId.rtr2, NEW_INTERFACE);
    await record(rtr2, new RegExp(`"event":"interfaces-changed".*${NEW_INTERFACE}`), since);
    const asked = lab.ec2
      .requests()
      .filter(({ number, action }) => number > mark && action.startsWith('Describe'));
    expect(asked.filter(({ instanceId }) => instanceId === lab.plan.instanceId.rtr2).length).toBeLessThan(12);
    await lab.killRouter('rtr1');
    await role(rtr2, 'ACTIVE');
    expect(lab.world.ownerOf(place.floatingAddress)).toBe(NEW_INTERFACE);
  });

  test('an interface of the ACTIVE router is replaced: its address is taken again, on the new one', async () => {
    const lab = await openPair({ config: { partial_hold_s: 1 } });
    const rtr1 = daemonOf(lab, 'rtr1');
    const place = lab.plan.interfaces[0]!;
    replace(lab, place.networkInterfaceId.rtr1, NEW_INTERFACE);
    await record(rtr1, new RegExp(`"event":"interfaces-changed".*${NEW_INTERFACE}`));
    await reason(rtr1, new RegExp(`repaired ${place.floatingAddress}`));
    expect(lab.world.ownerOf(place.floatingAddress)).toBe(NEW_INTERFACE);
  });

  test('an interface is detached, and attached again at the same index: the takeover is as ever', async () => {
    const lab = await openPair();
    const rtr2 = daemonOf(lab, 'rtr2');
    const since = rtr2.mark();
    const id = lab.plan.interfaces[0]!.networkInterfaceId.rtr2;
    const attachment = findInterface(lab.world.model, id)!.attachment!;
    lab.world.detachInterface(id);
    await record(rtr2, /"event":"interfaces-changed"/, since);
    lab.world.attachInterface(id, attachment);
    const back = rtr2.mark();
    await moreObservations(lab, 'rtr2', 2);
    await record(rtr2, new RegExp(`"event":"interfaces-changed".*${id}.*before: `), back);
    await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  });
});

test('an interface of the standby moves to another device index, and back: the targets go by the index', async () => {
  const lab = await openPair({ interfaces: 2 });
  const rtr2 = daemonOf(lab, 'rtr2');
  const since = rtr2.mark();
  const ids = lab.plan.interfaces.map(({ networkInterfaceId }) => networkInterfaceId.rtr2);
  const [first, second] = ids.map((id) => ({ id, at: findInterface(lab.world.model, id)!.attachment! }));
  for (const { id } of [first!, second!]) lab.world.detachInterface(id);
  const { deviceIndex } = second!.at;
  lab.world.attachInterface(first!.id, { ...first!.at, deviceIndex: deviceIndex + 1 });
  lab.world.attachInterface(second!.id, second!.at);
  await record(
    rtr2,
    new RegExp(`"event":"interfaces-changed".*${deviceIndex + 1} ${first!.id}.*before: `),
    since,
  );
  await lab.killRouter('rtr1');
  await reason(rtr2, new RegExp(`EC2 (has moved|shows) ${lab.floatingAddresses[1]} `), since);
  expect(lab.floatingAddresses.map((address) => lab.ownerOf(address))).toEqual(['rtr1', 'rtr2']);

  lab.world.detachInterface(first!.id);
  lab.world.attachInterface(first!.id, first!.at);
  await role(rtr2, 'ACTIVE');
  expect(lab.ownsAll('rtr2')).toBe(true);
});

const NEW_INTERFACE = 'eni-0fedcba9876543210';

/** An address that nobody has, in the subnet of the one that goes. */
function replace(lab: Lab, networkInterfaceId: string, by: string): void {
  const { primaryIp } = findInterface(lab.world.model, networkInterfaceId)!;
  const net = primaryIp.split('.').slice(0, 3).join('.');
  lab.world.replaceInterface(networkInterfaceId, {
    networkInterfaceId: by,
    macAddress: '02:fe:dc:ba:98:76',
    primaryIp: `${net}.77`,
  });
}

function routeHolder(lab: Lab, value: string): string | null {
  const table = lab.world.model.routeTables.find(({ routeTableId }) => routeTableId === TABLE);
  const target = table?.routes.find(({ destination }) => destination.value === value)?.target;
  const id = target?.kind === 'networkInterface' ? target.id : '';
  return lab.routerOfInstance(findInterface(lab.world.model, id)?.attachment?.instanceId ?? null);
}
