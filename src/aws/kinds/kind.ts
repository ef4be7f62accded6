/**
 * What AWS's side has to know of a kind of target: by which call it is read, how it is moved, which mistakes the start
 * finds, what EC2 would refuse, and what the role has to be allowed. One file a kind; ../kinds.ts joins them.
 */
import type { ServiceOutputTypes } from '@aws-sdk/client-ec2';
import type { MovingAction } from '../../config/settings';
import type { RequestedMove } from '../../core/state/model';
import type { Holder, Observation } from '../../core/state/readings';
import type { AwsPlan, Kind, TargetOf } from '../description';
import type { Move, PreparedMove, Tools } from '../moves/action';
import type { InstanceInterface } from '../reads/instanceIdentity';
import type { KnownInterface } from '../reads/shownInterface';
import type { Command } from '../transport/ec2';

export type ReadingAction = 'DescribeNetworkInterfaces' | 'DescribeRouteTables' | 'DescribeAddresses';

export type AwsKind<K extends Kind> = {
  /** The call that shows who holds it. */
  readonly readBy: ReadingAction;
  /** The interface that holds it forwards packets of others, so EC2's source/destination check has to be off there. */
  readonly forwards: boolean;
  /** The call that writes what is there already, and so proves without moving anything that the role may; null: none does. */
  readonly provenBy: MovingAction | null;
  /** The calls that write addresses of an interface. */
  readonly addressActions: readonly MovingAction[];
  /** What else the role may not be asked about ahead, and why; null: nothing. */
  readonly neverProven: string | null;
  /** The address that it brings to an interface, where it needs room; null: it brings none. */
  brings(target: TargetOf<K>): Brought | null;
  move(tools: Tools, move: Move<K>): PreparedMove;
  /** The action that the first call of the move is. */
  firstAction(request: RequestedMove): MovingAction;
  /** Whether it can be on that interface of this router; whether a table or an allocation exists, EC2 says with the first observation. */
  problemOn(target: TargetOf<K>, place: InstanceInterface): string | null;
  /** What EC2 would refuse to move there, and what to do; null: nothing is seen. */
  refusal(target: TargetOf<K>, question: RefusalQuestion): string | null;
  /** Beside the calls that write addresses of an interface. */
  statements(targets: readonly TargetOf<K>[], tools: PolicyTools): readonly Statement[];
  /** What can be asked of EC2 by DryRun. */
  dryRuns(target: TargetOf<K>, tools: DryRunTools): readonly DryRunQuestion[];
};

export type Brought = { readonly family: 'ipv4' | 'ipv6'; readonly address: string };

/** Of each interface of an instance of this type. */
export type AddressLimits = { readonly type: string; readonly ipv4: number; readonly ipv6: number };

/** What is read of an Elastic IP beside its holder, for what EC2 would refuse. */
export type ShownElasticIp = {
  /** The AWS service that alone may associate it; null: none does. */
  readonly service: string | null;
  /** The zones that it can be used in; null: EC2 does not say. */
  readonly borderGroup: string | null;
};

export type Shown = {
  /** Undefined for an interface that was not asked about. */
  readonly described: (networkInterfaceId: string) => KnownInterface | undefined;
  /** By allocation id. */
  readonly elasticIps: ReadonlyMap<string, ShownElasticIp>;
  /** The VPC of the route table, by target id. */
  readonly vpcs: ReadonlyMap<string, string>;
  readonly limits: AddressLimits | null;
};

/** Where a target would go. */
export type RefusalQuestion = {
  readonly shown: Shown;
  readonly holder: Holder | null;
  readonly place: KnownInterface;
  readonly isOwn: boolean;
  /** Whether what it is put on goes there too; false where it is put on nothing that floats. */
  readonly restsThere: boolean;
  /** Whether a target of the plan is this address. */
  readonly floats: (address: string) => boolean;
  /** The addresses of the target's family that the plan would bring to this place. */
  readonly floating: () => readonly string[];
};

type Compared = { readonly [key: string]: string | readonly string[] };
type Condition = { readonly StringEquals: Compared } | { readonly StringEqualsIgnoreCase: Compared };

export type Statement = {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Condition;
};

export type PolicyTools = {
  readonly foreignHolder: AwsPlan['foreignHolder'];
  /** What the operator has narrowed it to; empty: not known. */
  readonly interfaces: readonly string[];
  readonly instances: readonly string[];
  /** Of these ids; of all, where none is given. */
  readonly arns: (type: string, ids: readonly string[]) => readonly string[];
  readonly allow: (sid: string, actions: readonly string[], resources: Statement['Resource']) => Statement;
};

export type DryRunTools = {
  /** The interface of this router where the target belongs. */
  readonly networkInterfaceId: string;
  readonly plan: AwsPlan;
  readonly observation: Observation;
  readonly tableOf: (id: string) => string | null;
};

export type DryRunQuestion = {
  readonly action: string;
  /** What it would be done to. */
  readonly on: string;
  readonly command: Command<ServiceOutputTypes>;
};
