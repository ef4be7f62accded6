import {
  AssignIpv6AddressesCommand,
  DescribeNetworkInterfacesCommand,
  UnassignIpv6AddressesCommand,
} from '@aws-sdk/client-ec2';
import type { EC2Client } from '@aws-sdk/client-ec2';
import { canonicalDestination } from '../../lab/ec2-emulator/destinations';
import { canonicalIpv6, formatIpv6, parseIpv6, parseIpv6CidrBlock } from '../../lab/ec2-emulator/ipv6';
import { Ec2World } from '../../lab/ec2-emulator/world';
import { dataA, dataB, ipv6, mgmtB, routedModel, startLab } from './ec2Lab';
import type { Ec2Lab } from './ec2Lab';

const free = '2001:db8:1:1::200';

let lab: Ec2Lab;
let client: EC2Client;
beforeEach(async () => {
  lab = await startLab({ world: new Ec2World(routedModel) });
  client = lab.client();
});
afterEach(() => lab.close());

const assign = (id: string, ...Ipv6Addresses: string[]) =>
  client.send(new AssignIpv6AddressesCommand({ NetworkInterfaceId: id, Ipv6Addresses }));
const unassign = (id: string, ...Ipv6Addresses: string[]) =>
  client.send(new UnassignIpv6AddressesCommand({ NetworkInterfaceId: id, Ipv6Addresses }));
const heldBy = async (ip: string) => {
  const { NetworkInterfaces } = await client.send(
    new DescribeNetworkInterfacesCommand({
      Filters: [{ Name: 'ipv6-addresses.ipv6-address', Values: [ip] }],
    }),
  );
  return NetworkInterfaces?.map((eni) => [
    eni.NetworkInterfaceId,
    eni.Ipv6Addresses?.map((each) => each.Ipv6Address),
  ]);
};

test('an address goes to another interface in two calls only', async () => {
  expect(await heldBy(ipv6)).toEqual([[dataA, [ipv6]]]);
  await expect(assign(dataB, ipv6)).rejects.toMatchObject({
    name: 'InvalidParameterValue',
    $metadata: { httpStatusCode: 400 },
  });
  expect(await unassign(dataA, ipv6)).toMatchObject({
    NetworkInterfaceId: dataA,
    UnassignedIpv6Addresses: [ipv6],
  });
  expect(await heldBy(ipv6)).toEqual([]);
  expect(await assign(dataB, ipv6)).toMatchObject({
    NetworkInterfaceId: dataB,
    AssignedIpv6Addresses: [ipv6],
  });
  expect(await heldBy(ipv6)).toEqual([[dataB, [ipv6]]]);
  expect(lab.world.ownerOf(ipv6)).toBe(dataB);
  expect(lab.world.ownershipHistory(ipv6).map(({ from, to }) => [from, to])).toEqual([
    [null, dataA],
    [dataA, null],
    [null, dataB],
  ]);
});

test('any spelling of an address is that address', async () => {
  await assign(dataA, '2001:DB8:1:1:0:0:0:100');
  await unassign(dataA, '2001:0db8:0001:0001::0100');
  expect(await heldBy(ipv6)).toEqual([]);
});

test.each([
  ['an address held elsewhere', dataB, [free, ipv6], 'InvalidParameterValue'],
  ['outside the subnet', dataB, [free, '2001:db8:1:2::1:1'], 'InvalidParameterValue'],
  ['reserved: the router of the subnet', dataB, [free, '2001:db8:1:1::1'], 'InvalidParameterValue'],
  ['reserved: the last one', dataB, ['2001:db8:1:1:ffff:ffff:ffff:ffff'], 'InvalidParameterValue'],
  ['no address', dataB, [free, '2001:db8::1::2'], 'InvalidParameterValue'],
  ['an IPv4 address', dataB, ['10.1.1.200'], 'InvalidParameterValue'],
  ['a subnet without IPv6', mgmtB, [free], 'InvalidParameterValue'],
  [
    'more than fit',
    dataB,
    ['::10', '::11', '::12', '::13', '::14'].map((end) => `2001:db8:1:1${end}`),
    'PrivateIpAddressLimitExceeded',
  ],
  ['an unknown interface', 'eni-0123456789abcdef0', [free], 'InvalidNetworkInterfaceID.NotFound'],
  ['nothing', dataB, [], 'MissingParameter'],
])('all or nothing: %s', async (_what, id, addresses, code) => {
  await expect(assign(id, ...addresses)).rejects.toMatchObject({ name: code });
  expect(await heldBy(free)).toEqual([]);
});

