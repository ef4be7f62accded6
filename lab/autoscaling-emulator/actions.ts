/** The API of Auto Scaling: parameters in, XML out. What the calls do is in autoScaling.ts. */
import type { ActionRequest, ActionTable, Answer } from '../ec2-emulator/actionRequest';
import { accepted, refused } from '../ec2-emulator/ec2Error';
import type { Outcome } from '../ec2-emulator/ec2Error';
import { findInstance } from '../ec2-emulator/model';
import type { Ec2Model } from '../ec2-emulator/model';
import { element } from '../ec2-emulator/queryProtocol';
import type { QueryParams, XmlElement } from '../ec2-emulator/queryProtocol';
import { memberList, queryService, textList } from '../ec2-emulator/services';
import type { AwsService } from '../ec2-emulator/services';
import type { AutoScaling } from './autoScaling';
import { groupArn } from './events';
import { globalTimeoutS } from './model';
import type { Activity, Group, HookResult, LifecycleHook, Member, Transition } from './model';
import type { ActionKey } from './waits';

/** To be given to the emulator beside EC2. */
export const autoScalingService = (scaling: AutoScaling): AwsService =>
  queryService({ signingName: 'autoscaling', apiVersion: '2011-01-01', actions: actionsOf(scaling) });

/** What a reading shows: the present, or the past where it is stale. */
interface Seen {
  readonly model: Ec2Model;
  readonly groups: readonly Group[];
}

function actionsOf(scaling: AutoScaling): ActionTable {
  const on =
    (run: (scaling: AutoScaling, params: QueryParams, seen: Seen) => Answer) =>
    ({ params, world, readAgeMs }: ActionRequest): Answer =>
      run(
        scaling,
        params,
        readAgeMs > 0
          ? { model: world.modelAgo(readAgeMs), groups: scaling.groupsAgo(readAgeMs) }
          : { model: world.model, groups: scaling.groups },
      );
  const pages = ['MaxRecords', 'NextToken'];
  return {
    DescribeAutoScalingGroups: {
      parameters: ['AutoScalingGroupNames', 'Filters', 'IncludeInstances', ...pages],
      run: on(describeGroups),
    },
    DescribeAutoScalingInstances: { parameters: ['InstanceIds', ...pages], run: on(describeInstances) },
    DescribeLifecycleHooks: {
      parameters: ['AutoScalingGroupName', 'LifecycleHookNames'],
      run: on(describeHooks),
    },
    DescribeScalingActivities: {
      parameters: ['AutoScalingGroupName', 'ActivityIds', 'IncludeDeletedGroups', 'Filters', ...pages],
      run: on(describeActivities),
    },
    PutLifecycleHook: {
      parameters: [
        'AutoScalingGroupName',
        'LifecycleHookName',
        'LifecycleTransition',
        'HeartbeatTimeout',
        'DefaultResult',
        'NotificationMetadata',
        'NotificationTargetARN',
        'RoleARN',
      ],
      run: on(putHook),
    },
    DeleteLifecycleHook: { parameters: ['AutoScalingGroupName', 'LifecycleHookName'], run: on(deleteHook) },
    RecordLifecycleActionHeartbeat: { parameters: actionKey(), run: on(heartbeat) },
    CompleteLifecycleAction: { parameters: [...actionKey(), 'LifecycleActionResult'], run: on(complete) },
    SetDesiredCapacity: {
      parameters: ['AutoScalingGroupName', 'DesiredCapacity', 'HonorCooldown'],
      run: on(setDesiredCapacity),
    },
    UpdateAutoScalingGroup: {
      parameters: ['AutoScalingGroupName', 'MinSize', 'MaxSize', 'DesiredCapacity'],
      run: on(updateGroup),
    },
    SetInstanceHealth: {
      parameters: ['InstanceId', 'HealthStatus', 'ShouldRespectGracePeriod'],
      run: on(setHealth),
    },
    TerminateInstanceInAutoScalingGroup: {
      parameters: ['InstanceId', 'ShouldDecrementDesiredCapacity'],
      run: on(terminate),
    },
    CreateOrUpdateTags: { parameters: ['Tags'], run: on(putTags) },
    DeleteTags: { parameters: ['Tags'], run: on(deleteTags) },
  };
}

