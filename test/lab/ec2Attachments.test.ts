// What is attached to instances, and their lives: interfaces, volumes, reboots, terminations; each with what EC2 refuses.
import {
  AssociateAddressCommand,
  AttachNetworkInterfaceCommand,
  AttachVolumeCommand,
  DescribeInstancesCommand,
  DescribeInstanceStatusCommand,
  DescribeNetworkInterfacesCommand,
  DescribeVolumesCommand,
  DetachNetworkInterfaceCommand,
  DetachVolumeCommand,
  ModifyInstanceAttributeCommand,
  ModifyNetworkInterfaceAttributeCommand,
  RebootInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { Ec2Region, NetworkInterface, Volume } from '../../lab/ec2-emulator/model';
import { atOnce } from '../../lab/ec2-emulator/pace';
import type { Pace } from '../../lab/ec2-emulator/pace';
import { Ec2World } from '../../lab/ec2-emulator/world';
import {
  dataA,
  elasticIp,
  instanceA,
  instanceB,
  mgmtA,
  pairModel,
  routedModel,
  startLab,
  until,
} from './ec2Lab';
import type { Ec2Lab } from './ec2Lab';

const spare = 'eni-000000000000000c1';
const elsewhere = 'eni-000000000000000d1';
const volumeId = 'vol-00000000000000001';
const farVolumeId = 'vol-00000000000000002';

const detached = (networkInterfaceId: string, subnetId: string, primaryIp: string): NetworkInterface => ({
  networkInterfaceId,
  subnetId,
  macAddress: `02:00:00:00:${networkInterfaceId.slice(-2)}:01`,
  primaryIp,
  secondaryIps: [],
  sourceDestCheck: true,
  attachment: null,
  tags: { Name: 'spare' },
});

const volume = (id: string, availabilityZone: string): Volume => ({
  volumeId: id,
  availabilityZone,
  sizeGib: 8,
  tags: { Name: 'data' },
  attachment: null,
});

const model: Ec2Region = {
  ...routedModel,
  subnets: [
    ...routedModel.subnets,
    {
      subnetId: 'subnet-0000000000000000b',
      vpcId: 'vpc-00000000000000001',
      cidrBlock: '10.1.9.0/24',
      availabilityZone: 'eu-central-1b',
      availabilityZoneId: 'euc1-az3',
    },
  ],
  networkInterfaces: [
    ...routedModel.networkInterfaces,
    detached(spare, pairModel.subnets[1]!.subnetId, '10.1.1.30'),
    detached(elsewhere, 'subnet-0000000000000000b', '10.1.9.30'),
  ],
  volumes: [volume(volumeId, 'eu-central-1a'), volume(farVolumeId, 'eu-central-1b')],
};

let lab: Ec2Lab;
let client: EC2Client;
async function start(pace: Partial<Pace> = {}): Promise<void> {
  lab = await startLab({ world: new Ec2World(model, { pace: { ...atOnce, ...pace } }) });
  client = lab.client();
}
afterEach(() => lab.close());

const attach = (more: object = {}) =>
  client.send(
    new AttachNetworkInterfaceCommand({
      NetworkInterfaceId: spare,
      InstanceId: instanceB,
      DeviceIndex: 2,
      ...more,
    }),
  );
const detach = (AttachmentId: string) => client.send(new DetachNetworkInterfaceCommand({ AttachmentId }));
const interfaceNow = async (id = spare) =>
  (await client.send(new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [id] })))
    .NetworkInterfaces?.[0];
const volumeNow = async () =>
  (await client.send(new DescribeVolumesCommand({ VolumeIds: [volumeId] }))).Volumes?.[0];
const attachVolume = (more: object = {}) =>
  client.send(
    new AttachVolumeCommand({ VolumeId: volumeId, InstanceId: instanceB, Device: '/dev/sdf', ...more }),
  );
const instanceNow = async (id: string) =>
  (await client.send(new DescribeInstancesCommand({ InstanceIds: [id] }))).Reservations?.[0]?.Instances?.[0];
const statusNow = async (id: string) =>
  (await client.send(new DescribeInstanceStatusCommand({ InstanceIds: [id] }))).InstanceStatuses?.[0]
    ?.InstanceStatus?.Status;

