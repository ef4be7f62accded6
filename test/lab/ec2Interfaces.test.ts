// What decides whether an interface forwards and how much it holds: source/destination check, type limits.
import {
  AssignPrivateIpAddressesCommand,
  DescribeInstanceTypesCommand,
  DescribeNetworkInterfacesCommand,
  ModifyNetworkInterfaceAttributeCommand,
} from '@aws-sdk/client-ec2';
import type { EC2Client, ModifyNetworkInterfaceAttributeCommandInput } from '@aws-sdk/client-ec2';
import { Ec2World } from '../../lab/ec2-emulator/world';
import { dataA, dataB, pairModel, startLab } from './ec2Lab';
import type { Ec2Lab } from './ec2Lab';

let lab: Ec2Lab;
let client: EC2Client;
beforeEach(async () => {
  lab = await startLab();
  client = lab.client();
});
afterEach(() => lab.close());

const modify = (input: Partial<ModifyNetworkInterfaceAttributeCommandInput>) =>
  client.send(new ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId: dataA, ...input }));
const checked = async () => {
  const { NetworkInterfaces } = await client.send(
    new DescribeNetworkInterfacesCommand({ Filters: [{ Name: 'source-dest-check', Values: ['true'] }] }),
  );
  return NetworkInterfaces?.map((eni) => [eni.NetworkInterfaceId, eni.SourceDestCheck]);
};

test('the source/destination check is switched on and off', async () => {
  await modify({ SourceDestCheck: { Value: true } });
  expect(await checked()).toEqual([[dataA, true]]);
  await modify({ SourceDestCheck: { Value: false } });
  expect(await checked()).toEqual([]);
  lab.world.setSourceDestCheck(dataB, true);
  expect(await checked()).toEqual([[dataB, true]]);
});

test.each([
  [{ SourceDestCheck: { Value: true }, DryRun: true }, 'DryRunOperation'],
  [
    { SourceDestCheck: { Value: true }, NetworkInterfaceId: 'eni-0123456789abcdef0' },
    'InvalidNetworkInterfaceID.NotFound',
  ],
  [{ SourceDestCheck: { Value: true }, NetworkInterfaceId: undefined }, 'MissingParameter'],
  [{}, 'InvalidParameterCombination'],
  [{ SourceDestCheck: { Value: true }, Description: { Value: 'x' } }, 'InvalidParameterCombination'],
  [{ Description: { Value: 'x' } }, 'UnsupportedOperation'],
])('%j is refused with %s', async (input, code) => {
  await expect(modify(input)).rejects.toMatchObject({ name: code });
  expect(await checked()).toEqual([]);
});

test('instance types tell what they allow', async () => {
  const { InstanceTypes } = await client.send(
    new DescribeInstanceTypesCommand({ InstanceTypes: ['c5.large', 'm5.24xlarge'] }),
  );
  expect(InstanceTypes).toEqual([
    {
      InstanceType: 'c5.large',
      NetworkInfo: {
        MaximumNetworkInterfaces: 3,
        Ipv4AddressesPerInterface: 10,
        Ipv6AddressesPerInterface: 10,
      },
    },
    {
      InstanceType: 'm5.24xlarge',
      NetworkInfo: {
        MaximumNetworkInterfaces: 15,
        Ipv4AddressesPerInterface: 50,
        Ipv6AddressesPerInterface: 50,
      },
    },
  ]);
  await expect(
    client.send(new DescribeInstanceTypesCommand({ InstanceTypes: ['t0.tiny' as 't2.micro'] })),
  ).rejects.toMatchObject({ name: 'InvalidInstanceType' });
  const filtered = await client.send(
    new DescribeInstanceTypesCommand({ Filters: [{ Name: 'instance-type', Values: ['c5.?xlarge'] }] }),
  );
  expect(filtered.InstanceTypes?.map((each) => each.InstanceType)).toEqual([
    'c5.2xlarge',
    'c5.4xlarge',
    'c5.9xlarge',
  ]);
});

test('an interface holds what the type of its instance allows, unless the model says otherwise', async () => {
  const world = new Ec2World({
    ...pairModel,
    networkInterfaces: pairModel.networkInterfaces.map(({ addressLimit: _limit, ...eni }) => eni),
  });
  const bigger = await startLab({ world });
  try {
    const assign = (count: number) =>
      bigger.client().send(
        new AssignPrivateIpAddressesCommand({
          NetworkInterfaceId: dataB,
          PrivateIpAddresses: Array.from({ length: count }, (_, index) => `10.1.1.${110 + index}`),
        }),
      );
    // c5.2xlarge: 15, and the primary address counts.
    await expect(assign(15)).rejects.toMatchObject({ name: 'PrivateIpAddressLimitExceeded' });
    await assign(14);
  } finally {
    await bigger.close();
  }
});

test('a second network card is told apart by its index', async () => {
  lab.world.detachInterface(dataA);
  const { attachment } = pairModel.networkInterfaces[1]!;
  lab.world.attachInterface(dataA, { ...attachment!, networkCardIndex: 1 });
  const { NetworkInterfaces } = await client.send(
    new DescribeNetworkInterfacesCommand({
      Filters: [{ Name: 'attachment.network-card-index', Values: ['1'] }],
    }),
  );
  expect(NetworkInterfaces?.[0]?.Attachment).toMatchObject({ NetworkCardIndex: 1, DeviceIndex: 1 });
});
