// The lab across two zones: what it starts with, what its stories do, what it writes for the daemons.
import { readFileSync } from 'node:fs';
import { DescribeRouteTablesCommand, ReplaceRouteCommand, type RouteTable } from '@aws-sdk/client-ec2';
import { startCrossAzLab, startLab, type CrossAzLabOptions, type Lab } from '../../lab/topology/topology';
import { planCrossAz, type CrossAzPlan } from '../../lab/topology/crossAz';
import { targetName } from '../../lab/topology/targets';
import { ec2Of } from './ec2Lab';
import { RawClient, registered, sessionOp, singleHop, toNumber, until } from './slapiClient';

let lab: Lab<CrossAzPlan>;
const clients: RawClient[] = [];

const begin = async (options: CrossAzLabOptions = {}) => {
  lab = await startCrossAzLab({ fabric: { bringUpMs: 1, detectTimeMs: 1 }, ...options });
};
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await lab.stop();
});

type RouterName = 'rtr1' | 'rtr2';
type Config = { readonly [key: string]: unknown };
const config = (name: RouterName) =>
  (JSON.parse(readFileSync(lab.routers[name].configPath, 'utf8')) as { config: Config }).config;

const multiHop = (neighbor: string, source: string): object => ({
  Type: 'SL_BFD_MULTI_HOP',
  NbrAddr: toNumber(neighbor),
  SourceAddr: toNumber(source),
  VrfName: 'default',
});

const north = 'rtb-0f1e2d3c4b5a69701';
const south = 'rtb-0f1e2d3c4b5a69702';

test('two zones without a subnet in common, and everything leads to the router that is told', async () => {
  await begin({ owner: 'rtr2' });
  const { world, plan } = lab;
  expect(new Set(world.model.subnets.map((each) => each.subnetId)).size).toBe(6);
  expect(world.model.instances.map((each) => each.availabilityZone)).toEqual(['us-west-2a', 'us-west-2b']);
  expect(plan.targets.map(targetName)).toEqual([
    `${north} 10.9.0.0/16`,
    `${north} 2001:db8:9::/48`,
    `${north} pl-0123456789abcdef0`,
    `${south} 10.9.0.0/16`,
    `${south} 2001:db8:9::/48`,
    `${south} pl-0123456789abcdef0`,
    'eipalloc-0d91c3f7a25b84e10',
  ]);
  expect([lab.ownsAll('rtr1'), lab.ownsAll('rtr2')]).toEqual([false, true]);
  expect(lab.floatingAddresses).toEqual([]);
  expect(lab.fabric.links()).toHaveLength(1);
});

test('nobody has anything', async () => {
  await begin({ owner: null });
  expect(lab.plan.targets.map((target) => lab.ownerOfTarget(target))).toEqual(
    lab.plan.targets.map(() => null),
  );
});

test('the configuration of a router asks for both actions', async () => {
  await begin({ elasticIps: 2, multiHop: true });
  const route = { instance_intf_number: 2 };
  const byTag = { route_table_tag: { key: 'ha', value: 'south' }, ...route };
  expect(config('rtr2')).toMatchObject({
    actions: [
      {
        method: 'route_table_shift',
        method_params: {
          route_list: [
            { route_table_id: north, destination: '10.9.0.0/16', ...route, priority: 10 },
            { route_table_id: north, destination: '2001:db8:9::/48', ...route },
            { route_table_id: north, destination: 'pl-0123456789abcdef0', ...route },
            { destination: '10.9.0.0/16', ...byTag },
            { destination: '2001:db8:9::/48', ...byTag },
            { destination: 'pl-0123456789abcdef0', ...byTag },
          ],
        },
      },
      {
        method: 'elastic_ip_shift',
        method_params: {
          eip_list: [
            { allocation_id: 'eipalloc-0d91c3f7a25b84e10', instance_intf_number: 1 },
            {
              allocation_id: 'eipalloc-0d91c3f7a25b84e11',
              instance_intf_number: 1,
              private_ip: '10.20.21.101',
            },
          ],
        },
      },
    ],
    bfd_sessions: [
      { session_type: 'SINGLE_HOP', intf_name: 'tunnel-ip1', neigh_ip: '192.168.77.1' },
      {
        session_type: 'MULTI_HOP',
        intf_name: 'TenGigE0/0/0/1',
        source_ip: '10.20.21.25',
        neigh_ip: '10.20.11.15',
      },
    ],
  });
  expect(config('rtr2')).not.toHaveProperty('action');
});

