/**
 * The record of who owned what and when: addresses of both families, and the targets of routes and Elastic
 * IPs. It compares two models and writes down what differs.
 */
import { addressesOf, ipv6AddressesOf, subnetOf } from './model';
import type { Ec2Model } from './model';
import { isStatic } from './routes';

/** Who made a change: a request of the API (by its number in the log), or somebody else. */
export type ChangeOrigin =
  | { readonly by: 'start' }
  | { readonly by: 'operator' }
  | { readonly by: 'request'; readonly number: number; readonly accessKeyId: string | null };

interface Change {
  /** Monotonic milliseconds of `process.hrtime`. */
  readonly atMs: number;
  /** Network interface ids; null: nobody. */
  readonly from: string | null;
  readonly to: string | null;
  readonly origin: ChangeOrigin;
}

export type OwnershipChange = Change & { readonly ip: string };

/** Of a route (`rtb-... 10.9.0.0/16`) or an Elastic IP (`eipalloc-...`). A route may lead to other ids, too. */
export type TargetChange = Change & { readonly target: string };

const CHANGES_KEPT = 100_000;

export class History {
  readonly addresses: OwnershipChange[] = [];
  readonly targets: TargetChange[] = [];

  record(before: Ec2Model | null, after: Ec2Model, stamp: Pick<Change, 'atMs' | 'origin'>): void {
    // The keys of addresses carry the VPC: one address can exist in several.
    for (const { key, ...change } of differences(addressOwners(before, after), addressOwners(after, before)))
      this.addresses.push({ ...stamp, ...change, ip: key.replace(/^.* /, '') });
    for (const { key, ...change } of differences(targetOwners(before, after), targetOwners(after, before)))
      this.targets.push({ ...stamp, ...change, target: key });
    for (const changes of [this.addresses, this.targets]) changes.splice(0, changes.length - CHANGES_KEPT);
  }
}

type Owners = ReadonlyMap<string, string>;

function differences(before: Owners, after: Owners) {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((key) => {
    const from = before.get(key) ?? null;
    const to = after.get(key) ?? null;
    return from === to ? [] : [{ key, from, to }];
  });
}

/** By identity: a change makes new objects of what it changes only, so a large model costs little here. */
function onlyIn<T>(own: readonly T[], other: readonly T[]): readonly T[] {
  const others = new Set(other);
  return own.filter((each) => !others.has(each));
}

/** Of the interfaces that the other model does not have as they are. */
function addressOwners(model: Ec2Model | null, other: Ec2Model | null): Owners {
  if (model === null) return new Map();
  return new Map(
    onlyIn(model.networkInterfaces, other?.networkInterfaces ?? []).flatMap((eni) =>
      [...addressesOf(eni), ...ipv6AddressesOf(eni)].map(
        (ip) => [`${subnetOf(model, eni).vpcId} ${ip}`, eni.networkInterfaceId] as const,
      ),
    ),
  );
}

function targetOwners(model: Ec2Model | null, other: Ec2Model | null): Owners {
  if (model === null) return new Map();
  const tables = onlyIn(model.routeTables, other?.routeTables ?? []);
  const otherRoutes = onlyIn(other?.routeTables ?? [], model.routeTables).flatMap(({ routes }) => routes);
  return new Map([
    ...tables.flatMap(({ routeTableId, routes }) =>
      onlyIn(routes, otherRoutes)
        .filter(isStatic)
        .map(({ destination, target }) => {
          const name = `${routeTableId} ${destination.value}`;
          return [name, target.kind === 'local' ? 'local' : target.id] as const;
        }),
    ),
    ...onlyIn(model.elasticIps, other?.elasticIps ?? []).flatMap(({ allocationId, association }) =>
      association === null ? [] : [[allocationId, association.networkInterfaceId] as const],
    ),
  ]);
}
