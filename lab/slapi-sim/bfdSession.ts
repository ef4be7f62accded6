// What a BFD session is to the simulated router, and how it is written on the wire.
import { compareAddresses, fromWire, toWire, type WireAddress } from './address';
import type { Generation } from './wire';

export type BfdStatus = 'UNKNOWN' | 'UP' | 'DOWN' | 'NEIGHBOR_UNCONFIG';
export type BfdDiag = 'NONE' | 'DETECT_EXPIRED' | 'NBR_DOWN' | 'PATH_DOWN' | 'ADMIN_DOWN';

export interface BfdKey {
  readonly hop: 'single' | 'multi';
  readonly vrf: string;
  /** In canonical form. */
  readonly neighbor: string;
  /** Empty for multi-hop. */
  readonly interface: string;
  /** Null for single-hop. */
  readonly source: string | null;
}

export interface BfdSession {
  readonly key: BfdKey;
  desiredTxIntUsec: number;
  detectMultiplier: number;
  status: BfdStatus;
  diag: BfdDiag;
  /** Value of the router's event counter at the latest change. */
  seqNum: number;
  /** Known from before the latest REGISTER and not programmed again since. */
  stale: boolean;
}

/** Decoded SLBfdv4Key or SLBfdv6Key; an unknown Type number stays a number. */
export interface WireKey {
  readonly Type?: string | number;
  readonly VrfName?: string;
  readonly NbrAddr?: WireAddress;
  readonly Interface?: { readonly Name?: string; readonly Handle?: number } | null;
  readonly SourceAddr?: WireAddress;
}

export interface WireSessionCfg {
  readonly Key: WireKey | null;
  readonly Config: { readonly DesiredTxIntUsec: number; readonly DetectMultiplier: number } | null;
}

const statusNames: Readonly<Record<BfdStatus, string | 0>> = {
  UNKNOWN: 0,
  UP: 'SL_BFD_SESSION_UP',
  DOWN: 'SL_BFD_SESSION_DOWN',
  NEIGHBOR_UNCONFIG: 'SL_BFD_NEIGHBOR_UNCONFIG',
};

export function keyFromWire(key: WireKey): BfdKey {
  const hop = key.Type === 'SL_BFD_MULTI_HOP' ? 'multi' : 'single';
  return {
    hop,
    vrf: key.VrfName ? key.VrfName : 'default',
    neighbor: fromWire(key.NbrAddr ?? 0),
    interface: hop === 'single' ? (key.Interface?.Name ?? '') : '',
    source: hop === 'multi' ? fromWire(key.SourceAddr ?? 0) : null,
  };
}

/** Ascending in the order the router pages through its table. */
export function compareKeys(a: BfdKey, b: BfdKey): number {
  return (
    a.hop.localeCompare(b.hop) * -1 ||
    a.vrf.localeCompare(b.vrf) ||
    compareAddresses(a.neighbor, b.neighbor) ||
    a.interface.localeCompare(b.interface) ||
    (a.source === null || b.source === null ? 0 : compareAddresses(a.source, b.source))
  );
}

export const keyId = (key: BfdKey): string =>
  [key.hop, key.vrf, key.neighbor, key.source ?? key.interface].join('|');

export function keyToWire(key: BfdKey): WireKey {
  const common = { VrfName: key.vrf, NbrAddr: toWire(key.neighbor) };
  return key.source === null
    ? { Type: 'SL_BFD_SINGLE_HOP', ...common, Interface: { Name: key.interface } }
    : { Type: 'SL_BFD_MULTI_HOP', ...common, SourceAddr: toWire(key.source) };
}

/** XRv9000 7.3.x gives no diagnosis at all. */
export function stateToWire(session: BfdSession, generation: Generation): object {
  return {
    SeqNum: session.seqNum,
    Status: statusNames[session.status],
    ...(session.diag === 'NONE' || generation === 'gen1' ? {} : { Diag: `SL_BFD_DIAG_${session.diag}` }),
  };
}

/** The event for a session's present state. Events of XRv9000 7.3.x carry no VrfName. */
export function notification(session: BfdSession, generation: Generation): object {
  const { VrfName, ...key } = keyToWire(session.key);
  return {
    EventType: 'SL_BFD_EVENT_TYPE_SESSION_STATE',
    Session: {
      Key: generation === 'gen1' ? key : { ...key, VrfName },
      State: stateToWire(session, generation),
    },
  };
}
