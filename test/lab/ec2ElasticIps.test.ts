import {
  AssignPrivateIpAddressesCommand,
  AssociateAddressCommand,
  DescribeAddressesCommand,
  DescribeNetworkInterfacesCommand,
  UnassignPrivateIpAddressesCommand,
} from '@aws-sdk/client-ec2';
import type {
  AssociateAddressCommandInput,
  DescribeAddressesCommandInput,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { Ec2World } from '../../lab/ec2-emulator/world';
import { dataA, dataB, elasticIp, instanceA, instanceB, routedModel, startLab, vip1, vip2 } from './ec2Lab';
import type { Ec2Lab } from './ec2Lab';

const second = 'eipalloc-00000000000000002';
const primaryB = '10.1.1.20';

let lab: Ec2Lab;
let client: EC2Client;
beforeEach(async () => {
  lab = await startLab({ world: new Ec2World(routedModel) });
  client = lab.client();
});
afterEach(() => lab.close());

const associate = (input: Partial<AssociateAddressCommandInput> = {}) =>
  client.send(new AssociateAddressCommand({ AllocationId: elasticIp, NetworkInterfaceId: dataB, ...input }));
const addresses = async (input: DescribeAddressesCommandInput = {}) =>
  (await client.send(new DescribeAddressesCommand(input))).Addresses ?? [];
const addressesBy = async (Name: string, ...Values: string[]) =>
  (await addresses({ Filters: [{ Name, Values }] })).map((each) => each.AllocationId);
const place = async (id = elasticIp) => {
  const [found] = await addresses({ AllocationIds: [id] });
  return [found?.NetworkInterfaceId, found?.PrivateIpAddress];
};
const nowhere = [undefined, undefined];
const interfaceOf = async (id: string) =>
  (await client.send(new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [id] })))
    .NetworkInterfaces?.[0];

describe('DescribeAddresses', () => {
  test('writes what is associated and what is not', async () => {
    expect(await addresses()).toEqual([
      {
        AllocationId: elasticIp,
        PublicIp: '203.0.113.10',
        Domain: 'vpc',
        PublicIpv4Pool: 'amazon',
        NetworkBorderGroup: 'eu-central-1',
        AssociationId: 'eipassoc-00000000000000001',
        InstanceId: instanceA,
        NetworkInterfaceId: dataA,
        NetworkInterfaceOwnerId: '123456789012',
        PrivateIpAddress: vip1,
        Tags: [{ Key: 'Name', Value: 'ha' }],
      },
      {
        AllocationId: second,
        PublicIp: '203.0.113.20',
        Domain: 'vpc',
        PublicIpv4Pool: 'amazon',
        NetworkBorderGroup: 'eu-central-1',
        Tags: [],
      },
    ]);
  });

  test.each([
    ['allocation-id', [second], [second]],
    ['public-ip', ['203.0.113.1?'], [elasticIp]],
    ['network-interface-id', [dataA], [elasticIp]],
    ['network-interface-id', [dataB], []],
    ['private-ip-address', [vip1], [elasticIp]],
    ['instance-id', [instanceA], [elasticIp]],
    ['association-id', ['*'], [elasticIp]],
    ['tag:Name', ['ha'], [elasticIp]],
  ])('filter %s = %j finds %j', async (name, values, expected) => {
    expect(await addressesBy(name, ...values)).toEqual(expected);
  });

  test.each([
    [{ AllocationIds: ['eipalloc-0123456789abcdef0'] }, 'InvalidAllocationID.NotFound'],
    [{ PublicIps: ['203.0.113.10'] }, 'UnsupportedOperation'],
    [{ DryRun: true }, 'DryRunOperation'],
  ])('%j is refused with %s', async (input, code) => {
    await expect(addresses(input)).rejects.toMatchObject({ name: code });
  });
});

describe('DescribeNetworkInterfaces', () => {
  test('shows the Elastic IP of each address', async () => {
    const association = {
      AllocationId: elasticIp,
      AssociationId: 'eipassoc-00000000000000001',
      IpOwnerId: '123456789012',
      PublicDnsName: '',
      PublicIp: '203.0.113.10',
    };
    const before = await interfaceOf(dataA);
    expect(before?.PrivateIpAddresses?.map((each) => each.Association)).toEqual([
      undefined,
      association,
      undefined,
    ]);
    expect(before).not.toHaveProperty('Association');
    await associate({ AllocationId: second });
    expect((await interfaceOf(dataB))?.Association).toMatchObject({ AllocationId: second });
  });

  test.each([
    ['association.allocation-id', elasticIp],
    ['addresses.association.public-ip', '203.0.113.10'],
  ])('filter %s', async (Name, value) => {
    const { NetworkInterfaces } = await client.send(
      new DescribeNetworkInterfacesCommand({ Filters: [{ Name, Values: [value] }] }),
    );
    expect(NetworkInterfaces?.map((each) => each.NetworkInterfaceId)).toEqual([dataA]);
  });
});

