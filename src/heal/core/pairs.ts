/**
 * Pairs of routers. Who has what floats is ACTIVE: that is read from EC2, as the daemons do, and the switchover is
 * theirs. The healer reboots or abandons no instance that has any of it, and lets a group terminate one only while the
 * other router has all of it.
 */
import type { IdentityFacts } from './context';
import type { Pair } from './desired';
import { blocked, joined, wait, type Finding } from './finding';
import { questionKey, selected, type Member, type Observed } from './observed';
import { unseen } from './unseen';

export function pairOf(name: string, pairs: readonly Pair[]): Pair | null {
  return pairs.find(({ members }) => members.includes(name)) ?? null;
}

/** Each floating thing and the instance that has it; null for nobody, or no instance. */
function floatingHolders({ floating }: Pair, observed: Observed): readonly (string | null)[] {
  const ofInterface = (id: string | null): string | null =>
    observed.interfaces.find((each) => each.id === id)?.attachment?.instanceId ?? null;
  return [
    ...floating.privateAddresses.map(
      (address) =>
        observed.interfaces.find(({ addresses }) => addresses.includes(address))?.attachment?.instanceId ??
        null,
    ),
    ...floating.routes.map(({ table, destination }) => {
      const entry = selected(observed.tables, table)[0]?.routes.find(
        (each) => each.destination === destination.value,
      );
      return entry === undefined || entry.blackhole
        ? null
        : (ofInterface(entry.interfaceId) ?? entry.instanceId);
    }),
    ...floating.elasticIps.map((id) => {
      const seen = observed.elasticIps[id];
      return seen === undefined ? null : (ofInterface(seen.interfaceId) ?? seen.instanceId);
    }),
  ];
}

/** It is ACTIVE, or was a moment ago, or becomes it. */
export function holdsFloating(
  { pair, observed }: Pick<IdentityFacts, 'pair' | 'observed'>,
  instanceId: string,
): boolean {
  return pair !== null && floatingHolders(pair, observed).includes(instanceId);
}

/** What keeps a group from terminating this instance. */
export function departureFindings(facts: IdentityFacts, leaving: Member): readonly Finding[] {
  const { pair, observed, identity, desired, now } = facts;
  const state = observed.instances[leaving.id]?.state;
  // What is gone forwards nothing, and its successor comes the sooner.
  if (pair === null || state === undefined || state === 'shutting-down' || state === 'terminated') return [];
  if (isServedWithout(facts, leaving.id)) return [];
  if (state !== 'running') {
    const since = observed.memory.stoppedSince[leaving.id];
    // A reading may lag: an instance that was started just now may still be shown as stopped.
    return state === 'stopped' && since !== undefined && now - since > desired.stalenessMs
      ? []
      : [wait(`${leaving.id} is ${state}, and may have been started meanwhile`, 'ec2')];
  }
  const question = { ask: 'status', instanceId: leaving.id } as const;
  const answer = observed.answers[questionKey(question)];
  if (answer === undefined) return [{ kind: 'ask', question }];
  const checks = answer.kind === 'status' ? answer.status.checks : 'ok';
  if (checks === 'impaired') return [];
  const other = pair.members.find((name) => name !== identity.name) ?? '';
  if (holdsFloating(facts, leaving.id))
    return [
      blocked(
        'active-terminating',
        `${leaving.id} is ACTIVE and ${identity.group} is to terminate it: it waits until ${other} has taken over; a switchover on ${identity.name} brings that about`,
      ),
    ];
  // One that has nothing of what floats, and could not serve if it had, cannot be missed.
  if (checks !== 'ok' || !couldServe(facts, leaving)) return [];
  return [
    blocked(
      'last-one',
      `${identity.group} is to terminate ${leaving.id} while ${other} does not have ${joined(floatingWords(pair))}: it waits until ${other} has`,
    ),
  ];
}

/** It has its interfaces and, as far as is known, its guest sees them: one whose launch was given up may not. */
function couldServe(facts: IdentityFacts, leaving: Member): boolean {
  const { identity, observed, group } = facts;
  const target = observed.instances[leaving.id];
  if (target === undefined) return false;
  const hasAll = identity.interfaces.every(({ selector }) =>
    selected(observed.interfaces, selector).some(
      ({ attachment }) => attachment?.instanceId === leaving.id && attachment.status === 'attached',
    ),
  );
  // Whether an instance was rebooted is known only while its own healing is the last one.
  const isUnfinished = group.record?.instance === leaving.id && group.record.begunAt !== null;
  return hasAll && !(isUnfinished && unseen({ ...facts, member: leaving, target }).length > 0);
}

/** Another running instance of the pair, be it the successor of this one, has all of what floats. */
function isServedWithout({ pair, observed, desired }: IdentityFacts, leavingId: string): boolean {
  if (pair === null) return false;
  const holders = floatingHolders(pair, observed);
  const [holder] = holders;
  if (holder === undefined || holder === null || holder === leavingId) return false;
  if (holders.some((each) => each !== holder)) return false;
  const groups = desired.identities
    .filter(({ name }) => pair.members.includes(name))
    .map(({ group }) => group);
  const isMember = groups.some((group) => observed.groups[group]?.instances.some(({ id }) => id === holder));
  return isMember && observed.instances[holder]?.state === 'running';
}

/** Whether no router of the pair has an instance that runs. */
export function bothDown({ pair, observed, desired }: IdentityFacts): boolean {
  if (pair === null) return false;
  return pair.members.every((name) => {
    const group = observed.groups[desired.identities.find((each) => each.name === name)?.group ?? ''];
    return (group?.instances ?? []).every(({ id }) => observed.instances[id]?.state !== 'running');
  });
}

function floatingWords({ floating }: Pair): readonly string[] {
  return [
    ...floating.privateAddresses,
    ...floating.routes.map(({ destination }) => destination.value),
    ...floating.elasticIps,
  ];
}
