/** What goes wrong with routes, Elastic IPs and IPv6 addresses, as distinct from EC2 itself going wrong. */
import { findElasticIp } from '../../lab/ec2-emulator/elasticIps';
import type { Lab } from '../../lab/topology/topology';
import { bystanderInterfaceId, type RouterName } from '../../lab/topology/plan';
import { eventually } from '../support/eventually';
import {
  ALLOCATION,
  allOn,
  everything,
  FLOATING_IPV6,
  heldBy,
  openMixed,
  openMixedPair,
  TABLE,
} from './mixedTargets';
import { alarm, placeOf, soon } from './rulesSupport';
import { changes, daemonOf, moreObservations, reason, record, requestMark, role, watching } from './support';

test('routes that are a blackhole when the daemon starts are evidence, and everything is taken', async () => {
  const lab = await openMixed({ evidence_hold_s: 1 });
  await lab.killRouter('rtr1', { instance: 'stopped' });
  const rtr2 = lab.startDaemon('rtr2');
  await reason(rtr2, /no session has been UP for 1 s, and .*the route 10\.9\.0\.0\/16 in \S+ is a blackhole/);
  await allOn(lab, 'rtr2', 0);
});

/** An operator's hand. */
const associate = (lab: Lab, networkInterfaceId: string): void =>
  lab.world.associateAddress({ allocationId: ALLOCATION, networkInterfaceId, privateIp: undefined });

const eipHolder = (lab: Lab) => findElasticIp(lab.world.model, ALLOCATION)?.association?.networkInterfaceId;
const ownOf = (lab: Lab, name: RouterName) => placeOf(lab, 1).networkInterfaceId[name];

test('an Elastic IP that an operator associates with the peer is taken back, with a third instance it is left there', async () => {
  const lab = await openMixedPair({ ...soon, partial_hold_s: 1 }, { bystander: true });
  const rtr1 = daemonOf(lab, 'rtr1');
  let since = rtr1.mark();
  associate(lab, ownOf(lab, 'rtr2'));
  await role(rtr1, 'UNKNOWN');
  await reason(rtr1, new RegExp(`repaired ${ALLOCATION}`), since);
  await role(rtr1, 'ACTIVE');
  expect(eipHolder(lab)).toBe(ownOf(lab, 'rtr1'));

  since = rtr1.mark();
  const third = bystanderInterfaceId(placeOf(lab, 1));
  associate(lab, third);
  await alarm(rtr1, 'foreign-holder', new RegExp(`${ALLOCATION} is held by i-0c3f75e9b28d04c03`), since);
  const mark = requestMark(lab);
  await moreObservations(lab, 'rtr1', 5);
  expect(changes(lab, mark)).toEqual([]);
  expect(eipHolder(lab)).toBe(third);
  associate(lab, ownOf(lab, 'rtr1'));
  await role(rtr1, 'ACTIVE');
});

test("an IPv6 address that is unassigned from the peer, and that EC2 then does not assign, is nobody's until EC2 does; the rest moves", async () => {
  const lab = await openMixedPair();
  const rtr2 = daemonOf(lab, 'rtr2');
  const since = rtr2.mark();
  lab.ec2.addFault({ kind: 'error', code: 'InternalError', action: 'AssignIpv6Addresses' });
  await lab.killRouter('rtr1');
  await role(rtr2, 'UNKNOWN');
  await alarm(rtr2, 'takeover-stuck', /2001:db8:31:1::100/, since);
  expect(lab.ownerOf(FLOATING_IPV6)).toBeNull();
  expect(heldBy(lab, 'rtr2')).toEqual(everything.filter((each) => each !== FLOATING_IPV6));
  lab.ec2.clearFaults();
  await allOn(lab, 'rtr2', since);
});

test('EC2 whose bucket others have emptied throttles a takeover of many routes: slower, in one attempt, nothing lost', async () => {
  const many = Array.from({ length: 30 }, (_, place) => `10.20.${place}.0/24`);
  const lab = await openMixed({
    actions: undefined,
    action: {
      method: 'route_table_shift',
      method_params: {
        route_list: many.map((destination) => ({
          route_table_id: TABLE,
          destination,
          instance_intf_number: 1,
        })),
      },
    },
    api_limits: { replace_route: { burst: 30, refill_per_s: 30 } },
  });
  const to = { kind: 'networkInterface' as const, id: placeOf(lab, 0).networkInterfaceId.rtr1 };
  for (const value of many)
    lab.world.setRoute({ routeTableId: TABLE, destination: { kind: 'ipv4', value } }, to);
  const active = lab.startDaemon('rtr1');
  const rtr2 = lab.startDaemon('rtr2');
  await Promise.all([role(active, 'ACTIVE'), watching(rtr2)]);
  lab.ec2.throttleAccount({ ReplaceRoute: { burst: 5, refillPerS: 15 } });
  const since = rtr2.mark();
  await lab.killRouter('rtr1');
  await reason(rtr2, /RequestLimitExceeded/, since);
  await reason(rtr2, /EC2 confirms attempt 1: all targets are on this router/, since);
  expect(heldBy(lab, 'rtr2')).toEqual(expect.arrayContaining(many));
});

test('a source/destination check that is on is said and costs no role; off again, that is said too', async () => {
  const lab = await openMixedPair();
  const rtr1 = daemonOf(lab, 'rtr1');
  const eni = placeOf(lab, 0).networkInterfaceId.rtr1;
  const since = rtr1.mark();
  lab.world.setSourceDestCheck(eni, true);
  const said = await record(rtr1, /"event":"source-dest-check-on"/, since);
  expect(said).toMatchObject({ level: 'error', networkInterfaceId: eni });
  lab.world.setSourceDestCheck(eni, false);
  await record(rtr1, /"event":"source-dest-check-off"/, since);
  await role(rtr1, 'ACTIVE');
  expect(changes(lab)).toEqual([]);
});

test('where the configuration says so, a source/destination check that is on is switched off', async () => {
  const lab = await openMixedPair({ source_dest_check: 'disable' });
  const rtr1 = daemonOf(lab, 'rtr1');
  const eni = placeOf(lab, 0).networkInterfaceId.rtr1;
  const since = rtr1.mark();
  lab.world.setSourceDestCheck(eni, true);
  await record(rtr1, /"event":"source-dest-check-off"/, since);
  await eventually(() =>
    expect(
      lab.world.model.networkInterfaces.find(({ networkInterfaceId }) => networkInterfaceId === eni),
    ).toMatchObject({ sourceDestCheck: false }),
  );
  await role(rtr1, 'ACTIVE');
});
