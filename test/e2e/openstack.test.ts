/** Two daemons whose targets are in OpenStack, with the lab's Keystone and Neutron. */
import { startEmulatedPair, type EmulatedPair } from '../../lab/openstack/emulated';
import { startOpenstackLab, type OpenstackLab } from '../../lab/openstack/lab';
import { becomes, failOver, isReady, run, startPair } from '../openstack/story';

let pair: EmulatedPair;
let lab: OpenstackLab;

beforeAll(async () => {
  pair = await startEmulatedPair({ latencyMs: 20 });
  lab = await startOpenstackLab(pair, {
    targets: ['floatingIp', 'extraRoute', 'fixedAddress'],
    config: { keepalive_s: 1 },
  });
});

afterAll(async () => {
  await lab.stop();
  await pair.neutron.stop();
});

const holders = () => {
  const { floatingips, routers, ports } = pair.neutron.model;
  return {
    floatingIp: floatingips[0]?.port_id,
    nextHops: routers[0]?.routes.map(({ nexthop }) => nexthop),
    addresses: ports.find(({ fixed_ips: fixed }) => fixed.length > 1)?.id,
  };
};
const heldBy = (name: 'rtr1' | 'rtr2') => ({
  floatingIp: pair.portId[name],
  nextHops: [name === 'rtr1' ? '10.0.0.11' : '10.0.0.12'],
  addresses: pair.portId[name],
});

test('what nobody has is claimed; a failover, a switchover back, and what an operator is shown', async () => {
  await startPair(lab);
  expect(holders()).toEqual(heldBy('rtr1'));

  const checked = await run(lab, 'rtr2', 'check-config', '--online');
  expect(checked).toMatchObject({ code: 0 });
  expect(checked.out).toContain('the token has the roles member, reader');
  const planned = await run(lab, 'rtr2', 'plan');
  expect(planned).toMatchObject({ code: 0 });
  expect(planned.out).toContain(`PUT /v2.0/floatingips/${pair.floatingIpId}`);

  await failOver(lab, 'rtr1', 'rtr2');
  expect(holders()).toEqual(heldBy('rtr2'));
  const requests = pair.neutron.requests().filter(({ action }) => action === 'PUT floatingips');
  expect(requests).toHaveLength(2);

  const alone = lab.daemon('rtr2')?.mark();
  await lab.bootRouter('rtr1');
  const since = lab.startDaemon('rtr1').mark();
  await becomes(lab, 'rtr1', 'STANDBY', since);
  await isReady(lab, 'rtr2', alone);
  const switched = await run(lab, 'rtr2', 'ha', 'switchover');
  expect(switched).toMatchObject({ code: 0 });
  await becomes(lab, 'rtr1', 'ACTIVE', since);
  expect(holders()).toEqual(heldBy('rtr1'));
}, 180_000);
