/** A reading of the world in the form that the core knows. */
import { selectorWords, type Desired } from '../../src/heal/core/desired';
import type { Observed } from '../../src/heal/core/observed';
import { parseRecord } from '../../src/heal/core/record';
import type { Thing, World } from './aws';

type Circumstances = {
  readonly startedAt: number;
  readonly owner: string;
  readonly keepsLease: boolean;
  readonly unread: readonly string[];
  readonly ambiguous: ReadonlyMap<string, number>;
  readonly now: number;
};

export function observedOf(
  desired: Desired,
  world: World,
  { startedAt, owner, keepsLease, unread, ambiguous, now }: Circumstances,
): Omit<Observed, 'memory'> {
  const selectorsOf = (thing: Thing, kind: 'interfaces' | 'volumes'): readonly string[] =>
    desired.identities.flatMap((identity) =>
      identity.name === thing.owner && thing.madeWith === null
        ? identity[kind].map(({ selector }) => selectorWords(selector))
        : [],
    );
  const interfaces = [...world.interfaces.values()].map((each) => ({
    id: each.id,
    zone: each.zone,
    primaryAddress: `10.0.0.${each.id}`,
    addresses: [
      `10.0.0.${each.id}`,
      ...(each.instanceId !== null && each.instanceId === world.active && each.madeWith !== null
        ? ['10.0.9.9']
        : []),
    ],
    sourceDestCheck: each.check,
    selectors: selectorsOf(each, 'interfaces'),
    attachment:
      each.instanceId === null || each.status === 'available'
        ? null
        : {
            id: each.attachmentId,
            instanceId: each.instanceId,
            slot: { networkCardIndex: 0, deviceIndex: each.deviceIndex },
            status: each.status,
            attachedAt: each.attachedAt,
            deleteOnTermination: each.deleteOnTermination,
          },
  }));
  const doubles = interfaces
    .filter(({ id, selectors }) => selectors.length > 0 && now < (ambiguous.get(id) ?? 0))
    .map((each) => ({ ...each, id: `${each.id}-other`, attachment: null }));
  const groups = [...world.groups.values()].map(({ name, members, record }) => [
    name,
    {
      name,
      desiredCapacity: 1,
      instances: members.map(({ id, lifecycle }) => ({ id, lifecycle })),
      record: record === null ? null : parseRecord(record),
    },
  ]);
  const tables = desired.identities.flatMap(({ routes }) => routes.map(({ table }) => selectorWords(table)));
  return {
    startedAt,
    healer: { owner, keepsLease },
    groups: Object.fromEntries(groups) as Observed['groups'],
    instances: Object.fromEntries(
      [...world.instances.values()].map(({ id, state, launchedAt, zone, group }) => [
        id,
        { id, state, launchedAt, zone, vpcId: 'vpc-1', group },
      ]),
    ),
    interfaces: [...interfaces, ...doubles],
    volumes: [...world.volumes.values()].map((each) => ({
      id: each.id,
      zone: each.zone,
      state: each.status === 'available' ? 'available' : 'in-use',
      selectors: selectorsOf(each, 'volumes'),
      attachment:
        each.instanceId === null || each.status === 'available'
          ? null
          : {
              instanceId: each.instanceId,
              device: '/dev/sdf',
              status: each.status,
              deleteOnTermination: each.deleteOnTermination,
            },
    })),
    elasticIps: Object.fromEntries(
      [...world.elasticIps].map(([id, interfaceId]) => [
        id,
        {
          interfaceId,
          instanceId: world.interfaces.get(interfaceId ?? '')?.instanceId ?? null,
          privateAddress: interfaceId === null ? null : `10.0.0.${interfaceId}`,
        },
      ]),
    ),
    tables: [...new Set(tables)].map((id) => ({
      id,
      selectors: [id],
      routes: [...world.routes].flatMap(([key, target]) => {
        const [table, destination = ''] = key.split(' ');
        if (table !== id) return [];
        const place = world.interfaces.get(target);
        const isGateway = target.startsWith('nat-');
        const holder = world.instances.get(place?.instanceId ?? '');
        return [
          {
            destination,
            blackhole: !isGateway && holder?.state !== 'running',
            interfaceId: isGateway ? null : target,
            instanceId: place?.instanceId ?? null,
            other: isGateway ? target : null,
          },
        ];
      }),
    })),
    unread,
    answers: {},
  };
}
