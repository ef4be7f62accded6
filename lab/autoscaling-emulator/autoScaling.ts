/**
 * Auto Scaling groups over the emulated EC2: they launch what lacks, replace what is unhealthy, terminate what is too many,
 * and let instances wait in lifecycle hooks. What another service is told of it comes as events of EventBridge. Left out:
 * load balancers, warm pools, policies, standby.
 */
import { randomUUID } from 'node:crypto';
import { accepted, refused } from '../ec2-emulator/ec2Error';
import type { Outcome } from '../ec2-emulator/ec2Error';
import { findInstance } from '../ec2-emulator/model';
import type { Ec2Model } from '../ec2-emulator/model';
import type { Ec2World } from '../ec2-emulator/world';
import { lifecycleEvent } from './events';
import type { AwsEvent } from './events';
import { counts } from './model';
import type {
  Activity,
  Group,
  GroupSpec,
  HookResult,
  LifecycleAction,
  LifecycleHook,
  LifecycleState,
  Member,
  Transition,
} from './model';
import { Waits } from './waits';

const ACTIVITIES_KEPT = 100;
const VERSIONS_KEPT = 500;

export interface AutoScalingOptions {
  readonly world: Ec2World;
  /** From an instance's death to the launch of its successor, and between tries that found no capacity. */
  readonly replaceAfterMs?: number;
}

export class AutoScaling {
  readonly world: Ec2World;
  readonly waits: Waits;
  readonly #replaceAfterMs: number;
  readonly #groups = new Map<string, Group>();
  /** Oldest first. */
  #versions: { readonly sinceMs: number; readonly groups: readonly Group[] }[] = [];
  readonly #listeners = new Set<(event: AwsEvent) => void>();
  readonly #zonesWithout = new Set<string>();
  readonly #callOffs = new Set<() => void>();
  readonly #off: () => void;

