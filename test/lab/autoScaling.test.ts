// Auto Scaling and SNS beside EC2 at one address: groups, hooks with their times, capacity, events; and what they refuse.
import {
  AutoScalingClient,
  CompleteLifecycleActionCommand,
  CreateOrUpdateTagsCommand,
  DeleteTagsCommand,
  DescribeAutoScalingGroupsCommand,
  DescribeAutoScalingInstancesCommand,
  DescribeLifecycleHooksCommand,
  DescribeScalingActivitiesCommand,
  PutLifecycleHookCommand,
  RecordLifecycleActionHeartbeatCommand,
  SetDesiredCapacityCommand,
  SetInstanceHealthCommand,
  TerminateInstanceInAutoScalingGroupCommand,
  UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { autoScalingService } from '../../lab/autoscaling-emulator/actions';
import { AutoScaling } from '../../lab/autoscaling-emulator/autoScaling';
import type { AwsEvent } from '../../lab/autoscaling-emulator/events';
import type { GroupSpec, LifecycleHook } from '../../lab/autoscaling-emulator/model';
import { findInstance } from '../../lab/ec2-emulator/model';
import { Ec2World } from '../../lab/ec2-emulator/world';
import { Topics } from '../../lab/sns-emulator/topics';
import { credentialSet, instanceA, pairModel, startLab, until } from './ec2Lab';
import type { Ec2Lab } from './ec2Lab';

const topicArn = 'arn:aws:sns:eu-central-1:123456789012:healing';
const launching: LifecycleHook = {
  name: 'heal-launch',
  transition: 'autoscaling:EC2_INSTANCE_LAUNCHING',
  heartbeatTimeoutS: 60,
  defaultResult: 'ABANDON',
};
const terminating: LifecycleHook = {
  ...launching,
  name: 'heal-terminate',
  transition: 'autoscaling:EC2_INSTANCE_TERMINATING',
  defaultResult: 'CONTINUE',
};
const spec: GroupSpec = {
  name: 'rtr1',
  subnetIds: [pairModel.subnets[0]!.subnetId],
  launch: { instanceType: 'c5.large', sourceDestCheck: true, tags: { Name: 'rtr1' } },
  hooks: [launching, terminating],
  instanceIds: [instanceA],
};

let lab: Ec2Lab;
let scaling: AutoScaling;
let client: AutoScalingClient;
let sns: SNSClient;
let topics: Topics;
let events: AwsEvent[];

beforeEach(async () => {
  const world = new Ec2World(pairModel);
  scaling = new AutoScaling({ world });
  topics = new Topics([topicArn]);
  lab = await startLab({ world, services: [autoScalingService(scaling), topics.service()] });
  const { accessKeyId, secretAccessKey, sessionToken } = credentialSet(instanceA);
  const config = {
    region: 'eu-central-1',
    endpoint: lab.emulator.url,
    credentials: { accessKeyId, secretAccessKey, sessionToken },
    maxAttempts: 1,
  };
  client = new AutoScalingClient(config);
  sns = new SNSClient(config);
  events = [];
  scaling.onEvent((event) => events.push(event));
});
afterEach(async () => {
  client.destroy();
  sns.destroy();
  scaling.stop();
  await lab.close();
});

const groupNow = async (name = 'rtr1') =>
  (await client.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] })))
    .AutoScalingGroups?.[0];
const states = async () =>
  ((await groupNow())?.Instances ?? []).map(({ InstanceId, LifecycleState }) => [InstanceId, LifecycleState]);
const hookKey = { AutoScalingGroupName: 'rtr1', LifecycleHookName: 'heal-launch' };
const complete = (InstanceId: string, LifecycleActionResult = 'CONTINUE', more: object = {}) =>
  client.send(new CompleteLifecycleActionCommand({ ...hookKey, InstanceId, LifecycleActionResult, ...more }));
const noAction = (id: string) => ({
  name: 'ValidationError',
  message: `No active Lifecycle Action found with instance ID ${id}`,
});

/** A group of one whose instance waits in its launching hook. */
function launchOne(hooks: readonly LifecycleHook[] = [launching, terminating]): string {
  const { instanceIds: _none, ...fresh } = spec;
  return scaling.createGroup({ ...fresh, hooks }).members[0]!.instanceId;
}

