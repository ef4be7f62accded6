/**
 * What a healing would do: the rules asked again and again, with each step taken for done and each question for
 * answered well. So a plan and a healing have the same steps.
 */
import type { Desired, Identity } from './desired';
import { membersOf } from './members';
import {
  questionKey,
  selected,
  type Answer,
  type AssociatedAddress,
  type Group,
  type Instance,
  type NetworkInterface,
  type Observed,
  type Question,
} from './observed';
import { reconcile, type Decision } from './reconcile';
import { settlingMs, type HealRecord } from './record';
import type { Step } from './steps';

export type Foreseen = {
  /** One after the other; the steps of one round go side by side. */
  readonly rounds: readonly (readonly { readonly identity: string; readonly step: Step }[])[];
  /** What it would come to, or wait for: the last decision about each identity. */
  readonly end: readonly Decision[];
};

/** No healing has more; this only ends what does not. */
const ROUNDS_MAX = 40;

export function foresee(desired: Desired, observed: Observed, now: number): Foreseen {
  const rounds: { identity: string; step: Step }[][] = [];
  let seen = observed;
  let time = now;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const decisions = reconcile(desired, seen, time);
    const questions = decisions.flatMap((decision) => decision.questions);
    const steps = decisions.flatMap(({ identity, steps: own }) => own.map((step) => ({ identity, step })));
    if (questions.length > 0) {
      seen = { ...seen, answers: { ...seen.answers, ...answered(desired, questions) } };
      continue;
    }
    if (steps.length > 0) {
      rounds.push(steps);
      seen = steps.reduce((after, { step }) => applied(after, step, time), seen);
      time += 1;
    } else {
      const later = nextTime(desired, seen, time);
      if (later === null) return { rounds, end: decisions };
      time = later;
    }
    seen = { ...seen, startedAt: time };
  }
  return { rounds, end: reconcile(desired, seen, time) };
}

/** When the right is certain, or a reboot is long enough ago; null where time alone changes nothing. */
function nextTime(desired: Desired, { groups }: Observed, now: number): number | null {
  const times = desired.identities.flatMap(({ group, restartMs }) => {
    const record = groups[group]?.record ?? null;
    if (record === null) return [];
    const certainAt = record.since + settlingMs(desired);
    return record.rebootedAt === null ? [certainAt] : [certainAt, record.rebootedAt + restartMs];
  });
  const later = times.filter((time) => time > now);
  return later.length === 0 ? null : Math.min(...later);
}

function answered(
  { identities }: Desired,
  questions: readonly Question[],
): { readonly [question: string]: Answer } {
  return Object.fromEntries(
    questions.map((question) => [questionKey(question), goodAnswer(identities, question)]),
  );
}

function goodAnswer(identities: readonly Identity[], question: Question): Answer {
  switch (question.ask) {
    case 'hooks': {
      const identity = identities.find(({ group }) => group === question.group);
      const hooks = identity === undefined ? [] : [identity.launchHook, identity.terminateHook];
      const transitions = ['launching', 'terminating'] as const;
      return {
        kind: 'hooks',
        hooks: Object.fromEntries(
          hooks.map((name, index) => [
            name,
            { transition: transitions[index] ?? 'launching', heartbeatTimeoutMs: 3_600_000 },
          ]),
        ),
      };
    }
    case 'activity':
      return { kind: 'activity', activity: null };
    case 'status':
      return { kind: 'status', status: { checks: 'ok', application: 'ok' } };
    case 'probe':
      return { kind: 'probe', ok: true, says: '200' };
  }
}

/** The world as it is when this step has been done. */
export function applied(seen: Observed, step: Step, now: number): Observed {
  switch (step.do) {
    case 'attachInterface':
      return withInterface(seen, step.interfaceId, {
        attachment: {
          id: `eni-attach-of-${step.interfaceId}`,
          instanceId: step.instanceId,
          slot: step.slot,
          status: 'attached',
          attachedAt: now,
          deleteOnTermination: false,
        },
      });
    case 'detachInterface':
      return withInterface(seen, step.interfaceId, { attachment: null });
    case 'keepInterface':
      return withInterface(seen, step.interfaceId, {}, { deleteOnTermination: false });
    case 'disableSourceDestCheck':
      return withInterface(seen, step.interfaceId, { sourceDestCheck: false });
    case 'assignAddresses': {
      const before = seen.interfaces.find(({ id }) => id === step.interfaceId)?.addresses ?? [];
      return withInterface(seen, step.interfaceId, { addresses: [...before, ...step.addresses] });
    }
    case 'attachVolume':
      return withVolume(seen, step.volumeId, {
        instanceId: step.instanceId,
        device: step.device,
        status: 'attached',
        deleteOnTermination: false,
      });
    case 'keepVolume':
      return withVolume(seen, step.volumeId, {
        instanceId: step.instanceId,
        device: step.device,
        status: 'attached',
        deleteOnTermination: false,
      });
    case 'detachVolume':
      return withVolume(seen, step.volumeId, null);
    case 'associateAddress': {
      const place = seen.interfaces.find(({ id }) => id === step.interfaceId);
      const address: AssociatedAddress = {
        interfaceId: step.interfaceId,
        instanceId: place?.attachment?.instanceId ?? null,
        privateAddress: step.privateAddress,
      };
      return { ...seen, elasticIps: { ...seen.elasticIps, [step.allocationId]: address } };
    }
    case 'createRoute':
    case 'replaceRoute':
      return withRoute(seen, step);
    case 'complete':
      return completed(seen, step);
    case 'reboot':
    case 'writeRecord':
    case 'tell':
      return withRecord(seen, step.group, step.record);
    case 'heartbeat':
      return {
        ...seen,
        memory: {
          ...seen.memory,
          heartbeats: { ...seen.memory.heartbeats, [step.instanceId]: now },
        },
      };
  }
}

