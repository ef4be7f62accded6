/** The instances that wait in lifecycle hooks, each until somebody completes its action or its time is over. */
import { randomUUID } from 'node:crypto';
import { accepted, refused } from '../ec2-emulator/ec2Error';
import type { Outcome } from '../ec2-emulator/ec2Error';
import type { LabClock } from '../labClock';
import { globalTimeoutS } from './model';
import type { HookResult, LifecycleAction, LifecycleHook } from './model';

/** Which action is meant: by its token, or by its instance. */
export interface ActionKey {
  readonly groupName: string;
  readonly hookName: string;
  readonly token?: string | undefined;
  readonly instanceId?: string | undefined;
}

type Ended = (action: LifecycleAction, result: HookResult) => void;

export class Waits {
  #actions: { readonly action: LifecycleAction; readonly callOff: () => void }[] = [];
  readonly #ended: Ended;
  readonly #clock: LabClock;

  /** `ended` is told of each result, be it completed or the hook's default. */
  constructor(clock: LabClock, ended: Ended) {
    this.#clock = clock;
    this.#ended = ended;
  }

  get active(): readonly LifecycleAction[] {
    return this.#actions.map(({ action }) => action);
  }

  of(instanceId: string): readonly LifecycleAction[] {
    return this.active.filter((action) => action.instanceId === instanceId);
  }

  begin(groupName: string, instanceId: string, hook: LifecycleHook): LifecycleAction {
    const now = this.#clock.nowMs();
    const action: LifecycleAction = {
      token: randomUUID(),
      groupName,
      instanceId,
      hook,
      expiresAtMs: now + hook.heartbeatTimeoutS * 1000,
      endsAtMs: now + globalTimeoutS(hook) * 1000,
    };
    this.#watch(action);
    return action;
  }

  /** https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RecordLifecycleActionHeartbeat.html */
  heartbeat(key: ActionKey): Outcome<LifecycleAction> {
    const action = this.#find(key);
    if (action === undefined) return noSuchAction(key);
    this.#forget(action);
    const expiresAtMs = this.#clock.nowMs() + action.hook.heartbeatTimeoutS * 1000;
    const renewed = { ...action, expiresAtMs };
    this.#watch(renewed);
    return accepted(renewed);
  }

  /** https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CompleteLifecycleAction.html */
  complete(key: ActionKey, result: HookResult): Outcome<LifecycleAction> {
    const action = this.#find(key);
    if (action === undefined) return noSuchAction(key);
    this.#forget(action);
    this.#ended(action, result);
    return accepted(action);
  }

  /** Of an instance that is gone, or is refused by another hook: nobody is told. */
  cancel(instanceId: string): void {
    for (const action of this.of(instanceId)) this.#forget(action);
  }

  /** The time of an instance's hooks is over, now. */
  expire(instanceId: string): void {
    for (const action of this.of(instanceId)) {
      this.#forget(action);
      this.#ended(action, action.hook.defaultResult);
    }
  }

  stop(): void {
    for (const { action } of this.#actions) this.#forget(action);
  }

  #find({ groupName, hookName, token, instanceId }: ActionKey): LifecycleAction | undefined {
    return this.active.find(
      (action) =>
        action.groupName === groupName &&
        action.hook.name === hookName &&
        (token === undefined ? action.instanceId === instanceId : action.token === token),
    );
  }

  #watch(action: LifecycleAction): void {
    const ms = Math.max(Math.min(action.expiresAtMs, action.endsAtMs) - this.#clock.nowMs(), 0);
    const callOff = this.#clock.after(ms, () => {
      this.#forget(action);
      this.#ended(action, action.hook.defaultResult);
    });
    this.#actions = [...this.#actions, { action, callOff }];
  }

  #forget({ token }: LifecycleAction): void {
    for (const each of this.#actions) if (each.action.token === token) each.callOff();
    this.#actions = this.#actions.filter((each) => each.action.token !== token);
  }
}

/** Both texts as users of AWS quote them. */
const noSuchAction = ({ token, instanceId }: ActionKey) =>
  refused(
    'ValidationError',
    token === undefined
      ? `No active Lifecycle Action found with instance ID ${instanceId}`
      : `No active Lifecycle Action found with token ${token}`,
  );
