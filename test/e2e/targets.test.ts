/** Addresses of both families, routes and an Elastic IP in one role: they move together, and what cannot is told. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDryRun } from '../../lab/ec2-emulator/requestLog';
import { routerNames } from '../../lab/topology/plan';
import { eventually } from '../support/eventually';
import { ALLOCATION, allOn, everything, heldBy, openMixed, openMixedPair, TABLE } from './mixedTargets';
import {
  changes,
  daemonOf,
  moreObservations,
  reason,
  record,
  role,
  show,
  startPair,
  watching,
} from './support';

test('all of it moves when the active router dies, and back when the other one does', async () => {
  const lab = await openMixedPair();
  const rtr2 = daemonOf(lab, 'rtr2');
  let since = rtr2.mark();
  await lab.killRouter('rtr1');
  await allOn(lab, 'rtr2', since);
  const shown = await eventually(async () => {
    const { stdout } = await show(lab, 'rtr2', 'ha_targets');
    const targets = JSON.parse(stdout.slice(stdout.indexOf('{'))) as Record<string, { mine: boolean }>;
    expect(Object.values(targets).map(({ mine }) => mine)).toEqual(everything.map(() => true));
    return targets;
  });
  expect(shown[ALLOCATION]).toMatchObject({ kind: 'elastic_ip', instance: lab.plan.instanceId.rtr2 });

  await lab.bootRouter('rtr1');
  const rtr1 = lab.startDaemon('rtr1');
  await watching(rtr1);
  since = rtr1.mark();
  await lab.killRouter('rtr2');
  await allOn(lab, 'rtr1', since);
});

test('what EC2 refuses of one action does not hold the others back, and follows when it is allowed', async () => {
  const lab = await openMixedPair();
  const rtr2 = daemonOf(lab, 'rtr2');
  const since = rtr2.mark();
  lab.ec2.addFault({ kind: 'error', code: 'UnauthorizedOperation', action: 'AssociateAddress' });
  await lab.killRouter('rtr1');
  await reason(rtr2, /EC2 refuses to move eipalloc-0a1b2c3d4e5f60718/, since);
  await role(rtr2, 'UNKNOWN');
  await eventually(() =>
    expect(heldBy(lab, 'rtr2')).toEqual(everything.filter((each) => each !== ALLOCATION)),
  );
  lab.ec2.clearFaults();
  await allOn(lab, 'rtr2', since);
});

test('a daemon that is killed in the middle goes on where it was', async () => {
  const lab = await openMixedPair();
  const rtr2 = daemonOf(lab, 'rtr2');
  lab.ec2.addFault({ kind: 'blackHole', action: 'AssociateAddress' });
  await lab.killRouter('rtr1');
  await eventually(() => expect(heldBy(lab, 'rtr2')).toHaveLength(everything.length - 1));
  // The memory is written beside the takeover, which does not wait for the disk.
  const memory = join(lab.routers.rtr2.directory, 'state', 'decisions.json');
  await eventually(() => expect(readFileSync(memory, 'utf8')).toContain('"intent":{'));
  await rtr2.kill();
  lab.ec2.clearFaults();
  const again = lab.startDaemon('rtr2');
  await reason(again, /resuming the takeover of eipalloc-0a1b2c3d4e5f60718/);
  await allOn(lab, 'rtr2', 0);
});

test('a route that an operator deletes is created again; one that leads to a gateway is left there, with an alarm', async () => {
  const lab = await openMixedPair({ partial_hold_s: 1 });
  const rtr1 = daemonOf(lab, 'rtr1');
  let since = rtr1.mark();
  const route = (value: string) => ({ routeTableId: TABLE, destination: { kind: 'ipv4' as const, value } });
  lab.world.deleteRoute(route('10.9.0.0/16'));
  await reason(rtr1, /repaired 10\.9\.0\.0\/16 in rtb-0a1b2c3d4e5f60718/, since);
  await role(rtr1, 'ACTIVE');

  since = rtr1.mark();
  lab.world.setRoute(route('10.9.0.0/16'), { kind: 'natGateway', id: 'nat-0a1b2c3d4e5f60718' });
  await reason(rtr1, /10\.9\.0\.0\/16 in rtb-0a1b2c3d4e5f60718 is held by nat-0a1b2c3d4e5f60718/, since);
  await role(rtr1, 'UNKNOWN');
});

test('a table and an Elastic IP that the VPC does not have end the start, and are named', async () => {
  const lab = await openMixed({
    action: {
      method: 'route_table_shift',
      method_params: {
        route_list: [
          { route_table_id: 'rtb-0000000000000000f', destination: '10.9.0.0/16', instance_intf_number: 1 },
        ],
      },
    },
    actions: undefined,
  });
  const rtr1 = lab.startDaemon('rtr1');
  await record(rtr1, /this VPC has no route table rtb-0000000000000000f/);
  await record(rtr1, /"exitCode":2/);
});

test('a permission that lacks is said at the start, when both roles are known, and does not hold the rest back', async () => {
  const lab = await openMixed();
  lab.ec2.addFault({ kind: 'error', code: 'UnauthorizedOperation', action: 'AssociateAddress' });
  await startPair(lab);
  const [rtr1, rtr2] = [daemonOf(lab, 'rtr1'), daemonOf(lab, 'rtr2')];
  const { rtr2: own } = lab.plan.interfaces[1]!.networkInterfaceId;
  const denied = `EC2 would deny AssociateAddress on ${ALLOCATION} to ${own}, which a takeover may need: allow ec2:AssociateAddress`;
  for (const daemon of [rtr1, rtr2])
    await record(daemon, new RegExp(`"event":"permission-denied".*${denied}`));
  const since = rtr2.mark();
  await lab.killRouter('rtr1');
  await reason(rtr2, /EC2 refuses to move eipalloc-0a1b2c3d4e5f60718/, since);
  await eventually(() =>
    expect(heldBy(lab, 'rtr2')).toEqual(everything.filter((each) => each !== ALLOCATION)),
  );
});

test('what is permitted is said once, after the role, and changes nothing', async () => {
  const lab = await openMixedPair();
  for (const name of routerNames) {
    const said = await record(daemonOf(lab, name), /"event":"permissions-proven"/);
    expect(said.reason).toMatch(
      /ReplaceRoute on rtb-0a1b2c3d4e5f60718, CreateRoute on rtb-0a1b2c3d4e5f60718, Ass/,
    );
  }
  expect(changes(lab)).toEqual([]);
  await moreObservations(lab, 'rtr2', 3);
  const asked = lab.ec2.requests().filter(isDryRun);
  // Of each router: two for its table, and one for each router's interface that may have the Elastic IP.
  expect(asked).toHaveLength(8);
});

test('more routes than EC2 takes at once are moved at its pace, the important ones first, and the progress is told', async () => {
  const many = Array.from({ length: 60 }, (_, place) => `10.20.${place}.0/24`);
  const limit = { burst: 20, refill_per_s: 40 };
  const lab = await openMixed({
    actions: undefined,
    action: {
      method: 'route_table_shift',
      method_params: {
        route_list: many.map((destination, place) => ({
          route_table_id: TABLE,
          destination,
          instance_intf_number: 1,
          // Those at the end of the list come first.
          priority: many.length - place,
        })),
      },
    },
    api_limits: { replace_route: limit },
  });
  const to = { kind: 'networkInterface' as const, id: lab.plan.interfaces[0]!.networkInterfaceId.rtr1 };
  for (const value of many)
    lab.world.setRoute({ routeTableId: TABLE, destination: { kind: 'ipv4', value } }, to);
  await startPair(lab);
  lab.ec2.throttleAccount({ ReplaceRoute: { burst: limit.burst, refillPerS: limit.refill_per_s } });
  const rtr2 = daemonOf(lab, 'rtr2');
  const since = rtr2.mark();
  await lab.killRouter('rtr1');
  await reason(rtr2, /taking over: \d0 % of 60 targets moved/, since);
  await reason(rtr2, /EC2 confirms attempt 1: all targets are on this router/, since);
  expect(heldBy(lab, 'rtr2')).toEqual(expect.arrayContaining(many));
  const asked = changes(lab).filter(({ action }) => action === 'ReplaceRoute');
  const burst = asked.slice(0, limit.burst).map(({ params }) => params['DestinationCidrBlock']);
  expect(burst.sort()).toEqual(many.slice(-limit.burst).sort());
});
