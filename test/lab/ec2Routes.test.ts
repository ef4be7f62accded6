import {
  CreateRouteCommand,
  DeleteRouteCommand,
  DescribeRouteTablesCommand,
  ReplaceRouteCommand,
  paginateDescribeRouteTables,
} from '@aws-sdk/client-ec2';
import type { DescribeRouteTablesCommandInput, EC2Client } from '@aws-sdk/client-ec2';
import { isDryRun, isRead, isWrite } from '../../lab/ec2-emulator/requestLog';
import { findStaticRoute, routeState } from '../../lab/ec2-emulator/routes';
import type { InstanceState } from '../../lab/ec2-emulator/model';
import { Ec2World } from '../../lab/ec2-emulator/world';
import {
  dataA,
  dataB,
  dataSubnet,
  instanceA,
  instanceB,
  mgmtA,
  mgmtB,
  otherTableId,
  prefixListId,
  routeTableId,
  routedModel,
  startLab,
  vpcId,
} from './ec2Lab';
import type { Ec2Lab } from './ec2Lab';

let lab: Ec2Lab;
let client: EC2Client;
beforeEach(async () => {
  lab = await startLab({ world: new Ec2World(routedModel) });
  client = lab.client();
});
afterEach(() => lab.close());

type Where =
  | { readonly DestinationCidrBlock: string }
  | { readonly DestinationIpv6CidrBlock: string }
  | { readonly DestinationPrefixListId: string };
const ipv4 = (block: string): Where => ({ DestinationCidrBlock: block });
const ipv6 = (block: string): Where => ({ DestinationIpv6CidrBlock: block });
const list = (id: string): Where => ({ DestinationPrefixListId: id });
const toB = { RouteTableId: routeTableId, NetworkInterfaceId: dataB };
type More = {
  readonly RouteTableId?: string;
  readonly NetworkInterfaceId?: string;
  readonly DryRun?: boolean;
};
const create = (where: Where, more: More = {}) =>
  client.send(new CreateRouteCommand({ ...toB, ...where, ...more }));
const replace = (where: Where, more: More = {}) =>
  client.send(new ReplaceRouteCommand({ ...toB, ...where, ...more }));
const tables = async (input: DescribeRouteTablesCommandInput = {}) =>
  (await client.send(new DescribeRouteTablesCommand(input))).RouteTables ?? [];
const tablesBy = async (Name: string, ...Values: string[]) =>
  (await tables({ Filters: [{ Name, Values }] })).map((table) => table.RouteTableId);
const routes = async () => (await tables({ RouteTableIds: [routeTableId] }))[0]?.Routes ?? [];
const routeTo = async (where: Where) =>
  (await routes()).find((each) =>
    Object.entries(where).every(([key, value]) => each[key as keyof typeof each] === value),
  );

