/**
 * What the router's error codes (`SLErrorStatus.Status`) mean, in one table: for an operator who has to
 * mend something, and for the code that has to know whether waiting, or starting over, can help.
 */

/** A key of one entry of `bfd_sessions` in the configuration. */
export type ConfigKey =
  'intf_name' | 'neigh_ip' | 'vrf_name' | 'session_type' | 'bfd_desired_tx_int_usec, detect_multiplier';

export type ErrorMeaning = {
  readonly code: number;
  readonly name: string;
  readonly meaning: string;
  /** Whether the same request may succeed later without anybody changing the configuration. */
  readonly retryable: boolean;
  /** What to mend; null where the configuration is not at fault. */
  readonly configKey: ConfigKey | null;
};

type Row = readonly [code: number, name: string, meaning: string, retry: 'passes' | 'stays', key?: ConfigKey];

const timers: ConfigKey = 'bfd_desired_tx_int_usec, detect_multiplier';

const rows: readonly Row[] = [
  [0x0, 'SL_SUCCESS', 'success', 'passes'],
  [0x1, 'SL_NOT_CONNECTED', 'the router has no live global session for this client', 'passes'],
  [0x2, 'SL_EAGAIN', 'the router cannot do it right now', 'passes'],
  [0x3, 'SL_ENOMEM', 'the router is out of memory', 'passes'],
  [0x4, 'SL_EBUSY', 'too many requests are waiting at the router', 'passes'],
  [0x5, 'SL_EINVAL', 'the router finds an argument invalid', 'stays'],
  [0x6, 'SL_UNSUPPORTED_VER', 'the router refuses this version of the interface', 'stays'],
  [0x7, 'SL_NOT_AVAILABLE', 'the service is not available', 'passes'],
  [0x8, 'SL_STREAM_NOT_SUPPORTED', 'the router does not support this stream', 'stays'],
  [0x9, 'SL_ENOTSUP', 'the router does not support this kind of session', 'stays', 'session_type'],
  [0xa, 'SL_SOME_ERR', 'some of the objects were refused', 'passes'],
  [0xb, 'SL_TIMEOUT', 'the router ran out of time; the outcome is not known', 'passes'],
  [0xc, 'SL_NOTIF_TERM', 'another client has taken the stream over', 'passes'],
  [0xd, 'SL_AUTH_FAIL', 'the router does not accept the user name or password', 'stays'],
  [0xe, 'SL_ACK_TYPE_NOT_SUPPORTED', 'this kind of acknowledgement is not supported', 'stays'],

  [0x501, 'SL_INIT_STATE_CLEAR', 'accepted; the router holds no earlier state', 'passes'],
  [0x502, 'SL_INIT_STATE_READY', 'accepted; the router recovered earlier state', 'passes'],
  [0x503, 'SL_INIT_UNSUPPORTED_VER', 'the router refuses this version of the interface', 'stays'],
  [0x504, 'SL_INIT_SERVER_NOT_INITIALIZED', 'the server on the router is not ready yet', 'passes'],
  [0x505, 'SL_INIT_SERVER_MODE_CHANGE_FAILED', 'the server on the router failed inside', 'passes'],

  [0x6001, 'SL_RPC_BFD_TOO_MANY_BFD_SESSIONS', 'too many sessions in one request', 'passes'],
  [0x6002, 'SL_RPC_BFD_API_BAD_PARAMETER', 'a parameter of the request is wrong', 'stays'],
  [0x6003, 'SL_RPC_BFD_API_CLIENT_NOT_REGISTERED', 'the server is not registered with BFD', 'passes'],
  [0x6004, 'SL_RPC_BFD_API_INTERNAL_ERROR', 'BFD on the router failed inside', 'passes'],
  [0x6005, 'SL_RPC_BFD_SERVER_NOT_INITIALIZED', 'BFD on the router is not ready yet', 'passes'],
  [0x6006, 'SL_RPC_BFD_V4_NOT_REGISTERED', 'this client is not registered for IPv4 BFD', 'passes'],
  [0x6007, 'SL_RPC_BFD_V6_NOT_REGISTERED', 'this client is not registered for IPv6 BFD', 'passes'],

  [0x7001, 'SL_BFD_INTF_NAME_TOOLONG', 'the interface name is too long', 'stays', 'intf_name'],
  [0x7002, 'SL_BFD_INTF_NOT_FOUND', 'the router has no such interface', 'passes', 'intf_name'],
  [0x7003, 'SL_BFD_INVALID_ATTRIBUTE', 'the interval or multiplier is out of range', 'stays', timers],
  [0x7004, 'SL_BFD_INTF_NAME_MISSING', 'a single-hop session needs an interface', 'stays', 'intf_name'],
  [0x7005, 'SL_BFD_INVALID_NBR_MCAST', 'the neighbour is a multicast address', 'stays', 'neigh_ip'],
  [0x7006, 'SL_BFD_INVALID_NBR', 'the neighbour address is not valid', 'stays', 'neigh_ip'],
  [0x7007, 'SL_BFD_VRF_NAME_TOOLONG', 'the VRF name is too long', 'stays', 'vrf_name'],
  [0x7008, 'SL_BFD_BAD_PARAMETER', 'the parameters do not go together', 'stays', 'session_type'],
  [0x7009, 'SL_BFD_API_INTERNAL_ERROR', 'BFD on the router failed inside', 'passes'],
  [0x700a, 'SL_BFD_VRF_NOT_FOUND', 'the router has no such VRF', 'passes', 'vrf_name'],
  [0x700b, 'SL_BFD_INVALID_PREFIX_SIZE', 'an IPv6 address is not 16 bytes long', 'stays', 'neigh_ip'],
  [
    0x700c,
    'SL_BFD_INVALID_SESSION_TYPE',
    'the session is neither single-hop nor multi-hop',
    'stays',
    'session_type',
  ],
  [0x700d, 'SL_BFD_INVALID_VRF', 'the VRF is not valid', 'stays', 'vrf_name'],
  [0x700e, 'SL_BFD_SESSION_NOT_FOUND', 'the router has no such session', 'passes'],
  [0x700f, 'SL_BFD_SESSION_EXISTS', 'the session exists already', 'passes'],
  [0x7010, 'SL_BFD_INTERNAL_DB_ERROR', 'BFD on the router failed inside', 'passes'],
  [0x7011, 'SL_BFD_RECOVERY_ERROR', 'BFD on the router could not recover its state', 'passes'],

  [0xd001, 'SL_RPC_INTF_TOO_MANY_INTERFACES', 'too many interfaces in one request', 'passes'],
  [0xd002, 'SL_RPC_INTF_SERVER_NOT_INITIALIZED', 'the interface service is not ready yet', 'passes'],
  [0xd003, 'SL_RPC_INTF_API_CLIENT_NOT_REGISTERED', 'this client is not registered for interfaces', 'passes'],

  [0xe001, 'SL_INTF_INTERFACE_NAME_MISSING', 'the interface name is missing', 'stays', 'intf_name'],
  [0xe002, 'SL_INTF_INTERFACE_NAME_TOOLONG', 'the interface name is too long', 'stays', 'intf_name'],
  [0xe003, 'SL_INTF_INTERFACE_REG_ERR', 'the interface service failed inside', 'passes'],
  [0xe004, 'SL_INTF_INTERNAL_DB_ERROR', 'the interface service failed inside', 'passes'],
  [0xe005, 'SL_INTF_RECOVERY_ERROR', 'the interface service could not recover its state', 'passes'],
  [0xe006, 'SL_INTF_INTERFACE_EXISTS', 'the interface is subscribed already', 'passes'],
  [0xe007, 'SL_INTF_INTERFACE_NOT_FOUND', 'the router has no such interface', 'passes', 'intf_name'],
  [0xe008, 'SL_INTF_INTERFACE_STATE_NOT_SUPPORTED', 'a state of the filter is not supported', 'stays'],
];

