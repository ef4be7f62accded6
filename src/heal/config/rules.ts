/**
 * Rules of heal.json that span keys. They look at whatever part of a document is valid by itself, so that they are
 * checked even when other parts are wrong; a rule with a missing part finds nothing.
 */
import type { z } from 'zod';
import { parseDestination } from '../../config/destinations';
import { entries, isObject, member } from '../../config/document';
import { repeated } from '../../config/repeated';
import { place, type Path } from '../../config/words';
import {
  elasticIpSchema,
  healSchema,
  identitySchema,
  networkInterfaceSchema,
  pairSchema,
  proofSchema,
  routeSchema,
  volumeSchema,
} from './schema';

export type HealRule = {
  readonly severity: 'mistake' | 'warning';
  /** The rule as the reference states it. */
  readonly sentence: string;
  readonly find: (parts: HealParts) => readonly Finding[];
};

type Finding = { readonly path: Path; readonly message: string };
/** A thing of EC2 that the document names, and where. */
type Named = { readonly path: Path; readonly thing: string | undefined };

export type HealParts = ReturnType<typeof healPartsOf>;

const isString = (value: unknown): value is string => typeof value === 'string';
const text = (value: unknown): string | undefined => (isString(value) ? value : undefined);
const identityPath = (index: number, ...key: readonly PropertyKey[]): Path => [
  'heal',
  'identities',
  index,
  ...key,
];
const pairPath = (index: number, ...key: readonly PropertyKey[]): Path => ['heal', 'pairs', index, ...key];

export function healPartsOf(document: unknown) {
  const heal = member(document, 'heal');
  const { shape } = healSchema;
  return {
    heal,
    leaseS: valid(shape.lease_s, member(heal, 'lease_s')),
    apiTimeoutS: valid(shape.api_timeout_s, member(heal, 'api_timeout_s')),
    stalenessS: valid(shape.staleness_s, member(heal, 'staleness_s')),
    identities: entries(member(heal, 'identities')).map(identityParts),
    pairs: entries(member(heal, 'pairs')).map((pair) => ({
      pair,
      name: valid(pairSchema.shape.name, member(pair, 'name')),
      members: entries(member(pair, 'members')).map(text),
      floating: member(pair, 'floating'),
    })),
  };
}

function identityParts(identity: unknown, index: number) {
  const { shape } = identitySchema;
  const list = (key: string) =>
    entries(member(identity, key)).map((entry, at) => ({ entry, path: identityPath(index, key, at) }));
  return {
    isObject: isObject(identity),
    name: valid(shape.name, member(identity, 'name')),
    group: valid(shape.auto_scaling_group, member(identity, 'auto_scaling_group')),
    reboots: valid(shape.reboot_after_attach, member(identity, 'reboot_after_attach')),
    restartS: valid(shape.restart_s, member(identity, 'restart_s')),
    healWithinS: valid(shape.heal_within_s, member(identity, 'heal_within_s')),
    networkInterfaces: list('network_interfaces'),
    volumes: list('volumes'),
    elasticIps: list('elastic_ips'),
    routes: list('routes'),
    proofs: list('proofs'),
  };
}

function valid<T extends z.ZodType>(field: T, value: unknown): z.output<T> | undefined {
  const reading = field.safeParse(value);
  return reading.success ? reading.data : undefined;
}

/** `eni-...`, or `tag key=value`; undefined where the entry says neither, or both. */
function nameOf(entry: unknown, idKey: string, tagKey: string): string | undefined {
  const id = text(member(entry, idKey));
  const tag = member(entry, tagKey);
  if (id !== undefined) return tag === undefined ? id : undefined;
  const [key, value] = [text(member(tag, 'key')), text(member(tag, 'value'))];
  return key === undefined || value === undefined ? undefined : `tag ${key}=${value}`;
}

function routeName(entry: unknown): string | undefined {
  const table = nameOf(entry, 'route_table_id', 'route_table_tag');
  const destination = parseDestination(text(member(entry, 'destination')) ?? '');
  return table === undefined || destination === null ? undefined : `${destination.value} in ${table}`;
}

/** Whatever may belong to one identity only. */
function belongings({ identities }: HealParts): readonly Named[] {
  return identities.flatMap(({ networkInterfaces, volumes, elasticIps, routes }) => [
    ...networkInterfaces.map(({ entry, path }) => ({
      path,
      thing: valid(networkInterfaceSchema, entry) && named('interface', entry, 'network_interface'),
    })),
    ...volumes.map(({ entry, path }) => ({
      path,
      thing: valid(volumeSchema, entry) && named('volume', entry, 'volume'),
    })),
    ...elasticIps.map(({ entry, path }) => ({ path, thing: valid(elasticIpSchema, entry)?.allocation_id })),
    ...routes.map(({ entry, path }) => ({ path, thing: valid(routeSchema, entry) && routeName(entry) })),
  ]);
}

