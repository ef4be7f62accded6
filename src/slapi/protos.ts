/**
 * The gRPC methods that the daemon calls, loaded from our .proto files. The two interface generations
 * give the same names other numbers, so each has a root of its own and a method of one is never decoded
 * with the other. Enums are read as names; a number that no file names stays a number.
 */
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What has a stream and a registration. */
export type Service = 'bfd' | 'interfaces';

export type Method = {
  /** `/service_layer.<Service>/<Method>` */
  readonly path: string;
  readonly name: string;
  readonly encode: (message: object) => Buffer;
  /** Throws on bytes that are not such a message. */
  readonly decode: (bytes: Buffer) => object;
};

/** Whose method it is, where the service has a stream and a registration. */
export function serviceOf({ path }: Method): Service | null {
  if (/\.SLBfdv[46]Oper\//.test(path)) return 'bfd';
  return path.includes('.SLInterfaceOper/') ? 'interfaces' : null;
}

export type Protos = ReturnType<typeof readProtos>;

let loaded: Protos | null = null;

/** Reads the files at the first call; the process keeps them. */
export function protos(): Protos {
  loaded ??= readProtos(findProtoDir(__dirname));
  return loaded;
}

function readProtos(dir: string) {
  const core = load(dir, 'core.proto');
  const gen1 = load(dir, 'interface-gen1.proto');
  const gen2 = load(dir, 'interface-gen2.proto');
  return {
    init: method(core, 'SLGlobal', 'SLGlobalInitNotif'),
    bfd: { IPv4: bfdMethods(core, 'SLBfdv4'), IPv6: bfdMethods(core, 'SLBfdv6') },
    gen1: {
      register: method(gen1, 'SLInterfaceOper', 'SLInterfaceGlobalsRegOp'),
      limits: method(gen1, 'SLInterfaceOper', 'SLInterfaceGlobalsGet'),
      enable: method(gen1, 'SLInterfaceOper', 'SLInterfaceNotifOp'),
      read: method(gen1, 'SLInterfaceOper', 'SLInterfaceGet'),
      events: method(gen1, 'SLInterfaceOper', 'SLInterfaceGetNotifStream'),
    },
    gen2: {
      events: method(gen2, 'SLInterfaceOper', 'SLInterfaceNotifStream'),
    },
  };
}

/** The services of the two address families differ in their names and in the type of an address only. */
function bfdMethods(core: PackageDefinition, prefix: 'SLBfdv4' | 'SLBfdv6') {
  const service = `${prefix}Oper`;
  return {
    register: method(core, service, `${prefix}RegOp`),
    limits: method(core, service, `${prefix}Get`),
    program: method(core, service, `${prefix}SessionOp`),
    read: method(core, service, `${prefix}SessionGet`),
    events: method(core, service, `${prefix}GetNotifStream`),
  };
}

/** The nearest `proto/` upwards: beside `dist/main.js` in a build, in the project's root from `src/`. */
function findProtoDir(from: string): string {
  const candidate = join(from, 'proto');
  if (existsSync(join(candidate, 'core.proto'))) return candidate;
  const parent = dirname(from);
  if (parent === from) throw new Error(`no proto/core.proto in any folder above ${__dirname}`);
  return findProtoDir(parent);
}

function load(dir: string, file: string): PackageDefinition {
  // Without `defaults` a field that the router left out stays out, which is how proto3 JSON words it.
  return loadSync(join(dir, file), { keepCase: true, enums: String, longs: String });
}

function method(root: PackageDefinition, service: string, name: string): Method {
  const definition: object = root[`service_layer.${service}`] ?? {};
  const found: unknown = Reflect.get(definition, name);
  if (!isMethod(found)) throw new Error(`the .proto files have no ${service}.${name}`);
  return { path: found.path, name, encode: found.requestSerialize, decode: found.responseDeserialize };
}

type LoadedMethod = {
  readonly path: string;
  readonly requestSerialize: (message: object) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => object;
};

function isMethod(value: unknown): value is LoadedMethod {
  return typeof value === 'object' && value !== null && 'path' in value && 'responseDeserialize' in value;
}
