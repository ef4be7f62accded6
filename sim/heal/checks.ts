/** The invariants, judged by what really is. */
import type { Identity } from '../../src/heal/core/desired';
import type { Decision } from '../../src/heal/core/reconcile';
import { parseRecord } from '../../src/heal/core/record';
import { ACTIONS, type Step } from '../../src/heal/core/steps';
import type { Aws, SimInstance, World } from './aws';
import type { SimHealer } from './healer';
import type { HealScenario } from './scenario';

export class HealViolation extends Error {
  readonly invariant: string;

  constructor(invariant: string, text: string) {
    super(`${invariant}: ${text}`);
    this.invariant = invariant;
  }
}

const WRITES_MAX = 600;
/** Of a look, its questions and a call, in calls of AWS. */
const CALLS = 4;
/** Beside the deadline: until the next look, and for what the look needs. */
const SLACK_MS = 120_000;

export class Checks {
  readonly #scenario: HealScenario;
  readonly #aws: Aws;
  /** By group: when each owner last wrote. */
  readonly #writers = new Map<string, Map<string, number>>();
  readonly #lastAlarm = new Map<string, number>();
  #writes = 0;

  constructor(scenario: HealScenario, aws: Aws) {
    this.#scenario = scenario;
    this.#aws = aws;
  }

