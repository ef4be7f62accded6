// Application status checks in the emulated EC2, read by AWS's own SDK, whose models are of today.
import {
  AssociateApplicationStatusCheckCommand,
  CreateApplicationStatusCheckCommand,
  DeleteApplicationStatusCheckCommand,
  DescribeApplicationStatusCommand,
  type EC2Client,
} from '@aws-sdk/client-ec2';
import { instanceA, instanceB, startLab, type Ec2Lab } from './ec2Lab';

let lab: Ec2Lab;
let ec2: EC2Client;
beforeEach(async () => {
  lab = await startLab();
  ec2 = lab.client();
});
afterEach(() => lab.close());

const asked = { Protocol: 'http', Port: 9469, Path: '/livez', DeviceIndex: 0, Interval: 60 } as const;

async function statusOf(instanceId: string) {
  const { ApplicationStatuses } = await ec2.send(
    new DescribeApplicationStatusCommand({ InstanceIds: [instanceId] }),
  );
  return ApplicationStatuses?.Instances?.[0]?.ApplicationStatus;
}

test.each([
  ['excluded', 'not-applicable'],
  ['included', 'impaired'],
] as const)(
  'made %s, associated, failed: the instance is %s, the detail failed; deleted',
  async (Aggregation, whole) => {
    const made = await ec2.send(new CreateApplicationStatusCheckCommand({ ...asked, Aggregation }));
    const id = made.ApplicationStatusCheck?.ApplicationStatusCheckId ?? '';
    expect(made.ApplicationStatusCheck).toMatchObject({ ...asked, Aggregation });
    expect((await statusOf(instanceA))?.Details ?? []).toEqual([]);

    const association = { ApplicationStatusCheckId: id, InstanceIds: [instanceA] };
    await ec2.send(new AssociateApplicationStatusCheckCommand(association));
    expect((await statusOf(instanceA))?.Details).toMatchObject([{ Status: 'initializing', Aggregation }]);
    expect((await statusOf(instanceB))?.Details ?? []).toEqual([]);

    lab.world.setApplicationCheck(id, instanceA, {
      status: 'failed',
      reason: 'ConnectionRefused',
      saidAgoMs: 60_000,
    });
    expect(await statusOf(instanceA)).toMatchObject({
      Status: whole,
      Details: [{ ApplicationStatusCheckId: id, Status: 'failed', Reason: { Code: 'ConnectionRefused' } }],
    });

    await ec2.send(new DeleteApplicationStatusCheckCommand({ ApplicationStatusCheckId: id }));
    expect(await statusOf(instanceA)).toMatchObject({ Status: 'not-applicable' });
    await expect(
      ec2.send(new DeleteApplicationStatusCheckCommand({ ApplicationStatusCheckId: id })),
    ).rejects.toMatchObject({ name: 'InvalidApplicationStatusCheckID.NotFound' });
  },
);

test.each([{ Port: 0 }, { Interval: 30 }, { Protocol: 'tcp' as 'http' }])('%j is refused', async (wrong) => {
  await expect(
    ec2.send(new CreateApplicationStatusCheckCommand({ ...asked, ...wrong })),
  ).rejects.toMatchObject({
    name: 'InvalidParameterValue',
  });
});