describe('interfaces', () => {
  test('attaching has a beginning and an end', async () => {
    await start();
    lab.world.endings.stick(spare);
    const { AttachmentId = '' } = await attach();
    expect((await interfaceNow())?.Attachment).toMatchObject({ Status: 'attaching', InstanceId: instanceB });
    lab.world.endings.release(spare);
    expect((await interfaceNow())?.Attachment?.Status).toBe('attached');
    expect(await instanceNow(instanceB)).toMatchObject({
      NetworkInterfaces: [
        {},
        {},
        { NetworkInterfaceId: spare, Attachment: { AttachmentId, DeviceIndex: 2 } },
      ],
    });
    await detach(AttachmentId);
    expect((await interfaceNow())?.Status).toBe('available');
    expect((await interfaceNow())?.Attachment).toBeUndefined();
    await expect(detach(AttachmentId)).rejects.toMatchObject({ name: 'InvalidAttachmentID.NotFound' });
  });

  test('the end comes by itself, after its time', async () => {
    await start({ attachInterfaceMs: 20, detachInterfaceMs: 20 });
    const { AttachmentId = '' } = await attach();
    await until(async () => (await interfaceNow())?.Attachment?.Status === 'attached');
    await detach(AttachmentId);
    await until(async () => (await interfaceNow())?.Status === 'available');
  });

  test('one that is stuck stays detaching until it is released', async () => {
    await start();
    const { AttachmentId = '' } = await attach();
    lab.world.endings.stick(spare);
    await detach(AttachmentId);
    expect((await interfaceNow())?.Attachment?.Status).toBe('detaching');
    await expect(attach()).rejects.toMatchObject({ name: 'InvalidNetworkInterface.InUse' });
    lab.world.endings.release(spare);
    expect((await interfaceNow())?.Status).toBe('available');
  });

  test.each([
    [{ NetworkInterfaceId: dataA }, 'InvalidNetworkInterface.InUse', /in use/],
    [
      { DeviceIndex: 1 },
      'InvalidParameterValue',
      `Instance '${instanceB}' already has an interface attached at device index '1'.`,
    ],
    [{ NetworkInterfaceId: elsewhere }, 'InvalidParameterCombination', /same availability zone/],
    [{ InstanceId: 'i-0123456789abcdef0' }, 'InvalidInstanceID.NotFound', /does not exist/],
    [{ NetworkInterfaceId: 'eni-0123456789abcdef0' }, 'InvalidNetworkInterfaceID.NotFound', /does not exist/],
    [{ DeviceIndex: undefined }, 'MissingParameter', /deviceIndex/],
    [{ DeviceIndex: -1 }, 'InvalidParameterValue', /deviceIndex/],
    [{ DryRun: true }, 'DryRunOperation', /DryRun/],
  ])('AttachNetworkInterface with %j is %s', async (more, name, message) => {
    await start();
    await expect(attach(more)).rejects.toThrow(message);
    await expect(attach(more)).rejects.toMatchObject({ name });
    expect((await interfaceNow())?.Status).toBe('available');
  });

  test('no more than the type of the instance allows, and none to an instance that does not run', async () => {
    await start();
    const client5 = {
      ...model,
      instances: model.instances.map((each) => ({ ...each, instanceType: 'c5.large' })),
    };
    await lab.close();
    lab = await startLab({
      world: new Ec2World({
        ...client5,
        networkInterfaces: [
          ...model.networkInterfaces,
          detached('eni-000000000000000c2', pairModel.subnets[1]!.subnetId, '10.1.1.31'),
        ],
      }),
    });
    client = lab.client();
    await attach();
    await expect(
      attach({ NetworkInterfaceId: 'eni-000000000000000c2', DeviceIndex: 3 }),
    ).rejects.toMatchObject({ name: 'AttachmentLimitExceeded' });
    lab.world.setInstanceState(instanceA, 'stopping');
    await expect(
      attach({ NetworkInterfaceId: 'eni-000000000000000c2', InstanceId: instanceA, DeviceIndex: 2 }),
    ).rejects.toMatchObject({ name: 'IncorrectState' });
  });

  test('the primary interface is not detached', async () => {
    await start();
    const primary = await interfaceNow(mgmtA);
    await expect(detach(primary?.Attachment?.AttachmentId ?? '')).rejects.toMatchObject({
      name: 'OperationNotPermitted',
      message: 'The network interface at device index 0 and networkCard index 0 cannot be detached.',
    });
  });

  test('whether it is deleted with its instance can be changed', async () => {
    await start();
    const { AttachmentId = '' } = await attach();
    await client.send(
      new ModifyNetworkInterfaceAttributeCommand({
        NetworkInterfaceId: spare,
        Attachment: { AttachmentId, DeleteOnTermination: true },
      }),
    );
    expect((await interfaceNow())?.Attachment?.DeleteOnTermination).toBe(true);
  });

  test('it is found by its tag', async () => {
    await start();
    const { NetworkInterfaces = [] } = await client.send(
      new DescribeNetworkInterfacesCommand({ Filters: [{ Name: 'tag:Name', Values: ['spare'] }] }),
    );
    expect(NetworkInterfaces.map((each) => each.NetworkInterfaceId)).toEqual([spare, elsewhere]);
    expect(NetworkInterfaces[0]?.TagSet).toEqual([{ Key: 'Name', Value: 'spare' }]);
  });
});

