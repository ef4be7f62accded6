/** Two routers as servers of one OpenStack project: what the lab's emulator and the real services have in common. */
import type { RouterName } from '../topology/plan';

export type ByRouter<Value> = Readonly<Record<RouterName, Value>>;

/** On one network, which a Neutron router joins with an external one. Each router has one port there. */
export const PAIR = {
  cidr: '10.0.0.0/24',
  gateway: '10.0.0.1',
  address: { rtr1: '10.0.0.11', rtr2: '10.0.0.12' },
  /** A further fixed address that moves. */
  fixedAddress: '10.0.0.100',
  externalCidr: '203.0.113.0/24',
  floatingIp: '203.0.113.10',
  destination: '10.9.0.0/16',
  serverId: {
    rtr1: '11111111-1111-4111-8111-111111111111',
    rtr2: '22222222-2222-4222-8222-222222222222',
  },
} as const;

/** Somewhere that the pair is, emulated or real. */
export type OpenstackPair = {
  readonly authUrl: string;
  readonly credential: { readonly id: string; readonly secret: string };
  readonly networkId: string;
  readonly portId: ByRouter<string>;
  readonly floatingIpId: string;
  readonly routerId: string;
};