test('a group made with its hook launches an instance that waits in it, with one event', async () => {
  const id = launchOne();
  expect(await states()).toEqual([[id, 'Pending:Wait']]);
  expect(events).toMatchObject([
    {
      source: 'aws.autoscaling',
      'detail-type': 'EC2 Instance-launch Lifecycle Action',
      detail: {
        AutoScalingGroupName: 'rtr1',
        LifecycleHookName: 'heal-launch',
        EC2InstanceId: id,
        LifecycleTransition: 'autoscaling:EC2_INSTANCE_LAUNCHING',
      },
    },
  ]);
  expect(findInstance(lab.world.model, id)?.tags).toEqual({
    Name: 'rtr1',
    'aws:autoscaling:groupName': 'rtr1',
  });
  await complete(id);
  expect(await states()).toEqual([[id, 'InService']]);
  await expect(complete(id)).rejects.toMatchObject(noAction(id));
});

test('the action is found by its token as well, and by the ARN of the group', async () => {
  const id = launchOne();
  const token = String(events[0]?.detail['LifecycleActionToken']);
  const arn = (await groupNow())?.AutoScalingGroupARN;
  await client.send(
    new RecordLifecycleActionHeartbeatCommand({
      ...hookKey,
      AutoScalingGroupName: arn,
      LifecycleActionToken: token,
    }),
  );
  await client.send(
    new CompleteLifecycleActionCommand({
      ...hookKey,
      LifecycleActionToken: token,
      LifecycleActionResult: 'CONTINUE',
    }),
  );
  expect(await states()).toEqual([[id, 'InService']]);
  await expect(
    client.send(new RecordLifecycleActionHeartbeatCommand({ ...hookKey, LifecycleActionToken: token })),
  ).rejects.toMatchObject({ message: `No active Lifecycle Action found with token ${token}` });
});

test('ABANDON terminates the instance, and another one is launched', async () => {
  const id = launchOne([launching]);
  await complete(id, 'ABANDON');
  await until(async () => (await states()).length === 1 && (await states())[0]?.[0] !== id);
  expect(findInstance(lab.world.model, id)?.state).toBe('terminated');
  expect((await states())[0]?.[1]).toBe('Pending:Wait');
});

test('a hook whose time is over takes its default result; a heartbeat gives it its time anew', async () => {
  const id = launchOne([{ ...launching, heartbeatTimeoutS: 0.4, defaultResult: 'CONTINUE' }]);
  const beat = () => client.send(new RecordLifecycleActionHeartbeatCommand({ ...hookKey, InstanceId: id }));
  const first = scaling.waits.of(id)[0]!.expiresAtMs;
  await beat();
  expect(scaling.waits.of(id)[0]!.expiresAtMs).toBeGreaterThan(first);
  await until(async () => (await states())[0]?.[1] === 'InService');
  await expect(beat()).rejects.toMatchObject(noAction(id));
});

test('an instance that dies while it waits in the launching hook is replaced, and its action is gone', async () => {
  const id = launchOne();
  lab.world.slow.terminate(id);
  await until(async () => (await states()).some(([each]) => each !== id));
  await expect(complete(id)).rejects.toMatchObject(noAction(id));
});

test.each(['stopped', 'terminated'] as const)('an instance that is %s is replaced', async (state) => {
  scaling.createGroup(spec);
  lab.world.setInstanceState(instanceA, state);
  await until(async () => (await states()).length === 2);
  const [, successor] = (await groupNow())?.Instances ?? [];
  expect((await groupNow())?.Instances?.[0]).toMatchObject({
    LifecycleState: 'Terminating:Wait',
    HealthStatus: 'Unhealthy',
  });
  expect(events.map((event) => event['detail-type'])).toEqual([
    'EC2 Instance-terminate Lifecycle Action',
    'EC2 Instance-launch Lifecycle Action',
  ]);
  await client.send(
    new CompleteLifecycleActionCommand({
      ...hookKey,
      LifecycleHookName: 'heal-terminate',
      InstanceId: instanceA,
      LifecycleActionResult: 'CONTINUE',
    }),
  );
  expect(await states()).toEqual([[successor?.InstanceId, 'Pending:Wait']]);
});

