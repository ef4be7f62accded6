/** What can be lost on a router's links, and the rules of nftables that lose it. No interface goes down by them. */
import type { RouterName } from '../topology/plan';
import type { Layout } from './layout';

export type PacketFault = {
  readonly router: RouterName;
  /** One interface by its name; default: all data interfaces. */
  readonly interface?: string;
  /** What is lost, as seen from the router. Default: both. */
  readonly direction?: 'both' | 'from' | 'to';
  /** Default: all packets. */
  readonly packets?: 'all' | 'bfd';
  /** Share of the packets, 0 to 1. Default: all of them. */
  readonly share?: number;
};

const SHARES = 10_000;

export function faultRules(layout: Layout, fault: PacketFault): readonly string[] {
  const { router, direction = 'both', packets = 'all', share = 1 } = fault;
  const devices = layout.ports
    .filter((port) => port.router === router && (fault.interface ?? port.name) === port.name)
    .map(({ vpcDevice }) => `"${vpcDevice}"`);
  if (devices.length === 0) throw new Error(`${router} has no interface ${fault.interface ?? ''}`);
  const what = [
    // RFC 5881 and RFC 5883: single-hop and multi-hop control packets.
    ...(packets === 'bfd' ? ['udp dport { 3784, 4784 }'] : []),
    ...(share < 1 ? [`numgen random mod ${SHARES} < ${Math.round(share * SHARES)}`] : []),
    'drop',
  ].join(' ');
  const on = (side: 'iifname' | 'oifname') => `${side} { ${devices.join(', ')} } ${what}`;
  return [...(direction === 'to' ? [] : [on('iifname')]), ...(direction === 'from' ? [] : [on('oifname')])];
}
