/**
 * Two configurations as those of a pair: what is a mistake only beside the other one. Each sentence names the place in
 * both files. What may differ between two routers (device indexes, names of interfaces, how each reaches AWS and its
 * own router) is not compared.
 */
import { addressOf, elasticIpOf, extraRouteOf, floatingIpOf, idOf, routeOf } from './kinds';
import type { Config } from './schema';
import { at, unlike, type Side } from './pairPlaces';
import { pairSessions } from './pairSessions';
import { place, printable, shown, type Path } from './words';

/** What is somewhere in a file; `group` is null where the file has none. */
type Found = { readonly id: string; readonly group: string | null; readonly path: Path };

type Action = NonNullable<Config['action']>;

/** All mistakes, one sentence each. */
export function pairMistakes(one: Side, other: Side): readonly string[] {
  return [
    ...groupMistakes(one, other),
    ...targetMistakes(one, other),
    ...preferredMistakes(one, other),
    ...pairSessions(one, other),
    ...keyMistakes(one, other),
  ];
}

// ---- Groups and targets ----

function groupMistakes(one: Side, other: Side): readonly string[] {
  const [withGroups, without] = one.config.groups === undefined ? [other, one] : [one, other];
  if (withGroups.config.groups === undefined) return [];
  if (without.config.groups === undefined) {
    const there = at(withGroups, ['config', 'groups']);
    return [`${there}: ${printable(without.name)} has no groups; write the same groups in both`];
  }
  return [...missingGroups(one, other), ...missingGroups(other, one)];
}

function missingGroups(side: Side, other: Side): readonly string[] {
  const names = (other.config.groups ?? []).map(({ name }) => name);
  return (side.config.groups ?? []).flatMap(({ name }, index) =>
    names.includes(name)
      ? []
      : [
          `${at(side, ['config', 'groups', index, 'name'])}: ${printable(other.name)} config.groups has no group ${shown(name)}; a group has the same name in both`,
        ],
  );
}

function targetMistakes(one: Side, other: Side): readonly string[] {
  const [mine, theirs] = [targetsIn(one.config), targetsIn(other.config)];
  return [...missing(one, mine, other, theirs), ...missing(other, theirs, one, mine), ...strays()];

  function strays(): readonly string[] {
    // Where one file has no groups, that is said once, not for each target.
    if (one.config.groups === undefined || other.config.groups === undefined) return [];
    return mine.flatMap(({ id, group, path }) => {
      const there = theirs.find((each) => each.id === id);
      return there === undefined || there.group === group
        ? []
        : [
            `${at(one, path)} and ${at(other, there.path)}: ${id} is in group ${shown(group)} in the one and in group ${shown(there.group)} in the other; move it to the same group`,
          ];
    });
  }
}

function missing(
  side: Side,
  targets: readonly Found[],
  other: Side,
  others: readonly Found[],
): readonly string[] {
  return targets
    .filter(({ id }) => !others.some((each) => each.id === id))
    .map(({ id, path, group }) => {
      const where = printable(`${other.name} ${whereTargetsAre(other.config, group)}`);
      return `${at(side, path)}: ${id} is not in ${where}; both routers move the same targets, written in the same way: add it there, or remove it here`;
    });
}

function whereTargetsAre({ groups, actions }: Config, group: string | null): string {
  const index = groups?.findIndex(({ name }) => name === group) ?? -1;
  if (index >= 0) return place(['config', 'groups', index]);
  return place(['config', groups !== undefined ? 'groups' : actions !== undefined ? 'actions' : 'action']);
}

function targetsIn(config: Config): readonly Found[] {
  const { groups } = config;
  if (groups === undefined) return targetsOf(config, ['config'], null);
  return groups.flatMap((group, index) => targetsOf(group, ['config', 'groups', index], group.name));
}

function targetsOf(
  { action, actions }: Pick<Config, 'action' | 'actions'>,
  path: Path,
  group: string | null,
): readonly Found[] {
  if (actions !== undefined)
    return actions.flatMap((each, index) => targetsOfAction(each, [...path, 'actions', index], group));
  return action === undefined ? [] : targetsOfAction(action, [...path, 'action'], group);
}

