/**
 * BFD messages to and from plain values. Pure and total: whatever a router sends has an answer, and only a
 * well-formed SL_BFD_SESSION_DOWN is read as Down.
 */
import type { BfdSessionSettings } from '../config/settings';
import type { SessionLevel } from '../core/model';
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

export type BfdLimits = {
  /** 0 where the router does not say. */
  readonly sessionsPerRequest: number;
  readonly minTxIntervalUs: number;
  readonly minDetectMult: number;
};

/** An address is the dotted quad read as one big-endian number. */
export function addressNumber(dotted: string): number {
  return dotted.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

export function keyOf({ vrfName, peerAddress, interfaceName }: BfdSessionSettings): string {
  return keyText(vrfName, addressNumber(peerAddress), interfaceName);
}

/** XRv9000 7.3.x leaves the VRF out of its events: empty is `default`. */
function keyText(vrf: string, neighbour: number, interfaceName: string): string {
  return JSON.stringify([vrf === '' ? 'default' : vrf, neighbour, interfaceName]);
}

/** Null for a key that this program cannot have programmed: another type, an interface by number. */
export function keyIn(key: Message | null): string | null {
  const vrf = textIn(key, 'VrfName');
  const neighbour = uint32In(key, 'NbrAddr');
  const interfaceName = textIn(messageIn(key, 'Interface'), 'Name');
  if (key?.['Type'] !== 'SL_BFD_SINGLE_HOP' || vrf === null || !neighbour || !interfaceName) return null;
  return keyText(vrf, neighbour, interfaceName);
}

export function wireKey({ vrfName, peerAddress, interfaceName }: BfdSessionSettings): object {
  return {
    Type: 'SL_BFD_SINGLE_HOP',
    VrfName: vrfName,
    NbrAddr: addressNumber(peerAddress),
    Interface: { Name: interfaceName },
  };
}

export function wireSession(session: BfdSessionSettings): object {
  return {
    Key: wireKey(session),
    Config: { DesiredTxIntUsec: session.desiredMinTxIntervalUs, DetectMultiplier: session.detectMult },
  };
}

/** Of a decoded SLBfdv4Notif. */
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

/** Of one entry of a decoded SLBfdv4GetMsgRsp. Its notification is what an event would have said. */
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

/**
 * Of a decoded SLBfdGetMsgRsp, for single-hop sessions. The interval carries no unit in the published
 * interface: a value below 1000 cannot be meant as microseconds and is read as milliseconds.
 */
export function bfdLimits(reply: Message): BfdLimits {
  const interval = uint32In(reply, 'MinBfdTxIntervalSingleHop') ?? 0;
  return {
    sessionsPerRequest: uint32In(reply, 'MaxBfdSessionCfgPerSLBfdMsg') ?? 0,
    minTxIntervalUs: interval < 1000 ? interval * 1000 : interval,
    minDetectMult: uint32In(reply, 'MinBfdDetectMultiplierSingleHop') ?? 0,
  };
}

/** What a session's configuration has below the router's limits, one sentence each. */
export function belowLimits(session: BfdSessionSettings, limits: BfdLimits): readonly string[] {
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
