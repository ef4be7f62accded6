/** The kinds of BFD sessions that the lab's routers may have, in the words of the product's configuration. */
import { peerOf, type InterfacePlan, type RouterName, type TopologyPlan } from './topologyPlan';

/** `GRE` is an IPv4 session through a tunnel. */
export type SessionKind = 'IPv4' | 'IPv6' | 'multi-hop' | 'multi-hop IPv6' | 'GRE';

export type Sessions = number | readonly SessionKind[];

type PlannedSession = { readonly kind: SessionKind; readonly on: InterfacePlan };

export function plannedSessions(sessions: Sessions = 2, plan: TopologyPlan): readonly PlannedSession[] {
  const kinds = typeof sessions === 'number' ? Array<SessionKind>(sessions).fill('IPv4') : sessions;
  return plan.interfaces.flatMap((on, place) => {
    const kind = kinds[place];
    return kind === undefined ? [] : [{ kind, on }];
  });
}

/** The names of the tunnels that have a session. */
export function tunnelNames(sessions: Sessions | undefined, plan: TopologyPlan): readonly string[] {
  return plannedSessions(sessions, plan).flatMap(({ kind, on }) => (kind === 'GRE' ? [on.tunnel.name] : []));
}

/** What tells the session apart, as an entry of `bfd_sessions` of the router. */
export function sessionKeys(name: RouterName, { kind, on }: PlannedSession): object {
  const peer = peerOf(name);
  const single = { session_type: 'SINGLE_HOP', intf_name: on.name };
  const multi = { session_type: 'MULTI_HOP', intf_name: on.name };
  switch (kind) {
    case 'IPv4':
      return { ...single, neigh_ip: on.primaryAddress[peer] };
    case 'IPv6':
      return { ...single, neigh_ip: on.ipv6Address[peer] };
    case 'multi-hop':
      return { ...multi, source_ip: on.primaryAddress[name], neigh_ip: on.primaryAddress[peer] };
    case 'multi-hop IPv6':
      return { ...multi, source_ip: on.ipv6Address[name], neigh_ip: on.ipv6Address[peer] };
    case 'GRE':
      return { ...single, intf_name: on.tunnel.name, neigh_ip: on.tunnel.address[peer] };
  }
}
