/** What EC2 refuses, and in which words an operator hears of it: before a takeover where a reading shows it. */
import { completeModel } from '../../lab/ec2-emulator/model';
import type { Lab } from '../../lab/topology/topology';
import type { RouterName } from '../../lab/topology/plan';
import { ALLOCATION, allOn, everything, heldBy, openMixed, openMixedPair } from './mixedTargets';
import { alarm, ha, placeOf } from './rulesSupport';
import {
  changes,
  daemonOf,
  moreObservations,
  openPair,
  record,
  requestMark,
  runOn,
  startPair,
  takesOver,
} from './support';
import { eventually } from '../support/eventually';

const NOT_YOURS = 'You do not have permission to access the specified resource.';

test('AuthFailure that is about permission is a refusal, in the words of EC2, and is retried slowly', async () => {
  const lab = await openMixedPair();
  const rtr2 = daemonOf(lab, 'rtr2');
  const since = rtr2.mark();
  const mark = requestMark(lab);
  lab.ec2.addFault({
    kind: 'error',
    code: 'AuthFailure',
    message: NOT_YOURS,
    status: 400,
    action: 'AssociateAddress',
  });
  await lab.killRouter('rtr1');
  const refused = await alarm(rtr2, 'takeover-refused', new RegExp(`AuthFailure: ${NOT_YOURS}`), since);
  expect(refused.reason).not.toContain('does not accept the credentials');
  await eventually(() =>
    expect(heldBy(lab, 'rtr2')).toEqual(everything.filter((each) => each !== ALLOCATION)),
  );
  await moreObservations(lab, 'rtr2', 40);
  const tries = changes(lab, mark).filter(({ action }) => action === 'AssociateAddress');
  expect(tries.length).toBeLessThanOrEqual(8);
  lab.ec2.clearFaults();
  await allOn(lab, 'rtr2', since);
});

test('an Elastic IP that a service of AWS manages is said at the start, and by check-config --online', async () => {
  const lab = await openMixed();
  lab.world.setServiceManaged(ALLOCATION, 'nlb');
  await startPair(lab);
  await record(daemonOf(lab, 'rtr2'), new RegExp(`"event":"permission-denied".*AuthFailure: ${NOT_YOURS}`));
  const { code, stderr } = await runOn(lab, 'rtr2', 'check-config', '--online');
  expect(stderr).toMatch(new RegExp(`AssociateAddress on ${ALLOCATION}.*AuthFailure: ${NOT_YOURS}`));
  expect(code).toBe(2);
});

const OTHER = 'eipalloc-0a1b2c3d4e5f60799';

/** The address that the floating Elastic IP is to go to on this router has another one. */
function occupy(lab: Lab, name: RouterName): void {
  const model = completeModel(lab.world.model);
  const { networkInterfaceId, primaryAddress } = placeOf(lab, 1);
  const association = {
    associationId: 'eipassoc-0a1b2c3d4e5f60799',
    networkInterfaceId: networkInterfaceId[name],
    privateIp: primaryAddress[name],
  };
  const own = { allocationId: OTHER, publicIp: '203.0.113.99', tags: {}, association };
  lab.world.commit(
    { ok: true, value: { ...model, elasticIps: [...model.elasticIps, own] } },
    { by: 'operator' },
  );
}

test('an address that has an Elastic IP of its own is said ahead by the daemon, check-config --online, plan and a switchover', async () => {
  const lab = await openMixed();
  occupy(lab, 'rtr2');
  await startPair(lab);
  const [rtr1, rtr2] = [daemonOf(lab, 'rtr1'), daemonOf(lab, 'rtr2')];
  const why = `203\\.0\\.113\\.99 \\(${OTHER}\\)`;
  const said = await record(rtr2, new RegExp(`"event":"refusal-foreseen".*${ALLOCATION} here.*${why}`));
  expect(said.level).toBe('error');
  expect(rtr1.records.filter(({ event }) => event === 'refusal-foreseen')).toEqual([]);
  const checked = await runOn(lab, 'rtr2', 'check-config', '--online');
  expect([checked.code, checked.stderr]).toEqual([2, expect.stringMatching(why)]);
  const planned = await runOn(lab, 'rtr2', 'plan');
  expect(planned.stdout).toMatch(
    new RegExp(`Refused: EC2 would refuse to move ${ALLOCATION} here: .*${why}`),
  );
  const given = await ha(lab, 'rtr1', 'switchover');
  expect(`${given.stdout}${given.stderr}`).toMatch(new RegExp(`EC2 would refuse ${ALLOCATION}: .*${why}`));
  expect(heldBy(lab, 'rtr1')).toEqual(everything);

  const since = rtr2.mark();
  lab.world.disassociateAddress(OTHER);
  await record(rtr2, /"event":"refusal-not-foreseen"/, since);
  await lab.killRouter('rtr1');
  await allOn(lab, 'rtr2', since);
});

test('an interface without room for what floats is said ahead by the daemon, check-config --online and plan', async () => {
  const lab = await openPair({ interfaces: 1 });
  const rtr2 = daemonOf(lab, 'rtr2');
  const { networkInterfaceId } = placeOf(lab, 0);
  // With its primary address these are as many as an m5.24xlarge allows.
  const others = Array.from({ length: 49 }, (_, place) => `172.31.101.${150 + place}`);
  lab.world.assign(networkInterfaceId.rtr2, others);
  const full =
    '172\\.31\\.101\\.10 here: eni-\\w+, device index 1, would have 51 IPv4 addresses .* m5\\.24xlarge allows 50';
  expect((await record(rtr2, new RegExp(`"event":"refusal-foreseen".*${full}`))).level).toBe('error');
  const checked = await runOn(lab, 'rtr2', 'check-config', '--online');
  expect([checked.code, checked.stderr]).toEqual([2, expect.stringMatching(full)]);
  const planned = await runOn(lab, 'rtr2', 'plan');
  expect(planned.stdout).toMatch(new RegExp(`Refused: EC2 would refuse to move ${full}`));

  const since = rtr2.mark();
  lab.world.unassign(networkInterfaceId.rtr2, others.slice(0, 1));
  await record(rtr2, /"event":"refusal-not-foreseen"/, since);
  await takesOver(lab, 'rtr2', () => lab.killRouter('rtr1'));
});
