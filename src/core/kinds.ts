/**
 * The one place where the core looks at what kind a target is: which targets go to an interface in one call, what
 * has to be taken off the holder first, what has to be moved before, and where at the peer a target belongs. To claim
 * means the same for all: without reassignment EC2 refuses what somebody else holds. The calls themselves are in
 * aws/moves.
 */
import type { Target } from './state/plan';

/** Targets that go to the same interface and have this in common are moved by one call, which is all or nothing. */
export function sharedCall(target: Target): string {
  switch (target.kind) {
    case 'privateAddress':
    case 'ipv6Address':
      return target.kind;
    case 'route':
    case 'elasticIp':
      return target.id;
  }
}

/** EC2 moves it only from nobody: whoever holds it has to lose it first, and for a moment nobody has it. */
export function movesFromNobodyOnly({ kind }: Target): boolean {
  switch (kind) {
    case 'ipv6Address':
      return true;
    case 'privateAddress':
    case 'route':
    case 'elasticIp':
      return false;
  }
}

/** At the peer too it belongs on an interface of the same subnet; otherwise on the one with the same device index. */
export function belongsToSubnet({ kind }: Target): boolean {
  switch (kind) {
    case 'privateAddress':
    case 'ipv6Address':
      return true;
    case 'route':
    case 'elasticIp':
      return false;
  }
}

/** Where on the interface; null where EC2 is not told. */
export function privateAddressFor(target: Target): string | null {
  switch (target.kind) {
    case 'elasticIp':
      return target.privateAddress;
    case 'privateAddress':
    case 'ipv6Address':
    case 'route':
      return null;
  }
}

/**
 * The one of these targets that this one is put on: EC2 refuses to move it to a place where that one is not yet.
 * Nothing rests on what itself rests on another.
 */
export function restsOn(targets: readonly Target[], target: Target): Target | undefined {
  switch (target.kind) {
    case 'elasticIp': {
      const { privateAddress } = target;
      if (privateAddress === null) return undefined;
      return targets.find((other) => other.kind === 'privateAddress' && other.address === privateAddress);
    }
    case 'privateAddress':
    case 'ipv6Address':
    case 'route':
      return undefined;
  }
}
