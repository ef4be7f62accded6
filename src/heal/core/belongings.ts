/**
 * Network interfaces and volumes: from the old instance, once it is gone for certain, to the new one. Nothing is taken
 * from an instance that runs, and nothing from one that is not of this group.
 */
import { selectorWords, type PersistentInterface, type PersistentVolume } from './desired';
import type { Context } from './context';
import { act, blocked, held, wait, type Finding } from './finding';
import { isOwn } from './members';
import { interfaceAt, isGone, sameSlot, selected } from './observed';

/** Everything that stands between the instance and what belongs to it. */
export function belongingFindings(context: Context): readonly Finding[] {
  const { identity } = context;
  return [
    ...identity.interfaces.flatMap((wanted) => interfaceFindings(context, wanted)),
    ...identity.volumes.flatMap((wanted) => volumeFindings(context, wanted)),
    ...checkFindings(context),
  ];
}

/** What the desired state names and the VPC has not once: nothing of the identity may be touched where it is more. */
export function ambiguousFindings({
  identity,
  observed,
}: Pick<Context, 'identity' | 'observed'>): readonly Finding[] {
  const named = [
    ...identity.interfaces.map(({ selector }) => ({
      selector,
      noun: 'network interfaces',
      found: selected(observed.interfaces, selector),
    })),
    ...identity.volumes.map(({ selector }) => ({
      selector,
      noun: 'volumes',
      found: selected(observed.volumes, selector),
    })),
    ...identity.routes.map(({ table }) => ({
      selector: table,
      noun: 'route tables',
      found: selected(observed.tables, table),
    })),
  ];
  return named.flatMap(({ selector, noun, found }) =>
    found.length > 1
      ? [
          blocked(
            'ambiguous',
            `${found.length} ${noun} have ${selectorWords(selector)} (${found.map(({ id }) => id).join(', ')}): give the tag to one of them`,
          ),
        ]
      : [],
  );
}

function interfaceFindings(context: Context, wanted: PersistentInterface): readonly Finding[] {
  const { observed, target } = context;
  const { selector, slot } = wanted;
  const [found] = selected(observed.interfaces, selector);
  if (found === undefined)
    return [blocked('missing', `the VPC has no network interface ${selectorWords(selector)}`)];
  const { id: interfaceId, zone, attachment } = found;
  if (attachment === null) {
    const taken = interfaceAt(observed, target.id, slot);
    if (zone !== target.zone) return [blocked('wrong-zone', zoneWords(interfaceId, zone, context))];
    if (taken !== null)
      return [
        blocked(
          'wrong-place',
          `${interfaceId} belongs at device index ${slot.deviceIndex} of ${target.id}, where ${taken.id} is`,
        ),
      ];
    return [act({ do: 'attachInterface', interfaceId, instanceId: target.id, slot })];
  }
  const { instanceId, status, id: attachmentId } = attachment;
  if (instanceId === target.id) {
    if (status !== 'attached') return [wait(`${interfaceId} is ${status} at ${target.id}`, 'ec2')];
    if (!sameSlot(attachment.slot, slot))
      return [
        blocked(
          'wrong-place',
          `${interfaceId} is at device index ${attachment.slot.deviceIndex} of ${target.id}, and belongs at ${slot.deviceIndex}: nothing is detached from an instance that runs`,
        ),
      ];
    const missing = wanted.privateAddresses.filter((address) => !found.addresses.includes(address));
    return [
      ...(missing.length > 0 ? [act({ do: 'assignAddresses', interfaceId, addresses: missing })] : []),
      ...(attachment.deleteOnTermination ? [act({ do: 'keepInterface', interfaceId, attachmentId })] : []),
    ];
  }
  if (instanceId === null) return [held(`${interfaceId} belongs to a service of AWS`)];
  return [
    holderFinding(context, {
      id: interfaceId,
      holder: instanceId,
      isDetaching: status === 'detaching',
      detach: act({ do: 'detachInterface', interfaceId, attachmentId, instanceId }),
    }),
  ];
}

function volumeFindings(context: Context, wanted: PersistentVolume): readonly Finding[] {
  const { observed, target } = context;
  const { selector, device } = wanted;
  const [found] = selected(observed.volumes, selector);
  if (found === undefined) return [blocked('missing', `there is no volume ${selectorWords(selector)}`)];
  const { id: volumeId, zone, attachment, state } = found;
  if (attachment === null) {
    if (zone !== target.zone) return [blocked('wrong-zone', zoneWords(volumeId, zone, context))];
    return state === 'available'
      ? [act({ do: 'attachVolume', volumeId, instanceId: target.id, device })]
      : [wait(`${volumeId} is ${state}`, 'ec2')];
  }
  const { instanceId, status } = attachment;
  if (instanceId === target.id) {
    if (status !== 'attached') return [wait(`${volumeId} is ${status} at ${target.id}`, 'ec2')];
    if (attachment.device !== device)
      return [
        blocked(
          'wrong-place',
          `${volumeId} is ${attachment.device} of ${target.id}, and belongs at ${device}: nothing is detached from an instance that runs`,
        ),
      ];
    return attachment.deleteOnTermination ? [act({ do: 'keepVolume', volumeId, instanceId, device })] : [];
  }
  return [
    holderFinding(context, {
      id: volumeId,
      holder: instanceId,
      isDetaching: status === 'detaching',
      detach: act({ do: 'detachVolume', volumeId, instanceId, device: attachment.device }),
    }),
  ];
}

/** Another instance has it. */
function holderFinding(
  { identity, group, observed, desired, now }: Context,
  {
    id,
    holder,
    isDetaching,
    detach,
  }: {
    readonly id: string;
    readonly holder: string;
    readonly isDetaching: boolean;
    readonly detach: Finding;
  },
): Finding {
  const instance = observed.instances[holder];
  if (isDetaching) return wait(`${id} is being detached from ${holder}`, 'ec2');
  if (isGone(observed, holder))
    return wait(`${holder} is gone, and EC2 still shows ${id} attached to it`, 'ec2');
  if (!isOwn(identity, group, instance))
    return held(
      `${id} is attached to ${holder}, which is ${instance?.state ?? 'gone'} and not of group ${identity.group}`,
    );
  if (instance?.state !== 'stopped') return wait(`${holder} has ${id} and is ${instance?.state}`, 'ec2');
  // A reading may lag: an instance that was started just now may still be shown as stopped.
  const since = observed.memory.stoppedSince[holder];
  return since !== undefined && now - since > desired.stalenessMs
    ? detach
    : wait(`${holder} has ${id} and has only just been seen stopped`, 'ec2');
}

function zoneWords(id: string, zone: string, { target }: Context): string {
  return `${id} is in ${zone} and ${target.id} in ${target.zone}: it cannot be attached there; let the group launch in ${zone} only`;
}

/** Source/destination checks of everything that is attached to the instance. */
function checkFindings({ identity, observed, target }: Context): readonly Finding[] {
  if (!identity.disableSourceDestCheck) return [];
  return observed.interfaces
    .filter(
      ({ attachment, sourceDestCheck }) =>
        sourceDestCheck && attachment?.instanceId === target.id && attachment.status === 'attached',
    )
    .map(({ id }) => act({ do: 'disableSourceDestCheck', interfaceId: id }));
}
