import {
  DescribeInstanceStatusCommand,
  DescribeInstancesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeKeyPairsCommand,
  paginateDescribeInstanceStatus,
  paginateDescribeNetworkInterfaces,
} from '@aws-sdk/client-ec2';
import type {
  DescribeInstanceStatusCommandInput,
  DescribeNetworkInterfacesCommandInput,
  EC2Client,
} from '@aws-sdk/client-ec2';
import type { InstanceState, StatusCheck } from '../../lab/ec2-emulator/model';
import { Ec2World } from '../../lab/ec2-emulator/world';
import {
  dataA,
  dataB,
  dataSubnet,
  instanceA,
  instanceB,
  mgmtA,
  mgmtB,
  pairModel,
  startLab,
  vip1,
  vip2,
  vpcId,
} from './ec2Lab';
import type { Ec2Lab } from './ec2Lab';

let lab: Ec2Lab;
let client: EC2Client;
beforeEach(async () => {
  lab = await startLab();
  client = lab.client();
});
afterEach(() => lab.close());

const list = (input: DescribeNetworkInterfacesCommandInput) =>
  client.send(new DescribeNetworkInterfacesCommand(input));
const dnsName = (ip: string) => `ip-${ip}.eu-central-1.compute.internal`;
const idsBy = async (Name: string, ...Values: string[]) =>
  (await list({ Filters: [{ Name, Values }] })).NetworkInterfaces?.map((eni) => eni.NetworkInterfaceId);

describe('DescribeNetworkInterfaces', () => {
  test('writes every field that a reader may want', async () => {
    const { NetworkInterfaces } = await list({ NetworkInterfaceIds: [dataA] });
    expect(NetworkInterfaces).toEqual([
      {
        NetworkInterfaceId: dataA,
        SubnetId: dataSubnet,
        VpcId: vpcId,
        AvailabilityZone: 'eu-central-1a',
        AvailabilityZoneId: 'euc1-az2',
        Description: '',
        OwnerId: '123456789012',
        RequesterManaged: false,
        Status: 'in-use',
        MacAddress: '02:00:00:00:0a:01',
        PrivateIpAddress: '10.1.1.10',
        PrivateDnsName: dnsName('10-1-1-10'),
        SourceDestCheck: false,
        InterfaceType: 'interface',
        Groups: [],
        Ipv6Addresses: [],
        TagSet: [],
        PrivateIpAddresses: [
          { PrivateIpAddress: '10.1.1.10', Primary: true, PrivateDnsName: dnsName('10-1-1-10') },
          { PrivateIpAddress: vip1, Primary: false, PrivateDnsName: dnsName('10-1-1-100') },
          { PrivateIpAddress: vip2, Primary: false, PrivateDnsName: dnsName('10-1-1-101') },
        ],
        Attachment: {
          AttachmentId: dataA.replace('eni-', 'eni-attach-'),
          AttachTime: new Date('2026-01-01T00:00:00Z'),
          InstanceId: instanceA,
          InstanceOwnerId: '123456789012',
          DeviceIndex: 1,
          NetworkCardIndex: 0,
          Status: 'attached',
          DeleteOnTermination: false,
        },
      },
    ]);
  });

  test('a detached interface is available and has no attachment', async () => {
    lab.world.detachInterface(dataA);
    const { NetworkInterfaces } = await list({ NetworkInterfaceIds: [dataA] });
    expect(NetworkInterfaces?.[0]?.Status).toBe('available');
    expect(NetworkInterfaces?.[0]).not.toHaveProperty('Attachment');
  });

  test.each([
    ['addresses.private-ip-address', [vip1, '10.1.0.20'], [dataA, mgmtB]],
    ['private-ip-address', [vip2], [dataA]],
    ['vpc-id', [vpcId], [mgmtA, dataA, mgmtB, dataB]],
    ['vpc-id', ['vpc-other'], []],
    ['network-interface-id', [dataB], [dataB]],
    ['attachment.instance-id', [instanceB], [mgmtB, dataB]],
    ['attachment.device-index', ['1'], [dataA, dataB]],
    ['subnet-id', [dataSubnet], [dataA, dataB]],
    ['status', ['in-use'], [mgmtA, dataA, mgmtB, dataB]],
    ['status', ['available'], []],
    ['addresses.private-ip-address', ['10.1.1.1*'], [dataA]],
    ['addresses.private-ip-address', ['10.1.?.20'], [mgmtB, dataB]],
    ['addresses.private-ip-address', ['10.1.1.?0\\*'], []],
  ])('filter %s = %j finds %j', async (name, values, expected) => {
    expect(await idsBy(name, ...values)).toEqual(expected);
  });

  test('several filters are joined by and', async () => {
    const { NetworkInterfaces } = await list({
      Filters: [
        { Name: 'attachment.instance-id', Values: [instanceA] },
        { Name: 'attachment.device-index', Values: ['0'] },
      ],
    });
    expect(NetworkInterfaces?.map((eni) => eni.NetworkInterfaceId)).toEqual([mgmtA]);
  });

  test.each([
    ['an unknown filter', { Filters: [{ Name: 'colour', Values: ['red'] }] }, 'InvalidParameterValue'],
    [
      'more than 200 filter values',
      {
        Filters: [
          { Name: 'private-ip-address', Values: Array.from({ length: 201 }, (_, i) => `10.1.1.${i}`) },
        ],
      },
      'FilterLimitExceeded',
    ],
    [
      'an unknown id',
      { NetworkInterfaceIds: ['eni-0123456789abcdef0'] },
      'InvalidNetworkInterfaceID.NotFound',
    ],
    ['an impossible id', { NetworkInterfaceIds: ['interface 1'] }, 'InvalidNetworkInterfaceId.Malformed'],
    ['ids with MaxResults', { NetworkInterfaceIds: [dataA], MaxResults: 5 }, 'InvalidParameterCombination'],
    ['a page too small', { MaxResults: 4 }, 'InvalidParameterValue'],
    ['a made-up token', { MaxResults: 5, NextToken: 'two' }, 'InvalidNextToken'],
  ])('%s is refused', async (_what, input, code) => {
    await expect(list(input)).rejects.toMatchObject({ name: code, $metadata: { httpStatusCode: 400 } });
  });

  test('200 filter values are taken', async () => {
    const values = Array.from({ length: 200 }, (_, i) => `10.1.1.${i}`);
    expect(await idsBy('private-ip-address', ...values)).toEqual([dataA, dataB]);
  });

  test('DryRun is answered with its own error', async () => {
    await expect(list({ DryRun: true })).rejects.toMatchObject({ name: 'DryRunOperation' });
  });

  test('pages join up to the whole', async () => {
    const many = Array.from({ length: 12 }, (_, i) => ({
      ...pairModel.networkInterfaces[0]!,
      networkInterfaceId: `eni-0000000${i.toString(16)}`,
      primaryIp: `10.1.0.${100 + i}`,
      attachment: null,
    }));
    const bigger = await startLab({ world: new Ec2World({ ...pairModel, networkInterfaces: many }) });
    try {
      const pages: number[] = [];
      const ids: (string | undefined)[] = [];
      for await (const page of paginateDescribeNetworkInterfaces(
        { client: bigger.client(), pageSize: 5 },
        {},
      )) {
        pages.push(page.NetworkInterfaces?.length ?? 0);
        ids.push(...(page.NetworkInterfaces ?? []).map((eni) => eni.NetworkInterfaceId));
      }
      expect(pages).toEqual([5, 5, 2]);
      expect(ids).toEqual(many.map((eni) => eni.networkInterfaceId));
    } finally {
      await bigger.close();
    }
  });
});

