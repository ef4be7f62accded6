/** What the rules about one identity look at. */
import type { Desired, Identity, Pair } from './desired';
import type { Group, Instance, Member, Observed } from './observed';

export type IdentityFacts = {
  readonly desired: Desired;
  readonly identity: Identity;
  /** Null for one that is in no pair. */
  readonly pair: Pair | null;
  readonly group: Group;
  readonly observed: Observed;
  readonly now: number;
};

export type Context = IdentityFacts & {
  /** The instance that is to be whole. */
  readonly target: Instance;
  readonly member: Member;
};
