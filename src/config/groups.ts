/** From the configuration to the groups: which targets move together, and which sessions watch over them. */
import type { Plan, PlannedSession, Target } from '../core/plan';
import { ipv4Number } from './ipv4';
import type { Config } from './schema';
import type { Group } from './settings';

/** The only group of a configuration that does not write any. */
const DEFAULT_GROUP = 'default';

type Action = Config['action'];

/** `place`: where its targets stand in the configuration. */
export function groupsOf(
  config: Config,
  sessions: readonly PlannedSession[],
  common: Pick<Plan, 'foreignHolder' | 'timing'>,
): readonly (Group & { readonly place: string })[] {
  const { trigger, preferred, action } = config;
  const plan: Plan = { targets: targetsOf(action), sessions, trigger, preferred, ...common };
  return [{ name: DEFAULT_GROUP, plan, place: 'config.action.method_params.intf_list' }];
}

/** In canonical order: never by place in the configuration. */
function targetsOf({ method_params: { intf_list } }: Action): readonly Target[] {
  return intf_list
    .map((entry) => ({ address: entry.secondary_ip, deviceIndex: entry.instance_intf_number }))
    .sort((a, b) => (ipv4Number(a.address) ?? 0) - (ipv4Number(b.address) ?? 0));
}
