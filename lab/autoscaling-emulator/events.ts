/**
 * Events as EventBridge delivers them.
 * https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-instance-state-changes.html
 */
import { randomUUID } from 'node:crypto';
import type { InstanceState } from '../ec2-emulator/model';
import type { LifecycleAction } from './model';

export interface AwsEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface Place {
  readonly region: string;
  readonly accountId: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

export const groupArn = ({ region, accountId }: Pick<Place, 'region' | 'accountId'>, name: string): string =>
  `arn:aws:autoscaling:${region}:${accountId}:autoScalingGroup:0fab0000-0000-4000-8000-000000000000:autoScalingGroupName/${name}`;

const event = (
  { region, accountId, now }: Place,
  parts: Pick<AwsEvent, 'detail-type' | 'source' | 'resources' | 'detail'>,
): AwsEvent => ({
  version: '0',
  id: randomUUID(),
  account: accountId,
  time: new Date(now).toISOString().replace(/\.\d+Z$/, 'Z'),
  region,
  ...parts,
});

export function lifecycleEvent(action: LifecycleAction, place: Place): AwsEvent {
  const { token, groupName, instanceId, hook } = action;
  const isLaunch = hook.transition === 'autoscaling:EC2_INSTANCE_LAUNCHING';
  return event(place, {
    'detail-type': `EC2 Instance-${isLaunch ? 'launch' : 'terminate'} Lifecycle Action`,
    source: 'aws.autoscaling',
    resources: [groupArn(place, groupName)],
    detail: {
      LifecycleActionToken: token,
      AutoScalingGroupName: groupName,
      LifecycleHookName: hook.name,
      EC2InstanceId: instanceId,
      LifecycleTransition: hook.transition,
      ...(hook.metadata === undefined ? {} : { NotificationMetadata: hook.metadata }),
      Origin: isLaunch ? 'EC2' : 'AutoScalingGroup',
      Destination: isLaunch ? 'AutoScalingGroup' : 'EC2',
    },
  });
}

export const stateChangeEvent = (place: Place, instanceId: string, state: InstanceState): AwsEvent =>
  event(place, {
    'detail-type': 'EC2 Instance State-change Notification',
    source: 'aws.ec2',
    resources: [`arn:aws:ec2:${place.region}:${place.accountId}:instance/${instanceId}`],
    detail: { 'instance-id': instanceId, state },
  });

/** What a rule with a schedule sends. */
export const scheduledEvent = (place: Place): AwsEvent =>
  event(place, {
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    resources: [`arn:aws:events:${place.region}:${place.accountId}:rule/heal-sweep`],
    detail: {},
  });
