/**
 * BFD messages to and from plain values. Pure and total: whatever a router sends has an answer, and only a
 * well-formed SL_BFD_SESSION_DOWN is read as Down.
 */
import { ipv4Number } from '../config/ipv4';
import { ipv6Bytes, ipv6Text } from '../config/ipv6';
import type { BfdSessionSettings } from '../config/settings';
import type { SessionLevel } from '../core/state/model';
import { outcomeOf, type ErrorMeaning } from './errors';
import type { Known } from './levels';
import { messageIn, messagesIn, protoJson, textIn, uint32In, uint64In, type Message } from './message';
import { diagnostic, sessionLevel } from './vocabulary';

export type BfdNotice =
  | { readonly kind: 'session'; readonly key: string; readonly known: Known<SessionLevel> }
  | { readonly kind: 'error'; readonly error: ErrorMeaning }
  | { readonly kind: 'malformed'; readonly what: string };

export type BfdEntry =
  | { readonly kind: 'session'; readonly key: string; readonly known: Known<SessionLevel> }
  | { readonly kind: 'malformed'; readonly what: string };

/** Of single-hop and of multi-hop sessions. */
export type BfdLimits = {
  /** 0 where the router does not say. */
  readonly sessionsPerRequest: number;
  readonly singleHop: HopLimits;
  readonly multiHop: HopLimits;
};

type HopLimits = { readonly minTxIntervalUs: number; readonly minDetectMult: number };

/** The parts that tell sessions apart: of single-hop the interface, of multi-hop the source address. */
export function keyOf({ vrfName, peerAddress, interfaceName, sourceAddress }: BfdSessionSettings): string {
  return sourceAddress === null
    ? keyText('single-hop', vrfName, peerAddress, interfaceName)
    : keyText('multi-hop', vrfName, peerAddress, sourceAddress);
}

/** XRv9000 7.3.x leaves the VRF out of its events: empty is `default`. */
function keyText(
  hops: 'single-hop' | 'multi-hop',
  vrf: string,
  neighbour: string,
  interfaceOrSource: string,
): string {
  return JSON.stringify([hops, vrf === '' ? 'default' : vrf, neighbour, interfaceOrSource]);
}

/** Null for a key that this program cannot have programmed: another type, an interface by number. */
export function keyIn(key: Message | null): string | null {
  const vrf = textIn(key, 'VrfName');
  const neighbour = addressIn(key, 'NbrAddr');
  if (vrf === null || neighbour === null) return null;
  switch (key?.['Type']) {
    case 'SL_BFD_SINGLE_HOP': {
      const interfaceName = textIn(messageIn(key, 'Interface'), 'Name');
      return interfaceName ? keyText('single-hop', vrf, neighbour, interfaceName) : null;
    }
    case 'SL_BFD_MULTI_HOP': {
      const source = addressIn(key, 'SourceAddr');
      return source === null ? null : keyText('multi-hop', vrf, neighbour, source);
    }
    default:
      return null;
  }
}