describe('DescribeRouteTables', () => {
  test('writes routes of every kind of destination and target', async () => {
    const [table] = await tables({ RouteTableIds: [routeTableId] });
    const own = { NetworkInterfaceId: dataA, InstanceId: instanceA, InstanceOwnerId: '123456789012' };
    const created = { Origin: 'CreateRoute', State: 'active' };
    expect(table).toEqual({
      RouteTableId: routeTableId,
      VpcId: vpcId,
      OwnerId: '123456789012',
      Tags: [{ Key: 'ha', Value: 'north' }],
      PropagatingVgws: [],
      Associations: [
        {
          RouteTableAssociationId: dataSubnet.replace('subnet', 'rtbassoc'),
          RouteTableId: routeTableId,
          SubnetId: dataSubnet,
          Main: false,
          AssociationState: { State: 'associated' },
        },
      ],
      Routes: [
        {
          DestinationCidrBlock: '10.1.0.0/16',
          GatewayId: 'local',
          Origin: 'CreateRouteTable',
          State: 'active',
        },
        { DestinationCidrBlock: '0.0.0.0/0', GatewayId: 'igw-00000000000000001', ...created },
        { DestinationIpv6CidrBlock: '::/0', ...own, ...created },
        { DestinationCidrBlock: '10.9.0.0/16', ...own, ...created },
        { DestinationPrefixListId: prefixListId, ...own, ...created },
        {
          DestinationCidrBlock: '10.7.0.0/16',
          GatewayId: 'vgw-00000000000000001',
          Origin: 'EnableVgwRoutePropagation',
          State: 'active',
        },
      ],
    });
    const [other] = await tables({ RouteTableIds: [otherTableId] });
    expect(other?.Associations).toMatchObject([{ Main: true }]);
    expect(other?.Routes).toMatchObject([
      {},
      { NatGatewayId: 'nat-00000000000000001' },
      { TransitGatewayId: 'tgw-00000000000000001' },
    ]);
  });

  test.each([
    ['route-table-id', [otherTableId], [otherTableId]],
    ['vpc-id', [vpcId], [routeTableId, otherTableId]],
    ['tag:ha', ['north'], [routeTableId]],
    ['tag:ha', ['south'], []],
    ['tag:HA', ['north'], []],
    ['tag-key', ['h?'], [routeTableId]],
    ['route.destination-cidr-block', ['10.8.0.0/16'], [otherTableId]],
    ['route.destination-cidr-block', ['::/0'], []],
    ['route.destination-ipv6-cidr-block', ['::/0'], [routeTableId]],
    ['route.destination-prefix-list-id', [prefixListId], [routeTableId]],
    ['association.subnet-id', [dataSubnet], [routeTableId]],
    ['association.main', ['true'], [otherTableId]],
    ['route.instance-id', [instanceA], [routeTableId]],
    ['route.state', ['blackhole'], []],
  ])('filter %s = %j finds %j', async (name, values, expected) => {
    expect(await tablesBy(name, ...values)).toEqual(expected);
  });

  test.each([
    [{ RouteTableIds: ['rtb-0123456789abcdef0'] }, 'InvalidRouteTableID.NotFound'],
    [{ RouteTableIds: ['table 1'] }, 'InvalidRouteTableId.Malformed'],
    [{ Filters: [{ Name: 'route.network-interface-id', Values: [dataA] }] }, 'InvalidParameterValue'],
    [{ MaxResults: 101 }, 'InvalidParameterValue'],
    [{ DryRun: true }, 'DryRunOperation'],
  ])('%j is refused with %s', async (input, code) => {
    await expect(tables(input)).rejects.toMatchObject({ name: code });
  });

  test('comes in pages', async () => {
    const [first] = routedModel.routeTables ?? [];
    const many = Array.from({ length: 12 }, (_, index) => ({
      ...first!,
      routeTableId: `rtb-000000000000001${String(index).padStart(2, '0')}`,
    }));
    const bigger = await startLab({ world: new Ec2World({ ...routedModel, routeTables: many }) });
    try {
      const pages = [];
      for await (const page of paginateDescribeRouteTables({ client: bigger.client(), pageSize: 5 }, {}))
        pages.push(page.RouteTables?.map((table) => table.RouteTableId));
      expect(pages.map((page) => page?.length)).toEqual([5, 5, 2]);
      expect(pages.flat()).toEqual(many.map((table) => table.routeTableId));
    } finally {
      await bigger.close();
    }
  });
});