test('an impaired instance is replaced, too', async () => {
  scaling.createGroup(spec);
  lab.world.setStatusChecks(instanceA, { instanceStatus: 'impaired' });
  await until(async () => (await states()).length === 2);
});

test('two hooks of one transition: the last one lets it go', async () => {
  const id = launchOne([launching, { ...launching, name: 'another' }]);
  await complete(id);
  expect(await states()).toEqual([[id, 'Pending:Wait']]);
  await complete(id, 'CONTINUE', { LifecycleHookName: 'another' });
  expect(await states()).toEqual([[id, 'InService']]);
});

test('without capacity there is a failed activity and no instance, until there is some', async () => {
  scaling.setCapacity('eu-central-1a', false);
  const { instanceIds: _none, ...fresh } = spec;
  scaling.createGroup(fresh);
  const { Activities = [] } = await client.send(
    new DescribeScalingActivitiesCommand({ AutoScalingGroupName: 'rtr1', MaxRecords: 1 }),
  );
  expect(Activities).toMatchObject([
    {
      StatusCode: 'Failed',
      StatusMessage: expect.stringContaining('InsufficientInstanceCapacity') as string,
    },
  ]);
  expect(await states()).toEqual([]);
  scaling.setCapacity('eu-central-1a', true);
  await until(async () => (await states()).length === 1);
});

test('capacity is raised and lowered within the bounds of the group', async () => {
  scaling.createGroup({ ...spec, hooks: [], minSize: 1, maxSize: 2 });
  const set = (DesiredCapacity: number) =>
    client.send(new SetDesiredCapacityCommand({ AutoScalingGroupName: 'rtr1', DesiredCapacity }));
  await expect(set(3)).rejects.toMatchObject({ name: 'ValidationError' });
  await expect(set(0)).rejects.toMatchObject({ name: 'ValidationError' });
  await set(2);
  expect((await states()).map(([, state]) => state)).toEqual(['InService', 'InService']);
  await client.send(
    new UpdateAutoScalingGroupCommand({ AutoScalingGroupName: 'rtr1', MinSize: 0, DesiredCapacity: 0 }),
  );
  expect(await states()).toEqual([]);
  expect(findInstance(lab.world.model, instanceA)?.state).toBe('terminated');
});

test('one instance is terminated or said to be unhealthy by name', async () => {
  scaling.createGroup({ ...spec, hooks: [] });
  await client.send(new SetInstanceHealthCommand({ InstanceId: instanceA, HealthStatus: 'Unhealthy' }));
  await until(async () => (await states())[0]?.[0] !== instanceA);
  const id = (await states())[0]?.[0] ?? '';
  const { Activity } = await client.send(
    new TerminateInstanceInAutoScalingGroupCommand({ InstanceId: id, ShouldDecrementDesiredCapacity: true }),
  );
  expect(Activity).toMatchObject({ AutoScalingGroupName: 'rtr1', StatusCode: 'InProgress' });
  expect(await groupNow()).toMatchObject({ DesiredCapacity: 0, Instances: [] });
  await expect(
    client.send(new SetInstanceHealthCommand({ InstanceId: id, HealthStatus: 'Unhealthy' })),
  ).rejects.toMatchObject({ name: 'ValidationError' });
});

test('hooks are listed, put and bounded', async () => {
  scaling.createGroup(spec);
  const put = (HeartbeatTimeout: number) =>
    client.send(
      new PutLifecycleHookCommand({
        ...hookKey,
        LifecycleTransition: 'autoscaling:EC2_INSTANCE_LAUNCHING',
        HeartbeatTimeout,
      }),
    );
  await expect(put(29)).rejects.toMatchObject({ name: 'ValidationError' });
  await put(30);
  const { LifecycleHooks } = await client.send(
    new DescribeLifecycleHooksCommand({ AutoScalingGroupName: 'rtr1' }),
  );
  expect(LifecycleHooks).toMatchObject([
    {
      LifecycleHookName: 'heal-terminate',
      HeartbeatTimeout: 60,
      GlobalTimeout: 6000,
      DefaultResult: 'CONTINUE',
    },
    { LifecycleHookName: 'heal-launch', HeartbeatTimeout: 30, GlobalTimeout: 3000, DefaultResult: 'ABANDON' },
  ]);
});

