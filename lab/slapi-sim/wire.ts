// The gRPC services of the simulated router, loaded from proto/: the only thing the lab shares with the
// product. Enums are read as names, so that the simulator's code and its journal of requests say what they
// mean; numbers the files do not name stay numbers.
import {
  loadSync,
  type MethodDefinition,
  type PackageDefinition,
  type ServiceDefinition,
} from '@grpc/proto-loader';
import { join } from 'node:path';

/** gen1: interface versions up to 0.9 (XR 7.3.x). gen2: 0.10 and later (XR 24.4.1 on). */
export type Generation = 'gen1' | 'gen2';

/** Outcomes the simulator gives of its own accord; faults may give any number. */
export type Errno =
  | 'SL_SUCCESS'
  | 'SL_NOT_CONNECTED'
  | 'SL_EINVAL'
  | 'SL_ENOTSUP'
  | 'SL_SOME_ERR'
  | 'SL_NOTIF_TERM'
  | 'SL_INIT_STATE_CLEAR'
  | 'SL_INIT_STATE_READY'
  | 'SL_INIT_UNSUPPORTED_VER'
  | 'SL_RPC_BFD_TOO_MANY_BFD_SESSIONS'
  | 'SL_RPC_BFD_API_BAD_PARAMETER'
  | 'SL_RPC_BFD_V4_NOT_REGISTERED'
  | 'SL_RPC_BFD_V6_NOT_REGISTERED'
  | 'SL_BFD_INTF_NAME_TOOLONG'
  | 'SL_BFD_INTF_NOT_FOUND'
  | 'SL_BFD_INVALID_ATTRIBUTE'
  | 'SL_BFD_INTF_NAME_MISSING'
  | 'SL_BFD_INVALID_NBR_MCAST'
  | 'SL_BFD_INVALID_NBR'
  | 'SL_BFD_VRF_NAME_TOOLONG'
  | 'SL_BFD_BAD_PARAMETER'
  | 'SL_BFD_VRF_NOT_FOUND'
  | 'SL_BFD_INVALID_PREFIX_SIZE'
  | 'SL_BFD_INVALID_SESSION_TYPE'
  | 'SL_BFD_SESSION_NOT_FOUND'
  | 'SL_BFD_SESSION_EXISTS'
  | 'SL_RPC_INTF_TOO_MANY_INTERFACES'
  | 'SL_RPC_INTF_API_CLIENT_NOT_REGISTERED'
  | 'SL_INTF_INTERFACE_NAME_MISSING'
  | 'SL_INTF_INTERFACE_NAME_TOOLONG'
  | 'SL_INTF_INTERFACE_EXISTS'
  | 'SL_INTF_INTERFACE_NOT_FOUND'
  | number;

export interface WireStatus {
  readonly Status?: Errno;
}

/** Success is an empty message on the wire, as proto3 leaves zeros out. */
export const status = (errno: Errno): WireStatus =>
  errno === 'SL_SUCCESS' || errno === 0 ? {} : { Status: errno };

/** A message as proto-loader takes it, or bytes to send in place of one. */
export type WireMessage = object;

const protoDir = join(__dirname, '..', '..', 'proto');

function load(file: string, service: string): ServiceDefinition {
  const root: PackageDefinition = loadSync(join(protoDir, file), {
    keepCase: true,
    enums: String,
    longs: Number,
    defaults: true,
  });
  const definition = root[`service_layer.${service}`] as ServiceDefinition;
  return Object.fromEntries(
    Object.entries(definition).map(([name, method]) => [name, acceptingBytes(method)]),
  );
}

/** Lets a Buffer through as it is, so that a test can send what no encoder would write. */
function acceptingBytes(method: MethodDefinition<object, object>): MethodDefinition<object, object> {
  return {
    ...method,
    responseSerialize: (message) =>
      Buffer.isBuffer(message) ? message : method.responseSerialize(withoutZeros(message)),
  };
}

/** A proto3 server never writes zeros; this encoder would write those that are named. */
function withoutZeros(message: object): object {
  return Object.fromEntries(
    Object.entries(message)
      .filter(([, value]) => value !== 0 && value !== '' && value !== false && value !== null)
      .map(([field, value]: [string, unknown]) => [field, inner(value)]),
  );
}

function inner(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value;
  if (Array.isArray(value)) return value.map(inner);
  return typeof value === 'object' && value !== null ? withoutZeros(value) : value;
}

const loadServices = (generation: Generation) => ({
  global: load('core.proto', 'SLGlobal'),
  bfd: load('core.proto', 'SLBfdv4Oper'),
  bfdv6: load('core.proto', 'SLBfdv6Oper'),
  interfaces: load(`interface-${generation}.proto`, 'SLInterfaceOper'),
});

// Parsing takes longer than all the rest of a router's start, and tests start many.
const loaded = new Map<Generation, ReturnType<typeof loadServices>>();

export function services(generation: Generation): ReturnType<typeof loadServices> {
  const found = loaded.get(generation) ?? loadServices(generation);
  loaded.set(generation, found);
  return found;
}