describe('DescribeInstances', () => {
  test('shows state and interfaces', async () => {
    lab.world.setInstanceState(instanceB, 'stopped');
    const { Reservations } = await client.send(new DescribeInstancesCommand({ InstanceIds: [instanceB] }));
    const [found] = Reservations?.[0]?.Instances ?? [];
    expect(found).toMatchObject({
      InstanceId: instanceB,
      State: { Code: 80, Name: 'stopped' },
      Placement: { AvailabilityZone: 'eu-central-1a' },
      VpcId: vpcId,
      PrivateIpAddress: '10.1.0.20',
    });
    expect(
      found?.NetworkInterfaces?.map((eni) => [eni.NetworkInterfaceId, eni.Attachment?.DeviceIndex]),
    ).toEqual([
      [mgmtB, 0],
      [dataB, 1],
    ]);
  });

  test('an unknown instance is refused', async () => {
    await expect(
      client.send(new DescribeInstancesCommand({ InstanceIds: ['i-0123456789abcdef0'] })),
    ).rejects.toMatchObject({ name: 'InvalidInstanceID.NotFound' });
  });

  test('a terminated instance keeps the interfaces that outlive it, detached', async () => {
    lab.world.setInstanceState(instanceA, 'terminated');
    const { NetworkInterfaces } = await list({});
    expect(NetworkInterfaces?.map((eni) => [eni.NetworkInterfaceId, eni.Status])).toEqual([
      [dataA, 'available'],
      [mgmtB, 'in-use'],
      [dataB, 'in-use'],
    ]);
  });
});