describe('CreateRoute', () => {
  test.each([
    [ipv4('100.68.0.18/18'), ipv4('100.68.0.0/18')],
    [ipv6('2001:DB8:9:1::7/48'), ipv6('2001:db8:9::/48')],
    [ipv4('::/0'), null],
    [ipv6('10.10.0.0/16'), null],
    [ipv4('10.10.0.0/33'), null],
    [ipv4('10.10.0.0'), null],
  ])('%j is stored as %j', async (asked, stored) => {
    if (stored === null) {
      await expect(create(asked)).rejects.toMatchObject({ name: 'InvalidParameterValue' });
      return;
    }
    expect(await create(asked)).toMatchObject({ Return: true });
    expect(await routeTo(stored)).toMatchObject({
      NetworkInterfaceId: dataB,
      InstanceId: instanceB,
      Origin: 'CreateRoute',
      State: 'active',
    });
  });

  test.each([
    ipv4('10.9.0.0/16'),
    ipv4('10.9.3.0/16'),
    ipv6('::/0'),
    list(prefixListId),
    ipv4('10.1.0.0/16'),
  ])('%j is there already', async (where) => {
    await expect(create(where)).rejects.toMatchObject({
      name: 'RouteAlreadyExists',
      $metadata: { httpStatusCode: 400 },
    });
  });

  test('a static route goes beside a propagated one', async () => {
    await create(ipv4('10.7.0.0/16'));
    expect((await routes()).filter((each) => each.DestinationCidrBlock === '10.7.0.0/16')).toMatchObject([
      { GatewayId: 'vgw-00000000000000001' },
      { NetworkInterfaceId: dataB },
    ]);
  });

  test('the quota counts static routes of each family, and a prefix list by its most entries', async () => {
    // IPv4: 0.0.0.0/0, 10.9.0.0/16 and a list of 20. IPv6: ::/0. Neither local nor propagated ones count.
    lab.world.changeSettings({ routesPerTable: 23 });
    await create(ipv4('10.20.0.0/16'));
    await expect(create(ipv4('10.21.0.0/16'))).rejects.toMatchObject({ name: 'RouteLimitExceeded' });
    await create(ipv6('2001:db8:20::/48'));
    await replace(ipv4('10.20.0.0/16'), { NetworkInterfaceId: dataA });
  });

  test('routes to a foreign network and to anything but an interface are refused', async () => {
    const elsewhere = { ...routedModel.subnets[1]!, subnetId: 'subnet-2', vpcId: 'vpc-2' };
    const foreign = {
      ...routedModel.networkInterfaces[1]!,
      networkInterfaceId: 'eni-00000000000000002',
      subnetId: 'subnet-2',
      attachment: null,
    };
    const twins = await startLab({
      world: new Ec2World({
        ...routedModel,
        subnets: [...routedModel.subnets, elsewhere],
        networkInterfaces: [...routedModel.networkInterfaces, foreign],
      }),
    });
    try {
      client = twins.client();
      await expect(
        create(ipv4('10.20.0.0/16'), { NetworkInterfaceId: foreign.networkInterfaceId }),
      ).rejects.toMatchObject({ name: 'InvalidParameterValue' });
    } finally {
      await twins.close();
    }
  });
});

describe('ReplaceRoute', () => {
  test.each([
    ['0.0.0.0/0 and not ::/0', ipv4('0.0.0.0/0'), ipv6('::/0')],
    ['::/0 and not 0.0.0.0/0', ipv6('::/0'), ipv4('0.0.0.0/0')],
    ['another spelling of IPv6', ipv6('0:0::/0'), ipv4('0.0.0.0/0')],
    ['a prefix list', list(prefixListId), ipv6('::/0')],
  ])('%s', async (_what, where, bystander) => {
    const before = await routeTo(bystander);
    await replace(where);
    const changed = (await routes()).filter((each) => each.NetworkInterfaceId === dataB);
    expect(changed).toMatchObject([{ InstanceId: instanceB, Origin: 'CreateRoute', State: 'active' }]);
    expect(await routeTo(bystander)).toEqual(before);
  });

  test('a target that is no interface gives way', async () => {
    await replace(ipv4('10.8.0.0/16'), { RouteTableId: otherTableId });
    const [other] = await tables({ RouteTableIds: [otherTableId] });
    expect(other?.Routes?.[1]).toEqual({
      DestinationCidrBlock: '10.8.0.0/16',
      NetworkInterfaceId: dataB,
      InstanceId: instanceB,
      InstanceOwnerId: '123456789012',
      Origin: 'CreateRoute',
      State: 'active',
    });
  });

  test.each([ipv4('10.77.0.0/16'), ipv4('10.9.3.0/16'), ipv4('10.7.0.0/16'), ipv6('2001:db8:77::/48')])(
    'no static route equals %j',
    async (where) => {
      await expect(replace(where)).rejects.toMatchObject({ name: 'InvalidParameterValue' });
      lab.world.changeSettings({ missingRouteCode: 'InvalidRoute.NotFound' });
      await expect(replace(where)).rejects.toMatchObject({ name: 'InvalidRoute.NotFound' });
    },
  );
});

