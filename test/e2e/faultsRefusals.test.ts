/** What EC2 refuses, and in which words an operator hears of it: before a takeover where a reading shows it. */
import { ALLOCATION, allOn, everything, heldBy, openMixed, openMixedPair } from './mixedTargets';
import { alarm } from './rulesSupport';
import { changes, daemonOf, moreObservations, record, requestMark, runOn, startPair } from './support';
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
