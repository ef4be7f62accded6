/** Which instance of the group is the identity now, and which ones are on their way out. */
import type { Identity } from './desired';
import type { Group, Member } from './observed';

export type Members = {
  /** The one that is to be whole; null while there is none. */
  readonly present: Member | null;
  readonly leaving: readonly Member[];
  /** More than one that could be meant: nothing is decided about them. */
  readonly several: readonly Member[];
  /** Set aside by an operator: nothing is done to it. */
  readonly aside: readonly Member[];
};

const isLeaving = ({ lifecycle }: Member): boolean =>
  /^(Terminating|Terminated|Detaching|Detached)/.test(lifecycle);
const isAside = ({ lifecycle }: Member): boolean => /^(EnteringStandby|Standby|Warmed)/.test(lifecycle);
const isComing = ({ lifecycle }: Member): boolean => lifecycle.startsWith('Pending');

export function membersOf({ instances }: Group): Members {
  const leaving = instances.filter(isLeaving);
  const aside = instances.filter(isAside);
  const live = instances.filter((member) => !isLeaving(member) && !isAside(member));
  const coming = live.filter(isComing);
  const settled = live.filter((member) => !isComing(member));
  const several = coming.length > 1 ? coming : settled.length > 1 ? settled : [];
  const present = several.length > 0 ? null : (coming[0] ?? settled[0] ?? null);
  // A successor that is launched before the old one goes: the old one goes when the new one is ready.
  const replaced = coming.length === 1 ? settled : [];
  return { present, leaving: [...leaving, ...replaced], several, aside };
}

export const waitsToLaunch = ({ lifecycle }: Member): boolean => lifecycle === 'Pending:Wait';
export const waitsToTerminate = ({ lifecycle }: Member): boolean => lifecycle === 'Terminating:Wait';
export const isInService = ({ lifecycle }: Member): boolean => lifecycle === 'InService';

/** An instance of this group, now or before: what it holds may go to its successor. */
export function isOwn(
  identity: Identity,
  group: Group,
  instance: { readonly id: string; readonly group: string | null } | undefined,
): boolean {
  if (instance === undefined) return false;
  return instance.group === identity.group || group.instances.some(({ id }) => id === instance.id);
}