describe.each([
  ['CreateRoute', create],
  ['ReplaceRoute', replace],
] as const)('%s', (_name, call) => {
  test.each([
    ['an unknown table', { RouteTableId: 'rtb-0123456789abcdef0' }, 'InvalidRouteTableID.NotFound'],
    [
      'an unknown interface',
      { NetworkInterfaceId: 'eni-0123456789abcdef0' },
      'InvalidNetworkInterfaceID.NotFound',
    ],
    ['an impossible interface', { NetworkInterfaceId: 'tengig' }, 'InvalidNetworkInterfaceId.Malformed'],
  ])('%s', async (_what, more, code) => {
    await expect(call(ipv4('10.9.0.0/16'), more)).rejects.toMatchObject({
      name: code,
      $metadata: { httpStatusCode: 400 },
    });
  });

  test('an unknown prefix list', async () => {
    await expect(call(list('pl-0123456789abcdef0'))).rejects.toMatchObject({
      name: 'InvalidPrefixListID.NotFound',
    });
  });

  test.each([
    ['two destinations', { ...ipv4('10.9.0.0/16'), ...ipv6('::/0') }, {}, 'InvalidParameterCombination'],
    ['no destination', {}, {}, 'MissingParameter'],
    ['two targets', ipv4('10.9.0.0/16'), { GatewayId: 'igw-1' }, 'InvalidParameterCombination'],
    [
      'another kind of target',
      ipv4('10.9.0.0/16'),
      { NetworkInterfaceId: undefined, NatGatewayId: 'nat-1' },
      'UnsupportedOperation',
    ],
  ])('%s', async (_what, where, more, code) => {
    await expect(call(where as Where, more as More)).rejects.toMatchObject({ name: code });
  });

  test('a DryRun changes nothing; whether it is allowed is its answer', async () => {
    const versions = lab.world.model;
    const where = ipv4(call === create ? '10.20.0.0/16' : '10.9.0.0/16');
    await expect(call(where, { DryRun: true })).rejects.toMatchObject({ name: 'DryRunOperation' });
    lab.emulator.addFault({ kind: 'error', code: 'UnauthorizedOperation', action: 'CreateRoute' });
    lab.emulator.addFault({ kind: 'error', code: 'UnauthorizedOperation', action: 'ReplaceRoute' });
    await expect(call(where, { DryRun: true })).rejects.toMatchObject({
      name: 'UnauthorizedOperation',
      $metadata: { httpStatusCode: 403 },
    });
    expect(lab.world.model).toBe(versions);
  });
});

test('who counts writes does not count DryRuns, and a counted fault may leave them out', async () => {
  const request = {
    RouteTableId: routeTableId,
    DestinationCidrBlock: '10.9.0.0/16',
    NetworkInterfaceId: dataB,
  };
  lab.emulator.addFault({
    kind: 'error',
    code: 'InternalError',
    action: 'ReplaceRoute',
    count: 1,
    dryRun: false,
  });
  await expect(client.send(new ReplaceRouteCommand({ ...request, DryRun: true }))).rejects.toMatchObject({
    name: 'DryRunOperation',
  });
  await expect(client.send(new ReplaceRouteCommand(request))).rejects.toMatchObject({
    name: 'InternalError',
  });
  await client.send(new DescribeRouteTablesCommand({}));
  expect(lab.emulator.requests().map((each) => [isDryRun(each), isRead(each), isWrite(each)])).toEqual([
    [true, false, false],
    [false, false, true],
    [false, true, false],
  ]);
  expect(lab.emulator.counters()).toMatchObject({
    byAction: { ReplaceRoute: 1, DescribeRouteTables: 1 },
    dryRuns: { ReplaceRoute: 1 },
  });
});

test('DeleteRoute', async () => {
  const remove = () =>
    client.send(new DeleteRouteCommand({ RouteTableId: routeTableId, DestinationCidrBlock: '10.9.0.0/16' }));
  await remove();
  expect(await routeTo(ipv4('10.9.0.0/16'))).toBeUndefined();
  await expect(remove()).rejects.toMatchObject({ name: 'InvalidRoute.NotFound' });
});

