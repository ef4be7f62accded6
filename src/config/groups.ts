/** From the configuration to the groups: which targets move together, and which sessions watch over them. */
import type { Plan, Target } from '../core/state/plan';
import type { Config } from './schema';
import type { Group } from './settings';

/** The only group of a configuration that does not write any. */
const DEFAULT_GROUP = 'default';

/** `common`: what a group has where it says nothing else. `targetsOf`: as the cloud of the configuration has them. */
export function groupsOf<T extends Target>(
  config: Config,
  common: Omit<Plan<T>, 'targets'>,
  targetsOf: (written: Pick<Config, 'action' | 'actions'>) => readonly T[],
): readonly Group<T>[] {
  const { groups } = config;
  if (groups === undefined) return [{ name: DEFAULT_GROUP, plan: { ...common, targets: targetsOf(config) } }];
  return groups.map((group) => ({
    name: group.name,
    plan: {
      ...common,
      targets: targetsOf(group),
      // In the order of the sessions, whatever the order of their names.
      sessions: common.sessions.filter((_, place) =>
        watches(config.bfd_sessions[place]?.name, group.bfd_sessions),
      ),
      preferred: group.preferred ?? common.preferred,
      trigger: group.trigger ?? common.trigger,
    },
  }));
}

function watches(name: string | undefined, names: readonly string[] | undefined): boolean {
  return names === undefined || (name !== undefined && names.includes(name));
}
