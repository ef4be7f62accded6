/**
 * What the core has to know of each kind of target: which targets go to an interface in one call, what has to be taken
 * off the holder first, what has to be moved before, where at the peer a target belongs, and its name in `show`. To
 * claim means the same for all: without reassignment EC2 refuses what somebody else holds. How a kind is written in the
 * configuration is in config/kinds.ts; how AWS reads, moves, checks and permits it, in aws/kinds.
 */
import type { Kind, Target, TargetOf } from './state/plan';

type CoreKind<K extends Kind> = {
  /** Its name in `show`. */
  readonly shownAs: string;
  /** EC2 moves it only from nobody: whoever holds it has to lose it first, and for a moment nobody has it. */
  readonly movesFromNobodyOnly: boolean;
  /** At the peer too it belongs on an interface of the same subnet; otherwise on the one with the same device index. */
  readonly belongsToSubnet: boolean;
  /** Targets that go to the same interface and have this in common are moved by one call, which is all or nothing. */
  sharedCall(target: TargetOf<K>): string;
  /** The private address of the interface that it is put on; null where EC2 is not told. */
  putOn(target: TargetOf<K>): string | null;
  /** The private address that it is, so that others can be put on it; null where nothing can. */
  carriesAt(target: TargetOf<K>): string | null;
};

const KINDS: { readonly [K in Kind]: CoreKind<K> } = {
  privateAddress: {
    shownAs: 'private_ip',
    movesFromNobodyOnly: false,
    belongsToSubnet: true,
    sharedCall: ({ kind }) => kind,
    putOn: () => null,
    carriesAt: ({ address }) => address,
  },
  ipv6Address: {
    shownAs: 'ipv6',
    movesFromNobodyOnly: true,
    belongsToSubnet: true,
    sharedCall: ({ kind }) => kind,
    putOn: () => null,
    carriesAt: () => null,
  },
  route: {
    shownAs: 'route',
    movesFromNobodyOnly: false,
    belongsToSubnet: false,
    sharedCall: ({ id }) => id,
    putOn: () => null,
    carriesAt: () => null,
  },
  elasticIp: {
    shownAs: 'elastic_ip',
    movesFromNobodyOnly: false,
    belongsToSubnet: false,
    sharedCall: ({ id }) => id,
    putOn: ({ privateAddress }) => privateAddress,
    carriesAt: () => null,
  },
};

const of = <K extends Kind>({ kind }: { readonly kind: K }): CoreKind<K> => KINDS[kind];

export const shownAs = (target: Target): string => of(target).shownAs;
export const movesFromNobodyOnly = (target: Target): boolean => of(target).movesFromNobodyOnly;
export const belongsToSubnet = (target: Target): boolean => of(target).belongsToSubnet;
export const sharedCall = (target: Target): string => of(target).sharedCall(target);
export const privateAddressFor = (target: Target): string | null => of(target).putOn(target);

/**
 * The one of these targets that this one is put on: EC2 refuses to move it to a place where that one is not yet.
 * Nothing rests on what itself rests on another.
 */
export function restsOn(targets: readonly Target[], target: Target): Target | undefined {
  const address = privateAddressFor(target);
  if (address === null) return undefined;
  return targets.find((other) => of(other).carriesAt(other) === address);
}