function named(kind: string, entry: unknown, key: string): string | undefined {
  const name = nameOf(entry, `${key}_id`, `${key}_tag`);
  return name === undefined ? undefined : `${kind} ${name}`;
}

/** What the daemons of the pairs move. */
function floating({ pairs }: HealParts): readonly Named[] {
  return pairs.flatMap(({ floating: all }, index) => [
    ...entries(member(all, 'elastic_ips')).map((id, at) => ({
      path: pairPath(index, 'floating', 'elastic_ips', at),
      thing: text(id),
    })),
    ...entries(member(all, 'routes')).map((entry, at) => ({
      path: pairPath(index, 'floating', 'routes', at),
      thing: routeName(entry),
    })),
  ]);
}

const places = ({ networkInterfaces }: HealParts['identities'][number]) =>
  networkInterfaces.map(({ entry }) => {
    const read = valid(networkInterfaceSchema, entry);
    return read === undefined ? undefined : `${read.card_index}/${read.device_index}`;
  });

/** What a proof may say beside its type. */
const PROOF_KEYS: { readonly [type: string]: readonly string[] } = {
  instance_status: [],
  application_status: [],
  http: ['port', 'path', 'device_index'],
  bfd: ['peer_status_url'],
};

function proofFindings({
  entry,
  path,
}: {
  readonly entry: unknown;
  readonly path: Path;
}): readonly Finding[] {
  const type = text(member(entry, 'type'));
  const fit = type === undefined ? undefined : PROOF_KEYS[type];
  if (fit === undefined || valid(proofSchema, entry) === undefined) return [];
  const misplaced = ['port', 'path', 'device_index', 'peer_status_url'].filter(
    (key) => member(entry, key) !== undefined && !fit.includes(key),
  );
  const missing = type === 'bfd' && member(entry, 'peer_status_url') === undefined;
  return [
    ...misplaced.map((key) => ({ path: [...path, key], message: `does not belong to "${type}"; remove it` })),
    ...(missing
      ? [{ path: [...path, 'peer_status_url'], message: 'missing; a proof of type "bfd" needs it' }]
      : []),
  ];
}

function idOrTag(
  list: readonly { readonly entry: unknown; readonly path: Path }[],
  idKey: string,
  tagKey: string,
): readonly Finding[] {
  return list.flatMap(({ entry, path }): readonly Finding[] => {
    if (!isObject(entry)) return [];
    const [hasId, hasTag] = [idKey, tagKey].map((key) => member(entry, key) !== undefined);
    if (hasId === true && hasTag === true)
      return [{ path: [...path, tagKey], message: `beside "${idKey}"; keep one of the two` }];
    return hasId === true || hasTag === true
      ? []
      : [{ path: [...path, idKey], message: `missing; write "${idKey}" or "${tagKey}"` }];
  });
}

function sameTwice(values: readonly (string | undefined)[], at: (index: number) => Path): readonly Finding[] {
  return repeated(values).map(({ index, first }) => ({
    path: at(index),
    message: `the same as in ${place(at(first))}; each needs its own`,
  }));
}

