import { AssignPrivateIpAddressesCommand, UnassignPrivateIpAddressesCommand } from '@aws-sdk/client-ec2';
import type { AssignPrivateIpAddressesCommandInput } from '@aws-sdk/client-ec2';
import { Ec2World } from '../../lab/ec2-emulator/world';
import { dataA, dataB, instanceA, mgmtB, pairModel, startLab, vip1, vip2 } from './ec2Lab';
import type { Ec2Lab } from './ec2Lab';

let lab: Ec2Lab;
beforeEach(async () => {
  lab = await startLab();
});
afterEach(() => lab.close());

const assign = (input: Omit<AssignPrivateIpAddressesCommandInput, 'NetworkInterfaceId'>, eni = dataB) =>
  lab.client().send(new AssignPrivateIpAddressesCommand({ NetworkInterfaceId: eni, ...input }));
const take = (...PrivateIpAddresses: string[]) => assign({ PrivateIpAddresses, AllowReassignment: true });
const unassign = (eni: string, ...PrivateIpAddresses: string[]) =>
  lab.client().send(new UnassignPrivateIpAddressesCommand({ NetworkInterfaceId: eni, PrivateIpAddresses }));
const secondariesOf = (eni: string) =>
  lab.world.model.networkInterfaces.find(({ networkInterfaceId }) => networkInterfaceId === eni)
    ?.secondaryIps;

test('AllowReassignment moves secondaries: they leave the other interface', async () => {
  const answer = await take(vip1, vip2);
  expect(answer).toMatchObject({
    NetworkInterfaceId: dataB,
    AssignedPrivateIpAddresses: [{ PrivateIpAddress: vip1 }, { PrivateIpAddress: vip2 }],
  });
  expect(secondariesOf(dataA)).toEqual([]);
  expect(secondariesOf(dataB)).toEqual([vip1, vip2]);
  expect(lab.world.ownerOf(vip1)).toBe(dataB);
});

test.each([false, undefined])(
  'AllowReassignment %s: an address held elsewhere is refused; a free one is not',
  async (AllowReassignment) => {
    const claim = (...PrivateIpAddresses: string[]) => assign({ PrivateIpAddresses, AllowReassignment });
    await expect(claim(vip1)).rejects.toMatchObject({
      name: 'InvalidParameterValue',
      message: `[${vip1}] assigned, but move is not allowed.`,
      $metadata: { httpStatusCode: 400 },
    });
    expect(lab.world.ownerOf(vip1)).toBe(dataA);
    await claim('10.1.1.200');
    expect(lab.world.ownerOf('10.1.1.200')).toBe(dataB);
  },
);

test('without it, one address held elsewhere spoils the whole call, and all such are named', async () => {
  const claim = (eni: string, ...PrivateIpAddresses: string[]) => assign({ PrivateIpAddresses }, eni);
  await expect(claim(dataB, '10.1.1.200', vip2, vip1)).rejects.toMatchObject({
    message: `[${vip2}, ${vip1}] assigned, but move is not allowed.`,
  });
  expect(lab.world.ownerOf('10.1.1.200')).toBeNull();
  await claim(dataA, '10.1.1.200', vip1);
  expect(secondariesOf(dataA)).toEqual([vip1, vip2, '10.1.1.200']);
  lab.world.detachInterface(dataA);
  await expect(claim(dataB, vip1)).rejects.toMatchObject({ name: 'InvalidParameterValue' });
});

test.each([
  ['outside the subnet', ['10.1.0.99'], 'InvalidParameterValue'],
  ['reserved: the router of the subnet', ['10.1.1.1'], 'InvalidParameterValue'],
  ['reserved: the last address', ['10.1.1.255'], 'InvalidParameterValue'],
  ['no address', ['10.1.1.300'], 'InvalidParameterValue'],
  ['the primary of another interface', ['10.1.1.10'], 'InvalidParameterValue'],
  [
    'more than the interface can hold',
    ['10.1.1.50', '10.1.1.51', '10.1.1.52'],
    'PrivateIpAddressLimitExceeded',
  ],
])('all or nothing: %s spoils the whole call', async (_what, bad, code) => {
  await expect(take(vip1, ...bad)).rejects.toMatchObject({ name: code, $metadata: { httpStatusCode: 400 } });
  expect(secondariesOf(dataA)).toEqual([vip1, vip2]);
  expect(secondariesOf(dataB)).toEqual([]);
  expect(lab.world.ownershipHistory().every(({ origin }) => origin.by === 'start')).toBe(true);
});

