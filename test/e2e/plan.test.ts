// `plan` foretells what the daemon then does: the same calls with the same parameters.
import { ownParams, wireParams } from '../support/wireParams';
import { openMixed } from './mixedTargets';
import { changes, daemonOf, reason, requestMark, runOn, startPair } from './support';

/** The calls in the output, as they would be on the wire. */
function callsIn(stdout: string) {
  return [...stdout.matchAll(/^ *\d+ ms {2}(\w+) (\{.*\})$/gm)].map(([, action, input = '']) => ({
    action,
    params: wireParams(JSON.parse(input) as object),
  }));
}

test('the calls that are planned are those that the daemon sends in a takeover', async () => {
  const lab = await openMixed();
  await startPair(lab);
  // A route that is missing takes two calls.
  const [table] = lab.world.model.routeTables;
  const missing = { kind: 'ipv4' as const, value: '10.10.0.0/16' };
  lab.world.deleteRoute({ routeTableId: table!.routeTableId, destination: missing });
  const rtr2 = daemonOf(lab, 'rtr2');
  const planned = await runOn(lab, 'rtr2', 'plan');
  expect(planned).toMatchObject({ code: 0, stderr: '' });
  expect(planned.stdout).toContain(`${lab.plan.instanceId.rtr2} in us-west-2a is STANDBY`);
  const since = requestMark(lab);
  const mark = rtr2.mark();
  await lab.killRouter('rtr1');
  await reason(rtr2, /EC2 confirms attempt \d+: all targets are on this router/, mark);
  const sent = changes(lab, since).map(({ action, params }) => ({ action, params: ownParams(params) }));
  const planning = callsIn(planned.stdout);
  expect(planning.map(({ action }) => action)).toEqual(
    expect.arrayContaining([
      'AssignPrivateIpAddresses',
      'UnassignIpv6Addresses',
      'AssignIpv6Addresses',
      'ReplaceRoute',
      'CreateRoute',
      'AssociateAddress',
    ]),
  );
  const inOrder = (calls: typeof planning) =>
    calls.map(({ action, params }) => JSON.stringify([action, Object.entries(params).sort()])).sort();
  expect(inOrder(planning)).toEqual(inOrder(sent));

  const active = await runOn(lab, 'rtr2', 'plan');
  expect(active).toMatchObject({ code: 0, stderr: '' });
  expect(active.stdout).toContain('is ACTIVE: a takeover would make no calls now: it holds all targets');
});

test('without EC2 it says what it could not find out, and plans with what it knows', async () => {
  const lab = await openMixed();
  await lab.ec2.stop();
  const { code, stdout, stderr } = await runOn(lab, 'rtr2', 'plan');
  expect(code).toBe(4);
  expect(stderr).toMatch(/^plan: who holds what could not be found out \(EC2: /);
  const [first] = callsIn(stdout);
  expect(first?.params['NetworkInterfaceId']).toBe(lab.plan.interfaces[0]!.networkInterfaceId.rtr2);
  expect(stdout).toContain('"NetworkInterfaceId":"<the interface that holds it>"');
});