describe('volumes', () => {
  test('attaching and detaching have a beginning and an end', async () => {
    await start();
    lab.world.endings.stick(volumeId);
    expect(await attachVolume()).toMatchObject({ State: 'attaching', Device: '/dev/sdf' });
    expect(await volumeNow()).toMatchObject({ State: 'in-use', Attachments: [{ State: 'attaching' }] });
    lab.world.endings.release(volumeId);
    expect((await volumeNow())?.Attachments?.[0]?.State).toBe('attached');
    expect(await instanceNow(instanceB)).toMatchObject({
      BlockDeviceMappings: [{ DeviceName: '/dev/sdf', Ebs: { VolumeId: volumeId, Status: 'attached' } }],
    });
    expect(await client.send(new DetachVolumeCommand({ VolumeId: volumeId }))).toMatchObject({
      State: 'detaching',
      InstanceId: instanceB,
    });
    expect((await volumeNow())?.State).toBe('available');
  });

  test.each([
    [{ VolumeId: farVolumeId }, 'InvalidVolume.ZoneMismatch', /not in the same availability zone/],
    [{ VolumeId: 'vol-0123456789abcdef0' }, 'InvalidVolume.NotFound', /does not exist/],
    [{ VolumeId: 'volume' }, 'InvalidParameterValue', /volumeId/],
    [{ InstanceId: 'i-0123456789abcdef0' }, 'InvalidInstanceID.NotFound', /does not exist/],
    [{ Device: undefined }, 'MissingParameter', /device/],
    [{ DryRun: true }, 'DryRunOperation', /DryRun/],
  ])('AttachVolume with %j is %s', async (more, name, message) => {
    await start();
    await expect(attachVolume(more)).rejects.toThrow(message);
    await expect(attachVolume(more)).rejects.toMatchObject({ name });
  });

  test('one that is attached is in use, and comes off the instance that it is on only', async () => {
    await start();
    await expect(client.send(new DetachVolumeCommand({ VolumeId: volumeId }))).rejects.toMatchObject({
      name: 'IncorrectState',
      message: `Volume '${volumeId}' is in the 'available' state.`,
    });
    await attachVolume();
    await expect(attachVolume({ InstanceId: instanceA })).rejects.toMatchObject({
      name: 'VolumeInUse',
      message: `${volumeId} is already attached to an instance`,
    });
    await expect(
      client.send(new DetachVolumeCommand({ VolumeId: volumeId, InstanceId: instanceA })),
    ).rejects.toMatchObject({ name: 'InvalidAttachment.NotFound' });
  });

  test('an instance that is not running takes none, and a device holds one', async () => {
    await start();
    lab.world.setInstanceState(instanceA, 'stopping');
    await expect(attachVolume({ InstanceId: instanceA })).rejects.toMatchObject({
      name: 'IncorrectState',
      message: `Instance '${instanceA}' is not 'running'.`,
    });
    const world = new Ec2World({
      ...model,
      volumes: [volume(volumeId, 'eu-central-1a'), volume('vol-00000000000000003', 'eu-central-1a')],
    });
    await lab.close();
    lab = await startLab({ world });
    client = lab.client();
    await attachVolume();
    await expect(attachVolume({ VolumeId: 'vol-00000000000000003' })).rejects.toMatchObject({
      name: 'InvalidParameterValue',
      message: expect.stringContaining('Attachment point /dev/sdf is already in use') as string,
    });
  });

  test('whether it is deleted with its instance can be changed', async () => {
    await start();
    await attachVolume();
    const modify = (DeviceName: string) =>
      client.send(
        new ModifyInstanceAttributeCommand({
          InstanceId: instanceB,
          BlockDeviceMappings: [{ DeviceName, Ebs: { DeleteOnTermination: true } }],
        }),
      );
    await modify('/dev/sdf');
    expect((await volumeNow())?.Attachments?.[0]?.DeleteOnTermination).toBe(true);
    await expect(modify('/dev/sdg')).rejects.toMatchObject({ name: 'InvalidInstanceAttributeValue' });
  });
});