test('an address that is there already is a success, and does not count twice', async () => {
  await take(vip1, vip2, '10.1.1.50');
  await take(vip1, vip2, '10.1.1.50');
  expect(secondariesOf(dataB)).toEqual([vip1, vip2, '10.1.1.50']);
});

test.each([
  [
    'an unknown interface',
    { PrivateIpAddresses: [vip1] },
    'eni-0123456789abcdef0',
    'InvalidNetworkInterfaceID.NotFound',
  ],
  ['no address', {}, dataB, 'MissingParameter'],
  ['a count instead of addresses', { SecondaryPrivateIpAddressCount: 1 }, dataB, 'UnsupportedOperation'],
  ['a prefix', { Ipv4Prefixes: ['10.1.1.16/28'] }, dataB, 'UnsupportedOperation'],
])('%s is refused', async (_what, input, eni, code) => {
  await expect(assign(input, eni)).rejects.toMatchObject({ name: code });
});

test('the same address in another VPC is another address', async () => {
  const other = { ...pairModel.subnets[1]!, subnetId: 'subnet-2', vpcId: 'vpc-2' };
  const twin = {
    ...pairModel.networkInterfaces[1]!,
    networkInterfaceId: 'eni-00000000000000002',
    subnetId: other.subnetId,
    attachment: null,
  };
  const twins = await startLab({
    world: new Ec2World({
      ...pairModel,
      subnets: [...pairModel.subnets, other],
      networkInterfaces: [...pairModel.networkInterfaces, twin],
    }),
  });
  try {
    await twins.client().send(
      new AssignPrivateIpAddressesCommand({
        NetworkInterfaceId: dataB,
        PrivateIpAddresses: [vip1],
        AllowReassignment: true,
      }),
    );
    const holders = twins.emulator.world.model.networkInterfaces.filter((eni) =>
      eni.secondaryIps.includes(vip1),
    );
    expect(holders.map((eni) => eni.networkInterfaceId)).toEqual([dataB, twin.networkInterfaceId]);
  } finally {
    await twins.close();
  }
});

test('UnassignPrivateIpAddresses takes a secondary away, and nothing else', async () => {
  await unassign(dataA, vip1);
  expect(lab.world.ownerOf(vip1)).toBeNull();
  await expect(unassign(dataA, vip2, vip1)).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  await expect(unassign(dataA, vip2, '10.1.1.10')).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  await expect(unassign('eni-0123456789abcdef0', vip2)).rejects.toMatchObject({
    name: 'InvalidNetworkInterfaceID.NotFound',
  });
  expect(secondariesOf(dataA)).toEqual([vip2]);
});

test('the history says who owned an address when, and by whose doing', async () => {
  await take(vip1);
  lab.world.assign(dataA, [vip1]);
  await unassign(dataA, vip1);
  const history = lab.world.ownershipHistory(vip1);
  expect(history.map(({ from, to, origin }) => [from, to, origin.by])).toEqual([
    [null, dataA, 'start'],
    [dataA, dataB, 'request'],
    [dataB, dataA, 'operator'],
    [dataA, null, 'request'],
  ]);
  const [request] = lab.emulator.requests();
  expect(history[1]?.origin).toEqual({
    by: 'request',
    number: request?.number,
    accessKeyId: request?.accessKeyId,
  });
  expect(history[1]?.atMs).toBeGreaterThanOrEqual(request?.receivedAt ?? Infinity);
});

test('an operator can detach, attach, delete and stop; an impossible edit throws', () => {
  const { world } = lab;
  const { attachment } = pairModel.networkInterfaces[1]!;
  world.detachInterface(dataA);
  expect(world.ownerOf(vip1)).toBe(dataA);
  world.attachInterface(dataA, { ...attachment!, deviceIndex: 2 });
  expect(() => world.attachInterface(dataA, attachment!)).toThrow('InvalidNetworkInterface.InUse');
  world.setInstanceState(instanceA, 'stopped');
  expect(world.model.instances[0]?.state).toBe('stopped');
  world.setInstanceState(instanceA, 'terminated');
  expect(() => world.setInstanceState(instanceA, 'running')).toThrow('IncorrectInstanceState');
  expect(world.ownerOf(vip1)).toBe(dataA);
  world.deleteInterface(dataA);
  expect(world.ownerOf(vip1)).toBeNull();
  expect(() => world.assign(mgmtB, [vip1])).toThrow('InvalidParameterValue');
});
