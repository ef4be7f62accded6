/** The calls: how long they take, which get lost, throttled or denied, and what AWS does with the others. */
import type { StepFailure } from '../../src/heal/core/observed';
import { recordText } from '../../src/heal/core/record';
import { ACTIONS, type Step } from '../../src/heal/core/steps';
import type { Random } from '../random';
import type { Aws, Thing } from './aws';
import type { Clock } from './clock';
import type { HealScenario } from './scenario';

type Fate = { readonly takesMs: number; readonly reaches: boolean; readonly failure: StepFailure | null };

const refused = (code: string): StepFailure => ({ kind: 'refused', code, message: 'says AWS' });

export class Api {
  readonly until = { throttled: 0, unanswered: 0, denied: 0, 'reads denied': 0 };
  deniedAction = '';
  onMessage: (text: string) => void = () => {};
  readonly #aws: Aws;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #scenario: HealScenario;

  constructor(aws: Aws, clock: Clock, random: Random, scenario: HealScenario) {
    this.#aws = aws;
    this.#clock = clock;
    this.#random = random;
    this.#scenario = scenario;
  }

  delay(): number {
    return this.#aws.draw(this.#scenario.latency.call);
  }

  readProblem(): string | null {
    const { now } = this.#clock;
    if (now < this.until['reads denied']) return 'UnauthorizedOperation';
    if (now < this.until.unanswered && this.#random.chance(0.3)) return 'Timeout';
    return now < this.until.throttled && this.#random.chance(0.5) ? 'RequestLimitExceeded' : null;
  }

  fate(step: Step): Fate {
    const { now } = this.#clock;
    const takesMs = this.delay();
    if (now < this.until.denied && ACTIONS[step.do] === this.deniedAction)
      return { takesMs, reaches: false, failure: refused('UnauthorizedOperation') };
    if (now < this.until.throttled && this.#random.chance(0.5))
      return {
        takesMs,
        reaches: false,
        failure: { kind: 'throttled', code: 'RequestLimitExceeded', message: '' },
      };
    if (now < this.until.unanswered && this.#random.chance(0.5)) {
      const failure = { kind: 'uncertain' as const, code: 'Timeout', message: '' };
      return { takesMs: this.#scenario.desired.apiTimeoutMs, reaches: this.#random.chance(0.5), failure };
    }
    return { takesMs, reaches: true, failure: null };
  }

  /** Null where AWS has done it. */
  apply(step: Step): StepFailure | null {
    const aws = this.#aws;
    switch (step.do) {
      case 'attachInterface':
        return this.#attach(aws.world.interfaces.get(step.interfaceId), step.instanceId, (part) =>
          aws.setInterface(step.interfaceId, { ...part, deviceIndex: step.slot.deviceIndex }),
        );
      case 'attachVolume':
        return this.#attach(aws.world.volumes.get(step.volumeId), step.instanceId, (part) =>
          aws.setVolume(step.volumeId, part),
        );
      case 'detachInterface':
        return this.#detach(aws.world.interfaces.get(step.interfaceId), (part) =>
          aws.setInterface(step.interfaceId, part),
        );
      case 'detachVolume':
        return this.#detach(aws.world.volumes.get(step.volumeId), (part) =>
          aws.setVolume(step.volumeId, part),
        );
      case 'assignAddresses':
        return null;
      case 'disableSourceDestCheck':
        aws.setInterface(step.interfaceId, { check: false });
        return null;
      case 'keepInterface':
        aws.setInterface(step.interfaceId, { deleteOnTermination: false });
        return null;
      case 'keepVolume':
        aws.setVolume(step.volumeId, { deleteOnTermination: false });
        return null;
      case 'reboot':
        this.#reboot(step.instanceId);
        return this.#write(step.group, recordText(step.record));
      case 'associateAddress': {
        const on = aws.world.elasticIps.get(step.allocationId) ?? null;
        if (!aws.world.interfaces.has(step.interfaceId)) return refused('InvalidNetworkInterfaceID.NotFound');
        if (on !== null && on !== step.interfaceId && !step.reassociate)
          return refused('Resource.AlreadyAssociated');
        aws.change({ elasticIps: new Map(aws.world.elasticIps).set(step.allocationId, step.interfaceId) });
        return null;
      }
      case 'createRoute':
      case 'replaceRoute': {
        const key = `${step.tableId} ${step.destination.value}`;
        const isThere = aws.world.routes.has(key);
        if (isThere !== (step.do === 'replaceRoute')) return refused('RouteAlreadyExists');
        if (!aws.world.interfaces.has(step.interfaceId)) return refused('InvalidNetworkInterfaceID.NotFound');
        aws.change({ routes: new Map(aws.world.routes).set(key, step.interfaceId) });
        return null;
      }
      case 'heartbeat':
      case 'complete':
        return this.#lifecycle(step);
      case 'writeRecord':
        return this.#write(step.group, recordText(step.record));
      case 'tell':
        for (const { id } of step.messages) this.onMessage(id);
        return this.#write(step.group, recordText(step.record));
    }
  }

  #write(group: string, record: string): null {
    this.#aws.setGroup(group, { record });
    return null;
  }

  #attach(
    thing: Thing | undefined,
    instanceId: string,
    set: (part: Partial<Thing>) => void,
  ): StepFailure | null {
    const aws = this.#aws;
    const instance = aws.instance(instanceId);
    if (thing === undefined) return refused('NotFound');
    if (thing.instanceId === instanceId) return null;
    if (thing.status !== 'available' || instance?.state !== 'running') return refused('InUse');
    if (thing.zone !== instance.zone) return refused('InvalidParameterValue');
    set({
      status: 'attaching',
      instanceId,
      attachedAt: aws.now,
      attachmentId: `attach-${thing.id}-${aws.now}`,
      deleteOnTermination: false,
    });
    this.#clock.after(aws.draw(this.#scenario.latency.attach), () => {
      const isStill = aws.instance(instanceId)?.state === 'running';
      const now = aws.world.interfaces.get(thing.id) ?? aws.world.volumes.get(thing.id);
      if (now?.status === 'attaching' && now.instanceId === instanceId && isStill)
        set({ status: 'attached' });
    });
    return null;
  }

  #detach(thing: Thing | undefined, set: (part: Partial<Thing>) => void): StepFailure | null {
    if (thing === undefined || thing.instanceId === null) return null;
    set({ status: 'detaching' });
    this.#clock.after(this.#aws.draw(this.#scenario.latency.attach), () =>
      set({ status: 'available', instanceId: null }),
    );
    return null;
  }

  #reboot(id: string): void {
    const aws = this.#aws;
    const instance = aws.instance(id);
    if (instance?.state !== 'running') return;
    const never = instance.group !== null && aws.deadReboots.delete(instance.group);
    const upAt = never ? Infinity : aws.now + aws.draw(this.#scenario.latency.boot);
    aws.setInstance(id, { reboots: [...instance.reboots, aws.now], guest: { ...instance.guest, upAt } });
  }

  #lifecycle(step: Extract<Step, { do: 'heartbeat' | 'complete' }>): StepFailure | null {
    const aws = this.#aws;
    const member = aws.world.groups.get(step.group)?.members.find(({ id }) => id === step.instanceId);
    const waits = step.hook === 'heal-launch' ? 'Pending:Wait' : 'Terminating:Wait';
    // `No active Lifecycle Action` is the end, not an error.
    if (member?.lifecycle !== waits) return null;
    if (step.do === 'heartbeat')
      aws.setMember(step.group, member.id, { hookEndsAt: aws.now + this.#scenario.group.hookMs });
    else if (waits === 'Terminating:Wait') aws.proceed(step.group, member.id);
    else if (step.result === 'ABANDON') aws.leave(step.group, member.id);
    else aws.setMember(step.group, member.id, { lifecycle: 'InService', hookEndsAt: Infinity });
    return null;
  }
}
