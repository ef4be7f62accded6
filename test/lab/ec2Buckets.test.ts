import {
  AssignPrivateIpAddressesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeRouteTablesCommand,
  ReplaceRouteCommand,
  UnassignIpv6AddressesCommand,
} from '@aws-sdk/client-ec2';
import { Ec2World } from '../../lab/ec2-emulator/world';
import {
  dataB,
  instanceA,
  instanceB,
  ipv6,
  routeTableId,
  routedModel,
  startLab,
  until,
  vip1,
} from './ec2Lab';
import type { Ec2Lab } from './ec2Lab';

let lab: Ec2Lab;
beforeEach(async () => {
  lab = await startLab({ world: new Ec2World(routedModel) });
});
afterEach(() => lab.close());

/** A bucket that does not refill while a test looks. */
const of = (burst: number) => ({ burst, refillPerS: 0 });
const throttled = { name: 'RequestLimitExceeded', $metadata: { httpStatusCode: 503 } };
const replace = (instanceId = instanceA, DryRun = false) =>
  lab.client({}, instanceId).send(
    new ReplaceRouteCommand({
      RouteTableId: routeTableId,
      DestinationCidrBlock: '10.9.0.0/16',
      NetworkInterfaceId: dataB,
      DryRun,
    }),
  );
const bucket = (name: string) => lab.emulator.buckets()?.[name];

test('off unless asked for', async () => {
  await Promise.all(Array.from({ length: 60 }, () => replace()));
  expect(lab.emulator.buckets()).toBeNull();
});

test("EC2's documented sizes", () => {
  lab.emulator.throttleAccount({});
  const sizes = Object.entries(lab.emulator.buckets() ?? {}).map(([name, { burst, refillPerS }]) => [
    name,
    `${burst}/${refillPerS}`,
  ]);
  expect(Object.fromEntries(sizes)).toEqual({
    AssignPrivateIpAddresses: '100/5',
    UnassignPrivateIpAddresses: '100/5',
    AssignIpv6Addresses: '100/5',
    UnassignIpv6Addresses: '50/5',
    ModifyNetworkInterfaceAttribute: '100/5',
    CreateRoute: '50/5',
    ReplaceRoute: '50/5',
    DeleteRoute: '50/5',
    AssociateAddress: '50/5',
    AttachNetworkInterface: '50/5',
    DetachNetworkInterface: '50/5',
    AttachVolume: '50/5',
    DetachVolume: '50/5',
    ModifyInstanceAttribute: '50/5',
    RebootInstances: '50/5',
    TerminateInstances: '50/5',
    DescribeVolumes: '100/20',
    'DescribeVolumes unfiltered': '50/10',
    DescribeNetworkInterfaces: '100/20',
    'DescribeNetworkInterfaces unfiltered': '50/10',
    DescribeInstances: '100/20',
    'DescribeInstances unfiltered': '50/10',
    DescribeInstanceStatus: '100/20',
    'DescribeInstanceStatus unfiltered': '50/10',
    DescribeRouteTables: '100/20',
    DescribeAddresses: '100/20',
    DescribeInstanceTypes: '100/20',
    DescribeApplicationStatus: '100/20',
    CreateApplicationStatusCheck: '50/5',
    AssociateApplicationStatusCheck: '50/5',
    DeleteApplicationStatusCheck: '50/5',
  });
});

test('both routers draw from one bucket per action, and a throttled request changes nothing', async () => {
  lab.emulator.throttleAccount({ ReplaceRoute: of(2) });
  await replace(instanceA);
  await replace(instanceB);
  const before = lab.world.model;
  await expect(replace(instanceB)).rejects.toMatchObject(throttled);
  await expect(replace(instanceA)).rejects.toMatchObject(throttled);
  expect(lab.world.model).toBe(before);
  expect(bucket('ReplaceRoute')).toEqual({ ...of(2), tokens: 0, taken: 2, refused: 2 });
  expect(lab.emulator.requests().at(-1)).toMatchObject({
    action: 'ReplaceRoute',
    outcome: 'error',
    errorCode: 'RequestLimitExceeded',
    applied: false,
  });
  await lab.client().send(new DescribeRouteTablesCommand({}));
  await lab.client().send(
    new AssignPrivateIpAddressesCommand({
      NetworkInterfaceId: dataB,
      PrivateIpAddresses: [vip1],
      AllowReassignment: true,
    }),
  );
});

test('a request that EC2 refuses has spent its token, a DryRun too', async () => {
  lab.emulator.throttleAccount({ UnassignIpv6Addresses: of(1), ReplaceRoute: of(1) });
  const unassign = () =>
    lab.client().send(new UnassignIpv6AddressesCommand({ NetworkInterfaceId: dataB, Ipv6Addresses: [ipv6] }));
  await expect(unassign()).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  await expect(unassign()).rejects.toMatchObject(throttled);
  await expect(replace(instanceA, true)).rejects.toMatchObject({ name: 'DryRunOperation' });
  await expect(replace()).rejects.toMatchObject(throttled);
});

test('who is not let in spends nothing', async () => {
  lab.emulator.throttleAccount({});
  const stranger = lab.client({ credentials: { accessKeyId: 'AKIAX', secretAccessKey: 'no' } });
  await expect(stranger.send(new DescribeRouteTablesCommand({}))).rejects.toMatchObject({
    name: 'AuthFailure',
  });
  expect(bucket('DescribeRouteTables')).toMatchObject({ taken: 0, refused: 0 });
});

test('reads without filter and pages have a smaller bucket of their own', async () => {
  lab.emulator.throttleAccount({});
  const look = (input: object) => lab.client().send(new DescribeNetworkInterfacesCommand(input));
  await look({});
  await look({ NetworkInterfaceIds: [dataB] });
  await look({ MaxResults: 5 });
  await look({ Filters: [{ Name: 'network-interface-id', Values: [dataB] }] });
  expect(bucket('DescribeNetworkInterfaces')).toMatchObject({ taken: 2 });
  expect(bucket('DescribeNetworkInterfaces unfiltered')).toMatchObject({ taken: 2 });
});

test('a bucket fills again, evenly and up to its burst', async () => {
  lab.emulator.throttleAccount({ ReplaceRoute: { burst: 1, refillPerS: 1000 } });
  for (let calls = 0; calls < 5; calls += 1) {
    await replace();
    await until(() => (bucket('ReplaceRoute')?.tokens ?? 0) >= 1);
  }
  expect(bucket('ReplaceRoute')).toMatchObject({ tokens: 1, taken: 5, refused: 0 });
});

test('switched off and on again, it is full', async () => {
  lab.emulator.throttleAccount({ ReplaceRoute: of(1) });
  await replace();
  lab.emulator.throttleAccount(null);
  await replace();
  lab.emulator.throttleAccount({ ReplaceRoute: of(1) });
  await replace();
  await expect(replace()).rejects.toMatchObject(throttled);
});

test('a bucket of no action is a mistake', () => {
  expect(() => lab.emulator.throttleAccount({ ReplaceRoutes: of(1) })).toThrow('no bucket ReplaceRoutes');
});

test('an emulator may start with them', async () => {
  const other = await startLab({ tokenBuckets: { DescribeRouteTables: of(0) } });
  try {
    await expect(other.client().send(new DescribeRouteTablesCommand({}))).rejects.toMatchObject(throttled);
  } finally {
    await other.close();
  }
});