describe('AssociateAddress', () => {
  test('moves to the primary address unless told otherwise, and by itself: a VPC reassociates', async () => {
    const { AssociationId } = await associate();
    expect(AssociationId).toMatch(/^eipassoc-[0-9a-f]{17}$/);
    expect(AssociationId).not.toBe('eipassoc-00000000000000001');
    expect(await place()).toEqual([dataB, primaryB]);
    await associate({ NetworkInterfaceId: dataA, PrivateIpAddress: vip2 });
    expect(await place()).toEqual([dataA, vip2]);
  });

  test('AllowReassociation false: refused while it is elsewhere, not when it is there or free', async () => {
    await expect(associate({ AllowReassociation: false })).rejects.toMatchObject({
      name: 'Resource.AlreadyAssociated',
      $metadata: { httpStatusCode: 400 },
    });
    await expect(
      associate({ NetworkInterfaceId: dataA, PrivateIpAddress: vip2, AllowReassociation: false }),
    ).rejects.toMatchObject({ name: 'Resource.AlreadyAssociated' });
    expect(await place()).toEqual([dataA, vip1]);
    const again = { NetworkInterfaceId: dataA, PrivateIpAddress: vip1, AllowReassociation: false };
    expect(await associate(again)).toMatchObject({ AssociationId: 'eipassoc-00000000000000001' });
    await associate({ AllocationId: second, AllowReassociation: false });
    expect(await place(second)).toEqual([dataB, primaryB]);
  });

  test('a private address has one Elastic IP', async () => {
    await expect(
      associate({ AllocationId: second, NetworkInterfaceId: dataA, PrivateIpAddress: vip1 }),
    ).rejects.toMatchObject({ name: 'Resource.AlreadyAssociated' });
  });

  test.each([
    [{ AllocationId: 'eipalloc-0123456789abcdef0' }, 'InvalidAllocationID.NotFound'],
    [{ NetworkInterfaceId: 'eni-0123456789abcdef0' }, 'InvalidNetworkInterfaceID.NotFound'],
    [{ PrivateIpAddress: vip1 }, 'InvalidParameterValue'],
    [{ AllocationId: undefined }, 'MissingParameter'],
    [{ NetworkInterfaceId: undefined }, 'MissingParameter'],
    [{ InstanceId: instanceB }, 'UnsupportedOperation'],
    [{ DryRun: true }, 'DryRunOperation'],
  ])('%j is refused with %s', async (input, code) => {
    await expect(associate(input)).rejects.toMatchObject({ name: code });
    expect(await place()).toEqual([dataA, vip1]);
  });
});

describe('an Elastic IP on a secondary address', () => {
  test('follows it to another interface', async () => {
    await client.send(
      new AssignPrivateIpAddressesCommand({
        NetworkInterfaceId: dataB,
        PrivateIpAddresses: [vip1],
        AllowReassignment: true,
      }),
    );
    expect(await place()).toEqual([dataB, vip1]);
    expect(await addresses({ AllocationIds: [elasticIp] })).toMatchObject([{ InstanceId: instanceB }]);
  });

  test('stays where it is when another address moves', async () => {
    lab.world.assign(dataB, [vip2]);
    expect(await place()).toEqual([dataA, vip1]);
  });

  test('is dropped when the address is unassigned, and stays dropped when it comes back', async () => {
    await client.send(
      new UnassignPrivateIpAddressesCommand({ NetworkInterfaceId: dataA, PrivateIpAddresses: [vip1] }),
    );
    expect(await place()).toEqual(nowhere);
    lab.world.assign(dataB, [vip1]);
    expect(await place()).toEqual(nowhere);
  });

  test('is dropped with a deleted interface, not with a detached one', async () => {
    lab.world.detachInterface(dataA);
    expect(await place()).toEqual([dataA, vip1]);
    expect((await addresses({ AllocationIds: [elasticIp] }))[0]).not.toHaveProperty('InstanceId');
    lab.world.deleteInterface(dataA);
    expect(await place()).toEqual(nowhere);
  });

  test('the history tells, and an operator can disassociate it', async () => {
    await associate();
    lab.world.disassociateAddress(elasticIp);
    lab.world.associateAddress({ allocationId: elasticIp, networkInterfaceId: dataA, privateIp: vip2 });
    const history = lab.world.targetHistory(elasticIp);
    expect(history.map(({ from, to, origin }) => [from, to, origin.by])).toEqual([
      [null, dataA, 'start'],
      [dataA, dataB, 'request'],
      [dataB, null, 'operator'],
      [null, dataA, 'operator'],
    ]);
    expect(() => lab.world.disassociateAddress('eipalloc-0')).toThrow('InvalidAllocationID.NotFound');
  });
});

test('an answer that is lost has made its change', async () => {
  lab.emulator.addFault({ kind: 'reset', when: 'after', action: 'AssociateAddress' });
  await expect(associate()).rejects.toThrow();
  expect(await place()).toEqual([dataB, primaryB]);
});

test.each([
  ['of an address that its interface has not', { networkInterfaceId: dataB, privateIp: vip1 }],
  ['of an interface that is not', { networkInterfaceId: 'eni-1', privateIp: vip1 }],
])('a model with an association %s could not exist', (_what, where) => {
  const [eip] = routedModel.elasticIps ?? [];
  const association = { ...where, associationId: 'eipassoc-1' };
  expect(() => new Ec2World({ ...routedModel, elasticIps: [{ ...eip!, association }] })).toThrow(elasticIp);
});