test('tags of a group are written, read and found', async () => {
  scaling.createGroup(spec);
  const tag = { ResourceId: 'rtr1', ResourceType: 'auto-scaling-group', Key: 'xr-aws-ha:heal' };
  await client.send(
    new CreateOrUpdateTagsCommand({ Tags: [{ ...tag, Value: 'a lease', PropagateAtLaunch: false }] }),
  );
  const { AutoScalingGroups } = await client.send(
    new DescribeAutoScalingGroupsCommand({ Filters: [{ Name: 'tag:xr-aws-ha:heal', Values: ['a lease'] }] }),
  );
  expect(AutoScalingGroups?.[0]?.Tags).toMatchObject([{ Key: 'xr-aws-ha:heal', Value: 'a lease' }]);
  await client.send(new DeleteTagsCommand({ Tags: [tag] }));
  expect((await groupNow())?.Tags).toEqual([]);
  await expect(
    client.send(new CreateOrUpdateTagsCommand({ Tags: [{ ...tag, Value: 'x'.repeat(257) }] })),
  ).rejects.toMatchObject({ name: 'ValidationError' });
});

test('a group that is not there is left out of a list, and refused by name', async () => {
  expect(await groupNow('nobody')).toBeUndefined();
  await expect(
    client.send(new DescribeLifecycleHooksCommand({ AutoScalingGroupName: 'nobody' })),
  ).rejects.toMatchObject({
    name: 'ValidationError',
    message: expect.stringContaining('not found') as string,
  });
});

test('faults and the log are those of EC2, in the words of Auto Scaling', async () => {
  scaling.createGroup(spec);
  lab.emulator.addFault({ kind: 'throttle', action: 'DescribeAutoScalingInstances', count: 1 });
  const all = () => client.send(new DescribeAutoScalingInstancesCommand({}));
  await expect(all()).rejects.toMatchObject({ name: 'Throttling', message: 'Rate exceeded' });
  expect((await all()).AutoScalingInstances).toMatchObject([
    { InstanceId: instanceA, LifecycleState: 'InService', HealthStatus: 'HEALTHY' },
  ]);
  lab.emulator.addFault({ kind: 'error', code: 'UnauthorizedOperation', action: 'Describe*', count: 1 });
  await expect(all()).rejects.toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } });
  const stranger = new AutoScalingClient({
    region: 'eu-central-1',
    endpoint: lab.emulator.url,
    credentials: { accessKeyId: 'ASIAOFX', secretAccessKey: 'x' },
    maxAttempts: 1,
  });
  await expect(stranger.send(new DescribeAutoScalingInstancesCommand({}))).rejects.toMatchObject({
    name: 'SignatureDoesNotMatch',
  });
  stranger.destroy();
  expect(lab.emulator.counters().byAction).toEqual({ DescribeAutoScalingInstances: 4 });
});

describe('SNS', () => {
  const publish = (more: object = {}) =>
    sns.send(new PublishCommand({ TopicArn: topicArn, Subject: 'rtr1 is healed', Message: '{}', ...more }));

  test('keeps what is published', async () => {
    const { MessageId } = await publish();
    expect(topics.published).toEqual([
      { messageId: MessageId, topicArn, subject: 'rtr1 is healed', message: '{}' },
    ]);
  });

  test.each([
    [{ TopicArn: `${topicArn}s` }, 'NotFoundException', 404],
    [{ Subject: 'two\nlines' }, 'InvalidParameterException', 400],
    [{ Subject: 'x'.repeat(100) }, 'InvalidParameterException', 400],
    [{ Message: 'x'.repeat(262_145) }, 'InvalidParameterException', 400],
    [{ TopicArn: undefined }, 'InvalidParameterException', 400],
  ])('refuses %j', async (more, name, httpStatusCode) => {
    await expect(publish(more)).rejects.toMatchObject({ name, $metadata: { httpStatusCode } });
  });
});
