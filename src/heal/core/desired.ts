/**
 * The desired state: what belongs to each identity. Plain data, made from heal.json; what EC2 shows is compared with
 * it and never changes it.
 */

export type Desired = {
  readonly identities: readonly Identity[];
  readonly pairs: readonly Pair[];
  /** The only VPC that is looked at. */
  readonly vpcId: string;
  /** A reading that was answered just now may show what was true this long ago. */
  readonly stalenessMs: number;
  /** How long the right to write for an identity lasts. */
  readonly leaseMs: number;
  /** How long an answer of AWS may take. */
  readonly apiTimeoutMs: number;
};

/** What stays the same while its instances come and go: a router, a NAT instance, any network function. */
export type Identity = {
  readonly name: string;
  /** Name of the Auto Scaling group, which has one instance at a time. */
  readonly group: string;
  readonly launchHook: string;
  readonly terminateHook: string;
  readonly interfaces: readonly PersistentInterface[];
  readonly volumes: readonly PersistentVolume[];
  readonly elasticIps: readonly ElasticIp[];
  readonly routes: readonly Route[];
  /** Otherwise the source/destination checks are left as they are. */
  readonly disableSourceDestCheck: boolean;
  readonly rebootAfterAttach: boolean;
  /** A proof that was given sooner after a reboot does not count. */
  readonly restartMs: number;
  /** From the launch of the instance. */
  readonly healWithinMs: number;
  readonly proofs: readonly Proof[];
};

/** Never an address: two VPCs may have the same ones. */
export type Selector =
  { readonly id: string } | { readonly tag: { readonly key: string; readonly value: string } };

/** Where an interface sits on its instance. */
export type Slot = { readonly networkCardIndex: number; readonly deviceIndex: number };

export type PersistentInterface = {
  readonly selector: Selector;
  readonly slot: Slot;
  readonly privateAddresses: readonly string[];
};

export type PersistentVolume = { readonly selector: Selector; readonly device: string };

export type ElasticIp = {
  readonly allocationId: string;
  readonly slot: Slot;
  /** Null for the primary one of the interface. */
  readonly privateAddress: string | null;
};

export type Destination = { readonly kind: 'ipv4' | 'ipv6' | 'prefixList'; readonly value: string };

export type TableRoute = { readonly table: Selector; readonly destination: Destination };

export type Route = TableRoute & { readonly slot: Slot };

export type Proof =
  | { readonly type: 'instanceStatus' }
  | { readonly type: 'applicationStatus' }
  | { readonly type: 'http'; readonly slot: Slot; readonly port: number; readonly path: string }
  | { readonly type: 'bfd'; readonly peerStatusUrl: string };

/** Two routers that stand in for each other; who has what floats is ACTIVE. */
export type Pair = {
  readonly name: string;
  /** Names of identities. */
  readonly members: readonly [string, string];
  readonly floating: {
    readonly privateAddresses: readonly string[];
    readonly routes: readonly TableRoute[];
    /** Allocations. */
    readonly elasticIps: readonly string[];
  };
};

/** As a sentence and a key of what was read call it. */
export function selectorWords(selector: Selector): string {
  return 'id' in selector ? selector.id : `tag ${selector.tag.key}=${selector.tag.value}`;
}

export function routeWords({ table, destination }: TableRoute): string {
  return `${destination.value} in ${selectorWords(table)}`;
}