test('one kind of target: one `action`', async () => {
  await begin({ elasticIps: 0, routes: 1 });
  expect(config('rtr1')).toMatchObject({
    action: { method: 'route_table_shift', method_params: { route_list: [{ destination: '10.9.0.0/16' }] } },
  });
  expect(config('rtr1')).not.toHaveProperty('actions');
});

test('as many routes as asked for, no two the same, in both tables', async () => {
  await begin({ routes: 500, elasticIps: 40 });
  const names = lab.plan.targets.map(targetName);
  expect(new Set(names).size).toBe(540);
  expect(lab.plan.routes.filter(({ routeTableId }) => routeTableId === north).length).toBeGreaterThan(200);
  expect(lab.ownsAll('rtr1')).toBe(true);
});

test.each([{ routes: 0 }, { routes: 1001 }, { routes: 1.5 }, { elasticIps: -1 }, { elasticIps: 41 }])(
  '%j is refused',
  async (options) => {
    await begin();
    expect(() => planCrossAz(options)).toThrow(RangeError);
  },
);

test('the BFD sessions: in the tunnel, and from zone to zone', async () => {
  await begin({ multiHop: true });
  for (const [name, peer] of [
    ['rtr1', 'rtr2'],
    ['rtr2', 'rtr1'],
  ] as const) {
    const { sim } = lab.routers[name];
    const client = new RawClient(sim.target, sim.generation);
    clients.push(client);
    await registered(client);
    const [tunnel, far] = lab.plan.paths;
    await client.call(
      'SLBfdv4SessionOp',
      sessionOp(
        'UPDATE',
        singleHop(tunnel!.address[peer], tunnel!.name),
        multiHop(far!.address[peer], far!.address[name]),
      ),
    );
  }
  const statuses = (name: RouterName) => lab.routers[name].sim.state().sessions.map(({ status }) => status);
  await until('all UP', () => ![...statuses('rtr1'), ...statuses('rtr2')].some((each) => each !== 'UP'));
  lab.cutLink('tunnel-ip1');
  await until('one DOWN', () => statuses('rtr1').join() === 'DOWN,UP');
  lab.cutLink();
  await until('both DOWN', () => statuses('rtr2').join() === 'DOWN,DOWN');
});

test('a stopped router is a black hole; a route that is replaced leads to the other one', async () => {
  await begin();
  const client = ec2Of(lab, 'rtr2');
  const blackHoles = async () => {
    const { RouteTables = [] } = await client.send(new DescribeRouteTablesCommand({}));
    const statesOf = ({ Routes = [] }: RouteTable) => Routes.filter(({ State }) => State === 'blackhole');
    return RouteTables.flatMap(statesOf).length;
  };
  expect(await blackHoles()).toBe(0);
  await lab.killRouter('rtr1', { instance: 'stopped' });
  expect(await blackHoles()).toBe(6);
  await client.send(
    new ReplaceRouteCommand({
      RouteTableId: south,
      DestinationIpv6CidrBlock: '2001:db8:9::/48',
      NetworkInterfaceId: lab.plan.interfaces[2]!.networkInterfaceId.rtr2,
    }),
  );
  expect(await blackHoles()).toBe(5);
  expect(lab.plan.targets.map((target) => lab.ownerOfTarget(target))).toEqual([
    ...Array<string>(4).fill('rtr1'),
    'rtr2',
    'rtr1',
    'rtr1',
  ]);
  await lab.bootRouter('rtr1');
  expect(await blackHoles()).toBe(0);
  client.destroy();
});

test('a lab in one zone with IPv6: each interface has a floating address of each family', async () => {
  const plain = await startLab({ ipv6: true, interfaces: 2, owner: 'rtr2' });
  try {
    expect(plain.floatingAddresses).toEqual([
      '172.31.101.10',
      '2001:db8:31:1::10',
      '172.31.105.10',
      '2001:db8:31:2::10',
    ]);
    expect(plain.ownsAll('rtr2')).toBe(true);
    const { config: written } = JSON.parse(readFileSync(plain.routers.rtr1.configPath, 'utf8')) as {
      config: Config;
    };
    expect(written['action']).toMatchObject({
      method: 'secondary_ip_shift',
      method_params: {
        intf_list: [
          { secondary_ip: '172.31.101.10', instance_intf_number: 1 },
          { secondary_ip: '2001:db8:31:1::10', instance_intf_number: 1 },
          {},
          {},
        ],
      },
    });
  } finally {
    await plain.stop();
  }
  await begin();
});
