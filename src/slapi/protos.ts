/**
 * The gRPC methods that the daemon calls, loaded from our .proto files. The two interface generations
 * give the same names other numbers, so each has a root of its own and a method of one is never decoded
 * with the other. Enums are read as names; a number that no file names stays a number.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Root, type IConversionOptions } from 'protobufjs';

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
function bfdMethods(core: Root, prefix: 'SLBfdv4' | 'SLBfdv6') {
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

// Without `defaults` a field that the router left out stays out, which is how proto3 JSON words it.
const READ_AS: IConversionOptions = { enums: String, longs: String };

/**
 * By protobufjs and not by @grpc/proto-loader, which describes each message for reflection, too: that took 40 of the
 * 470 ms of CPU from the start of the process to the known role (medians of 16 each, in turn, 2026-11-30).
 */
function load(dir: string, file: string): Root {
  const root = new Root();
  // An import is named from the folder of the files, not from the file that has it.
  root.resolvePath = (_, target) => join(dir, target);
  root.loadSync(file, { keepCase: true }).resolveAll();
  return root;
}

function method(root: Root, service: string, name: string): Method {
  const found = root.lookupService(`service_layer.${service}`).methods[name];
  if (!found?.resolvedRequestType || !found.resolvedResponseType)
    throw new Error(`the .proto files have no ${service}.${name}`);
  const { resolvedRequestType: request, resolvedResponseType: response } = found;
  return {
    path: `/service_layer.${service}/${name}`,
    name,
    encode: (message) => Buffer.from(request.encode(request.fromObject(message)).finish()),
    decode: (bytes) => response.toObject(response.decode(bytes), READ_AS),
  };
}