export const healRules: readonly HealRule[] = [
  {
    severity: 'mistake',
    sentence: 'No two identities have the same `name` or the same `auto_scaling_group`, and no two pairs.',
    find: ({ identities, pairs }) => [
      ...sameTwice(
        identities.map(({ name }) => name),
        (index) => identityPath(index, 'name'),
      ),
      ...sameTwice(
        identities.map(({ group }) => group),
        (index) => identityPath(index, 'auto_scaling_group'),
      ),
      ...sameTwice(
        pairs.map(({ name }) => name),
        (index) => pairPath(index, 'name'),
      ),
    ],
  },
  {
    severity: 'mistake',
    sentence: 'A network interface, a volume and a route table are named by id or by tag: by one of the two.',
    find: ({ identities, pairs }) => [
      ...identities.flatMap(({ networkInterfaces, volumes, routes }) => [
        ...idOrTag(networkInterfaces, 'network_interface_id', 'network_interface_tag'),
        ...idOrTag(volumes, 'volume_id', 'volume_tag'),
        ...idOrTag(routes, 'route_table_id', 'route_table_tag'),
      ]),
      ...pairs.flatMap(({ floating: all }, index) =>
        idOrTag(
          entries(member(all, 'routes')).map((entry, at) => ({
            entry,
            path: pairPath(index, 'floating', 'routes', at),
          })),
          'route_table_id',
          'route_table_tag',
        ),
      ),
    ],
  },
  {
    severity: 'mistake',
    sentence: 'Everything belongs to one identity only, and is named once.',
    find: (parts) => {
      const all = belongings(parts);
      return sameTwice(
        all.map(({ thing }) => thing),
        (index) => all[index]?.path ?? [],
      );
    },
  },
  {
    severity: 'mistake',
    sentence: 'What the daemons of a pair move belongs to no identity: the healer would move it as well.',
    find: (parts) => {
      const floats = floating(parts);
      return belongings(parts).flatMap(({ path, thing }): readonly Finding[] => {
        const same = floats.find((each) => thing !== undefined && each.thing === thing);
        return same === undefined
          ? []
          : [{ path, message: `the daemons move it (${place(same.path)}); remove it here` }];
      });
    },
  },
  {
    severity: 'mistake',
    sentence: 'Each network interface and each volume of an identity has a place of its own on the instance.',
    find: ({ identities }) =>
      identities.flatMap((identity, index) => [
        ...sameTwice(places(identity), (at) => identityPath(index, 'network_interfaces', at, 'device_index')),
        ...sameTwice(
          identity.volumes.map(({ entry }) => valid(volumeSchema, entry)?.device),
          (at) => identityPath(index, 'volumes', at, 'device'),
        ),
      ]),
  },
  {
    severity: 'mistake',
    sentence: 'A pair has two members, which are identities, and no identity is in two pairs.',
    find: ({ identities, pairs }) => [
      ...pairs.flatMap(({ members }, index): readonly Finding[] => {
        const known = identities.map(({ name }) => name);
        const unknown = members.flatMap((name, at) =>
          name === undefined || known.includes(name)
            ? []
            : [{ path: pairPath(index, 'members', at), message: `no identity is called "${name}"` }],
        );
        return members.length === 2 || members.length === 0
          ? unknown
          : [...unknown, { path: pairPath(index, 'members'), message: `${members.length} names; write two` }];
      }),
      ...memberTwice(pairs),
    ],
  },
  {
    severity: 'mistake',
    sentence: 'A pair names at least one thing that its daemons move.',
    find: ({ pairs }) =>
      pairs.flatMap(({ floating: all }, index) =>
        isObject(all) && Object.keys(all).length === 0
          ? [
              {
                path: pairPath(index, 'floating'),
                message: 'is empty; name what the daemons move: by it the healer sees which router is ACTIVE',
              },
            ]
          : [],
      ),
  },
  {
    severity: 'mistake',
    sentence:
      '`port`, `path` and `device_index` belong to proofs of type "http", `peer_status_url` to "bfd".',
    find: ({ identities }) => identities.flatMap(({ proofs }) => proofs.flatMap(proofFindings)),
  },
  {
    severity: 'mistake',
    sentence: 'With `reboot_after_attach`, `heal_within_s` is at least twice `restart_s`.',
    find: ({ identities }) =>
      identities.flatMap(({ reboots, restartS, healWithinS }, index) =>
        reboots === true && restartS !== undefined && healWithinS !== undefined && healWithinS < 2 * restartS
          ? [
              {
                path: identityPath(index, 'heal_within_s'),
                message: `${healWithinS} s is too short: a guest that reboots counts only ${restartS} s (restart_s) after it; write ${2 * restartS} or more`,
              },
            ]
          : [],
      ),
  },
  {
    severity: 'mistake',
    sentence: '`lease_s` is at least three times `api_timeout_s` + `staleness_s`.',
    find: ({ leaseS, apiTimeoutS, stalenessS }) => {
      if (leaseS === undefined || apiTimeoutS === undefined || stalenessS === undefined) return [];
      const least = 3 * (apiTimeoutS + stalenessS);
      return leaseS >= least
        ? []
        : [
            {
              path: ['heal', 'lease_s'],
              message: `${leaseS} s is too short: a write of ${apiTimeoutS} s (api_timeout_s) that is seen ${stalenessS} s later (staleness_s) has to fit into it; write ${least} or more`,
            },
          ];
    },
  },
  {
    severity: 'warning',
    sentence: 'The endpoint URLs are https URLs; http is for a lab.',
    find: ({ heal }) =>
      ['ec2_endpoint_url', 'autoscaling_endpoint_url', 'sns_endpoint_url'].flatMap((key) =>
        /^http:/i.test(text(member(heal, key)) ?? '')
          ? [
              {
                path: ['heal', key],
                message: 'http is not encrypted; use it in a lab only and https:// with AWS',
              },
            ]
          : [],
      ),
  },
  {
    severity: 'warning',
    sentence: 'There is a `topic_arn`: otherwise nobody is told.',
    find: ({ heal }) =>
      isObject(heal) && member(heal, 'topic_arn') === undefined
        ? [
            {
              path: ['heal', 'topic_arn'],
              message: 'missing; nobody is told of alarms but who reads the log',
            },
          ]
        : [],
  },
];

function memberTwice(pairs: HealParts['pairs']): readonly Finding[] {
  const all = pairs.flatMap(({ members }, index) =>
    members.map((name, at) => ({ name, path: pairPath(index, 'members', at) })),
  );
  return sameTwice(
    all.map(({ name }) => name),
    (index) => all[index]?.path ?? [],
  );
}
