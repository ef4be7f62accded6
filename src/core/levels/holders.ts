/** Who holds a target: when two holders are the same, whose one is, and what to call it. */
import type { Holder, InterfaceHolder } from '../state/readings';
import type { CloudDescription } from '../state/plan';
import type { Turn } from '../state/turn';

/** Undefined where it is no interface. */
export function interfaceIdOf(holder: Holder | null | undefined): string | undefined {
  return holder?.kind === 'interface' ? holder.networkInterfaceId : undefined;
}

/** The instance that has it; null if none does. Something else may have it all the same. */
export function instanceOf(holder: Holder | null | undefined): string | null {
  if (holder?.kind !== 'interface') return null;
  return holder.attachment.to === 'instance' ? holder.attachment.instanceId : null;
}

/** On an interface that an instance or a service of the cloud has. */
export function isAttached(holder: Holder | null | undefined): boolean {
  return holder?.kind === 'interface' && holder.attachment.to !== 'nothing';
}

/** It is no instance and may well serve, so the cloud cannot be asked how it is. */
export function isOfNoInstance(holder: Holder | null): boolean {
  if (holder?.kind === 'interface') return holder.attachment.to === 'service';
  return holder?.kind === 'gateway';
}

/** An Elastic IP on the right interface but on the wrong address there is in another place. */
export function isSamePlace(one: Holder | null, other: Holder | null): boolean {
  return one?.mine === other?.mine && placeOf(one) === placeOf(other);
}

/** Neither its place nor its state has changed. */
export function isSameHolder(one: Holder | null, other: Holder | null): boolean {
  return (
    placeOf(one) === placeOf(other) &&
    ownerOf(one) === ownerOf(other) &&
    addressOn(one) === addressOn(other) &&
    one?.blackhole === other?.blackhole
  );
}

function placeOf(holder: Holder | null): string | null {
  switch (holder?.kind) {
    case 'interface':
      return holder.networkInterfaceId;
    case 'gateway':
      return holder.gatewayId;
    case 'nowhere':
      return '';
    case undefined:
      return null;
  }
}

/** Whose the interface is, for comparing. */
function ownerOf(holder: Holder | null): string | null {
  if (holder?.kind !== 'interface') return null;
  const { attachment } = holder;
  return attachment.to === 'instance' ? attachment.instanceId : attachment.to;
}

const addressOn = (holder: Holder | null): string | undefined =>
  holder?.kind === 'interface' ? holder.privateAddress : undefined;

export function isHeldBy(turn: Turn, id: string, to: Holder): boolean {
  return isSamePlace(turn.state.ownership?.holders[id] ?? null, to);
}

/** `on eni-1 of i-1`. */
export function holderWords(cloud: CloudDescription, holder: Holder | null): string {
  if (holder === null) return 'with no owner';
  if (holder.kind === 'nowhere') return 'a blackhole that leads nowhere';
  const blackhole = holder.blackhole === true ? ', a blackhole' : '';
  if (holder.mine) return `on this router${blackhole}`;
  return `on ${holder.kind === 'gateway' ? holder.gatewayId : interfaceWords(cloud, holder)}${blackhole}`;
}

/** `eni-1 of i-1`. */
function interfaceWords(cloud: CloudDescription, holder: InterfaceHolder): string {
  const { networkInterfaceId, attachment } = holder;
  return attachment.to === 'nothing'
    ? networkInterfaceId
    : `${networkInterfaceId} of ${ownerName(cloud, holder)}`;
}

/** The one whom somebody would have to ask about it. */
export function ownerName(cloud: CloudDescription, holder: Holder | null | undefined): string {
  if (holder?.kind === 'gateway') return holder.gatewayId;
  if (holder?.kind !== 'interface') return '';
  const { networkInterfaceId, attachment } = holder;
  switch (attachment.to) {
    case 'instance':
      return attachment.instanceId;
    case 'service':
      return `${cloud.service}${attachment.name === null ? '' : ` (${attachment.name})`}`;
    case 'nothing':
      return networkInterfaceId;
  }
}
