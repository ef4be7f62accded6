/** An Elastic IP on a floating address: what depends on another target goes after it, and to the same place at the peer. */
import { completeModel } from '../../lab/ec2-emulator/model';
import { findElasticIp } from '../../lab/ec2-emulator/elasticIps';
import type { Lab } from '../../lab/topology/topology';
import { routerNames, type RouterName } from '../../lab/topology/plan';
import { ALLOCATION, openMixed } from './mixedTargets';
import { alarmsOf, ha, placeOf, soon } from './rulesSupport';
import { changes, daemonOf, moreObservations, requestMark, role, startPair, watching } from './support';

const FLOATING = '172.31.105.10';

const actions = [
  {
    method: 'elastic_ip_shift',
    method_params: {
      eip_list: [{ allocation_id: ALLOCATION, instance_intf_number: 2, private_ip: FLOATING }],
    },
  },
  {
    method: 'secondary_ip_shift',
    method_params: { intf_list: [{ secondary_ip: FLOATING, instance_intf_number: 2 }] },
  },
];

/** The primary address of each router there has an Elastic IP of its own, which stays where it is. */
async function openFloating(): Promise<Lab> {
  const lab = await openMixed({ ...soon, actions });
  const { networkInterfaceId, primaryAddress } = placeOf(lab, 1);
  const request = { allocationId: ALLOCATION, networkInterfaceId: networkInterfaceId.rtr1 };
  lab.world.associateAddress({ ...request, privateIp: FLOATING });
  const model = completeModel(lab.world.model);
  const own = routerNames.map((name, place) => ({
    allocationId: `eipalloc-0a1b2c3d4e5f6079${place}`,
    publicIp: `203.0.113.9${place}`,
    tags: {},
    association: {
      associationId: `eipassoc-0a1b2c3d4e5f6079${place}`,
      networkInterfaceId: networkInterfaceId[name],
      privateIp: primaryAddress[name],
    },
  }));
  const value = { ...model, elasticIps: [...model.elasticIps, ...own] };
  lab.world.commit({ ok: true, value }, { by: 'operator' });
  await startPair(lab);
  return lab;
}

function expectOn(lab: Lab, name: RouterName): void {
  expect(lab.ownerOf(FLOATING)).toBe(name);
  expect(findElasticIp(lab.world.model, ALLOCATION)?.association).toMatchObject({
    networkInterfaceId: placeOf(lab, 1).networkInterfaceId[name],
    privateIp: FLOATING,
  });
}

test('it is moved when its address has been, without an alarm, and a switchover puts it on the same address at the peer', async () => {
  const lab = await openFloating();
  const daemons = routerNames.map((name) => daemonOf(lab, name));
  const [rtr1, rtr2] = [daemonOf(lab, 'rtr1'), daemonOf(lab, 'rtr2')];
  let mark = requestMark(lab);
  const inOrder = () => changes(lab, mark).map(({ action }) => action);

  const given = await ha(lab, 'rtr1', 'switchover');
  expect(given).toMatchObject({ code: 0, stderr: '' });
  expectOn(lab, 'rtr2');
  expect(inOrder()).toEqual(['AssignPrivateIpAddresses', 'AssociateAddress']);
  await Promise.all([role(rtr2, 'ACTIVE'), role(rtr1, 'STANDBY')]);
  await moreObservations(lab, 'rtr2', 3);
  expect(inOrder()).toHaveLength(2);

  await watching(rtr1);
  mark = requestMark(lab);
  await lab.killRouter('rtr2');
  await role(rtr1, 'ACTIVE');
  expectOn(lab, 'rtr1');
  expect(inOrder()).toEqual(['AssignPrivateIpAddresses', 'AssociateAddress']);
  expect(daemons.flatMap((daemon) => alarmsOf(daemon))).toEqual([]);
});