function targetsOfAction(
  { method_params: lists }: Action,
  path: Path,
  group: string | null,
): readonly Found[] {
  const found = (list: string, index: number, key: string, id: string): Found => ({
    id,
    group,
    path: [...path, 'method_params', list, index, key],
  });
  return [
    ...(lists.intf_list ?? []).map((entry, index) =>
      found('intf_list', index, 'secondary_ip', idOf(addressOf(entry.secondary_ip))),
    ),
    ...(lists.route_list ?? []).map((entry, index) =>
      found('route_list', index, 'destination', idOf(routeOf(entry))),
    ),
    ...(lists.eip_list ?? []).map((entry, index) =>
      found('eip_list', index, 'allocation_id', idOf(elasticIpOf(entry))),
    ),
    ...(lists.floating_ip_list ?? []).map((entry, index) =>
      found('floating_ip_list', index, 'floating_ip', idOf(floatingIpOf(entry))),
    ),
    ...(lists.extra_route_list ?? []).map((entry, index) =>
      found('extra_route_list', index, 'destination', idOf(extraRouteOf(entry))),
    ),
  ];
}

// ---- Who is preferred ----

type Preference = { readonly path: Path; readonly preferred: boolean };

/** By group; the whole file is one where it has none. */
function preferences({ preferred, groups }: Config): ReadonlyMap<string | null, Preference> {
  const whole = { path: ['config', 'preferred'], preferred };
  if (groups === undefined) return new Map([[null, whole]]);
  return new Map(
    groups.map(({ name, preferred: own }, index) => [
      name,
      own === undefined ? whole : { path: ['config', 'groups', index, 'preferred'], preferred: own },
    ]),
  );
}

function preferredMistakes(one: Side, other: Side): readonly string[] {
  const theirs = preferences(other.config);
  return [...preferences(one.config)].flatMap(([group, mine]) => {
    const there = theirs.get(group);
    if (!mine.preferred || there?.preferred !== true) return [];
    const forGroup = group === null ? '' : ` for group ${shown(group)}`;
    return [
      `${at(one, mine.path)} and ${at(other, there.path)}: both routers are preferred${forGroup}, and would take from each other; write false in one of them`,
    ];
  });
}

// ---- Keys that both read in the same way ----

/**
 * The times and choices that the two have to have in common, so that they judge the same thing in the same way. Not
 * here: what depends on the router (`settle_ms`), on its way to EC2 (`api_timeout_s`, `hedge_ms`, `hedge_least_ms`), or counts for one of
 * them only (`preempt_delay_s`).
 */
const COMMON_KEYS = [
  'keepalive_s',
  'role_ttl_s',
  'staleness_s',
  'trigger',
  'reestablish_s',
  'reestablish_after_interface_s',
  'armed_ttl_s',
  'partial_hold_s',
  'evidence_hold_s',
  'take_from_running_after_s',
  'damping_half_life_s',
  'own_stall_hold_s',
  'foreign_holder',
] as const satisfies readonly (keyof Config)[];

function keyMistakes(one: Side, other: Side): readonly string[] {
  return [
    ...COMMON_KEYS.flatMap((key) => {
      const path = ['config', key];
      return unlike(one, path, one.config[key], other, path, other.config[key]);
    }),
    ...(one.config.groups ?? []).flatMap(({ name, trigger = one.config.trigger }, index) => {
      const there = other.config.groups?.findIndex((each) => each.name === name) ?? -1;
      const theirs = other.config.groups?.[there]?.trigger ?? other.config.trigger;
      // What is written outside is told once, above.
      const isWrittenHere = one.config.groups?.[index]?.trigger ?? other.config.groups?.[there]?.trigger;
      if (there < 0 || isWrittenHere === undefined) return [];
      const path = (place: number): Path => ['config', 'groups', place, 'trigger'];
      return unlike(one, path(index), trigger, other, path(there), theirs);
    }),
  ];
}
