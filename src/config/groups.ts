/** From the configuration to the groups: which targets move together, and which sessions watch over them. */
import type { Plan, PlannedSession, Target } from '../core/plan';
import { ipv4Number } from './ipv4';
import type { Config } from './schema';
import type { Group } from './settings';

/** The only group of a configuration that does not write any. */
const DEFAULT_GROUP = 'default';

type Action = NonNullable<Config['action']>;

/** `place`: where its targets stand in the configuration. */
export function groupsOf(
  config: Config,
  sessions: readonly PlannedSession[],
  common: Pick<Plan, 'foreignHolder' | 'timing'>,
): readonly (Group & { readonly place: string })[] {
  const { trigger, preferred, action, groups = [] } = config;
  const own = (group: string, of: Action, at: string, change: Partial<Plan> = {}) => ({
    name: group,
    plan: { targets: targetsOf(of), sessions, trigger, preferred, ...common, ...change },
    place: `${at}.action.method_params.intf_list`,
  });
  if (action !== undefined) return [own(DEFAULT_GROUP, action, 'config')];
  return groups.map((group, index) =>
    own(group.name, group.action, `config.groups[${index}]`, {
      // In the order of the sessions, whatever the order of their names.
      sessions: sessions.filter((_, place) => watches(config.bfd_sessions[place]?.name, group.bfd_sessions)),
      preferred: group.preferred ?? preferred,
      trigger: group.trigger ?? trigger,
    }),
  );
}

function watches(name: string | undefined, names: readonly string[] | undefined): boolean {
  return names === undefined || (name !== undefined && names.includes(name));
}

/** In canonical order: never by place in the configuration. */
function targetsOf({ method_params: { intf_list } }: Action): readonly Target[] {
  return intf_list
    .map((entry) => ({ address: entry.secondary_ip, deviceIndex: entry.instance_intf_number }))
    .sort((a, b) => (ipv4Number(a.address) ?? 0) - (ipv4Number(b.address) ?? 0));
}