describe('a black hole', () => {
  const state = async () => (await routeTo(ipv4('10.9.0.0/16')))?.State;

  test.each<[InstanceState, string]>([
    ['stopping', 'active'],
    ['stopped', 'blackhole'],
    ['pending', 'blackhole'],
  ])('instance %s: %s, and active again when it runs', async (instanceState, expected) => {
    lab.world.setInstanceState(instanceA, instanceState);
    expect(await state()).toBe(expected);
    expect(await routeTo(ipv4('0.0.0.0/0'))).toMatchObject({ State: 'active' });
    lab.world.setInstanceState(instanceA, 'running');
    expect(await state()).toBe('active');
  });

  test('a terminated instance: its interface stays and has no instance', async () => {
    lab.world.setInstanceState(instanceA, 'terminated');
    const route = await routeTo(ipv4('10.9.0.0/16'));
    expect(route).toMatchObject({ State: 'blackhole', NetworkInterfaceId: dataA });
    expect(route).not.toHaveProperty('InstanceId');
    expect(await tablesBy('route.state', 'blackhole')).toEqual([routeTableId]);
  });

  test('a detached interface; active once it is attached to a running instance', async () => {
    const { attachment } = routedModel.networkInterfaces[1]!;
    lab.world.detachInterface(dataA);
    expect(await state()).toBe('blackhole');
    lab.world.attachInterface(dataA, { ...attachment!, instanceId: instanceB, deviceIndex: 3 });
    expect(await routeTo(ipv4('10.9.0.0/16'))).toMatchObject({ State: 'active', InstanceId: instanceB });
  });

  test('a deleted interface; replacing the route mends it', async () => {
    lab.world.deleteInterface(dataA);
    expect(await state()).toBe('blackhole');
    await replace(ipv4('10.9.0.0/16'));
    expect(await state()).toBe('active');
  });
});

test('the history tells who had a route when; an operator can point it anywhere', async () => {
  const destination = { kind: 'ipv4', value: '10.9.0.0/16' } as const;
  await replace(ipv4('10.9.0.0/16'));
  lab.world.setRoute({ routeTableId, destination }, { kind: 'transitGateway', id: 'tgw-1' });
  lab.world.deleteRoute({ routeTableId, destination });
  lab.world.setRoute({ routeTableId, destination }, { kind: 'networkInterface', id: mgmtA });
  const history = lab.world.targetHistory(`${routeTableId} 10.9.0.0/16`);
  expect(history.map(({ from, to, origin }) => [from, to, origin.by])).toEqual([
    [null, dataA, 'start'],
    [dataA, dataB, 'request'],
    [dataB, 'tgw-1', 'operator'],
    ['tgw-1', null, 'operator'],
    [null, mgmtA, 'operator'],
  ]);
  const [table] = lab.world.model.routeTables;
  expect(routeState(lab.world.model, findStaticRoute(table!, destination)!)).toBe('active');
  expect(() =>
    lab.world.setRoute({ routeTableId: 'rtb-0123456789abcdef0', destination }, { kind: 'local' }),
  ).toThrow('InvalidRouteTableID.NotFound');
});

test('a stale read shows the route as it was', async () => {
  await replace(ipv4('10.9.0.0/16'), { NetworkInterfaceId: mgmtB });
  lab.emulator.addFault({ kind: 'stale', ageMs: 60_000, action: 'DescribeRouteTables' });
  expect(await routeTo(ipv4('10.9.0.0/16'))).toMatchObject({ NetworkInterfaceId: dataA });
  lab.emulator.clearFaults();
  expect(await routeTo(ipv4('10.9.0.0/16'))).toMatchObject({ NetworkInterfaceId: mgmtB });
});

test.each([
  ['not canonical', { kind: 'ipv4', value: '10.9.3.0/16' }],
  ['of another kind', { kind: 'ipv6', value: '10.9.0.0/16' }],
  ['of no list', { kind: 'prefixList', value: 'pl-0123456789abcdef0' }],
  ['there twice', { kind: 'ipv4', value: '0.0.0.0/0' }],
] as const)('a model with a destination %s could not exist', (_what, destination) => {
  const [table] = routedModel.routeTables ?? [];
  const route = { ...table!.routes[1]!, destination };
  expect(
    () => new Ec2World({ ...routedModel, routeTables: [{ ...table!, routes: [...table!.routes, route] }] }),
  ).toThrow(destination.value);
});
