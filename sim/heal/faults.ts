/** What each fault does to the world; all of them end. */
import type { Api } from './api';
import type { Aws } from './aws';
import type { Clock } from './clock';
import type { SimHealer } from './healer';
import type { Fault, HealScenario } from './scenario';
import type { Random } from '../random';
import { ACTIONS } from '../../src/heal/core/steps';

export type Stage = {
  readonly scenario: HealScenario;
  readonly clock: Clock;
  readonly random: Random;
  readonly aws: Aws;
  readonly api: Api;
  /** The present life of each healer. */
  readonly healers: readonly SimHealer[];
  readonly restart: (index: number) => void;
};

export function strike(stage: Stage, fault: Fault): void {
  const { aws, api, clock, scenario, random } = stage;
  const identity = scenario.desired.identities.find(({ name }) => name === fault.of);
  const group = identity?.group ?? '';
  const until = clock.now + fault.forMs;
  const members = aws.world.groups.get(group)?.members ?? [];
  const inService = members.find(({ lifecycle }) => lifecycle === 'InService')?.id ?? members[0]?.id ?? '';
  const eni = aws.world.interfaces.get(`eni-${fault.of}`);
  const foreign = (): string => {
    const id = `i-foreign-${clock.now}`;
    const guest = { upAt: 0, hung: false };
    const other = {
      id,
      state: 'running' as const,
      launchedAt: 0,
      zone: 'zone-a',
      group: null,
      guest,
      reboots: [],
    };
    aws.change({ instances: new Map(aws.world.instances).set(id, other) });
    return id;
  };
  switch (fault.kind) {
    case 'terminate':
      return aws.terminate(inService);
    case 'stop':
    case 'stop and start': {
      if (aws.instance(inService)?.state !== 'running') return;
      aws.setInstance(inService, { state: 'stopped' });
      if (fault.kind === 'stop') return;
      return clock.after(random.int(1_000, 40_000), () => {
        if (aws.instance(inService)?.state === 'stopped') aws.start(inService);
      });
    }
    case 'hang': {
      const instance = aws.instance(inService);
      if (instance !== undefined) aws.setInstance(inService, { guest: { ...instance.guest, hung: true } });
      return;
    }
    case 'recycle':
      if (members.some(({ id, lifecycle }) => id === inService && lifecycle === 'InService'))
        aws.leave(group, inService);
      return;
    case 'launch before terminate':
      if (members.length !== 1 || members[0]?.lifecycle !== 'InService') return;
      aws.launch(group);
      return clock.after(random.int(60_000, 200_000), () => {
        if (aws.world.groups.get(group)?.members.some(({ id }) => id === inService) === true)
          aws.leave(group, inService);
      });
    case 'guest never comes up':
      aws.deadGuests.add(group);
      return aws.terminate(inService);
    case 'reboot never comes back':
      aws.deadReboots.add(group);
      return aws.terminate(inService);
    case 'no capacity':
      aws.noCapacityUntil.set(group, until);
      return aws.terminate(inService);
    case 'other zone':
      aws.otherZoneUntil.set(group, until);
      return aws.terminate(inService);
    case 'detached by hand':
      if (eni !== undefined) aws.setInterface(eni.id, { status: 'available', instanceId: null });
      return;
    case 'attached elsewhere':
      if (eni?.status !== 'available' && eni?.status !== 'attached') return;
      aws.setInterface(eni.id, { status: 'attached', instanceId: foreign() });
      return clock.after(fault.forMs, () => {
        if (aws.world.interfaces.get(eni.id)?.instanceId?.startsWith('i-foreign') === true)
          aws.setInterface(eni.id, { status: 'available', instanceId: null });
      });
    case 'stuck in detaching':
      if (eni !== undefined) aws.stuckUntil.set(eni.id, until);
      return aws.terminate(inService);
    case 'elastic ip elsewhere': {
      const [id] = [...aws.world.elasticIps.keys()];
      if (id === undefined) return;
      const other = foreign();
      const place = aws.world.interfaces.get(`eni-of-${inService}`);
      if (place === undefined) return;
      const theirs = {
        ...place,
        id: `eni-of-${other}`,
        instanceId: other,
        madeWith: other,
        owner: 'somebody',
      };
      aws.change({
        interfaces: new Map(aws.world.interfaces).set(theirs.id, theirs),
        elasticIps: new Map(aws.world.elasticIps).set(id, theirs.id),
      });
      return clock.after(fault.forMs, () => {
        if (aws.world.elasticIps.get(id) === theirs.id)
          aws.change({ elasticIps: new Map(aws.world.elasticIps).set(id, null) });
      });
    }
    case 'route to a gateway':
    case 'route deleted': {
      const [key] = [...aws.world.routes.keys()];
      if (key === undefined) return;
      const routes = new Map(aws.world.routes);
      if (fault.kind === 'route deleted') routes.delete(key);
      else routes.set(key, 'nat-1');
      aws.change({ routes });
      return clock.after(fault.forMs, () => {
        const now = new Map(aws.world.routes);
        if (now.get(key) !== 'nat-1') return;
        now.delete(key);
        aws.change({ routes: now });
      });
    }
    case 'record deleted':
      return aws.setGroup(group, { record: null });
    case 'deleted on termination':
      if (eni?.status === 'attached' && eni.instanceId === inService)
        aws.setInterface(eni.id, { deleteOnTermination: true });
      return;
    case 'second match of a tag':
      if (eni !== undefined) aws.ambiguousUntil.set(eni.id, until);
      return;
    case 'throttled':
    case 'unanswered':
    case 'reads denied':
      api.until[fault.kind] = until;
      return;
    case 'denied': {
      const actions = Object.values(ACTIONS);
      api.deniedAction = actions[random.int(0, actions.length - 1)] ?? '';
      api.until.denied = until;
      return;
    }
    case 'stale':
      aws.staleUntil = until;
      return;
    case 'killed':
      return stage.restart(fault.healer);
    case 'paused': {
      const healer = stage.healers[fault.healer];
      if (healer !== undefined) healer.pausedUntil = Math.max(healer.pausedUntil, until);
      return;
    }
  }
}
