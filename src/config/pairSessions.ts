/**
 * Whether the BFD sessions of two routers meet: each has to have one at the other end, of its kind, with the same
 * timers. A single-hop session names the other end only, so its counterpart is the one on the same subnet.
 */
import { ipv4Number } from './ipv4';
import { canonicalIpv6, ipv6Bytes, isLinkLocal } from './ipv6';
import { at, unlike, type Side } from './pairPlaces';
import type { Config } from './schema';
import { shown, type Path } from './words';

type Written = Config['bfd_sessions'][number];
type Session = Written & { readonly index: number };
type Meeting = readonly [one: Session, other: Session];

/** A VPC has at most 65,536 addresses (/16), and a subnet is smaller: two ends with less in common are on no subnet. */
const SUBNET_BITS = { ipv4: 16, ipv6: 64 } as const;

/** All mistakes, one sentence each. */
export function pairSessions(one: Side, other: Side): readonly string[] {
  const [mine, theirs] = [sessionsOf(one), sessionsOf(other)];
  const meetings = [...multiHopMeetings(mine, theirs), ...singleHopMeetings(mine, theirs)];
  const lonely = (sessions: readonly Session[], end: 0 | 1) =>
    sessions.filter(({ index }) => !meetings.some((meeting) => meeting[end].index === index));
  return [
    ...lonely(mine, 0).map((session) => noCounterpart(one, session, other)),
    ...lonely(theirs, 1).map((session) => noCounterpart(other, session, one)),
    ...meetings.flatMap((meeting) => meetingMistakes(one, other, meeting)),
  ];
}

const sessionsOf = ({ config }: Side): readonly Session[] =>
  config.bfd_sessions.map((session, index) => ({ ...session, index }));

const pathOf = ({ index }: Session, key: string): Path => ['config', 'bfd_sessions', index, key];

function noCounterpart(side: Side, session: Session, other: Side): string {
  const { session_type: type, neigh_ip: neighbour, source_ip: source } = session;
  const wanted =
    type === 'MULTI_HOP'
      ? `a MULTI_HOP session from ${neighbour} to ${source ?? 'this router'}`
      : `a SINGLE_HOP session on the subnet of ${neighbour}`;
  return `${at(side, pathOf(session, 'neigh_ip'))}: nothing in ${at(other, ['config', 'bfd_sessions'])} meets the session to ${shown(neighbour)}; write ${wanted} there, or remove this one`;
}

function multiHopMeetings(mine: readonly Session[], theirs: readonly Session[]): readonly Meeting[] {
  const ends = ({ neigh_ip: to, source_ip: from }: Session) =>
    [canonical(from ?? ''), canonical(to)] as const;
  return mine.flatMap((session) => {
    const [from, to] = ends(session);
    const other = theirs.find((each) => {
      const [otherFrom, otherTo] = ends(each);
      return isMultiHop(each) && otherFrom === to && otherTo === from;
    });
    return isMultiHop(session) && other !== undefined ? [[session, other] as const] : [];
  });
}

/** The nearest addresses belong together; each session has one counterpart. */
function singleHopMeetings(mine: readonly Session[], theirs: readonly Session[]): readonly Meeting[] {
  const candidates = mine
    .filter((session) => !isMultiHop(session))
    .flatMap((session) =>
      theirs
        .filter((other) => !isMultiHop(other))
        .map((other) => ({ meeting: [session, other] as const, bits: commonBits(session, other) })),
    )
    .filter(({ bits }) => bits !== null)
    .sort((a, b) => (b.bits ?? 0) - (a.bits ?? 0));
  const met: Meeting[] = [];
  for (const { meeting } of candidates)
    if (!met.some(([one, other]) => one.index === meeting[0].index || other.index === meeting[1].index))
      met.push(meeting);
  return met;
}

const isMultiHop = ({ session_type: type }: Session): boolean => type === 'MULTI_HOP';

/** How many leading bits of their neighbours' addresses are the same; null where they cannot be on one subnet. */
function commonBits({ neigh_ip: one }: Session, { neigh_ip: other }: Session): number | null {
  const [bytes, otherBytes] = [bytesOf(one), bytesOf(other)];
  if (bytes.length !== otherBytes.length) return null;
  const different = bytes.findIndex((byte, index) => byte !== otherBytes[index]);
  const bits =
    different < 0
      ? bytes.length * 8
      : different * 8 + Math.clz32((bytes[different] ?? 0) ^ (otherBytes[different] ?? 0)) - 24;
  return bits >= (bytes.length === 4 ? SUBNET_BITS.ipv4 : SUBNET_BITS.ipv6) ? bits : null;
}

function bytesOf(address: string): readonly number[] {
  const ipv6 = ipv6Bytes(address);
  if (ipv6 !== null) return [...ipv6];
  const number = ipv4Number(address) ?? 0;
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff);
}

const canonical = (address: string): string => canonicalIpv6(address) ?? address;

function meetingMistakes(one: Side, other: Side, [mine, theirs]: Meeting): readonly string[] {
  const neighbour = canonical(mine.neigh_ip);
  const isSame = neighbour === canonical(theirs.neigh_ip) && !isLinkLocal(neighbour);
  const timers = ['bfd_desired_tx_int_usec', 'detect_multiplier'] as const;
  return [
    ...(isSame
      ? [
          `${at(one, pathOf(mine, 'neigh_ip'))} and ${at(other, pathOf(theirs, 'neigh_ip'))}: both are ${shown(neighbour)}, and each has to be the address of the other router; correct one of them`,
        ]
      : []),
    ...timers.flatMap((key) =>
      unlike(one, pathOf(mine, key), mine[key], other, pathOf(theirs, key), theirs[key]),
    ),
    ...watchMistakes(one, other, [mine, theirs]),
  ];
}

/** The two ends of a session watch for the same groups. */
function watchMistakes(one: Side, other: Side, [mine, theirs]: Meeting): readonly string[] {
  return (one.config.groups ?? []).flatMap((group, index) => {
    const there = other.config.groups?.findIndex(({ name }) => name === group.name) ?? -1;
    const watches = (names: readonly string[] | undefined, { name }: Session) =>
      names === undefined || (name !== undefined && names.includes(name));
    const otherGroup = other.config.groups?.[there];
    if (otherGroup === undefined) return [];
    const [here, beyond] = [watches(group.bfd_sessions, mine), watches(otherGroup.bfd_sessions, theirs)];
    if (here === beyond) return [];
    const path = (place: number): Path => ['config', 'groups', place, 'bfd_sessions'];
    return [
      `${at(one, path(index))} and ${at(other, path(there))}: the session between ${theirs.neigh_ip} and ${mine.neigh_ip} watches for group ${shown(group.name)} on one router only; list both ends of it, or neither`,
    ];
  });
}
