/** An address that a third instance holds: somebody put it there, and no failure of the peer explains it. */
import { bystanderInterfaceId } from '../../lab/topology/plan';
import type { Lab } from '../../lab/topology/topology';
import {
  daemonOf,
  moreObservations,
  moveOf,
  openLab,
  openPair,
  reason,
  requestMark,
  role,
  shownState,
  takesOver,
  writes,
} from './support';
import { alarm, alarmsOf, moveTo, owners, placeOf, shownReason, soon } from './rulesSupport';

function moveToBystander(lab: Lab, place: number): void {
  const { floatingAddress } = placeOf(lab, place);
  lab.world.assign(bystanderInterfaceId(placeOf(lab, place)), [floatingAddress]);
}

const words = /172\.31\.105\.10 is held by i-0c3f75e9b28d04c03, which is neither router of this pair/;

test('it is left there with an alarm, the others move, and it follows as soon as the third instance lets it go', async () => {
  const lab = await openPair({ interfaces: 3, bystander: true, config: { ...soon, partial_hold_s: 1 } });
  const [rtr1, rtr2] = [daemonOf(lab, 'rtr1'), daemonOf(lab, 'rtr2')];
  const since = rtr2.mark();
  moveToBystander(lab, 1);
  await alarm(rtr1, 'foreign-holder', words);
  await alarm(rtr2, 'foreign-holder', words);
  // Longer than the hold after which a partial ownership within the pair is repaired.
  await moreObservations(lab, 'rtr1', 5);
  expect(writes(lab).map(moveOf)).toEqual([]);

  await lab.killRouter('rtr1');
  await reason(rtr2, /took over 172\.31\.101\.10 and 172\.31\.106\.10/, since);
  await role(rtr2, 'UNKNOWN');
  expect(writes(lab).map(moveOf).sort()).toEqual([moveTo(lab, 0, 'rtr2'), moveTo(lab, 2, 'rtr2')].sort());
  expect(owners(lab)).toEqual(['rtr2', null, 'rtr2']);
  expect(await shownState(lab, 'rtr2', 'UNKNOWN')).toBe('UNKNOWN');
  await shownReason(lab, 'rtr2', words);
  expect(alarmsOf(rtr2, since)).toEqual(['foreign-holder']);

  const { floatingAddress } = placeOf(lab, 1);
  const mark = { request: requestMark(lab), record: rtr2.mark() };
  lab.world.unassign(bystanderInterfaceId(placeOf(lab, 1)), [floatingAddress]);
  await reason(rtr2, /took over 172\.31\.105\.10/, mark.record);
  await role(rtr2, 'ACTIVE');
  expect(writes(lab, mark.request).map(moveOf)).toEqual([moveTo(lab, 1, 'rtr2')]);
});

test('with foreign_holder "take" it is taken over like any other', async () => {
  const lab = await openPair({ bystander: true, config: { ...soon, foreign_holder: 'take' } });
  const rtr2 = daemonOf(lab, 'rtr2');
  const since = rtr2.mark();
  moveToBystander(lab, 1);
  await moreObservations(lab, 'rtr2', 2);
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
  expect(alarmsOf(rtr2, since)).toEqual([]);
});

test('what nobody holds is claimed although a third instance holds another address', async () => {
  const lab = await openLab({ interfaces: 3, bystander: true, owner: null });
  moveToBystander(lab, 1);
  const rtr1 = lab.startDaemon('rtr1');
  await alarm(rtr1, 'foreign-holder', words);
  await reason(rtr1, /claimed 172\.31\.101\.10 and 172\.31\.106\.10/);
  expect(owners(lab)).toEqual(['rtr1', null, 'rtr1']);
  expect(writes(lab).map(moveOf)).toEqual([moveTo(lab, 0, 'rtr1'), moveTo(lab, 2, 'rtr1')]);
});

describe("an address on an AWS service's interface", () => {
  const evidence = { ...soon, foreign_holder: 'take', evidence_hold_s: 1 } as const;

  function moveToService(lab: Lab): void {
    lab.world.handToService(bystanderInterfaceId(placeOf(lab, 1)), 'amazon-elb');
    moveToBystander(lab, 1);
  }
  const askedHow = (lab: Lab) =>
    lab.ec2.requests().flatMap(({ action, params }) => (action === 'DescribeInstanceStatus' ? [params] : []));

  test('EC2 is asked about the dead peer alone, and what that one had is taken; what the service has stays there', async () => {
    const lab = await openLab({ interfaces: 3, bystander: true, config: evidence });
    moveToService(lab);
    await lab.killRouter('rtr1', { instance: 'stopped' });
    const rtr2 = lab.startDaemon('rtr2');
    await reason(rtr2, /took over 172\.31\.101\.10 and 172\.31\.106\.10/);
    await moreObservations(lab, 'rtr2', 3);
    expect(owners(lab)).toEqual(['rtr2', null, 'rtr2']);
    const asked = askedHow(lab);
    expect(asked.length).toBeGreaterThan(0);
    for (const params of asked) expect(params).toMatchObject({ 'InstanceId.1': 'i-0a1f93c7d25be8401' });
    for (const params of asked) expect(params).not.toHaveProperty(['InstanceId.2']);
    expect(JSON.stringify(rtr2.records)).not.toMatch(/InvalidInstanceID|EC2 did not say how/);
    await shownReason(lab, 'rtr2', /holds only 2 of 3 targets/);
  });

  test('it is left there with an alarm that names the service, unless foreign_holder allows to take it', async () => {
    const lab = await openPair({ bystander: true, config: soon });
    moveToService(lab);
    const held = /172\.31\.105\.10 is held by an AWS service \(amazon-elb\), which is neither router/;
    await alarm(daemonOf(lab, 'rtr2'), 'foreign-holder', held);
    const taking = await openPair({ bystander: true, config: { ...soon, foreign_holder: 'take' } });
    moveToService(taking);
    await moreObservations(taking, 'rtr2', 2);
    await takesOver(taking, 'rtr2', () => taking.killRouter('rtr1'));
  });
});
