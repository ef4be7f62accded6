/**
 * EC2 and Auto Scaling as far as a healing needs them, in virtual time: groups of one with hooks, instances that boot and
 * terminate, interfaces and volumes that take their time, addresses, routes, tags; readings that lag. It shares nothing
 * with the lab. Everything is replaced and never changed, so that a reading of the past is a reference to it.
 */
import type { Identity } from '../../src/heal/core/desired';
import type { Clock } from './clock';
import type { HealScenario, Span } from './scenario';
import type { Random } from '../random';

export type Guest = {
  /** When it forwards, if nothing happens; Infinity where it never does. */
  readonly upAt: number;
  readonly hung: boolean;
};

export type SimInstance = {
  readonly id: string;
  readonly state: 'pending' | 'running' | 'shutting-down' | 'terminated' | 'stopping' | 'stopped';
  readonly launchedAt: number;
  readonly zone: string;
  /** Null for one of somebody else. */
  readonly group: string | null;
  readonly guest: Guest;
  readonly reboots: readonly number[];
};

export type SimMember = {
  readonly id: string;
  readonly lifecycle: string;
  /** Of its hook; Infinity while it is in none. */
  readonly hookEndsAt: number;
};

export type SimGroup = {
  readonly name: string;
  readonly members: readonly SimMember[];
  readonly record: string | null;
};

export type Thing = {
  readonly id: string;
  readonly zone: string;
  readonly status: 'available' | 'attaching' | 'attached' | 'detaching';
  readonly instanceId: string | null;
  readonly attachmentId: string;
  readonly attachedAt: number;
  readonly deviceIndex: number;
  readonly deleteOnTermination: boolean;
  /** Of interfaces: made with this instance. */
  readonly madeWith: string | null;
  readonly check: boolean;
  readonly owner: string;
};

export type World = {
  readonly instances: ReadonlyMap<string, SimInstance>;
  readonly groups: ReadonlyMap<string, SimGroup>;
  readonly interfaces: ReadonlyMap<string, Thing>;
  readonly volumes: ReadonlyMap<string, Thing>;
  /** The interface that each Elastic IP is on. */
  readonly elasticIps: ReadonlyMap<string, string | null>;
  /** What each route of each table leads to: an interface, or a gateway; missing where there is none. */
  readonly routes: ReadonlyMap<string, string>;
  /** The instance that has what floats. */
  readonly active: string | null;
};

export const ZONE = 'zone-a';

export class Aws {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #scenario: HealScenario;
  readonly #history: { readonly at: number; readonly world: World }[] = [];
  world: World;
  count = 0;
  /** By group: faults that wait for their moment. */
  readonly noCapacityUntil = new Map<string, number>();
  readonly otherZoneUntil = new Map<string, number>();
  readonly deadGuests = new Set<string>();
  readonly deadReboots = new Set<string>();
  readonly stuckUntil = new Map<string, number>();
  readonly ambiguousUntil = new Map<string, number>();
  staleUntil = 0;
  onTerminated: (instance: SimInstance) => void = () => {};
  onHookOver: (group: string, member: SimMember) => void = () => {};

  constructor(scenario: HealScenario, clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
    this.#scenario = scenario;
    const { identities } = scenario.desired;
    const pair = identities.length > 1;
    this.world = {
      instances: new Map(),
      groups: new Map(identities.map(({ group: name }) => [name, { name, members: [], record: null }])),
      interfaces: new Map(
        identities.flatMap((identity) =>
          identity.interfaces.map(() => thing(`eni-${identity.name}`, identity)),
        ),
      ),
      volumes: new Map(
        identities.flatMap((identity) => identity.volumes.map(() => thing(`vol-${identity.name}`, identity))),
      ),
      elasticIps: new Map(
        identities.flatMap(({ elasticIps }) =>
          elasticIps.map(({ allocationId }) => [allocationId, null] as const),
        ),
      ),
      routes: new Map(),
      active: null,
    };
    for (const { group } of identities) this.launch(group);
    if (pair) this.#every(1_000, () => this.#daemons());
    this.#every(1_000, () => this.#groups());
  }

  get now(): number {
    return this.#clock.now;
  }

  draw([from, to]: Span): number {
    return this.#random.spread(Math.max(1, from), Math.max(from, to));
  }