function withInterface(
  seen: Observed,
  interfaceId: string,
  change: Partial<NetworkInterface>,
  attachment: Partial<NonNullable<NetworkInterface['attachment']>> = {},
): Observed {
  return {
    ...seen,
    interfaces: seen.interfaces.map((each) =>
      each.id === interfaceId
        ? {
            ...each,
            attachment: each.attachment === null ? null : { ...each.attachment, ...attachment },
            ...change,
          }
        : each,
    ),
  };
}

function withVolume(
  seen: Observed,
  volumeId: string,
  attachment: Observed['volumes'][number]['attachment'],
): Observed {
  const state = attachment === null ? 'available' : 'in-use';
  return {
    ...seen,
    volumes: seen.volumes.map((each) => (each.id === volumeId ? { ...each, state, attachment } : each)),
  };
}

function withRoute(
  seen: Observed,
  { tableId, destination, interfaceId }: Extract<Step, { do: 'createRoute' | 'replaceRoute' }>,
): Observed {
  const instanceId = seen.interfaces.find(({ id }) => id === interfaceId)?.attachment?.instanceId ?? null;
  const entry = { destination: destination.value, blackhole: false, interfaceId, instanceId, other: null };
  return {
    ...seen,
    tables: seen.tables.map((table) =>
      table.id === tableId
        ? {
            ...table,
            routes: [...table.routes.filter((each) => each.destination !== destination.value), entry],
          }
        : table,
    ),
  };
}

function withRecord(seen: Observed, name: string, record: HealRecord): Observed {
  const group = seen.groups[name] ?? null;
  return group === null ? seen : { ...seen, groups: { ...seen.groups, [name]: { ...group, record } } };
}

function completed(
  seen: Observed,
  { group: name, instanceId, result }: Extract<Step, { do: 'complete' }>,
): Observed {
  const group = seen.groups[name] ?? null;
  const member = group?.instances.find(({ id }) => id === instanceId);
  if (group === null || member === undefined) return seen;
  if (member.lifecycle.startsWith('Pending') && result === 'CONTINUE')
    return withMembers(
      seen,
      group,
      group.instances.map((each) => (each.id === instanceId ? { ...each, lifecycle: 'InService' } : each)),
    );
  return lost(seen, group, instanceId);
}

function withMembers(seen: Observed, group: Group, instances: Group['instances']): Observed {
  return { ...seen, groups: { ...seen.groups, [group.name]: { ...group, instances } } };
}

/** As EC2 leaves it: what outlives the instance is free, what was made with it is gone. */
function lost(seen: Observed, group: Group, instanceId: string): Observed {
  const isOn = ({ attachment }: NetworkInterface): boolean => attachment?.instanceId === instanceId;
  const deleted = seen.interfaces.filter(
    (each) => isOn(each) && each.attachment?.deleteOnTermination === true,
  );
  const isDeleted = (id: string | null): boolean => deleted.some((each) => each.id === id);
  const { [instanceId]: _gone, ...instances } = seen.instances;
  const without = withMembers(
    seen,
    group,
    group.instances.filter(({ id }) => id !== instanceId),
  );
  return {
    ...without,
    instances,
    interfaces: seen.interfaces
      .filter(({ id }) => !isDeleted(id))
      .map((each) => (isOn(each) ? { ...each, attachment: null } : each)),
    volumes: seen.volumes.map((each) =>
      each.attachment?.instanceId === instanceId ? { ...each, state: 'available', attachment: null } : each,
    ),
    elasticIps: Object.fromEntries(
      Object.entries(seen.elasticIps).map(([id, each]) => [
        id,
        isDeleted(each.interfaceId) ? { interfaceId: null, instanceId: null, privateAddress: null } : each,
      ]),
    ),
    tables: seen.tables.map((table) => ({
      ...table,
      routes: table.routes.map((route) =>
        isDeleted(route.interfaceId) ? { ...route, blackhole: true, instanceId: null } : route,
      ),
    })),
  };
}

/** What there would be to do if the instance was lost now; null where it has none. */
export function afterLoss(identity: Identity, seen: Observed, now: number): Observed | null {
  const group = seen.groups[identity.group] ?? null;
  const present = group === null ? null : membersOf(group).present;
  const old = seen.instances[present?.id ?? ''];
  if (group === null || old === undefined) return null;
  const persistent = identity.interfaces.flatMap(({ selector }) => selected(seen.interfaces, selector));
  const successor: Instance = {
    ...old,
    id: `the successor of ${old.id}`,
    state: 'running',
    launchedAt: now - 1,
  };
  const made = seen.interfaces
    .filter((each) => each.attachment?.instanceId === old.id && !persistent.includes(each))
    .map((each): NetworkInterface => {
      const slot = each.attachment?.slot ?? { networkCardIndex: 0, deviceIndex: 0 };
      return {
        ...each,
        id: `its interface ${slot.deviceIndex}`,
        sourceDestCheck: true,
        attachment: {
          id: `its attachment ${slot.deviceIndex}`,
          instanceId: successor.id,
          slot,
          status: 'attached',
          attachedAt: now,
          deleteOnTermination: true,
        },
      };
    });
  const without = lost(seen, group, old.id);
  const bereft = without.groups[identity.group] ?? group;
  return {
    ...withMembers(without, bereft, [...bereft.instances, { id: successor.id, lifecycle: 'Pending:Wait' }]),
    instances: { ...without.instances, [successor.id]: successor },
    interfaces: [...without.interfaces, ...made],
  };
}