/** The router has lost track of this client, or never had it: only registering from the start helps. */
const startOver: ReadonlySet<string> = new Set([
  'SL_NOT_CONNECTED',
  'SL_AUTH_FAIL',
  'SL_INIT_SERVER_NOT_INITIALIZED',
  'SL_RPC_BFD_API_CLIENT_NOT_REGISTERED',
  'SL_RPC_BFD_SERVER_NOT_INITIALIZED',
  'SL_RPC_BFD_V4_NOT_REGISTERED',
  'SL_RPC_BFD_V6_NOT_REGISTERED',
  'SL_BFD_RECOVERY_ERROR',
  'SL_RPC_INTF_SERVER_NOT_INITIALIZED',
  'SL_RPC_INTF_API_CLIENT_NOT_REGISTERED',
  'SL_INTF_RECOVERY_ERROR',
]);

/** Where the codes of each service begin; a code without a name belongs to the highest start below it. */
const ranges: readonly (readonly [number, string])[] = [
  [0x0, 'a general error'],
  [0x500, 'an error of the handshake'],
  [0x1000, 'an error of VRF registration'],
  [0x3000, 'an error of the route service'],
  [0x6000, 'an error of a BFD request'],
  [0x7000, 'an error of a BFD session'],
  [0x8000, 'an error of the MPLS service'],
  [0xd000, 'an error of an interface request'],
  [0xe000, 'an error of an interface subscription'],
  [0xf000, 'an error of another service'],
  [0x100000, 'an internal error of the router'],
];

const meanings: readonly ErrorMeaning[] = rows.map(([code, name, meaning, retry, configKey]) => ({
  code,
  name,
  meaning,
  retryable: retry === 'passes',
  configKey: configKey ?? null,
}));
const byName = new Map(meanings.map((each) => [each.name, each]));
const byCode = new Map(meanings.map((each) => [each.code, each]));
const success = errorMeaning('SL_SUCCESS');

/** Of a decoded `Status`: the enum's name, or the number where the .proto files have no name for it. */
export function errorMeaning(status: unknown): ErrorMeaning {
  const code = typeof status === 'number' ? status : -1;
  const known = typeof status === 'string' ? byName.get(status) : byCode.get(code);
  if (known !== undefined) return known;
  const range = ranges.findLast(([start]) => start <= code)?.[1] ?? 'no error code at all';
  const name = code < 0 ? 'unreadable' : `0x${code.toString(16)}`;
  return {
    code,
    name,
    meaning: `${range} that this program does not know`,
    retryable: true,
    configKey: null,
  };
}

/** Of a decoded `SLErrorStatus`; absent, or without `Status`, is success: proto3 does not send zeros. */
export function outcomeOf(errorStatus: unknown): ErrorMeaning {
  if (typeof errorStatus !== 'object' || errorStatus === null || !('Status' in errorStatus)) return success;
  return errorMeaning(errorStatus.Status ?? 'SL_SUCCESS');
}

export function succeeded({ name }: ErrorMeaning): boolean {
  return name === 'SL_SUCCESS';
}

export function needsStartingOver({ name }: ErrorMeaning): boolean {
  return startOver.has(name);
}

/** The router wants this client to register before what it has asked for. */
export function isNotRegistered({ name }: ErrorMeaning): boolean {
  return name.endsWith('_NOT_REGISTERED');
}

/** `the router has no such interface (SL_BFD_INTF_NOT_FOUND)` */
export function inWords({ meaning, name }: ErrorMeaning): string {
  return `${meaning} (${name})`;
}
