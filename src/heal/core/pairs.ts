/**
 * Pairs of routers. Who has what floats is ACTIVE: that is read from EC2, as the daemons do, and the switchover is
 * theirs. The healer reboots or abandons no instance that has any of it, and lets a group terminate one only while the
 * other router has all of it.
 */
import type { IdentityFacts } from './context';
import type { Pair } from './desired';
import { blocked, joined, type Finding } from './finding';
import { isGone, questionKey, selected, type Member, type Observed } from './observed';

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
  const { pair, observed, identity } = facts;
  const instance = observed.instances[leaving.id];
  // What does not run forwards nothing, and its successor comes the sooner.
  if (pair === null || instance?.state !== 'running') return [];
  const other = pair.members.find((name) => name !== identity.name) ?? '';
  const peer = servingInstance(facts, other);
  if (peer !== null) return [];
  const question = { ask: 'status', instanceId: leaving.id } as const;
  const answer = observed.answers[questionKey(question)];
  if (answer === undefined) return [{ kind: 'ask', question }];
  if (answer.kind === 'status' && answer.status.checks === 'impaired') return [];
  return holdsFloating(facts, leaving.id)
    ? [
        blocked(
          'active-terminating',
          `${leaving.id} is ACTIVE and ${identity.group} is to terminate it: it waits until ${other} has taken over; a switchover on ${identity.name} brings that about`,
        ),
      ]
    : [
        blocked(
          'last-one',
          `${identity.group} is to terminate ${leaving.id} while ${other} does not have ${joined(floatingWords(pair))}: it waits until ${other} has`,
        ),
      ];
}

/** The running instance of the other router that has all of what floats. */
function servingInstance({ pair, observed, desired }: IdentityFacts, name: string): string | null {
  if (pair === null) return null;
  const holders = floatingHolders(pair, observed);
  const [holder] = holders;
  if (holder === undefined || holder === null || holders.some((each) => each !== holder)) return null;
  const identity = desired.identities.find((each) => each.name === name);
  const group = observed.groups[identity?.group ?? ''];
  const member = group?.instances.find(({ id }) => id === holder);
  const isServing =
    member !== undefined && !isGone(observed, holder) && observed.instances[holder]?.state === 'running';
  return isServing ? holder : null;
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