/** IPv4 is the dotted quad read as one big-endian number, IPv6 is 16 bytes; null for zero and anything else. */
function addressIn(key: Message | null, field: string): string | null {
  const value = key?.[field];
  if (Buffer.isBuffer(value)) return value.some((byte) => byte !== 0) ? ipv6Text(value) : null;
  const number = uint32In(key, field);
  return number ? [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join('.') : null;
}

function wireAddress(address: string): number | Buffer {
  return ipv6Bytes(address) ?? ipv4Number(address) ?? 0;
}

export function wireKey({ vrfName, peerAddress, interfaceName, sourceAddress }: BfdSessionSettings): object {
  const common = { VrfName: vrfName, NbrAddr: wireAddress(peerAddress) };
  return sourceAddress === null
    ? { Type: 'SL_BFD_SINGLE_HOP', ...common, Interface: { Name: interfaceName } }
    : { Type: 'SL_BFD_MULTI_HOP', ...common, SourceAddr: wireAddress(sourceAddress) };
}

export function wireSession(session: BfdSessionSettings): object {
  return {
    Key: wireKey(session),
    Config: { DesiredTxIntUsec: session.desiredMinTxIntervalUs, DetectMultiplier: session.detectMult },
  };
}

/** Of a decoded SLBfdv4Notif or SLBfdv6Notif. */
export function bfdNotice(notification: Message): BfdNotice {
  switch (notification['EventType']) {
    case 'SL_BFD_EVENT_TYPE_SESSION_STATE':
      return noticeOf(messageIn(notification, 'Session'), protoJson(notification));
    case 'SL_BFD_EVENT_TYPE_ERROR':
      return { kind: 'error', error: outcomeOf(notification['ErrStatus']) };
    default:
      return { kind: 'malformed', what: 'a BFD notification of an unknown type' };
  }
}

/** Of one entry of a decoded SLBfdv4GetMsgRsp or SLBfdv6GetMsgRsp. Its notification is what an event would have said. */
export function bfdEntry(entry: Message): BfdEntry {
  const session = protoJson({ Key: entry['Key'], State: entry['State'] });
  return noticeOf(entry, { EventType: 'SL_BFD_EVENT_TYPE_SESSION_STATE', Session: session });
}

function noticeOf(session: Message | null, notification: Known<SessionLevel>['notification']): BfdEntry {
  if (session === null) return { kind: 'malformed', what: 'a BFD notification without a session' };
  const key = keyIn(messageIn(session, 'Key'));
  const state = messageIn(session, 'State');
  if (key === null) return { kind: 'malformed', what: 'a BFD session without a usable key' };
  if (state === null) return { kind: 'malformed', what: 'a BFD session without a state' };
  const known = {
    level: sessionLevel(state['Status']) ?? ('Unknown' as const),
    seqNum: uint64In(state, 'SeqNum'),
    diag: diagnostic(state['Diag']),
    notification,
  };
  return { kind: 'session', key, known };
}

/** Whether the session's state is a number that the .proto files do not name; it was read as Unknown. */
export function hasUnknownStatus(session: Message | null): boolean {
  return sessionLevel(messageIn(session, 'State')?.['Status']) === null;
}

/** Of a decoded SLBfdGetMsgRsp. */
export function bfdLimits(reply: Message): BfdLimits {
  return {
    sessionsPerRequest: uint32In(reply, 'MaxBfdSessionCfgPerSLBfdMsg') ?? 0,
    singleHop: hopLimits(reply, 'SingleHop'),
    multiHop: hopLimits(reply, 'MultiHop'),
  };
}

/**
 * The interval carries no unit in the published interface: a value below 1000 cannot be meant as microseconds
 * and is read as milliseconds.
 */
function hopLimits(reply: Message, hops: 'SingleHop' | 'MultiHop'): HopLimits {
  const interval = uint32In(reply, `MinBfdTxInterval${hops}`) ?? 0;
  return {
    minTxIntervalUs: interval < 1000 ? interval * 1000 : interval,
    minDetectMult: uint32In(reply, `MinBfdDetectMultiplier${hops}`) ?? 0,
  };
}

/** What a session's configuration has below the router's limits, one sentence each. */
export function belowLimits(
  session: BfdSessionSettings,
  { singleHop, multiHop }: BfdLimits,
): readonly string[] {
  const limits = session.sourceAddress === null ? singleHop : multiHop;
  const sentences: string[] = [];
  if (session.desiredMinTxIntervalUs < limits.minTxIntervalUs) {
    sentences.push(
      `bfd_desired_tx_int_usec is ${session.desiredMinTxIntervalUs}, the router wants ${limits.minTxIntervalUs} or more`,
    );
  }
  if (session.detectMult < limits.minDetectMult) {
    sentences.push(
      `detect_multiplier is ${session.detectMult}, the router wants ${limits.minDetectMult} or more`,
    );
  }
  return sentences;
}

export function entriesOf(reply: Message): readonly Message[] {
  return messagesIn(reply, 'Entries');
}
