/** What Auto Scaling knows of its groups, as plain data. Names are those of its API. */
import type { Tags } from '../ec2-emulator/model';

export type Transition = 'autoscaling:EC2_INSTANCE_LAUNCHING' | 'autoscaling:EC2_INSTANCE_TERMINATING';
export type HookResult = 'CONTINUE' | 'ABANDON';

/** https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LifecycleHook.html */
export interface LifecycleHook {
  readonly name: string;
  readonly transition: Transition;
  /** AWS takes 30 to 7200; a lab in scaled time may have less. */
  readonly heartbeatTimeoutS: number;
  readonly defaultResult: HookResult;
  readonly metadata?: string;
}

/** https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html */
export type LifecycleState =
  | 'Pending'
  | 'Pending:Wait'
  | 'Pending:Proceed'
  | 'InService'
  | 'Terminating'
  | 'Terminating:Wait'
  | 'Terminating:Proceed';

export interface Member {
  readonly instanceId: string;
  readonly lifecycleState: LifecycleState;
  readonly healthy: boolean;
}

/** What the group launches. */
export interface LaunchSpec {
  readonly instanceType: string;
  readonly sourceDestCheck: boolean;
  readonly tags: Tags;
}

export interface Activity {
  readonly activityId: string;
  readonly description: string;
  readonly cause: string;
  readonly startTime: string;
  readonly endTime: string | null;
  readonly statusCode: 'InProgress' | 'MidLifecycleAction' | 'Successful' | 'Failed' | 'Cancelled';
  readonly statusMessage: string | null;
}

export interface Group {
  readonly name: string;
  readonly minSize: number;
  readonly maxSize: number;
  readonly desiredCapacity: number;
  /** It launches in the first of them whose zone has capacity. */
  readonly subnetIds: readonly string[];
  readonly launch: LaunchSpec;
  readonly hooks: readonly LifecycleHook[];
  readonly tags: Tags;
  readonly members: readonly Member[];
  /** Newest first. */
  readonly activities: readonly Activity[];
}

/** A group as one writes it. `instanceIds` are in service from the start. */
export type GroupSpec = Pick<Group, 'name' | 'subnetIds' | 'launch'> &
  Partial<Pick<Group, 'minSize' | 'maxSize' | 'desiredCapacity' | 'hooks' | 'tags'>> & {
    readonly instanceIds?: readonly string[];
  };

/** An instance that waits in a hook. Times are monotonic milliseconds. */
export interface LifecycleAction {
  readonly token: string;
  readonly groupName: string;
  readonly instanceId: string;
  readonly hook: LifecycleHook;
  readonly expiresAtMs: number;
  /** However many heartbeats there are. */
  readonly endsAtMs: number;
}

/** These count for the capacity; an instance on its way out has been replaced or will be. */
export const counts = ({ lifecycleState }: Member): boolean =>
  lifecycleState === 'InService' || lifecycleState.startsWith('Pending');

/** 48 hours, or a hundred heartbeats if that is less. */
export const globalTimeoutS = ({ heartbeatTimeoutS }: LifecycleHook): number =>
  Math.min(48 * 3600, 100 * heartbeatTimeoutS);
