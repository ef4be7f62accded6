/** What a guest does not see of its instance before it is rebooted. */
import type { Context } from './context';
import { selected } from './observed';

/** The interfaces that were attached while the guest ran and that it has not been rebooted for, as far as is known. */
export function unseen(context: Context): readonly string[] {
  const { identity, observed, target } = context;
  if (!identity.rebootAfterAttach) return [];
  const from = Math.max(target.launchedAt, rebootedAt(context) ?? 0);
  return identity.interfaces
    .flatMap(({ selector }) => selected(observed.interfaces, selector))
    .filter(({ attachment }) => attachment?.instanceId === target.id && attachment.attachedAt > from)
    .map(({ id }) => id);
}

/** When this healing has rebooted the instance; null where it has not, as far as is known. */
export function rebootedAt({ group, target }: Context): number | null {
  return group.record?.instance === target.id ? group.record.rebootedAt : null;
}
