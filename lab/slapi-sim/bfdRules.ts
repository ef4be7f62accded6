// Which session configurations the simulated router refuses, and with what code. Pure.
import { fromWire, isMulticast, isUnspecified, type WireAddress } from './address';
import type { WireKey, WireSessionCfg } from './bfdSession';
import type { Errno } from './wire';

export interface BfdLimits {
  readonly maxSessionsPerRequest: number;
  /** Reported to the client as they are. Values below 1000 are read as milliseconds, others as microseconds. */
  readonly minTxIntervalSingleHop: number;
  readonly minTxIntervalMultiHop: number;
  readonly minDetectMultiplierSingleHop: number;
  readonly minDetectMultiplierMultiHop: number;
}

/**
 * Whether multi-hop sessions work, or the code that refuses them. None has been seen working through this API,
 * so refusal is the default.
 */
export type MultiHop = 'works' | Errno;

export interface BfdRules {
  readonly limits: BfdLimits;
  readonly multiHop: () => MultiHop;
  readonly vrfs: readonly string[];
  readonly hasInterface: (name: string) => boolean;
}

// As SLGlobalsGet reports them.
export const maxVrfNameLength = 33;
export const maxInterfaceNameLength = 64;

const toUsec = (limit: number): number => (limit < 1000 ? limit * 1000 : limit);

export function refuseKey(key: WireKey, rules: BfdRules): Errno | null {
  const vrf = key.VrfName ? key.VrfName : 'default';
  if (vrf.length > maxVrfNameLength) return 'SL_BFD_VRF_NAME_TOOLONG';
  if (!rules.vrfs.includes(vrf)) return 'SL_BFD_VRF_NOT_FOUND';
  const neighbor = key.NbrAddr ?? 0;
  if (hasWrongSize(neighbor)) return 'SL_BFD_INVALID_PREFIX_SIZE';
  if (isUnspecified(fromWire(neighbor))) return 'SL_BFD_INVALID_NBR';
  if (isMulticast(fromWire(neighbor))) return 'SL_BFD_INVALID_NBR_MCAST';
  switch (key.Type ?? 'SL_BFD_RESERVED') {
    case 'SL_BFD_SINGLE_HOP':
      return refuseInterface(key.Interface?.Name ?? '', rules);
    case 'SL_BFD_MULTI_HOP':
      return refuseMultiHop(key, rules.multiHop());
    default:
      return 'SL_BFD_INVALID_SESSION_TYPE';
  }
}

function refuseMultiHop(key: WireKey, multiHop: MultiHop): Errno | null {
  if (multiHop !== 'works') return multiHop;
  const source = key.SourceAddr ?? 0;
  if (Buffer.isBuffer(source) && source.length === 0) return 'SL_BFD_BAD_PARAMETER';
  if (hasWrongSize(source)) return 'SL_BFD_INVALID_PREFIX_SIZE';
  return key.Interface?.Name || isUnspecified(fromWire(source)) ? 'SL_BFD_BAD_PARAMETER' : null;
}

/** An IPv6 address is 16 bytes. */
const hasWrongSize = (address: WireAddress): boolean => Buffer.isBuffer(address) && address.length !== 16;

function refuseInterface(name: string, rules: BfdRules): Errno | null {
  if (name === '') return 'SL_BFD_INTF_NAME_MISSING';
  if (name.length > maxInterfaceNameLength) return 'SL_BFD_INTF_NAME_TOOLONG';
  return rules.hasInterface(name) ? null : 'SL_BFD_INTF_NOT_FOUND';
}

export function refuseConfig(session: WireSessionCfg, { limits }: BfdRules): Errno | null {
  const multiHop = session.Key?.Type === 'SL_BFD_MULTI_HOP';
  const minInterval = multiHop ? limits.minTxIntervalMultiHop : limits.minTxIntervalSingleHop;
  const minMultiplier = multiHop ? limits.minDetectMultiplierMultiHop : limits.minDetectMultiplierSingleHop;
  const interval = session.Config?.DesiredTxIntUsec ?? 0;
  const multiplier = session.Config?.DetectMultiplier ?? 0;
  // RFC 5880 section 4.1: the multiplier is one octet.
  const inRange =
    interval > 0 && interval >= toUsec(minInterval) && multiplier >= minMultiplier && multiplier <= 255;
  return inRange ? null : 'SL_BFD_INVALID_ATTRIBUTE';
}
