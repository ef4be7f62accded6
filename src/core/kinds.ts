/**
 * What a target's kind means for a move: which targets go to an interface in one call, what has to be taken off the holder
 * first, what has to be moved before, and where at the peer a target belongs. The kinds themselves are those of the plan's
 * cloud: none is named here.
 */
import type { Plan, Target, TargetKind } from './state/plan';

type OfCloud = Pick<Plan, 'cloud'>;

export function kindOf({ cloud }: OfCloud, { id, kind }: Target): TargetKind {
  const found = cloud.kinds[kind];
  if (found === undefined) throw new Error(`${id} is a ${kind}, which ${cloud.name} does not have`);
  return found;
}

/** What targets have in common that one call moves to the same interface. */
export function sharedCall(plan: OfCloud, target: Target): string {
  return kindOf(plan, target).movesTogether ? target.kind : target.id;
}

/**
 * The one of these targets that this one is put on: the cloud refuses to move it to a place where that one is not yet.
 * Nothing rests on what itself rests on another.
 */
export function restsOn<T extends Target>(targets: readonly T[], target: Target): T | undefined {
  return isOnAddress(target) ? basesAmong(targets)(target) : undefined;
}

/** The same for many of them. */
export function basesAmong<T extends Target>(targets: readonly T[]): (target: Target) => T | undefined {
  const byAddress = new Map<string, T>();
  for (const each of targets) {
    const { address } = each;
    if (address !== undefined && !byAddress.has(address)) byAddress.set(address, each);
  }
  return (target) => (isOnAddress(target) ? byAddress.get(target.privateAddress) : undefined);
}

/** What is put on the primary address, which is null, rests on no target. */
export function isOnAddress(target: Target): target is Target & { readonly privateAddress: string } {
  return typeof target.privateAddress === 'string';
}
