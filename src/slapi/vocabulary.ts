/**
 * The words of the Service-Layer API in the words of the core. The enum names come from the .proto file of
 * the generation that was spoken, so that a number is named before anything looks at it. A name or number
 * that is not in these tables is `null`: the caller reports it, and it is never read as DOWN.
 */
import type { InterfaceGeneration, InterfaceLevel, SessionLevel } from '../core/state/model';

const sessionLevels: ReadonlyMap<unknown, SessionLevel> = new Map([
  ['SL_BFD_SESSION_STATE_UNKNOWN', 'Unknown'],
  ['SL_BFD_SESSION_UP', 'Up'],
  ['SL_BFD_SESSION_DOWN', 'Down'],
  ['SL_BFD_NEIGHBOR_UNCONFIG', 'Unconfigured'],
]);

/** `ignored`: the event says nothing about whether packets pass. */
type InterfaceWord = InterfaceLevel | 'ignored';

// IfState 1 is DOWN in the first generation and CREATED in the second, 2 is UP and DOWN: the names differ
// by root, and one that belongs to the other generation is not known here.
const interfaceLevels: Readonly<Record<InterfaceGeneration, ReadonlyMap<unknown, InterfaceWord>>> = {
  gen1: new Map([
    ['SL_IF_STATE_UNKNOWN', 'Unknown'],
    ['SL_IF_STATE_DOWN', 'Down'],
    ['SL_IF_STATE_UP', 'Up'],
  ]),
  gen2: new Map([
    ['SL_IF_STATE_UNKNOWN', 'Unknown'],
    ['SL_IF_STATE_CREATED', 'Unknown'],
    ['SL_IF_STATE_DOWN', 'Down'],
    ['SL_IF_STATE_UP', 'Up'],
    ['SL_IF_STATE_DELETED', 'Down'],
    ['SL_IF_STATE_BW_CHANGED', 'ignored'],
    ['SL_IF_STATE_L2_UP', 'ignored'],
    ['SL_IF_STATE_L2_DOWN', 'ignored'],
  ]),
};

// The Service-Layer API numbers the diagnostics otherwise than RFC 5880 section 4.1: only names compare.
const diagnostics: ReadonlyMap<unknown, string> = new Map([
  ['SL_BFD_DIAG_NONE', 'NoDiagnostic'],
  ['SL_BFD_DIAG_DETECT_EXPIRED', 'ControlDetectionTimeExpired'],
  ['SL_BFD_DIAG_NBR_DOWN', 'NeighborSignaledSessionDown'],
  ['SL_BFD_DIAG_PATH_DOWN', 'PathDown'],
  ['SL_BFD_DIAG_FWDING_PLANE_RESET', 'ForwardingPlaneReset'],
  ['SL_BFD_DIAG_ADMIN_DOWN', 'AdministrativelyDown'],
  ['SL_BFD_DIAG_REV_CONC_PATH_DOWN', 'ReverseConcatenatedPathDown'],
  ['SL_BFD_DIAG_ECHO_FUNCTION_FAILED', 'EchoFunctionFailed'],
  ['SL_BFD_DIAG_CONC_PATH_DOWN', 'ConcatenatedPathDown'],
]);

/** Names of zero: proto3 does not send them, and its JSON form leaves them out when they were sent. */
export const zeroNames: ReadonlySet<string> = new Set([
  'SL_SUCCESS',
  'SL_BFD_RESERVED',
  'SL_BFD_EVENT_TYPE_RESERVED',
  'SL_BFD_SESSION_STATE_UNKNOWN',
  'SL_BFD_DIAG_NONE',
  'SL_INTERFACE_EVENT_TYPE_RESERVED',
  'SL_IF_STATE_UNKNOWN',
]);

/** Of `SLBfdCommonState.Status`; absent is zero, a session that has never come UP. */
export function sessionLevel(status: unknown): SessionLevel | null {
  return sessionLevels.get(status ?? 'SL_BFD_SESSION_STATE_UNKNOWN') ?? null;
}

/** Of `SLInterfaceInfoMsg.IfState`; absent is zero. */
export function interfaceLevel(generation: InterfaceGeneration, state: unknown): InterfaceWord | null {
  return interfaceLevels[generation].get(state ?? 'SL_IF_STATE_UNKNOWN') ?? null;
}

/** RFC 5880 section 4.1, its words run together. For the record only. */
export function diagnostic(diag: unknown): string {
  const known = diagnostics.get(diag ?? 'SL_BFD_DIAG_NONE');
  return known ?? (typeof diag === 'number' ? `Unknown(${diag})` : 'Unknown');
}