function actionKey(): readonly string[] {
  return ['AutoScalingGroupName', 'LifecycleHookName', 'LifecycleActionToken', 'InstanceId'];
}

// ---- Parameters ----

const members = (params: QueryParams, name: string): readonly string[] =>
  [...params].filter(([key]) => new RegExp(`^${name}\\.member\\.\\d+$`).test(key)).map(([, value]) => value);

/** `Tags.member.1.Key`, ...: one object for each number. */
function structures(params: QueryParams, name: string): readonly Readonly<Record<string, string>>[] {
  const found = new Map<number, Record<string, string>>();
  for (const [key, value] of params) {
    const match = new RegExp(`^${name}\\.member\\.(\\d+)\\.(\\w+)$`).exec(key);
    if (match === null) continue;
    const [, number = '', field = ''] = match;
    found.set(Number(number), { ...found.get(Number(number)), [field]: value });
  }
  return [...found].sort(([a], [b]) => a - b).map(([, fields]) => fields);
}

const invalid = (message: string) => refused('ValidationError', message);

/** By name or by ARN. */
function groupNamed(scaling: AutoScaling, params: QueryParams): Outcome<Group> {
  const asked = params.get('AutoScalingGroupName') ?? '';
  const group = scaling.group(asked.replace(/^arn:.*autoScalingGroupName\//, ''));
  return group === undefined
    ? invalid(`AutoScalingGroup name not found - AutoScalingGroup '${asked}' not found`)
    : accepted(group);
}

function numberIn(params: QueryParams, name: string): number | undefined {
  const text = params.get(name);
  return text === undefined ? undefined : Number(text);
}

// ---- Reading ----

type Filter = { readonly name: string; readonly values: readonly string[] };

function filtersIn(params: QueryParams): readonly Filter[] {
  return structures(params, 'Filters').map(({ Name = '' }, index) => ({
    name: Name,
    values: members(params, `Filters\\.member\\.${index + 1}\\.Values`),
  }));
}

function passes({ tags }: Group, { name, values }: Filter): boolean {
  if (name === 'tag-key') return values.some((key) => key in tags);
  if (name === 'tag-value') return Object.values(tags).some((value) => values.includes(value));
  const value = tags[name.replace(/^tag:/, '')];
  return value !== undefined && values.includes(value);
}

function describeGroups(_: AutoScaling, params: QueryParams, { model, groups }: Seen): Answer {
  const names = members(params, 'AutoScalingGroupNames');
  const filters = filtersIn(params);
  // A name that is not there is left out, as AWS does it: no error.
  const asked = groups.filter(
    (group) =>
      (names.length === 0 || names.includes(group.name)) && filters.every((filter) => passes(group, filter)),
  );
  return accepted([
    memberList(
      'AutoScalingGroups',
      asked.map((group) => groupXml(group, model)),
    ),
  ]);
}

function describeInstances(_: AutoScaling, params: QueryParams, { model, groups }: Seen): Answer {
  const ids = members(params, 'InstanceIds');
  const all = groups.flatMap((group) => group.members.map((member) => ({ group, member })));
  return accepted([
    memberList(
      'AutoScalingInstances',
      all
        .filter(({ member }) => ids.length === 0 || ids.includes(member.instanceId))
        .map(({ group, member }) => [
          element('AutoScalingGroupName', group.name),
          ...memberXml(member, model, member.healthy ? 'HEALTHY' : 'UNHEALTHY'),
        ]),
    ),
  ]);
}

function describeHooks(scaling: AutoScaling, params: QueryParams): Answer {
  const group = groupNamed(scaling, params);
  if (!group.ok) return group;
  const names = members(params, 'LifecycleHookNames');
  const hooks = group.value.hooks.filter(({ name }) => names.length === 0 || names.includes(name));
  return accepted([
    memberList(
      'LifecycleHooks',
      hooks.map((hook) => hookXml(hook, group.value.name)),
    ),
  ]);
}

function describeActivities(scaling: AutoScaling, params: QueryParams, { model }: Seen): Answer {
  const asked = params.has('AutoScalingGroupName') ? groupNamed(scaling, params) : undefined;
  if (asked?.ok === false) return asked;
  const groups = asked === undefined ? scaling.groups : [asked.value];
  const most = numberIn(params, 'MaxRecords') ?? 100;
  const found = groups.flatMap((group) =>
    group.activities.map((activity) => activityXml(activity, group, model)),
  );
  return accepted([memberList('Activities', found.slice(0, most))]);
}

/** https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AutoScalingGroup.html */
function groupXml(group: Group, model: Ec2Model): readonly XmlElement[] {
  const zones = new Set(
    group.subnetIds.flatMap(
      (id) => model.subnets.find(({ subnetId }) => subnetId === id)?.availabilityZone ?? [],
    ),
  );
  return [
    element('AutoScalingGroupName', group.name),
    element('AutoScalingGroupARN', groupArn(model, group.name)),
    element('LaunchTemplate', launchTemplateXml()),
    element('MinSize', group.minSize),
    element('MaxSize', group.maxSize),
    element('DesiredCapacity', group.desiredCapacity),
    element('DefaultCooldown', 300),
    textList('AvailabilityZones', [...zones]),
    element('HealthCheckType', 'EC2'),
    element('HealthCheckGracePeriod', 0),
    memberList(
      'Instances',
      group.members.map((member) => memberXml(member, model, member.healthy ? 'Healthy' : 'Unhealthy')),
    ),
    element('CreatedTime', '2026-01-01T00:00:00.000Z'),
    element('SuspendedProcesses', []),
    element('VPCZoneIdentifier', group.subnetIds.join(',')),
    memberList(
      'Tags',
      Object.entries(group.tags).map(([key, value]) => [
        element('ResourceId', group.name),
        element('ResourceType', 'auto-scaling-group'),
        element('Key', key),
        element('Value', value),
        element('PropagateAtLaunch', false),
      ]),
    ),
    textList('TerminationPolicies', ['Default']),
    element('NewInstancesProtectedFromScaleIn', false),
  ];
}

function launchTemplateXml(): readonly XmlElement[] {
  return [
    element('LaunchTemplateId', 'lt-0fab0000000000001'),
    element('LaunchTemplateName', 'lab'),
    element('Version', '1'),
  ];
}

function memberXml(
  { instanceId, lifecycleState }: Member,
  model: Ec2Model,
  health: string,
): readonly XmlElement[] {
  const instance = findInstance(model, instanceId);
  return [
    element('InstanceId', instanceId),
    ...(instance === undefined
      ? []
      : [
          element('InstanceType', instance.instanceType),
          element('AvailabilityZone', instance.availabilityZone),
        ]),
    element('LifecycleState', lifecycleState),
    element('HealthStatus', health),
    element('LaunchTemplate', launchTemplateXml()),
    element('ProtectedFromScaleIn', false),
  ];
}

const hookXml = (hook: LifecycleHook, groupName: string): readonly XmlElement[] => [
  element('LifecycleHookName', hook.name),
  element('AutoScalingGroupName', groupName),
  element('LifecycleTransition', hook.transition),
  ...(hook.metadata === undefined ? [] : [element('NotificationMetadata', hook.metadata)]),
  element('HeartbeatTimeout', hook.heartbeatTimeoutS),
  element('GlobalTimeout', globalTimeoutS(hook)),
  element('DefaultResult', hook.defaultResult),
];

const activityXml = (activity: Activity, group: Group, model: Ec2Model): readonly XmlElement[] => [
  element('ActivityId', activity.activityId),
  element('AutoScalingGroupName', group.name),
  element('Description', activity.description),
  element('Cause', activity.cause),
  element('StartTime', activity.startTime),
  ...(activity.endTime === null ? [] : [element('EndTime', activity.endTime)]),
  element('StatusCode', activity.statusCode),
  ...(activity.statusMessage === null ? [] : [element('StatusMessage', activity.statusMessage)]),
  element('Progress', activity.endTime === null ? 50 : 100),
  element('Details', '{}'),
  element('AutoScalingGroupARN', groupArn(model, group.name)),
];

// ---- Hooks ----

function putHook(scaling: AutoScaling, params: QueryParams): Answer {
  const group = groupNamed(scaling, params);
  if (!group.ok) return group;
  const { name: groupName, hooks } = group.value;
  const name = params.get('LifecycleHookName') ?? '';
  const before = hooks.find((hook) => hook.name === name);
  const transition = params.get('LifecycleTransition') ?? before?.transition;
  if (
    transition !== 'autoscaling:EC2_INSTANCE_LAUNCHING' &&
    transition !== 'autoscaling:EC2_INSTANCE_TERMINATING'
  )
    return invalid('Please specify a valid lifecycle transition.');
  const heartbeatTimeoutS = numberIn(params, 'HeartbeatTimeout') ?? before?.heartbeatTimeoutS ?? 3600;
  if (heartbeatTimeoutS < 30 || heartbeatTimeoutS > 7200)
    return invalid('HeartbeatTimeout must be between 30 and 7200 seconds.');
  const defaultResult = resultIn(params, 'DefaultResult') ?? before?.defaultResult ?? 'ABANDON';
  const metadata = params.get('NotificationMetadata') ?? before?.metadata;
  const hook: LifecycleHook = {
    name,
    transition: transition satisfies Transition,
    heartbeatTimeoutS,
    defaultResult,
    ...(metadata === undefined ? {} : { metadata }),
  };
  scaling.change(groupName, { hooks: [...hooks.filter((each) => each !== before), hook] });
  return accepted([]);
}

function deleteHook(scaling: AutoScaling, params: QueryParams): Answer {
  const group = groupNamed(scaling, params);
  if (!group.ok) return group;
  const name = params.get('LifecycleHookName') ?? '';
  const { hooks } = group.value;
  if (!hooks.some((hook) => hook.name === name)) return invalid(`No Lifecycle Hook found with name: ${name}`);
  scaling.change(group.value.name, { hooks: hooks.filter((hook) => hook.name !== name) });
  return accepted([]);
}

function resultIn(params: QueryParams, name: string): HookResult | undefined {
  const text = params.get(name);
  return text === 'CONTINUE' || text === 'ABANDON' ? text : undefined;
}

function keyIn(scaling: AutoScaling, params: QueryParams): Outcome<ActionKey> {
  const group = groupNamed(scaling, params);
  if (!group.ok) return group;
  const token = params.get('LifecycleActionToken');
  const instanceId = params.get('InstanceId');
  if (token === undefined && instanceId === undefined)
    return invalid('Either InstanceId or LifecycleActionToken must be specified.');
  return accepted({
    groupName: group.value.name,
    hookName: params.get('LifecycleHookName') ?? '',
    token,
    instanceId,
  });
}

function heartbeat(scaling: AutoScaling, params: QueryParams): Answer {
  const key = keyIn(scaling, params);
  if (!key.ok) return key;
  const done = scaling.waits.heartbeat(key.value);
  return done.ok ? accepted([]) : done;
}

function complete(scaling: AutoScaling, params: QueryParams): Answer {
  const key = keyIn(scaling, params);
  if (!key.ok) return key;
  const result = resultIn(params, 'LifecycleActionResult');
  if (result === undefined) return invalid("LifecycleActionResult must be one of 'CONTINUE' or 'ABANDON'.");
  const done = scaling.waits.complete(key.value, result);
  return done.ok ? accepted([]) : done;
}

// ---- Capacity ----

function setDesiredCapacity(scaling: AutoScaling, params: QueryParams): Answer {
  const group = groupNamed(scaling, params);
  return group.ok
    ? resize(scaling, group.value, { desiredCapacity: numberIn(params, 'DesiredCapacity') ?? NaN })
    : group;
}

function updateGroup(scaling: AutoScaling, params: QueryParams): Answer {
  const group = groupNamed(scaling, params);
  if (!group.ok) return group;
  const { minSize, maxSize, desiredCapacity } = group.value;
  return resize(scaling, group.value, {
    minSize: numberIn(params, 'MinSize') ?? minSize,
    maxSize: numberIn(params, 'MaxSize') ?? maxSize,
    desiredCapacity: numberIn(params, 'DesiredCapacity') ?? desiredCapacity,
  });
}

function resize(
  scaling: AutoScaling,
  group: Group,
  patch: Partial<Pick<Group, 'minSize' | 'maxSize' | 'desiredCapacity'>>,
): Answer {
  const { minSize, maxSize, desiredCapacity } = { ...group, ...patch };
  if (![minSize, maxSize, desiredCapacity].every((size) => Number.isInteger(size) && size >= 0))
    return invalid('The sizes of a group are whole numbers, 0 or more.');
  if (desiredCapacity > maxSize)
    return invalid(
      `New SetDesiredCapacity value ${desiredCapacity} is above max value ${maxSize} for the AutoScalingGroup.`,
    );
  if (desiredCapacity < minSize)
    return invalid(
      `New SetDesiredCapacity value ${desiredCapacity} is below min value ${minSize} for the AutoScalingGroup.`,
    );
  scaling.change(group.name, patch);
  return accepted([]);
}

function setHealth(scaling: AutoScaling, params: QueryParams): Answer {
  const status = params.get('HealthStatus');
  if (status !== 'Healthy' && status !== 'Unhealthy')
    return invalid('Valid instance health states are: [Healthy, Unhealthy].');
  const done = scaling.setHealth(params.get('InstanceId') ?? '', status === 'Healthy');
  return done.ok ? accepted([]) : done;
}

function terminate(scaling: AutoScaling, params: QueryParams, { model }: Seen): Answer {
  const instanceId = params.get('InstanceId') ?? '';
  const group = scaling.groupOf(instanceId);
  const done = scaling.terminateMember(instanceId, {
    decrement: params.get('ShouldDecrementDesiredCapacity') === 'true',
  });
  if (!done.ok || group === undefined) return done.ok ? accepted([]) : done;
  return accepted([element('Activity', activityXml(done.value, group, model))]);
}

// ---- Tags ----

function tagsIn(
  scaling: AutoScaling,
  params: QueryParams,
): Outcome<readonly { group: Group; key: string; value: string }[]> {
  const asked = structures(params, 'Tags').map(({ ResourceId = '', Key = '', Value = '' }) => ({
    group: scaling.group(ResourceId),
    key: Key,
    value: Value,
  }));
  const found = asked.flatMap(({ group, ...tag }) => (group === undefined ? [] : [{ group, ...tag }]));
  if (found.length < asked.length)
    return invalid('AutoScalingGroup name not found - the tagged group does not exist');
  const tooLong = found.find(({ key, value }) => key.length > 128 || value.length > 256);
  return tooLong === undefined
    ? accepted(found)
    : invalid('A tag has a key of 128 characters at most, and a value of 256.');
}

function putTags(scaling: AutoScaling, params: QueryParams): Answer {
  const tags = tagsIn(scaling, params);
  if (!tags.ok) return tags;
  for (const { group, key, value } of tags.value) {
    const present = scaling.group(group.name)?.tags ?? {};
    scaling.change(group.name, { tags: { ...present, [key]: value } });
  }
  return accepted([]);
}

function deleteTags(scaling: AutoScaling, params: QueryParams): Answer {
  const tags = tagsIn(scaling, params);
  if (!tags.ok) return tags;
  for (const { group, key } of tags.value) {
    const present = Object.entries(scaling.group(group.name)?.tags ?? {});
    scaling.change(group.name, { tags: Object.fromEntries(present.filter(([name]) => name !== key)) });
  }
  return accepted([]);
}