describe('DescribeInstanceStatus', () => {
  const unknown = ['i-0123456789abcdef0', 'i-0123456789abcdef1'];
  const describeStatus = (input: DescribeInstanceStatusCommandInput) =>
    client.send(new DescribeInstanceStatusCommand(input));
  const statuses = async (input: DescribeInstanceStatusCommandInput) =>
    (await describeStatus(input)).InstanceStatuses?.map((status) => [
      status.InstanceId,
      status.InstanceState?.Name,
      status.InstanceStatus?.Status,
      status.SystemStatus?.Status,
    ]);
  const both = [instanceA, instanceB];

  test('writes every field that a reader may want', async () => {
    lab.world.setStatusChecks(instanceA, { instanceStatus: 'impaired' });
    const { InstanceStatuses } = await describeStatus({ InstanceIds: [instanceA] });
    expect(InstanceStatuses).toEqual([
      {
        InstanceId: instanceA,
        AvailabilityZone: 'eu-central-1a',
        InstanceState: { Code: 16, Name: 'running' },
        InstanceStatus: {
          Status: 'impaired',
          Details: [
            { Name: 'reachability', Status: 'failed', ImpairedSince: new Date('2026-01-01T00:00:00Z') },
          ],
        },
        SystemStatus: { Status: 'ok', Details: [{ Name: 'reachability', Status: 'passed' }] },
      },
    ]);
  });

  test('writes the maintenance that is announced, with the fields that it has', async () => {
    const instanceEventId = 'instance-event-0d59937288b749b32';
    lab.world.setScheduledEvents(instanceA, [
      {
        instanceEventId,
        code: 'system-reboot',
        description: 'scheduled reboot',
        notBefore: '2026-12-04T12:00:00.000Z',
        notAfter: '2026-12-04T14:00:00.000Z',
        notBeforeDeadline: '2026-12-06T12:00:00.000Z',
      },
      { instanceEventId, code: 'instance-retirement' },
    ]);
    const { InstanceStatuses } = await describeStatus({
      Filters: [{ Name: 'event.code', Values: ['instance-retirement'] }],
    });
    expect(InstanceStatuses?.map(({ InstanceId, Events }) => [InstanceId, Events])).toEqual([
      [
        instanceA,
        [
          {
            InstanceEventId: instanceEventId,
            Code: 'system-reboot',
            Description: 'scheduled reboot',
            NotBefore: new Date('2026-12-04T12:00:00Z'),
            NotAfter: new Date('2026-12-04T14:00:00Z'),
            NotBeforeDeadline: new Date('2026-12-06T12:00:00Z'),
          },
          { InstanceEventId: instanceEventId, Code: 'instance-retirement' },
        ],
      ],
    ]);
    lab.world.setScheduledEvents(instanceA, []);
    expect((await describeStatus({ InstanceIds: [instanceA] })).InstanceStatuses?.[0]).not.toHaveProperty(
      'Events',
    );
  });

  test.each<[StatusCheck, string[]]>([
    ['ok', ['passed']],
    ['impaired', ['failed']],
    ['initializing', ['initializing']],
    ['insufficient-data', ['insufficient-data']],
    ['not-applicable', []],
  ])('a system check that is %s', async (systemStatus, reachability) => {
    lab.world.setStatusChecks(instanceA, { systemStatus });
    const { InstanceStatuses } = await describeStatus({ InstanceIds: [instanceA] });
    const check = InstanceStatuses?.[0]?.SystemStatus;
    expect([check?.Status, (check?.Details ?? []).map(({ Status }) => Status)]).toEqual([
      systemStatus,
      reachability,
    ]);
  });

  test.each<[InstanceState, number]>([
    ['pending', 0],
    ['shutting-down', 32],
    ['terminated', 48],
    ['stopping', 64],
    ['stopped', 80],
  ])('an instance that is %s is shown only when all are asked for, without checks', async (state, Code) => {
    lab.world.setStatusChecks(instanceB, { instanceStatus: 'impaired' });
    lab.world.setInstanceState(instanceB, state);
    const running = [instanceA, 'running', 'ok', 'ok'];
    expect(await statuses({ InstanceIds: both })).toEqual([running]);
    expect(await statuses({ InstanceIds: both, IncludeAllInstances: false })).toEqual([running]);
    expect(await statuses({ InstanceIds: both, IncludeAllInstances: true })).toEqual([
      running,
      [instanceB, state, 'not-applicable', 'not-applicable'],
    ]);
    const { InstanceStatuses } = await describeStatus({
      InstanceIds: [instanceB],
      IncludeAllInstances: true,
    });
    expect(InstanceStatuses?.[0]?.InstanceState?.Code).toBe(Code);
  });

  test.each([
    ['instance-state-name', 'stopped', [instanceB]],
    ['instance-state-code', '16', [instanceA]],
    ['availability-zone', 'eu-central-1?', [instanceA, instanceB]],
    ['instance-status.status', 'impaired', [instanceA]],
    ['instance-status.reachability', 'failed', [instanceA]],
    ['system-status.status', 'not-applicable', [instanceB]],
    ['system-status.reachability', 'passed', [instanceA]],
    ['event.code', 'instance-*', [instanceB]],
  ])('filter %s = %s finds %j', async (Name, value, expected) => {
    lab.world.setStatusChecks(instanceA, { instanceStatus: 'impaired' });
    lab.world.setScheduledEvents(instanceB, [{ instanceEventId: 'instance-event-1', code: 'instance-stop' }]);
    lab.world.setInstanceState(instanceB, 'stopped');
    const found = await statuses({
      Filters: [{ Name, Values: [value] }],
      IncludeAllInstances: true,
    });
    expect(found?.map(([id]) => id)).toEqual(expected);
  });

  test.each<[string, DescribeInstanceStatusCommandInput, string, string]>([
    [
      'an unknown id beside a known one',
      { InstanceIds: [instanceA, 'i-0123456789abcdef0'], IncludeAllInstances: true },
      'InvalidInstanceID.NotFound',
      "The instance ID 'i-0123456789abcdef0' does not exist",
    ],
    [
      'two unknown ids',
      { InstanceIds: unknown },
      'InvalidInstanceID.NotFound',
      `The instance IDs '${unknown.join(', ')}' do not exist`,
    ],
    [
      'an impossible id',
      { InstanceIds: [...unknown, 'router 1'] },
      'InvalidInstanceID.Malformed',
      'Invalid id: "router 1"',
    ],
    ['ids with MaxResults', { InstanceIds: [instanceA], MaxResults: 5 }, 'InvalidParameterCombination', ''],
    [
      'a filter for ids, which the action does not have',
      { Filters: [{ Name: 'instance-id', Values: [instanceA] }] },
      'InvalidParameterValue',
      "The filter 'instance-id' is invalid",
    ],
    [
      'more than 100 ids',
      { InstanceIds: Array.from({ length: 101 }, () => instanceA) },
      'InvalidParameterValue',
      'At most 100',
    ],
  ])('%s is refused', async (_what, input, name, message) => {
    await expect(describeStatus(input)).rejects.toMatchObject({
      name,
      message: expect.stringContaining(message) as string,
      $metadata: { httpStatusCode: 400 },
    });
  });

  test('pages are cut from what is shown', async () => {
    const many = Array.from({ length: 13 }, (_, i) => ({
      ...pairModel.instances[0]!,
      instanceId: `i-0000000${i.toString(16)}`,
      state: i % 2 === 0 ? ('running' as const) : ('stopped' as const),
    }));
    const bigger = await startLab({
      world: new Ec2World({ ...pairModel, instances: many, networkInterfaces: [] }),
    });
    try {
      const pages: number[] = [];
      for await (const page of paginateDescribeInstanceStatus({ client: bigger.client(), pageSize: 5 }, {})) {
        pages.push(page.InstanceStatuses?.length ?? 0);
      }
      expect(pages).toEqual([5, 2]);
    } finally {
      await bigger.close();
    }
  });

  test('who may not ask is told so', async () => {
    const action = 'DescribeInstanceStatus';
    lab.emulator.addFault({ kind: 'error', code: 'UnauthorizedOperation', action });
    await expect(describeStatus({ InstanceIds: both })).rejects.toMatchObject({
      name: 'UnauthorizedOperation',
      $metadata: { httpStatusCode: 403 },
    });
    expect((await list({})).NetworkInterfaces).toHaveLength(4);
  });

  test('a stale answer shows the state of then', async () => {
    lab.world.setInstanceState(instanceB, 'stopped');
    lab.emulator.addFault({ kind: 'stale', ageMs: 60_000 });
    expect(await statuses({ InstanceIds: [instanceB] })).toEqual([[instanceB, 'running', 'ok', 'ok']]);
  });
});

test('an action that is not there is InvalidAction', async () => {
  await expect(client.send(new DescribeKeyPairsCommand({}))).rejects.toMatchObject({
    name: 'InvalidAction',
    $metadata: { httpStatusCode: 400 },
  });
});

test('a model that could not exist is named with every mistake', () => {
  const [first] = pairModel.networkInterfaces;
  const twin = { ...first!, secondaryIps: ['10.9.9.9'] };
  expect(() => new Ec2World({ ...pairModel, networkInterfaces: [first!, twin] })).toThrow(
    /interface eni-000000000000000a0 appears twice.*10\.9\.9\.9 is not in 10\.1\.0\.0\/24/,
  );
});