  change(part: Partial<World>): void {
    this.#history.push({ at: this.now, world: this.world });
    if (this.#history.length > 400) this.#history.splice(0, 200);
    this.world = { ...this.world, ...part };
  }

  /** What a reading shows that lags by so much. */
  past(lagMs: number): World {
    const at = this.now - lagMs;
    // An entry is the world as it was until then.
    const entry = this.#history.find((each) => each.at > at);
    return entry?.world ?? this.world;
  }

  /** All worlds that there were in so many milliseconds, the present one included. */
  worldsOf(agoMs: number): readonly World[] {
    const from = this.now - agoMs;
    return [...this.#history.filter(({ at }) => at >= from).map(({ world }) => world), this.world];
  }

  lag(): number {
    const { stalenessMs } = this.#scenario.desired;
    return this.now < this.staleUntil ? this.#random.int(0, stalenessMs) : this.#random.int(0, 300);
  }

  instance(id: string | null): SimInstance | undefined {
    return id === null ? undefined : this.world.instances.get(id);
  }

  setInstance(id: string, part: Partial<SimInstance>): void {
    const before = this.world.instances.get(id);
    if (before !== undefined)
      this.change({ instances: new Map(this.world.instances).set(id, { ...before, ...part }) });
  }

  setInterface(id: string, part: Partial<Thing>): void {
    const before = this.world.interfaces.get(id);
    if (before !== undefined)
      this.change({ interfaces: new Map(this.world.interfaces).set(id, { ...before, ...part }) });
  }

  setVolume(id: string, part: Partial<Thing>): void {
    const before = this.world.volumes.get(id);
    if (before !== undefined)
      this.change({ volumes: new Map(this.world.volumes).set(id, { ...before, ...part }) });
  }

  setGroup(name: string, part: Partial<SimGroup>): void {
    const before = this.world.groups.get(name);
    if (before !== undefined)
      this.change({ groups: new Map(this.world.groups).set(name, { ...before, ...part }) });
  }

  setMember(group: string, id: string, part: Partial<SimMember> | null): void {
    const members = (this.world.groups.get(group)?.members ?? []).flatMap((each) =>
      each.id !== id ? [each] : part === null ? [] : [{ ...each, ...part }],
    );
    this.setGroup(group, { members });
  }

  isForwarding(id: string | null): boolean {
    const instance = this.instance(id);
    return instance?.state === 'running' && !instance.guest.hung && this.now >= instance.guest.upAt;
  }

  /** Its guest boots. */
  start(id: string): void {
    const instance = this.instance(id);
    if (instance === undefined) return;
    const upAt = this.now + this.draw(this.#scenario.latency.boot);
    this.setInstance(id, { state: 'running', guest: { ...instance.guest, upAt } });
  }

  /** What it got while it ran it does not see before a reboot. */
  seesAll(id: string): boolean {
    const instance = this.instance(id);
    const identity = this.#scenario.desired.identities.find(({ group }) => group === instance?.group);
    return identity?.rebootAfterAttach !== true || (instance?.reboots.length ?? 0) > 0;
  }

  launch(group: string): void {
    this.count += 1;
    const id = `i-${this.count}`;
    const zone = this.now < (this.otherZoneUntil.get(group) ?? 0) ? 'zone-b' : ZONE;
    const neverUp = this.deadGuests.delete(group);
    const instance: SimInstance = {
      id,
      state: 'pending',
      launchedAt: this.now,
      zone,
      group,
      guest: { upAt: neverUp ? Infinity : this.now + this.draw(this.#scenario.latency.boot), hung: false },
      reboots: [],
    };
    const primary = {
      ...thing(`eni-of-${id}`, { name: group })[1],
      zone,
      status: 'attached' as const,
      instanceId: id,
      attachedAt: this.now,
      deviceIndex: 0,
      deleteOnTermination: true,
      madeWith: id,
      check: true,
    };
    this.change({
      instances: new Map(this.world.instances).set(id, instance),
      interfaces: new Map(this.world.interfaces).set(primary.id, primary),
    });
    const members = this.world.groups.get(group)?.members ?? [];
    this.setGroup(group, { members: [...members, { id, lifecycle: 'Pending', hookEndsAt: Infinity }] });
    this.#clock.after(this.#random.int(500, 15_000), () => {
      if (this.instance(id)?.state !== 'pending') return;
      this.setInstance(id, { state: 'running' });
      this.setMember(group, id, {
        lifecycle: 'Pending:Wait',
        hookEndsAt: this.now + this.#scenario.group.hookMs,
      });
    });
  }

  /** By whoever does it: the instance goes, and what it had is free some time later. */
  terminate(id: string): void {
    const instance = this.instance(id);
    if (instance === undefined || ['shutting-down', 'terminated'].includes(instance.state)) return;
    this.setInstance(id, { state: 'shutting-down' });
    this.onTerminated(instance);
    this.#clock.after(this.draw(this.#scenario.latency.terminate), () => {
      this.setInstance(id, { state: 'terminated' });
      for (const each of [...this.world.interfaces.values()])
        if (each.instanceId === id) this.#freed(each, 'interface');
      for (const each of [...this.world.volumes.values()])
        if (each.instanceId === id) this.#freed(each, 'volume');
    });
  }

  #freed(each: Thing, kind: 'interface' | 'volume'): void {
    if (each.deleteOnTermination) {
      // What belongs to an identity is made anew by its operator, who has been told that it is missing.
      if (each.madeWith === null) this.#clock.after(300_000, () => this.#madeAnew(each, kind));
      if (kind === 'volume') this.change({ volumes: without(this.world.volumes, each.id) });
      else {
        const elasticIps = new Map(this.world.elasticIps);
        for (const [id, on] of elasticIps) if (on === each.id) elasticIps.set(id, null);
        this.change({ interfaces: without(this.world.interfaces, each.id), elasticIps });
      }
      return;
    }
    const set = (part: Partial<Thing>) =>
      kind === 'volume' ? this.setVolume(each.id, part) : this.setInterface(each.id, part);
    set({ status: 'detaching' });
    const stuckFor = Math.max(0, (this.stuckUntil.get(each.id) ?? 0) - this.now);
    this.#clock.after(stuckFor + this.draw(this.#scenario.latency.attach), () =>
      set({ status: 'available', instanceId: null, deleteOnTermination: false }),
    );
  }

  #madeAnew(each: Thing, kind: 'interface' | 'volume'): void {
    const fresh = { ...each, status: 'available' as const, instanceId: null, deleteOnTermination: false };
    if (kind === 'volume') this.change({ volumes: new Map(this.world.volumes).set(each.id, fresh) });
    else this.change({ interfaces: new Map(this.world.interfaces).set(each.id, fresh) });
  }

  /** What Auto Scaling sees and does, each second. */
  #groups(): void {
    for (const group of [...this.world.groups.values()]) {
      for (const member of group.members) this.#member(group.name, member);
      const live = (this.world.groups.get(group.name)?.members ?? []).filter(
        ({ lifecycle }) => !lifecycle.startsWith('Terminat'),
      );
      const leaving = (this.world.groups.get(group.name)?.members ?? []).length - live.length;
      if (live.length > 0 || leaving > 0 || this.now < (this.noCapacityUntil.get(group.name) ?? 0)) continue;
      if (this.#random.chance(1000 / this.draw(this.#scenario.group.launch))) this.launch(group.name);
    }
  }

  #member(group: string, member: SimMember): void {
    const instance = this.instance(member.id);
    if (member.hookEndsAt <= this.now) {
      this.onHookOver(group, member);
      // The default result of a launching hook is ABANDON.
      if (member.lifecycle === 'Pending:Wait') this.leave(group, member.id);
      else this.proceed(group, member.id);
      return;
    }
    if (member.lifecycle === 'Terminating:Proceed' && instance?.state === 'terminated')
      return this.setMember(group, member.id, null);
    const isBad = instance?.state !== 'running' || (instance.guest.hung && member.lifecycle === 'InService');
    if (!isBad || instance?.state === 'pending' || member.lifecycle.startsWith('Terminat')) return;
    if (this.#random.chance(1000 / this.draw(this.#scenario.group.notice))) this.leave(group, member.id);
  }

  /** Auto Scaling wants it gone: its hook first. */
  leave(group: string, id: string): void {
    this.setMember(group, id, {
      lifecycle: 'Terminating:Wait',
      hookEndsAt: this.now + this.#scenario.group.hookMs,
    });
  }

  proceed(group: string, id: string): void {
    this.setMember(group, id, { lifecycle: 'Terminating:Proceed', hookEndsAt: Infinity });
    this.terminate(id);
  }

  /** What the daemons of the two routers do, and their operator where one is about to go or waits for a reboot. */
  #daemons(): void {
    const { active } = this.world;
    const members = [...this.world.groups.values()].flatMap(({ members: all }) => all);
    const isWanted = members.some(({ id, lifecycle }) => id === active && lifecycle.endsWith(':Wait'));
    if (this.isForwarding(active) && !(isWanted && this.#random.chance(0.05))) return;
    const ready = members.find(
      ({ id, lifecycle }) =>
        id !== active &&
        this.isForwarding(id) &&
        this.seesAll(id) &&
        (lifecycle === 'InService' || !this.isForwarding(active)),
    );
    if (ready !== undefined) this.change({ active: ready.id });
  }

  #every(ms: number, what: () => void): void {
    this.#clock.after(ms, () => {
      what();
      this.#every(ms, what);
    });
  }
}

function thing(id: string, { name }: Pick<Identity, 'name'>): readonly [string, Thing] {
  return [
    id,
    {
      id,
      zone: ZONE,
      status: 'available',
      instanceId: null,
      attachmentId: `attach-${id}`,
      attachedAt: 0,
      deviceIndex: 1,
      deleteOnTermination: false,
      madeWith: null,
      check: true,
      owner: name,
    },
  ];
}

function without<Value>(map: ReadonlyMap<string, Value>, key: string): ReadonlyMap<string, Value> {
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}
