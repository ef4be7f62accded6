/**
 * What the rest of the program has to know of OpenStack as values and types: its name in a sentence, and its kinds of
 * targets. The configuration makes the plan with it.
 */
import type { CloudDescription, Plan, Target, TargetKind } from '../core/state/plan';

/** What of a target depends on its kind. Only the files of kinds/ look at it. */
export type OpenstackResource =
  /** A floating IP that is associated with a fixed address of the port; null: its only one. */
  | { readonly kind: 'floatingIp'; readonly floatingIp: string; readonly privateAddress: string | null }
  /** A route of a Neutron router whose next hop is a fixed address of the port; null: its only one. */
  | {
      readonly kind: 'extraRoute';
      readonly routerId: string;
      /** A CIDR block as Neutron writes it. */
      readonly destination: string;
      readonly nextHop: string | null;
    }
  /** A further fixed address of the port. */
  | { readonly kind: 'fixedAddress'; readonly address: string };

export type Kind = OpenstackResource['kind'];

export type OpenstackTarget = Target & OpenstackResource;
export type TargetOf<K extends Kind> = Extract<OpenstackTarget, { readonly kind: K }>;
export type OpenstackPlan = Plan<OpenstackTarget>;

const KINDS: { readonly [K in Kind]: TargetKind } = {
  floatingIp: {
    shownAs: 'floating_ip',
    movesFromNobodyOnly: false,
    belongsToSubnet: false,
    movesTogether: false,
  },
  extraRoute: {
    shownAs: 'extra_route',
    movesFromNobodyOnly: false,
    belongsToSubnet: false,
    movesTogether: false,
  },
  // A fixed address is unique on its network, so it is taken off its port before another can have it.
  fixedAddress: {
    shownAs: 'fixed_ip',
    movesFromNobodyOnly: true,
    belongsToSubnet: true,
    movesTogether: true,
  },
};

export const OPENSTACK: CloudDescription = {
  name: 'Neutron',
  service: 'a service of OpenStack',
  kinds: KINDS,
};
