/** What is read of an interface. */
import type { JsonObject } from '../../core/state/json';

/** An interface whose fields have all been checked. */
export type Interface = {
  readonly networkInterfaceId: string;
  readonly vpcId: string;
  /** Null: EC2 does not say. */
  readonly zone: string | null;
  readonly subnetId: string;
  readonly primaryAddress: string;
  /** Of both families: those that stay for the life of the interface. */
  readonly primaryAddresses: readonly string[];
  /** The service that alone may change it; null: none does. */
  readonly managedBy: string | null;
  readonly sourceDestCheck: boolean;
  readonly addresses: readonly string[];
  /** The same as EC2 describes them. */
  readonly describedAddresses: readonly JsonObject[];
  readonly attachment: {
    /** Null: it is a service's, and no instance of ours. */
    readonly instanceId: string | null;
    readonly deviceIndex: number;
    readonly networkCardIndex: number;
  } | null;
  /** Whose it is beside an instance, in EC2's words; null where it has none. */
  readonly service: string | null;
};

/** What is read of one, for what EC2 would refuse there. */
export type KnownInterface = Pick<
  Interface,
  | 'networkInterfaceId'
  | 'vpcId'
  | 'zone'
  | 'primaryAddress'
  | 'primaryAddresses'
  | 'addresses'
  | 'describedAddresses'
  | 'managedBy'
>;
