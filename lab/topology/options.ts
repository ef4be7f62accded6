/** What the lab can be told at its making, in each of its topologies. */
import type { Pace } from '../ec2-emulator/pace';
import type { AwsService } from '../ec2-emulator/services';
import type { BucketSizes } from '../ec2-emulator/tokenBuckets';
import type { Ec2World } from '../ec2-emulator/world';
import type { FabricOptions } from '../slapi-sim/fabric';
import type { ExtraKeys, LabStore } from './config';
import type { CrossAzOptions } from './crossAz';
import type { PlanOptions, RouterName } from './plan';
import type { LabRouterOptions } from './router';

export type CommonLabOptions = LabRouterOptions & {
  /** How long what EC2 does by itself takes. Default: nothing. */
  readonly pace?: Pace;
  /** Other services of AWS at the address of EC2. Default: none. */
  readonly services?: (world: Ec2World) => readonly AwsService[];
  /** Who has everything that moves at the start; null: nobody. Default rtr1. */
  readonly owner?: RouterName | null;
  /** EC2's throttle of the account; default: off. `{}` for the documented sizes. */
  readonly tokenBuckets?: BucketSizes;
  /** Default `file`. */
  readonly store?: LabStore;
  /** For the config.json of both routers. */
  readonly config?: ExtraKeys;
  readonly fabric?: FabricOptions;
  /**
   * A router that is booted finds its daemon's state directory, with the journals, as it was when the power went, on another
   * boot than before: as where the directory is a mount of its own. Default: it is empty, as where it is not.
   */
  readonly keepState?: boolean;
};

export type LabOptions = CommonLabOptions &
  PlanOptions & {
    /** Target interfaces of each router, 1 to 14, each with one floating address; default 2. */
    readonly interfaces?: number;
    /** Whether a third instance has interfaces on the subnets of the floating addresses. Default: no. */
    readonly bystander?: boolean;
  };

export type CrossAzLabOptions = CommonLabOptions & CrossAzOptions;