test('what is not there cannot be unassigned', async () => {
  await expect(unassign(dataA, ipv6, free)).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  await expect(unassign(dataA, 'nonsense')).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  await expect(unassign('eni-0123456789abcdef0', ipv6)).rejects.toMatchObject({
    name: 'InvalidNetworkInterfaceID.NotFound',
  });
  expect(await heldBy(ipv6)).toEqual([[dataA, [ipv6]]]);
});

test('counts and prefixes are refused', async () => {
  const ask = (input: object) =>
    client.send(new AssignIpv6AddressesCommand({ NetworkInterfaceId: dataB, ...input }));
  await expect(ask({ Ipv6AddressCount: 1 })).rejects.toMatchObject({ name: 'UnsupportedOperation' });
  await expect(ask({ Ipv6Prefixes: ['2001:db8:1:1:1::/80'] })).rejects.toMatchObject({
    name: 'UnsupportedOperation',
  });
});

test('a fault can be for one address, of this family too', async () => {
  lab.emulator.addFault({ kind: 'error', code: 'Unavailable', addresses: [free] });
  await expect(assign(dataB, '2001:db8:1:1::201', free)).rejects.toMatchObject({ name: 'Unavailable' });
  await assign(dataB, '2001:db8:1:1::201');
});

test('an operator takes it in one go', () => {
  lab.world.assignIpv6(dataB, [ipv6]);
  expect(lab.world.ownerOf(ipv6)).toBe(dataB);
});

test('a model with two holders of an address, or another spelling, could not exist', () => {
  const withIpv6 = (ipv6Addresses: readonly string[]) => ({
    ...routedModel,
    networkInterfaces: routedModel.networkInterfaces.map((eni) =>
      eni.networkInterfaceId === dataB ? { ...eni, ipv6Addresses } : eni,
    ),
  });
  expect(() => new Ec2World(withIpv6([ipv6]))).toThrow(`${dataB}: ${ipv6} is on ${dataA}, too`);
  expect(() => new Ec2World(withIpv6(['2001:DB8:1:1::200']))).toThrow('2001:DB8:1:1::200');
});

test.each([
  ['::', 0n, '::'],
  ['::1', 1n, '::1'],
  ['1:0:0:2:0:0:0:3', (1n << 112n) | (2n << 64n) | 3n, '1:0:0:2::3'],
  ['2001:DB8::10.1.2.3', (0x2001_0db8n << 96n) | 0x0a01_0203n, '2001:db8::a01:203'],
])('%s is one number and has one spelling', (text, number, spelling) => {
  expect(parseIpv6(text)).toBe(number);
  expect(formatIpv6(number)).toBe(spelling);
  expect(canonicalIpv6(text)).toBe(spelling);
});

test.each(['', '1', '1::2::3', 'fe80::1%eth0', '12345::', '10.1.2.3', '::/0'])('%j is no address', (text) => {
  expect(parseIpv6(text)).toBeUndefined();
});

test('blocks', () => {
  expect(parseIpv6CidrBlock('2001:db8::/32')).toMatchObject({ length: 32, exact: true });
  expect(parseIpv6CidrBlock('2001:db8::1/32')).toMatchObject({ exact: false });
  expect(parseIpv6CidrBlock('::/129')).toBeUndefined();
  expect(canonicalDestination({ kind: 'ipv6', value: '::1/0' })?.value).toBe('::/0');
  expect(canonicalDestination({ kind: 'ipv4', value: '255.255.255.255/32' })?.value).toBe(
    '255.255.255.255/32',
  );
  expect(canonicalDestination({ kind: 'ipv4', value: '255.1.2.3/0' })?.value).toBe('0.0.0.0/0');
});
