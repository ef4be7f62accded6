import {
  DescribeInstanceStatusCommand,
  DescribeInstancesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeVolumesCommand,
  paginateDescribeNetworkInterfaces,
} from '@aws-sdk/client-ec2';
import type { DescribeNetworkInterfacesCommandInput, EC2Client } from '@aws-sdk/client-ec2';
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
  const statuses = async (IncludeAllInstances: boolean) =>
    (
      await client.send(
        new DescribeInstanceStatusCommand({ InstanceIds: [instanceA, instanceB], IncludeAllInstances }),
      )
    ).InstanceStatuses?.map((status) => [
      status.InstanceId,
      status.InstanceState?.Name,
      status.InstanceStatus?.Status,
      status.SystemStatus?.Status,
    ]);

  test('shows an impaired check, and stopped instances only when asked', async () => {
    lab.world.setStatusChecks(instanceA, { instanceStatus: 'impaired' });
    lab.world.setInstanceState(instanceB, 'stopped');
    const impaired = [instanceA, 'running', 'impaired', 'ok'];
    expect(await statuses(false)).toEqual([impaired]);
    expect(await statuses(true)).toEqual([
      impaired,
      [instanceB, 'stopped', 'not-applicable', 'not-applicable'],
    ]);
  });
});

test('an action that is not there is InvalidAction', async () => {
  await expect(client.send(new DescribeVolumesCommand({}))).rejects.toMatchObject({
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
