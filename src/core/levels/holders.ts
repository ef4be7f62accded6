/** Who holds a target: when two holders are the same, and what to call one. */
import type { Holder } from '../state/model';
import type { Turn } from '../state/turn';

/** An Elastic IP may be on the right interface and there on the wrong address: that is another place. */
export function isSamePlace(one: Holder | null, other: Holder | null): boolean {
  return one?.networkInterfaceId === other?.networkInterfaceId && one?.mine === other?.mine;
}

/** Nothing about it has changed: neither the place nor in what state it is. */
export function isSameHolder(one: Holder | null, other: Holder | null): boolean {
  return (
    one?.networkInterfaceId === other?.networkInterfaceId &&
    one?.instanceId === other?.instanceId &&
    one?.privateAddress === other?.privateAddress &&
    one?.blackhole === other?.blackhole
  );
}

export function isHeldBy(turn: Turn, id: string, to: Holder): boolean {
  return isSamePlace(turn.state.ownership?.holders[id] ?? null, to);
}

/** `on eni-1 of i-1`. */
export function holderWords(holder: Holder | null): string {
  if (holder === null) return 'with no owner';
  const blackhole = holder.blackhole === true ? ', a blackhole' : '';
  if (holder.mine) return `on this router${blackhole}`;
  const owner = holder.instanceId === null ? '' : ` of ${holder.instanceId}`;
  return `on ${holder.networkInterfaceId}${owner}${blackhole}`;
}

/** Whom somebody would have to ask about it. */
export function ownerName(holder: Holder | null | undefined): string {
  return holder?.instanceId ?? holder?.networkInterfaceId ?? '';
}