  constructor({ world, replaceAfterMs = 0 }: AutoScalingOptions) {
    this.world = world;
    this.waits = new Waits(world.clock, (action, result) => this.#hookEnded(action, result));
    this.#replaceAfterMs = replaceAfterMs;
    this.#off = world.onChange((before, after) => this.#look(before, after));
  }

  get groups(): readonly Group[] {
    return [...this.#groups.values()];
  }

  /** The groups as they were `ageMs` ago, for stale reads. */
  groupsAgo(ageMs: number): readonly Group[] {
    const then = this.world.clock.nowMs() - ageMs;
    return (this.#versions.findLast(({ sinceMs }) => sinceMs <= then) ?? this.#versions[0])?.groups ?? [];
  }

  group(name: string): Group | undefined {
    return this.#groups.get(name);
  }

  groupOf(instanceId: string): Group | undefined {
    return this.groups.find(({ members }) => members.some((member) => member.instanceId === instanceId));
  }

  /** Launches what its capacity asks for, at once. @throws Error for a name that is taken. */
  createGroup(spec: GroupSpec): Group {
    if (this.#groups.has(spec.name)) throw new Error(`there is a group ${spec.name} already`);
    const { instanceIds = [], ...rest } = spec;
    const desiredCapacity = spec.desiredCapacity ?? 1;
    const inService = (instanceId: string): Member => ({
      instanceId,
      lifecycleState: 'InService',
      healthy: true,
    });
    const group: Group = {
      minSize: 0,
      maxSize: Math.max(desiredCapacity, 1),
      hooks: [],
      tags: {},
      ...rest,
      desiredCapacity,
      members: instanceIds.map(inService),
      activities: [],
    };
    this.#put(group);
    this.#settle(spec.name);
    return this.#groups.get(spec.name) ?? group;
  }

  /** Calls back with each lifecycle event as EventBridge delivers it, once; returns the off switch. */
  onEvent(listener: (event: AwsEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Without capacity a launch fails, and is tried again. */
  setCapacity(availabilityZone: string, available: boolean): void {
    if (available) this.#zonesWithout.delete(availabilityZone);
    else this.#zonesWithout.add(availabilityZone);
  }

  /** Sizes, hooks and tags. The group then brings itself to what they say. */
  change(
    name: string,
    patch: Partial<Pick<Group, 'minSize' | 'maxSize' | 'desiredCapacity' | 'hooks' | 'tags'>>,
  ): void {
    this.#patch(name, () => patch);
    this.#settle(name);
  }

  /** The instance is to be terminated; false when no group has it. */
  terminateMember(instanceId: string, { decrement }: { readonly decrement: boolean }): Outcome<Activity> {
    const group = this.groupOf(instanceId);
    const member = group?.members.find((each) => each.instanceId === instanceId);
    if (group === undefined || member === undefined)
      return refused(
        'ValidationError',
        `Instance Id not found - No managed instance found for instance ID: ${instanceId}`,
      );
    if (decrement) {
      const desiredCapacity = group.desiredCapacity - 1;
      if (desiredCapacity < group.minSize)
        return refused(
          'ValidationError',
          `Currently, desiredSize equals minSize (${group.minSize}). Terminating instance without replacement will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.`,
        );
      this.#patch(group.name, () => ({ desiredCapacity }));
    }
    const activity = this.#terminate(
      group.name,
      member,
      'At user request an instance was taken out of service.',
    );
    this.#settle(group.name);
    return accepted(activity);
  }

  setHealth(instanceId: string, healthy: boolean): Outcome<Group> {
    const group = this.groupOf(instanceId);
    if (group === undefined)
      return refused(
        'ValidationError',
        `Instance Id not found - No managed instance found for instance ID: ${instanceId}`,
      );
    this.#patchMember(group.name, instanceId, { healthy });
    if (!healthy) this.#replace(instanceId);
    return accepted(group);
  }

  stop(): void {
    this.#off();
    this.waits.stop();
    for (const callOff of this.#callOffs) callOff();
  }

  // ---- The group brings itself to its capacity ----

  #settle(name: string): void {
    const group = this.#groups.get(name);
    if (group === undefined) return;
    const present = group.members.filter(counts);
    for (let lacking = group.desiredCapacity - present.length; lacking > 0; lacking -= 1)
      if (!this.#launch(name)) return;
    const surplus = present.slice(0, Math.max(present.length - group.desiredCapacity, 0));
    for (const member of surplus)
      this.#terminate(
        name,
        member,
        'An instance was taken out of service in response to a difference between desired and actual capacity.',
      );
  }

  /** False where no zone has capacity: tried again later. */
  #launch(name: string): boolean {
    const group = this.#groups.get(name);
    if (group === undefined) return false;
    const cause =
      'An instance was started in response to a difference between desired and actual capacity, increasing the capacity.';
    const { subnets } = this.world.model;
    const zoneOf = (id: string) => subnets.find(({ subnetId }) => subnetId === id)?.availabilityZone ?? '';
    const subnetId = group.subnetIds.find((id) => !this.#zonesWithout.has(zoneOf(id)));
    if (subnetId === undefined) {
      const zone = zoneOf(group.subnetIds[0] ?? '');
      this.#record(name, {
        description: 'Launching a new EC2 instance.  Status Reason: Could not launch On-Demand Instances.',
        cause,
        statusCode: 'Failed',
        statusMessage: `Could not launch On-Demand Instances. InsufficientInstanceCapacity - We currently do not have sufficient ${group.launch.instanceType} capacity in the Availability Zone you requested (${zone}). Launching EC2 instance failed.`,
      });
      this.#later(() => this.#settle(name));
      return false;
    }
    const instanceId = this.world.nextId('i-');
    const { instanceType, sourceDestCheck, tags } = group.launch;
    this.#patch(name, ({ members }) => ({
      members: [...members, { instanceId, lifecycleState: 'Pending', healthy: true }],
    }));
    this.#record(name, {
      description: `Launching a new EC2 instance: ${instanceId}`,
      cause,
      statusCode: 'InProgress',
      statusMessage: null,
    });
    this.world.slow.launch({
      instanceId,
      instanceType,
      sourceDestCheck,
      subnetId,
      tags: { ...tags, 'aws:autoscaling:groupName': name },
    });
    this.#hold(name, instanceId, 'autoscaling:EC2_INSTANCE_LAUNCHING');
    return true;
  }

  /** Into the hooks of this transition, or past them where there are none. */
  #hold(name: string, instanceId: string, transition: Transition): void {
    const hooks = this.#hooksFor(name, transition);
    if (hooks.length === 0) return this.#proceed(name, instanceId, transition, 'CONTINUE');
    this.#state(name, instanceId, isLaunch(transition) ? 'Pending:Wait' : 'Terminating:Wait');
    const actions = hooks.map((hook) => this.waits.begin(name, instanceId, hook));
    for (const action of actions) this.#tell(action);
  }

  #hooksFor(name: string, transition: Transition): readonly LifecycleHook[] {
    return (this.#groups.get(name)?.hooks ?? []).filter((hook) => hook.transition === transition);
  }

  /** The last of several hooks lets the instance go on; the first that abandons ends the others. */
  #hookEnded({ groupName, instanceId, hook }: LifecycleAction, result: HookResult): void {
    if (result === 'ABANDON') this.waits.cancel(instanceId);
    else if (this.waits.of(instanceId).length > 0) return;
    this.#proceed(groupName, instanceId, hook.transition, result);
  }

  #proceed(name: string, instanceId: string, transition: Transition, result: HookResult): void {
    const member = this.#groups.get(name)?.members.find((each) => each.instanceId === instanceId);
    if (member === undefined) return;
    if (!isLaunch(transition)) {
      this.#state(name, instanceId, 'Terminating:Proceed');
      this.world.slow.terminate(instanceId);
      this.#dropTheDead(name);
      return;
    }
    if (result === 'CONTINUE') {
      this.#state(name, instanceId, 'InService');
      return;
    }
    // That the hook for terminating holds an abandoned instance as well is inferred.
    this.#terminate(name, member, 'The lifecycle action was abandoned.');
    this.#settleLater(name);
  }

  #terminate(name: string, { instanceId }: Member, cause: string): Activity {
    this.waits.cancel(instanceId);
    this.#state(name, instanceId, 'Terminating');
    const activity = this.#record(name, {
      description: `Terminating EC2 instance: ${instanceId}`,
      cause,
      statusCode: 'InProgress',
      statusMessage: null,
    });
    this.#hold(name, instanceId, 'autoscaling:EC2_INSTANCE_TERMINATING');
    return activity;
  }

  // ---- Health ----

  /** What changed in EC2: an instance that is no longer `pending` or `running`, or is impaired, is replaced. */
  #look(before: Ec2Model, after: Ec2Model): void {
    if (before.instances === after.instances) return;
    for (const group of this.groups) {
      for (const { instanceId } of group.members.filter(counts)) {
        const instance = findInstance(after, instanceId);
        const fine =
          (instance?.state === 'running' || instance?.state === 'pending') &&
          instance.instanceStatus !== 'impaired' &&
          instance.systemStatus !== 'impaired';
        if (!fine) this.#replace(instanceId);
      }
      this.#dropTheDead(group.name);
    }
  }

  #replace(instanceId: string): void {
    this.#later(() => {
      const group = this.groupOf(instanceId);
      const member = group?.members.find((each) => each.instanceId === instanceId);
      if (group === undefined || member === undefined || !counts(member)) return;
      this.#patchMember(group.name, instanceId, { healthy: false });
      this.#terminate(
        group.name,
        member,
        'An instance was taken out of service in response to an EC2 health check.',
      );
      this.#settle(group.name);
    });
  }

  /** A terminated one that waits in no hook is no longer a member. */
  #dropTheDead(name: string): void {
    const isDead = ({ instanceId, lifecycleState }: Member) =>
      lifecycleState === 'Terminating:Proceed' &&
      (findInstance(this.world.model, instanceId)?.state ?? 'terminated') === 'terminated';
    this.#patch(name, ({ members }) => ({ members: members.filter((member) => !isDead(member)) }));
  }

  #settleLater(name: string): void {
    this.#later(() => this.#settle(name));
  }

  #later(act: () => void): void {
    const callOff = this.world.clock.after(this.#replaceAfterMs, () => {
      this.#callOffs.delete(callOff);
      act();
    });
    this.#callOffs.add(callOff);
  }

  // ---- What is known ----

  #tell(action: LifecycleAction): void {
    const { region, accountId } = this.world.model;
    const event = lifecycleEvent(action, { region, accountId, now: this.world.clock.dateMs() });
    for (const listener of this.#listeners) listener(event);
  }

  #state(name: string, instanceId: string, lifecycleState: LifecycleState): void {
    this.#patchMember(name, instanceId, { lifecycleState });
  }

  #patchMember(name: string, instanceId: string, patch: Partial<Member>): void {
    this.#patch(name, ({ members }) => ({
      members: members.map((member) => (member.instanceId === instanceId ? { ...member, ...patch } : member)),
    }));
  }

  #record(
    name: string,
    what: Pick<Activity, 'description' | 'cause' | 'statusCode' | 'statusMessage'>,
  ): Activity {
    const now = new Date(this.world.clock.dateMs()).toISOString();
    const activity: Activity = {
      activityId: randomUUID(),
      startTime: now,
      endTime: what.statusCode === 'Failed' ? now : null,
      ...what,
    };
    this.#patch(name, ({ activities }) => ({
      activities: [activity, ...activities].slice(0, ACTIVITIES_KEPT),
    }));
    return activity;
  }

  #patch(name: string, patch: (group: Group) => Partial<Group>): void {
    const group = this.#groups.get(name);
    if (group !== undefined) this.#put({ ...group, ...patch(group) });
  }

  #put(group: Group): void {
    this.#groups.set(group.name, group);
    this.#versions.push({ sinceMs: this.world.clock.nowMs(), groups: this.groups });
    this.#versions = this.#versions.slice(-VERSIONS_KEPT);
  }
}

const isLaunch = (transition: Transition): boolean => transition === 'autoscaling:EC2_INSTANCE_LAUNCHING';
