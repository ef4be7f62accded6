/**
 * An instance that its group is about to terminate: what has to be kept is kept from being deleted with it, what can
 * move to a ready successor has moved, and a router that its pair still needs stays. Then the group may go on.
 */
import type { IdentityFacts } from './context';
import { act, wait, type Finding } from './finding';
import { heartbeatSteps, hookOf } from './hooks';
import { waitsToTerminate } from './members';
import { selected, type Instance, type Member } from './observed';
import { departureFindings } from './pairs';

export type Successor = {
  readonly id: string;
  /** It has everything that it can have while the old one is there. */
  readonly isReady: boolean;
};

export function releaseFindings(
  facts: IdentityFacts,
  leaving: Member,
  successor: Successor | null,
): readonly Finding[] {
  if (!waitsToTerminate(leaving)) return [];
  const reading = hookOf(facts, 'terminating');
  if (reading.kind === 'finding') return [reading.finding];
  const { identity } = facts;
  const kept = keepFindings(facts, leaving);
  const open = [
    ...kept,
    ...(kept.length === 0 ? departureFindings(facts, leaving) : []),
    ...(kept.length === 0 ? successorFindings(facts, leaving, successor) : []),
  ];
  if (open.length > 0) return [...heartbeatSteps(facts, leaving, reading).map(act), ...open];
  return [
    act({
      do: 'complete',
      group: identity.group,
      hook: reading.name,
      instanceId: leaving.id,
      result: 'CONTINUE',
    }),
  ];
}

/** Whatever belongs to the identity and would be deleted with this instance. */
function keepFindings({ identity, observed }: IdentityFacts, { id: instanceId }: Member): readonly Finding[] {
  const interfaces = identity.interfaces.flatMap(({ selector }) => selected(observed.interfaces, selector));
  const volumes = identity.volumes.flatMap(({ selector }) => selected(observed.volumes, selector));
  return [
    ...interfaces.flatMap(({ id: interfaceId, attachment }) =>
      attachment?.instanceId === instanceId && attachment.deleteOnTermination
        ? [act({ do: 'keepInterface', interfaceId, attachmentId: attachment.id })]
        : [],
    ),
    ...volumes.flatMap(({ id: volumeId, attachment }) =>
      attachment?.instanceId === instanceId && attachment.deleteOnTermination
        ? [act({ do: 'keepVolume', volumeId, instanceId, device: attachment.device })]
        : [],
    ),
  ];
}

const isAlive = (state: Instance['state'] | undefined): boolean =>
  state !== undefined && state !== 'shutting-down' && state !== 'terminated';

/** It stays for what its successor takes over from it, unless it has what the successor waits for. */
function successorFindings(
  { identity, observed }: IdentityFacts,
  leaving: Member,
  successor: Successor | null,
): readonly Finding[] {
  if (successor === null || successor.isReady) return [];
  // What is gone serves nobody any more.
  if (!isAlive(observed.instances[leaving.id]?.state)) return [];
  if (identity.elasticIps.length + identity.routes.length === 0) return [];
  const hasWhatIsNeeded = [
    ...identity.interfaces.flatMap(({ selector }) => selected(observed.interfaces, selector)),
    ...identity.volumes.flatMap(({ selector }) => selected(observed.volumes, selector)),
  ].some(({ attachment }) => attachment?.instanceId === leaving.id);
  return hasWhatIsNeeded
    ? []
    : [wait(`${leaving.id} stays until ${successor.id} has what leads to it`, 'guest')];
}
