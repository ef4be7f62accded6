/**
 * The record of who owned what and when: addresses of both families, and the targets of routes and Elastic
 * IPs. It compares two models and writes down what differs.
 */
import { addressesOf, ipv6AddressesOf, subnetOf } from './model';
import type { Ec2Model, Route } from './model';
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
    for (const { key, ...change } of differences(before && addressOwners(before), addressOwners(after)))
      this.addresses.push({ ...stamp, ...change, ip: key.replace(/^.* /, '') });
    for (const { key, ...change } of differences(before && targetOwners(before), targetOwners(after)))
      this.targets.push({ ...stamp, ...change, target: key });
    for (const changes of [this.addresses, this.targets]) changes.splice(0, changes.length - CHANGES_KEPT);
  }
}

export const routeName = (routeTableId: string, { destination }: Pick<Route, 'destination'>): string =>
  `${routeTableId} ${destination.value}`;

type Owners = ReadonlyMap<string, string>;

function differences(before: Owners | null, after: Owners) {
  return [...new Set([...(before?.keys() ?? []), ...after.keys()])].flatMap((key) => {
    const from = before?.get(key) ?? null;
    const to = after.get(key) ?? null;
    return from === to ? [] : [{ key, from, to }];
  });
}

const addressOwners = (model: Ec2Model): Owners =>
  new Map(
    model.networkInterfaces.flatMap((eni) =>
      [...addressesOf(eni), ...ipv6AddressesOf(eni)].map(
        (ip) => [`${subnetOf(model, eni).vpcId} ${ip}`, eni.networkInterfaceId] as const,
      ),
    ),
  );

const targetOwners = (model: Ec2Model): Owners =>
  new Map([
    ...model.routeTables.flatMap(({ routeTableId, routes }) =>
      routes
        .filter(isStatic)
        .map(
          (route) =>
            [
              routeName(routeTableId, route),
              route.target.kind === 'local' ? 'local' : route.target.id,
            ] as const,
        ),
    ),
    ...model.elasticIps.flatMap(({ allocationId, association }) =>
      association === null ? [] : [[allocationId, association.networkInterfaceId] as const],
    ),
  ]);
