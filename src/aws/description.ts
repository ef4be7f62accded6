/**
 * What the rest of the program has to know of AWS as values and types: its name in a sentence, and its kinds of targets.
 * The configuration makes the plan with it, so it needs no client of AWS.
 */
import type { CloudDescription, Plan, Target, TargetKind } from '../core/state/plan';

/** What packets a route is for. `value` is canonical: EC2 would write it the same. */
export type Destination = {
  readonly kind: 'ipv4' | 'ipv6' | 'prefixList';
  readonly value: string;
};

/** A route table by its id, or by a tag that one table of the VPC has. */
export type RouteTableName =
  { readonly id: string } | { readonly tag: { readonly key: string; readonly value: string } };

/** What of a target depends on its kind. Only the descriptors of the kinds look at it: the files of kinds/. */
export type AwsResource =
  /** A secondary private IPv4 address of the interface. */
  | { readonly kind: 'privateAddress'; readonly address: string }
  /** An IPv6 address of the interface. */
  | { readonly kind: 'ipv6Address'; readonly address: string }
  /** A route whose target is the interface. */
  | { readonly kind: 'route'; readonly routeTable: RouteTableName; readonly destination: Destination }
  /** An Elastic IP that is associated with a private address of the interface; null: the primary one. */
  | { readonly kind: 'elasticIp'; readonly allocationId: string; readonly privateAddress: string | null };

export type Kind = AwsResource['kind'];

export type AwsTarget = Target & AwsResource;
export type TargetOf<K extends Kind> = Extract<AwsTarget, { readonly kind: K }>;
export type AwsPlan = Plan<AwsTarget>;

const KINDS: { readonly [K in Kind]: TargetKind } = {
  privateAddress: {
    shownAs: 'private_ip',
    movesFromNobodyOnly: false,
    belongsToSubnet: true,
    movesTogether: true,
  },
  ipv6Address: { shownAs: 'ipv6', movesFromNobodyOnly: true, belongsToSubnet: true, movesTogether: true },
  route: { shownAs: 'route', movesFromNobodyOnly: false, belongsToSubnet: false, movesTogether: false },
  elasticIp: {
    shownAs: 'elastic_ip',
    movesFromNobodyOnly: false,
    belongsToSubnet: false,
    movesTogether: false,
  },
};

export const EC2: CloudDescription = { name: 'EC2', service: 'an AWS service', kinds: KINDS };