describe('instances', () => {
  test('one is launched with an interface of its own, boots, reboots, and goes with what is to go with it', async () => {
    await start();
    const { endings, slow } = lab.world;
    const instanceId = lab.world.nextId('i-');
    for (const each of [`${instanceId} launch`, instanceId, `${instanceId} shutdown`, spare])
      endings.stick(each);
    const { subnetId } = pairModel.subnets[0]!;
    const launch = { instanceId, instanceType: 'c5.large', subnetId, tags: {}, sourceDestCheck: true };
    expect(slow.launch(launch).ok).toBe(true);
    expect((await instanceNow(instanceId))?.State?.Name).toBe('pending');
    await expect(attach({ InstanceId: instanceId })).rejects.toMatchObject({ name: 'IncorrectState' });
    const primary = (await instanceNow(instanceId))?.NetworkInterfaces?.[0]?.NetworkInterfaceId;
    await expect(
      client.send(new AssociateAddressCommand({ AllocationId: elasticIp, NetworkInterfaceId: primary })),
    ).rejects.toMatchObject({ name: 'IncorrectInstanceState' });
    endings.release(`${instanceId} launch`);
    expect(await statusNow(instanceId)).toBe('initializing');
    endings.release(instanceId);
    expect(await statusNow(instanceId)).toBe('ok');
    await attach({ InstanceId: instanceId, DeviceIndex: 1 });
    await attachVolume({ InstanceId: instanceId });

    endings.stick(instanceId);
    await client.send(new RebootInstancesCommand({ InstanceIds: [instanceId] }));
    expect((await instanceNow(instanceId))?.State?.Name).toBe('running');
    expect(await statusNow(instanceId)).toBe('initializing');
    endings.release(instanceId);
    expect(await statusNow(instanceId)).toBe('ok');

    const terminate = () => client.send(new TerminateInstancesCommand({ InstanceIds: [instanceId] }));
    expect((await terminate()).TerminatingInstances).toMatchObject([
      { CurrentState: { Name: 'shutting-down' }, PreviousState: { Name: 'running', Code: 16 } },
    ]);
    endings.release(`${instanceId} shutdown`);
    expect((await instanceNow(instanceId))?.State?.Name).toBe('terminated');
    expect((await interfaceNow())?.Status).toBe('detaching');
    endings.release(spare);
    expect((await interfaceNow())?.Status).toBe('available');
    expect((await volumeNow())?.State).toBe('available');
    await expect(interfaceNow(primary)).rejects.toMatchObject({ name: 'InvalidNetworkInterfaceID.NotFound' });
    await terminate();
    await expect(
      client.send(new RebootInstancesCommand({ InstanceIds: [instanceId] })),
    ).rejects.toMatchObject({ name: 'IncorrectInstanceState' });
  });

  test('a reboot that never comes back stays initializing, or is impaired when somebody says so', async () => {
    await start();
    lab.world.endings.stick(instanceB);
    await client.send(new RebootInstancesCommand({ InstanceIds: [instanceB] }));
    expect(await statusNow(instanceB)).toBe('initializing');
    lab.world.setStatusChecks(instanceB, { instanceStatus: 'impaired' });
    expect(await statusNow(instanceB)).toBe('impaired');
    lab.world.endings.release(instanceB);
    expect(await statusNow(instanceB)).toBe('ok');
  });

  test('the check of an instance is that of its only interface', async () => {
    await start();
    const off = () =>
      client.send(
        new ModifyInstanceAttributeCommand({ InstanceId: instanceA, SourceDestCheck: { Value: false } }),
      );
    await expect(off()).rejects.toMatchObject({ name: 'InvalidInstanceID' });
    lab.world.setSourceDestCheck(mgmtA, true);
    lab.world.detachInterface(dataA);
    await off();
    expect((await interfaceNow(mgmtA))?.SourceDestCheck).toBe(false);
  });

  test.each([
    ['RebootInstances', new RebootInstancesCommand({ InstanceIds: ['i-0123456789abcdef0'] })],
    [
      'TerminateInstances',
      new TerminateInstancesCommand({ InstanceIds: ['i-0123456789abcdef0', instanceA] }),
    ],
  ])('%s of an instance that is not there changes nothing', async (_name, command) => {
    await start();
    await expect(client.send(command)).rejects.toMatchObject({
      name: 'InvalidInstanceID.NotFound',
    });
    expect((await instanceNow(instanceA))?.State?.Name).toBe('running');
  });
});
