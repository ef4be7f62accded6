/** Would a failover work right now? Asked of built daemons, while something is broken and after it is mended. */
import type { Lab } from '../../lab/topology/topology';
import type { RouterName } from '../../lab/topology/plan';
import { eventually } from '../support/eventually';
import { daemonOf, openPair, runOn, show } from './support';

/** Of the conditions that fail, by name. */
async function failingOn(lab: Lab, name: RouterName): Promise<readonly string[]> {
  const { code, stdout } = await show(lab, name, 'ha_ready');
  const failing = [...stdout.matchAll(/^failing +(\w+)/gm)].map(([, condition = '']) => condition);
  expect(stdout).toMatch(failing.length === 0 ? /^READY: /m : /^NOT READY: /m);
  expect(code).toBe(failing.length === 0 ? 0 : 1);
  return failing;
}

const isReady = (lab: Lab, name: RouterName) =>
  eventually(async () => expect(await failingOn(lab, name)).toEqual([]));
const fails = (lab: Lab, name: RouterName, ...conditions: readonly string[]) =>
  eventually(async () => expect(await failingOn(lab, name)).toEqual(conditions));

test('both routers of a pair are ready; what breaks shows as itself and is over when it is mended', async () => {
  const lab = await openPair();
  await isReady(lab, 'rtr1');
  await isReady(lab, 'rtr2');

  const silent = lab.ec2.addFault({
    kind: 'error',
    code: 'InternalError',
    action: 'DescribeNetworkInterfaces',
  });
  await fails(lab, 'rtr2', 'api_reads');
  lab.ec2.removeFault(silent);
  await isReady(lab, 'rtr2');

  expect((await runOn(lab, 'rtr2', 'ha', 'inhibit', '--for', '5m', '--why', 'cabling')).code).toBe(0);
  await fails(lab, 'rtr2', 'inhibit');
  expect((await show(lab, 'rtr2', 'ha_ready')).stdout).toMatch(/\(cabling\)\n +-> .*ha release/);
  expect((await runOn(lab, 'rtr2', 'ha', 'release')).code).toBe(0);
  await isReady(lab, 'rtr2');

  const told = daemonOf(lab, 'rtr2').records.filter(({ event }) => event === 'readiness');
  expect(told.slice(-4).map(({ ready, failing }) => [ready, failing])).toEqual([
    [false, ['api_reads']],
    [true, []],
    [false, ['inhibit']],
    [true, []],
  ]);
});

test('an ACTIVE router whose peer is gone says that it could not be given to', async () => {
  const lab = await openPair();
  await isReady(lab, 'rtr1');
  await lab.killRouter('rtr2');
  await fails(lab, 'rtr1', 'bfd_sessions', 'switchover');
});