  /** What a healer cannot have seen yet. */
  get #blindMs(): number {
    const { stalenessMs, apiTimeoutMs } = this.#scenario.desired;
    return stalenessMs + CALLS * apiTimeoutMs;
  }

  decides(decisions: readonly Decision[]): void {
    for (const { identity, alarms, condition } of decisions)
      if (alarms.length > 0 || condition === 'unread') this.#lastAlarm.set(identity, this.#aws.now);
  }

  sends(healer: SimHealer, step: Step): void {
    if (step.do === 'writeRecord' || step.do === 'tell') return;
    this.#oneWriter(healer, step);
    if (step.do === 'heartbeat') return;
    this.#writes += 1;
    if (this.#writes > WRITES_MAX) fail('bounded-writes', `more than ${WRITES_MAX} writes`);
    this.#nothingFromARunningHolder(step);
    this.#nothingOfOthers(step);
    if (step.do === 'complete') this.#completes(step);
    if (step.do === 'reboot') this.#reboots(step.instanceId);
  }

  /** Whoever has written before may not write in the time of this one. */
  #oneWriter(healer: SimHealer, step: Step): void {
    const group = groupOf(step, this.#aws.world, this.#scenario);
    const record = this.#aws.world.groups.get(group)?.record ?? null;
    const writers = this.#writers.get(group) ?? new Map<string, number>();
    const since = (record === null ? null : parseRecord(record))?.since ?? this.#aws.now;
    for (const [owner, at] of writers) {
      if (owner === healer.owner) continue;
      const mine = writers.get(healer.owner);
      // Who wrote before the other one did may go on only with a right that is newer than what the other did.
      if (mine !== undefined && mine < at && since <= at)
        fail(
          'one-writer',
          `${healer.owner} wrote at ${mine}, ${owner} at ${at}, and ${healer.owner} again now`,
        );
    }
    this.#writers.set(group, writers.set(healer.owner, this.#aws.now));
  }

  #nothingFromARunningHolder(step: Step): void {
    if (step.do !== 'detachInterface' && step.do !== 'detachVolume') return;
    const state = this.#aws.instance(step.instanceId)?.state;
    if (state === 'running' || state === 'pending')
      // It was stopped for as long as readings may lag, and was started after the look.
      if (!this.#recently((world) => world.instances.get(step.instanceId)?.state === 'stopped'))
        fail('running-holder', `${step.do} from ${step.instanceId}, which is ${state}`);
  }

  #nothingOfOthers(step: Step): void {
    if (step.do === 'associateAddress' && step.reassociate) {
      const isTheirs = (world: World): boolean => {
        const on = world.elasticIps.get(step.allocationId) ?? null;
        return world.interfaces.get(on ?? '')?.owner === 'somebody';
      };
      if (isTheirs(this.#aws.world) && !this.#recently((world) => !isTheirs(world)))
        fail('not-ours', `${step.allocationId} is taken from somebody else`);
    }
    if (step.do === 'replaceRoute') {
      const key = `${step.tableId} ${step.destination.value}`;
      const isTheirs = (world: World): boolean => world.routes.get(key)?.startsWith('nat-') === true;
      if (isTheirs(this.#aws.world) && !this.#recently((world) => !isTheirs(world)))
        fail('not-ours', `${key} is taken from a gateway`);
    }
  }

  #completes({ group, instanceId, result, hook }: Extract<Step, { do: 'complete' }>): void {
    const identity = this.#identityOf(group);
    if (hook === 'heal-launch' && result === 'CONTINUE') {
      if (!this.#recently((world) => isWhole(identity, world, instanceId)))
        fail('continued-what-is-not-whole', `${instanceId} of ${identity.name}`);
      return;
    }
    if (hook === 'heal-terminate' && !this.#recently((world) => !losesSomething(world, instanceId)))
      fail('deletes-what-is-needed', `with ${instanceId} of ${identity.name}`);
    const isRunning = (world: World): boolean => world.instances.get(instanceId)?.state === 'running';
    if (this.#scenario.desired.pairs.length === 0 || !isRunning(this.#aws.world)) return;
    if (hook === 'heal-terminate' && this.#aws.instance(instanceId)?.guest.hung === true) return;
    const isServing = (world: World): boolean => world.active === instanceId && isRunning(world);
    if (!this.#recently((world) => !isServing(world)))
      fail('active-terminated', `${instanceId} of ${identity.name} is ACTIVE`);
    if (hook === 'heal-launch') return;
    const isServed = ({ active, instances }: World): boolean =>
      active !== null && active !== instanceId && instances.get(active)?.state === 'running';
    // One that is not well, or was not a moment ago, could not serve.
    const upAt = this.#aws.instance(instanceId)?.guest.upAt ?? Infinity;
    const isWell = upAt <= this.#aws.now - this.#blindMs;
    const lacksInterfaces = (world: World): boolean => !hasInterfaces(identity, world, instanceId);
    const couldServe = isWell && this.#aws.seesAll(instanceId) && !this.#recently(lacksInterfaces);
    if (couldServe && !this.#recently(isServed))
      fail('both-down', `${instanceId} of ${identity.name} goes, and nobody else serves`);
  }

  #reboots(instanceId: string): void {
    const { world } = this.#aws;
    const member = [...world.groups.values()]
      .flatMap(({ members }) => members)
      .find(({ id }) => id === instanceId);
    if (
      member?.lifecycle === 'InService' &&
      !this.#recently((past) => lifecycleOf(past, instanceId) !== 'InService')
    )
      fail('rebooted-in-service', instanceId);
    if (world.active === instanceId && !this.#recently(({ active }) => active !== instanceId))
      fail('rebooted-active', instanceId);
  }

  /** Each second: an instance that waits longer than it may has been told about. */
  tick(someoneLooks: boolean): void {
    if (!someoneLooks) return;
    for (const identity of this.#scenario.desired.identities) {
      for (const { id, lifecycle } of this.#aws.world.groups.get(identity.group)?.members ?? []) {
        const launchedAt = this.#aws.instance(id)?.launchedAt ?? this.#aws.now;
        const isLate = this.#aws.now > launchedAt + identity.healWithinMs + SLACK_MS;
        const lastAlarm = this.#lastAlarm.get(identity.name) ?? -Infinity;
        if (lifecycle === 'Pending:Wait' && isLate && lastAlarm < launchedAt)
          fail('ends-or-alarms', `${id} of ${identity.name} waits since ${launchedAt}`);
      }
    }
  }

  /** What is not well yet; null where all is. */
  illness(): { readonly invariant: string; readonly text: string } | null {
    for (const identity of this.#scenario.desired.identities) {
      const group = this.#aws.world.groups.get(identity.group);
      const member = group?.members.find(({ lifecycle }) => lifecycle === 'InService');
      if (member === undefined || !isWhole(identity, this.#aws.world, member.id))
        return { invariant: 'converges', text: `${identity.name}: ${JSON.stringify(group?.members)}` };
      const told = parseRecord(group?.record ?? '')?.told ?? [];
      if (told.length > 0) return { invariant: 'alarms-end', text: `${identity.name}: ${told.join()}` };
    }
    return null;
  }

  #identityOf(group: string): Identity {
    const identity = this.#scenario.desired.identities.find((each) => each.group === group);
    if (identity === undefined) throw new Error(`no identity of ${group}`);
    return identity;
  }

  #recently(holds: (world: World) => boolean): boolean {
    return this.#aws.worldsOf(this.#blindMs).some(holds);
  }
}

function fail(invariant: string, text: string): never {
  throw new HealViolation(invariant, text);
}

/** Something that belongs to an identity would be deleted with this instance. */
function losesSomething({ interfaces, volumes }: World, id: string): boolean {
  return [...interfaces.values(), ...volumes.values()].some(
    ({ instanceId, madeWith, deleteOnTermination }) =>
      instanceId === id && madeWith === null && deleteOnTermination,
  );
}

function lifecycleOf(world: World, instanceId: string): string | undefined {
  return [...world.groups.values()].flatMap(({ members }) => members).find(({ id }) => id === instanceId)
    ?.lifecycle;
}

function groupOf(step: Step, world: World, { desired }: HealScenario): string {
  if ('group' in step) return step.group;
  const instanceId = 'instanceId' in step ? step.instanceId : null;
  const byInstance = world.instances.get(instanceId ?? '')?.group ?? null;
  if (byInstance !== null) return byInstance;
  const interfaceId = 'interfaceId' in step ? step.interfaceId : '';
  const place = world.interfaces.get(interfaceId);
  const named = desired.identities.find(({ name }) => name === place?.owner)?.group;
  return named ?? world.instances.get(place?.instanceId ?? '')?.group ?? '';
}

function hasInterfaces(identity: Identity, world: World, instanceId: string): boolean {
  return identity.interfaces.every(() => isOn(world.interfaces.get(`eni-${identity.name}`), instanceId));
}

const isOn = (
  thing: { readonly instanceId: string | null; readonly status: string } | undefined,
  instanceId: string,
): boolean => thing?.instanceId === instanceId && thing.status === 'attached';

/** What really belongs to the identity is really there. */
export function isWhole(identity: Identity, world: World, instanceId: string): boolean {
  const instance: SimInstance | undefined = world.instances.get(instanceId);
  if (instance?.state !== 'running') return false;
  const slotInterface = (deviceIndex: number): string =>
    deviceIndex === 0 ? `eni-of-${instanceId}` : `eni-${identity.name}`;
  return (
    hasInterfaces(identity, world, instanceId) &&
    identity.volumes.every(() => isOn(world.volumes.get(`vol-${identity.name}`), instanceId)) &&
    identity.elasticIps.every(
      ({ allocationId, slot }) => world.elasticIps.get(allocationId) === slotInterface(slot.deviceIndex),
    ) &&
    identity.routes.every(
      ({ table, destination, slot }) =>
        world.routes.get(`${'id' in table ? table.id : ''} ${destination.value}`) ===
        slotInterface(slot.deviceIndex),
    )
  );
}

export const actionOf = (step: Step): string => ACTIONS[step.do];
