/** The kinds of BFD sessions that the lab's routers may have, and the links that they need. */
import type { InterfacePlan, LinkPlan, PathPlan } from './plan';

/** `GRE` is an IPv4 session through a tunnel. */
export type SessionKind = 'IPv4' | 'IPv6' | 'multi-hop' | 'multi-hop IPv6' | 'GRE';

export type Sessions = number | readonly SessionKind[];

type PlannedSession = { readonly kind: SessionKind; readonly on: InterfacePlan };

export function plannedSessions(
  sessions: Sessions,
  interfaces: readonly InterfacePlan[],
): readonly PlannedSession[] {
  const kinds = typeof sessions === 'number' ? Array<SessionKind>(sessions).fill('IPv4') : sessions;
  return interfaces.flatMap((on, place) => {
    const kind = kinds[place];
    return kind === undefined ? [] : [{ kind, on }];
  });
}

/** The tunnels that have a session. */
export const tunnelsOf = (sessions: readonly PlannedSession[]): readonly InterfacePlan['tunnel'][] =>
  sessions.flatMap(({ kind, on }) => (kind === 'GRE' ? [on.tunnel] : []));

/** What the subnet of an interface carries: IPv4 always, the others where a session needs them. */
export function linksOf(on: InterfacePlan, sessions: readonly PlannedSession[]): readonly LinkPlan[] {
  const { name, primaryAddress, ipv6Address, tunnel } = on;
  const own = sessions.filter((session) => session.on === on).map(({ kind }) => kind);
  return [
    { name, over: name, address: primaryAddress },
    ...(own.some((kind) => kind === 'IPv6' || kind === 'multi-hop IPv6')
      ? [{ name, over: name, address: ipv6Address }]
      : []),
    ...(own.includes('GRE') ? [{ ...tunnel, over: name }] : []),
  ];
}

/** What tells the session apart. */
export function pathOf({ kind, on }: PlannedSession): PathPlan {
  const { name, primaryAddress, ipv6Address, tunnel } = on;
  switch (kind) {
    case 'IPv4':
      return { name, sessionType: 'SINGLE_HOP', address: primaryAddress };
    case 'IPv6':
      return { name, sessionType: 'SINGLE_HOP', address: ipv6Address };
    case 'multi-hop':
      return { name, sessionType: 'MULTI_HOP', address: primaryAddress };
    case 'multi-hop IPv6':
      return { name, sessionType: 'MULTI_HOP', address: ipv6Address };
    case 'GRE':
      return { ...tunnel, sessionType: 'SINGLE_HOP' };
  }
}
